"""The DynamoDB probes against moto over HTTP, and against the local AWS where moto lacks an operation."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from domain.causes import CAUSES
from domain.evidence import load_evidence
from domain.graph import Edge, ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall
from sandbox.aws.local import LocalAws
from specialists.dynamodb import SPECIALIST, probes
from specialists.dynamodb.describe import side_and_index
from specialists.dynamodb.evidence import (
    Scaling,
    ScalingActivity,
    ScalingTarget,
    TableState,
    Throughput,
)
from specialists.dynamodb.metrics import LIMITS
from specialists.dynamodb.rules import RULES
from specialists.kit.change import Change, ChangeCount
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.registry import all_specialists
from tests.specialists.dynamodb_building import CALLER, TABLE, call, graph, indexed, minute, on_demand, table
from tests.support.probing import NOW, WINDOW, look_with

STRING_KEY = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PROVISIONED"}


def make_table(name: str = "orders", **settings) -> None:
    boto3.client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            *([{"AttributeName": "day", "AttributeType": "N"}] if "GlobalSecondaryIndexes" in settings else []),
        ],
        **{**STRING_KEY, "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}, **settings},
    )


BY_DAY = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
    "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
}


def put(name: str, values: dict[float, float], **dimensions: str) -> None:
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/DynamoDB",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                "Timestamp": minute(at),
                "Value": value,
            }
            for at, value in values.items()
        ],
    )


def read(probe, *, arn: str = TABLE, **more):
    found = look_with(probe, arn, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == arn
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


def test_table_state_is_read(moto_url: str) -> None:
    make_table(
        GlobalSecondaryIndexes=[BY_DAY],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        SSESpecification={"Enabled": True, "SSEType": "KMS"},
    )

    state = read(probes.table)[0]

    assert (state.exists, state.status, state.provisioned) == (True, "ACTIVE", Throughput(read=7, write=5))
    assert [str(key) for key in state.keys] == ["id (S)"]
    assert state.index("by-day").provisioned == Throughput(read=2, write=1)
    assert str(state.index("by-day").keys[0]) == "day (N)"
    assert state.streaming
    assert state.stream_arn.startswith(f"{TABLE}/stream/")
    assert state.key_arn.startswith("arn:aws:kms:")


def test_an_on_demand_tables_zero_units_are_no_limit(moto_url: str) -> None:
    boto3.client("dynamodb").create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=STRING_KEY["KeySchema"],
        BillingMode="PAY_PER_REQUEST",
    )

    state = read(probes.table)[0]

    assert state.on_demand
    assert state.provisioned == Throughput()
    assert state.limit("write") is None
    assert state.capacity() == "on-demand"


def test_a_missing_table_is_evidence_and_similar_names_are_listed(moto_url: str) -> None:
    make_table("orders-v2")
    make_table("something-else")

    state = read(probes.table)[0]
    near = read(probes.nearby_tables, seen=[state])[0]

    assert not state.exists
    assert (near.names, near.searched) == (("orders-v2",), 2)
    assert read(probes.nearby_tables, seen=[table()]) == []


def test_a_name_in_any_script_is_looked_up(moto_url: str) -> None:
    arn = TABLE.replace("orders", "x" * 255)

    assert not read(probes.table, arn=arn)[0].exists


def test_metrics_of_the_table_carry_capacity_and_every_reason(moto_url: str) -> None:
    put("ConsumedWriteCapacityUnits", {-30: 60, 17: 300}, TableName="orders")
    put("WriteThrottleEvents", {17: 212, 18: 1}, TableName="orders")
    put("WriteThrottleEvents", {17: 99}, TableName="another")

    found = {series.metric: series for series in read(probes.table_metrics)}

    assert found["ConsumedWriteCapacityUnits"].peak == 300
    assert found["ConsumedWriteCapacityUnits"].usual_peak == 60
    assert found["WriteThrottleEvents"].total == 213
    assert {f"{side}{limit}ThrottleEvents" for side in ("Read", "Write") for limit in LIMITS} <= set(found)
    assert {"ConditionalCheckFailedRequests", "TransactionConflict", "ProvisionedReadCapacityUnits"} <= set(found)


def test_metrics_of_an_index_carry_its_name(moto_url: str) -> None:
    # In this order: moto matches a lower-case value only where dimensions come as they were put.
    put("WriteThrottleEvents", {17: 4}, TableName="orders", GlobalSecondaryIndexName="by-day")

    found = read(probes.index_metrics, seen=[table(indexes=indexed("by-day", "by-user"))])

    assert {s.dimensions["GlobalSecondaryIndexName"] for s in found if s.total} == {"by-day"}
    assert {s.dimensions["GlobalSecondaryIndexName"] for s in found} == {"by-day", "by-user"}
    assert read(probes.index_metrics, seen=[table()]) == []


def test_metrics_of_operations_are_kept_only_where_there_are_any(moto_url: str) -> None:
    put("ThrottledRequests", {17: 9}, TableName="orders", Operation="PutItem")
    put("SuccessfulRequestLatency", {17: 8}, TableName="orders", Operation="PutItem")

    found = {(s.metric, s.statistic): s for s in read(probes.operation_metrics)}

    assert {key[0] for key in found} == {"ThrottledRequests", "SuccessfulRequestLatency"}
    assert found["ThrottledRequests", "Sum"].total == 9
    assert found["SuccessfulRequestLatency", "SampleCount"].total == 1


def test_metrics_of_the_account_have_no_dimensions(moto_url: str) -> None:
    put("AccountProvisionedWriteCapacityUtilization", {15: 97})

    found = {series.metric: series for series in read(probes.account_metrics)}

    assert found["AccountProvisionedWriteCapacityUtilization"].peak == 97
    assert found["UserErrors"].points == ()


def test_the_key_of_a_table_is_read_in_each_state(moto_url: str) -> None:
    kms = boto3.client("kms")
    made = [kms.create_key()["KeyMetadata"] for _ in range(3)]
    kms.disable_key(KeyId=made[1]["KeyId"])
    kms.schedule_key_deletion(KeyId=made[2]["KeyId"], PendingWindowInDays=7)

    states = [read(probes.key, seen=[table(key_arn=key["Arn"])])[0] for key in made]

    assert [state.state for state in states] == ["Enabled", "Disabled", "PendingDeletion"]
    assert states[2].deletion_at > datetime.now(UTC)


def test_a_key_that_is_gone_is_evidence_and_no_key_is_nothing_to_look_at(moto_url: str) -> None:
    gone = f"{TABLE.replace('dynamodb', 'kms').rsplit(':', 1)[0]}:key/00000000-0000-0000-0000-000000000000"

    assert not read(probes.key, seen=[table(key_arn=gone)])[0].exists
    assert read(probes.key, seen=[table()]) == []


def test_scaling_bounds_are_read_for_the_table_and_its_indexes_only(moto_url: str) -> None:
    scaling = boto3.client("application-autoscaling")
    for resource, dimension in (
        ("table/orders", "dynamodb:table:WriteCapacityUnits"),
        ("table/orders/index/by-day", "dynamodb:index:ReadCapacityUnits"),
        ("table/orders-v2", "dynamodb:table:WriteCapacityUnits"),
    ):
        scaling.register_scalable_target(
            ServiceNamespace="dynamodb",
            ResourceId=resource,
            ScalableDimension=dimension,
            MinCapacity=1,
            MaxCapacity=50,
        )

    found = read(probes.scaling, seen=[table(indexes=indexed("by-day"))])[0]

    assert [(t.index, t.side, t.maximum) for t in found.targets] == [(None, "write", 50), ("by-day", "read", 50)]


def test_what_another_table_scales_is_not_this_ones() -> None:
    assert side_and_index("orders", "table/orders-v2", "dynamodb:table:WriteCapacityUnits") is None
    assert side_and_index("orders", "table/orders", "dynamodb:table:WriteCapacityUnits") == ("write", None)


def test_a_table_without_scaling_says_so(moto_url: str) -> None:
    assert read(probes.scaling, seen=[on_demand()])[0].targets == ()
    assert read(probes.scaling, seen=[table(exists=False)]) == []


def test_error_lines_of_callers_are_read_where_the_trace_has_none(moto_url: str) -> None:
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/create-order")
    logs.create_log_stream(logGroupName="/aws/lambda/create-order", logStreamName="s")
    lines = [
        "START",
        "[ERROR] ConditionalCheckFailedException: The conditional request failed",
        "ValidationException: mail",
    ]
    events = [{"timestamp": int(minute(18).timestamp() * 1000), "message": line} for line in lines]
    logs.put_log_events(logGroupName="/aws/lambda/create-order", logStreamName="s", logEvents=events)

    found = read(probes.caller_errors, graph=graph(TABLE))[0]

    assert [event.message for event in found.events] == [lines[1]]
    assert read(probes.caller_errors, graph=graph(TABLE), seen=[call("ConditionalCheckFailedException", "x")]) == []


def test_callers_that_are_no_functions_have_no_log_to_read(moto_url: str) -> None:
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:checkout"
    nodes = [resource_from_arn(TABLE), resource_from_arn(machine)]

    assert read(probes.caller_errors, graph=ServiceGraph.of(nodes, [Edge(source=machine, target=TABLE)])) == []


def test_a_missing_log_group_is_an_error_for_the_runner_not_an_empty_answer(moto_url: str) -> None:
    with pytest.raises(ClientError):
        read(probes.caller_errors, graph=graph(TABLE))


# --- what moto lacks


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def local(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return _local


MAPPING = {
    "UUID": "u1",
    "FunctionArn": f"{CALLER}:live",
    "EventSourceArn": f"{TABLE}/stream/2026-01-01T00:00:00.000",
    "State": "Enabled",
    "LastProcessingResult": "PROBLEM: Stream not found",
}


def test_readers_of_any_stream_of_the_table_are_found(local: LocalAws) -> None:
    others = [
        {**MAPPING, "UUID": "u2", "EventSourceArn": MAPPING["EventSourceArn"].replace("orders", "orders-v2")},
        {"UUID": "u3", "FunctionArn": CALLER, "State": "Enabled", "SelfManagedEventSource": {}},
    ]
    local.serve("lambda", "ListEventSourceMappings", {"EventSourceMappings": [MAPPING, *others]})

    found = read(probes.stream_readers)[0]

    assert [(r.uuid, r.function, r.state) for r in found.readers] == [("u1", CALLER, "Enabled")]
    assert found.readers[0].last_result.startswith("PROBLEM")
    assert not found.truncated


def test_scaling_activities_of_the_time_are_read(local: LocalAws) -> None:
    def activity(at: datetime, **more) -> dict[str, object]:
        return {
            "ActivityId": f"a{at}",
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/orders",
            "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
            "Description": "Attempting to scale due to alarm triggered",
            "Cause": "alarm",
            "StartTime": at,
            "StatusCode": "Unfulfilled",
            **more,
        }

    local.serve(
        "application-autoscaling",
        "DescribeScalingActivities",
        {
            "ScalingActivities": [
                activity(minute(17), NotScaledReasons=[{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 5}]),
                activity(minute(-600)),
                activity(NOW + timedelta(hours=1)),
            ]
        },
    )
    targets = (ScalingTarget(index=None, side="write", minimum=1, maximum=5),)
    known = Scaling(resource=TABLE, source="application-autoscaling:DescribeScalableTargets", targets=targets)

    found = read(probes.scaling_activities, seen=[known])

    assert [(f.side, f.index, f.not_scaled, f.observed_at) for f in found] == [
        ("write", None, ("AlreadyAtMaxCapacity",), minute(17))
    ]
    assert "AlreadyAtMaxCapacity" in found[0].summary()


def test_changes_are_read_and_counted(local: LocalAws) -> None:
    event = {
        "EventId": "e1",
        "EventName": "UpdateTable",
        "EventSource": "dynamodb.amazonaws.com",
        "EventTime": minute(15),
        "Username": "deploy-bot",
        "CloudTrailEvent": json.dumps(
            {"requestParameters": {"tableName": "orders", "provisionedThroughput": {"writeCapacityUnits": 5}}}
        ),
    }
    local.serve("cloudtrail", "LookupEvents", {"Events": [event]})

    found = read(probes.table_changes)

    assert [type(item) for item in found] == [Change, ChangeCount]
    assert found[0].parameters["provisionedThroughput.writeCapacityUnits"] == "5"
    assert found[1].events == 1


def test_no_change_is_an_answer_too(local: LocalAws) -> None:
    local.serve("cloudtrail", "LookupEvents", {"Events": []})

    found = read(probes.table_changes)

    assert [(type(item), item.events) for item in found] == [(ChangeCount, 0)]
    assert found[0].searched_from == WINDOW.start - timedelta(hours=24)


def test_an_on_demand_maximum_is_read(local: LocalAws) -> None:
    described = {
        "TableName": "orders",
        "TableStatus": "ACTIVE",
        "BillingModeSummary": {
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": minute(-90),
        },
        "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        "OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 10},
    }
    local.serve("dynamodb", "DescribeTable", {"Table": described})

    state = read(probes.table)[0]

    assert state.maximum == Throughput(write=10)
    assert state.on_demand_since == minute(-90)
    assert state.keys == ()


# --- the specialist


def test_the_specialist_is_found_by_the_registry() -> None:
    assert SPECIALIST in all_specialists()


def test_every_probe_is_explained_and_runs_after_what_it_needs() -> None:
    yielded = {kind for probe in SPECIALIST.probes for kind in probe.yields}

    for probe in SPECIALIST.probes:
        assert len(probe.doc) > 40, probe.name
        assert set(probe.needs) <= yielded


def test_every_rule_sees_only_what_probes_or_the_trace_bring() -> None:
    brought = {kind for probe in SPECIALIST.probes for kind in probe.yields}

    for rule in RULES:
        assert rule.doc, rule.name
        assert {kind for kind in rule.sees if not kind.kind.startswith("trace.")} <= brought, rule.name


def test_every_cause_of_tables_is_named_by_a_rule() -> None:
    declared = {cause for rule in RULES for cause in rule.causes}

    assert {code for code, cause in CAUSES.items() if cause.service == "dynamodb"} <= declared
    assert declared <= set(CAUSES)


def test_kinds_of_evidence_are_seen_by_some_rule() -> None:
    seen = {kind for rule in RULES for kind in rule.sees}

    assert {kind for probe in SPECIALIST.probes for kind in probe.yields} <= seen
    assert {TableState, ScalingActivity, LogLines, MetricSeries, TraceCall} <= seen
