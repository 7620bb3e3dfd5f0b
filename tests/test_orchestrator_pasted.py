"""Pasted JSON: alarms in every envelope, incident events, and the inputs of older tools."""

import html
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.alarm import AlarmReference, AlarmState
from domain.request import Request, Target
from orchestrator.dimensions import targets_of
from orchestrator.parse import parse

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ID = "1-6740a1b2-1234567890abcdef12345678"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders"

ALARM: dict[str, Any] = {
    "AlarmName": "orders-depth",
    "AlarmDescription": "Too many messages",
    "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM",
    "NewStateReason": "1 datapoint was greater than the threshold (1 datapoint for OK -> ALARM transition).",
    "StateChangeTime": "2026-11-20T09:36:35.649+0000",
    "Region": "Asia Pacific (Sydney)",
    "AlarmArn": "arn:aws:cloudwatch:ap-southeast-2:123456789012:alarm:orders-depth",
    "OKActions": ["arn:aws:sns:ap-southeast-2:123456789012:on-call"],
    "AlarmActions": ["arn:aws:sns:ap-southeast-2:123456789012:on-call"],
    "Trigger": {
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Namespace": "AWS/SQS",
        "Dimensions": [{"value": "orders", "name": "QueueName"}],
    },
}
ENVELOPE = {
    "Type": "Notification",
    "TopicArn": "arn:aws:sns:ap-southeast-2:123456789012:on-call",
    "Message": json.dumps(ALARM),
    "UnsubscribeURL": "https://sns.ap-southeast-2.amazonaws.com/?SubscriptionArn=arn:aws:sns:ap-southeast-2:123456789012:on-call:1",
}


def read(pasted: Any) -> Request:
    return parse(pasted if isinstance(pasted, str) else json.dumps(pasted), now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ALARM),
        json.dumps(ALARM, indent=2),
        html.escape(json.dumps(ALARM), quote=False),
        html.escape(json.dumps(ALARM)),
        f"```{json.dumps(ALARM)}```",
        f"look at this: {json.dumps(ALARM)} please",
        f"{{not json}} {json.dumps(ALARM)}",
        json.dumps(ENVELOPE),
    ],
)
def test_an_alarm_names_its_resource_time_region_and_account(text: str) -> None:
    asked = read(text)

    assert asked.targets == (Target(service="sqs", name="orders"),)
    assert (asked.region, asked.account) == ("ap-southeast-2", "123456789012")
    assert asked.alarm == AlarmReference(
        name="orders-depth",
        state=AlarmState.ALARM,
        region="ap-southeast-2",
        account="123456789012",
        at=datetime(2026, 11, 20, 9, 36, 35, 649000, tzinfo=UTC),
        reason=ALARM["NewStateReason"],
        description="Too many messages",
        namespace="AWS/SQS",
        metric="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": "orders"},
        told_by="SNS message",
    )


def test_the_window_is_the_alarms_unless_the_words_name_one() -> None:
    assert read(ALARM).window is None
    assert read(f"{json.dumps(ALARM)} last 2 hours").window is not None


@pytest.mark.parametrize("state", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_the_state_of_a_pasted_alarm_is_kept(state: str) -> None:
    alarm = read({**ALARM, "NewStateValue": state}).alarm

    assert alarm is not None
    assert alarm.state == state


@pytest.mark.parametrize("state", [None, "RINGING", ["ALARM"], {"value": "ALARM"}])
def test_a_pasted_alarm_without_a_state_that_there_is_has_rung(state: Any) -> None:
    alarm = read({**ALARM, "NewStateValue": state}).alarm

    assert alarm is not None
    assert alarm.state is AlarmState.ALARM


@pytest.mark.parametrize("pasted", [ALARM, ENVELOPE])
def test_who_is_told_of_an_alarm_is_not_investigated(pasted: dict[str, Any]) -> None:
    assert [r.id for r in read(pasted).resources] == [ALARM["AlarmArn"]]


def test_the_recorded_alarm_post_is_read() -> None:
    path = Path(__file__).parent / "data" / "alarm_posts" / "11_raw_alarm_json_in_text.json"
    post = json.loads(path.read_text())

    assert read(post["as_event"]["event"]["text"]).targets == (Target(service="sqs", name="my-sqs-queue"),)


def test_a_metric_math_alarm_names_the_resources_of_its_metrics() -> None:
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"name": "FunctionName", "value": "f"}]}
    trigger = {"Metrics": [{"Id": "e1", "Expression": "m1/m2"}, {"Id": "m1", "MetricStat": {"Metric": metric}}]}

    assert read({**ALARM, "Trigger": trigger}).targets == (Target(service="lambda", name="f"),)


def test_an_alarm_on_a_custom_metric_is_asked_for_by_its_name() -> None:
    asked = read({**ALARM, "Trigger": {"Namespace": "Shop"}})

    assert asked.targets == ()
    assert asked.alarm is not None
    assert asked.alarm.name == "orders-depth"


DETAIL = {
    "alarmName": "orders-5xx",
    "state": {"value": "ALARM", "timestamp": "2026-11-20T09:36:15.490+0000", "reason": "Threshold Crossed"},
    "configuration": {
        "metrics": [
            {"metricStat": {"metric": {"namespace": "AWS/ApiGateway", "name": "5XXError", "dimensions": {"ApiName": "orders", "Stage": "prod"}}}}
        ]
    },
}  # fmt: skip
EVENT = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "account": "123456789012",
    "region": "us-east-1",
    "time": "2026-11-20T09:40:00Z",
    "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders-5xx"],
    "detail": DETAIL,
}
INVOCATION = {
    "source": "aws.cloudwatch",
    "alarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:orders-5xx",
    "accountId": "123456789012",
    "region": "us-east-1",
    "time": "2026-11-20T09:40:00Z",
    "alarmData": DETAIL,
}


@pytest.mark.parametrize("event", [EVENT, INVOCATION], ids=["eventbridge", "lambda action"])
def test_an_alarm_event_names_its_alarm_and_its_resource(event: dict[str, Any]) -> None:
    asked = read(event)

    assert asked.targets == (Target(service="apigateway", name="orders"),)
    assert (asked.region, asked.account) == ("us-east-1", "123456789012")
    assert asked.alarm is not None
    assert (asked.alarm.name, asked.alarm.metric, asked.alarm.reason) == ("orders-5xx", "5XXError", "Threshold Crossed")
    assert asked.alarm.at == datetime(2026, 11, 20, 9, 36, 15, 490000, tzinfo=UTC)


def test_all_metrics_of_an_alarm_event_are_asked_about() -> None:
    metrics = [
        {"expression": "m1 / m2"},
        {"metricStat": {"metric": {"namespace": "AWS/SQS", "name": "A", "dimensions": {"QueueName": "q"}}}},
        {"metricStat": {"metric": {"namespace": "AWS/SNS", "name": "B", "dimensions": {"TopicName": "t"}}}},
    ]
    asked = read({**EVENT, "detail": {**DETAIL, "configuration": {"metrics": metrics}}})

    assert [(t.service, t.name) for t in asked.targets] == [("sqs", "q"), ("sns", "t")]


DIMENSIONS: list[tuple[str, dict[str, str], list[tuple[str, str]]]] = [
    ("AWS/Lambda", {"FunctionName": "f", "Resource": "f:live"}, [("lambda", "f:live")]),
    ("AWS/Lambda", {"EventSourceMappingUUID": "u"}, [("mapping", "u")]),
    ("AWS/DynamoDB", {"TableName": "t", "Operation": "PutItem"}, [("dynamodb", "t")]),
    ("AWS/DynamoDB", {"TableName": "t", "GlobalSecondaryIndexName": "i"}, [("dynamodb", "t/index/i")]),
    ("AWS/ApiGateway", {"ApiName": "a", "Stage": "prod"}, [("apigateway", "a")]),
    ("AWS/ApiGateway", {"ApiId": "a1"}, [("apigateway", "a1")]),
    ("AWS/Events", {"RuleName": "r"}, [("eventbridge", "r")]),
    ("AWS/Events", {"RuleName": "r", "EventBusName": "b"}, [("eventbridge", "b/r")]),
    ("AWS/Events", {"EventBusName": "b"}, [("bus", "b")]),
    ("AWS/S3", {"BucketName": "b", "FilterId": "all"}, [("s3", "b")]),
    ("AWS/NATGateway", {"NatGatewayId": "nat-1"}, [("vpc", "nat-1")]),
    ("AWS/PrivateLinkEndpoints", {"VPC Endpoint Id": "vpce-1", "VPC Id": "vpc-1"}, [("vpc", "vpce-1")]),
    ("AWS/Kinesis", {"StreamName": "s"}, [("kinesis", "s")]),
    ("AWS/States", {"StateMachineArn": "arn:m"}, [("stepfunctions", "arn:m")]),
    ("AWS/States", {"LambdaFunctionArn": "arn:f"}, [("arn", "arn:f")]),
    ("Shop", {"FunctionName": "f"}, []),
    ("AWS/Lambda", {}, []),
    ("AWS/Lambda", {"FunctionName": ""}, []),
]


@pytest.mark.parametrize(("namespace", "dimensions", "named"), DIMENSIONS)
def test_a_metrics_dimensions_name_its_resource(
    namespace: str, dimensions: dict[str, str], named: list[tuple[str, str]]
) -> None:
    assert [(t.service, t.name) for t in targets_of(namespace, dimensions)] == named


INCIDENT: dict[str, Any] = {
    "source": "opx.incidents",
    "detail-type": "IncidentCreated",
    "time": "2026-11-20T09:58:00Z",
    "region": "eu-west-1",
    "account": "123456789012",
    "detail": {
        "incidentId": "test-incident-123",
        "evidenceId": "test-evidence-456",
        "service": "order-service",
        "severity": "HIGH",
        "timeWindow": {"start": "2026-11-20T08:00:00Z", "end": "2026-11-20T09:00:00Z"},
    },
}


def test_an_incident_event_names_its_service_and_window() -> None:
    asked = read(INCIDENT)

    assert asked.targets == (Target(service="", name="order-service"),)
    assert asked.window is not None
    assert asked.window.end.isoformat() == "2026-11-20T09:00:00+00:00"


def test_an_incident_event_may_name_an_alarm_and_ids_in_fields_of_its_own() -> None:
    detail = {**INCIDENT["detail"], "alarmName": "orders-5xx", "correlation": {"trace": ID}}
    asked = read({**INCIDENT, "detail": detail})

    assert asked.alarm is not None
    assert (asked.alarm.name, asked.alarm.region) == ("orders-5xx", "eu-west-1")
    assert asked.trace_ids == (ID,)
    assert read(INCIDENT).alarm is None


def test_an_incident_without_a_window_is_looked_at_around_its_time() -> None:
    asked = read({**INCIDENT, "detail": {"service": "order-service"}})

    assert asked.window is not None
    assert asked.window.start.isoformat() == "2026-11-20T09:43:00+00:00"


@pytest.mark.parametrize(
    ("kind", "service"),
    [
        ("lambda", "lambda"),
        ("lambda_function", "lambda"),
        ("AWS::Lambda::Function", "lambda"),
        ("api_gateway", "apigateway"),
        ("aws::apigateway::restapi", "apigateway"),
        ("step_functions", "stepfunctions"),
        ("aws::states::statemachine", "stepfunctions"),
        ("iam", "iam"),
        ("dynamodb", "dynamodb"),
        ("s3", "s3"),
        ("sqs", "sqs"),
        ("sns", "sns"),
        ("eventbridge", "eventbridge"),
        ("vpc", "vpc"),
        ("something else", ""),
    ],
)
def test_a_structured_target_goes_to_the_specialist_of_its_type(kind: str, service: str) -> None:
    asked = read(
        {"investigation_inputs": {"primary_targets": [{"type": kind, "name": "orders", "region": "us-east-2"}]}}
    )

    assert asked.targets == (Target(service=service, name="orders"),)
    assert asked.region == "us-east-2"


def test_a_structured_target_with_an_arn_is_that_resource() -> None:
    asked = read(
        {"primary_targets": [{"type": "lambda", "name": "orders", "arn": FUNCTION}], "error_messages": ["boom"]}
    )

    assert [r.id for r in asked.resources] == [FUNCTION]
    assert asked.targets == ()
    assert asked.error_messages == ("boom",)


def test_legacy_inputs_name_a_function_and_a_trace() -> None:
    asked = read({"function_name": "orders", "xray_trace_id": ID})

    assert asked.targets == (Target(service="lambda", name="orders"),)
    assert asked.trace_ids == (ID,)


@pytest.mark.parametrize("key", ["free_text_input", "investigation_inputs"])
def test_free_text_inside_structured_inputs_is_read_as_words(key: str) -> None:
    assert read({key: "function orders keeps failing"}).targets == (Target(service="lambda", name="orders"),)


def test_an_object_of_no_known_shape_is_searched_for_ids_and_arns() -> None:
    asked = read({"requestContext": {"tracing": f"Root={ID}"}, "source": [{"eventSourceARN": FUNCTION}]})

    assert asked.trace_ids == (ID,)
    assert [r.id for r in asked.resources] == [FUNCTION]


def test_an_account_and_a_region_that_are_none_are_not_taken() -> None:
    asked = read({**ALARM, "AWSAccountId": "root", "AlarmArn": "arn:aws:cloudwatch:Sydney!:1:alarm:x"})

    assert (asked.account, asked.region) == (None, None)
