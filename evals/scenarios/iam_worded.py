"""Refusals in the words of others: of SDKs, of callers that quote them, of an application with rules of its own."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    Function,
    changed,
    deploy,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, go, node, python
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


def _session(function: Function) -> str:
    return f"arn:aws:sts::{function.world.account}:assumed-role/{function.role}/{function.name}"


@scenario(Kind.HEALTHY, "lambda")
def default_where_the_parameter_is_missing(world: World) -> Expect:
    """banner looks for a parameter that marketing sets for campaigns only, may not read another, and goes on with its
    defaults each time. It has logged both as errors for months; nothing fails."""
    banner = deploy(world, "banner", "nodejs22.x", allow(["ssm:GetParameter"], world.arn("ssm", "parameter/banner/*")))
    stage = resources.rest_api(world, "site", [("GET", "/banner", banner.arn)])
    refused = (
        f"AccessDeniedException: User: {_session(banner)} is not authorized to perform: ssm:GetParameter on resource: "
        f"{world.arn('ssm', 'parameter/campaign/colours')} because no identity-based policy allows the "
        "ssm:GetParameter action"
    )
    lines = [
        "{time}\t{request}\tERROR\tno campaign: ParameterNotFound: UnknownError, using the default",
        f"{{time}}\t{{request}}\tERROR\tno colours: {refused}, using the default",
    ]
    traffic(banner, 210, 44, lines=lines)
    changed(banner, CODE, who="ci-site", when=world.ago(days=5), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/banner", banner.name, 0.07, status=200)
    missing = journey.exception(Fault("ParameterNotFound", "UnknownError"), remote=True)
    denied = journey.exception(Fault("AccessDeniedException", refused.partition(": ")[2]), remote=True)
    calls = [
        journey.aws("SSM", "GetParameter", 0.01, 0.012, status=400, cause=missing),
        journey.aws("SSM", "GetParameter", 0.024, 0.011, status=400, cause=denied),
    ]
    journey.function(banner, 0.006, 0.06, parent=parent, calls=calls, lines=lines)
    return Expect(journey.send(), innocent=(banner.arn, banner.role_arn, resources.rest_api_arn(world, stage)))


@scenario(Kind.SINGLE, "iam")
def alias_outside_of_the_statement(world: World) -> Expect:
    """Since its release rent-quote calls rate-card by its alias; its role allows the bare name only. Rust records no
    calls in the trace. rate-card was released too, and is well."""
    card = deploy(world, "rate-card", "provided.al2023", Handler="bootstrap", last_modified=world.ago(minutes=25))
    client = world.client("lambda")
    version = client.publish_version(FunctionName=card.name)["Version"]
    client.create_alias(FunctionName=card.name, Name="live", FunctionVersion=version)
    calls = allow(["lambda:InvokeFunction"], card.arn)
    quote = deploy(
        world, "rent-quote", "provided.al2023", calls, Handler="bootstrap", last_modified=world.ago(minutes=13)
    )
    stage = resources.rest_api(world, "rental", [("POST", "/quote", quote.arn)])
    said = (
        'rate card: unhandled error (AccessDeniedException): Error { code: "AccessDeniedException", message: "User: '
        f"{_session(quote)} is not authorized to perform: lambda:InvokeFunction on resource: {card.arn}:live because "
        'no identity-based policy allows the lambda:InvokeFunction action", aws_request_id: '
        f'"{world.ids.request()}" }}'
    )
    kind = "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>"
    span = 'Lambda runtime invoke{requestId="{request}" xrayTraceId="-"}'
    fault = Fault(
        kind, said, (f"{{time}} ERROR {span}: lambda_runtime::layers::api_response: {said}",), milliseconds=31
    )
    traffic(quote, 26, 48, fault=fault, since=whole_minute(world, 12))
    traffic(card, 26, 9)
    changed(quote, CODE, who="ci-rental", when=world.ago(minutes=12, seconds=30), publish=False)
    changed(card, CODE, who="ci-rates", when=world.ago(minutes=25), publish=True)
    journey = Journey(world, world.ago(minutes=2, seconds=10))
    parent = journey.api(stage, "POST", "/quote", quote.name, 0.05, status=502)
    journey.function(quote, 0.006, 0.04, parent=parent, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-invoke-permission-denied",
        resource=quote.role_arn,
        accept=(("lambda-role-missing-permission", quote.role_arn),),
        innocent=(card.arn, card.role_arn),
    )


@scenario(Kind.SINGLE, "lambda")
def refusals_of_the_shops_own_rules(world: World) -> Expect:
    """order-cancel asks its own policy engine, whose refusals read like IAM's. Since a release it asks for the wrong
    tenant and refuses every customer; AWS refused nothing."""
    orders = resources.table(world, "orders", key="order")
    cancel = deploy(
        world, "order-cancel", "python3.12", allow(["dynamodb:*"], orders), last_modified=world.ago(minutes=12)
    )
    stage = resources.rest_api(world, "orders", [("POST", "/cancel", cancel.arn)])
    fault = python(
        "AccessDeniedException",
        "User: customer/88120 is not authorized to perform: order:Cancel on resource: tenant/0/order/5511 because no "
        "policy allows the order:Cancel action",
        ("/var/task/shop/policy.py", 88, "require"),
        ("/var/task/app.py", 19, "handler"),
    )
    traffic(cancel, 18, 55, fault=fault, since=whole_minute(world, 11))
    changed(cancel, CODE, who="ci-orders", when=world.ago(minutes=11, seconds=30), publish=False)
    role_changed(world, "TagRole", cancel.role, who="governance", when=world.ago(minutes=13), tags=[])
    journey = Journey(world, world.ago(minutes=2, seconds=40))
    parent = journey.api(stage, "POST", "/cancel", cancel.name, 0.06, status=502)
    get = journey.dynamodb("GetItem", "orders", 0.02, 0.007)
    journey.function(cancel, 0.006, 0.05, parent=parent, calls=[get], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-unhandled-exception",
        resource=cancel.arn,
        trigger=cancel.arn,
        innocent=(cancel.role_arn, orders),
    )


@scenario(Kind.CASCADE, "iam")
def refusal_quoted_by_two_callers(world: World) -> Expect:
    """archive-write lost its bucket. file-store and case-close, which call each other down to it, print AWS's words
    again in their own errors; their roles are well."""
    bucket = resources.bucket(world, "closed-cases")
    write = deploy(world, "archive-write", "python3.12", allow(["s3:GetObject"], f"{bucket}/*"))
    store = deploy(world, "file-store", "nodejs22.x", allow(["lambda:InvokeFunction"], write.arn))
    close = deploy(world, "case-close", "nodejs22.x", allow(["lambda:InvokeFunction"], store.arn))
    stage = resources.rest_api(world, "cases", [("POST", "/close", close.arn)])
    words = (
        f"User: {_session(write)} is not authorized to perform: s3:PutObject on resource: "
        f'"{bucket}/2026/4411.pdf" because no identity-based policy allows the s3:PutObject action'
    )
    refused = python(
        "ClientError",
        f"An error occurred (AccessDenied) when calling the PutObject operation: {words}",
        ("/var/task/app.py", 17, "handler"),
    )
    first = node(
        "Error", f"archive-write: {json.dumps({'errorMessage': refused.message})}", ("/var/task/a.mjs", 5, "f")
    )
    second = node("Error", f"cannot close 4411: {first.message}", ("/var/task/b.mjs", 9, "g"))
    began = whole_minute(world, 9)
    for function, fault, took in ((write, refused, 90), (store, first, 140), (close, second, 210)):
        traffic(function, 16, took, fault=fault, since=began)
    lost = {"policyName": f"{write.role}-policy", "policyDocument": "{}"}
    role_changed(world, "PutRolePolicy", write.role, who="iam-tidy", when=began - timedelta(seconds=30), **lost)
    changed(close, CODE, who="ci-cases", when=world.ago(minutes=14), publish=False)
    journey = Journey(world, world.ago(minutes=2))
    parent = journey.api(stage, "POST", "/close", close.name, 0.25, status=502)
    down, further = journey.invoke(store.name, 0.02, 0.19), journey.invoke(write.name, 0.04, 0.14)
    put = journey.s3("PutObject", "closed-cases", "2026/4411.pdf", 0.06, 0.05, status=403,
                     cause=journey.exception(refused, remote=True))  # fmt: skip
    journey.function(close, 0.006, 0.23, parent=parent, calls=[down], fault=second)
    journey.function(store, 0.025, 0.18, parent=str(down["id"]), calls=[further], fault=first)
    journey.function(write, 0.045, 0.13, parent=str(further["id"]), calls=[put], fault=refused)
    return Expect(
        journey.send(),
        cause="lambda-role-missing-permission",
        resource=write.role_arn,
        innocent=(bucket, close.arn, close.role_arn, store.arn, store.role_arn, write.arn),
    )


@scenario(Kind.SINGLE, "iam")
def writers_session_is_over(world: World) -> Expect:
    """ledger-mirror assumes a role once and keeps its credentials for as long as its sandbox lives. After an hour the
    older half of the sandboxes is refused; the table and both roles are well."""
    table = resources.table(world, "ledger-copy", key="entry")
    target = resources.role(
        world, "ledger-writer", allow(["dynamodb:PutItem"], table), assumed_by="lambda.amazonaws.com"
    )
    mirror = deploy(world, "ledger-mirror", "provided.al2023", allow(["sts:AssumeRole"], target), Handler="bootstrap")
    said = (
        f"mirror 88121: operation error DynamoDB: PutItem, https response error StatusCode: 400, RequestID: "
        f"{world.ids.request().upper()}, api error ExpiredTokenException: The security token included in the request "
        "is expired"
    )
    fault = go("wrapError", said)
    traffic(mirror, 70, 19, fault=fault, since=whole_minute(world, 12), share=0.5)
    changed(mirror, CODE, who="ci-ledger", when=world.ago(hours=1, minutes=13), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    put = journey.dynamodb(
        "PutItem", "ledger-copy", 0.01, 0.009, status=400, cause=journey.exception(fault, remote=True)
    )
    journey.function(mirror, 0.0, 0.04, calls=[put], fault=fault)
    return Expect(
        journey.send(), cause="iam-expired-token", resource=mirror.arn, innocent=(table, target, mirror.role_arn)
    )
