"""The target's connections as the evidence shows them: which failed to connect, and which got an answer. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from domain.arn import Arn
from domain.evidence import Evidence, EvidenceBundle
from domain.resource import Resource
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.kit.loglines import LogLines
from specialists.vpc.destinations import (
    ANYWHERE,
    Attempt,
    Destination,
    How,
    Place,
    attempt_in,
    destination,
    host_and_port,
    of_service,
)

REMOTE = "remote:"
WAITED_SECONDS = 1.0
"""A call without an answer and without an error that took longer than this waited for its connection."""


class Sign(NamedTuple):
    """One connection that failed; `traced` when the trace shows the call itself."""

    how: How
    destination: Destination
    evidence: Evidence
    at: datetime | None
    traced: bool = False


def failed_connections(seen: EvidenceBundle, target: Resource) -> tuple[Sign, ...]:
    """Return the target's connections that failed, oldest first."""
    found = [sign for call in _calls(seen, target) if (sign := _of_call(call)) is not None]
    for segment in seen.of(TraceSegment, target.id):
        found += _of_texts(((_words(error), segment.start) for error in segment.errors), segment)
    for lines in seen.of(LogLines, target.id):
        found += _of_texts(((event.message, event.at) for event in lines.events), lines)
    return tuple(sorted(found, key=lambda sign: (str(sign.at), str(sign.destination))))


def answered_calls(seen: EvidenceBundle, target: Resource) -> tuple[tuple[Destination, TraceCall], ...]:
    """Return the target's calls that got an answer, be it an error: the network let them through."""
    return tuple((called_by(call), call) for call in _calls(seen, target) if not call.pending and _answered(call))


def called_by(call: TraceCall) -> Destination:
    """Return where a call of the trace went."""
    url = call.attributes.get("url", "")
    if call.resource.startswith(REMOTE) or (url and not call.resource.startswith("arn:")):
        return destination(*host_and_port(url)) if "://" in url else destination(call.resource.removeprefix(REMOTE))
    try:
        arn = Arn.parse(call.resource)
    except ValueError:
        return of_service(call.service) or ANYWHERE
    found = of_service(arn.service) or ANYWHERE
    return found.model_copy(update={"region": arn.region})


def _calls(seen: EvidenceBundle, target: Resource) -> Iterator[TraceCall]:
    return (call for call in seen.of(TraceCall) if call.caller == target.id)


def _answered(call: TraceCall) -> bool:
    if call.http_status is not None or not call.failed:
        return True
    return any(attempt_in(_words(error)) is None for error in call.errors)


def _of_call(call: TraceCall) -> Sign | None:
    if not call.pending and _answered(call):
        return None
    said = next((a for error in call.errors if (a := attempt_in(_words(error))) is not None), None)
    if said is None and not call.pending and call.seconds < WAITED_SECONDS:
        return None
    attempt = said or Attempt(how=How.READ, destination=ANYWHERE)
    where = called_by(call) if attempt.destination.place is Place.ANYWHERE else attempt.destination
    return Sign(attempt.how, where, call, call.start, traced=True)


def _of_texts(texts: Iterable[tuple[str, datetime]], evidence: Evidence) -> Iterator[Sign]:
    for text, at in texts:
        attempt = attempt_in(text)
        if attempt is not None:
            yield Sign(attempt.how, attempt.destination, evidence, at)


def _words(error: TracedError) -> str:
    return f"{error.code or error.type}: {error.message}"
