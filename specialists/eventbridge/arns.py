"""ARNs of targets, which may be of any service, and texts that should be ARNs and are not. Pure."""

from domain.arn import Arn
from domain.resource import Resource, resource_from_arn


def parsed_arn(text: str) -> Arn | None:
    """Take an ARN apart; None for what is none, such as an empty text."""
    try:
        return Arn.parse(text)
    except ValueError:
        return None


def resource_of(text: str) -> Resource | None:
    """Return the resource that an ARN names, None for what is no ARN."""
    return resource_from_arn(text) if parsed_arn(text) else None


def short(arn: str) -> str:
    """Return the name that people know a target by, with its alias or version."""
    return arn.split(":", 5)[-1].removeprefix("function:").rsplit("/", 1)[-1].removeprefix("stateMachine:")
