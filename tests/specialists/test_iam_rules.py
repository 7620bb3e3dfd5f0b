"""The rules of the iam specialist: every cause beside its near miss."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from domain.causes import CAUSES
from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength
from domain.graph import ServiceGraph
from domain.resource import resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.contract import Case
from specialists.iam import SPECIALIST
from specialists.iam.evidence import (
    ChangesSearched,
    EndpointPolicy,
    FunctionLogs,
    PolicyList,
    RolePolicy,
    RoleState,
    RunsAs,
)
from specialists.iam.policies import statements_of
from specialists.iam.rules import RULES
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.registry import all_specialists
from tests.support.probing import NOW, case_of, findings

ACCOUNT = "111122223333"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:orders"
MACHINE = f"arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/orders-role"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/reports-role"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/orders"
FOREIGN = "arn:aws:sqs:eu-west-1:444455556666:payments"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-role/orders"
AT = NOW - timedelta(minutes=3)
IDENTITY = "because no identity-based policy allows the action"


def refused(
    reason: str = IDENTITY,
    *,
    action: str = "dynamodb:PutItem",
    on: str = TABLE,
    who: str = SESSION,
    caller: str = FUNCTION,
    called: str = "",
) -> TraceCall:
    text = f"User: {who} is not authorized to perform: {action}" + (f" on resource: {on}" if on else "") + f" {reason}"
    return failed_call("AccessDeniedException", text, caller=caller, called=called or on or TABLE)


def failed_call(
    code: str,
    text: str,
    *,
    caller: str = FUNCTION,
    called: str = TABLE,
    service: str = "DynamoDB",
    operation: str = "PutItem",
) -> TraceCall:
    return TraceCall(
        resource=called,
        source="xray:BatchGetTraces",
        trace_id="1-0-0",
        segment_id="aa",
        caller=caller,
        service=service,
        operation=operation,
        start=AT,
        error=True,
        errors=(TracedError(type="ClientError", code=code, message=text),),
    )


def segment(text: str = "", *, of: str = FUNCTION, origin: str = "AWS::Lambda::Function") -> TraceSegment:
    errors = (TracedError(type="Error", message=text),) if text else ()
    return TraceSegment(
        resource=of,
        source="xray:BatchGetTraces",
        trace_id="1-0-0",
        segment_id="bb",
        origin_type=origin,
        name="orders",
        start=AT,
        seconds=0.2,
        fault=bool(text),
        errors=errors,
    )


def logged(*messages: str) -> LogLines:
    return LogLines(
        resource=FUNCTION,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/orders",
        filter="refused calls",
        events=tuple(LogEvent(at=AT + timedelta(seconds=n), message=m) for n, m in enumerate(messages)),
    )


def runs_as(target: str = FUNCTION, *, role: str = ROLE, **more: object) -> RunsAs:
    return RunsAs(
        resource=target,
        source="lambda:GetFunctionConfiguration",
        role_arn=role,
        log_group="/aws/lambda/orders",
        **more,  # type: ignore[arg-type]
    )


def state(
    role: str = ROLE, *, trusts: object = "lambda.amazonaws.com", exists: bool = True, boundary: str = ""
) -> RoleState:
    principal = {"Service": trusts} if isinstance(trusts, str) else trusts
    trust = statements_of({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}})
    return RoleState(
        resource=role,
        source="iam:GetRole",
        name=role.rsplit("/", 1)[-1],
        exists=exists,
        boundary_arn=boundary,
        trust=trust if exists else (),
    )


def policy(
    *statements: tuple[str, object, object],
    form: str = "inline",
    name: str = "orders-policy",
    role: str = ROLE,
    **extra: object,
) -> RolePolicy:
    documents = [{"Sid": "S1", "Effect": e, "Action": a, "Resource": r, **extra} for e, a, r in statements]
    return RolePolicy(
        resource=role,
        source="iam:GetRolePolicy",
        form=form,
        name=name,
        statements=statements_of({"Statement": documents}),
    )


def lists(*policies: RolePolicy, role: str = ROLE) -> list[Evidence]:
    def names(form: str) -> tuple[str, ...]:
        return tuple(p.name for p in policies if p.form == form)

    return [
        PolicyList(resource=role, source="iam:ListRolePolicies", form="inline", names=names("inline")),
        PolicyList(resource=role, source="iam:ListAttachedRolePolicies", form="attached", names=names("attached")),
        *policies,
    ]


def known(*policies: RolePolicy, target: str = FUNCTION, **role: object) -> list[Evidence]:
    return [runs_as(target), state(**role), *lists(*policies)]  # type: ignore[arg-type]


READS = policy(("Allow", "dynamodb:GetItem", TABLE))
WRITES = policy(("Allow", "dynamodb:*", TABLE))
NO_WRITES = policy(("Allow", "dynamodb:*", TABLE), ("Deny", "dynamodb:PutItem", "*"))


def change(name: str, *, minutes: float = 10, role: str = ROLE, **parameters: str) -> Change:
    return Change(
        resource=role,
        source="cloudtrail:LookupEvents",
        observed_at=AT - timedelta(minutes=minutes),
        event_id=f"e-{name}-{minutes}",
        event_name=name,
        event_source="iam.amazonaws.com",
        who="mia",
        parameters=parameters,
    )


def hypotheses(evidence: Iterable[Evidence], target: str = FUNCTION, **more: object) -> list[Hypothesis]:
    case = case_of(target, *evidence, **more)  # type: ignore[arg-type]
    return [finding for finding in findings(RULES, case) if isinstance(finding, Hypothesis)]


def only(evidence: Iterable[Evidence], target: str = FUNCTION, **more: object) -> Hypothesis:
    (found,) = hypotheses(evidence, target, **more)
    return found


def strengths(hypothesis: Hypothesis) -> set[Strength]:
    return {support.strength for support in hypothesis.supports}


def texts(evidence: Iterable[Evidence], kind: type[Fact] | type[Advice], target: str = FUNCTION) -> str:
    found = findings(RULES, case_of(target, *evidence))
    return "\n".join(
        f.statement if isinstance(f, Fact) else f.text
        for f in found
        if isinstance(f, Fact | Advice) and isinstance(f, kind)
    )


@pytest.mark.parametrize(
    ("reason", "cause", "resource"),
    [
        (IDENTITY, "lambda-role-missing-permission", ROLE),
        ("with an explicit deny in an identity-based policy", "iam-explicit-deny-identity", ROLE),
        ("with an explicit deny in a service control policy", "iam-explicit-deny-scp", ROLE),
        ("because no service control policy allows the action", "iam-explicit-deny-scp", ROLE),
        ("because no permissions boundary allows the action", "iam-permission-boundary", ROLE),
        ("with an explicit deny in a permissions boundary", "iam-permission-boundary", ROLE),
        ("with an explicit deny in a resource-based policy", "iam-resource-policy-deny", TABLE),
        ("because no VPC endpoint policy allows the action", "vpc-endpoint-policy", FUNCTION),
    ],
)
def test_kind_of_policy_in_the_text_proves_its_cause_and_no_other(reason, cause, resource):
    found = only([runs_as(), refused(reason)])

    assert (found.cause, found.resource, strengths(found)) == (cause, resource, {Strength.PROOF})
    assert found.since == AT


def test_session_policy_is_stated_without_a_cause():
    evidence = [runs_as(), refused("because no session policy allows the action")]

    assert hypotheses(evidence) == []
    assert "session policy of role `orders-role`" in texts(evidence, Fact)


def test_resource_control_policy_is_no_proof_of_a_service_control_policy():
    found = only([runs_as(), refused("with an explicit deny in a resource control policy")])

    assert (found.cause, strengths(found)) == ("iam-explicit-deny-scp", {Strength.STRONG})


def test_other_accounts_resource_without_an_allow_is_accused_itself():
    found = only(
        [runs_as(), refused("because no resource-based policy allows the action", action="sqs:sendmessage", on=FOREIGN)]
    )

    assert (found.cause, found.resource) == ("iam-no-resource-policy-cross-account", FOREIGN)
    assert strengths(found) == {Strength.PROOF}


def test_same_accounts_resource_without_an_allow_is_no_proof_of_a_crossing():
    found = only([runs_as(), refused("because no resource-based policy allows the action")])

    assert Strength.PROOF not in strengths(found)
    assert "another account" not in found.summary


def test_missing_permission_names_the_policy_detached_before():
    detached = change("DetachRolePolicy", policyArn=f"arn:aws:iam::{ACCOUNT}:policy/orders-write")
    found = only([*known(READS), refused(), detached])

    assert found.summary == (
        "Role `orders-role` may not `dynamodb:PutItem` on `orders`: its only policy does not allow it "
        "(once, at 09:53 UTC); mia called DetachRolePolicy (`orders-write`) at 09:43 UTC"
    )
    assert detached.id in found.evidence


def test_change_after_the_refusal_is_not_its_reason():
    late = change("DetachRolePolicy", minutes=-1)
    found = only([*known(READS), refused(), late])

    assert late.id not in found.evidence


def test_policy_version_written_after_the_refusal_does_not_contradict():
    rewritten = WRITES.model_copy(update={"observed_at": AT + timedelta(minutes=1)})

    assert only([*known(rewritten), refused()]).contradicting == ()


def test_explicit_deny_that_no_policy_read_shows_gets_no_support_from_them():
    found = only([*known(READS), refused("with an explicit deny in an identity-based policy")])

    assert strengths(found) == {Strength.PROOF}
    assert "by an identity-based policy" in found.summary


def test_refused_change_is_not_its_reason():
    failed = change("DetachRolePolicy").model_copy(update={"error_code": "AccessDenied"})

    assert failed.id not in only([*known(READS), refused(), failed]).evidence


def test_smallest_grant_is_shown_as_json():
    advice = texts([*known(READS), refused()], Advice)

    assert f'{{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "{TABLE}"}}' in advice


def test_policies_that_allow_the_call_contradict_a_missing_permission():
    allowed = only([*known(WRITES), refused()])
    missing = only([*known(READS), refused()])

    assert [s.evidence for s in allowed.contradicting] == [WRITES.id]
    assert missing.contradicting == ()


def test_permission_given_back_after_the_refusal_does_not_contradict():
    found = only([*known(WRITES), refused(), change("PutRolePolicy", minutes=-1)])

    assert found.contradicting == ()
    assert "were changed after the refusal" in found.summary


UNTYPED = ""


@pytest.mark.parametrize(
    ("policies", "boundary", "cause"),
    [
        ([READS], None, "lambda-role-missing-permission"),
        ([], None, "lambda-role-missing-permission"),
        ([NO_WRITES], None, "iam-explicit-deny-identity"),
        ([WRITES], policy(("Allow", "s3:*", "*"), form="boundary", name="limit"), "iam-permission-boundary"),
        ([WRITES], policy(("Deny", "*", TABLE), form="boundary", name="limit"), "iam-permission-boundary"),
    ],
)
def test_policies_prove_what_the_text_leaves_out(policies, boundary, cause):
    arn = f"arn:aws:iam::{ACCOUNT}:policy/limit" if boundary else ""
    more = [boundary] if boundary else []
    found = only([*known(*policies, boundary=arn), *more, refused(UNTYPED)])

    assert found.cause == cause
    assert Strength.PROOF in strengths(found)


def test_explicit_deny_names_policy_and_statement():
    assert "by `orders-policy` (S1)" in only([*known(NO_WRITES), refused(UNTYPED)]).summary


def test_boundary_that_lets_the_call_through_is_not_accused():
    boundary = policy(("Allow", "*", "*"), form="boundary", name="limit")
    evidence = [*known(READS, boundary=f"arn:aws:iam::{ACCOUNT}:policy/limit"), boundary, refused(UNTYPED)]

    assert only(evidence).cause == "lambda-role-missing-permission"


def test_untyped_refusal_with_unread_policies_proves_nothing():
    found = only([runs_as(), refused(UNTYPED)])

    assert (found.cause, strengths(found)) == ("lambda-role-missing-permission", {Strength.STRONG})


def test_untyped_refusal_across_accounts_with_unread_policies_is_weak():
    assert strengths(only([runs_as(), refused(UNTYPED, on=FOREIGN)])) == {Strength.WEAK}


def test_half_read_policies_prove_no_missing_permission():
    listed = PolicyList(resource=ROLE, source="iam:ListRolePolicies", form="inline", names=("orders-policy", "unread"))
    attached = PolicyList(resource=ROLE, source="iam:ListAttachedRolePolicies", form="attached")
    found = only([runs_as(), state(), listed, attached, READS, refused(UNTYPED)])

    assert Strength.PROOF not in strengths(found)


def test_condition_that_cannot_be_decided_makes_it_weak():
    conditional = policy(("Allow", "dynamodb:*", TABLE), Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}})
    found = only([*known(conditional), refused(UNTYPED)])

    assert strengths(found) == {Strength.WEAK}
    assert "the condition of `orders-policy` (S1) decides" in found.summary


def test_policies_that_allow_an_unexplained_refusal_point_elsewhere():
    found = hypotheses([*known(WRITES), refused(UNTYPED)])

    assert {(h.cause, h.resource) for h in found} == {
        ("iam-resource-policy-deny", TABLE),
        ("iam-explicit-deny-scp", ROLE),
    }
    assert all(strengths(h) == {Strength.WEAK} for h in found)


def test_allowed_call_refused_by_another_account_points_at_its_resource_policy():
    sends = policy(("Allow", "sqs:*", "*"))
    found = only([*known(sends), refused(UNTYPED, action="sqs:sendmessage", on=FOREIGN)])

    assert (found.cause, found.resource, strengths(found)) == (
        "iam-no-resource-policy-cross-account",
        FOREIGN,
        {Strength.STRONG},
    )


def test_repeated_refusals_are_one_with_a_count():
    line = f"User: {SESSION} is not authorized to perform: dynamodb:PutItem on resource: {TABLE} {IDENTITY}"
    found = only([*known(READS), logged(line, f"[ERROR] {line}", line)])

    assert "(3 times since 09:53 UTC)" in found.summary


def test_two_refused_actions_are_two_findings():
    found = hypotheses([*known(READS), refused(), refused(action="dynamodb:DeleteItem")])

    assert len(found) == 2


def test_terse_s3_refusal_is_proven_by_policies_that_do_not_allow_the_operation():
    call = failed_call(
        "AccessDenied", "Access Denied", called="arn:aws:s3:::reports", service="S3", operation="GetObject"
    )
    denied = only([*known(READS), call])
    allowed = [*known(policy(("Allow", "s3:GetObject", "arn:aws:s3:::reports/*"))), call]

    assert (denied.cause, denied.resource) == ("lambda-role-missing-permission", ROLE)
    assert Strength.PROOF in strengths(denied)
    assert hypotheses(allowed) == []
    assert "although `orders-policy` (S1) allows it" in texts(allowed, Fact)


def test_terse_refusal_in_a_log_line_is_weak_while_the_bucket_is_unknown():
    line = "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied"
    scoped = known(policy(("Allow", "s3:GetObject", "arn:aws:s3:::reports/*")))

    assert strengths(only([*scoped, logged(line)])) == {Strength.WEAK}
    assert Strength.PROOF in strengths(only([*known(READS), logged(line)]))


def test_forbidden_answer_of_a_host_is_no_refusal_of_aws():
    call = failed_call("Forbidden", "Forbidden", called="remote:api.stripe.com", service="api.stripe.com", operation="")

    assert hypotheses([*known(READS), call]) == []


def test_refused_invocation_is_named_for_its_caller():
    call = refused(
        action="lambda:InvokeFunction",
        on=FUNCTION,
        who=f"arn:aws:sts::{ACCOUNT}:assumed-role/reports-role/reports",
        caller="service:reports",
    )
    found = only([runs_as(), state(OTHER_ROLE), *lists(role=OTHER_ROLE), call])

    assert (found.cause, found.resource) == ("lambda-invoke-permission-denied", OTHER_ROLE)


def test_other_call_of_somebody_else_to_the_function_is_not_its_own():
    call = refused(
        who=f"arn:aws:sts::{ACCOUNT}:assumed-role/reports-role/reports", caller="service:reports", called=FUNCTION
    )

    assert hypotheses([runs_as(), call]) == []


def test_state_machine_that_may_not_call_is_accused_itself():
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-role/XmQ"
    call = refused(action="lambda:InvokeFunction", on=FUNCTION, who=session, caller=MACHINE)
    found = only([*known(READS, target=MACHINE, trusts="states.amazonaws.com"), call], MACHINE)

    assert (found.cause, found.resource) == ("sfn-role-denied", MACHINE)


def test_state_machine_is_not_accused_of_what_its_function_was_refused():
    text = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/fn-role/fn is not authorized to perform: dynamodb:PutItem {IDENTITY}"
    failed = segment(text, of=MACHINE, origin="AWS::StepFunctions::StateMachine")

    assert hypotheses([runs_as(MACHINE), failed], MACHINE) == []


def test_function_is_not_accused_of_what_the_function_it_calls_was_refused():
    text = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/fn-role/fn is not authorized to perform: dynamodb:PutItem {IDENTITY}"
    nodes = [resource_from_arn(FUNCTION), resource_from_arn(FUNCTION.replace("orders", "fn"))]

    assert hypotheses([runs_as(), segment(text)], graph=ServiceGraph.of(nodes)) == []
    assert len(hypotheses([runs_as(), segment(text)])) == 1


def test_role_of_a_machine_leaves_the_naming_to_the_machine():
    role = [runs_as(ROLE), state(trusts="states.amazonaws.com"), *lists(READS), refused(caller=MACHINE)]
    both = ServiceGraph.of([resource_from_arn(ROLE), resource_from_arn(MACHINE)])

    assert hypotheses(role, ROLE, graph=both) == []
    assert only(role, ROLE).cause == "lambda-role-missing-permission"


def test_role_in_the_trace_is_accused_of_its_own_refusals_only():
    role = [runs_as(ROLE), state(), *lists(READS)]
    stranger = refused(who=f"arn:aws:sts::{ACCOUNT}:assumed-role/reports-role/x")

    assert only([*role, refused()], ROLE).resource == ROLE
    assert hypotheses([*role, stranger], ROLE) == []


def test_user_with_static_keys_is_accused_by_its_own_arn():
    user = f"arn:aws:iam::{ACCOUNT}:user/ci/deployer"
    found = only([*known(WRITES), refused(who=user)])

    assert found.resource == user
    assert "User `deployer`" in found.summary


def test_endpoint_whose_policy_refuses_is_accused():
    def endpoint(name: str, action: str) -> EndpointPolicy:
        statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
        return EndpointPolicy(
            resource=f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc-endpoint/{name}",
            source="ec2:DescribeVpcEndpoints",
            service="dynamodb",
            statements=statements_of({"Statement": statement}),
        )

    narrow, wide = endpoint("vpce-1", "dynamodb:GetItem"), endpoint("vpce-2", "*")
    call = refused("because no VPC endpoint policy allows the action")

    assert only([runs_as(), call, narrow]).resource == narrow.resource
    assert only([runs_as(), call, wide]).resource == FUNCTION


ASSUMED = refused(UNTYPED, action="sts:AssumeRole", on=OTHER_ROLE)
ASSUMES = policy(("Allow", "sts:AssumeRole", OTHER_ROLE))


@pytest.mark.parametrize(
    ("caller", "trusted", "accused", "why"),
    [
        (ASSUMES, {"Service": "lambda.amazonaws.com"}, OTHER_ROLE, "its trust policy does not name role `orders-role`"),
        (READS, {"AWS": ROLE}, ROLE, "no policy of role `orders-role` allows"),
        (READS, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ROLE, "no policy of role `orders-role` allows"),
        (READS, {"AWS": "arn:aws:iam::999999999999:root"}, OTHER_ROLE, "its trust policy does not name"),
    ],
)
def test_role_that_could_not_be_assumed_is_blamed_on_the_right_side(caller, trusted, accused, why):
    found = only([*known(caller), state(OTHER_ROLE, trusts=trusted), ASSUMED])

    assert (found.cause, found.resource) == ("iam-assume-role-denied", accused)
    assert why in found.summary


def test_assumption_of_a_role_that_is_gone_says_so():
    found = only([*known(ASSUMES), state(OTHER_ROLE, exists=False), ASSUMED, change("DeleteRole", role=OTHER_ROLE)])

    assert "it does not exist" in found.summary
    assert "DeleteRole" in found.summary


def test_task_role_of_a_state_machine_is_an_assumption():
    text = f"The role {ROLE} is not authorized to assume the task state's role, {OTHER_ROLE}."
    found = only([runs_as(MACHINE), failed_call("States.TaskFailed", text, caller=MACHINE)], MACHINE)

    assert (found.cause, found.resource) == ("iam-assume-role-denied", OTHER_ROLE)


def test_explicit_deny_of_an_assumption_keeps_its_sharper_cause():
    call = refused("with an explicit deny in a service control policy", action="sts:AssumeRole", on=OTHER_ROLE)

    assert only([runs_as(), call]).cause == "iam-explicit-deny-scp"


UNASSUMABLE = "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda."


@pytest.mark.parametrize(
    ("role", "failing", "expected"),
    [
        ({"trusts": "ec2.amazonaws.com"}, True, {Strength.PROOF}),
        ({"trusts": "ec2.amazonaws.com"}, False, {Strength.STRONG}),
        ({"exists": False}, True, {Strength.PROOF}),
        ({"exists": False}, False, {Strength.STRONG}),
        ({}, True, None),
        ({}, False, None),
    ],
)
def test_role_that_lambda_cannot_assume_is_a_finding(role, failing, expected):
    found = hypotheses([runs_as(), state(**role), segment("boom" if failing else "")])

    assert [(h.cause, h.resource, strengths(h)) for h in found] == (
        [("lambda-role-not-assumable", ROLE, expected)] if expected else []
    )


def test_lambdas_own_words_prove_a_role_that_cannot_be_assumed():
    said = failed_call(
        "InvalidParameterValueException", UNASSUMABLE, caller="service:deploy", called=FUNCTION, service="Lambda"
    )
    found = only([runs_as(), said, change("UpdateAssumeRolePolicy"), change("DeleteRolePolicy", minutes=5)])
    trusting = only([runs_as(), state(), said])

    assert found.cause == "lambda-role-not-assumable"
    assert "mia called UpdateAssumeRolePolicy" in found.summary
    assert trusting.contradicting != ()


def test_conditional_trust_is_not_called_broken():
    conditional = state().model_copy(
        update={
            "trust": statements_of(
                {
                    "Statement": {
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                    }
                }
            )
        }
    )

    assert hypotheses([runs_as(), conditional, segment("boom")]) == []


def test_state_machine_whose_role_does_not_trust_it_is_one_finding():
    text = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role."
    distrusting = [runs_as(MACHINE), state(trusts="lambda.amazonaws.com")]
    said = failed_call("States.Runtime", text, caller=MACHINE)

    assert only([*distrusting, said], MACHINE).cause == "iam-assume-role-denied"
    assert only(distrusting, MACHINE).resource == ROLE
    assert hypotheses([runs_as(MACHINE), state(trusts="states.amazonaws.com")], MACHINE) == []


NEEDS_EC2 = "EC2AccessDeniedException: Need additional permissions to configure VPC settings."
LAMBDA_VPC = policy(("Allow", ["ec2:CreateNetworkInterface", "ec2:D*"], "*"), name="vpc")


@pytest.mark.parametrize(
    "symptom",
    [
        [runs_as(vpc_id="vpc-1", reasons=("InsufficientRolePermissions",))],
        [runs_as(vpc_id="vpc-1"), segment(NEEDS_EC2)],
        [
            runs_as(vpc_id="vpc-1"),
            logged("The provided execution role does not have permissions to call CreateNetworkInterface on EC2"),
        ],
    ],
)
def test_network_interfaces_refused_by_state_or_text_are_a_finding(symptom):
    found = only([*symptom, state(), *lists(READS)])

    assert (found.cause, found.resource) == ("lambda-ec2-access-denied", ROLE)
    assert Strength.PROOF in strengths(found)
    assert "lacks `ec2:CreateNetworkInterface`" in found.summary


def test_a_function_outside_any_vpc_only_repeats_what_it_was_told_about_another():
    assert hypotheses([runs_as(), segment(NEEDS_EC2), state(), *lists(READS)]) == []


def test_the_change_that_took_the_network_permissions_is_named():
    taken = change("DetachRolePolicy", policyName="vpc")
    found = only([runs_as(vpc_id="vpc-1"), segment(NEEDS_EC2), state(), *lists(READS), taken])

    assert taken.id in found.evidence
    assert f"{taken.who} called DetachRolePolicy (`vpc`)" in found.summary


def test_network_permissions_that_exist_contradict_and_their_absence_alone_is_no_finding():
    reported = [runs_as(reasons=("InsufficientRolePermissions",)), state(), *lists(LAMBDA_VPC)]

    assert only(reported).contradicting != ()
    assert hypotheses([runs_as(vpc_id="vpc-1"), state(), *lists(READS)]) == []


def test_queue_that_cannot_be_polled_is_left_to_the_queues_specialist():
    text = "The provided execution role does not have permissions to call ReceiveMessage on SQS"

    assert hypotheses([*known(READS), logged(text)]) == []


@pytest.mark.parametrize(
    ("events", "policies", "ran", "expected"),
    [
        (False, [READS], True, ["lambda-logs-missing"]),
        (True, [READS], True, []),
        (False, [policy(("Allow", "logs:*", "*"))], True, []),
        (False, [READS], False, []),
    ],
)
def test_missing_logs_are_a_finding_only_with_a_run_and_without_permission(events, policies, ran, expected):
    logs = FunctionLogs(
        resource=FUNCTION,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/orders",
        exists=events,
        has_events=events,
    )
    found = hypotheses([*known(*policies), logs, *([segment()] if ran else [])])

    assert [(h.cause, h.resource) for h in found] == [(cause, FUNCTION) for cause in expected]


@pytest.mark.parametrize(
    ("code", "text", "named"),
    [
        ("ExpiredTokenException", "The security token included in the request is expired", True),
        ("ExpiredToken", "The provided token has expired.", True),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", True),
        (
            "ClientError",
            "An error occurred (InvalidClientTokenId): The security token included in the request is invalid",
            True,
        ),
        ("TokenExpiredError", "jwt expired", False),
        ("NotAuthorizedException", "Access Token has expired", False),
        ("ValidationException", "token is required", False),
    ],
)
def test_credentials_that_aws_refuses_are_a_finding(code, text, named):
    traced = [h.cause for h in hypotheses([runs_as(), failed_call(code, text)])]
    printed = [h.cause for h in hypotheses([runs_as(), logged(f"[ERROR] {code}: {text}")])]

    assert traced == printed == (["iam-expired-token"] if named else [])


def test_stale_credentials_of_a_caller_are_not_the_called_functions():
    call = failed_call(
        "ExpiredTokenException",
        "The security token included in the request is expired",
        caller="service:web",
        called=FUNCTION,
    )

    assert hypotheses([runs_as(), call]) == []


def test_own_keys_in_the_environment_support_stale_credentials():
    stale = failed_call("ExpiredToken", "The provided token has expired.")
    found = only([runs_as(credential_variables=("PARTNER_ACCESS_KEY",)), stale])

    assert "`PARTNER_ACCESS_KEY`" in found.summary
    assert Strength.STRONG in strengths(found)


def test_healthy_target_has_facts_and_no_hypothesis():
    searched = ChangesSearched(resource=ROLE, source="cloudtrail:LookupEvents", region="us-east-1", count=0)
    good = refused().model_copy(update={"error": False, "errors": ()})
    evidence = [*known(WRITES), good, searched]

    assert hypotheses(evidence) == []
    assert texts(evidence, Fact).splitlines() == [
        "Lambda function `orders` uses role `orders-role`, which trusts lambda.amazonaws.com, with no permissions boundary",
        "Role `orders-role` has 1 policy: `orders-policy`",
        "No refusal in 1 traced call of Lambda function `orders`",
        "Role `orders-role` was not changed in the 24 h before",
    ]


def test_refused_call_is_not_called_free_of_refusals():
    assert "No refusal" not in texts([*known(READS), refused()], Fact)
    assert "No refusal in the function's log" in texts([*known(READS), logged("all well")], Fact)


def test_history_of_somebody_elses_role_is_told_by_whoever_runs_as_it():
    other = "arn:aws:iam::123456789012:role/other-role"
    searched = ChangesSearched(resource=other, source="cloudtrail:LookupEvents", region="us-east-1", count=0)

    assert "other-role" not in texts([runs_as(), searched], Fact)
    assert "Role `other-role` was not changed" in texts([runs_as(role=other), searched], Fact)


def test_change_of_the_role_is_a_fact():
    assert "mia called PutRolePolicy on role `orders-role` at 09:43 UTC" in texts(
        [
            runs_as(),
            change("PutRolePolicy"),
            ChangesSearched(resource=ROLE, source="cloudtrail:LookupEvents", region="us-east-1", count=1),
        ],
        Fact,
    )


def test_every_rule_survives_every_single_piece_of_evidence():
    pieces = [*known(WRITES), refused(), ASSUMED, segment(UNASSUMABLE), logged(NEEDS_EC2), change("DeleteRole")]
    for piece in pieces:
        for target in (FUNCTION, MACHINE, ROLE, SESSION):
            assert all(h.supports for h in hypotheses([piece], target))


def test_declared_causes_are_in_the_catalogue_and_named_by_their_rules_only():
    assert {code for rule in RULES for code in rule.causes} <= set(CAUSES)
    seen: dict[str, set[str]] = {}
    case: Case = case_of(FUNCTION, *known(READS), refused(), segment(UNASSUMABLE), logged(NEEDS_EC2))
    for rule in RULES:
        seen[rule.name] = {f.cause for f in rule.judge(case) if isinstance(f, Hypothesis)}

    assert all(named <= set(rule.causes) for rule in RULES for named in [seen[rule.name]])
    assert any(seen.values())


def test_registry_finds_the_specialist():
    assert SPECIALIST in all_specialists()
    assert all(probe.doc for probe in SPECIALIST.probes)
    assert all(rule.doc for rule in SPECIALIST.rules)


# --- refusals that nothing failed for, and those that hide what was asked for


def test_a_refusal_in_a_request_that_ended_well_is_a_fact_and_no_cause():
    searched = ChangesSearched(resource=ROLE, source="cloudtrail:LookupEvents", region="us-east-1", count=0)
    evidence = [*known(READS), refused(), segment(), searched]

    assert hypotheses(evidence) == []
    assert texts(evidence, Advice) == ""
    assert "was refused `dynamodb:PutItem` on `orders`" in texts(evidence, Fact)
    assert "ended well without it" in texts(evidence, Fact)
    assert hypotheses([*evidence, segment("gave up", of=MACHINE)]) != []


def test_a_key_that_is_closed_behind_a_secret_is_told_from_a_secret_that_is_closed():
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:fx-AbCdEf"
    reads = policy(("Allow", "secretsmanager:GetSecretValue", secret))
    text = "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: Access to KMS is not allowed"
    closed = failed_call(
        "AccessDeniedException", text, called="secrets", service="SecretsManager", operation="GetSecretValue"
    )
    found = only([*known(reads), closed, logged(f"[ERROR] ClientError: {text}")])

    assert (found.cause, found.resource) == ("lambda-role-missing-permission", ROLE)
    assert found.summary.startswith("Role `orders-role` may not `kms:Decrypt`: its only policy does not allow it")


def test_a_refusal_without_a_resource_does_not_blame_a_condition():
    reads = policy(("Allow", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a"))
    text = "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: denied"
    bare = failed_call(
        "AccessDeniedException", text, called="secrets", service="SecretsManager", operation="GetSecretValue"
    )
    found = only([*known(reads), bare])

    assert "AWS does not say on what" in found.summary
    assert "condition" not in found.summary


def test_a_function_that_cannot_log_is_stated_without_a_run_as_well():
    logs = FunctionLogs(
        resource=FUNCTION,
        source="logs:FilterLogEvents",
        log_group="/aws/lambda/orders",
        exists=False,
        has_events=False,
    )
    evidence = [*known(READS), logs]

    assert hypotheses(evidence) == []
    assert "can leave no log: role `orders-role` may not `logs:PutLogEvents`" in texts(evidence, Fact)
    assert "AWSLambdaBasicExecutionRole" in texts(evidence, Advice)


BUCKET = "arn:aws:s3:::rates"


def listing(operation: str) -> TraceCall:
    text = f"User: {SESSION} is not authorized to perform: s3:ListBucket on resource: {BUCKET} {IDENTITY}"
    return failed_call("AccessDenied", text, called=BUCKET, service="S3", operation=operation)


def test_a_denied_listing_in_a_read_of_one_object_is_no_missing_right() -> None:
    own = [runs_as(), state(), *lists(READS)]
    line = f"AccessDenied: User: {SESSION} is not authorized to perform: s3:ListBucket on resource: {BUCKET} {IDENTITY}"
    read_of_one = "An error occurred (AccessDenied) when calling the GetObject operation: "

    assert not hypotheses([*own, listing("GetObject"), logged(line)])
    assert not hypotheses([*own, logged(read_of_one + line)])
    assert only([*own, listing("ListObjectsV2"), logged(line)]).cause == "lambda-role-missing-permission"
    assert only([*own, listing("GetObject"), listing("ListObjectsV2")]).cause == "lambda-role-missing-permission"
    assert only([*own, logged(line)]).cause == "lambda-role-missing-permission"


def test_a_key_that_refuses_through_a_bucket_is_not_called_the_buckets_policy() -> None:
    text = f"User: {SESSION} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "
    closed = failed_call(
        "AccessDenied", f"{text}because no resource-based policy allows it", called=BUCKET, service="S3"
    )
    seen = [runs_as(), state(), *lists(READS), closed]

    found = only(seen)

    assert "No resource policy of the KMS key behind `" in found.summary
    assert "the KMS key behind" in texts(seen, Advice)
