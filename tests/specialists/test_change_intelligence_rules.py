"""Which changes are suspects, and which are innocent: each rule with a hit and its near misses."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Fact, Hypothesis, Strength
from domain.graph import Edge, ServiceGraph
from domain.resource import ResourceType, resource_from_arn, unnamed
from domain.trace import TraceCall, TracedError, TraceSegment
from orchestrator.conclude.story import timeline
from specialists.change_intelligence.evidence import (
    LATEST,
    UNKNOWN,
    AliasState,
    ChangesSearched,
    DeploymentChange,
    FunctionRevisions,
    ParameterChange,
    Revision,
    RevisionChange,
    StackChange,
)
from specialists.change_intelligence.rules import RULES
from specialists.change_intelligence.suspicion import FIT, HALF_LIFE, Fit, suspects
from specialists.change_intelligence.symptoms import Kind, began, kind_of, symptoms
from specialists.change_intelligence.told import Told, tell
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.changekinds import Aspect, aspects, trivial
from tests.support.concluding import concluded, overview, roles
from tests.support.concluding import result as brought
from tests.support.probing import WINDOW, findings

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"
OTHER = "arn:aws:lambda:eu-west-1:123456789012:function:other"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
ROLE = "arn:aws:iam::123456789012:role/create-order-role"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/orders/endpoint"
ONSET = datetime.fromisoformat("2026-11-20T09:53:00+00:00")
GRAPH = ServiceGraph.of(
    [resource_from_arn(arn) for arn in (FUNCTION, OTHER, TABLE, ROLE)],
    [Edge(source=FUNCTION, target=TABLE, calls=1, faults=1)],
)
TIMED_OUT = ("Sandbox.Timedout", "Task timed out after 3.00 seconds")
KEY_ERROR = ("KeyError", "'customer'")
NO_MODULE = ("Runtime.ImportModuleError", "No module named 'pdf'")
DENIED = ("AccessDeniedException", "User is not authorized to perform: dynamodb:PutItem")
THROTTLED = ("ProvisionedThroughputExceededException", "rate exceeded")


def minute(number: float) -> datetime:
    """A moment so many minutes after it began."""
    return ONSET + timedelta(minutes=number)


def segment(error: tuple[str, str] | None = TIMED_OUT, resource: str = FUNCTION, **fields: Any) -> TraceSegment:
    errors = (TracedError(type=error[0], message=error[1]),) if error else ()
    given = {"fault": True, "origin": bool(error), "seconds": 3.0, **fields}
    return TraceSegment(
        resource=resource, source="xray:BatchGetTraces", observed_at=ONSET, trace_id="1-6740a1b2-1234567890abcdef12345678",
        segment_id="s", name="create-order", start=ONSET, errors=errors, **given,
    )  # fmt: skip


def called(error: tuple[str, str] | None, **fields: Any) -> TraceCall:
    errors = (TracedError(type=error[0], code=error[0], message=error[1]),) if error else ()
    return TraceCall(
        resource=TABLE, source="xray:BatchGetTraces", observed_at=ONSET, trace_id="1-6740a1b2-1234567890abcdef12345678", segment_id="c",
        caller=FUNCTION, service="DynamoDB", operation="PutItem", start=ONSET, seconds=0.1, errors=errors, error=bool(error), origin=bool(error), **fields,
    )  # fmt: skip


def change(
    name: str, at: float, who: str = "deploy-bot", resource: str = FUNCTION, service: str = "lambda", **fields: Any
) -> Change:
    error = fields.pop("error_code", None)
    return Change(
        resource=resource, source="cloudtrail:LookupEvents", observed_at=minute(at), event_id=f"{name}{at}", event_name=name,
        event_source=f"{service}.amazonaws.com", who=who, parameters={k.replace("__", "."): str(v) for k, v in fields.items()}, error_code=error,
    )  # fmt: skip


def known(kind: type[Change], name: str, at: float, **fields: Any) -> Any:
    given = {
        "resource": FUNCTION,
        "source": f"test:{kind.__name__}",
        "who": UNKNOWN,
        "event_id": name,
        "event_source": "lambda.amazonaws.com",
    }
    return kind(**{**given, "observed_at": minute(at), "event_name": name, **fields})


def revisions(
    *published: tuple[str, float, dict[str, str]], resource: str = FUNCTION, **fields: Any
) -> FunctionRevisions:
    return FunctionRevisions(
        resource=resource, source="lambda:ListVersionsByFunction", role=ROLE, latest=Revision(version=LATEST, settings=fields.pop("latest", {})),
        published=tuple(Revision(version=v, at=minute(at), settings=settings) for v, at, settings in published), **fields,
    )  # fmt: skip


def searched(**fields: Any) -> ChangesSearched:
    given = {
        "resource": FUNCTION,
        "source": "cloudtrail:LookupEvents",
        "names": ("create-order", "orders"),
        "searched_from": minute(-1455),
    }
    return ChangesSearched(**given | fields)


def judged(*evidence: Evidence, qualifiers: tuple[str, ...] = ()) -> tuple[list[Hypothesis], list[str]]:
    """The hypotheses, and the statements of the facts; `qualifiers` are those that the function was called by."""
    target = resource_from_arn(FUNCTION).model_copy(update={"qualifiers": qualifiers})
    graph = ServiceGraph.of([target, *(n for n in GRAPH.nodes if n.id != FUNCTION)], GRAPH.edges)
    case = Case(
        target, EvidenceBundle(evidence), WINDOW, graph, "change-intelligence", (target, resource_from_arn(TABLE))
    )
    found = list(findings(RULES, case))
    return [f for f in found if isinstance(f, Hypothesis)], [f.statement for f in found if isinstance(f, Fact)]


LOWERED = (
    change("UpdateFunctionConfiguration20150331v2", -300, timeout=30),
    change("UpdateFunctionConfiguration20150331v2", -2, timeout=3),
)


def test_a_timeout_lowered_just_before_time_outs_is_a_strong_suspect_with_both_values() -> None:
    [found], facts = judged(segment(), *LOWERED)

    assert (found.cause, found.resource, found.since) == ("deploy-regression", FUNCTION, minute(-2))
    assert [s.strength for s in found.supports] == [Strength.STRONG]
    assert found.evidence == (LOWERED[1].id,)
    assert facts[0] == (
        "`deploy-bot` lowered Timeout 30 → 3 s (UpdateFunctionConfiguration) on Lambda function `create-order` at 09:51:00, "
        "2 min before the first failure in the trace; explains time-outs"
    )


def test_a_timeout_of_unknown_direction_is_a_weak_suspect() -> None:
    [found], _ = judged(segment(), LOWERED[1])

    assert [s.strength for s in found.supports] == [Strength.WEAK]


@pytest.mark.parametrize(
    "innocent",
    [
        pytest.param((change("UpdateFunctionConfiguration", -300, timeout=3), change("UpdateFunctionConfiguration", -2, timeout=30)), id="raised"),
        pytest.param((LOWERED[0], change("UpdateFunctionConfiguration", -180, timeout=3)), id="three hours before"),
        pytest.param((LOWERED[0], change("UpdateFunctionConfiguration", 2, timeout=3)), id="after it began"),
        pytest.param((LOWERED[0], change("UpdateFunctionConfiguration", -2, timeout=3, error_code="ResourceConflictException")), id="refused"),
        pytest.param((change("UpdateFunctionConfiguration", -2, OTHER, OTHER, timeout=3),), id="on another function"),
        pytest.param((change("TagResource20170331v2", -2, tags__team="orders"),), id="tags"),
        pytest.param((change("PutRetentionPolicy", -2, service="logs", retentionInDays=7),), id="log retention"),
        pytest.param((change("PublishVersion20150331", -2),), id="a version that nobody calls"),
        pytest.param((change("UpdateFunctionConfiguration", -2, handler="app.main"),), id="what explains no time-outs"),
        pytest.param((change("SetQueueAttributes", -2, service="sqs", attributes__VisibilityTimeout=30),), id="a queue's visibility"),
    ],
)  # fmt: skip
def test_an_innocent_change_is_no_suspect(innocent: tuple[Change, ...]) -> None:
    found, _ = judged(segment(), *innocent)

    assert found == []


def test_without_a_failure_no_change_is_a_suspect() -> None:
    found, facts = judged(segment(None, fault=False), *LOWERED)

    assert found == []
    assert any("no failure was seen" in fact for fact in facts)


def test_a_failure_that_its_caller_dealt_with_makes_no_suspect() -> None:
    found, _ = judged(
        segment(None, fault=False),
        called(THROTTLED),
        change("UpdateTable", -2, resource=TABLE, service="dynamodb", provisionedThroughput__writeCapacityUnits=5),
    )

    assert found == []


def test_suspicion_halves_with_each_half_life_and_is_nothing_after_the_onset() -> None:
    failed = symptoms(EvidenceBundle([segment(NO_MODULE)]), GRAPH)

    def suspicion(ahead: timedelta) -> float:
        told = Told(ONSET - ahead, FUNCTION, "x", (change("UpdateFunctionCode", 0),), frozenset({Aspect.CODE}))
        return suspects([told], failed, ONSET, {})[0].suspicion

    assert suspicion(timedelta()) == FIT[Fit.EXPLAINS]
    assert suspicion(HALF_LIFE) == pytest.approx(FIT[Fit.EXPLAINS] / 2)
    assert suspicion(3 * HALF_LIFE) == pytest.approx(FIT[Fit.EXPLAINS] / 8)
    assert suspicion(timedelta(seconds=-1)) == 0


@pytest.mark.parametrize(
    ("evidence", "strength"),
    [
        pytest.param([segment(NO_MODULE), change("UpdateFunctionCode20150331v2", -9)], Strength.STRONG, id="code and an import error"),
        pytest.param([segment(KEY_ERROR), change("UpdateAlias20150331", -9, functionVersion=8)], Strength.STRONG, id="an alias and an exception"),
        pytest.param([segment(TIMED_OUT), change("UpdateFunctionCode20150331v2", -9)], Strength.WEAK, id="code and time-outs"),
        pytest.param([segment(KEY_ERROR), change("UpdateFunctionConfiguration20150331v2", -9, environment={})], Strength.WEAK, id="variables and an exception"),
        pytest.param([segment(None, origin=True), change("UpdateFunctionConfiguration20150331v2", -9, memorySize=128)], Strength.WEAK, id="no word of the kind"),
        pytest.param([called(DENIED), revisions(), change("PutRolePolicy", -9, resource=ROLE, service="iam", policyName="p")], Strength.STRONG, id="the role and a denied call"),
        pytest.param([called(DENIED), change("DeleteResourcePolicy", -9, resource=TABLE, service="dynamodb")], Strength.STRONG, id="the table's policy and a denied call"),
        pytest.param([called(("ResourceNotFoundException", "Requested resource not found")), change("DeleteTable", -9, resource=TABLE, service="dynamodb")], Strength.STRONG, id="a deleted table"),
        pytest.param([called(("ConnectTimeoutError", "Connect timeout")), change("RevokeSecurityGroupEgress", -9, service="ec2", groupId="sg-1")], Strength.STRONG, id="the network and a connection"),
        pytest.param([called(THROTTLED, throttle=True), change("UpdateTable", -9, resource=TABLE, service="dynamodb", provisionedThroughput__writeCapacityUnits=5)], Strength.WEAK, id="capacity of who knows what"),
        pytest.param([called(("AccessDeniedException", "no")), known(ParameterChange, "PutParameter", -9, resource=TABLE, event_source="ssm.amazonaws.com", version=3, changed=True)], Strength.WEAK, id="a parameter and a denied call"),
    ],
)  # fmt: skip
def test_a_change_is_as_suspect_as_its_kind_explains_the_failures_kind(
    evidence: list[Evidence], strength: Strength
) -> None:
    [found], _ = judged(*evidence)

    assert [s.strength for s in found.supports] == [strength]


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param([called(DENIED), change("UpdateFunctionConfiguration", -9, memorySize=128)], id="memory explains no denial"),
        pytest.param([called(DENIED), change("EnableKey", -9, resource=TABLE, service="kms")], id="what was given back"),
        pytest.param([called(DENIED), change("PutRolePolicy", -9, resource=ROLE, service="iam")], id="a role that no function runs as"),
        pytest.param([called(("AccessDeniedException", "no")), known(ParameterChange, "PutParameter", -9, resource=TABLE, event_source="ssm.amazonaws.com", version=3, changed=False)], id="the same value again"),
        pytest.param([segment(KEY_ERROR), known(RevisionChange, "UpdateFunctionCode", -9, version="8", parameters={"codeSha256": ""})], id="a version that no alias calls"),
        pytest.param([segment(KEY_ERROR), known(StackChange, "CloudFormation UPDATE", -9, stack="orders", error_code="UPDATE_FAILED")], id="a stack update that failed"),
    ],
)  # fmt: skip
def test_what_explains_nothing_is_no_suspect_however_near(evidence: list[Evidence]) -> None:
    found, _ = judged(*evidence)

    assert found == []


def test_new_code_explains_only_exceptions_of_its_own() -> None:
    [weak], _ = judged(
        called(("ValidationException", "One or more parameter values were invalid")), change("UpdateFunctionCode", -5)
    )
    [strong], _ = judged(segment(("ValidationException", "bad")), change("UpdateFunctionCode", -5))

    assert (weak.supports[0].strength, strong.supports[0].strength) == (Strength.WEAK, Strength.STRONG)


def test_a_strong_suspect_lies_within_the_hour() -> None:
    [near], _ = judged(segment(NO_MODULE), change("UpdateFunctionCode", -60))
    [far], _ = judged(segment(NO_MODULE), change("UpdateFunctionCode", -61))

    assert (near.supports[0].strength, far.supports[0].strength) == (Strength.STRONG, Strength.WEAK)


def test_one_resource_has_one_suspect_the_most_suspicious() -> None:
    found, facts = judged(
        segment(NO_MODULE), change("UpdateFunctionCode", -40, "early"), change("UpdateFunctionCode", -4, "late")
    )

    assert [h.since for h in found] == [minute(-4)]
    assert [fact.split("`")[1] for fact in facts] == ["late", "early"]


def test_a_deploy_seen_by_all_sources_is_told_once_with_the_persons_name_and_the_old_value() -> None:
    seen = [
        change("UpdateFunctionConfiguration20150331v2", -5, "mia", timeout=3, memorySize=256),
        known(StackChange, "CloudFormation UPDATE", -5.2, who="CloudFormation stack orders", stack="orders", parameters={"Timeout": "3"}, before={"Timeout": "30"}),
        known(RevisionChange, "UpdateFunctionConfiguration", -4.9, version=LATEST, parameters={"timeout": "3"}, before={"timeout": "30"}),
    ]  # fmt: skip
    [found], facts = judged(segment(), *seen)

    assert [fact for fact in facts if "Timeout" in fact] == facts
    assert facts[0].startswith("`mia` lowered Timeout 30 → 3 s; set MemorySize to 256 MB (UpdateFunctionConfiguration)")
    assert found.evidence == (seen[0].id,)
    assert found.supports[0].strength is Strength.STRONG


def test_cloudtrails_word_of_a_value_that_was_written_again_is_no_change() -> None:
    written = change("PutParameter", -5, resource=PARAMETER, service="ssm")
    versions = [known(ParameterChange, "PutParameter", -5.01, resource=PARAMETER, event_source="ssm.amazonaws.com", version=3, changed=new) for new in (True, False)]  # fmt: skip

    assert [len(tell([written, version], {}, ())) for version in versions] == [1, 0]


def test_a_statement_cites_what_tells_of_the_change_and_what_it_explains() -> None:
    failed, cut = segment(NO_MODULE), change("UpdateFunctionCode", -5)
    case = Case(resource_from_arn(FUNCTION), EvidenceBundle([failed, cut]), WINDOW, GRAPH, "change-intelligence")
    [fact] = [f for f in findings(RULES, case) if isinstance(f, Fact)]

    assert fact.evidence == (cut.id, failed.id)


def test_a_persons_name_is_told_before_a_services() -> None:
    by_service = [change("UpdateAlias", -5, "codedeploy"), change("UpdateFunctionCode", -4.9, "mia")]
    [told] = tell(by_service, {}, ())

    assert told.who == "mia"


def test_two_people_in_one_minute_are_two_changes() -> None:
    told = tell([change("UpdateFunctionCode", -5, "mia"), change("UpdateFunctionCode", -4.5, "ben")], {}, ())

    assert [one.who for one in told] == ["mia", "ben"]


def test_without_cloudtrail_the_stack_is_named_and_lambda_alone_names_somebody() -> None:
    stack = known(StackChange, "CloudFormation UPDATE", -5, who="CloudFormation stack orders", stack="orders")
    _, facts = judged(segment(), stack)
    _, nameless = judged(segment(KEY_ERROR), known(RevisionChange, "UpdateFunction", -5, version=LATEST))

    assert facts[0].startswith("`CloudFormation stack orders` made CloudFormation UPDATE")
    assert nameless[0].startswith("Somebody made UpdateFunction")


def test_an_update_that_tells_nothing_adds_nothing_to_one_that_does() -> None:
    config = change("UpdateFunctionConfiguration", -5, environment={})
    [found], _ = judged(segment(KEY_ERROR), config, known(RevisionChange, "UpdateFunction", -5, version=LATEST))

    assert found.supports[0].strength is Strength.WEAK


def test_the_version_before_tells_the_old_value() -> None:
    [found], facts = judged(
        segment(), LOWERED[1], revisions(("6", -9000, {"timeout": "60"}), ("7", -3000, {"timeout": "30"}))
    )

    assert "lowered Timeout 30 → 3 s" in facts[0]
    assert found.supports[0].strength is Strength.STRONG


def test_a_setting_that_was_sent_again_unchanged_is_not_what_changed() -> None:
    before, again = (change("UpdateFunctionConfiguration", at, timeout=30, memorySize=512) for at in (-300, -2))
    found, facts = judged(segment(), before, again)

    assert found == []
    assert facts[0].startswith("`deploy-bot` made UpdateFunctionConfiguration on")


def test_a_version_that_an_alias_calls_counts() -> None:
    published = known(RevisionChange, "UpdateFunctionCode", -9, version="8", parameters={"codeSha256": ""})
    alias = AliasState(resource=FUNCTION, source="lambda:ListAliases", alias="live", version="7", weights={"8": 0.1})
    [found], facts = judged(segment(KEY_ERROR), published, alias)

    assert found.supports[0].strength is Strength.STRONG
    assert "Lambda function `create-order`: alias live sends 90% to version 7, 10% to version 8" in facts


def test_what_was_done_to_latest_is_no_suspect_where_callers_name_a_version() -> None:
    deployed = change("UpdateFunctionCode20150331v2", -2)
    alias = AliasState(resource=FUNCTION, source="lambda:ListAliases", alias="live", version="7")
    evidence = (segment(KEY_ERROR), deployed, alias)
    unpublished = alias.model_copy(update={"version": LATEST})

    assert len(judged(*evidence)[0]) == 1
    assert judged(*evidence, qualifiers=("live",))[0] == []
    assert len(judged(segment(KEY_ERROR), deployed, unpublished, qualifiers=("live",))[0]) == 1
    assert len(judged(segment(KEY_ERROR), deployed, qualifiers=("live",))[0]) == 1


def test_a_codedeploy_deployment_tells_the_versions_it_moved_between() -> None:
    moved = known(DeploymentChange, "CodeDeploy deployment", -5, who="CodeDeploy (user)", event_source="codedeploy.amazonaws.com", application="orders",
                  status="Succeeded", parameters={"functionVersion": "8"}, before={"functionVersion": "7"})  # fmt: skip
    [found], facts = judged(segment(KEY_ERROR), moved)

    assert "`CodeDeploy (user)` raised FunctionVersion 7 → 8 (CodeDeploy deployment)" in facts[0]
    assert found.supports[0].strength is Strength.STRONG


def test_a_change_after_it_began_is_stated_as_no_cause() -> None:
    found, facts = judged(segment(), change("UpdateFunctionConfiguration", 2, "mia", timeout=30))

    assert found == []
    assert " ".join(facts) == (
        "`mia` set Timeout to 30 s (UpdateFunctionConfiguration) on Lambda function `create-order` at 09:55:00, "
        "2 min after the first failure in the trace: no cause of it"
    )


def test_only_a_change_before_a_failure_is_notable() -> None:
    def notable(*evidence: Evidence) -> list[bool]:
        target = resource_from_arn(FUNCTION)
        case = Case(target, EvidenceBundle(evidence), WINDOW, GRAPH, "change-intelligence", (target,))
        return [f.notable for f in findings(RULES, case) if isinstance(f, Fact)]

    assert notable(segment(), change("UpdateFunctionCode", -3)) == [True]
    assert notable(segment(), change("UpdateFunctionCode", 3)) == [False]
    assert notable(change("UpdateFunctionCode", -3)) == [False]


def test_only_the_top_changes_are_told_one_by_one() -> None:
    _, facts = judged(segment(), *(change("UpdateFunctionCode", -60 * n) for n in range(1, 9)))

    assert len(facts) == 6
    assert facts[-1] == "3 more changes, all less suspicious"


def test_nothing_changed_is_said_only_where_cloudtrail_was_read_in_full() -> None:
    said = judged(segment(), searched(trivial=2), change("UpdateFunctionCode", 3))[1]
    silent = [
        judged(segment())[1],
        judged(segment(), searched(cut_short=("orders",)))[1],
        judged(segment(), searched(left_out=1))[1],
        judged(segment(), searched(), change("UpdateFunctionCode", -600))[1],
    ]

    assert said[-1] == (
        "CloudTrail tells of no change to the 2 names asked for in the 24 h before 09:53:00 (the first failure in the trace), "
        "but for 2 changes of tags and the like"
    )
    assert not [fact for facts in silent for fact in facts if "no change" in fact]


def test_a_change_of_the_day_before_yesterday_is_not_told() -> None:
    _, facts = judged(segment(), change("UpdateFunctionCode", -1441))

    assert facts == []


def alarm(metric: str = "Throttles", state: AlarmState = AlarmState.ALARM) -> AlarmTransition:
    return AlarmTransition(
        resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders", source="cloudwatch:DescribeAlarms", observed_at=minute(0), name="orders",
        alarm_kind=AlarmKind.METRIC, state=state, namespace="AWS/Lambda", metric=metric, dimensions={"FunctionName": "create-order"}, period_seconds=300,
    )  # fmt: skip


def test_an_alarm_tells_the_onset_a_period_before_it_and_the_kind() -> None:
    cut = [change("PutFunctionConcurrency20171031", -60, reservedConcurrentExecutions=100), change("PutFunctionConcurrency20171031", -9, reservedConcurrentExecutions=2)]  # fmt: skip
    [found], facts = judged(alarm(), *cut)

    assert found.supports[0].strength is Strength.STRONG
    assert "4 min before alarm orders; explains throttling" in facts[0]
    assert judged(alarm(state=AlarmState.OK), *cut)[0] == []
    assert judged(alarm("Duration"), *cut)[0][0].supports[0].strength is Strength.WEAK


def test_the_onset_without_a_failure_is_a_quarter_of_an_hour_into_the_window() -> None:
    start = began((), WINDOW)

    assert (start.at, start.seen) == (WINDOW.start + timedelta(minutes=15), False)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TIMED_OUT, Kind.TIMEOUT), (KEY_ERROR, Kind.EXCEPTION), (NO_MODULE, Kind.START), (DENIED, Kind.DENIED), (THROTTLED, Kind.THROTTLE),
        (("Error", "connect ECONNREFUSED 10.0.3.4:5432"), Kind.CONNECTION), (("botocore.exceptions.ConnectTimeoutError", ""), Kind.CONNECTION),
        (("ResourceNotFoundException", "Requested resource not found"), Kind.NOT_FOUND), (("ReadTimeoutError", "Read timed out."), Kind.TIMEOUT), (("Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: signal: killed"), Kind.MEMORY),
        (("ClientError", "An error occurred (NoSuchKey) when calling the GetObject operation"), Kind.NOT_FOUND), (("JSONDecodeError", "Expecting value"), Kind.INVALID),
        (("QueryCanceled", "canceling statement due to statement timeout"), Kind.SLOWNESS), (("MySQLError", "Lock wait timeout exceeded; try restarting transaction"), Kind.SLOWNESS),
    ],
)  # fmt: skip
def test_an_errors_words_tell_its_kind(error: tuple[str, str], kind: Kind) -> None:
    assert kind_of(TracedError(type=error[0], message=error[1])) is kind


def test_a_run_that_ends_without_a_word_at_its_time_limit_timed_out() -> None:
    silent = segment(None, seconds=2.998)

    assert symptoms(EvidenceBundle([silent]), GRAPH, {FUNCTION: 3.0})[0].kind is Kind.TIMEOUT
    assert symptoms(EvidenceBundle([silent]), GRAPH, {FUNCTION: 30.0})[0].kind is Kind.FAILURE


def test_a_segment_that_fails_on_its_call_is_no_symptom_of_its_own() -> None:
    found = symptoms(EvidenceBundle([segment(None), called(THROTTLED)]), GRAPH)

    assert [(s.kind, s.inside) for s in found] == [(Kind.THROTTLE, None)]


@pytest.mark.parametrize(
    ("name", "service", "parameters", "touched"),
    [
        ("UpdateFunctionCode20150331v2", "lambda", {}, {Aspect.CODE}),
        ("UpdateFunctionConfiguration20150331v2", "lambda", {"functionName": "f", "timeout": "3"}, {Aspect.TIMEOUT}),
        ("CreateRoute", "ec2", {}, {Aspect.NETWORK}),
        ("CreateRoute", "apigateway", {}, {Aspect.ROUTES}),
        ("SetTopicAttributes", "sns", {"attributeName": "Policy", "attributeValue": "{}"}, {Aspect.ACCESS}),
        ("SetQueueAttributes", "sqs", {"attributes.RedrivePolicy": "{}"}, {Aspect.DEAD_LETTER}),
        ("ScheduleKeyDeletion", "kms", {}, {Aspect.KEY}),
        ("EnableKey", "kms", {}, {Aspect.SETTINGS}),
        ("RenameThing", "new", {"colour": "red"}, {Aspect.SETTINGS}),
    ],
)  # fmt: skip
def test_an_events_name_and_settings_tell_what_it_touches(
    name: str, service: str, parameters: dict[str, str], touched: set[Aspect]
) -> None:
    event = Change(
        resource=FUNCTION,
        source="s",
        event_id="e",
        event_name=name,
        event_source=f"{service}.amazonaws.com",
        who="x",
        parameters=parameters,
    )

    assert aspects(event) == touched
    assert not trivial(event)


def test_a_suspect_triggers_the_cause_that_stands_and_every_source_is_in_the_timeline() -> None:
    failed, cut = segment(NO_MODULE), known(StackChange, "CloudFormation UPDATE", -5, who="CloudFormation stack orders", stack="orders", parameters={"Handler": "app.main"})  # fmt: skip
    found, _ = judged(failed, cut)
    other = Hypothesis(cause="lambda-handler-not-found", resource=FUNCTION, summary="no handler", supports=[{"evidence": failed.id, "strength": "proof"}], since=ONSET)  # fmt: skip
    items = [overview(FUNCTION, [failed]), failed, cut]
    conclusion = concluded(items, results=[brought(*found, name="change-intelligence"), brought(other)], graph=GRAPH)

    assert roles(conclusion) == {
        ("lambda-handler-not-found", FUNCTION): "root_cause",
        ("deploy-regression", FUNCTION): "trigger",
    }
    assert [e.at for e in timeline(conclusion.ranked, EvidenceBundle(items), GRAPH) if cut.id in e.evidence] == [
        minute(-5)
    ]


# --- a host outside AWS that is down


HOST = unnamed(ResourceType.REMOTE, "api.fraud.example")
REACHING = ServiceGraph.of([*GRAPH.nodes, HOST], GRAPH.edges)
DOWN = called(None).model_copy(
    update={"resource": HOST.id, "fault": True, "http_status": 503, "origin": True, "segment_id": "d"}
)


@pytest.mark.parametrize("status", [502, 503])
def test_no_change_of_a_caller_explains_that_a_host_says_it_is_down(status: int) -> None:
    down = DOWN.model_copy(update={"http_status": status})
    found = symptoms(EvidenceBundle([segment(("wrapError", "unexpected status 503")), down]), REACHING)

    assert [(s.kind, s.inside) for s in found] == [(Kind.UNAVAILABLE, None)]


def test_a_host_that_broke_over_what_it_was_sent_leaves_the_callers_code_a_suspect() -> None:
    broke = DOWN.model_copy(update={"http_status": 500})
    found = symptoms(EvidenceBundle([segment(("wrapError", "unexpected status 500")), broke]), REACHING)

    assert {s.kind for s in found} == {Kind.FAILURE, Kind.EXCEPTION}


def test_a_condition_that_its_caller_went_on_from_is_no_symptom() -> None:
    condition = called(("ConditionalCheckFailedException", "The conditional request failed"), http_status=400)
    failed = DOWN.model_copy(update={"start": minute(1)})

    assert [s.kind for s in symptoms(EvidenceBundle([condition, failed]), REACHING)] == [Kind.UNAVAILABLE]


def test_a_condition_after_which_its_caller_waited_without_end_is_no_symptom() -> None:
    condition = called(("ConditionalCheckFailedException", "The conditional request failed"), http_status=400)
    hung = DOWN.model_copy(update={"start": minute(1), "fault": False, "error": False, "pending": True})
    found = symptoms(EvidenceBundle([segment(None), condition, hung]), REACHING)

    assert [s.evidence for s in found] == [hung]


def test_an_alarm_that_only_says_that_it_fails_makes_no_suspect_where_the_requests_say_what() -> None:
    rang = AlarmTransition(
        resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors", source="cloudwatch:DescribeAlarmHistory", observed_at=ONSET,
        name="errors", alarm_kind=AlarmKind.METRIC, state=AlarmState.ALARM, metric="Errors", dimensions={"FunctionName": "create-order"},
    )  # fmt: skip
    tuned = change("UpdateFunctionConfiguration", -5, memorySize=512)
    denied = segment(("AccessDeniedException", "not authorized"))

    assert judged(rang, tuned)[0]
    assert not judged(rang, denied, tuned)[0]


def test_a_number_that_becomes_nothing_was_lowered_whatever_it_was() -> None:
    [strong], _ = judged(
        called(THROTTLED), change("PutFunctionConcurrency20171031", -1, reservedConcurrentExecutions=0)
    )

    assert strong.supports[0].strength is Strength.STRONG
