"""Denied, three times: a right was taken away, one was never there, and a caller was made to run as another role."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    CONFIGURATION,
    Function,
    changed,
    deploy,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import node, python
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

VIRGINIA = "us-east-1"
"""Where CloudTrail keeps IAM's events."""


def _not_allowed(function: Function, action: str, on: str) -> str:
    session = f"arn:aws:sts::{function.world.account}:assumed-role/{function.role}/{function.name}"
    return (
        f"User: {session} is not authorized to perform: {action} on resource: {on} because no identity-based policy "
        f"allows the {action} action"
    )


@scenario(Kind.CHANGE, "iam")
def policy_detached_in_an_access_review(world: World) -> Expect:
    """The access review detached `claims-write` from the role of claim-open, which nobody had used for a quarter.

    The function runs in Ireland; IAM's events are recorded in Virginia all the same."""
    claims = resources.table(world, "claims", key="claim")
    opening = deploy(world, "claim-open", "python3.13", allow(["dynamodb:GetItem"], claims))
    began = whole_minute(world, 11)
    gone = {"policyArn": world.arn("iam", "policy/claims-write")}
    role_changed(
        world, "DetachRolePolicy", opening.role, who="access-review", when=began - timedelta(seconds=40), **gone
    )
    changed(opening, CODE, who="ci-claims", when=world.ago(hours=8), publish=False)
    said = "An error occurred (AccessDeniedException) when calling the PutItem operation: "
    fault = python(
        "AccessDeniedException",
        said + _not_allowed(opening, "dynamodb:PutItem", claims),
        ("/var/lang/lib/python3.13/site-packages/botocore/client.py", 1094, "_make_api_call"),
        ("/var/task/open.py", 33, "handler"),
    )
    traffic(opening, 38, 44, fault=fault, since=began)
    journey = Journey(world, world.ago(minutes=2))
    cause = journey.exception(fault, remote=True)
    put = journey.dynamodb("PutItem", "claims", 0.02, 0.014, status=400, cause=cause)
    journey.function(opening, 0.0, 0.05, calls=[put], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-role-missing-permission",
        resource=opening.role_arn,
        trigger=opening.role_arn,
        says=("access-review",),
        innocent=(claims, opening.arn),
    )


@scenario(Kind.CHANGE, "iam")
def feature_flag_uses_a_queue_nobody_granted(world: World) -> Expect:
    """Since its release a quarter of an hour ago bonus-book also writes to bonus-events; its role never could."""
    there = World(world.aws, world.now, world.seed, region=VIRGINIA)
    events = resources.queue(there, "bonus-events")
    ledger = resources.table(there, "bonus-ledger", key="member")
    began = whole_minute(there, 14)
    book = deploy(
        there,
        "bonus-book",
        "nodejs22.x",
        allow(["dynamodb:UpdateItem"], ledger),
        last_modified=began - timedelta(seconds=20),
    )
    changed(book, CODE, who="ci-bonus", when=began - timedelta(seconds=20), publish=True)
    role_changed(there, "TagRole", book.role, who="cost-tags", when=began - timedelta(minutes=3))
    fault = node(
        "AccessDenied",
        _not_allowed(book, "sqs:sendmessage", events),
        ("/var/task/node_modules/@aws-sdk/client-sqs/dist-cjs/index.js", 902, "de_CommandError"),
        ("/var/task/index.mjs", 48, "announce"),
    )
    traffic(book, 90, 30, fault=fault, since=began, share=0.5)
    journey = Journey(there, there.ago(minutes=4))
    update = journey.dynamodb("UpdateItem", "bonus-ledger", 0.01, 0.008)
    cause = journey.exception(fault, remote=True)
    send = journey.sqs("SendMessage", "bonus-events", 0.02, 0.01, status=403, cause=cause)
    journey.function(book, 0.0, 0.04, calls=[update, send], fault=fault)
    return Expect(
        journey.send(),
        region=VIRGINIA,
        cause="lambda-role-missing-permission",
        resource=book.role_arn,
        trigger=book.arn,
        says=("ci-bonus",),
        innocent=(events, ledger),
    )


@scenario(Kind.CHANGE, "iam")
def function_moved_to_the_base_role(world: World) -> Expect:
    """The platform's clean-up let rota-publish run as the base role, which may only log; its old role is still fine."""
    there = World(world.aws, world.now, world.seed, region=VIRGINIA)
    rota = resources.bucket(there, "rota-public")
    began = whole_minute(there, 10)
    publish = deploy(there, "rota-publish", "python3.12", timeout=20, last_modified=began - timedelta(seconds=35))
    old = resources.role(there, "rota-publish-own", allow(["s3:PutObject"], f"{rota}/*"))
    moved = {"role": publish.role_arn}
    changed(publish, CONFIGURATION, who="platform", when=began - timedelta(seconds=35), **moved)
    fault = python(
        "AccessDenied",
        "An error occurred (AccessDenied) when calling the PutObject operation: "
        + _not_allowed(publish, "s3:PutObject", f"{rota}/2026-w48.html"),
        ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1094, "_make_api_call"),
        ("/var/task/publish.py", 21, "handler"),
    )
    traffic(publish, 7, 210, fault=fault, since=began)
    journey = Journey(there, there.ago(minutes=3, seconds=20))
    cause = journey.exception(fault, remote=True)
    put = journey.s3("PutObject", "rota-public", "2026-w48.html", 0.03, 0.05, status=403, cause=cause)
    journey.function(publish, 0.0, 0.1, calls=[put], fault=fault)
    return Expect(
        journey.send(),
        region=VIRGINIA,
        cause="lambda-role-missing-permission",
        resource=publish.role_arn,
        facts=("`platform` set Role",),
        innocent=(rota, old, publish.arn),
    )
