"""The words of a refusal and the evaluation of policies: pure, no rules."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialists.iam.denials import Denial, PolicyType, action_of, denials_in, short_denial_in
from specialists.iam.evaluator import Outcome, Policy, Request, decide, matches, trusts
from specialists.iam.policies import statements_of

SESSION = "arn:aws:sts::111122223333:assumed-role/orders-role/orders"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
PUT = f"User: {SESSION} is not authorized to perform: dynamodb:PutItem on resource: {TABLE}"


def the(text: str) -> Denial:
    (denial,) = denials_in(text)
    return denial


@pytest.mark.parametrize(
    ("reason", "kind", "explicit"),
    [
        ("because no identity-based policy allows the dynamodb:PutItem action", PolicyType.IDENTITY, False),
        ("because no resource-based policy allows the dynamodb:PutItem action", PolicyType.RESOURCE, False),
        ("because no permissions boundary allows the dynamodb:PutItem action", PolicyType.BOUNDARY, False),
        ("because no session policy allows the dynamodb:PutItem action", PolicyType.SESSION, False),
        ("because no VPC endpoint policy allows the dynamodb:PutItem action", PolicyType.ENDPOINT, False),
        ("because no service control policy allows the dynamodb:PutItem action", PolicyType.SERVICE_CONTROL, False),
        ("because no role trust policy allows the sts:AssumeRole action", PolicyType.TRUST, False),
        ("with an explicit deny in an identity-based policy", PolicyType.IDENTITY, True),
        ("with an explicit deny in a resource-based policy", PolicyType.RESOURCE, True),
        ("with an explicit deny in a permissions boundary", PolicyType.BOUNDARY, True),
        ("with an explicit deny in a session policy", PolicyType.SESSION, True),
        ("with an explicit deny in a VPC endpoint policy", PolicyType.ENDPOINT, True),
        ("with an explicit deny in a service control policy", PolicyType.SERVICE_CONTROL, True),
        ("with an explicit deny in a resource control policy", PolicyType.RESOURCE_CONTROL, True),
        ("with an explicit deny in the role trust policy", PolicyType.TRUST, True),
        ("", None, False),
    ],
)
def test_reason_tells_the_kind_of_policy(reason, kind, explicit):
    denial = the(f"{PUT} {reason}")

    assert (denial.policy_type, denial.explicit, denial.resource) == (kind, explicit, TABLE)


@pytest.mark.parametrize(
    "wrapped",
    [
        "An error occurred (AccessDeniedException) when calling the PutItem operation: {}",
        "AccessDeniedException: {}\n    at throwDefaultError (/var/runtime/node_modules/client.js:388:20)",
        "{} (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: AccessDeniedException; Request ID: 7QF; Proxy: null)",
        "{} (Service: DynamoDb, Status Code: 400, Request ID: 7QF)",
        "operation error DynamoDB: PutItem, https response error StatusCode: 400, RequestID: 7QF, api error AccessDeniedException: {}",
        "Amazon.DynamoDBv2.AmazonDynamoDBException: {}\n ---> System.Net.Http.HttpRequestException",
        '{{"level": "ERROR", "msg": "{}", "n": 1}}',
        "«Zahlung fehlgeschlagen» {}.",
    ],
)
def test_every_sdk_wraps_the_same_refusal(wrapped):
    denial = the(wrapped.format(f"{PUT} because no identity-based policy allows the dynamodb:PutItem action"))

    assert denial == Denial(
        principal=SESSION, action="dynamodb:PutItem", resource=TABLE, policy_type=PolicyType.IDENTITY
    )
    assert (denial.role, denial.session, denial.account) == ("orders-role", "orders", "111122223333")


def test_policy_arn_of_an_explicit_deny_is_kept():
    arn = "arn:aws:organizations::111122223333:policy/o-abc/service_control_policy/p-123"
    denial = the(f"{PUT} with an explicit deny in a service control policy: {arn}")

    assert denial.policy_arn == arn


def test_quoted_resource_may_hold_spaces():
    text = f'User: {SESSION} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/my file.txt" because no identity-based policy allows the s3:GetObject action'

    assert the(text).resource == "arn:aws:s3:::b/my file.txt"


def test_reason_of_the_next_refusal_is_not_taken_for_the_first():
    second = f"{PUT.replace('PutItem', 'GetItem')} with an explicit deny in a permissions boundary"
    found = denials_in(f"{PUT}; then {second}")

    assert [(d.action, d.policy_type) for d in found] == [
        ("dynamodb:PutItem", None),
        ("dynamodb:GetItem", PolicyType.BOUNDARY),
    ]


@pytest.mark.parametrize(
    ("text", "principal", "action", "resource"),
    [
        (
            "The role arn:aws:iam::111122223333:role/a is not authorized to assume the task state's role, arn:aws:iam::111122223333:role/b.",
            "arn:aws:iam::111122223333:role/a",
            "sts:AssumeRole",
            "arn:aws:iam::111122223333:role/b",
        ),
        (
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
            "states.amazonaws.com",
            "sts:AssumeRole",
            "",
        ),
        (
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
            "",
            "ec2:CreateNetworkInterface",
            "",
        ),
        ("Not authorized to perform sts:AssumeRoleWithWebIdentity", "", "sts:AssumeRoleWithWebIdentity", ""),
    ],
)
def test_other_wordings_are_understood(text, principal, action, resource):
    denial = the(text)

    assert (denial.principal, denial.action, denial.resource) == (principal, action, resource)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user 42 is not authorized to view this page",
        "User is not authorized to access this resource with an explicit deny",
        "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:x",
        "User: customer/88120 is not authorized to perform: order:Cancel on resource: order/5511 because no policy allows it",
        "ConditionalCheckFailedException: The conditional request failed",
        "PermissionError: [Errno 13] Permission denied: '/var/task/app.py'",
    ],
)
def test_other_errors_are_no_refusals(text):
    assert denials_in(text) == ()


def test_masked_account_does_not_cross_accounts():
    denial = Denial(
        principal=SESSION, action="execute-api:Invoke", resource="arn:aws:execute-api:eu-west-1:********9012:a"
    )

    assert denial.crosses_accounts is None
    assert Denial(principal=SESSION, resource="arn:aws:sqs:eu-west-1:444455556666:q").crosses_accounts is True
    assert Denial(principal=SESSION, resource=TABLE).crosses_accounts is False


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("An error occurred (AccessDenied) when calling the GetObject operation: Access Denied", "s3:GetObject"),
        ("An error occurred (403) when calling the HeadObject operation: Forbidden", "s3:GetObject"),
        (
            "operation error S3: ListObjectsV2, https response error StatusCode: 403, RequestID: 1, HostID: 2, api error AccessDenied: Access Denied",
            "s3:ListBucket",
        ),
    ],
)
def test_terse_refusal_names_the_action_of_its_operation(text, action):
    assert short_denial_in(text) == Denial(action=action)


def test_terse_refusal_of_an_unknown_service_names_nothing():
    assert short_denial_in("An error occurred (AccessDenied) when calling the FrobThing operation: no") is None


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("DynamoDB", "PutItem", "dynamodb:PutItem"),
        ("Lambda", "Invoke", "lambda:InvokeFunction"),
        ("S3", "UploadPart", "s3:PutObject"),
        ("StepFunctions", "StartExecution", "states:StartExecution"),
        ("Secrets Manager", "GetSecretValue", "secretsmanager:GetSecretValue"),
        ("DynamoDB", "TransactWriteItems", ""),
        ("api.stripe.com", "", ""),
    ],
)
def test_operation_tells_its_action(service, operation, action):
    assert action_of(service, operation) == action


def test_hostile_text_is_read_in_linear_time():
    texts = ["User: " * 50_000, "is not authorized to perform: " * 10_000, "because no " * 60_000, "role " * 60_000]
    began = time.monotonic()
    for text in texts:
        denials_in(text)
        short_denial_in(text)

    assert time.monotonic() - began < 5


@given(st.text(max_size=300))
def test_any_text_is_survived(text):
    assert isinstance(denials_in(f"User: {text} is not authorized to perform: a:b on resource: {text}"), tuple)


def policy(*statements: dict[str, object], name: str = "p") -> Policy:
    return Policy(name, statements_of({"Statement": list(statements)}))


def allow(action: object = "dynamodb:*", resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object = "dynamodb:*", resource: object = "*", **more: object) -> dict[str, object]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


MFA = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
ELSEWHERE = {"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}}
HERE = {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}


@pytest.mark.parametrize(
    ("statements", "outcome"),
    [
        ([], Outcome.IMPLICIT_DENY),
        ([allow()], Outcome.ALLOWED),
        ([allow("DYNAMODB:putitem")], Outcome.ALLOWED),
        ([allow("dynamodb:Put????")], Outcome.ALLOWED),
        ([allow("dynamodb:GetItem")], Outcome.IMPLICIT_DENY),
        ([allow(["s3:*", "dynamodb:PutItem"], [TABLE, "arn:aws:s3:::x"])], Outcome.ALLOWED),
        ([allow("*", TABLE + "s")], Outcome.IMPLICIT_DENY),
        ([allow("*", "arn:aws:dynamodb:*:*:table/ord*")], Outcome.ALLOWED),
        ([allow(), deny()], Outcome.EXPLICIT_DENY),
        ([deny()], Outcome.EXPLICIT_DENY),
        ([allow(), deny("dynamodb:DeleteItem")], Outcome.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], Outcome.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "dynamodb:*", "Resource": "*"}], Outcome.IMPLICIT_DENY),
        ([allow(), {"Effect": "Deny", "Action": "*", "NotResource": TABLE}], Outcome.ALLOWED),
        ([allow(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}], Outcome.EXPLICIT_DENY),
        ([allow(**MFA)], Outcome.UNDECIDED),
        ([allow(), deny(**MFA)], Outcome.UNDECIDED),
        ([deny(**MFA)], Outcome.IMPLICIT_DENY),
        ([allow(), deny(**ELSEWHERE)], Outcome.EXPLICIT_DENY),
        ([allow(**HERE)], Outcome.ALLOWED),
        ([allow("*", "arn:aws:dynamodb:eu-west-1:111122223333:table/${aws:PrincipalTag/t}")], Outcome.UNDECIDED),
    ],
)
def test_policies_decide_as_iam_does(statements, outcome):
    request = Request("dynamodb:PutItem", TABLE, {"aws:requestedregion": "eu-west-1"})

    assert decide([policy(*statements)], request).outcome is outcome


def test_deciding_statement_is_named_by_sid_or_number():
    named = decide([policy(allow(), deny(Sid="NoWrites"), name="guard")], Request("dynamodb:PutItem", TABLE))
    numbered = decide([policy(allow(), name="grant")], Request("dynamodb:PutItem", TABLE))

    assert (named.by, numbered.by) == ("`guard` (NoWrites)", "`grant` (statement 1)")


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("arn:aws:s3:::reports/*", Outcome.ALLOWED),
        ("arn:aws:s3:::reports/daily/*", Outcome.UNDECIDED),
        ("arn:aws:s3:::other/*", Outcome.IMPLICIT_DENY),
        ("arn:aws:s3:::reports", Outcome.IMPLICIT_DENY),
    ],
)
def test_resource_known_by_its_beginning_only_is_matched_cautiously(pattern, outcome):
    assert (
        decide([policy(allow("s3:*", pattern))], Request("s3:GetObject", "arn:aws:s3:::reports/*")).outcome is outcome
    )


def test_unknown_resource_leaves_a_scoped_allow_undecided():
    assert decide([policy(allow("*", TABLE))], Request("dynamodb:PutItem")).outcome is Outcome.UNDECIDED
    assert decide([policy(allow("s3:*", TABLE))], Request("dynamodb:PutItem")).outcome is Outcome.IMPLICIT_DENY


@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="ab", max_size=8))
def test_wildcards_match_as_a_regular_expression_would(pattern, text):
    expected = re.fullmatch(pattern.replace("*", ".*").replace("?", "."), text) is not None

    assert matches(pattern, text) is expected


def trust(*principals: object, **more: object) -> tuple[object, ...]:
    statements = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": p, **more} for p in principals]
    return statements_of({"Statement": statements})


@pytest.mark.parametrize(
    ("statements", "trusted"),
    [
        (trust({"Service": "lambda.amazonaws.com"}), True),
        (trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}), True),
        (trust("*"), True),
        (trust({"Service": "ec2.amazonaws.com"}), False),
        (trust({"Service": "lambda.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": "1"}}), None),
        ((), False),
    ],
)
def test_trust_policy_names_the_service_or_not(statements, trusted):
    assert trusts(statements, lambda entry: entry in {"*", "Service:lambda.amazonaws.com"}) is trusted


@pytest.mark.parametrize("document", ["{", "[]", {}, {"Statement": ["x"]}, {"Statement": {"Effect": "Maybe"}}, None])
def test_what_is_no_policy_is_refused(document):
    with pytest.raises(ValueError, match=r"."):
        statements_of(document)


@pytest.mark.parametrize("escapes", ["", "\\", "\\" * 3, "\\" * 7])
def test_a_quoted_resource_is_read_however_often_its_text_was_put_into_json(escapes):
    quote = f'{escapes}"'
    text = f"User: {SESSION} is not authorized to perform: s3:PutObject on resource: {quote}arn:aws:s3:::b/k.pdf{quote} because"

    assert the(text).resource == "arn:aws:s3:::b/k.pdf"
