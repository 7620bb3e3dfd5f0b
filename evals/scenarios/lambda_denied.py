"""Investigations that may not look everywhere: what is left decides, or the report says what would."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, node, python
from sandbox.aws import resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World


@scenario(Kind.DENIED, "lambda")
def handler_renamed_and_logs_unreadable(world: World) -> Expect:
    """The rewrite of gift-card exports `main` instead of `handler`; the log may not be read, the trace says enough."""
    card = deploy(world, "gift-card", "nodejs22.x", last_modified=world.ago(minutes=8), Handler="index.handler")
    stage = resources.rest_api(world, "gifts", [("POST", "/cards", card.arn)])
    fault = node("Runtime.HandlerNotFound", "index.handler is undefined or not exported")
    traffic(card, 17, 66, fault=fault, since=whole_minute(world, 7))
    changed(card, CODE, who="ci-gifts", when=world.ago(minutes=7, seconds=40), publish=False)
    elsewhere(world, CODE, "gift-wrap", who="ci-gifts", when=world.ago(minutes=7), publish=False)
    journey = Journey(world, world.ago(minutes=1, seconds=10))
    parent = journey.api(stage, "POST", "/cards", card.name, 0.21, status=502)
    journey.function(card, 0.006, 0.19, parent=parent, fault=fault, init=0.15)
    world.aws.inject("logs", "FilterLogEvents", ACCESS_DENIED)
    return Expect(
        journey.send(),
        cause="lambda-handler-not-found",
        resource=card.arn,
        innocent=(card.role_arn, resources.rest_api_arn(world, stage)),
        gaps=("logs:FilterLogEvents",),
    )


@scenario(Kind.DENIED, "iam")
def policies_unreadable_and_aws_says_enough(world: World) -> Expect:
    """A role was made anew without its queue; its policies may not be read, AWS's own words name what is missing."""
    queue = resources.queue(world, "refunds")
    refund = deploy(world, "refund-start", "nodejs20.x")
    session = f"arn:aws:sts::{world.account}:assumed-role/{refund.role}/{refund.name}"
    fault = node(
        "AccessDenied",
        f"User: {session} is not authorized to perform: sqs:sendmessage on resource: {queue} because no identity-based "
        "policy allows the sqs:sendmessage action",
        ("/var/task/node_modules/@aws-sdk/client-sqs/dist-cjs/index.js", 902, "de_CommandError"),
        ("/var/task/index.mjs", 20, "start"),
    )
    traffic(refund, 6, 85, fault=fault, since=whole_minute(world, 10))
    changed(refund, CODE, who="ci-refunds", when=world.ago(days=2), publish=False)
    journey = Journey(world, world.ago(minutes=5))
    cause = journey.exception(fault, remote=True)
    call = journey.sqs("SendMessage", "refunds", 0.02, 0.012, status=403, cause=cause)
    journey.function(refund, 0.0, 0.07, calls=[call], fault=fault)
    for operation in ("ListRolePolicies", "ListAttachedRolePolicies"):
        world.aws.inject("iam", operation, ACCESS_DENIED)
    return Expect(
        journey.send(),
        cause="lambda-role-missing-permission",
        resource=refund.role_arn,
        innocent=(queue, refund.arn),
        gaps=("iam:ListRolePolicies", "iam:ListAttachedRolePolicies"),
    )


@scenario(Kind.DENIED, "lambda")
def throttled_and_limits_unreadable(world: World) -> Expect:
    """push-send is refused with no more words than “Rate Exceeded.”, and neither its reservation nor the account's
    limit may be read: reserved, account or zero cannot be told apart."""
    push = deploy(world, "push-send", "python3.13", reserved=40)
    fan_out = deploy(world, "push-fan-out", "python3.13", allow(["lambda:InvokeFunction"], push.arn))
    fault = python(
        "TooManyRequestsException",
        "An error occurred (TooManyRequestsException) when calling the Invoke operation (reached max retries: 4): "
        "Rate Exceeded.",
        ("/var/task/app.py", 61, "send"),
        milliseconds=1900,
    )
    traffic(fan_out, 50, 240, fault=fault, since=whole_minute(world, 9), share=0.7)
    traffic(push, 900, 130)
    refused = [counted(400)] * 9
    start, name = whole_minute(world, 9), {"FunctionName": push.name}
    signals.metric(world, "AWS/Lambda", "Throttles", name, refused, start=start, unit="Count")
    journey = Journey(world, world.ago(minutes=3, seconds=45))
    call = journey.invoke(push.name, 0.03, 1.7, status=429, retries=4, cause=journey.exception(fault, remote=True))
    journey.function(fan_out, 0.0, 1.92, calls=[call], fault=fault)
    for operation in ("GetFunctionConcurrency", "GetAccountSettings"):
        world.aws.inject("lambda", operation, ACCESS_DENIED)
    return Expect(
        journey.send(),
        status="inconclusive",
        innocent=(fan_out.arn, fan_out.role_arn, push.role_arn),
        gaps=("lambda:GetFunctionConcurrency", "lambda:GetAccountSettings"),
    )


@scenario(Kind.DENIED, "lambda")
def failure_whose_log_may_not_be_read(world: World) -> Expect:
    """booking-mail dies without an exception in its trace; its log would tell, and may not be read."""
    mail = deploy(world, "booking-mail", "java17", memory=1024, timeout=25)
    words = "{time} {request} ERROR template booking-de.vm not found"
    fault = Fault("", "", (words,), milliseconds=370)
    traffic(mail, 13, 420, fault=fault, since=whole_minute(world, 14))
    changed(mail, CODE, who="ci-mail", when=world.ago(hours=19), publish=True)
    journey = Journey(world, world.ago(minutes=6))
    journey.function(mail, 0.0, 0.38, fault=fault)
    world.aws.inject("logs", "FilterLogEvents", ACCESS_DENIED)
    return Expect(journey.send(), status="inconclusive", innocent=(mail.role_arn,), gaps=("logs:FilterLogEvents",))
