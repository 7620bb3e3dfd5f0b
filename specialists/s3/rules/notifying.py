"""Notifications: a destination that S3 may not reach, and objects that arrive without anybody being told."""

from collections.abc import Iterator, Sequence

from domain.arn import arns_in
from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import by_whom
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.policies import Verdict
from specialists.kit.series import MetricSeries
from specialists.s3.evidence import Notifications, Receiver
from specialists.s3.metrics import idle, running
from specialists.s3.signs import Reading, read_text, signs

SEES = (TraceCall, TraceSegment, LogLines, Change, Notifications, Receiver, MetricSeries)
PUTS = ("PutBucketNotification", "PutBucketNotificationConfiguration")
WRITING = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})


@rule("s3-notification-invalid-dest", sees=SEES)
def destination_refuses(case: Case) -> Iterator[Finding]:
    """S3 rejects a destination that does not let it in, or a destination that once did refuses it now."""
    stated = signs(case, Reading.DESTINATION)
    rejected = [c for c in case.all(Change) if c.error_code and read_text(c.error_message) is Reading.DESTINATION]
    configured = case.one(Notifications)
    wanted = {one.arn for one in configured.destinations} if configured else set()
    refusing = [one for one in case.all(Receiver) if one.refuses and one.arn in wanted]
    asked = {arn for change in rejected for arn in _destinations(change)}
    named = [one for one in case.all(Receiver) if one.refuses and one.arn in asked]
    still = idle(case, (one.arn for one in refusing))
    told: list[Evidence] = [*cited(stated), *rejected[:3]]
    if not told and not refusing:
        return
    who = f"`{(named or refusing)[0].name}` {_why((named or refusing)[0])}" if named or refusing else "a destination"
    sentence = f"S3 rejects the notifications of `{case.target.name}`: " if told else ""
    ending = " and no longer runs" if still and not told else ""
    yield case.hypothesis(
        "s3-notification-invalid-dest",
        f"{sentence}{who}{ending}" if told else f"{who}, so `{case.target.name}` cannot notify it{ending}",
        proof=(*told, *(refusing if still else ())),
        strong=(*(() if still else (*named, *refusing)), *still),
        since=began(stated) or min((c.observed_at for c in rejected if c.observed_at), default=None),
    )


@rule("s3-notification-missing", sees=SEES)
def nobody_is_notified(case: Case) -> Iterator[Finding]:
    """A function that the bucket may invoke is not in its notifications, or their filters pass the objects by."""
    configured = case.one(Notifications)
    if configured is None:
        return
    wanted = {one.arn for one in configured.destinations}
    puts = [change for change in case.all(Change) if change.took_effect and change.event_name in PUTS]
    puts.sort(key=lambda change: (change.observed_at.timestamp() if change.observed_at else 0.0, change.id))
    lost = [arn for arn in dict.fromkeys(arn for put in puts[:-1] for arn in _destinations(put)) if arn not in wanted]
    allowed = [one for one in case.all(Receiver) if one.verdict is Verdict.ALLOWED and one.arn not in wanted]
    left_out = list(dict.fromkeys((*lost, *(one.arn for one in allowed))))
    if left_out:
        still, last = idle(case, left_out), puts[-1:]
        names = ", ".join(f"`{arn.rsplit(':', 1)[-1]}`" for arn in left_out[:3])
        decides = bool(still and (last or allowed))
        # A permission may be a left-over: something else runs the function.
        silent = [one for one in allowed if not running(case, one.arn)]
        yield case.hypothesis(
            "s3-notification-missing",
            f"{names} may be notified by `{case.target.name}` but is not among its destinations"
            f"{' and no longer runs' if still else ''}{by_whom(last)}",
            proof=(configured, *last) if decides else (),
            strong=(*still, *allowed[:3]) if decides else (*last, *silent[:3], *([configured] if lost else [])),
            weak=() if decides or lost else [configured, *(one for one in allowed[:3] if one not in silent)],
            since=last[0].observed_at if last else None,
        )
    else:
        yield from _passed_by(case, configured)


def _passed_by(case: Case, configured: Notifications) -> Iterator[Finding]:
    """Name the filters when the trace's new objects fit none of them."""
    created = [one for one in configured.destinations if any("ObjectCreated" in event for event in one.events)]
    written = [c for c in case.calls_to(failed=False) if c.operation in WRITING and c.attributes.get("key")]
    passed = [c for c in written if created and not any(one.takes(c.attributes["key"]) for one in created)]
    if not passed:
        return
    still = idle(case, (one.arn for one in created))
    filters = ", ".join(f"`{one.prefix}*{one.suffix}`" for one in created[:3])
    yield case.hypothesis(
        "s3-notification-missing",
        f"`{passed[0].attributes['key'][:120]}` of `{case.target.name}` fits no notification's filter ({filters})"
        f"{', and its function no longer runs' if still else ''}",
        strong=(*passed[:3], configured, *still) if still else (),
        weak=() if still else (*passed[:3], configured),
        since=passed[0].start,
    )


def _destinations(change: Change) -> Sequence[str]:
    """Return the functions, queues and topics that a PutBucketNotification named."""
    found = (arn for value in change.parameters.values() for arn in arns_in(value))
    return [arn for arn in found if any(f":{service}:" in arn for service in ("lambda", "sqs", "sns"))]


def _why(receiver: Receiver) -> str:
    if not receiver.exists:
        return "does not exist"
    verb = "explicitly denies S3" if receiver.verdict is Verdict.DENIED else "does not let S3 in"
    return f"{verb} by its policy"


RULES: tuple[Rule, ...] = (destination_refuses, nobody_is_notified)
