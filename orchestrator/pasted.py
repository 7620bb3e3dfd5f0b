"""Pasted JSON: SNS envelopes, CloudWatch alarms, EventBridge events, and the structured inputs of older tools."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.request import Target
from domain.values import utc
from domain.window import Window

ALARM_BEFORE, ALARM_AFTER = timedelta(minutes=15), timedelta(minutes=10)
MAX_DEPTH = 12


class Pasted(NamedTuple):
    """What a pasted object says; `texts` are all its strings, for ids and ARNs that stand anywhere in it."""

    is_json: bool = False
    texts: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    error_messages: tuple[str, ...] = ()
    window: Window | None = None
    region: str | None = None
    account: str | None = None


DIMENSIONS: dict[tuple[str, str], str] = {
    ("AWS/Lambda", "FunctionName"): "lambda",
    ("AWS/DynamoDB", "TableName"): "dynamodb",
    ("AWS/ApiGateway", "ApiName"): "apigateway",
    ("AWS/ApiGateway", "ApiId"): "apigateway",
    ("AWS/SQS", "QueueName"): "sqs",
    ("AWS/SNS", "TopicName"): "sns",
    ("AWS/States", "StateMachineArn"): "stepfunctions",
    ("AWS/Events", "RuleName"): "eventbridge",
    ("AWS/S3", "BucketName"): "s3",
}
"""Which resource a metric's dimension names, by namespace."""

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


def read_pasted(text: str) -> Pasted:
    """Read pasted JSON of any known shape; text that is no JSON object gives an empty answer, never an error."""
    data = _object(text)
    if data is None:
        return Pasted()
    texts = tuple(_strings(data))
    for fits, reader in SHAPES:
        if fits(data):
            return reader(data)._replace(is_json=True, texts=texts)
    return Pasted(is_json=True, texts=texts)


def _object(text: str) -> dict[str, Any] | None:
    """Find the JSON object in the text, possibly after a word or two, possibly inside an SNS envelope."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        data, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    message = data.get("Message")
    if isinstance(message, str) and ("Type" in data or "TopicArn" in data):
        return _object(message) or data
    return data


def _strings(value: Any, depth: int = MAX_DEPTH) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value:
            yield from _strings(inner, depth - 1)


def _block(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return an inner object, or an empty one where there is none."""
    inner = data.get(key)
    return inner if isinstance(inner, dict) else {}


def _around(moment: str | None) -> Window | None:
    try:
        at = utc(datetime.fromisoformat(str(moment)))
    except ValueError:
        return None
    return Window.around(at, at, before=ALARM_BEFORE, after=ALARM_AFTER)


def _dimension_targets(namespace: str, dimensions: dict[str, str]) -> tuple[Target, ...]:
    pairs = ((DIMENSIONS.get((namespace, name)), value) for name, value in dimensions.items())
    return tuple(Target(service=service, name=value) for service, value in pairs if service)


def _sns_alarm(data: dict[str, Any]) -> Pasted:
    """CloudWatch's SNS message: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-and-email.html."""
    trigger = _block(data, "Trigger")
    dimensions = {
        str(d.get("name")): str(d.get("value")) for d in trigger.get("Dimensions") or [] if isinstance(d, dict)
    }
    arn = str(data.get("AlarmArn", "")).split(":")
    return Pasted(
        targets=_dimension_targets(str(trigger.get("Namespace", "")), dimensions)
        or (Target(service="alarm", name=str(data["AlarmName"])),),
        window=_around(data.get("StateChangeTime")),
        region=arn[3] if len(arn) > 3 else None,
        account=data.get("AWSAccountId"),
    )


def _alarm_event(data: dict[str, Any]) -> Pasted:
    """EventBridge's alarm event: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html."""
    detail = _block(data, "detail")
    metrics = _block(detail, "configuration").get("metrics") or []
    found: list[Target] = []
    for entry in metrics:
        metric = ((entry or {}).get("metricStat") or {}).get("metric") or {}
        found.extend(_dimension_targets(str(metric.get("namespace", "")), metric.get("dimensions") or {}))
    return Pasted(
        targets=tuple(found) or (Target(service="alarm", name=str(detail.get("alarmName", ""))),),
        window=_around(_block(detail, "state").get("timestamp") or data.get("time")),
        region=data.get("region"),
        account=data.get("account"),
    )


def _incident(data: dict[str, Any]) -> Pasted:
    """An `opx.incidents` event: `detail{incidentId,evidenceId,service,severity,timeWindow}`."""
    detail = _block(data, "detail")
    frame = _block(detail, "timeWindow")
    window = None
    try:
        window = Window(
            start=utc(datetime.fromisoformat(str(frame.get("start")))),
            end=utc(datetime.fromisoformat(str(frame.get("end")))),
        )
    except ValueError:
        window = _around(data.get("time"))
    service = str(detail.get("service", ""))
    return Pasted(
        targets=(Target(service="", name=service),) if service else (),
        window=window,
        region=data.get("region"),
        account=data.get("account"),
    )


def _structured(data: dict[str, Any]) -> Pasted:
    """Structured and legacy inputs: primary_targets, trace_ids, error_messages; function_name, xray_trace_id."""
    inputs = _block(data, "investigation_inputs") or data
    found = [
        Target(service=TYPES.get(str(t.get("type", "")).lower(), ""), name=str(t["name"]))
        for t in inputs.get("primary_targets") or []
        if isinstance(t, dict) and t.get("name") and not str(t.get("arn") or "").startswith("arn:")
    ]
    if inputs.get("function_name"):
        found.append(Target(service="lambda", name=str(inputs["function_name"])))
    regions = [str(t["region"]) for t in inputs.get("primary_targets") or [] if isinstance(t, dict) and t.get("region")]
    return Pasted(
        targets=tuple(found),
        error_messages=tuple(str(m)[:2000] for m in inputs.get("error_messages") or []),
        region=inputs.get("region") or next(iter(regions), None),
    )


SHAPES: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Pasted]], ...] = (
    (lambda d: "AlarmName" in d and "NewStateValue" in d, _sns_alarm),
    (lambda d: d.get("detail-type") == "CloudWatch Alarm State Change", _alarm_event),
    (lambda d: d.get("source") == "opx.incidents", _incident),
    (
        lambda d: bool(
            {"investigation_inputs", "primary_targets", "trace_ids", "error_messages", "function_name", "xray_trace_id"}
            & d.keys()
        ),
        _structured,
    ),
)
"""Which shape an object has, and who reads it; an object of no known shape is searched for ids and ARNs only."""
