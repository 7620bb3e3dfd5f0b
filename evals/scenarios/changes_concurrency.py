"""Refused invocations twice: once somebody lowered the reservation, once more people came than it was made for."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, Function, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, java, node
from sandbox.aws import signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World

CONCURRENCY = "PutFunctionConcurrency20171031"
EXCEEDED = "Rate Exceeded. (Reason: ReservedFunctionConcurrentInvocationLimitExceeded)"


def _refuses(function: Function, minutes: int, a_minute: int, running: int) -> None:
    """Report refused invocations, and how many ran at once, of the last minutes."""
    start, name = whole_minute(function.world, minutes), {"FunctionName": function.name}
    rows = (("Throttles", [counted(a_minute)] * minutes), ("ConcurrentExecutions", [float(running)] * minutes))
    for metric, values in rows:
        signals.metric(function.world, "AWS/Lambda", metric, name, values, start=start, unit="Count")


def _traced(caller: Function, called: Function, fault: Fault) -> str:
    journey = Journey(caller.world, caller.world.ago(minutes=2, seconds=30))
    cause = journey.exception(fault, remote=True)
    call = journey.invoke(called.name, 0.03, fault.milliseconds / 1000 - 0.05, status=429, retries=2, cause=cause)
    journey.function(caller, 0.0, fault.milliseconds / 1000, calls=[call], fault=fault)
    journey.function(called, 0.05, 0.002, parent=str(call["id"]), status=429)
    return journey.send()


@scenario(Kind.CHANGE, "lambda")
def reservation_lowered_in_a_review(world: World) -> Expect:
    """The quarterly review lowered the reservation of iban-check from 60 to 6; payment-plan asks it forty at a time."""
    check = deploy(world, "iban-check", "java21", memory=512, reserved=6)
    plan = deploy(world, "payment-plan", "java21", allow(["lambda:InvokeFunction"], check.arn), memory=512, timeout=15)
    began = whole_minute(world, 10)
    changed(check, CONCURRENCY, who="q4-review", when=world.ago(hours=20), reservedConcurrentExecutions=60)
    changed(check, CONCURRENCY, who="q4-review", when=began - timedelta(seconds=30), reservedConcurrentExecutions=6)
    changed(plan, CODE, who="ci-payments", when=world.ago(hours=5), publish=True)
    fault = java(
        "software.amazon.awssdk.services.lambda.model.TooManyRequestsException",
        f"{EXCEEDED} (Service: Lambda, Status Code: 429, Request ID: {world.ids.request()})",
        ("IbanClient.java", 39, "com.pay.IbanClient.valid"),
        milliseconds=910,
    )
    traffic(check, 340, 1050)
    traffic(plan, 620, 1300, fault=fault, since=began, share=0.55)
    _refuses(check, 10, 900, 6)
    return Expect(
        _traced(plan, check, fault),
        cause="lambda-throttle-reserved",
        resource=check.arn,
        trigger=check.arn,
        says=("q4-review",),
        runbook="throttling",
        innocent=(plan.arn, plan.role_arn, check.role_arn),
    )


@scenario(Kind.CHANGE, "lambda")
def more_donors_than_the_reservation(world: World) -> Expect:
    """The telethon begins: thank-you may run ten at once as ever, and gets eight times its usual calls."""
    thanks = deploy(world, "thank-you", "nodejs22.x", reserved=10)
    donate = deploy(world, "donate", "nodejs22.x", allow(["lambda:InvokeFunction"], thanks.arn), timeout=8)
    began = whole_minute(world, 6)
    elsewhere(world, CODE, "donor-wall", who="ci-charity", when=began - timedelta(minutes=1), publish=False)
    fault = node("TooManyRequestsException", EXCEEDED, ("/var/task/donate.mjs", 66, "thank"), milliseconds=380)
    traffic(thanks, 90, 700)
    traffic(donate, 95, 850, fault=fault, since=began, share=0.7)
    more = [counted(660)] * 6
    signals.metric(world, "AWS/Lambda", "Invocations", {"FunctionName": donate.name}, more, start=began, unit="Count")
    _refuses(thanks, 6, 1400, 10)
    return Expect(
        _traced(donate, thanks, fault),
        cause="lambda-throttle-reserved",
        resource=thanks.arn,
        trigger="",
        omits=("ci-charity",),
        facts=("CloudTrail tells of no change",),
        innocent=(donate.arn, donate.role_arn, thanks.role_arn),
    )
