"""Reads CloudTrail: who changed the resources, and what they run as and with."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from botocore.exceptions import ClientError

from domain.evidence import Evidence
from domain.resource import Resource, ResourceType, resource_from_arn
from specialists.change_intelligence.evidence import ChangesSearched, FunctionRevisions
from specialists.change_intelligence.order import failing_first
from specialists.change_intelligence.symptoms import Kind, symptoms
from specialists.contract import Look, probe
from specialists.kit.change import Change
from specialists.kit.changekinds import trivial
from specialists.kit.changes import (
    LOOK_BACK,
    LOOKUP_EVENTS,
    changes,
    cut_short,
    listed_as,
    recorded_in,
    service_changes,
)

MAX_NAMES = 16
"""Names asked for in one account and Region. Most of them the service specialists ask for too, and share the answer."""

MAX_DEPENDENCIES = 6
MAX_CHANGES = 50
"""The newest changes of a resource that are kept."""

APIS = frozenset({ResourceType.REST_API, ResourceType.HTTP_API, ResourceType.API})


class _Asked(NamedTuple):
    """A name to ask CloudTrail for, and the id of the resource that its events are about."""

    name: str
    resource: str


@probe(LOOKUP_EVENTS, yields=(Change, ChangesSearched), together=True)
def resource_changes(look: Look) -> Iterator[Evidence]:
    """Who changed any of the resources in the day before it began, by CloudTrail."""
    asked = [_asked(target) for target in failing_first(look, look.targets)]
    yield from _changes_of(look, list(dict.fromkeys(asked)), MAX_NAMES)


@probe(
    LOOKUP_EVENTS,
    needs=(FunctionRevisions,),
    yields=(Change, ChangesSearched),
    only=[ResourceType.LAMBDA],
    together=True,
)
def dependency_changes(look: Look) -> Iterator[Evidence]:
    """Who changed the roles, keys and security groups that the functions run as and with."""
    kinds = {symptom.kind for symptom in symptoms(look.seen, look.graph)}
    found: list[_Asked] = []
    for revisions in look.seen.of(FunctionRevisions):
        parts = (
            (True, revisions.role, revisions.role.rsplit("/", 1)[-1], _id_of(revisions.role)),
            (Kind.DENIED in kinds, revisions.key_arn, revisions.key_arn, _id_of(revisions.key_arn)),
            *(
                (bool(kinds & {Kind.TIMEOUT, Kind.CONNECTION}), g, g, revisions.resource)
                for g in revisions.security_groups
            ),
        )
        found += [_Asked(name, about) for wanted, present, name, about in parts if wanted and present]
    yield from _changes_of(look, list(dict.fromkeys(found)), MAX_DEPENDENCIES)


@probe(LOOKUP_EVENTS, yields=(Change,), only=APIS, together=True)
def api_changes(look: Look) -> Iterator[Change]:
    """Who changed the APIs: CloudTrail names no resource for most of API Gateway's events, so all are read once."""
    ids = {target.name: target.id for target in look.targets}
    for change in service_changes(look, "apigateway.amazonaws.com", resource=look.target.id):
        named = {v for k, v in change.parameters.items() if k.rsplit(".", 1)[-1].lower() in {"restapiid", "apiid"}}
        for name in sorted(named & ids.keys()):
            yield change if ids[name] == change.resource else change.model_copy(update={"resource": ids[name]})


def _id_of(arn: str) -> str:
    """Return the id of the resource that an ARN names; the text itself where it is none."""
    try:
        return resource_from_arn(arn).id
    except ValueError:
        return arn


def _asked(target: Resource) -> _Asked:
    return _Asked(listed_as(target), target.id)


def _changes_of(look: Look, asked: Sequence[_Asked], most: int) -> Iterator[Evidence]:
    dropped = 0
    short: list[str] = []
    read: list[str] = []
    closed: set[str] = set()
    for name, about in asked[:most]:
        region = recorded_in(look, about)
        if region in closed:
            continue
        try:
            found = list(changes(look, name, resource=about))
        except ClientError as error:
            look.missed.append(error)
            closed.add(region)
            continue
        read.append(name)
        matter = [change for change in found if not trivial(change)]
        dropped += len(found) - len(matter)
        if cut_short(look, name, about) or len(matter) > MAX_CHANGES:
            short.append(name)
        yield from matter[-MAX_CHANGES:]
    if read:
        yield ChangesSearched(
            resource=look.target.id,
            source="cloudtrail:LookupEvents",
            names=tuple(read),
            searched_from=look.window.start - LOOK_BACK,
            trivial=dropped,
            cut_short=tuple(short),
            left_out=len(asked) - len(read),
        )


TRAIL_PROBES = (resource_changes, dependency_changes, api_changes)
