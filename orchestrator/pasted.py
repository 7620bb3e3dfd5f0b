"""Pasted JSON: SNS envelopes, CloudWatch alarms, EventBridge events, and the structured inputs of older tools."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from domain.alarm import AlarmReference, AlarmState
from domain.request import Target
from domain.window import Window
from orchestrator.dimensions import targets_of
from orchestrator.texts import first_object
from orchestrator.when import iso_time

AROUND_BEFORE, AROUND_AFTER = timedelta(minutes=15), timedelta(minutes=10)
MAX_DEPTH = 12


class Pasted(NamedTuple):
    """What a pasted object says.

    `texts` are all its strings, for ids and ARNs that stand anywhere in it; `outside` is what people wrote in words:
    the text around the object, or all of a text that holds none.
    """

    is_json: bool = False
    texts: tuple[str, ...] = ()
    outside: str = ""
    targets: tuple[Target, ...] = ()
    error_messages: tuple[str, ...] = ()
    window: Window | None = None
    alarm: AlarmReference | None = None
    region: str | None = None
    account: str | None = None


TYPES: dict[str, str] = {
    "lambda": "lambda",
    "lambda_function": "lambda",
    "aws::lambda::function": "lambda",
    "apigateway": "apigateway",
    "api_gateway": "apigateway",
    "aws::apigateway::restapi": "apigateway",
    "stepfunctions": "stepfunctions",
    "step_functions": "stepfunctions",
    "aws::states::statemachine": "stepfunctions",
    "aws::stepfunctions::statemachine": "stepfunctions",
    "iam": "iam",
    "iam_role": "iam",
    "aws::iam::role": "iam",
    "dynamodb": "dynamodb",
    "dynamodb_table": "dynamodb",
    "aws::dynamodb::table": "dynamodb",
    "s3": "s3",
    "s3_bucket": "s3",
    "aws::s3::bucket": "s3",
    "sqs": "sqs",
    "sqs_queue": "sqs",
    "aws::sqs::queue": "sqs",
    "sns": "sns",
    "sns_topic": "sns",
    "aws::sns::topic": "sns",
    "eventbridge": "eventbridge",
    "events": "eventbridge",
    "aws::events::rule": "eventbridge",
    "vpc": "vpc",
    "ec2": "vpc",
    "aws::ec2::vpc": "vpc",
}
"""The resource types of structured inputs, by the specialist that knows them."""


NOT_SUBJECTS = frozenset({"AlarmActions", "OKActions", "InsufficientDataActions"})
"""Keys whose ARNs say who is told of an alarm, not what it is about."""

REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{1,16}){1,3}-[0-9]{1,2}")
ACCOUNT = re.compile(r"[0-9]{12}")


def read_pasted(text: str) -> Pasted:
    """Read pasted JSON of any known shape; text that holds no JSON object is all `outside`, never an error."""
    found = first_object(text)
    if found is None:
        return Pasted(outside=text)
    data, outside = _opened(found[0]), found[1]
    reader = next((read for fits, read in SHAPES if fits(data)), lambda _: Pasted())
    said = reader(data)
    return said._replace(is_json=True, texts=tuple(_strings(data)), outside=f"{outside} {said.outside}".strip())


def _opened(data: dict[str, Any]) -> dict[str, Any]:
    """Take the message out of an SNS envelope."""
    message = data.get("Message")
    if not isinstance(message, str) or not {"Type", "TopicArn"} & data.keys():
        return data
    inner = first_object(message)
    return inner[0] if inner else {"Message": message}


def _strings(value: Any, depth: int = MAX_DEPTH) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict):
        for key, inner in value.items():
            if key not in NOT_SUBJECTS:
                yield from _strings(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _strings(inner, depth - 1)


def _block(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return an inner object, or an empty one where there is none."""
    inner = data.get(key)
    return inner if isinstance(inner, dict) else {}


def _blocks(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the objects of an inner list."""
    inner = data.get(key)
    return [item for item in inner if isinstance(item, dict)] if isinstance(inner, list) else []


def _text(value: Any) -> str:
    """Return a text of a length that names have, or an empty one."""
    return value.strip()[:256] if isinstance(value, str) else ""


def _target(service: str, name: Any) -> tuple[Target, ...]:
    return (Target(service=service, name=_text(name)),) if _text(name) else ()


def _region(value: Any) -> str | None:
    return value if isinstance(value, str) and REGION.fullmatch(value) else None


def _account(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and ACCOUNT.fullmatch(str(value)) else None


def _around(moment: Any) -> Window | None:
    at = iso_time(moment)
    return Window.around(at, at, before=AROUND_BEFORE, after=AROUND_AFTER) if at else None


class _Metric(NamedTuple):
    """A metric that an alarm's message names."""

    namespace: str
    name: str
    dimensions: dict[str, str]


def _sns_alarm(data: dict[str, Any]) -> Pasted:
    """CloudWatch's SNS message: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-and-email.html."""
    trigger = _block(data, "Trigger")
    blocks = [trigger, *(_block(_block(m, "MetricStat"), "Metric") for m in _blocks(trigger, "Metrics"))]
    metrics = [
        _Metric(
            _text(block.get("Namespace")),
            _text(block.get("MetricName")),
            {_text(d.get("name")): _text(d.get("value")) for d in _blocks(block, "Dimensions")},
        )
        for block in blocks
    ]
    arn = _text(data.get("AlarmArn")).split(":")
    return _alarm(
        metrics,
        name=_text(data.get("AlarmName")),
        state=data.get("NewStateValue"),
        at=data.get("StateChangeTime"),
        previous=_state(data.get("OldStateValue")),
        reason=data.get("NewStateReason"),
        description=data.get("AlarmDescription"),
        region=_region(arn[3]) if len(arn) > 3 else None,
        account=_account(data.get("AWSAccountId")),
        told_by="SNS message",
    )


def _alarm_event(data: dict[str, Any]) -> Pasted:
    """EventBridge's alarm event, and the like that an alarm invokes a Lambda function with.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    detail = _block(data, "detail") or _block(data, "alarmData")
    configuration, state = _block(detail, "configuration"), _block(detail, "state")
    blocks = [_block(_block(m, "metricStat"), "metric") for m in _blocks(configuration, "metrics")]
    metrics = [
        _Metric(
            _text(block.get("namespace")),
            _text(block.get("name")),
            {_text(name): _text(value) for name, value in _block(block, "dimensions").items()},
        )
        for block in blocks
    ]
    return _alarm(
        metrics,
        name=_text(detail.get("alarmName")),
        state=state.get("value"),
        at=state.get("timestamp") or data.get("time"),
        previous=_state(_block(detail, "previousState").get("value")),
        reason=state.get("reason"),
        description=configuration.get("description"),
        region=_region(data.get("region")),
        account=_account(data.get("account") or data.get("accountId")),
        told_by="EventBridge event",
    )


def _alarm(metrics: list[_Metric], *, name: str, state: Any, at: Any, **told: Any) -> Pasted:
    """Return what an alarm's message tells: the alarm, and the resources of all its metrics.

    A message that names no state is about an alarm that rang.
    """
    first = next((m for m in metrics if m.namespace and m.name), None)
    words = {key: _text_of_any_length(told.pop(key)) for key in ("reason", "description")}
    reference = AlarmReference(
        name=name,
        state=_state(state) or AlarmState.ALARM,
        at=iso_time(at),
        namespace=first.namespace if first else None,
        metric=first.name if first else None,
        dimensions=first.dimensions if first else {},
        **words,
        **told,
    )
    return Pasted(
        targets=tuple(t for m in metrics for t in targets_of(m.namespace, m.dimensions)),
        alarm=reference if name else None,
        region=reference.region,
        account=reference.account,
    )


def _state(value: Any) -> AlarmState | None:
    return AlarmState(value) if isinstance(value, str) and value in frozenset(AlarmState) else None


def _incident(data: dict[str, Any]) -> Pasted:
    """An `opx.incidents` event: `detail{incidentId,evidenceId,service,severity,timeWindow}`, perhaps an alarm's name.

    Fields that are not known here are searched for ids and ARNs like those of any other object.
    """
    detail = _block(data, "detail")
    frame = _block(detail, "timeWindow")
    start, end = iso_time(frame.get("start")), iso_time(frame.get("end"))
    said = _alarm(
        [],
        name=_text(detail.get("alarmName")),
        state=None,
        at=data.get("time"),
        reason="",
        description="",
        region=_region(data.get("region")),
        account=_account(data.get("account")),
        told_by="incident event",
    )
    framed = Window(start=start, end=end) if start and end and start < end else None
    around = None if said.alarm else _around(data.get("time"))
    return said._replace(targets=_target("", detail.get("service")), window=framed or around)


def _structured(data: dict[str, Any]) -> Pasted:
    """Structured and legacy inputs: primary_targets, trace_ids, error_messages; function_name, xray_trace_id; words."""
    inner = data.get("investigation_inputs")
    inputs = inner if isinstance(inner, dict) else data
    targets = _blocks(inputs, "primary_targets")
    named = [
        target
        for t in targets
        if not _text(t.get("arn")).startswith("arn:")
        for target in _target(TYPES.get(_text(t.get("type")).lower(), ""), t.get("name"))
    ]
    errors = inputs.get("error_messages")
    regions = (found for value in (inputs, *targets) if (found := _region(value.get("region"))))
    return Pasted(
        outside=_text_of_any_length(inner) or _text_of_any_length(inputs.get("free_text_input")),
        targets=(*named, *_target("lambda", inputs.get("function_name"))),
        error_messages=tuple(
            m[:2000] for m in (errors if isinstance(errors, list) else [errors]) if isinstance(m, str) and m
        ),
        region=next(regions, None),
    )


def _text_of_any_length(value: Any) -> str:
    return value if isinstance(value, str) else ""


SHAPES: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Pasted]], ...] = (
    (lambda d: "AlarmName" in d and "NewStateValue" in d, _sns_alarm),
    (lambda d: d.get("detail-type") == "CloudWatch Alarm State Change" or "alarmData" in d, _alarm_event),
    (lambda d: d.get("source") == "opx.incidents", _incident),
    (
        lambda d: bool(
            {
                "investigation_inputs",
                "primary_targets",
                "trace_ids",
                "error_messages",
                "function_name",
                "xray_trace_id",
                "free_text_input",
            }
            & d.keys()
        ),
        _structured,
    ),
)
"""Which shape an object has, and who reads it; an object of no known shape is searched for ids and ARNs only."""
