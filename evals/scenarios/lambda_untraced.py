"""What no trace tells: events that are dropped, errors without a log, and code that no caller reaches."""

from datetime import timedelta
from typing import Any

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    Function,
    changed,
    deploy,
    elsewhere,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, python
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World


@scenario(Kind.INSUFFICIENT, "lambda")
def errors_of_a_function_that_may_not_log(world: World) -> Expect:
    """claims-sync fails for twenty minutes. Its role was written by hand without a right to write logs, so that there
    is no log group, and nothing is traced: the errors are counted and unexplained."""
    writes = allow(["dynamodb:PutItem"], world.arn("dynamodb", "table/claims"))
    role = resources.role(world, "claims-sync-role", writes)
    settings: dict[str, Any] = {"TracingConfig": {"Mode": "PassThrough"}, "Handler": "sync.Claims.process"}
    resources.table(world, "claims", key="claim")
    arn = resources.function(
        world, "claims-sync", role=role, runtime="ruby3.3", memory=512, timeout=30,
        last_modified=world.ago(days=40), **settings,
    )  # fmt: skip
    sync = Function(world, "claims-sync", arn, role, 512, 30)
    silent = Fault("", "", (), milliseconds=310)
    began = whole_minute(world, 20)
    traffic(sync, 30, 300, fault=silent, since=began, share=0.6, logged=False)
    elsewhere(world, CODE, "claims-report", who="ci-claims", when=world.ago(minutes=23), publish=False)
    where = {"FunctionName": sync.name}
    text = metric_alarm(
        world,
        "claims-sync-errors",
        ("AWS/Lambda", "Errors"),
        where,
        began + timedelta(minutes=2),
        value=18,
        threshold=3,
    )
    return Expect(
        text,
        status="inconclusive",
        shown=(("lambda-logs-missing", sync.arn),),
        innocent=(world.arn("dynamodb", "table/claims"),),
    )


@scenario(Kind.ALARM, "lambda")
def events_that_waited_too_long(world: World) -> Expect:
    """stock-mail may run three at once. An import sends it forty thousand events asynchronously: most are throttled
    until they are older than their maximum age of five minutes and dropped. No invocation fails."""
    mail = deploy(world, "stock-mail", "dotnet8", memory=512, timeout=30, reserved=3)
    world.client("lambda").put_function_event_invoke_config(
        FunctionName=mail.name, MaximumEventAgeInSeconds=300, MaximumRetryAttempts=2
    )
    began = whole_minute(world, 22)
    name, start = {"FunctionName": mail.name}, whole_minute(world, HISTORY_MINUTES)
    quiet = HISTORY_MINUTES - 22
    rows = (
        ("Invocations", [counted(20)] * quiet + [counted(96)] * 22, "Count"),
        ("Errors", [{0.0: 20}] * quiet + [{0.0: 96}] * 22, "Count"),
        ("Throttles", [counted(0)] * quiet + [counted(2300)] * 22, "Count"),
        ("ConcurrentExecutions", [1.0] * quiet + [3.0] * 22, "Count"),
        ("Duration", [{1800.0: 20}] * quiet + [{1850.0: 96}] * 22, "Milliseconds"),
        ("AsyncEventsReceived", [counted(20)] * quiet + [counted(1900)] * 22, "Count"),
        ("AsyncEventAge", [40.0] * quiet + [min(300_000.0, 60_000.0 * n) for n in range(22)], "Milliseconds"),
        ("AsyncEventsDropped", [counted(0)] * (quiet + 5) + [counted(1700)] * 17, "Count"),
    )
    for metric, values, unit in rows:
        signals.metric(world, "AWS/Lambda", metric, name, values, start=start, unit=unit)
    changed(mail, CODE, who="octopus", when=world.ago(days=1), publish=False)
    elsewhere(world, CODE, "stock-import", who="octopus", when=world.ago(minutes=31), publish=False)
    watches = ("AWS/Lambda", "AsyncEventsDropped")
    text = metric_alarm(
        world, "stock-mail-dropped", watches, name, began + timedelta(minutes=6), value=1700, threshold=0
    )
    return Expect(
        text,
        cause="lambda-throttle-reserved",
        resource=mail.arn,
        shown=(("lambda-async-event-expired", mail.arn),),
        innocent=(mail.role_arn,),
    )


@scenario(Kind.CHANGE, "lambda")
def release_that_no_caller_reaches(world: World) -> Expect:
    """Callers of seat-price use the alias live, which has pointed to version 1 for weeks. Minutes before it failed a
    developer tried new code in $LATEST, which nobody calls; what is new is a field in the partner's events."""
    price = deploy(world, "seat-price", "python3.12", memory=512)
    client = world.client("lambda")
    version = client.publish_version(FunctionName=price.name)["Version"]
    client.create_alias(FunctionName=price.name, Name="live", FunctionVersion=version)
    fault = python(
        "ValueError",
        "could not convert string to float: '12,50 EUR'",
        ("/var/task/app.py", 33, "fare"),
        ("/var/task/app.py", 12, "handler"),
    )
    began = whole_minute(world, 13)
    traffic(price, 48, 38, fault=fault, since=began, share=0.7)
    where = {"FunctionName": price.name, "Resource": f"{price.name}:live"}
    for metric, values in (("Invocations", counted(48)), ("Errors", counted(33))):
        signals.metric(world, "AWS/Lambda", metric, where, [values] * 13, start=began, unit="Count")
    changed(price, CODE, who="dev-nora", when=began - timedelta(minutes=1), publish=False)
    quote = deploy(world, "seat-quote", "python3.12", allow(["lambda:InvokeFunction"], f"{price.arn}:live"))
    own = python("RuntimeError", "no price: could not convert string to float: '12,50 EUR'", ("/var/task/q.py", 8, "h"))
    traffic(quote, 48, 60, fault=own, since=began, share=0.7)
    journey = Journey(world, world.ago(minutes=3))
    call = journey.invoke(f"{price.arn}:live", 0.01, 0.05)
    journey.function(quote, 0.0, 0.08, calls=[call], fault=own)
    journey.function(price, 0.012, 0.045, parent=str(call["id"]), fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-unhandled-exception",
        resource=price.arn,
        trigger="",
        innocent=(price.role_arn, quote.arn, quote.role_arn),
    )
