"""Small builders for evidence about one topic, so that a test shows its situation in a line or two."""

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
from specialists.sns import SPECIALIST
from specialists.sns.evidence import (
    AlarmAction,
    DeliveryFailure,
    DeliveryFailures,
    Endpoint,
    KeyPolicy,
    Subscriber,
    Subscriptions,
    SubscriptionSettings,
    TopicState,
)
from tests.support.probing import WINDOW, case_of, findings

TOPIC = "arn:aws:sns:eu-west-1:123456789012:order-events"
CALLER = "arn:aws:lambda:eu-west-1:123456789012:function:publisher"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:invoices"
DLQ = "arn:aws:sqs:eu-west-1:123456789012:lost-events"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:mailer"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::123456789012:role/publisher-role"
USER = "User: arn:aws:sts::123456789012:assumed-role/publisher-role/publisher is not authorized to perform: "
DENIED = f"{USER}SNS:Publish on resource: {TOPIC}"


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start (09:36 UTC)."""
    return WINDOW.start + timedelta(minutes=number)


def topic(policy: str = "", **fields: Any) -> TopicState:
    given = {"resource": TOPIC, "source": "sns:GetTopicAttributes", "exists": True, "name": "order-events"}
    return TopicState(**given | {"policy": policy_of(policy)} | fields)


def call(code: str = "", message: str = "", *, at: float = 18, **fields: Any) -> TraceCall:
    """A Publish to the topic; failed when a code is given."""
    given: dict[str, Any] = {
        "resource": TOPIC,
        "source": "xray:BatchGetTraces",
        "trace_id": "1-6b0023b3-a032a49863d6b1fcc92c322d",
        "segment_id": f"{int(at * 60):016x}",
        "caller": CALLER,
        "service": "SNS",
        "operation": "Publish",
        "start": minute(at),
        "errors": (TracedError(type=code, code=code, message=message, remote=True),) if code else (),
        "error": bool(code),
        "fault": bool(code),
        "http_status": 400 if code else 200,
    }
    return TraceCall(**given | fields)


def segment(kind: str, message: str) -> TraceSegment:
    """The publisher's own part of the trace, failed with this exception."""
    return TraceSegment(
        resource=CALLER,
        source="xray:BatchGetTraces",
        trace_id="1-6b0023b3-a032a49863d6b1fcc92c322d",
        segment_id="192b31d5a743248f",
        name="publisher",
        start=minute(18),
        seconds=0.3,
        fault=True,
        errors=(TracedError(type=kind, message=message),),
    )


def log(*lines: str) -> LogLines:
    return LogLines(
        resource=TOPIC,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/publisher",
        filter="SNS errors",
        events=tuple(LogEvent(at=minute(18), message=line) for line in lines),
    )


def metric(name: str, points: dict[float, float] | None = None, *, usual: float | None = None) -> MetricSeries:
    """A count with values at minutes of the window, and `usual` in each minute of the hour before it."""
    return MetricSeries(
        resource=TOPIC,
        source="cloudwatch:GetMetricData",
        namespace="AWS/SNS",
        metric=name,
        dimensions={"TopicName": "order-events"},
        statistic="Sum",
        period_seconds=60,
        points=tuple(Point(at=minute(at), value=value) for at, value in sorted((points or {}).items())),
        baseline=() if usual is None else tuple(Point(at=minute(-m), value=usual) for m in range(60, 0, -1)),
    )


def flow(published: float = 40, delivered: float = 40, filtered: float = 0, failed: float = 0) -> list[MetricSeries]:
    """What happened to the messages of minute 17."""
    counts = {
        "NumberOfMessagesPublished": published,
        "NumberOfNotificationsDelivered": delivered,
        "NumberOfNotificationsFilteredOut": filtered,
        "NumberOfNotificationsFailed": failed,
    }
    return [metric(name, {17: count} if count else {}) for name, count in counts.items()]


def subscriber(protocol: str = "sqs", endpoint: str = QUEUE, *, confirmed: bool = True) -> Subscriber:
    arn = f"{TOPIC}:{abs(hash((protocol, endpoint))):036x}" if confirmed else ""
    return Subscriber(arn=arn, protocol=protocol, endpoint=endpoint, confirmed=confirmed)


PENDING = subscriber("https", "hooks.example.com", confirmed=False)


def listed(*subscribers: Subscriber, **fields: Any) -> Subscriptions:
    given = {"resource": TOPIC, "source": "sns:ListSubscriptionsByTopic", "subscribers": subscribers}
    return Subscriptions(**given | fields)


def filtering(*keys: str, dlq: str = "", **fields: Any) -> SubscriptionSettings:
    text = "{" + ", ".join(f'"{key}": ["x"]' for key in keys) + "}" if keys else ""
    given: dict[str, Any] = {
        "resource": TOPIC,
        "source": "sns:GetSubscriptionAttributes",
        "subscription": f"{TOPIC}:1",
        "subscriber": subscriber(),
        "filter_policy": text,
        "filter_keys": keys,
        "dead_letter_arn": dlq,
    }
    return SubscriptionSettings(**given | fields)


def endpoint(arn: str = QUEUE, verdict: Verdict = Verdict.ALLOWED, **fields: Any) -> Endpoint:
    given = {"resource": TOPIC, "source": "sqs:GetQueueAttributes", "arn": arn, "verdict": verdict}
    return Endpoint(**given | fields)


def refused(status: int, response: str, destination: str = QUEUE, *, logged: bool = True) -> DeliveryFailures:
    failure = DeliveryFailure(at=minute(17), destination=destination, status=status, response=response)
    return DeliveryFailures(
        resource=TOPIC, source="logs:FilterLogEvents", log_group="sns/x/Failure", logged=logged, failures=(failure,)
    )


def key(state: str = "Enabled", **fields: Any) -> KeyState:
    return KeyState(**{"resource": TOPIC, "source": "kms:DescribeKey", "key_arn": KEY, "state": state} | fields)


def key_policy(**verdicts: Verdict) -> KeyPolicy:
    named = {f"{service}.amazonaws.com": verdict for service, verdict in verdicts.items()}
    return KeyPolicy(resource=TOPIC, source="kms:GetKeyPolicy", key_arn=KEY, verdicts=named)


def alarm(error: str = "") -> AlarmAction:
    text = f"Failed to execute action {TOPIC}. Received error: {error}" if error else f"Successfully executed {TOPIC}"
    return AlarmAction(
        resource=TOPIC,
        source="cloudwatch:DescribeAlarmHistory",
        observed_at=minute(17),
        alarm="orders-5xx",
        succeeded=not error,
        text=text,
    )


def change(name: str, *, at: float = 15, error: str = "", **parameters: str) -> Change:
    return Change(
        resource=TOPIC,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="sns.amazonaws.com",
        who="deploy-bot",
        parameters=parameters,
        error_code=error or None,
    )


def graph(*more: str) -> ServiceGraph:
    """The publisher calls the topic; others are looked at as well."""
    return ServiceGraph.of(map(resource_from_arn, (CALLER, TOPIC, *more)), [Edge(source=CALLER, target=TOPIC, calls=1)])


def case(*evidence: Evidence | Iterable[Evidence], around: ServiceGraph | None = None) -> Case:
    flat = [item for part in evidence for item in ([part] if isinstance(part, Evidence) else part)]
    return case_of(TOPIC, *flat, graph=around or graph(), specialist="sns")


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
    return {cause for cause, one in found.items() if any(s.strength is Strength.PROOF for s in one.supports)}
