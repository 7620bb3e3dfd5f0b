"""Which state machine a target is about. Pure."""

from domain.resource import Resource, ResourceType, state_machine_of


def machine_of(target: Resource) -> Resource:
    """Return the state machine that a target is, or belongs to."""
    return state_machine_of(target) if target.type is ResourceType.EXECUTION else target


def machine_id(target: Resource) -> str:
    """Return the id of that state machine."""
    return machine_of(target).id
