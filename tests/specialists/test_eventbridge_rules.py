"""Judging rules, their targets and patterns, buses and pipes: each cause beside its near miss."""

import json
import random

import pytest

from domain.causes import CAUSES
from domain.findings import Hypothesis
from orchestrator.conclude.settle import SUSPICION, settle
from specialists.eventbridge import SPECIALIST
from specialists.eventbridge.evidence import NearbyBuses
from tests.specialists.eventbridge_building import (
    BUS,
    DLQ,
    FUNCTION,
    HERE,
    MACHINE,
    PIPE,
    PUBLISHED,
    PUBLISHER,
    QUEUE,
    ROLE,
    RULE,
    advice,
    bus,
    bus_rules,
    case,
    change,
    closed,
    destination,
    facts,
    graph,
    judged,
    log,
    metric,
    minute,
    missing,
    on_bus,
    pipe,
    proven,
    put_call,
    role_access,
    rule,
    segment,
    steady,
    strengths,
    targets,
)
from tests.support.probing import findings

REFUSED, GONE, OFF, MISMATCH, PUT, RETRY, LOST, INPUT, NO_BUS, LAMBDA = (
    "eb-target-no-permission",
    "eb-target-missing",
    "eb-rule-disabled",
    "eb-pattern-mismatch",
    "eb-put-failed-entries",
    "eb-retry-exhausted",
    "eb-dlq-undeliverable",
    "eb-input-transformer",
    "eb-bus-not-found",
    "lambda-trigger-no-resource-permission",
)

FAILED = metric("FailedInvocations", {12: 4, 13: 5})
INVOKED = metric("Invocations", {12: 4, 13: 5})
NONE_FAILED = metric("FailedInvocations")
RETRIED = metric("RetryInvocationAttempts", {12: 40})
NOT_RETRIED = metric("RetryInvocationAttempts")
QUIET = steady(until=6)
OTHERS = metric(
    "MatchedEvents", dict.fromkeys(range(20), 3.0), dimensions={"EventBusName": "shop", "RuleName": "audit"}
)
OFF_STATE = rule(state="DISABLED")
NEVER = json.dumps({"detailType": ["OrderPlaced"]})
BROKEN = {"template": '{"id": <id>,}', "paths": {"id": "$.detail.id"}}
SOUND = {"template": '{"id": <id>}', "paths": {"id": "$.detail.id"}}
LAMBDA_ERRORS = metric("Errors", {7: 3}, namespace="AWS/Lambda", dimensions={"FunctionName": "send-mail"})

CASES = {
    "function closed": ([targets(FUNCTION), closed(), FAILED], {REFUSED, LAMBDA}, {REFUSED}),
    "function closed by a change": (
        [targets(FUNCTION), closed(), change("RemovePermission20150331v2", of="lambda")],
        {REFUSED, LAMBDA},
        {REFUSED},
    ),
    "function closed, no failure seen": ([targets(FUNCTION), closed()], {REFUSED}, set()),
    "queue closed": ([targets(QUEUE), closed(QUEUE), FAILED], {REFUSED}, {REFUSED}),
    "function open": ([targets(FUNCTION), destination(), FAILED], {RETRY}, set()),
    "closed to others, called under a role": (
        [targets(FUNCTION, role_arn=ROLE), closed(), role_access(target_arn=FUNCTION), FAILED],
        {RETRY},
        set(),
    ),
    "closed and the rule is off": ([OFF_STATE, targets(FUNCTION), closed()], {OFF}, {OFF}),
    "role gone": ([targets(MACHINE, role_arn=ROLE), role_access(exists=False), FAILED], {REFUSED}, {REFUSED}),
    "role not trusted": ([targets(MACHINE, role_arn=ROLE), role_access(trusts=False), FAILED], {REFUSED}, {REFUSED}),
    "role not allowed": ([targets(MACHINE, role_arn=ROLE), role_access(allowed=False), FAILED], {REFUSED}, {REFUSED}),
    "role unclear": ([targets(MACHINE, role_arn=ROLE), role_access(allowed=None, trusts=None)], set(), set()),
    "target gone": ([targets(QUEUE), missing(QUEUE), FAILED], {GONE}, {GONE}),
    "target deleted": ([targets(QUEUE), missing(QUEUE), change("DeleteQueue", of="sqs")], {GONE}, {GONE}),
    "target gone, no failure seen": ([targets(QUEUE), missing(QUEUE)], {GONE}, set()),
    "target there": ([targets(QUEUE), destination(QUEUE)], set(), set()),
    "dead-letter queue gone, no failure": ([targets(QUEUE, dead_letter_arn=DLQ), missing(DLQ)], set(), set()),
    "no targets": ([rule(), targets(), steady()], {GONE}, {GONE}),
    "targets removed": ([rule(), targets(), change("RemoveTargets")], {GONE}, {GONE}),
    "no targets, never matched": ([rule(), targets()], {GONE}, set()),
    "no targets and off": ([OFF_STATE, targets()], {OFF}, {OFF}),
    "dead letters lost": (
        [targets(QUEUE, dead_letter_arn=DLQ), closed(DLQ), metric("InvocationsFailedToBeSentToDlq", {12: 2})],
        {LOST},
        {LOST},
    ),
    "dead letters arrive": (
        [
            targets(QUEUE, dead_letter_arn=DLQ),
            destination(DLQ),
            destination(QUEUE),
            metric("InvocationsSentToDlq", {12: 2}),
        ],
        {RETRY},
        set(),
    ),
    "target gone and dead letters lost": (
        [
            targets(QUEUE, dead_letter_arn=DLQ),
            missing(QUEUE),
            FAILED,
            metric("InvocationsFailedToBeSentToDlq", {12: 2}),
        ],
        {GONE, LOST},
        {GONE},
    ),
    "retries used up": ([targets(FUNCTION), destination(), FAILED, RETRIED], {RETRY}, set()),
    "refused at once, out of sight": (
        [targets(BUS), destination(BUS, exists=None, admits=None, why="elsewhere"), FAILED, NOT_RETRIED],
        {REFUSED},
        set(),
    ),
    "refused at once, never looked at": ([targets(BUS), FAILED, NOT_RETRIED], {REFUSED}, set()),
    "failed at once, target open": ([targets(FUNCTION), destination(), FAILED, NOT_RETRIED], {RETRY}, set()),
    "failed out of sight after retries": ([targets(BUS), FAILED, RETRIED], {RETRY}, set()),
    "retries that helped": ([targets(FUNCTION), destination(), INVOKED, NONE_FAILED, RETRIED], set(), set()),
    "dead letters say exhausted": (
        [change("PutTargets", error="X", said="EXHAUSTED_RETRY_CONDITION=MaximumRetryAttempts")],
        {RETRY},
        {RETRY},
    ),
    "off": ([OFF_STATE], {OFF}, {OFF}),
    "off by a person": ([OFF_STATE, change("DisableRule"), QUIET], {OFF}, {OFF}),
    "deleted": ([rule(exists=False), change("DeleteRule")], {OFF}, {OFF}),
    "never there": ([rule(exists=False)], {OFF}, set()),
    "on with all management events": ([rule(state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")], set(), set()),
    "bus of the rule gone": ([rule(exists=False, bus_exists=False)], {NO_BUS}, {NO_BUS}),
    "pattern never fits": ([rule(pattern=NEVER)], {MISMATCH}, {MISMATCH}),
    "pattern odd and the rule matches": ([rule(pattern=NEVER), steady()], set(), set()),
    "pattern changed, quiet since": (
        [rule(), steady(until=6), OTHERS, change("PutRule", eventPattern='{"source":["x"]}')],
        {MISMATCH},
        set(),
    ),
    "pattern changed late, quiet since": (
        [rule(), steady(until=17), OTHERS, change("PutRule", at=16, eventPattern='{"source":["x"]}')],
        {MISMATCH},
        set(),
    ),
    "pattern changed, still matches": (
        [rule(), steady(), OTHERS, change("PutRule", eventPattern='{"source":["x"]}')],
        set(),
        set(),
    ),
    "quiet while the bus is busy": ([rule(), steady(until=0), OTHERS], {MISMATCH}, set()),
    "quiet and nothing shows events": ([rule(), steady(until=0)], set(), set()),
    "busy bus, but off": ([OFF_STATE, steady(until=0), OTHERS], {OFF}, {OFF}),
    "pattern refused": (
        [rule(), change("PutRule", error="InvalidEventPatternException", said="Event pattern is not valid. Reason: x")],
        {MISMATCH},
        {MISMATCH},
    ),
    "template broken and failing": (
        [rule(), targets(FUNCTION, **BROKEN), destination(), FAILED],
        {INPUT, RETRY},
        {INPUT},
    ),
    "template broken, nothing fails": ([rule(), targets(FUNCTION, **BROKEN), destination()], set(), set()),
    "template sound and failing": ([rule(), targets(FUNCTION, **SOUND), destination(), FAILED], {RETRY}, set()),
    "template changed, then errors": (
        [rule(), targets(FUNCTION, **SOUND), LAMBDA_ERRORS, change("PutTargets", inputTemplate="x")],
        {INPUT},
        set(),
    ),
    "template changed after the errors": (
        [rule(), targets(FUNCTION, **SOUND), LAMBDA_ERRORS, change("PutTargets", at=9, inputTemplate="x")],
        set(),
        set(),
    ),
    "targets changed without a template": (
        [rule(), targets(FUNCTION), LAMBDA_ERRORS, change("PutTargets", targets="x")],
        set(),
        set(),
    ),
    "template refused": (
        [
            change(
                "PutTargets",
                error="ValidationException",
                said="InputTemplate for target 1 contains invalid placeholder <x>.",
            )
        ],
        {INPUT},
        {INPUT},
    ),
    "nothing wrong": ([rule(), targets(FUNCTION), destination(), steady(), INVOKED, NONE_FAILED], set(), set()),
    "nothing known": ([], set(), set()),
}


@pytest.mark.parametrize(("evidence", "causes", "certain"), CASES.values(), ids=CASES)
def test_what_is_wrong_with_a_rule_is_named(evidence, causes, certain) -> None:
    found = judged(RULE, *evidence)

    assert set(found) == causes
    assert proven(found) == certain


def test_a_closed_function_is_named_at_the_rule_unless_the_function_was_asked_about() -> None:
    evidence = [targets(f"{FUNCTION}:live"), closed(f"{FUNCTION}:live"), FAILED]
    of_rule, of_both = judged(RULE, *evidence), judged(RULE, *evidence, around=graph(RULE, (RULE, FUNCTION)))

    assert of_rule[LAMBDA].resource == FUNCTION
    assert (of_rule[REFUSED].resource, of_rule[REFUSED].defers_to, of_rule[LAMBDA].defers_to) == (RULE, (), (RULE,))
    assert (of_both[REFUSED].defers_to, of_both[LAMBDA].defers_to) == ((FUNCTION,), ())
    assert LAMBDA in proven(of_both)


def test_who_took_the_permission_away_is_said_with_the_time() -> None:
    taken = change("RemovePermission20150331v2", of="lambda", at=9)
    of_the_bus = change("RemovePermission", at=11)
    found = judged(RULE, targets(FUNCTION), closed(), FAILED, taken, of_the_bus)[REFUSED]

    assert found.since == minute(9)
    assert "9 events were not delivered" in found.summary
    assert "taken away by `mia` at 09:45 UTC" in found.summary
    assert taken.id in found.evidence


@pytest.mark.parametrize("seen", [closed(), missing()], ids=["closed", "gone"])
def test_deliveries_without_a_failure_contradict_a_closed_or_missing_target(seen) -> None:
    found = judged(RULE, targets(FUNCTION), seen, INVOKED, NONE_FAILED)

    assert all(one.contradicting for one in found.values())
    assert not proven(found)


def test_given_up_events_point_to_a_target_that_is_looked_at_too() -> None:
    goal = [targets(f"{FUNCTION}:live", retries=2), destination(f"{FUNCTION}:live")]
    throttles = metric("Throttles", {12: 31}, namespace="AWS/Lambda", dimensions={"FunctionName": "send-mail"})
    alone = judged(RULE, *goal, FAILED, RETRIED, throttles)[RETRY]

    assert judged(RULE, *goal, FAILED, RETRIED, around=graph(RULE, (RULE, FUNCTION)))[RETRY].defers_to == (FUNCTION,)
    assert alone.defers_to == ()
    assert "9 events of `order-placed` were not delivered after 40 retries" in alone.summary
    assert "the target was throttled 31 times" in alone.summary
    assert "retried 2 times only" in alone.summary
    assert strengths(alone) == {"strong"}
    assert strengths(judged(RULE, targets(FUNCTION), FAILED)[RETRY]) == {"strong"}


def test_a_pattern_change_is_strong_and_a_quiet_rule_alone_is_not() -> None:
    put = change("PutRule", eventPattern='{"source":["x"]}')
    old = change("PutRule", at=1, eventPattern='{"source":["com.shop"]}')
    changed, quiet = (
        judged(RULE, rule(), QUIET, OTHERS, *more)[MISMATCH] for more in ([old, put], [metric("Invocations")])
    )
    never_busy = judged(RULE, rule(), metric("MatchedEvents"), OTHERS)[MISMATCH]

    assert changed.since == minute(5)
    assert "since its pattern was changed by `mia` at 09:41 UTC (`source`)" in changed.summary
    assert put.id in changed.evidence
    assert strengths(quiet) == {"strong", "weak"}
    assert strengths(never_busy) == {"weak"}


def test_a_rule_that_stops_together_with_the_others_of_its_bus_is_not_called_broken() -> None:
    put = change("PutRule", at=4, eventPattern='{"source":["x"]}')
    where = OTHERS.dimensions
    with_it, later = (
        metric("MatchedEvents", {m: 3.0 for m in range(20) if m < until}, usual=3.0, dimensions=where)
        for until in (6, 12)
    )
    together, alone = (judged(RULE, rule(), QUIET, put, one)[MISMATCH] for one in (with_it, later))

    assert strengths(together) == {"weak"}
    assert together.summary.endswith("but other rules of its bus stopped with it")
    assert "strong" in strengths(alone)
    assert alone.summary.endswith("while its bus receives events")


def test_a_rule_that_seldom_matches_is_not_called_broken_for_a_quiet_window() -> None:
    seldom = metric("MatchedEvents", usual=0).model_copy(update={"baseline": (metric("M", {-100: 1}).points)})
    found = judged(RULE, rule(), seldom, OTHERS, change("PutRule", eventPattern='{"source":["x"]}'))

    assert strengths(found[MISMATCH]) == {"weak"}


def test_the_same_pattern_put_again_is_no_change() -> None:
    again = [change("PutRule", at=at, eventPattern='{"source":["x"]}') for at in (1, 8)]
    found = judged(RULE, rule(), steady(until=2), OTHERS, *again)

    assert found[MISMATCH].since == minute(1)


def test_calls_in_the_trace_show_that_events_arrive() -> None:
    call = put_call()
    found = judged(RULE, rule(), steady(until=0), call, around=graph(RULE, (PUBLISHER, BUS)))

    assert call.id in found[MISMATCH].evidence
    assert MISMATCH not in judged(RULE, rule(), steady(until=0), put_call("ThrottlingException", "x"))


def test_a_rule_that_went_quiet_alone_is_stated() -> None:
    assert any("stopped matching" in fact for fact in facts(RULE, rule(), steady(until=0)))


BUS_CASES = {
    "gone": ([bus(exists=False)], {NO_BUS}, {NO_BUS}),
    "gone, callers told": ([bus(exists=False), put_call("ResourceNotFoundException", "Event bus shop does not exist.")], {NO_BUS}, {NO_BUS}),
    "callers told": ([put_call("ResourceNotFoundException", f"Event bus {BUS} does not exist.")], {NO_BUS}, {NO_BUS}),
    "told in the caller's part": ([segment("ClientError", "Event bus shop does not exist.")], {NO_BUS}, {NO_BUS}),
    "another bus": ([bus(), segment("ClientError", "Event bus shop-2 does not exist.")], set(), set()),
    "denied": ([bus(), put_call("AccessDeniedException", "is not authorized to perform: events:PutEvents")], set(), set()),
    "entries rejected": ([bus(), put_call(), log('{"FailedEntryCount":1,"ErrorCode":"MalformedDetail"}')], {PUT}, {PUT}),
    "entries rejected in a state machine": ([bus(), segment("EventBridge.FailedEntry", "{}")], {PUT}, {PUT}),
    "entries taken": ([bus(), put_call(), log('{"FailedEntryCount":0,"Entries":[{}]}')], set(), set()),
    "counted in the Region only": ([bus(), metric("PutEventsFailedEntriesCount", {3: 2}, resource=BUS, dimensions={})], {PUT}, set()),
    "none counted": ([bus(), metric("PutEventsFailedEntriesCount", {3: 0}, resource=BUS, dimensions={})], set(), set()),
    "a rule of it is off": (
        [bus(), bus_rules(on_bus("order-placed", "DISABLED")), metric("MatchedEvents", usual=5, resource=BUS)],
        {OFF},
        {OFF},
    ),
    "a rule of it is off for long": ([bus(), bus_rules(on_bus("order-placed", "DISABLED")), metric("MatchedEvents", resource=BUS)], set(), set()),
    "healthy": ([bus(), bus_rules(on_bus("order-placed")), put_call()], set(), set()),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "causes", "certain"), BUS_CASES.values(), ids=BUS_CASES)
def test_what_is_wrong_with_a_bus_is_named(evidence, causes, certain) -> None:
    found = judged(BUS, *evidence, around=PUBLISHED)

    assert set(found) == causes
    assert proven(found) == certain


def test_a_rule_of_the_bus_is_accused_by_its_own_arn() -> None:
    found = judged(
        BUS, bus(), bus_rules(on_bus("order-placed", "DISABLED")), metric("MatchedEvents", usual=5, resource=BUS)
    )

    assert found[OFF].resource == RULE
    assert found[OFF].since == minute(-1)


def test_a_missing_bus_is_accused_also_when_its_rule_was_asked_about() -> None:
    assert judged(RULE, rule(exists=False, bus_exists=False))[NO_BUS].resource == BUS


def test_a_missing_bus_says_who_deleted_it_and_which_are_there() -> None:
    deleted = change("DeleteEventBus", resource=BUS)
    nearby = NearbyBuses(resource=BUS, source="events:ListEventBuses", names=("shop-eu",))

    assert "deleted by `mia` at 09:41 UTC" in judged(BUS, bus(exists=False), deleted)[NO_BUS].summary
    assert "`shop-eu`" in advice(BUS, bus(exists=False), nearby)[0]
    assert judged(BUS, bus(), put_call("X", "Event bus shop does not exist."))[NO_BUS].contradicting


def test_rejected_entries_name_the_codes_and_the_share() -> None:
    found = judged(
        BUS,
        log('{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"Detail is malformed."}]}'),
        metric("PutEventsFailedEntriesCount", {3: 2}, resource=BUS, dimensions={}),
        metric("PutEventsEntriesCount", {3: 40}, resource=BUS, dimensions={}),
        around=PUBLISHED,
    )[PUT]

    assert "2 of 40 entries" in found.summary
    assert "(MalformedDetail)" in found.summary
    assert found.since == minute(18)


def test_a_publisher_of_two_buses_is_believed_only_where_it_names_this_one() -> None:
    two = graph(BUS, (PUBLISHER, BUS), (PUBLISHER, f"{BUS}-2"))
    rejected = '{"FailedEntryCount":1}'

    assert judged(BUS, bus(), log(rejected), around=two) == {}
    assert PUT in judged(BUS, bus(), log(f"bus shop: {rejected}"), around=two)


PIPE_CASES = {
    "stopped": ([pipe(state="STOPPED", desired="STOPPED", reason="User initiated")], {OFF}),
    "deleted": ([pipe(exists=False), change("DeletePipe", resource=PIPE, of="pipes")], {OFF}),
    "turned away": ([pipe(state="STOPPED", reason="role x is not authorized to perform: lambda:InvokeFunction")], {REFUSED}),
    "target gone": ([pipe(state="STOPPED", reason=f"The target {FUNCTION} was not found")], {GONE}),
    "cannot start": ([pipe(state="START_FAILED", reason="Invalid parameter")], {OFF}),
    "running": ([pipe()], set()),
    "starting": ([pipe(state="STARTING")], set()),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "certain"), PIPE_CASES.values(), ids=PIPE_CASES)
def test_why_a_pipe_stands_still_is_named(evidence, certain) -> None:
    assert proven(judged(PIPE, *evidence)) == certain


def test_a_pipe_that_was_never_there_may_be_a_slip() -> None:
    assert proven(judged(PIPE, pipe(exists=False))) == set()


def test_a_running_pipes_failures_point_to_its_target_or_its_role() -> None:
    own = {"resource": PIPE, "namespace": "AWS/EventBridge/Pipes", "dimensions": {"PipeName": "orders-to-shop"}}
    failed = metric("TargetStageFailed", {3: 2}, **own)
    goal = targets(FUNCTION, resource=PIPE, role_arn=ROLE)
    denied = role_access(resource=PIPE, target_arn=FUNCTION, action="lambda:InvokeFunction", allowed=False)

    assert judged(PIPE, pipe(), goal, failed, around=graph(PIPE, (PIPE, FUNCTION)))[RETRY].defers_to == (FUNCTION,)
    assert proven(judged(PIPE, pipe(), goal, failed, denied)) == {REFUSED}


def test_what_is_normal_is_stated() -> None:
    said = facts(RULE, rule(), targets(FUNCTION), destination(), steady(), INVOKED, NONE_FAILED)

    assert "Rule `order-placed` on event bus `shop` is enabled" in said
    assert "The target `send-mail` of `order-placed` exists and lets it in" in said
    assert "`order-placed`: 200 events matched, 9 calls of targets, 0 failed for good" in said
    assert "1 traced calls to `shop` succeeded" in facts(BUS, put_call())
    assert any("was throttled 3 times" in fact for fact in facts(RULE, metric("ThrottledRules", {2: 3})))


def test_advice_is_given_where_dead_letters_would_be_lost() -> None:
    assert "has no dead-letter queue" in advice(RULE, targets(FUNCTION), FAILED)[0]
    assert "would be lost" in advice(RULE, targets(QUEUE, dead_letter_arn=DLQ), closed(DLQ))[0]
    assert advice(RULE, targets(QUEUE, dead_letter_arn=DLQ), destination(DLQ)) == []


def test_names_in_any_script_and_huge_histories_are_judged() -> None:
    arn = f"arn:aws:events:{HERE}:rule/" + "ü" * 64
    state = rule(resource=arn, name="ü" * 64, bus="default", state="DISABLED")
    history = [change("PutTargets", at=-n / 100, resource=arn) for n in range(2_000)]

    assert set(judged(arn, state, *history)) == {OFF}


def test_any_part_of_the_evidence_is_judged_without_a_crash() -> None:
    everything = [
        item for evidence, *_ in (*CASES.values(), *BUS_CASES.values(), *PIPE_CASES.values()) for item in evidence
    ]
    choose = random.Random(7)
    for _ in range(300):
        some = choose.sample(everything, 6)
        for target in (RULE, BUS, PIPE):
            for finding in findings(SPECIALIST.rules, case(target, *some)):
                assert finding


def test_every_declared_cause_is_in_the_catalogue_and_every_row_of_eventbridge_is_covered() -> None:
    declared = {code for each in SPECIALIST.rules for code in each.causes}

    assert declared <= set(CAUSES)
    assert {code for code, row in CAUSES.items() if row.service == "eventbridge"} | {LAMBDA} == declared


@pytest.mark.parametrize(
    "seen", [[FAILED], [FAILED, NOT_RETRIED], [FAILED, destination()]], ids=["", "at once", "open"]
)
def test_lost_events_alone_are_no_verdict_and_no_all_clear(seen) -> None:
    found = case(RULE, targets(FUNCTION), *seen)
    claimed = [f for f in findings(SPECIALIST.rules, found) if isinstance(f, Hypothesis)]
    settled = settle(claimed, found.evidence, found.graph)

    assert settled.root is None
    assert settled.strongest >= SUSPICION


def test_rejected_entries_that_are_usual_in_the_region_say_little_of_this_bus() -> None:
    new, usual = (
        metric("PutEventsFailedEntriesCount", {3: 2}, usual=was, resource=BUS, dimensions={}) for was in (0, 2)
    )

    assert strengths(judged(BUS, bus(), new)[PUT]) == {"strong"}
    assert strengths(judged(BUS, bus(), usual)[PUT]) == {"weak"}
    assert "inside calls that succeed" in judged(BUS, bus(), new)[PUT].summary
