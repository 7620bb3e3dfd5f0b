"""What the VPC specialist concludes: each cause with its near miss beside it, and what it states as facts."""

import random

import pytest

from domain.causes import CAUSES
from domain.findings import Strength
from specialists.vpc import SPECIALIST
from specialists.vpc.evidence import (
    Attachment,
    DnsSettings,
    FlowLog,
    FlowLogs,
    FunctionInterfaces,
    RejectedFlow,
    RejectedFlows,
    Status,
)
from specialists.vpc.network import Interface
from tests.specialists.vpc_building import (
    ANY_OUT,
    DATABASE,
    FUNCTION,
    NAT_ROUTE,
    PUBLIC,
    ROLE,
    acls,
    advice,
    allow,
    attachment,
    call,
    called,
    case,
    change,
    database,
    endpoint,
    endpoints,
    entry,
    facts,
    gateway,
    graph,
    healthy,
    judged,
    log,
    metric,
    minute,
    nat,
    nothing_changed,
    of,
    own,
    proven,
    route,
    segment,
    subnets,
    tables,
)
from tests.support.probing import findings

NAT, GROUP, ACL, POLICY = "lambda-vpc-no-nat", "lambda-vpc-sg-egress", "lambda-vpc-nacl", "vpc-endpoint-policy"
ENI, FULL, THROTTLED, DENIED, GONE, EFS = (
    "lambda-eni-limit",
    "lambda-subnet-ip-exhausted",
    "lambda-ec2-throttled",
    "lambda-ec2-access-denied",
    "lambda-subnet-sg-deleted",
    "lambda-efs-mount",
)
INTERNET_LOST = log("Error: connect ETIMEDOUT 176.32.98.189:443")
SQS_LOST = log('ConnectTimeoutError: Connect timeout on endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"')
DB_LOST = log(f"Error: connect ETIMEDOUT {DATABASE}:5432")
SLOW = log("ReadTimeoutError: Read timed out. (read timeout=15)")
RAN_OUT = log("Task timed out after 10.00 seconds")
ISOLATED = tables()
HALF_ACL = acls(b=(entry(100, "allow out"), entry(100, "allow in", low=443, high=443)))
SQS = "arn:aws:sqs:eu-west-1:123456789012:orders"
FROM_FN = allow(5432, groups=("sg-fn",))

# what is seen, what is proven, what is named
HITS = {
    "no NAT, by address": ([healthy(tables=ISOLATED), INTERNET_LOST], {NAT}),
    "no NAT, by service": ([healthy(tables=ISOLATED), SQS_LOST], {NAT}),
    "no NAT, pending call": ([healthy(tables=ISOLATED), call(SQS, pending=True, http_status=None)], {NAT}),
    "no NAT, traced host": (
        [healthy(tables=ISOLATED), call("remote:api.stripe.com", ("Timeout", "connect timed out"))],
        {NAT},
    ),
    "NAT failed": ([healthy(nat=nat("failed")), SQS_LOST], {NAT}),
    "internet gateway": ([healthy(tables=tables(route("igw-1"))), INTERNET_LOST], {NAT}),
    "one subnet without a route": ([healthy(tables=tables(NAT_ROUTE, b=())), INTERNET_LOST], {NAT}),
    "group closed": ([healthy(own=own(allow(443, "0.0.0.0/0"))), DB_LOST], {GROUP}),
    "database closed": ([healthy(eni=database(), called=called(allow(5432, groups=("sg-x",)))), DB_LOST], {GROUP}),
    "ACL of one subnet": ([healthy(acls=HALF_ACL), INTERNET_LOST], {ACL}),
    "ACL of the database": ([healthy(acls=acls(db=())), DB_LOST], {ACL}),
}
MISSES = {
    "NAT there": [healthy(), INTERNET_LOST],
    "an endpoint serves it": [
        healthy(tables=ISOLATED, endpoints=endpoints(endpoint("sqs"))),
        SQS_LOST,
    ],
    "nothing failed": [healthy(tables=ISOLATED), call(SQS)],
    "it was refused": [healthy(tables=ISOLATED), log("connect ECONNREFUSED 10.0.3.15:5432")],
    "group open": [healthy(), DB_LOST],
    "database open": [healthy(eni=database(), called=called(FROM_FN)), DB_LOST],
    "ACL of another subnet": [healthy(acls=acls(pub=(entry(100, "allow in"), entry(100, "allow out")))), DB_LOST],
    "routes were not read": [healthy(tables=None), INTERNET_LOST],
    "nothing was read": [INTERNET_LOST, RAN_OUT],
    "another function's call": [
        healthy(tables=ISOLATED),
        call(SQS, ("Timeout", "connect timed out"), caller=FUNCTION + "-2"),
    ],
}


@pytest.mark.parametrize(("evidence", "causes"), HITS.values(), ids=HITS)
def test_a_lost_connection_and_what_is_in_its_way_prove_each_other(evidence, causes) -> None:
    found = judged(*evidence)

    assert set(found) == causes == proven(found)
    assert {one.resource for one in found.values()} == {FUNCTION}


@pytest.mark.parametrize("evidence", MISSES.values(), ids=MISSES)
def test_without_a_failure_or_without_an_obstacle_nothing_is_claimed(evidence) -> None:
    assert judged(*evidence) == {}


def strengths(found, cause):
    return sorted(support.strength for support in found[cause].supports)


def test_a_read_that_timed_out_where_no_way_leads_is_strong_not_proof() -> None:
    late = log('ReadTimeoutError: Read timeout on endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"')
    found = judged(healthy(tables=ISOLATED), late)

    assert proven(found) == set()
    assert strengths(found, NAT) == [Strength.STRONG, Strength.STRONG]


@pytest.mark.parametrize("sign", [RAN_OUT, SLOW], ids=["timeout", "read"])
def test_a_timeout_that_names_no_place_is_weak_beside_the_missing_route(sign) -> None:
    found = judged(healthy(tables=ISOLATED), sign)

    assert strengths(found, NAT) == [Strength.STRONG, Strength.WEAK]


def test_a_timeout_that_names_no_place_says_nothing_where_another_names_one() -> None:
    assert judged(healthy(tables=ISOLATED, eni=database(), called=called(FROM_FN)), RAN_OUT, DB_LOST) == {}


def test_what_worked_all_along_and_nobody_changed_speaks_against_an_untold_timeout() -> None:
    worked = [metric("Invocations", 9, usual=9), metric("Errors", 4, usual=0)]

    failing = [metric("Invocations", 9, usual=9), metric("Errors", 9, usual=9)]

    assert judged(healthy(tables=ISOLATED), RAN_OUT, *worked, nothing_changed())[NAT].contradicting
    assert not judged(healthy(tables=ISOLATED), RAN_OUT, *failing, nothing_changed())[NAT].contradicting
    assert not judged(healthy(tables=ISOLATED), RAN_OUT, nothing_changed())[NAT].contradicting
    assert not judged(healthy(tables=ISOLATED), RAN_OUT, *worked)[NAT].contradicting
    assert not judged(healthy(tables=ISOLATED), INTERNET_LOST, *worked, nothing_changed())[NAT].contradicting


def test_an_answer_over_the_same_blocked_way_contradicts() -> None:
    lost = call(SQS, ("Timeout", "connect timed out"), at=17)

    assert judged(healthy(tables=ISOLATED), lost, call(SQS))[NAT].contradicting
    assert not judged(healthy(tables=ISOLATED), lost, call("remote:10.0.3.15"))[NAT].contradicting


CHANGES = {
    "route deleted": ({"tables": ISOLATED}, INTERNET_LOST, NAT, change("DeleteRoute", routeTableId="rtb-private")),
    "NAT deleted": (
        {"nat": nat("deleted")},
        INTERNET_LOST,
        NAT,
        change("DeleteNatGateway", DeleteNatGatewayRequest__NatGatewayId="nat-1"),
    ),
    "rule revoked": ({"own": own()}, DB_LOST, GROUP, change("RevokeSecurityGroupEgress", groupId="sg-fn")),
    "database's rule revoked": (
        {"eni": database(), "called": called()},
        DB_LOST,
        GROUP,
        change("RevokeSecurityGroupIngress", groupId="sg-db"),
    ),
    "ACL entry made": ({"acls": HALF_ACL}, INTERNET_LOST, ACL, change("ReplaceNetworkAclEntry", networkAclId="acl-b")),
    "function moved": (
        {"tables": ISOLATED},
        INTERNET_LOST,
        NAT,
        change("UpdateFunctionConfiguration20150331v2", vpcConfig__subnetIds__0="subnet-a"),
    ),
}


@pytest.mark.parametrize(("parts", "lost", "cause", "made"), CHANGES.values(), ids=CHANGES)
def test_the_change_that_put_it_in_the_way_is_named_and_dated(parts, lost, cause, made) -> None:
    found = judged(healthy(**parts), lost, made)[cause]

    assert made.id in found.evidence
    assert found.since == made.observed_at
    assert f"after {made.event_name} by deploy-bot" in found.summary


NOT_IT = {
    "refused": change("DeleteRoute", error="UnauthorizedOperation", routeTableId="rtb-private"),
    "later": change("DeleteRoute", at=19.9, routeTableId="rtb-private"),
    "another table's": change("DeleteRoute", routeTableId="rtb-public"),
    "a tag": change("CreateTags", routeTableId="rtb-private"),
    "memory": change("UpdateFunctionConfiguration20150331v2", memorySize="512"),
}


@pytest.mark.parametrize("made", NOT_IT.values(), ids=NOT_IT)
def test_a_change_that_cannot_have_done_it_is_left_out(made) -> None:
    early = log("Error: connect ETIMEDOUT 176.32.98.189:443", at=17)
    found = judged(healthy(tables=ISOLATED), early, made)[NAT]

    assert made.id not in found.evidence
    assert found.since == minute(17)


def test_the_sentence_tells_what_where_and_how_often() -> None:
    twice = log(*['Connect timeout on endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"'] * 2)
    half = judged(healthy(tables=tables(NAT_ROUTE, b=())), twice)[NAT].summary

    assert half == (
        "`create-order` cannot reach `sqs.eu-west-1.amazonaws.com:443` (from 1 of its 2 subnets): route table `rtb-b` "
        "has no route to the internet (0.0.0.0/0), and the VPC has no endpoint for `sqs`; 2 attempts failed "
        "since 09:54 UTC"
    )


def test_a_private_address_beyond_the_vpc_is_not_reached_over_nat() -> None:
    peered = log("Error: connect ETIMEDOUT 10.200.4.8:8443")
    known = tables(NAT_ROUTE, public=(PUBLIC, route("tgw-1", "10.200.0.0/16")))
    found = judged(healthy(), peered)[NAT]

    assert "0.0.0.0/0 of route table `rtb-private` is the only way to 10.200.4.8" in found.summary
    assert judged(healthy(tables=known), peered) == {}
    assert judged(healthy(tables=tables(NAT_ROUTE, route("pcx-1", "10.200.0.0/16"))), peered) == {}
    assert judged(healthy(tables=tables(NAT_ROUTE, route("tgw-1", "pl-1"))), peered) == {}


def test_an_endpoint_that_calls_do_not_go_through_is_named_with_who_took_it_away() -> None:
    apart = endpoint("s3", gateway=True, subnet_ids=(), private_dns=False)
    lost = call("arn:aws:s3:::photos", ("Timeout", "connect timed out"))
    made = change("ModifyVpcEndpoint", ModifyVpcEndpointRequest__VpcEndpointId="vpce-s3")
    found = judged(healthy(tables=ISOLATED, endpoints=endpoints(apart)), lost, made)[NAT]

    assert (
        "VPC endpoint `vpce-s3` for `s3` is not in route table `rtb-private`, after ModifyVpcEndpoint by deploy-bot"
        in found.summary
    )
    assert made.id in found.evidence


def test_an_interface_endpoint_without_private_names_is_named() -> None:
    unnamed = endpoint("sqs", private_dns=False)
    found = judged(healthy(tables=ISOLATED, endpoints=endpoints(unnamed)), SQS_LOST)[NAT]

    assert "`vpce-sqs` for `sqs` has private DNS switched off" in found.summary


def test_some_missing_answer_ports_are_no_proof() -> None:
    some = acls(a=(entry(100, "allow out"), entry(100, "allow in", low=32768)))
    found = judged(healthy(acls=some), INTERNET_LOST)

    assert strengths(found, ACL) == [Strength.STRONG, Strength.WEAK]


def rejected(destination: str, port: int) -> RejectedFlows:
    flow = RejectedFlow(at=minute(17), interface="eni-1", source="10.0.1.9", destination=destination, port=port)
    return of(RejectedFlows, source="logs:FilterLogEvents", log_group="flows", flows=(flow,))


def test_flow_logs_that_rejected_that_very_connection_support_it() -> None:
    that, other = rejected(DATABASE, 5432), rejected(DATABASE, 3306)
    found = judged(healthy(own=own()), DB_LOST, that, other)[GROUP]

    assert that.id in found.evidence
    assert other.id not in found.evidence


# --- what Lambda states

ANSWERS = {
    ENI: "ENILimitReachedException: The elastic network interface limit was reached for the function's VPC.",
    FULL: "SubnetIPAddressLimitReachedException: one or more configured subnets has no available IP addresses.",
    THROTTLED: "EC2ThrottledException: Lambda was throttled by Amazon EC2 during Lambda function initialization",
    DENIED: "EC2AccessDeniedException: Need additional permissions to configure VPC settings.",
    GONE: "InvalidSubnetIDException: The Subnet ID provided in the Lambda function VPC configuration is invalid.",
    EFS: "EFSMountConnectivityException: The function couldn't make a network connection to the EFS file system",
}
CODES = {
    ENI: "EniLimitExceeded",
    FULL: "SubnetOutOfIPAddresses",
    THROTTLED: "EC2RequestLimitExceeded",
    DENIED: "InsufficientRolePermissions",
    GONE: "InvalidSecurityGroup",
    EFS: "EFSMountTimeout",
}
API = "arn:aws:apigateway:eu-west-1::/restapis/a1"


def answer(text: str) -> object:
    name, _, words = text.partition(": ")
    return call(FUNCTION, (name, words), caller=API)


@pytest.mark.parametrize(("cause", "text"), ANSWERS.items())
def test_what_lambda_answers_about_the_function_is_proof(cause, text) -> None:
    by_call, by_segment = judged(attachment(), answer(text)), judged(segment(("Error", text), origin="AWS::Lambda"))

    assert set(by_call) == proven(by_call) == {cause} == proven(by_segment)
    assert by_call[cause].resource == (ROLE if cause == DENIED else FUNCTION)


@pytest.mark.parametrize(("cause", "text"), ANSWERS.items())
def test_the_same_words_in_the_functions_log_may_be_about_a_function_that_it_calls(cause, text) -> None:
    alone, calling = judged(attachment(), log(text)), judged(attachment(), log(text), around=graph(FUNCTION + "-2"))

    assert strengths(alone, cause) == [Strength.STRONG]
    assert strengths(calling, cause) == [Strength.WEAK]


@pytest.mark.parametrize(("cause", "code"), CODES.items())
def test_a_state_that_stops_the_function_is_proof_with_a_failure_and_strong_alone(cause, code) -> None:
    failed = attachment(state=Status(state="Failed", code=code, reason="why"))

    assert proven(judged(failed, call(FUNCTION, ("ResourceNotReady", "no"), caller=API))) == {cause}
    assert strengths(judged(failed), cause) == [Strength.STRONG]


@pytest.mark.parametrize("code", ["Idle", "Creating", "InternalError", ""])
def test_a_state_with_another_code_is_not_the_networks(code) -> None:
    assert judged(attachment(state=Status(state="Inactive", code=code)), segment(("Error", "x"))) == {}


def test_an_active_function_is_not_judged_by_an_old_code() -> None:
    assert judged(attachment(state=Status(state="Active", code="EniLimitExceeded"))) == {}


def test_an_update_that_failed_for_full_subnets_is_supported_by_the_full_subnets() -> None:
    late = attachment(last_update=Status(state="Failed", code="SubnetOutOfIPAddresses", reason="full"))

    assert strengths(judged(late, subnets(free=0)), FULL) == [Strength.STRONG, Strength.STRONG]
    assert strengths(judged(late, subnets(free=9)), FULL) == [Strength.STRONG]
    assert "`subnet-a`, `subnet-b`" in judged(late, subnets(free=0))[FULL].summary


def test_a_refused_change_proves_only_where_nothing_else_failed() -> None:
    refused = change("UpdateFunctionConfiguration20150331v2", error=ANSWERS[DENIED], vpcConfig="x")

    assert proven(judged(refused)) == {DENIED}
    assert strengths(judged(refused, segment(("KeyError", "x"))), DENIED) == [Strength.WEAK]


def test_full_subnets_alone_are_advice() -> None:
    assert judged(healthy(subnets=subnets(free=0))) == {}
    assert any("No address is free" in text for text in advice(healthy(subnets=subnets(free=0))))
    assert advice(healthy()) == []


def test_a_missing_part_is_named_unless_the_function_runs() -> None:
    gone = [attachment(), subnets(missing=("subnet-b",)), own(ANY_OUT)]
    running = [segment(failed=False)]
    serving = [metric("Invocations", 5), metric("Errors", 0)]

    assert "`subnet-b`" in judged(*gone)[GONE].summary
    assert "`sg-fn`" in judged(attachment(), subnets(), own(missing=True))[GONE].summary
    assert judged(*gone, *running) == judged(*gone, *serving) == {}
    assert any("runs nevertheless" in fact for fact in facts(*gone, *serving))


def test_who_deleted_a_missing_part_is_named() -> None:
    gone = [attachment(), subnets(), own(missing=True)]
    made = change("DeleteSecurityGroup", groupId="sg-fn")
    others = change("DeleteSecurityGroup", groupId="sg-x")
    unsaid, said = judged(*gone, made)[GONE], judged(*gone, made, answer(ANSWERS[GONE]))[GONE]

    assert made.id in unsaid.evidence
    assert made.id in said.evidence
    assert "`sg-fn` does not exist, after DeleteSecurityGroup by deploy-bot" in said.summary
    assert "after" not in judged(*gone, others)[GONE].summary


def test_the_mount_targets_group_explains_a_file_system_that_is_not_mounted() -> None:
    target = database("EFS mount target for fs-1 (fsmt-1)")
    closed = healthy(eni=target, called=called(allow(2049, groups=("sg-x",))))
    open_too = healthy(eni=target, called=called(allow(2049, groups=("sg-fn",))))
    blocked, free = judged(closed, answer(ANSWERS[EFS])), judged(open_too, answer(ANSWERS[EFS]))

    assert set(blocked) == set(free) == proven(blocked) == {EFS}
    assert "`sg-db`" in blocked[EFS].summary
    assert strengths(blocked, EFS) == [Strength.PROOF, Strength.STRONG]
    assert strengths(free, EFS) == [Strength.PROOF]
    assert judged(closed) == {}


def test_many_interfaces_support_the_limit_and_alone_are_a_fact() -> None:
    held = of(FunctionInterfaces, interfaces=tuple(Interface(id=f"eni-{n}", status="in-use") for n in range(250)))

    assert "Lambda holds 250" in judged(attachment(), held, answer(ANSWERS[ENI]))[ENI].summary
    assert judged(attachment(), held) == {}
    assert any("250 in-use" in fact for fact in facts(attachment(), held))


# --- endpoint policies

BLAMED = (
    "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: s3:GetObject on resource: "
    '"arn:aws:s3:::photos/a.jpg" because no VPC endpoint policy allows the s3:GetObject action'
)
EXPLICIT = BLAMED.replace("because no VPC endpoint policy allows", "with an explicit deny in a VPC endpoint policy for")
TERSE = "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied"
IDENTITY = BLAMED.replace("VPC endpoint", "identity-based")


def policy(action: str = "s3:*", resource: str = "*", effect: str = "Allow", more: str = "") -> str:
    return (
        f'{{"Statement": {{"Effect": "{effect}", "Principal": "*", "Action": "{action}", "Resource": "{resource}"'
        f"{more}}}}}"
    )


ONLY_PUT = policy("s3:PutObject")
CONDITIONAL_DENY = (
    '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, {"Effect": "Deny",'
    ' "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
)
PHOTOS = "arn:aws:s3:::photos"
VPCE = "arn:aws:ec2:eu-west-1:123456789012:vpc-endpoint/vpce-s3"


def through(text: str) -> list:
    return healthy(endpoints=endpoints(gateway("s3", text)))


def s3_denied(words: str, operation: str = "GetObject") -> object:
    return call(PHOTOS, ("AccessDenied", words), operation=operation, service="S3")


@pytest.mark.parametrize("words", [BLAMED, EXPLICIT], ids=["implicit", "explicit"])
@pytest.mark.parametrize("sign", [s3_denied, log, lambda text: segment(("ClientError", text))])
def test_aws_blaming_an_endpoints_policy_is_proof_and_accuses_the_endpoint(words, sign) -> None:
    known, unknown = judged(through(ONLY_PUT), sign(words)), judged(sign(words))

    assert proven(known) == proven(unknown) == {POLICY}
    assert (known[POLICY].resource, unknown[POLICY].resource) == (VPCE, FUNCTION)


def test_a_terse_denial_on_an_endpoints_way_is_proven_by_its_policy() -> None:
    found = judged(through(ONLY_PUT), s3_denied(TERSE))

    assert proven(found) == {POLICY}
    assert found[POLICY].resource == VPCE


NOT_THE_ENDPOINT = {
    "the policy allows it": [through(policy()), s3_denied(TERSE)],
    "the policy may allow it": [through(policy(more=', "Condition": {"StringEquals": {"a": "b"}}')), s3_denied(TERSE)],
    "the policy cannot be read": [through("not JSON"), s3_denied(TERSE)],
    "another policy is blamed": [through(ONLY_PUT), s3_denied(IDENTITY)],
    "the call takes another way": [
        healthy(endpoints=endpoints(gateway("s3", ONLY_PUT, route_table_ids=("rtb-x",)))),
        s3_denied(TERSE),
    ],
    "the endpoint is another service's": [healthy(endpoints=endpoints(gateway("dynamodb", ONLY_PUT))), s3_denied(TERSE)],
    "nothing was denied": [through(ONLY_PUT), call(PHOTOS)],
    "it failed otherwise": [through(ONLY_PUT), call(PHOTOS, ("NoSuchKey", "gone"), operation="GetObject")],
}  # fmt: skip


@pytest.mark.parametrize("evidence", NOT_THE_ENDPOINT.values(), ids=NOT_THE_ENDPOINT)
def test_a_denial_that_the_endpoint_need_not_have_made_is_not_its(evidence) -> None:
    assert POLICY not in judged(*evidence)


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        (policy("s3:Get*"), False),
        (policy("s3:GetObject", f"{PHOTOS}/*"), False),
        (policy("s3:GetObject", "arn:aws:s3:::other/*"), True),
        (policy("s3:GetObject", effect="Deny"), True),
        (policy("sqs:*"), True),
        (policy("*", more=', "NotPrincipal": "x"'), False),
        ("", False),
        (CONDITIONAL_DENY, False),
        ('{"Statement": []}', True),
        ('{"Statement": "x"}', False),
        ("[]", False),
    ],
)
def test_a_policy_is_read_as_aws_reads_it(text, refuses) -> None:
    words = f'is not authorized to perform: s3:GetObject on resource: "{PHOTOS}/a.jpg"'

    assert (POLICY in judged(through(text), s3_denied(words))) is refuses


API = "apigw-private-endpoint-policy"
API_CALL = call(
    "remote:a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    http_status=403,
    error=True,
    attributes={"url": "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/points"},
)


def test_an_api_refused_through_a_private_endpoint_accuses_it_only_where_it_is_new() -> None:
    way = healthy(endpoints=endpoints(endpoint("execute-api")))
    made = change("CreateVpcEndpoint", CreateVpcEndpointRequest__ServiceName="com.amazonaws.eu-west-1.execute-api")
    later = change("CreateVpcEndpoint", at=19, CreateVpcEndpointRequest__ServiceName="com.amazonaws.x.execute-api")
    new, old = judged(way, API_CALL, made), judged(way, API_CALL)

    assert new[API].resource.endswith("vpc-endpoint/vpce-execute-api")
    assert "through VPC endpoint `vpce-execute-api`, since CreateVpcEndpoint by deploy-bot" in new[API].summary
    assert set(strengths(new, API)) == {Strength.STRONG}
    assert set(strengths(old, API)) == set(strengths(judged(way, API_CALL, later), API)) == {Strength.WEAK}
    assert API not in judged(healthy(endpoints=endpoints(endpoint("execute-api", private_dns=False))), API_CALL)
    assert API not in judged(way, API_CALL.model_copy(update={"http_status": 500}))


def test_the_endpoints_last_change_is_named() -> None:
    made = change("ModifyVpcEndpoint", ModifyVpcEndpointRequest__VpcEndpointId="vpce-s3")

    assert "after ModifyVpcEndpoint by deploy-bot" in judged(through(ONLY_PUT), s3_denied(BLAMED), made)[POLICY].summary


# --- facts


@pytest.mark.parametrize(
    ("evidence", "fact"),
    [
        ([healthy()], "reaches the internet through `nat-1`"),
        ([healthy(tables=ISOLATED)], "cannot reach the internet: route table `rtb-private`"),
        ([healthy()], "stands in `subnet-a` (eu-west-1a, 10.0.1.0/24)"),
        ([healthy()], "`vpc-1`, guarded by `sg-fn`"),
        ([healthy(), INTERNET_LOST], "Nothing in this VPC blocks `create-order` on the way to `176.32.98.189:443`"),
        ([healthy(endpoints=endpoints(endpoint("sqs", state="failed")))], "`vpce-sqs` for `sqs` is failed"),
        ([through("not JSON")], "The policy of VPC endpoint `vpce-s3` could not be read"),
        ([healthy(subnets=subnets(free=3))], "Free addresses: `subnet-a` has 3"),
        ([nothing_changed("rtb-private", "nat-1")], "Nobody changed `rtb-private`, `nat-1` since 2026-11-20"),
        ([rejected(DATABASE, 5432)], "1 rejected flows in flows"),
        (
            [of(DnsSettings, support=False, hostnames=False), log("getaddrinfo ENOTFOUND x")],
            "switched off in the VPC, and names do not resolve",
        ),
        (
            [of(FlowLogs, logs=(FlowLog(id="fl-1", resource_id="vpc-1", delivery="FAILED", error="Access error"),))],
            "`fl-1` of `vpc-1` is not delivered: Access error",
        ),
    ],
)
def test_what_is_so_is_stated(evidence, fact) -> None:
    assert any(fact in said for said in facts(*evidence)), facts(*evidence)


def test_a_function_outside_any_vpc_gets_not_a_word() -> None:
    assert list(findings(SPECIALIST.rules, case(INTERNET_LOST, RAN_OUT, call(SQS)))) == []


def test_a_part_of_a_network_is_described_and_a_missing_one_is_told() -> None:
    subnet = "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-a"
    there = of(Attachment, resource=subnet, vpc_id="vpc-1", subnet_ids=("subnet-a",))
    gone = of(Attachment, resource=subnet, exists=False)

    assert judged(there, target=subnet) == {}
    assert facts(gone, target=subnet) == ["There is no subnet `subnet-a`"]
    assert any("of `vpc-1`" in fact for fact in facts(there, target=subnet))


def test_any_part_of_the_evidence_may_be_missing() -> None:
    half = healthy(tables=ISOLATED, nat=nat("failed"), eni=database(), called=called(), acls=HALF_ACL)
    whole = [*half, INTERNET_LOST, DB_LOST, s3_denied(BLAMED), segment(("E", ANSWERS[EFS]), origin="AWS::Lambda")]
    for seed in range(150):
        chosen = random.Random(seed).sample(whole, random.Random(seed).randint(0, len(whole)))

        assert set(judged(*chosen)) <= set(CAUSES)


def test_every_cause_of_the_network_is_named_here() -> None:
    declared = {cause for rule in SPECIALIST.rules for cause in rule.causes}

    assert {code for code, cause in CAUSES.items() if cause.service == "vpc"} | {EFS, API} == declared
    assert declared == {NAT, GROUP, ACL, POLICY, API, *ANSWERS}
