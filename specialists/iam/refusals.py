"""The refusals that concern one target: found in the trace's errors and in its log lines, repeated ones as one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.evidence import Evidence, EvidenceBundle
from domain.graph import ServiceGraph
from domain.resource import Resource, ResourceType
from domain.trace import TraceCall, TraceSegment
from specialists.iam.denials import (
    SHORT_CODES,
    Denial,
    action_of,
    denials_in,
    key_denial_in,
    operation_in,
    short_denial_in,
)
from specialists.iam.evidence import RunsAs
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import hides_missing_object


@dataclass(frozen=True)
class Refusal:
    """One refused call, however often it was tried.

    `terse`: AWS said only "Access Denied"; action and resource come from the call. `called` is the id of what was
    called, where the trace tells, and `operation` the SDK's. `of_missing`: S3 hides a missing object behind it.
    `lived_with`: it stands in a trace in which nothing failed for it.
    """

    denial: Denial
    evidence: tuple[Evidence, ...]
    first_at: datetime
    count: int = 1
    terse: bool = False
    called: str = ""
    operation: str = ""
    of_missing: bool = False
    lived_with: bool = False

    @property
    def about(self) -> str:
        """The resource as AWS printed it, else what the trace says was called."""
        return self.denial.resource or self.called


def error_texts(item: Evidence) -> Iterator[tuple[datetime, str]]:
    """Yield every error text of a piece of evidence with its time: a call's, a segment's, log lines."""
    if isinstance(item, TraceCall | TraceSegment):
        for error in item.errors:
            yield item.start, f"{error.type}: {error.message}"
    elif isinstance(item, LogLines):
        for event in item.events:
            yield event.at, event.message


def refusals(target: Resource, evidence: EvidenceBundle, graph: ServiceGraph) -> tuple[Refusal, ...]:
    """Return the target's refusals, the first one first; without those that only hide a missing object of S3."""
    own = evidence.first(RunsAs, target.id)
    role = own.role if own else target.name if target.type in ROLES else ""
    others = frozenset(n.name for n in graph.nodes if n.type is ResourceType.LAMBDA and n.id != target.id)
    found = (
        refusal
        for item in evidence
        for refusal in _in(item, target)
        if _concerns(target, role, others, item, refusal.denial)
    )
    grouped: dict[tuple[str, str, str], list[Refusal]] = {}
    for refusal in found:
        denial = refusal.denial
        key = (denial.role or denial.principal or role, denial.action.lower(), denial.resource)
        grouped.setdefault(key, []).append(refusal)
    traced = evidence.of(TraceSegment)
    well = bool(traced) and not any(segment.failed for segment in traced)
    real = (_merged(group, well=well) for group in grouped.values() if not _all_of_missing(group))
    return tuple(sorted(real, key=lambda r: (r.first_at, r.denial.action)))


ROLES = frozenset({ResourceType.ROLE, ResourceType.ASSUMED_ROLE})


def _in(item: Evidence, target: Resource) -> Iterator[Refusal]:
    called = item.resource if isinstance(item, TraceCall) and item.resource.startswith("arn:") else ""
    told = False
    for at, text in error_texts(item):
        denials = denials_in(text)
        told = told or bool(denials)
        operation = (item.operation or "") if isinstance(item, TraceCall) else operation_in(text)
        for denial in denials:
            missing = hides_missing_object(denial.action, operation)
            yield Refusal(denial, (item,), at, called=called, operation=operation, of_missing=missing)
        closed = None if denials else key_denial_in(text)
        if closed:
            told = True
            yield Refusal(closed, (item,), at, terse=True)
        elif isinstance(item, LogLines) and not denials and (short := short_denial_in(text)):
            yield Refusal(short, (item,), at, terse=True)
    if isinstance(item, TraceCall) and not told and item.caller == target.id:
        yield from _terse(item, called)


def _terse(call: TraceCall, called: str) -> Iterator[Refusal]:
    """Yield a refusal whose text gives no reason, with the action that the operation needs."""
    if not any(error.code in SHORT_CODES for error in call.errors):
        return
    action = action_of(call.service, call.operation or "")
    if action:
        objects = action.startswith("s3:") and action != "s3:ListBucket" and called
        yield Refusal(
            Denial(action=action, resource=f"{called}/*" if objects else called),
            (call,),
            call.start,
            terse=True,
            called=called,
        )


def _concerns(target: Resource, role: str, others: frozenset[str], item: Evidence, denial: Denial) -> bool:
    """Tell whether a refusal is the target's: of its role, of its own calls, or of a call to it."""
    own_role = bool(role) and denial.role == role
    made_here = isinstance(item, TraceCall) and item.caller == target.id
    seen_here = item.resource == target.id and not isinstance(item, TraceCall)
    if own_role:
        return True
    if target.type is ResourceType.LAMBDA:
        invoked = isinstance(item, TraceCall) and item.resource == target.id
        refused_invoke = invoked and denial.action.lower().startswith("lambda:invoke")
        somebody_elses = denial.session in others
        return refused_invoke or denial.session == target.name or ((made_here or seen_here) and not somebody_elses)
    if target.type in ROLES:
        return False
    return (made_here or seen_here) and (not denial.role or not role)


def _all_of_missing(group: list[Refusal]) -> bool:
    """Tell whether each of the same refusals whose operation is known hides a missing object."""
    known = [refusal for refusal in group if refusal.operation]
    return bool(known) and all(refusal.of_missing for refusal in known)


def _merged(group: list[Refusal], *, well: bool) -> Refusal:
    """Return one refusal for many: the wording that says most, all the evidence, the first time.

    `well`: nothing failed in the trace.
    """
    best = max(group, key=lambda r: (r.denial.policy_type is not None, not r.terse, bool(r.called)))
    evidence: Iterable[Evidence] = (item for refusal in group for item in refusal.evidence)
    return Refusal(
        denial=best.denial,
        evidence=tuple({item.id: item for item in evidence}.values()),
        first_at=min(refusal.first_at for refusal in group),
        count=len(group),
        terse=best.terse,
        called=next((refusal.called for refusal in group if refusal.called), ""),
        lived_with=well and any(isinstance(item, TraceCall) for refusal in group for item in refusal.evidence),
    )
