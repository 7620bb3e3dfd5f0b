"""What the callers of a resource were told: errors of their calls and segments, and the lines of their logs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from domain.evidence import Evidence, EvidenceBundle
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.kit.loglines import LogLines


class Overheard(NamedTuple):
    """A caller's own text; `alone`: it calls nothing else of this service, so the text is about the target."""

    text: str
    at: datetime
    caller: str
    alone: bool
    evidence: Evidence


class Dated(Protocol):
    """A reading of such a text: when it was told, and the evidence that holds it."""

    @property
    def at(self) -> datetime | None:
        """When it was told."""

    @property
    def evidence(self) -> Evidence:
        """What holds it."""


DatedT = TypeVar("DatedT", bound=Dated)


def failed_calls(seen: EvidenceBundle, resource: str) -> tuple[TraceCall, ...]:
    """Return the trace's failed calls to a resource."""
    return tuple(call for call in seen.of(TraceCall, resource) if call.failed)


def error_text(error: TracedError) -> str:
    """Return everything that a traced error says."""
    return " ".join(part for part in (error.code, error.type, error.message) if part)


def overheard(case: Case, service: str) -> Iterator[Overheard]:
    """Yield the callers' own texts; `service` is as ARNs name it.

    A caller whose failed call tells an error needs no guess about what its other texts are about.
    """
    told = {call.caller for call in failed_calls(case.evidence, case.target.id) if call.errors}
    called = _called(case, service)
    for segment in case.evidence.of(TraceSegment):
        if segment.failed and segment.resource not in told:
            alone = called.get(segment.resource) == {case.target.id}
            for error in segment.errors:
                yield Overheard(error_text(error), segment.start, segment.resource, alone, segment)
    for lines in case.all(LogLines):
        caller = _caller_of(lines, case)
        if caller and caller not in told:
            alone = called.get(caller) == {case.target.id}
            for event in lines.events:
                yield Overheard(event.message, event.at, caller, alone, lines)


def _called(case: Case, service: str) -> dict[str, set[str]]:
    """Return what of the service each caller calls."""
    pairs = [(edge.source, edge.target) for edge in case.graph.edges]
    pairs += [(call.caller, call.resource) for call in case.evidence.of(TraceCall)]
    found: dict[str, set[str]] = {}
    for caller, resource in pairs:
        if f":{service}:" in resource:
            found.setdefault(caller, set()).add(resource)
    return found


def _caller_of(lines: LogLines, case: Case) -> str:
    name = lines.log_group.removeprefix("/aws/lambda/")
    return next((node.id for node in case.graph.nodes if node.name == name and lines.log_group != name), "")


def oldest_first(found: Iterable[DatedT]) -> tuple[DatedT, ...]:
    """Return readings in the order in which they were told."""
    return tuple(sorted(found, key=lambda sign: sign.at.timestamp() if sign.at else 0.0))


def cited(found: Iterable[Dated], most: int = 5) -> tuple[Evidence, ...]:
    """Return the evidence that holds these readings, each once, the first few of many."""
    # By identity: one observation is one object here, and the id of many log lines is dear to compute.
    return tuple({id(sign.evidence): sign.evidence for sign in found}.values())[:most]


def began(found: Iterable[Dated]) -> datetime | None:
    """Return the time of the first reading."""
    return min((sign.at for sign in found if sign.at), default=None)


IDENTITY = re.compile(
    r"identity-based|permissions boundar|session polic|service control|resource control|vpc endpoint polic",
    re.IGNORECASE,
)
RESOURCE = re.compile(r"resource-based", re.IGNORECASE)
PRINCIPAL = re.compile(r"User:\s{0,4}(arn:aws[a-z-]{0,12}:(?:sts|iam)::\d{12}:[^\s\"']{1,300})")


def refused_principal(text: str) -> str:
    """Return the ARN of who was refused, empty where the text does not name it."""
    found = PRINCIPAL.search(text)
    return found[1].rstrip(".,;:") if found else ""


def refused_by_identity(text: str) -> bool:
    """Tell whether AWS says that a policy on the caller's side refused; permissions are judged there."""
    return IDENTITY.search(text) is not None


def refused_by_resource(text: str) -> bool:
    """Tell whether AWS says that the policy of the resource refused."""
    return RESOURCE.search(text) is not None


LISTING = re.compile(r"\bs3:ListBucket(?!Multipart|Versions)\b", re.IGNORECASE)
OBJECT_READS = frozenset({"GetObject", "HeadObject", "CopyObject", "GetObjectAttributes", "GetObjectTagging"})
"""Operations of S3 on one object, which need no right to list its bucket."""


def hides_missing_object(text: str, operation: str) -> bool:
    """Tell whether S3 says "may not s3:ListBucket" to a read of one object: that object does not exist.

    Only whoever may list the bucket is told 404. Allowing the listing changes the answer and brings no object.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    return operation in OBJECT_READS and LISTING.search(text) is not None


def role_of(principal: str) -> str:
    """Return the ARN of the role behind an assumed role's session, empty for anything else.

    A role's path is not part of its session's ARN, so this is the role only if it has none.
    """
    parts: Sequence[str] = principal.split(":")
    session = parts[5].split("/") if len(parts) > 5 else []
    return f"{parts[0]}:{parts[1]}:iam::{parts[4]}:role/{session[1]}" if session[:1] == ["assumed-role"] else ""
