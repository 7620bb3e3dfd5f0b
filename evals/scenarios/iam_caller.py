"""Calls that the caller's side may not make: its policies, its boundary, its organization, its credentials."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    CONFIGURATION,
    Function,
    changed,
    deploy,
    elsewhere,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import dotnet, go, java, node, python
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

VIRGINIA = "us-east-1"


def _session(function: Function) -> str:
    """Return the principal by which AWS names a function in a refusal."""
    return f"arn:aws:sts::{function.world.account}:assumed-role/{function.role}/{function.name}"


@scenario(Kind.CASCADE, "iam")
def index_left_out_of_the_tightened_policy(world: World) -> Expect:
    """An audit narrowed a role to the table alone: queries of its index fail, reads of the table work."""
    east = World(world.aws, world.now, world.seed, region=VIRGINIA)
    catalog = resources.table(east, "catalog", key="sku")
    search = deploy(east, "catalog-search", "python3.12", allow(["dynamodb:GetItem", "dynamodb:Query"], catalog))
    stage = resources.rest_api(east, "catalog", [("GET", "/by-brand", search.arn)])
    fault = python(
        "AccessDeniedException",
        f"An error occurred (AccessDeniedException) when calling the Query operation: User: {_session(search)} is not "
        f"authorized to perform: dynamodb:Query on resource: {catalog}/index/by-brand because no identity-based policy "
        "allows the dynamodb:Query action",
        ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1094, "_make_api_call"),
        ("/var/task/app.py", 26, "by_brand"),
    )
    traffic(search, 85, 31, fault=fault, since=whole_minute(east, 14), share=0.6)
    narrowed = {"policyName": f"{search.role}-policy", "policyDocument": "{}"}
    role_changed(
        east, "PutRolePolicy", search.role, who="audit-2026", when=east.ago(minutes=14, seconds=25), **narrowed
    )
    role_changed(east, "TagRole", "warehouse-role", who="audit-2026", when=east.ago(minutes=12))
    changed(search, CODE, who="ci-catalog", when=east.ago(minutes=55), publish=False)
    journey = Journey(east, east.ago(minutes=3))
    parent = journey.api(stage, "GET", "/by-brand", search.name, 0.075, status=502)
    read = journey.dynamodb("GetItem", "catalog", 0.02, 0.007)
    query = journey.dynamodb("Query", "catalog", 0.03, 0.011, status=400, cause=journey.exception(fault, remote=True))
    journey.function(search, 0.006, 0.065, parent=parent, calls=[read, query], fault=fault)
    return Expect(
        journey.send(),
        region=VIRGINIA,
        cause="lambda-role-missing-permission",
        resource=search.role_arn,
        innocent=(catalog, search.arn, resources.rest_api_arn(east, stage)),
    )


@scenario(Kind.SINGLE, "iam")
def quarantine_left_on_a_role(world: World) -> Expect:
    """The security automation put its quarantine policy on a role that still works: every Publish is denied."""
    topic = resources.topic(world, "shipments")
    denies = allow(["sns:*", "sqs:*", "s3:*"], "*", effect="Deny")
    notify = deploy(
        world, "ship-notify", "provided.al2023", allow(["sns:Publish"], topic), denies, Handler="bootstrap", timeout=5
    )
    said = (
        f"operation error SNS: Publish, https response error StatusCode: 403, RequestID: {world.ids.request()}, "
        f"AuthorizationError: User: {_session(notify)} is not authorized to perform: SNS:Publish on resource: {topic} "
        "with an explicit deny in an identity-based policy"
    )
    fault = go("OperationError", said)
    traffic(notify, 34, 22, fault=fault, since=whole_minute(world, 16))
    elsewhere(world, CODE, "ship-track", who="ci-ship", when=world.ago(minutes=18), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=45))
    publish = journey.sns(topic, 0.015, 0.014, status=403, cause=journey.exception(fault, remote=True))
    journey.function(notify, 0.0, 0.045, calls=[publish], fault=fault)
    return Expect(
        journey.send(),
        cause="iam-explicit-deny-identity",
        resource=notify.role_arn,
        innocent=(topic, notify.arn),
    )


@scenario(Kind.SINGLE, "iam")
def boundary_without_secrets(world: World) -> Expect:
    """The new boundary for application roles forgot Secrets Manager; the role's own policy allows the secret."""
    secret = world.client("secretsmanager").create_secret(Name="ledger/db", SecretString="-")["ARN"]
    statement = allow(["dynamodb:*", "logs:*", "xray:*", "sqs:*"])
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = world.client("iam").create_policy(PolicyName="app-boundary-v3", PolicyDocument=document)["Policy"]["Arn"]
    reads = allow(["secretsmanager:GetSecretValue"], secret)
    ledger = deploy(world, "ledger-post", "java17", reads, boundary=made, memory=1024, timeout=20)
    words = (
        f"User: {_session(ledger)} is not authorized to perform: secretsmanager:GetSecretValue on resource: {secret} "
        "because no permissions boundary allows the secretsmanager:GetSecretValue action (Service: SecretsManager, "
        f"Status Code: 400, Request ID: {world.ids.request()})"
    )
    fault = java(
        "software.amazon.awssdk.services.secretsmanager.model.SecretsManagerException",
        words,
        ("Credentials.java", 52, "com.ledger.Credentials.load"),
        ("PostHandler.java", 24, "com.ledger.PostHandler.handleRequest"),
    )
    traffic(ledger, 11, 330, fault=fault, since=whole_minute(world, 12))
    changed(ledger, CONFIGURATION, who="ops", when=world.ago(hours=2), memorySize=1024)
    journey = Journey(world, world.ago(minutes=5, seconds=30))
    cause = journey.exception(fault, remote=True)
    call = journey.aws("SecretsManager", "GetSecretValue", 0.02, 0.06, status=400, cause=cause, secret_id=secret)
    journey.function(ledger, 0.0, 0.13, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="iam-permission-boundary",
        resource=ledger.role_arn,
        innocent=(ledger.arn, secret),
    )


@scenario(Kind.SINGLE, "iam")
def region_fenced_by_the_organization(world: World) -> Expect:
    """The organization closed eu-west-1 for Translate; letters-translate runs under a role that allows it."""
    letters = deploy(world, "letters-translate", "dotnet8", allow(["translate:TranslateText"]), memory=512, timeout=15)
    stage = resources.rest_api(world, "letters", [("POST", "/translate", letters.arn)])
    fault = dotnet(
        "Amazon.Translate.AmazonTranslateException",
        f"User: {_session(letters)} is not authorized to perform: translate:TranslateText with an explicit deny in a "
        "service control policy",
        ("/src/Letters/Translator.cs", 41, "Letters.Translator.TranslateAsync(String text)"),
        ("/src/Letters/Function.cs", 23, "Letters.Function.Handler(APIGatewayProxyRequest request)"),
    )
    traffic(letters, 28, 260, fault=fault, since=whole_minute(world, 10))
    changed(letters, CODE, who="octopus", when=world.ago(minutes=50), publish=True)
    journey = Journey(world, world.ago(minutes=1, seconds=40))
    parent = journey.api(stage, "POST", "/translate", letters.name, 0.12, status=502)
    cause = journey.exception(fault, remote=True)
    call = journey.aws("Translate", "TranslateText", 0.03, 0.05, status=400, cause=cause)
    journey.function(letters, 0.006, 0.11, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="iam-explicit-deny-scp",
        resource=letters.role_arn,
        innocent=(letters.arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "iam")
def session_kept_in_a_variable(world: World) -> Expect:
    """For a test somebody put session credentials into the variables of archive-sync; they ran out over night."""
    archive = resources.bucket(world, "archive-cold")
    kept = {"SYNC_ACCESS_KEY_ID": "-", "SYNC_SECRET_ACCESS_KEY": "-", "SYNC_SESSION_TOKEN": "-"}
    sync = deploy(world, "archive-sync", "nodejs20.x", allow(["s3:PutObject"], f"{archive}/*"), env=kept, timeout=60)
    fault = node(
        "ExpiredToken",
        "The provided token has expired.",
        ("/var/task/node_modules/@smithy/smithy-client/dist-cjs/index.js", 388, "throwDefaultError"),
        ("/var/task/index.mjs", 18, "store"),
        milliseconds=210,
    )
    traffic(sync, 7, 800, fault=fault, since=whole_minute(world, 13))
    changed(sync, CONFIGURATION, who="paul", when=world.ago(hours=12), environment={})
    journey = Journey(world, world.ago(minutes=4, seconds=10))
    put = journey.s3(
        "PutObject", "archive-cold", "2026/11/20.tar", 0.03, 0.09, status=400, cause=journey.exception(fault)
    )
    journey.function(sync, 0.0, 0.22, calls=[put], fault=fault)
    return Expect(journey.send(), cause="iam-expired-token", resource=sync.arn, innocent=(archive, sync.role_arn))
