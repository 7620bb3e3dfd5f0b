"""Calls that the called side refuses: trust policies, resource policies, also of other accounts."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, CONFIGURATION, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import go, java, python
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

PARTNER = "210987654321"
READER = f"arn:aws:iam::{PARTNER}:role/rca-read"


@scenario(Kind.SINGLE, "iam")
def trust_policy_rewritten(world: World) -> Expect:
    """warehouse-reader now trusts only the new cluster; nightly-figures, which assumes it, is left out."""
    reader = resources.role(world, "warehouse-reader", allow(["s3:GetObject"]), assumed_by="ec2.amazonaws.com")
    figures = deploy(world, "nightly-figures", "python3.11", allow(["sts:AssumeRole"], reader), timeout=120, memory=512)
    session = f"arn:aws:sts::{world.account}:assumed-role/{figures.role}/{figures.name}"
    fault = python(
        "ClientError",
        f"An error occurred (AccessDenied) when calling the AssumeRole operation: User: {session} is not authorized to "
        f"perform: sts:AssumeRole on resource: {reader}",
        ("/var/lang/lib/python3.11/site-packages/botocore/client.py", 1021, "_make_api_call"),
        ("/var/task/app.py", 15, "warehouse"),
    )
    traffic(figures, 4, 9200, fault=fault, since=whole_minute(world, 11))
    changed(figures, CODE, who="ci-data", when=world.ago(hours=18), publish=False)
    elsewhere(world, CONFIGURATION, "hourly-figures", who="ci-data", when=world.ago(minutes=12), timeout=120)
    journey = Journey(world, world.ago(minutes=3, seconds=20))
    call = journey.aws("STS", "AssumeRole", 0.02, 0.08, status=403, cause=journey.exception(fault, remote=True))
    journey.function(figures, 0.0, 0.14, calls=[call], fault=fault)
    return Expect(
        journey.send(), cause="iam-assume-role-denied", resource=reader, innocent=(figures.arn, figures.role_arn)
    )


@scenario(Kind.FOREIGN, "iam")
def partner_queue_lets_nobody_in(world: World) -> Expect:
    """The partner made its queue anew without the policy for our account; our own role allows the call."""
    partner = World(world.aws, world.now, f"{world.seed} partner", account=PARTNER)
    resources.role(partner, "rca-read", allow(["sqs:Get*", "cloudwatch:Get*"]), assumed_by="ec2.amazonaws.com")
    queue = resources.queue(partner, "partner-orders")
    send = deploy(world, "partner-send", "provided.al2023", allow(["sqs:SendMessage"], queue), Handler="bootstrap")
    session = f"arn:aws:sts::{world.account}:assumed-role/{send.role}/{send.name}"
    fault = go(
        "OperationError",
        f"operation error SQS: SendMessage, https response error StatusCode: 403, RequestID: {world.ids.request()}, "
        f"api error AccessDenied: User: {session} is not authorized to perform: sqs:sendmessage on resource: {queue} "
        "because no resource-based policy allows the sqs:sendmessage action",
    )
    traffic(send, 19, 35, fault=fault, since=whole_minute(world, 9))
    changed(send, CODE, who="ci-partner", when=world.ago(hours=6), publish=False)
    journey = Journey(world, world.ago(minutes=2))
    cause = journey.exception(fault, remote=True)
    call = journey.sqs("SendMessage", "partner-orders", 0.01, 0.02, account=PARTNER, status=403, cause=cause)
    journey.function(send, 0.0, 0.05, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        accounts={PARTNER: READER},
        cause="iam-no-resource-policy-cross-account",
        resource=queue,
        innocent=(send.arn, send.role_arn),
    )


@scenario(Kind.SINGLE, "iam")
def secret_policy_denies_all_but_one_role(world: World) -> Expect:
    """The new policy of the secret denies it to everybody but the rotation; payout-send had used it for years."""
    client = world.client("secretsmanager")
    secret = client.create_secret(Name="bank/payout", SecretString="-")["ARN"]
    exempt = {"StringNotLike": {"aws:PrincipalArn": world.arn("iam", "role/secret-rotation")}}
    statement = {**allow("secretsmanager:GetSecretValue", effect="Deny"), "Principal": "*", "Condition": exempt}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.put_resource_policy(SecretId=secret, ResourcePolicy=policy)
    send = deploy(world, "payout-send", "java21", allow(["secretsmanager:GetSecretValue"], secret), memory=1024)
    session = f"arn:aws:sts::{world.account}:assumed-role/{send.role}/{send.name}"
    fault = java(
        "software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException",
        f"User: {session} is not authorized to perform: secretsmanager:GetSecretValue on resource: {secret} with an "
        "explicit deny in a resource-based policy (Service: SecretsManager, Status Code: 400, Request ID: "
        f"{world.ids.request()})",
        ("BankLogin.java", 33, "com.payout.BankLogin.open"),
    )
    traffic(send, 8, 610, fault=fault, since=whole_minute(world, 15))
    elsewhere(world, CODE, "payout-plan", who="ci-payout", when=world.ago(minutes=16), publish=False)
    journey = Journey(world, world.ago(minutes=6))
    cause = journey.exception(fault, remote=True)
    call = journey.aws("SecretsManager", "GetSecretValue", 0.02, 0.05, status=400, cause=cause, secret_id=secret)
    journey.function(send, 0.0, 0.11, calls=[call], fault=fault)
    return Expect(journey.send(), cause="iam-resource-policy-deny", resource=secret, innocent=(send.arn, send.role_arn))


@scenario(Kind.CASCADE, "lambda")
def execution_role_trusts_another_service(world: World) -> Expect:
    """A template now lets only ECS assume the role of geo-lookup; ad-select, which invokes it, fails behind its API."""
    lookup = deploy(world, "geo-lookup", "python3.12")
    trust = resources.policy_document(
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    world.client("iam").update_assume_role_policy(RoleName=lookup.role, PolicyDocument=trust)
    select = deploy(world, "ad-select", "python3.12", allow(["lambda:InvokeFunction"], lookup.arn))
    stage = resources.rest_api(world, "ads", [("GET", "/ad", select.arn)])
    fault = python(
        "AccessDeniedException",
        "An error occurred (AccessDeniedException) when calling the Invoke operation: The role defined for the "
        "function cannot be assumed by Lambda.",
        ("/var/task/app.py", 37, "locate"),
        ("/var/task/app.py", 14, "handler"),
    )
    traffic(select, 520, 48, fault=fault, since=whole_minute(world, 7))
    traffic(lookup, 1, 12, logged=False)
    changed(lookup, CODE, who="ci-geo", when=world.ago(hours=4), publish=False)
    journey = Journey(world, world.ago(minutes=1, seconds=20))
    parent = journey.api(stage, "GET", "/ad", select.name, 0.09, status=502)
    call = journey.invoke(lookup.name, 0.02, 0.04, status=403, cause=journey.exception(fault, remote=True))
    journey.function(select, 0.006, 0.08, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-role-not-assumable",
        resource=lookup.role_arn,
        innocent=(select.arn, select.role_arn, lookup.arn),
    )
