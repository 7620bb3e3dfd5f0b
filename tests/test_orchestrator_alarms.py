"""From an alarm to evidence, over HTTP: its transition, what it watches, its window and its traces."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.session import AccountRole, AwsConfig, ReadSession
from domain.alarm import AlarmKind, AlarmReference, AlarmState, AlarmTransition
from domain.gap import GapReason
from domain.request import Request
from domain.trace import TraceOverview
from orchestrator.alarms.metric import MetricSilence
from orchestrator.discover import READS, Discovery, discover
from orchestrator.errors import NothingToLookAt
from orchestrator.parse import parse
from sandbox.aws import LocalAws, alarms, faults, resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World
from tests.support.traces import call, document, function, put_item, raised

NOW = datetime.now(UTC).replace(microsecond=0)
RANG = NOW - timedelta(minutes=20)
CROSSED = "Threshold Crossed: 1 datapoint [19.0] was greater than the threshold (5.0)."
ERRORS = ("AWS/Lambda", "Errors", {"FunctionName": "orders-fn"})
REFUSED = faults.Fault(faults.Ending.ERROR, codes={"xray": (400, "InvalidRequestException")}, message="Invalid filter")
ARN = "arn:aws:{}:eu-west-1:123456789012:{}".format
FUNCTION, TABLE, QUEUE = ARN("lambda", "function:orders-fn"), ARN("dynamodb", "table/orders"), ARN("sqs", "orders-q")


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def world(aws: LocalAws) -> World:
    world = World(aws, NOW, seed="alarms")
    role = resources.role(world, "orders-role", allow("logs:PutLogEvents"))
    resources.function(world, "orders-fn", role=role)
    resources.table(world, "orders")
    resources.queue(world, "orders-q")
    return world


def rings(world: World, name: str = "orders-errors", *, at: datetime = RANG, **options: Any) -> str:
    """A Lambda alarm that rang once."""
    namespace, metric, dimensions = ERRORS
    options = {"transitions": [(at, "ALARM", CROSSED)], "threshold": 5, **options}
    return signals.alarm(world, name, namespace, metric, dimensions, **options)


def found(asked: str | Request | AlarmReference, **config: Any) -> Discovery:
    if isinstance(asked, AlarmReference):
        asked = Request(text=asked.name, alarm=asked, region=asked.region, account=asked.account)
    request = parse(asked, now=NOW) if isinstance(asked, str) else asked
    with ThreadPoolExecutor(4) as pool:
        return discover(request, ReadSession(AwsConfig(max_attempts=1, **config), READS), pool, now=NOW)


def told(state: str = "ALARM", at: datetime | None = RANG, name: str = "orders-errors", **rest: Any) -> AlarmReference:
    return AlarmReference(name=name, state=AlarmState(state), at=at, told_by="test", **rest)


def send(world: World, *documents: dict[str, Any], minutes: float = 20, number: int = 1, seconds: float = 0.5) -> str:
    at = int((NOW - timedelta(minutes=minutes)).timestamp())
    id = f"1-{at:08x}-{number:024x}"
    return signals.trace(world, [{**d, "trace_id": id, "start_time": at, "end_time": at + seconds} for d in documents])


def transition(seen: Discovery, name: str = "orders-errors") -> AlarmTransition:
    (one,) = (t for t in seen.trace.of(AlarmTransition) if t.name == name)
    return one


def nodes(seen: Discovery) -> list[str]:
    return [node.id for node in seen.graph.nodes]


def traces(seen: Discovery) -> set[str]:
    return {overview.trace_id for overview in seen.trace.of(TraceOverview)}


# --- the transition


@pytest.mark.parametrize(
    "text",
    ["alarm orders-errors", "orders-errors", ARN("cloudwatch", "alarm:orders-errors")],
    ids=["alarm and name", "name", "arn"],
)
def test_a_named_alarm_is_found_with_its_last_transition_its_resource_and_its_window(world: World, text: str) -> None:
    arn = rings(world)
    seen = found(text)

    assert nodes(seen) == [FUNCTION]
    assert transition(seen) == AlarmTransition(
        resource=arn,
        source="cloudwatch:DescribeAlarmHistory",
        observed_at=RANG,
        name="orders-errors",
        alarm_kind=AlarmKind.METRIC,
        state=AlarmState.ALARM,
        reason=CROSSED,
        namespace="AWS/Lambda",
        metric="Errors",
        dimensions={"FunctionName": "orders-fn"},
        statistic="Sum",
        threshold=5,
        comparison="GreaterThanThreshold",
        missing_data="notBreaching",
    )
    assert (seen.window.start, seen.window.end) == (RANG - timedelta(minutes=16), RANG + timedelta(minutes=5))
    assert seen.summary == (
        f"alarm `orders-errors` (`orders-fn` Errors) went to ALARM at {RANG:%H:%M:%S} UTC; no failing trace in the window"
    )
    assert seen.gaps == ()


def test_of_several_transitions_the_one_that_the_message_tells_is_meant(world: World) -> None:
    first, second = NOW - timedelta(hours=5), NOW - timedelta(hours=2)
    rings(world, transitions=[(first, "ALARM", "first"), (first + timedelta(minutes=9), "OK", "fine"), (second, "ALARM", "second")])  # fmt: skip

    assert transition(found(told(at=first + timedelta(seconds=40)))).observed_at == first
    assert transition(found("alarm orders-errors")).observed_at == second


def test_a_person_who_pastes_the_ok_is_told_of_the_alarm_before_it(world: World) -> None:
    over = RANG + timedelta(minutes=12)
    rings(world, transitions=[(RANG, "ALARM", CROSSED), (over, "OK", "fine"), (over + timedelta(minutes=3), "ALARM", "again")])  # fmt: skip
    seen = found(told("OK", over))

    assert (transition(seen).state, transition(seen).observed_at) == (AlarmState.ALARM, RANG)


def test_a_transition_hours_from_the_one_that_the_message_tells_is_another_one(world: World) -> None:
    rings(world, at=NOW - timedelta(hours=5))
    seen = found(told(reason="as told"))

    assert (transition(seen).observed_at, transition(seen).source) == (RANG, "message:test")
    assert transition(seen).metric == "Errors"


def test_the_window_reaches_back_over_the_data_that_decided(world: World) -> None:
    rings(world, transitions=())
    begun = RANG - timedelta(minutes=45)
    alarms.happened(world, "orders-errors", [(RANG, "ALARM", CROSSED)], data={"startDate": begun.isoformat()})

    assert found("alarm orders-errors").window.start == begun - timedelta(minutes=15)


def test_the_window_does_not_end_after_now(world: World) -> None:
    rings(world, at=NOW - timedelta(minutes=1))

    assert found("alarm orders-errors").window.end == NOW


def test_a_window_that_was_asked_for_wins(world: World) -> None:
    rings(world)

    assert found("alarm orders-errors last 3 hours").window.start == NOW - timedelta(hours=3)


def test_an_alarm_that_never_rang_is_looked_at_in_the_last_hour_and_said_so(world: World) -> None:
    rings(world, transitions=())
    seen = found("alarm orders-errors")

    assert seen.trace.of(AlarmTransition) == ()
    assert seen.window.start == NOW - timedelta(hours=1)
    assert [g.message for g in seen.gaps] == [
        (
            "The history of alarm “orders-errors” tells no change to ALARM: looking at the last hour. "
            "Give a time with --since and --until."
        )
    ]


def test_an_alarm_older_than_x_rays_memory_still_leads_to_its_resources(world: World) -> None:
    rings(world, at=NOW - timedelta(days=40))
    seen = found("alarm orders-errors")

    assert nodes(seen) == [FUNCTION]
    assert [g.message for g in seen.gaps if "30 days" in g.message] == [g.message for g in seen.gaps]
    assert seen.gaps


# --- what it watches


def test_every_metric_of_an_expression_is_followed(world: World) -> None:
    alarms.metric_math(
        world,
        "orders-rate",
        "m1 / m2",
        {"m1": ERRORS, "m2": ("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"})},
        transitions=[(RANG, "ALARM", CROSSED)],
    )
    seen = found("alarm orders-rate")

    assert nodes(seen) == [TABLE, FUNCTION]
    assert (transition(seen, "orders-rate").alarm_kind, transition(seen, "orders-rate").expression) == (
        AlarmKind.METRIC_MATH,
        "m1 / m2",
    )
    assert "computed from several metrics" in seen.summary


def test_an_expression_that_searches_is_a_gap(world: World) -> None:
    search = "SUM(SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Errors\"', 'Sum', 60))"
    alarms.metric_math(world, "all-errors", search, {}, transitions=[(RANG, "ALARM", CROSSED)])
    seen = found("alarm all-errors")

    assert nodes(seen) == [ARN("cloudwatch", "alarm:all-errors")]
    assert [g.reason for g in seen.gaps] == [GapReason.NO_DATA]
    assert "searches for its metrics (SUM(SEARCH(" in seen.gaps[0].message


def test_an_anomaly_alarm_says_that_its_threshold_is_a_band(world: World) -> None:
    alarms.anomaly(world, "orders-odd", *ERRORS, transitions=[(RANG, "ALARM", CROSSED)])
    seen = found("alarm orders-odd")
    odd = transition(seen, "orders-odd")

    assert nodes(seen) == [FUNCTION]
    assert (odd.alarm_kind, odd.threshold, odd.metric) == (AlarmKind.ANOMALY_DETECTION, None, "Errors")
    assert "outside the band that anomaly detection expects" in seen.summary


def test_a_composite_alarm_leads_to_the_members_that_rang_and_to_no_others(world: World) -> None:
    earlier = RANG - timedelta(minutes=6)
    member = rings(world, at=earlier)
    depth = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "orders-q"})
    signals.alarm(world, "orders-depth", *depth, threshold=9, transitions=[(NOW - timedelta(minutes=2), "ALARM", CROSSED)])  # fmt: skip
    signals.alarm(world, "deploying", "Shop", "Deploys", {}, threshold=0)
    rule = 'ALARM("orders-errors") OR (ALARM(orders-depth) AND NOT ALARM(deploying))'
    alarms.composite(world, "orders", rule, transitions=[(RANG, "ALARM", "orders-errors transitioned to ALARM")])
    seen = found("alarm orders")

    assert nodes(seen) == [FUNCTION]
    assert transition(seen, "orders").members == (member,)
    assert transition(seen, "orders").alarm_kind is AlarmKind.COMPOSITE
    assert [t.name for t in seen.trace.of(AlarmTransition)].count("orders-depth") == 0
    assert transition(seen, "orders-errors").observed_at == earlier
    assert seen.window.start == earlier - timedelta(minutes=16)


def test_a_member_that_rang_days_ago_does_not_stretch_the_window(world: World) -> None:
    rings(world, at=RANG - timedelta(days=3))
    alarms.composite(world, "orders", "ALARM(orders-errors)", transitions=[(RANG, "ALARM", "x")])

    assert found("alarm orders").window.start == RANG - timedelta(hours=24, minutes=15)


def test_composites_of_composites_are_followed_down_and_circles_end(world: World) -> None:
    rings(world)
    alarms.composite(world, "inner", "ALARM(orders-errors) OR ALARM(outer)", transitions=[(RANG, "ALARM", "x")])
    alarms.composite(world, "outer", "ALARM(inner)", transitions=[(RANG, "ALARM", "x")])
    seen = found("alarm outer")

    assert {t.name for t in seen.trace.of(AlarmTransition)} == {"outer", "inner", "orders-errors"}
    assert nodes(seen) == [FUNCTION]


def test_members_that_are_not_there_or_too_many_are_gaps(world: World) -> None:
    rings(world)
    rule = " OR ".join(["ALARM(orders-errors)", *(f"ALARM(gone-{n:02})" for n in range(14))])
    alarms.composite(world, "many", rule, transitions=[(RANG, "ALARM", "x")])
    messages = [g.message for g in found("alarm many").gaps]

    assert "The alarm “many” listens to “gone-00”, which does not exist here." in messages
    assert "Only the first 12 of the 15 alarms that “many” is made of were asked." in messages


def test_an_alarm_on_a_metric_of_ones_own_says_that_it_names_no_resource(world: World) -> None:
    signals.alarm(world, "carts", "Shop", "Carts", {"Shop": "a"}, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])
    failed = send(world, function("checkout", fault=True))
    seen = found("alarm carts")

    assert [g.message for g in seen.gaps] == [
        (
            "The alarm “carts” watches Shop Carts (Shop=a), which names no AWS resource that is known here: "
            "the failing traces of its window are looked at instead. Ask again with a resource's name or a trace id."
        )
    ]
    assert traces(seen) == {failed}
    assert ARN("lambda", "function:checkout") in nodes(seen)


def test_an_index_and_an_alias_stay_with_their_table_and_function(world: World) -> None:
    index = {"TableName": "orders", "GlobalSecondaryIndexName": "by-user"}
    signals.alarm(world, "index", "AWS/DynamoDB", "ReadThrottleEvents", index, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])  # fmt: skip
    (table,) = found("alarm index").graph.nodes

    assert (table.id, table.qualifiers) == (TABLE, ("by-user",))


def test_an_event_source_mapping_leads_to_its_queue_and_its_function(world: World) -> None:
    mapping = world.client("lambda").create_event_source_mapping(FunctionName="orders-fn", EventSourceArn=QUEUE)
    dimensions = {"EventSourceMappingUUID": mapping["UUID"]}
    signals.alarm(world, "polled", "AWS/Lambda", "PolledEventCount", dimensions, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])  # fmt: skip

    assert nodes(found("alarm polled")) == [FUNCTION, QUEUE]


def test_a_nat_gateway_leads_to_its_network(world: World) -> None:
    ec2 = world.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    signals.alarm(world, "nat", "AWS/NATGateway", "ErrorPortAllocation", {"NatGatewayId": nat}, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])  # fmt: skip

    assert nodes(found("alarm nat")) == [ARN("ec2", f"vpc/{vpc}")]


def test_a_rule_on_a_bus_of_its_own_is_found_there(world: World) -> None:
    events = world.client("events")
    events.create_event_bus(Name="shop")
    events.put_rule(Name="nightly", EventBusName="shop", EventPattern='{"source": ["shop"]}')
    dimensions = {"RuleName": "nightly", "EventBusName": "shop"}
    signals.alarm(world, "rule", "AWS/Events", "FailedInvocations", dimensions, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])  # fmt: skip

    assert ARN("events", "rule/shop/nightly") in nodes(found("alarm rule"))


# --- data that did not come


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("INSUFFICIENT_DATA", "Insufficient Data: 1 datapoint was unknown."),
        ("ALARM", "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching]."),
    ],
)  # fmt: skip
def test_missing_data_is_explained_by_what_stopped_reporting_and_when(world: World, state: str, reason: str) -> None:
    last = (RANG - timedelta(minutes=14)).replace(second=0)
    signals.metric(world, *ERRORS, [0.0] * 30, start=last - timedelta(minutes=29))
    rings(world, transitions=[(RANG, state, reason)])
    seen = found("alarm orders-errors")
    (silent,) = seen.trace.of(MetricSilence)

    assert (transition(seen).state.value, transition(seen).for_missing_data) == (state, True)
    assert silent.observed_at == last
    assert silent.summary() == f"`orders-fn` Errors last reported at {last:%Y-%m-%d %H:%M} UTC"
    assert "over data that did not come" in seen.summary


def test_a_metric_that_never_reported_is_said_to_have_been_silent(world: World) -> None:
    rings(world, transitions=[(RANG, "INSUFFICIENT_DATA", "")])
    (silent,) = found("alarm orders-errors").trace.of(MetricSilence)

    assert silent.summary() == "`orders-fn` Errors reported nothing in the 24 h before the alarm"


def test_values_that_crossed_the_threshold_are_no_missing_data(world: World) -> None:
    rings(world)
    seen = found("alarm orders-errors")

    assert transition(seen).for_missing_data is False
    assert seen.trace.of(MetricSilence) == ()


# --- what cannot be asked


def test_a_denied_alarm_is_a_gap_and_the_message_is_followed(aws: LocalAws, world: World) -> None:
    rings(world)
    aws.inject("cloudwatch", "*", faults.ACCESS_DENIED)
    reference = told(namespace=ERRORS[0], metric=ERRORS[1], dimensions=ERRORS[2], reason="as told")
    seen = found(reference)

    assert nodes(seen) == [FUNCTION]
    assert [g.action for g in seen.gaps] == ["cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory"]
    assert (transition(seen).source, transition(seen).observed_at) == ("message:test", RANG)
    assert transition(seen).reason == "as told"


def test_a_denied_history_leaves_the_present_state(aws: LocalAws, world: World) -> None:
    rings(world)
    aws.inject("cloudwatch", "DescribeAlarmHistory", faults.ACCESS_DENIED)
    seen = found("alarm orders-errors")

    assert transition(seen).source == "cloudwatch:DescribeAlarms"
    assert transition(seen).observed_at == RANG
    assert [g.action for g in seen.gaps] == ["cloudwatch:DescribeAlarmHistory"]


def test_a_resource_that_must_not_be_asked_about_is_known_by_its_name(aws: LocalAws, world: World) -> None:
    rings(world)
    aws.inject("lambda", "GetFunctionConfiguration", faults.ACCESS_DENIED)
    seen = found("alarm orders-errors")

    assert nodes(seen) == [FUNCTION]
    assert "lambda:GetFunctionConfiguration" in {g.action for g in seen.gaps}


def test_a_deleted_alarm_is_known_from_its_history(world: World) -> None:
    rings(world)
    world.client("cloudwatch").delete_alarms(AlarmNames=["orders-errors"])
    alarms.deleted(world, "orders-errors", NOW - timedelta(minutes=3), *ERRORS, threshold=5.0)
    seen = found("alarm orders-errors")

    assert nodes(seen) == [FUNCTION]
    assert (transition(seen).observed_at, transition(seen).threshold) == (RANG, 5)
    assert [g.message for g in seen.gaps] == [
        "The alarm “orders-errors” has been deleted since: what it watched is known from its history only."
    ]


def test_an_alarm_of_another_region_is_said_to_be_absent_and_the_message_is_followed(world: World) -> None:
    rings(world)
    elsewhere = found(told(region="us-east-2", namespace="AWS/SNS", metric="X", dimensions={"TopicName": "t"}))

    assert elsewhere.region == "us-east-2"
    assert "No alarm “orders-errors” in us-east-2 of account 123456789012." in elsewhere.gaps[0].message


def test_an_alarm_that_never_was_is_nothing_to_look_at(world: World) -> None:
    with pytest.raises(NothingToLookAt, match="No alarm “nope” in eu-west-1"):
        found("alarm nope")


def test_an_alarm_whose_function_is_gone_still_has_its_transition(world: World) -> None:
    gone = ("AWS/Lambda", "Errors", {"FunctionName": "gone-fn"})
    arn = signals.alarm(world, "gone-errors", *gone, threshold=1, transitions=[(RANG, "INSUFFICIENT_DATA", "")])
    seen = found("alarm gone-errors")

    assert nodes(seen) == [arn]
    assert "No Lambda function “gone-fn”" in seen.gaps[0].message


def test_an_alarm_of_another_account_is_read_with_the_role_there(aws: LocalAws, world: World) -> None:
    other = World(aws, NOW, seed="other", account="111122223333")
    signals.alarm(other, "orders-errors", "AWS/SQS", "Age", {"QueueName": "theirs"}, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])  # fmt: skip
    resources.queue(other, "theirs")
    rings(world)
    role = AccountRole(role_arn="arn:aws:iam::111122223333:role/rca")
    seen = found(told(account="111122223333"), accounts={"111122223333": role})

    assert nodes(seen) == ["arn:aws:sqs:eu-west-1:111122223333:theirs"]
    assert transition(seen).resource == "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-errors"


def test_an_unreadable_accounts_alarm_is_never_taken_for_one_of_ours(aws: LocalAws, world: World) -> None:
    rings(world, at=NOW - timedelta(minutes=19))
    seen = found(told(account="999999999999"))

    assert [g.action for g in seen.gaps] == ["sts:AssumeRole"]
    assert transition(seen).source == "message:test"
    assert nodes(seen) == [transition(seen).resource]
    assert transition(seen).resource == "arn:aws:cloudwatch:eu-west-1:999999999999:alarm:orders-errors"
    assert "DescribeAlarms" not in {c.operation for c in aws.calls}


def test_an_alarm_with_blanks_in_its_name_is_found(world: World) -> None:
    rings(world, "Orders API: too many errors")

    assert nodes(found('alarm "Orders API: too many errors"')) == [FUNCTION]
    assert nodes(found(ARN("cloudwatch", "alarm:Orders API: too many errors"))) == [FUNCTION]


def test_several_alarms_are_followed_and_a_fourth_is_a_gap(world: World) -> None:
    for number in range(4):
        rings(world, f"alarm-{number}")
    seen = found("alarm alarm-0, alarm alarm-1, alarm alarm-2, alarm alarm-3")

    assert {t.name for t in seen.trace.of(AlarmTransition)} == {"alarm-0", "alarm-1", "alarm-2"}
    assert [g.resource for g in seen.gaps] == ["alarm-3"]


# --- traces


def test_the_worst_failing_traces_of_the_alarms_function_are_read(aws: LocalAws, world: World) -> None:
    rings(world)
    send(world, function("orders-fn"), number=1)
    fault = send(world, function("orders-fn", fault=True), number=2)
    slower = send(world, function("orders-fn", fault=True), number=3, seconds=2)
    throttled = send(world, document("orders-fn", origin="AWS::Lambda", throttle=True, error=True), number=4)
    send(world, function("orders-fn", error=True), number=5)
    send(world, function("other-fn", fault=True), number=6, seconds=9)
    send(world, function("orders-fn", fault=True), number=7, minutes=90)
    seen = found("alarm orders-errors")

    assert traces(seen) == {fault, slower, throttled}
    assert "3 failing in the window" in seen.summary
    assert ARN("lambda", "function:other-fn") not in nodes(seen)


def test_failures_that_do_not_touch_the_alarms_resource_are_left_alone(world: World) -> None:
    rings(world)
    send(world, function("other-fn", fault=True))
    seen = found("alarm orders-errors")

    assert nodes(seen) == [FUNCTION]
    assert "no failing trace in the window" in seen.summary


def test_a_tables_failing_callers_are_found_by_reading_where_x_ray_has_no_node_of_it(world: World) -> None:
    throttles = ("AWS/DynamoDB", "WriteThrottleEvents", {"TableName": "orders"})
    signals.alarm(world, "throttled", *throttles, threshold=1, transitions=[(RANG, "ALARM", CROSSED)])
    refused = put_item(status=400, error=True, cause=raised("ProvisionedThroughputExceededException", "slow down"))
    touching = send(world, function("orders-fn", refused, fault=True), number=1)
    send(world, function("other-fn", call("S3", "GetObject"), fault=True), number=2)
    seen = found("alarm throttled")

    assert traces(seen) == {touching}


def test_a_slow_alarm_takes_the_slowest_also_when_they_ended_well(world: World) -> None:
    duration = ("AWS/Lambda", "Duration", {"FunctionName": "orders-fn"})
    signals.alarm(world, "orders-slow", *duration, threshold=2000, transitions=[(RANG, "ALARM", CROSSED)])
    for number, seconds in enumerate((0.1, 5.0, 3.0, 4.0, 2.5), 1):
        send(world, function("orders-fn"), number=number, seconds=seconds)
    failing = send(world, function("orders-fn", fault=True), number=9, seconds=0.2)
    seen = found("alarm orders-slow")

    assert {round(o.seconds, 1) for o in seen.trace.of(TraceOverview)} == {5.0, 4.0, 3.0}
    assert failing not in traces(seen)
    assert "3 slow in the window" in seen.summary


def test_an_apis_stage_is_found_by_its_node(world: World) -> None:
    api = resources.rest_api(world, "shop", [("GET", "/orders", FUNCTION)])
    segment = document(
        "shop/prod",
        origin="AWS::ApiGateway::Stage",
        resource_arn=f"arn:aws:apigateway:eu-west-1::/restapis/{api.api_id}/stages/prod",
        fault=True,
    )
    stage = {"ApiName": "shop", "Stage": "prod"}
    signals.alarm(
        world, "5xx", "AWS/ApiGateway", "5XXError", stage, threshold=1, transitions=[(RANG, "ALARM", CROSSED)]
    )
    failed = send(world, segment)

    assert traces(found("alarm 5xx")) == {failed}


def test_denied_summaries_are_a_gap_and_the_resources_are_looked_at(aws: LocalAws, world: World) -> None:
    rings(world)
    aws.inject("xray", "GetTraceSummaries", faults.ACCESS_DENIED)
    seen = found("alarm orders-errors")

    assert nodes(seen) == [FUNCTION]
    assert [g.action for g in seen.gaps] == ["xray:GetTraceSummaries"]


def test_an_expression_that_x_ray_does_not_understand_is_asked_more_plainly(aws: LocalAws, world: World) -> None:
    rings(world, "quoted")
    failed = send(world, function("orders-fn", fault=True))
    aws.inject("xray", "GetTraceSummaries", REFUSED, times=1)

    assert traces(found("alarm quoted")) == {failed}


def test_traces_that_were_asked_for_beside_an_alarm_stay_the_only_ones(world: World) -> None:
    arn = rings(world)
    asked = send(world, function("orders-fn", fault=True), number=1, minutes=200)
    send(world, function("orders-fn", fault=True), number=2)
    seen = found(f"{asked} {arn}")

    assert traces(seen) == {asked}
    assert transition(seen).observed_at == RANG
    assert seen.window.end < RANG


# --- how it asks


def test_an_alarm_costs_few_calls_and_writes_nothing(aws: LocalAws, world: World) -> None:
    rings(world)
    send(world, function("orders-fn", fault=True))
    aws.forget_calls()
    found(told())

    assert aws.writes() == ()
    assert sorted(c.name for c in aws.calls if c.service in {"cloudwatch", "xray", "lambda"}) == [
        "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms",
        "lambda:GetFunctionConfiguration",
        "lambda:ListEventSourceMappings",
        "xray:BatchGetTraces",
        "xray:GetTraceSummaries",
    ]


def test_a_pasted_message_is_the_alarm_that_cloudwatch_knows(world: World) -> None:
    arn = rings(world)
    message = {
        "AlarmName": "orders-errors",
        "AlarmArn": arn,
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "StateChangeTime": (RANG + timedelta(seconds=3)).isoformat(),
        "Trigger": {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"name": "FunctionName", "value": "orders-fn"}]},
    }  # fmt: skip
    seen = found(json.dumps(message))

    assert nodes(seen) == [FUNCTION]
    assert transition(seen).observed_at == RANG
    assert seen.gaps == ()


def test_more_alarms_than_threads_do_not_wait_for_each_other(world: World) -> None:
    rings(world)
    session = ReadSession(AwsConfig(), READS)
    with ThreadPoolExecutor(2) as pool:
        waiting = [
            pool.submit(discover, parse("alarm orders-errors", now=NOW), session, pool, now=NOW) for _ in range(6)
        ]

        assert [nodes(w.result(timeout=20)) for w in waiting] == [[FUNCTION]] * 6
