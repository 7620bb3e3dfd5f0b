"""Two things went wrong, or three specialists see three: when each began, and who else says so, decides or dampens."""

from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._functions import deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import killed, node, python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_traffic
from sandbox.aws import alarms, resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

ERRORS = ("AWS/Lambda", "Errors")


@scenario(Kind.SIGNAL, "lambda")
def the_earlier_of_two_kills(world: World) -> Expect:
    """One deploy of a shared dictionary made two functions too large: spell-index was killed at once, spell-serve six
    minutes later as its sandboxes were replaced. The composite alarm names both; what went wrong first comes first."""
    began = whole_minute(world, 14)
    later = began + timedelta(minutes=6)
    index = deploy(world, "spell-index", "python3.12", memory=512, timeout=40)
    serve = deploy(world, "spell-serve", "python3.12", memory=512, timeout=10)
    fault = killed(512, "[INFO]\t{time}\t{request}\tloading de_CH", milliseconds=1900)
    traffic(serve, 50, 180, fault=fault, since=later, share=0.5)
    traffic(index, 50, 900, fault=fault, since=began, share=0.5)
    for function, at in ((index, began), (serve, later)):
        where = {"FunctionName": function.name}
        metric_alarm(world, f"{function.name}-errors", ERRORS, where, at + timedelta(minutes=1), value=25, threshold=5)
    ring = [(later + timedelta(minutes=1), "ALARM", "spell-serve-errors transitioned to ALARM")]
    alarms.composite(world, "spelling", "ALARM(spell-index-errors) AND ALARM(spell-serve-errors)", transitions=ring)
    return Expect(
        "alarm spelling",
        cause="lambda-oom",
        resource=index.arn,
        also=(("lambda-oom", serve.arn),),
        says=("went wrong 6 min before `spell-serve`", "About as likely"),
        innocent=(index.role_arn, serve.role_arn),
    )


@scenario(Kind.SIGNAL, "lambda")
def the_earlier_kill_with_the_names_the_other_way_round(world: World) -> Expect:
    """As often, the one that comes last by the alphabet began: zip-pack was killed at eight, archive-seal at a quarter
    past, and only the order of their errors tells."""
    began = whole_minute(world, 15)
    later = began + timedelta(minutes=9)
    pack = deploy(world, "zip-pack", "nodejs22.x", memory=1024, timeout=60)
    seal = deploy(world, "archive-seal", "nodejs22.x", memory=1024, timeout=60)
    traffic(seal, 12, 2200, fault=killed(1024, milliseconds=5200), since=later, share=0.6)
    traffic(pack, 12, 2600, fault=killed(1024, milliseconds=6100), since=began, share=0.6)
    elsewhere(world, "UpdateFunctionCode20150331v2", "zip-list", who="ci-files", when=began, publish=False)
    for function, at in ((pack, began), (seal, later)):
        where = {"FunctionName": function.name}
        metric_alarm(world, f"{function.name}-failed", ERRORS, where, at + timedelta(minutes=1), value=7, threshold=2)
    ring = [(later + timedelta(minutes=2), "ALARM", "archive-seal-failed transitioned to ALARM")]
    alarms.composite(world, "files", "ALARM(archive-seal-failed) OR ALARM(zip-pack-failed)", transitions=ring)
    return Expect(
        "alarm files",
        cause="lambda-oom",
        resource=pack.arn,
        also=(("lambda-oom", seal.arn),),
        says=("went wrong 9 min before `archive-seal`",),
        innocent=(pack.role_arn, seal.role_arn),
    )


@scenario(Kind.SIGNAL, "dynamodb")
def three_specialists_three_causes(world: World) -> Expect:
    """order-split tries its three stores at once, and all three fail for reasons of their own: a full table, a role
    without the queue, a bucket that was renamed. One is named, all are shown, and the confidence says so."""
    lines = resources.table(world, "order-lines", key="line", write_capacity=8)
    queue = resources.queue(world, "order-splits")
    split = deploy(world, "order-split", "nodejs22.x", allow(["dynamodb:PutItem"], lines), allow("s3:PutObject"))
    began = whole_minute(world, 10)
    refused = Throttling(began, 700)
    table_traffic(world, "order-lines", "Write", 5, provisioned=8, now=8, since=began, throttling=refused)
    session = f"arn:aws:sts::{world.account}:assumed-role/{split.role}/{split.name}"
    denied = (
        f"User: {session} is not authorized to perform: sqs:sendmessage on resource: {queue} because no identity-based "
        "policy allows the sqs:sendmessage action"
    )
    full = node(EXCEEDED, WORDS.format("the table"), ("/var/task/split.mjs", 20, "line"))
    barred = node("AccessDenied", denied, ("/var/task/split.mjs", 24, "tell"))
    gone = node("NoSuchBucket", "The specified bucket does not exist", ("/var/task/split.mjs", 28, "keep"))
    own = node("AggregateError", "3 of 3 stores failed", ("/var/task/split.mjs", 40, "handler"), milliseconds=310)
    traffic(split, 70, 41, fault=own, since=began)
    journey = Journey(world, world.ago(minutes=3))
    cause = journey.exception(full, remote=True)
    put = journey.dynamodb("PutItem", "order-lines", 0.02, 0.25, status=400, retries=2, cause=cause)
    cause = journey.exception(barred, remote=True)
    send = journey.sqs("SendMessage", "order-splits", 0.021, 0.01, status=403, cause=cause)
    cause = journey.exception(gone, remote=True)
    store = journey.s3("PutObject", "order-split-2025", "a.json", 0.022, 0.02, status=404, cause=cause)
    journey.function(split, 0.0, 0.3, calls=[put, send, store], fault=own)
    role = ("lambda-role-missing-permission", split.role_arn)
    bucket = ("s3-no-such-bucket", "arn:aws:s3:::order-split-2025")
    table = ("ddb-provisioned-exceeded", lines)
    return Expect(
        journey.send(),
        cause=table[0],
        resource=table[1],
        accept=(role, bucket),
        shown=(role, bucket, table),
        confidence_at_most=0.9,
        innocent=(split.arn,),
    )


@scenario(Kind.SIGNAL, "lambda")
def errors_began_before_the_deploy_that_is_blamed(world: World) -> Expect:
    """Everybody in the channel blames the release of coupon-apply; its errors began eight minutes earlier, when the
    partner's codes became longer."""
    began = whole_minute(world, 13)
    released = began + timedelta(minutes=8)
    coupon = deploy(world, "coupon-apply", "python3.11", last_modified=released)
    fault = python(
        "IndexError",
        "string index out of range",
        ("/var/task/coupons/luhn.py", 7, "check"),
        ("/var/task/coupons/app.py", 19, "handler"),
    )
    traffic(coupon, 85, 27, fault=fault, since=began, share=0.3)
    elsewhere(world, "UpdateFunctionCode20150331v2", coupon.name, who="ci-coupons", when=released, publish=True)
    where, at = {"FunctionName": coupon.name}, began + timedelta(minutes=1)
    text = metric_alarm(world, "coupon-errors", ERRORS, where, at, value=25, threshold=5)
    return Expect(
        text,
        cause="lambda-unhandled-exception",
        resource=coupon.arn,
        trigger="",
        omits=("ci-coupons",),
        innocent=(coupon.role_arn,),
    )
