"""In which order to look at resources: those on the failing path first, since there is not time for all."""

from collections.abc import Iterable

from domain.resource import Resource
from specialists.change_intelligence.symptoms import symptoms
from specialists.contract import Look


def failing_first(look: Look, targets: Iterable[Resource]) -> list[Resource]:
    """Return the resources, those that something failed at first, else as they come."""
    touched = {resource for symptom in symptoms(look.seen, look.graph) for resource in symptom.touches}
    return sorted(targets, key=lambda target: target.id not in touched)
