"""What the things of a world reported: metrics, logs, traces, alarms, and CloudTrail's record of who changed what."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.aws.alarms import happened
from sandbox.aws.documents import Document, Ids
from sandbox.aws.fixtures.xray import keep
from sandbox.aws.seeds import Metric, Point, Series, TrailEvent
from sandbox.aws.world import World

IAM_EVENTS = "us-east-1"

Reported = float | Mapping[float, float] | None
"""One period of a series: a value, samples (how often each value was reported), or nothing."""


def counted(number: float) -> Mapping[float, float]:
    """Return the samples of a counter: AWS reports 1 for each thing that happened, and 0 when none did."""
    return {1.0: number} if number else {0.0: 1.0}


def outcomes(hits: float, of: float) -> Mapping[float, float]:
    """Return the samples of an error count: 1 for each hit and 0 for each of the others, so the average is the rate."""
    return {value: count for value, count in ((1.0, hits), (0.0, of - hits)) if count}


def metric(
    world: World,
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    values: Iterable[Reported],
    *,
    start: datetime,
    period: int = 60,
    unit: str = "None",
) -> None:
    """Report a series from `start` on, one value a period (seconds); a series that exists is continued."""
    series = world.seeds.metrics.setdefault(Metric(namespace, name, frozenset(dimensions.items())), Series(unit))
    for number, value in enumerate(values):
        if value is not None:
            samples = value if isinstance(value, Mapping) else {float(value): 1.0}
            series.points.append(Point(start.timestamp() + number * period, samples))


def log(world: World, group: str, events: Iterable[tuple[datetime, str]], *, stream: str = "") -> str:
    """Write events (time, message) to a log group; returns its ARN. 10,000 events at most, none older than 14 days."""
    logs = world.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if group not in {found["logGroupName"] for found in groups}:
        logs.create_log_group(logGroupName=group)
    name = stream or f"{world.now:%Y/%m/%d}/[$LATEST]{world.ids.hex(32)}"
    logs.create_log_stream(logGroupName=group, logStreamName=name)
    batch = [
        {"timestamp": round(at.timestamp() * 1000), "message": message}
        for at, message in sorted(events, key=lambda event: event[0])
    ]
    if batch:
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=batch)
    return world.arn("logs", f"log-group:{group}")


def invocation_log(
    ids: Ids,
    at: datetime,
    milliseconds: float,
    *,
    memory: int = 128,
    used: int = 64,
    lines: Sequence[str] = (),
    init: float | None = None,
    trace_id: str = "",
) -> list[tuple[datetime, str]]:
    """Return what one invocation of a function logs: START, its lines, END and REPORT; `init` are ms of a cold start.

    Texts: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
    """
    request = ids.request()
    ended = datetime.fromtimestamp(at.timestamp() + milliseconds / 1000, UTC)
    parts = [
        f"REPORT RequestId: {request}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {int(milliseconds + (init or 0)) + 1} ms",
        f"Memory Size: {memory} MB",
        f"Max Memory Used: {used} MB",
    ]
    if init is not None:
        parts.append(f"Init Duration: {init:.2f} ms")
    report = (
        "\t".join(parts)
        + "\t"
        + (f"\nXRAY TraceId: {trace_id}\tSegmentId: {ids.segment()}\tSampled: true\t\n" if trace_id else "\n")
    )
    own = [(ended, line.replace("{request}", request).replace("{time}", _stamp(ended))) for line in lines]
    return [
        (at, f"START RequestId: {request} Version: $LATEST\n"),
        *own,
        (ended, f"END RequestId: {request}\n"),
        (ended, report),
    ]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def trace(world: World, documents: Iterable[Document], *, over_limit: bool = False) -> str:
    """Send a trace's segments; returns its id. `over_limit` says that X-Ray dropped documents of it."""
    trace_id = ""
    for document in documents:
        trace_id = document["trace_id"]
        keep(world.seeds.traces, json.dumps(document, separators=(",", ":")))
    if over_limit:
        world.seeds.traces.over_limit.add(trace_id)
    return trace_id


def cloudtrail_event(
    world: World,
    name: str,
    source: str,
    resources: Sequence[tuple[str, str]],
    *,
    who: str,
    when: datetime,
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    error: tuple[str, str] | None = None,
    read_only: bool = False,
) -> str:
    """Record a call in CloudTrail; returns the event's id.

    `name` is CloudTrail's ("UpdateFunctionConfiguration20150331v2"), `source` the service's ("lambda"), `resources`
    are (type, name), `who` the session of the role that called, `error` a code and message. IAM's events are recorded
    in one Region, wherever the caller is:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
    """
    ids, region = world.ids, IAM_EVENTS if source == "iam" else world.region
    identity = _session_of(world, who, when)
    event_id = ids.request()
    record = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": _second(when),
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2.31.4",
        **({"errorCode": error[0], "errorMessage": error[1]} if error else {}),
        "requestParameters": request,
        "responseElements": response,
        "requestID": ids.request(),
        "eventID": event_id,
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": world.account,
        "eventCategory": "Management",
    }
    world.aws.seeds(region=region, account=world.account).trail.append(
        TrailEvent(
            event_id,
            name,
            f"{source}.amazonaws.com",
            when.replace(microsecond=0),
            who,
            read_only,
            identity["accessKeyId"],
            tuple(resources),
            record,
        )
    )
    return event_id


def _session_of(world: World, who: str, when: datetime) -> dict[str, Any]:
    """Return the identity of someone who works under the role `deployments`."""
    issuer = {
        "type": "Role",
        "principalId": "AROALOCALDEPLOYMENTS",
        "arn": world.arn("iam", "role/deployments"),
        "accountId": world.account,
        "userName": "deployments",
    }
    attributes = {"creationDate": _second(when), "mfaAuthenticated": "false"}
    return {
        "type": "AssumedRole",
        "principalId": f"AROALOCALDEPLOYMENTS:{who}",
        "arn": f"arn:aws:sts::{world.account}:assumed-role/deployments/{who}",
        "accountId": world.account,
        "accessKeyId": f"ASIA{world.ids.hex(16).upper()}",
        "sessionContext": {"sessionIssuer": issuer, "attributes": attributes},
    }


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def alarm(
    world: World,
    name: str,
    namespace: str,
    metric_name: str,
    dimensions: Mapping[str, str],
    *,
    threshold: float,
    statistic: str = "Sum",
    comparison: str = "GreaterThanThreshold",
    transitions: Sequence[tuple[datetime, str, str]] = (),
) -> str:
    """Make an alarm on a metric; `transitions` are (time, new state, reason), the oldest first, from OK on."""
    client = world.client("cloudwatch")
    dims = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    client.put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName=metric_name,
        Dimensions=dims,
        Statistic=statistic,
        Period=60,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator=comparison,
        TreatMissingData="notBreaching",
    )
    for _, state, reason in transitions:
        client.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)
    happened(world, name, transitions)
    return world.arn("cloudwatch", f"alarm:{name}")
