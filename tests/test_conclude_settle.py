"""Which hypothesis is the root cause: position, explanation, time, change; and when to abstain."""

import pytest

from domain.causes import CAUSES
from domain.report import ReportStatus
from orchestrator.conclude.conclusion import Conclusion
from orchestrator.conclude.naming import label
from specialists.kit.change import Change
from tests.support.concluding import (
    API,
    CHANGE,
    CODE,
    DENIED,
    FUNCTION,
    OTHER,
    QUEUE,
    ROLE,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    TIMEOUT,
    called,
    concluded,
    graph_of,
    hypothesis,
    looks,
    minutes,
    one,
    result,
    roles,
    segment,
    traced,
)

TRACE = traced(*THROTTLED_TRACE)
THROTTLE_CALL = THROTTLED_TRACE[3]
T = looks(TABLE, "capacity", "metric")
F = looks(FUNCTION, "log", "errors")
Q = looks(QUEUE, "policy", "depth", "age")
SEEN = (*TRACE, *T, *F, *Q)

TABLE_THROTTLES = hypothesis(THROTTLED, TABLE, proof=[THROTTLE_CALL], strong=T)
FUNCTION_RAISES = hypothesis(CODE, FUNCTION, proof=F[:1], strong=F[1:])


# --- position and explanation


def test_a_downstream_fault_explains_the_upstream_symptoms() -> None:
    api = hypothesis("apigw-integration-failure", API, strong=looks(API, "5xx"))
    found = concluded((*SEEN, *looks(API, "5xx")), FUNCTION_RAISES, api, TABLE_THROTTLES)

    assert roles(found) == {
        (THROTTLED, TABLE): "root_cause",
        (CODE, FUNCTION): "symptom",
        ("apigw-integration-failure", API): "symptom",
    }
    assert one(found, CODE, FUNCTION).explained_by == f"{THROTTLED}@{TABLE}"


def test_a_better_supported_symptom_still_is_a_symptom() -> None:
    more = looks(FUNCTION, "log", "errors", "report", "trace", "invoke")
    loud = hypothesis(CODE, FUNCTION, proof=more)
    found = concluded((*SEEN, *more), loud, TABLE_THROTTLES)

    assert found.root_cause is not None
    assert found.root_cause.resource == TABLE


def test_a_sharp_cause_beats_a_blunt_one_at_the_same_resource() -> None:
    broken = (segment(FUNCTION, fault=True, origin=True),)
    memory = hypothesis("lambda-oom", FUNCTION, proof=F[:1])
    blunt = hypothesis(CODE, FUNCTION, proof=F)
    found = concluded((*traced(*broken), *F), blunt, memory)

    assert CAUSES[CODE].generic
    assert not CAUSES["lambda-oom"].generic
    assert roles(found) == {("lambda-oom", FUNCTION): "root_cause", (CODE, FUNCTION): "symptom"}


def test_a_sharp_cause_upstream_is_not_explained_away() -> None:
    config = hypothesis("lambda-oom", FUNCTION, proof=F)
    weak = hypothesis(THROTTLED, TABLE, weak=T[:1])
    found = concluded(SEEN, config, weak)

    assert roles(found)[("lambda-oom", FUNCTION)] == "root_cause"


def test_what_a_hypothesis_defers_to_explains_it_without_any_call_between_them() -> None:
    deferring = hypothesis("lambda-oom", FUNCTION, proof=F, defers_to=(ROLE,))
    denied = hypothesis(DENIED, ROLE, proof=looks(ROLE, "policy", "simulated"))
    found = concluded((*F, *looks(ROLE, "policy", "simulated")), deferring, denied)

    assert roles(found)[("lambda-oom", FUNCTION)] == "symptom"


def test_a_role_outside_the_graph_explains_the_call_that_it_denied() -> None:
    call = called(FUNCTION, QUEUE, code="AccessDeniedException", error=True, fault=True, origin=True, http_status=400)
    items = traced(segment(FUNCTION, fault=True), call)
    denied = hypothesis(DENIED, ROLE, proof=[call], strong=looks(ROLE, "policy"))
    found = concluded((*items, *F, *looks(ROLE, "policy")), FUNCTION_RAISES, denied)

    assert roles(found) == {(DENIED, ROLE): "root_cause", (CODE, FUNCTION): "symptom"}


def test_symptoms_that_explain_each_other_in_a_circle_end_at_the_likeliest() -> None:
    both = traced(
        segment(FUNCTION, fault=True, origin=True),
        segment(OTHER, fault=True, origin=True),
        called(FUNCTION, OTHER, fault=True),
        called(OTHER, FUNCTION, fault=True),
    )
    o = looks(OTHER, "log")
    likelier = hypothesis(CODE, FUNCTION, proof=F)
    found = concluded((*both, *F, *o), likelier, hypothesis(CODE, OTHER, proof=o))

    assert roles(found) == {(CODE, FUNCTION): "root_cause", (CODE, OTHER): "symptom"}
    assert one(found, CODE, OTHER).explained_by == f"{CODE}@{FUNCTION}"


# --- time and change


def test_a_cause_that_begins_long_after_its_symptom_explains_nothing() -> None:
    early = FUNCTION_RAISES.model_copy(update={"since": minutes(-60)})
    late = TABLE_THROTTLES.model_copy(update={"since": minutes(-10)})
    found = concluded(SEEN, early, late)

    assert one(found, CODE, FUNCTION).explained_by is None


def test_a_cause_first_seen_in_the_traced_request_may_have_begun_before() -> None:
    early = FUNCTION_RAISES.model_copy(update={"since": minutes(-60)})
    found = concluded(SEEN, early, TABLE_THROTTLES)

    assert roles(found)[(CODE, FUNCTION)] == "symptom"


def test_a_cause_may_show_a_little_later_than_its_symptom() -> None:
    found = concluded(SEEN, FUNCTION_RAISES, hypothesis(THROTTLED, TABLE, proof=[THROTTLE_CALL], strong=T, since=4))

    assert roles(found)[(CODE, FUNCTION)] == "symptom"


def test_a_change_just_before_is_the_trigger_and_makes_its_effect_surer() -> None:
    change = hypothesis(CHANGE, TABLE, proof=looks(TABLE, "UpdateTable"), since=-2)
    without = concluded(SEEN, TABLE_THROTTLES).root_cause
    found = concluded((*SEEN, *looks(TABLE, "UpdateTable")), TABLE_THROTTLES, change)

    assert roles(found) == {(THROTTLED, TABLE): "root_cause", (CHANGE, TABLE): "trigger"}
    assert without is not None
    assert found.root_cause is not None
    assert found.root_cause.confidence > without.confidence


def test_a_cause_with_a_later_change_of_its_own_was_not_set_off_by_an_earlier_one() -> None:
    earlier = looks(TABLE, "UpdateTable")
    change = hypothesis(CHANGE, TABLE, proof=earlier, since=-30)

    def found(at: float) -> dict[tuple[str, str], str]:
        own = Change(
            resource=TABLE, source="cloudtrail:LookupEvents", observed_at=minutes(at), event_id="own",
            event_name="DeleteTable", event_source="dynamodb.amazonaws.com", who="mia",
        )  # fmt: skip
        cause = hypothesis(THROTTLED, TABLE, proof=[THROTTLE_CALL], strong=[*T, own], since=-2)
        return roles(concluded((*SEEN, *earlier, own), cause, change))

    assert found(-2)[(CHANGE, TABLE)] != "trigger"
    assert found(-30)[(CHANGE, TABLE)] == "trigger"


@pytest.mark.parametrize("since", [10, 60, 600])
def test_a_change_after_the_failure_began_neither_triggers_nor_is_the_root(since: float) -> None:
    change = hypothesis(CHANGE, TABLE, proof=looks(TABLE, "UpdateTable", "deploy", "config"), since=since)
    found = concluded((*SEEN, *looks(TABLE, "UpdateTable", "deploy", "config")), TABLE_THROTTLES, change)

    assert roles(found) == {(THROTTLED, TABLE): "root_cause", (CHANGE, TABLE): "ruled_out"}


def test_a_change_on_a_resource_that_nothing_connects_triggers_nothing() -> None:
    change = hypothesis(CHANGE, OTHER, strong=looks(OTHER, "UpdateFunctionCode"), since=-2)
    found = concluded((*SEEN, *looks(OTHER, "UpdateFunctionCode")), TABLE_THROTTLES, change)

    assert roles(found)[(CHANGE, OTHER)] in {"minority", "ruled_out"}


def test_new_code_that_asks_for_a_right_its_role_never_had_is_the_trigger() -> None:
    call = called(FUNCTION, QUEUE, code="AccessDenied", error=True, origin=True, http_status=403)
    items = traced(segment(FUNCTION, fault=True), call)
    changed = looks(FUNCTION, "UpdateFunctionCode")
    denied = hypothesis(DENIED, ROLE, proof=[call], strong=looks(ROLE, "policy"))
    raises = hypothesis(CODE, FUNCTION, strong=F)
    change = hypothesis(CHANGE, FUNCTION, weak=changed, since=-2)
    seen = (*items, *F, *looks(ROLE, "policy"), *changed)

    assert roles(concluded(seen, denied, raises, change))[(CHANGE, FUNCTION)] == "trigger"
    assert roles(concluded(seen, denied, change))[(CHANGE, FUNCTION)] == "ruled_out"


def test_a_change_alone_may_be_the_root() -> None:
    broken = traced(segment(FUNCTION, fault=True, origin=True))
    change = hypothesis(CHANGE, FUNCTION, proof=looks(FUNCTION, "UpdateFunctionCode"), since=-2)
    found = concluded((*broken, *looks(FUNCTION, "UpdateFunctionCode")), change)

    assert roles(found) == {(CHANGE, FUNCTION): "root_cause"}


# --- abstaining


def test_weak_evidence_is_no_verdict_and_keeps_its_place_as_a_minority() -> None:
    found = concluded(SEEN, hypothesis(THROTTLED, TABLE, weak=T))

    assert found.root_cause is None
    assert found.verdict.status is ReportStatus.INCONCLUSIVE
    assert roles(found) == {(THROTTLED, TABLE): "minority"}


def test_two_roots_of_about_equal_weight_are_shown_as_two() -> None:
    o = looks(OTHER, "log")
    items = traced(segment(FUNCTION, fault=True, origin=True), segment(OTHER, fault=True, origin=True))
    first = hypothesis("lambda-oom", FUNCTION, proof=F[:1])
    second = hypothesis("lambda-oom", OTHER, proof=o)
    found = concluded((*items, *F, *o), first, second)
    alone = concluded((*items, *F, *o), first)

    assert sorted(roles(found).values()) == ["contributing", "root_cause"]
    assert "About as likely" in found.verdict.summary
    assert found.root_cause is not None
    assert alone.root_cause is not None
    assert found.root_cause.confidence < alone.root_cause.confidence


def test_the_rival_named_in_the_verdict_is_the_rival_not_a_bystander() -> None:
    o = looks(OTHER, "log", "report")
    items = traced(segment(FUNCTION, fault=True, origin=True), segment(OTHER, fault=True, origin=True))
    root = hypothesis("lambda-oom", FUNCTION, proof=F)
    rival = hypothesis("lambda-oom", OTHER, proof=o)
    near = hypothesis("lambda-tmp-full", FUNCTION, proof=F[:1], strong=F[1:])
    found = concluded((*items, *F, *o), root, rival, near)
    other = next(h for h in found.ranked if h.cause == "lambda-oom" and h.role.value == "contributing")

    assert [h.cause for h in found.ranked if h.role.value == "contributing"] != ["lambda-oom"]
    assert f"About as likely: {label(other.resource, graph_of(items))}" in found.verdict.summary


def test_a_contradicted_hypothesis_is_ruled_out() -> None:
    against = looks(TABLE, "on-demand", "unused")
    found = concluded((*SEEN, *against), hypothesis(THROTTLED, TABLE, strong=T[:1], against=against))

    assert roles(found) == {(THROTTLED, TABLE): "ruled_out"}
    assert set(one(found, THROTTLED, TABLE).contradicting) == {e.id for e in against}


def test_repeating_one_look_is_no_second_opinion() -> None:
    twice = [e.model_copy(update={"source": "test:same"}) for e in looks(TABLE, "a", "b", "c", "d")]
    found = concluded((*TRACE, *twice), hypothesis(THROTTLED, TABLE, weak=twice))
    single = concluded((*TRACE, *twice), hypothesis(THROTTLED, TABLE, weak=twice[:1]))

    assert one(found, THROTTLED, TABLE).confidence == one(single, THROTTLED, TABLE).confidence


def test_a_claim_without_evidence_that_was_seen_is_dropped() -> None:
    invented = hypothesis(THROTTLED, TABLE, proof=looks(TABLE, "never seen"))

    assert concluded(SEEN, invented).ranked == ()


# --- neighbours and what lies deeper


@pytest.mark.parametrize("cause", ["sqs-backlog", "sqs-kms", "sqs-inflight-limit"])
def test_an_innocent_neighbour_is_never_the_root(cause: str) -> None:
    loud = hypothesis(cause, QUEUE, proof=Q)
    found = concluded(SEEN, loud)

    assert found.root_cause is None
    assert found.verdict.status is ReportStatus.INCONCLUSIVE


def test_a_change_does_not_lift_an_innocent_neighbour_over_the_threshold() -> None:
    change = hypothesis(CHANGE, QUEUE, proof=looks(QUEUE, "SetQueueAttributes"), since=-1)
    found = concluded((*SEEN, *looks(QUEUE, "SetQueueAttributes")), hypothesis("sqs-kms", QUEUE, proof=Q), change)

    assert found.root_cause is None


def test_a_neighbour_that_cites_the_failing_call_may_be_the_root() -> None:
    citing = hypothesis("sqs-kms", QUEUE, proof=[THROTTLE_CALL], strong=Q)

    assert roles(concluded(SEEN, citing)) == {("sqs-kms", QUEUE): "root_cause"}


def test_a_symptom_whose_deeper_resource_could_not_be_read_is_no_confident_verdict() -> None:
    found = concluded(SEEN, FUNCTION_RAISES)

    assert found.root_cause is None
    assert one(found, CODE, FUNCTION).confidence < 0.6


def test_what_a_failing_caller_was_still_waiting_for_is_no_innocent_neighbour() -> None:
    waiting = called(FUNCTION, TABLE, pending=True)
    items = traced(segment(FUNCTION, fault=True, origin=True), waiting)
    slow = hypothesis("ddb-hot-partition", TABLE, proof=T[:1], strong=T[1:])
    timeout = hypothesis(TIMEOUT, FUNCTION, proof=F, defers_to=(TABLE,))
    found = concluded((*items, *F, *T), slow, timeout)

    assert roles(found) == {("ddb-hot-partition", TABLE): "root_cause", (TIMEOUT, FUNCTION): "symptom"}


def test_a_call_that_names_no_table_leaves_its_caller_undecided_and_asks_for_the_name() -> None:
    def raising(service: str) -> Conclusion:
        refused = called(FUNCTION, service, code="TransactionCanceledException", fault=True, origin=True)
        items = traced(segment(FUNCTION, fault=True), refused)
        raised = hypothesis(CODE, FUNCTION, strong=F, defers_to=(service,))
        return concluded((*items, *F), raised)

    nameless, unknown = raising("aws:DynamoDB"), raising("aws:Translate")

    assert raising("aws:AmazonDynamoDBv2").root_cause is raising("aws:Amazon S3").root_cause is None
    assert nameless.root_cause is None
    assert nameless.verdict.next_look == (
        "The trace does not name what of AWS service `DynamoDB` was called: ask again with its name."
    )
    assert roles(unknown) == {(CODE, FUNCTION): "root_cause"}


def test_a_symptom_that_defers_to_what_nobody_saw_is_no_confident_verdict() -> None:
    waiting = hypothesis(TIMEOUT, FUNCTION, proof=F, defers_to=(TABLE,))

    assert concluded(F, waiting, graph=graph_of(F, TABLE)).root_cause is None


def test_a_symptom_where_the_failure_itself_began_is_the_verdict() -> None:
    broken = traced(segment(FUNCTION, fault=True, origin=True))

    assert roles(concluded((*broken, *F), FUNCTION_RAISES)) == {(CODE, FUNCTION): "root_cause"}


def test_a_symptom_of_a_service_outside_aws_is_the_verdict_at_its_caller() -> None:
    remote = called(FUNCTION, "remote:api.stripe.com", fault=True, origin=True, http_status=503)
    items = traced(segment(FUNCTION, fault=True), remote)
    found = concluded((*items, *F), hypothesis("downstream-http-error", FUNCTION, proof=[remote], strong=F))

    assert roles(found) == {("downstream-http-error", FUNCTION): "root_cause"}


# --- healthy, unknown, unseen

HANDLED = [
    {"error": True, "http_status": 404},
    {"error": True, "fault": True, "http_status": 400, "code": "ConditionalCheckFailedException"},
    {"fault": True, "http_status": 403},
]


@pytest.mark.parametrize("fields", HANDLED)
def test_a_handled_refusal_inside_a_successful_request_is_no_incident(fields: dict[str, object]) -> None:
    items = traced(segment(FUNCTION), called(FUNCTION, TABLE, origin=True, **fields))
    found = concluded(items, results=[result()])

    assert found.verdict.status is ReportStatus.COMPLETED
    assert found.root_cause is None
    assert found.verdict.summary.startswith("The request succeeded, its code dealt with what failed")


@pytest.mark.parametrize("fields", HANDLED)
def test_the_same_refusal_inside_a_failed_request_is_one(fields: dict[str, object]) -> None:
    items = traced(segment(FUNCTION, fault=True), called(FUNCTION, TABLE, origin=True, **fields))

    assert concluded(items, results=[result()]).verdict.status is ReportStatus.INCONCLUSIVE


@pytest.mark.parametrize(
    "fields",
    [{"fault": True, "http_status": 503}, {"fault": True}, {"throttle": True, "error": True, "http_status": 400}],
)
def test_a_server_error_and_a_throttle_are_incidents_even_when_the_caller_lived(fields: dict[str, object]) -> None:
    items = traced(segment(FUNCTION), called(FUNCTION, TABLE, origin=True, **fields))

    assert concluded(items, results=[result()]).verdict.status is ReportStatus.INCONCLUSIVE
