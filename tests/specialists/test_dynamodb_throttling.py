"""Throttled tables: which limit was hit, and which change made it so."""

import pytest

from domain.findings import Strength
from specialists.dynamodb.evidence import Index, Scaling, ScalingActivity, ScalingTarget, Throughput
from specialists.kit.series import MetricSeries
from tests.specialists.dynamodb_building import (
    EXCEEDED,
    TABLE,
    advice,
    at_utc,
    call,
    capacity,
    change,
    facts,
    graph,
    indexed,
    judged,
    log,
    metric,
    minute,
    on_demand,
    proven,
    segment,
    table,
    throttled,
)

PTE = "ProvisionedThroughputExceededException"
HOT_TEXT = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or "
    "index so please try again shortly. If exceptions persist, check if you have a hot key"
)
INDEX_TEXT = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes"
)
ACCOUNT_TEXT = "Throughput exceeds the current throughput limit for your account. Please contact AWS Support"
MAXIMUM_TEXT = "Throughput exceeds the maximum OnDemandThroughput configured on table or index"

PROVISIONED, INDEX, HOT, ACCOUNT, CONTROL = (
    "ddb-provisioned-exceeded",
    "ddb-gsi-throttle",
    "ddb-hot-partition",
    "ddb-account-limit",
    "ddb-control-throttle",
)
ALL = {PROVISIONED, INDEX, HOT, ACCOUNT, CONTROL}

SITUATIONS = {
    "used up, by text and numbers": ([table(), call(PTE, EXCEEDED), throttled(consumed=5)], PROVISIONED, "proof"),
    "text alone": ([call(PTE, EXCEEDED)], PROVISIONED, "proof"),
    "the text as boto3 wraps it": ([call(PTE, EXCEEDED, wrapped=True)], PROVISIONED, "proof"),
    "numbers alone": ([table(), throttled(consumed=4.6)], PROVISIONED, "strong"),
    "the metric by reason": ([table(), throttled(reason="ProvisionedThroughput")], PROVISIONED, "proof"),
    "events, nothing known of consumption": ([table(), throttled()], PROVISIONED, "weak"),
    "text, but half of the capacity is free": (
        [table(), call(PTE, EXCEEDED), throttled(consumed=3)],
        PROVISIONED,
        "strong",
    ),
    "on-demand at the maximum set for it": (
        [on_demand(maximum=Throughput(write=10)), throttled(consumed=10)],
        PROVISIONED,
        "strong",
    ),
    "on-demand maximum, by text": ([on_demand(), call("ThrottlingException", MAXIMUM_TEXT)], PROVISIONED, "proof"),
    "one key, by numbers": ([table(), call(PTE, EXCEEDED), throttled(consumed=0.4)], HOT, "strong"),
    "one key, by the metric": ([table(), throttled(consumed=5, reason="KeyRangeThroughput")], HOT, "proof"),
    "one key, by the reason in the text": (
        [table(), call(PTE, "… reason: TableWriteKeyRangeThroughputExceeded"), throttled(consumed=5)],
        HOT,
        "proof",
    ),
    "on-demand, hot key by text": ([on_demand(), call("ThrottlingException", HOT_TEXT)], HOT, "proof"),
    "on-demand, throttled without a word": ([on_demand(), throttled(consumed=4000)], HOT, "weak"),
    "index, by text": ([table(indexes=indexed("by-day")), call(PTE, INDEX_TEXT)], INDEX, "proof"),
    "index, by its own series": (
        [table(indexes=indexed("by-day")), throttled(index="by-day", consumed=5)],
        INDEX,
        "strong",
    ),
    "index, by text and its own series": (
        [table(indexes=indexed("by-day")), call(PTE, INDEX_TEXT), throttled(index="by-day", consumed=5)],
        INDEX,
        "proof",
    ),
    "index, by its events alone": ([table(indexes=indexed("by-day")), throttled(index="by-day")], INDEX, "strong"),
    "index, on-demand wording": (
        [
            call(
                "ThrottlingException",
                "Throughput exceeds the current capacity for one or more global secondary indexes.",
            )
        ],
        INDEX,
        "proof",
    ),
    "index has room, one of its keys has not": (
        [table(indexes=indexed("by-day")), throttled(index="by-day", consumed=0.1)],
        HOT,
        "strong",
    ),
    "account, by text": ([on_demand(), call("RequestLimitExceeded", ACCOUNT_TEXT)], ACCOUNT, "proof"),
    "account, by the metric": ([on_demand(), throttled(reason="AccountLimit")], ACCOUNT, "proof"),
    "management calls": (
        [call("ThrottlingException", "Rate of requests exceeds the allowed throughput.", "DescribeTable")],
        CONTROL,
        "proof",
    ),
    "management calls, rate wording": ([call("ThrottlingException", "Rate exceeded", "UpdateTable")], CONTROL, "proof"),
    "item calls in management wording": (
        [table(), call("ThrottlingException", "Rate of requests exceeds the allowed throughput.", "PutItem")],
        PROVISIONED,
        "weak",
    ),
    "reads": ([table(), throttled("Read", consumed=5), call(PTE, EXCEEDED, "Query")], PROVISIONED, "proof"),
    "a cancelled transaction that names the throttle": (
        [
            call(
                "TransactionCanceledException",
                "Transaction cancelled [ProvisionedThroughputExceeded, None]",
                "TransactWriteItems",
            )
        ],
        PROVISIONED,
        "proof",
    ),
    "only X-Ray's throttle flag": ([table(), call(throttle=True, error=True, http_status=429)], PROVISIONED, "weak"),
}


@pytest.mark.parametrize(("evidence", "cause", "strength"), SITUATIONS.values(), ids=SITUATIONS)
def test_one_limit_explains_a_throttle_and_the_others_are_not_named(evidence, cause, strength) -> None:
    found = judged(*evidence)

    assert set(found) & ALL == {cause}
    assert found[cause].supports[0].strength == strength
    assert found[cause].resource == TABLE


def test_numbers_at_the_limit_that_the_table_states_are_two_looks() -> None:
    seen = [table(), throttled(consumed=4.6)]
    found = judged(*seen)[PROVISIONED]

    assert seen[0].id in found.evidence
    assert seen[0].id not in judged(table(), throttled(consumed=3))[PROVISIONED].evidence


def test_used_up_capacity_is_told_with_numbers() -> None:
    found = judged(table(), call(PTE, EXCEEDED), throttled(consumed=5))[PROVISIONED]

    assert found.summary == "Consumed 5.0 of 5 WCU while `orders` throttled 213 writes"
    assert found.since == minute(17)


@pytest.mark.parametrize(
    "evidence",
    [
        [table()],
        [table(), metric("WriteThrottleEvents"), metric("ConsumedWriteCapacityUnits", {17: 299, 18: 300})],
        [table(), call()],
        [table(), call("AccessDeniedException", "is not authorized to perform: dynamodb:PutItem on resource")],
        [],
    ],
    ids=["no metrics", "busy but not throttled", "a good call", "denied", "nothing seen"],
)
def test_without_a_throttle_no_limit_is_named(evidence) -> None:
    assert not set(judged(*evidence)) & ALL


def test_a_cut_that_metrics_show_late_is_not_mistaken_for_a_hot_key() -> None:
    short = [call(PTE, EXCEEDED), throttled(consumed=5)]
    last_known = metric("ProvisionedWriteCapacityUnits", {14: 500}, statistic="Maximum", usual=500)
    shown_next = metric("ProvisionedWriteCapacityUnits", {14: 500, 19: 5}, statistic="Maximum", usual=500)

    assert set(judged(table(), *short, last_known)) & ALL == {PROVISIONED}
    assert set(judged(*short, shown_next)) & ALL == {PROVISIONED}


def test_capacity_raised_after_the_incident_does_not_hide_that_it_was_used_up() -> None:
    then = metric("ProvisionedWriteCapacityUnits", {15: 5, 20: 500}, statistic="Maximum", usual=5)

    found = judged(table(provisioned=Throughput(read=5, write=500)), throttled(consumed=5), then)

    assert set(found) & ALL == {PROVISIONED}


def test_a_table_made_on_demand_after_its_throttles_was_short_of_capacity() -> None:
    switched, before = on_demand(on_demand_since=minute(25)), on_demand(on_demand_since=minute(-600))

    assert set(judged(switched, call(PTE, EXCEEDED))) == {PROVISIONED}
    assert set(judged(before, call(PTE, EXCEEDED))) == {HOT}


def test_traffic_that_doubled_makes_a_hot_key_only_likely() -> None:
    jump = metric("ConsumedWriteCapacityUnits", {18: 9000}, usual=600)
    steady = metric("ConsumedWriteCapacityUnits", {18: 700}, usual=600)
    told = call("ThrottlingException", HOT_TEXT)

    assert proven(judged(on_demand(), told, steady)) == {HOT}
    assert proven(judged(on_demand(), told, jump)) == set()


def test_reads_and_writes_short_of_capacity_are_one_hypothesis() -> None:
    found = judged(table(), throttled(consumed=5), throttled("Read", consumed=5, events=4))[PROVISIONED]

    assert "213 writes" in found.summary
    assert "4 reads" in found.summary


def test_an_unspecific_refusal_is_the_indexs_when_only_the_index_throttles() -> None:
    quiet = metric("WriteThrottleEvents", {})
    index = [table(indexes=indexed("by-day")), throttled(index="by-day", consumed=5)]

    assert set(judged(*index, quiet, call(PTE, ""))) & ALL == {INDEX}
    assert set(judged(*index, quiet, call(PTE, EXCEEDED))) & ALL == {INDEX, PROVISIONED}


def test_without_metrics_it_began_with_the_first_refusal() -> None:
    assert judged(call(PTE, EXCEEDED, at=18.5), call(PTE, EXCEEDED, at=19))[PROVISIONED].since == minute(18.5)


def test_a_named_index_is_told() -> None:
    found = judged(table(indexes=indexed("by-day")), throttled(index="by-day", consumed=5))[INDEX]

    assert found.summary == "Consumed 5.0 of 5 WCU while index `by-day` of `orders` throttled 213 writes"


def test_backfilling_of_a_throttled_index_is_advised_on() -> None:
    filling = (Index(name="by-day", status="CREATING", backfilling=True, provisioned=Throughput(write=5)),)

    texts = advice(table(indexes=filling), throttled(index="by-day", consumed=5))

    assert any("backfilled" in text for text in texts)


def test_an_on_demand_tables_own_maximum_is_named_with_who_set_it() -> None:
    capped = on_demand(maximum=Throughput(write=40))
    short = [capped, throttled(events=1_300_000, consumed=40), call("ThrottlingException", MAXIMUM_TEXT)]
    set_by = change(at=-200, who="finance-ops", onDemandThroughput__maxWriteRequestUnits=40)

    summary = judged(*short)[PROVISIONED].summary
    told = advice(*short, set_by)

    assert summary == (
        "Consumed 40.0 of 40 write units, the maximum set for its on-demand mode, while `orders` throttled 1300000 writes"
    )
    assert any("MaxWriteRequestUnits 40), which `finance-ops` set at" in text for text in told)
    assert not any("on-demand maximum" in text for text in advice(table(), throttled(consumed=5), set_by))


def scaling(maximum: int) -> Scaling:
    target = ScalingTarget(index=None, side="write", minimum=1, maximum=maximum)
    return Scaling(resource=TABLE, source="application-autoscaling:DescribeScalableTargets", targets=(target,))


def test_autoscaling_at_its_maximum_supports_the_cause_and_is_advised_on() -> None:
    at_its_end, far_from_it = scaling(5), scaling(500)
    short = [table(), throttled(consumed=5)]

    assert at_its_end.id in judged(*short, at_its_end)[PROVISIONED].evidence
    assert far_from_it.id not in judged(*short, far_from_it)[PROVISIONED].evidence
    assert any("maximum" in text for text in advice(*short, at_its_end))
    assert not advice(*short, far_from_it)


def test_failed_scaling_supports_the_cause_unless_it_is_another_sides() -> None:
    def failed(side: str) -> ScalingActivity:
        source = "application-autoscaling:DescribeScalingActivities"
        return ScalingActivity(resource=TABLE, source=source, index=None, side=side, status="Failed", message="limit")

    short = [table(), throttled(consumed=5)]

    assert failed("write").id in judged(*short, failed("write"))[PROVISIONED].evidence
    assert failed("read").id not in judged(*short, failed("read"))[PROVISIONED].evidence


def test_a_table_without_autoscaling_is_advised_to_get_some() -> None:
    none = Scaling(resource=TABLE, source="application-autoscaling:DescribeScalableTargets")

    assert any("autoscaling" in text for text in advice(table(), throttled(consumed=5), none))
    assert not advice(table(), none)


def test_a_nearly_used_account_quota_supports_the_account_limit() -> None:
    def used(percent: float) -> MetricSeries:
        return metric("AccountProvisionedWriteCapacityUtilization", {15: percent}, statistic="Maximum", dimensions={})

    told = call("RequestLimitExceeded", ACCOUNT_TEXT)

    assert used(97).id in judged(told, used(97))[ACCOUNT].evidence
    assert used(40).id not in judged(told, used(40))[ACCOUNT].evidence


GO = (
    "operation error DynamoDB: PutItem, https response error StatusCode: 400, RequestID: X, "
    "ProvisionedThroughputExceededException: The level of configured provisioned throughput for the table was exceeded."
)
JAVA = (
    "software.amazon.awssdk.services.dynamodb.model.ProvisionedThroughputExceededException: The level of configured "
    "provisioned throughput for the table was exceeded. (Service: DynamoDb, Status Code: 400, Request ID: X)"
)
NODE = '{"errorType":"ProvisionedThroughputExceededException","errorMessage":"The level of configured provisioned throughput for the table was exceeded."}'
DOTNET = (
    "Amazon.DynamoDBv2.Model.ProvisionedThroughputExceededException: The level of configured provisioned throughput"
)


@pytest.mark.parametrize("line", [GO, JAVA, NODE, DOTNET], ids=["go", "java", "node", "dotnet"])
def test_a_callers_log_tells_in_every_runtime(line) -> None:
    assert proven(judged(log(f"[ERROR] {line}"))) == {PROVISIONED}
    assert proven(judged(segment((PTE, line)))) == {PROVISIONED}


def test_a_text_that_may_be_about_another_table_is_not_taken() -> None:
    other = graph(TABLE, TABLE.replace("orders", "stock"))
    named = JAVA + " arn:aws:dynamodb:eu-west-1:123456789012:table/orders"

    assert judged(log(JAVA), around=other) == {}
    assert PROVISIONED in judged(log(named), around=other)
    assert judged(log("ThrottlingException: Rate exceeded from Kinesis"), around=graph(TABLE)) == {}


# --- the change that cut it

SHORT = [table(), call(PTE, EXCEEDED), throttled(consumed=5)]
WAS_500 = metric("ProvisionedWriteCapacityUnits", {0: 500, 5: 500, 10: 500, 17: 5}, statistic="Maximum", usual=500)
BUSY = metric("ConsumedWriteCapacityUnits", {17: 300, 18: 300}, usual=60 * 180)
CHANGE = "deploy-regression"

CUTS = {
    "metric knows before": ([*SHORT, WAS_500, capacity(5)], "proof"),
    "an earlier change knows before": ([*SHORT, capacity(500, at=-300), capacity(5)], "proof"),
    "applied twice": ([*SHORT, capacity(500, at=-300), capacity(5, at=14), capacity(5, at=15)], "proof"),
    "usual traffic was higher, hours ago": (
        [*SHORT[:2], throttled(), BUSY, capacity(500, at=-600), capacity(5, at=-200)],
        "proof",
    ),
    "from on-demand": ([*SHORT, capacity(5, billingMode="PROVISIONED")], "proof"),
    "DescribeTable says decreased": ([table(decreased_at=minute(15)), *SHORT[1:], capacity(5)], "strong"),
    "by autoscaling": ([*SHORT, WAS_500, capacity(5, who="AutoScaling-ManageAlarms")], "strong"),
    "half an hour before": ([*SHORT, capacity(500, at=-300), capacity(5, at=-15)], "strong"),
    "other spelling of the parameters": (
        [*SHORT, WAS_500, change(ProvisionedThroughput__WriteCapacityUnits=5)],
        "proof",
    ),
}


@pytest.mark.parametrize(("evidence", "strength"), CUTS.values(), ids=CUTS)
def test_a_capacity_cut_before_the_first_throttle_is_the_change(evidence, strength) -> None:
    found = judged(*evidence)

    assert set(found) == {PROVISIONED, CHANGE}
    assert found[CHANGE].supports[0].strength == strength
    assert found[CHANGE].since is not None


NOT_CUTS = {
    "raised": [*SHORT, capacity(2, at=-300), capacity(5)],
    "raised, by the metric": [
        *SHORT,
        metric("ProvisionedWriteCapacityUnits", {0: 2, 17: 5}, statistic="Maximum", usual=2),
        capacity(5),
    ],
    "the other side": [*SHORT, WAS_500, change(provisionedThroughput__readCapacityUnits=1)],
    "after the first throttle": [*SHORT, capacity(500, at=-300), capacity(5, at=19)],
    "refused": [*SHORT, WAS_500, capacity(5, error="LimitExceededException")],
    "nothing known of before": [*SHORT, capacity(5)],
    "hours ago, and traffic fits": [*SHORT, capacity(500, at=-600), capacity(5, at=-300)],
    "no throttle": [table(), WAS_500, capacity(5)],
    "another kind of change": [*SHORT, change(streamSpecification__streamEnabled="true")],
}


@pytest.mark.parametrize("evidence", NOT_CUTS.values(), ids=NOT_CUTS)
def test_other_changes_are_not_the_change(evidence) -> None:
    assert CHANGE not in judged(*evidence)


def test_the_cut_is_told_with_who_and_when() -> None:
    found = judged(*SHORT, WAS_500, capacity(5))[CHANGE]

    assert found.summary == "Capacity of `orders` was cut 500 → 5 WCU at 09:51 by `deploy-bot`"
    assert found.since == at_utc(9, 51)


def test_the_change_that_cut_is_named_not_the_one_that_repeated_it() -> None:
    found = judged(*SHORT, capacity(500, at=-300), capacity(5, at=14), capacity(5, at=15))[CHANGE]

    assert found.since == minute(14)


def test_a_change_that_cut_both_sides_is_named_once() -> None:
    both = judged(
        table(), throttled(consumed=5), throttled("Read", consumed=5), capacity(500, read=500, at=-300), capacity(5)
    )

    assert CHANGE in both


def test_the_cut_of_an_index_is_the_change_only_for_that_index() -> None:
    cut = {
        "globalSecondaryIndexUpdates__0__update__indexName": "by-day",
        "globalSecondaryIndexUpdates__0__update__provisionedThroughput__writeCapacityUnits": 5,
    }
    was = metric("ProvisionedWriteCapacityUnits", {0: 100, 16: 5}, statistic="Maximum", usual=100, index="by-day")
    short = [table(indexes=indexed("by-day", "by-user")), was, change(**cut)]

    assert set(judged(*short, throttled(index="by-day", consumed=5))) == {INDEX, CHANGE}
    assert set(judged(*short, throttled(index="by-user", consumed=5))) == {INDEX}


def test_hypotheses_of_a_table_alone_defer_to_nothing() -> None:
    assert judged(*SHORT)[PROVISIONED].defers_to == ()
    assert Strength.PROOF in {s.strength for s in judged(*SHORT)[PROVISIONED].supports}


USUAL = metric("WriteThrottleEvents", dict.fromkeys(range(20), 5), usual=5)
SPENT = metric("ConsumedWriteCapacityUnits", dict.fromkeys(range(20), 300), usual=300)


def test_throttles_as_usual_beside_requests_that_went_well_are_stated_and_no_cause() -> None:
    seen = [table(), USUAL, SPENT, call(retries=2), segment(failed=False)]

    assert judged(*seen) == {}
    assert "`orders` throttled 100 writes, no more than usual, and the traced requests got through" in facts(*seen)


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param([USUAL, SPENT], id="without a trace"),
        pytest.param([USUAL, SPENT, call(), segment(("TimeoutError", "late"))], id="the request failed"),
        pytest.param([USUAL, SPENT, call(pending=True), segment(failed=False)], id="a call has no end"),
        pytest.param([USUAL, SPENT, segment(failed=False)], id="the request did not call the table"),
        pytest.param([USUAL, SPENT, call(), segment(failed=False), log(f"{PTE}: {EXCEEDED}")], id="a log tells of it"),
        pytest.param([*throttled(consumed=5), call(), segment(failed=False)], id="nothing is known of what is usual"),
        pytest.param(
            [
                metric("WriteThrottleEvents", dict.fromkeys(range(20), 90), usual=5),
                SPENT,
                call(),
                segment(failed=False),
            ],
            id="more than usual",
        ),
    ],
)
def test_throttles_stay_a_possible_cause_where_it_is_not_known_that_all_goes_well(evidence) -> None:
    assert PROVISIONED in judged(table(), *evidence)
