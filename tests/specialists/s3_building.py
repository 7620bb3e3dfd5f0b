"""Small builders for evidence about one bucket, so that a test shows its situation in a line or two."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.policies import Verdict, policy_of
from specialists.kit.series import MetricSeries, Point
from specialists.s3 import SPECIALIST
from specialists.s3.evidence import (
    BucketPolicy,
    BucketState,
    Destination,
    Encryption,
    Notifications,
    PublicAccess,
    Receiver,
)
from tests.support.probing import WINDOW, case_of, findings

BUCKET = "arn:aws:s3:::invoices-eu"
CALLER = "arn:aws:lambda:eu-west-1:123456789012:function:make-invoice"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail"
OTHER = "arn:aws:lambda:eu-west-1:123456789012:function:virus-scan"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::123456789012:role/invoice-role"
USER = "User: arn:aws:sts::123456789012:assumed-role/invoice-role/make-invoice is not authorized to perform: "


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return WINDOW.start + timedelta(minutes=number)


def bucket(region: str = "eu-west-1", **fields: Any) -> BucketState:
    given = {"resource": BUCKET, "source": "s3:GetBucketLocation", "exists": True, "name": "invoices-eu"}
    return BucketState(**given | {"region": region, "from_region": "eu-west-1"} | fields)


def call(
    code: str = "", message: str = "", operation: str = "GetObject", *, at: float = 18, key: str = "", **fields: Any
) -> TraceCall:
    """A call to the bucket, as boto3 words its errors; failed when a code is given."""
    text = f"An error occurred ({code}) when calling the {operation} operation: {message}"
    given: dict[str, Any] = {
        "resource": BUCKET,
        "source": "xray:BatchGetTraces",
        "trace_id": "1-6b0023b3-a032a49863d6b1fcc92c322d",
        "segment_id": f"{int(at * 60):016x}",
        "caller": CALLER,
        "service": "S3",
        "operation": operation,
        "start": minute(at),
        "errors": (TracedError(type="ClientError", code=code, message=text, remote=True),) if code else (),
        "error": bool(code),
        "fault": bool(code),
        "http_status": 400 if code else 200,
        "attributes": {"key": key} if key else {},
    }
    return TraceCall(**given | fields)


def segment(*errors: tuple[str, str], resource: str = CALLER) -> TraceSegment:
    """The caller's own part of the trace, failed, with (type, message) of its exceptions."""
    return TraceSegment(
        resource=resource,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        name="make-invoice",
        start=minute(18),
        seconds=0.3,
        fault=True,
        errors=tuple(TracedError(type=kind, message=message) for kind, message in errors),
    )


def log(*lines: str) -> LogLines:
    return LogLines(
        resource=BUCKET,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/make-invoice",
        filter="S3 errors",
        events=tuple(LogEvent(at=minute(18), message=line) for line in lines),
    )


def policy(text: str = "") -> BucketPolicy:
    return BucketPolicy(resource=BUCKET, source="s3:GetBucketPolicy", configured=bool(text), policy=policy_of(text))


def block(**on: bool) -> PublicAccess:
    return PublicAccess(resource=BUCKET, source="s3:GetPublicAccessBlock", configured=bool(on), **on)


def encryption(key_id: str = KEY, **fields: Any) -> Encryption:
    algorithm = "aws:kms" if key_id else "AES256"
    given = {"resource": BUCKET, "source": "s3:GetBucketEncryption", "algorithm": algorithm, "key_id": key_id}
    return Encryption(**given | fields)


def key(state: str = "Enabled", **fields: Any) -> KeyState:
    return KeyState(**{"resource": BUCKET, "source": "kms:DescribeKey", "key_arn": KEY, "state": state} | fields)


def notifying(*arns: str, **filters: str) -> Notifications:
    return Notifications(
        resource=BUCKET,
        source="s3:GetBucketNotificationConfiguration",
        destinations=tuple(Destination(arn=arn, events=("s3:ObjectCreated:*",), **filters) for arn in arns),
    )


def receiver(arn: str = FUNCTION, verdict: Verdict = Verdict.ALLOWED, **fields: Any) -> Receiver:
    return Receiver(**{"resource": BUCKET, "source": "lambda:GetPolicy", "arn": arn, "verdict": verdict} | fields)


def runs(function: str = "thumbnail", *, now: float = 0, usual: float = 4) -> MetricSeries:
    """How often a function ran in minute 17, and in each minute of the hour before the window."""
    return series("Invocations", {17: now} if now else {}, usual=usual, namespace="AWS/Lambda", FunctionName=function)


def requests(name: str, count: float, *, usual: float | None = None) -> MetricSeries:
    return series(name, {17: count}, usual=usual, namespace="AWS/S3", BucketName="invoices-eu", FilterId="all")


def series(
    name: str, points: dict[float, float], *, usual: float | None, namespace: str, **dimensions: str
) -> MetricSeries:
    return MetricSeries(
        resource=BUCKET,
        source="cloudwatch:GetMetricData",
        namespace=namespace,
        metric=name,
        dimensions=dimensions,
        statistic="Sum",
        period_seconds=60,
        points=tuple(Point(at=minute(at), value=value) for at, value in sorted(points.items())),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(60, 0, -1)),
    )


def change(name: str, *, at: float = 15, error: tuple[str, str] = ("", ""), **parameters: str) -> Change:
    return Change(
        resource=BUCKET,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="s3.amazonaws.com",
        who="deploy-bot",
        parameters=parameters,
        error_code=error[0] or None,
        error_message=error[1],
    )


def graph(*more: str) -> ServiceGraph:
    """The caller calls the bucket and more buckets."""
    nodes = [resource_from_arn(arn) for arn in (CALLER, BUCKET, *more)]
    return ServiceGraph.of(nodes, [Edge(source=CALLER, target=arn, calls=1) for arn in (BUCKET, *more)])


def case(*evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None) -> Case:
    flat = [item for part in evidence for item in ([part] if isinstance(part, Evidence) else part)]
    return case_of(BUCKET, *flat, graph=around or graph(), specialist="s3")


def judged(*evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None) -> dict[str, Hypothesis]:
    """Return the hypotheses by cause; two of one cause at one resource would be a fault."""
    found = [f for f in findings(SPECIALIST.rules, case(*evidence, around=around)) if isinstance(f, Hypothesis)]
    assert len({f.cause for f in found}) == len(found)
    return {f.cause: f for f in found}


def said(*evidence: Evidence | Iterable[Evidence]) -> list[str]:
    """Return the facts and the advice."""
    found = findings(SPECIALIST.rules, case(*evidence))
    return [f.statement if isinstance(f, Fact) else f.text for f in found if isinstance(f, Fact | Advice)]


def proven(found: dict[str, Hypothesis]) -> set[str]:
    """Return the causes that any evidence states."""
    return {cause for cause, one in found.items() if Strength.PROOF in strengths(one)}


def strengths(one: Hypothesis) -> set[Strength]:
    return {support.strength for support in one.supports}
