"""Failures as each runtime words them: values, sockets, heap, libraries, and the time to start."""

import json
from datetime import datetime, timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    CONFIGURATION,
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
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "lambda")
def decimal_that_json_does_not_know(world: World) -> Expect:
    """The new version of basket answers with a price as DynamoDB gave it. In the same request a conditional write is
    refused because the basket is there already, which the code expects and goes on from."""
    baskets = resources.table(world, "baskets", key="basket")
    rights = allow(["dynamodb:PutItem", "dynamodb:GetItem"], baskets)
    basket = deploy(world, "basket", "python3.13", rights, last_modified=world.ago(minutes=9, seconds=35))
    stage = resources.rest_api(world, "shop", [("PUT", "/basket", basket.arn)])
    said = "Unable to marshal response: Object of type Decimal is not JSON serializable"
    fault = python("Runtime.MarshalError", said)
    lines = [
        "[INFO]\t{time}\t{request}\tConditionalCheckFailedException: basket exists, reading it instead",
    ]
    traffic(basket, 64, 41, fault=fault, since=whole_minute(world, 9), lines=lines)
    changed(basket, CODE, who="ci-basket", when=world.ago(minutes=9, seconds=35), publish=False)
    changed(basket, CONFIGURATION, who="finops", when=world.ago(hours=4), memorySize=256)
    journey = Journey(world, world.ago(minutes=2))
    parent = journey.api(stage, "PUT", "/basket", basket.name, 0.06, status=502)
    exists = python(
        "ConditionalCheckFailedException",
        "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: The conditional "
        "request failed",
    )
    cause = journey.exception(exists, remote=True)
    put = journey.dynamodb("PutItem", "baskets", 0.015, 0.008, status=400, cause=cause)
    get = journey.dynamodb("GetItem", "baskets", 0.026, 0.006)
    journey.function(basket, 0.006, 0.05, parent=parent, calls=[put, get], fault=fault, lines=lines)
    return Expect(
        journey.send(),
        cause="lambda-marshal-error",
        resource=basket.arn,
        trigger=basket.arn,
        innocent=(baskets, basket.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "lambda")
def sockets_that_nobody_closes(world: World) -> Expect:
    """geo-fence opens a client a message and closes none: warm sandboxes run out of descriptors, and what fails then
    is the next connection to DynamoDB, which is well."""
    zones = resources.table(world, "zones", key="zone")
    fence = deploy(world, "geo-fence", "nodejs22.x", allow(["dynamodb:GetItem"], zones), memory=512, timeout=20)
    error = {
        "errorType": "Error",
        "errorMessage": "connect EMFILE 52.94.5.61:443 - Local (undefined:undefined)",
        "code": "EMFILE",
        "errno": -24,
        "syscall": "connect",
        "address": "52.94.5.61",
        "port": 443,
        "$metadata": {"attempts": 3, "totalRetryDelay": 214},
        "stack": [
            "Error: connect EMFILE 52.94.5.61:443 - Local (undefined:undefined)",
            "    at internalConnect (node:net:1099:16)",
            "    at GetAddrInfoReqWrap.callback [as oncomplete] (node:dns:111:8)",
        ],
    }
    line = f"{{time}}\t{{request}}\tERROR\tInvoke Error \t{json.dumps(error, separators=(',', ':'))}"
    fault = Fault("Error", str(error["errorMessage"]), (line,), milliseconds=260)
    traffic(fence, 150, 22, fault=fault, since=whole_minute(world, 19), share=0.17)
    changed(fence, CODE, who="ci-geo", when=world.ago(hours=9), publish=True)
    elsewhere(world, CONFIGURATION, "geo-zones", who="ci-geo", when=world.ago(minutes=20), memorySize=512)
    journey = Journey(world, world.ago(minutes=4))
    get = journey.dynamodb("GetItem", "zones", 0.01, 0.24, status=None, retries=2, cause=journey.exception(fault))
    journey.function(fence, 0.0, 0.27, calls=[get], fault=fault)
    return Expect(
        journey.send(), cause="lambda-fd-exhausted", resource=fence.arn, innocent=(zones, fence.role_arn), trigger=""
    )


@scenario(Kind.SINGLE, "lambda")
def start_that_needs_more_than_ten_seconds(world: World) -> Expect:
    """right-size cut policy-search from 3,008 to 512 MB. Warm sandboxes answer as before; new ones cannot start their
    Spring context within ten seconds and then use up the time-out with a second start. The log is in Lambda's JSON."""
    form = {"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}}
    search = deploy(
        world,
        "policy-search",
        "java21",
        memory=512,
        timeout=12,
        last_modified=world.ago(minutes=15, seconds=45),
        members=form,
    )
    stage = resources.rest_api(world, "insurance", [("GET", "/policies", search.arn)])
    began = whole_minute(world, 15)
    slow = Fault("", "", (), milliseconds=12_000)
    traffic(search, 24, 65, fault=slow, since=began, share=0.2, logged=False)
    events = []
    for minute in range(45):
        for second in (4, 29, 51):
            at = whole_minute(world, 44 - minute) + timedelta(seconds=second)
            if at < world.now:
                memory = search.memory if at >= began else 3008
                events += _json_invocation(world, at, cold=at >= began and second == 29, memory=memory)
    signals.log(world, f"/aws/lambda/{search.name}", events)
    changed(search, CONFIGURATION, who="right-size", when=world.ago(minutes=15, seconds=45), memorySize=512)
    journey = Journey(world, world.ago(minutes=3, seconds=10))
    parent = journey.api(stage, "GET", "/policies", search.name, 12.03, status=502)
    journey.function(search, 0.006, 12.01, parent=parent, fault=slow, status=200)
    return Expect(
        journey.send(),
        cause="lambda-timeout-in-init",
        resource=search.arn,
        trigger=search.arn,
        says=("memory from 3008 to 512 MB",),
        innocent=(search.role_arn, resources.rest_api_arn(world, stage)),
    )


def _json_invocation(world: World, at: datetime, *, cold: bool, memory: int) -> list[tuple[datetime, str]]:
    """Return the system log of one invocation in the JSON format; a cold one starts twice and never answers."""
    request = world.ids.request()
    took = 12_000.0 if cold else 64.0

    def entry(moment: datetime, kind: str, **record: object) -> tuple[datetime, str]:
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return moment, json.dumps({"time": stamp, "type": kind, "record": record})

    ended = at + timedelta(milliseconds=took)
    lines = []
    if cold:
        lines += [
            entry(
                at - timedelta(seconds=10),
                "platform.initStart",
                initializationType="on-demand",
                phase="init",
                runtimeVersion="java:21.v38",
            ),
            entry(
                at,
                "platform.initReport",
                initializationType="on-demand",
                phase="init",
                status="timeout",
                metrics={"durationMs": 9999.81},
            ),
        ]
    lines.append(entry(at, "platform.start", requestId=request, version="$LATEST"))
    if cold:
        lines.append(
            entry(
                ended,
                "platform.initReport",
                initializationType="on-demand",
                phase="invoke",
                status="timeout",
                metrics={"durationMs": 11_994.2},
            )
        )
    else:
        lines.append(
            (
                ended,
                json.dumps(
                    {"timestamp": ended.isoformat(), "level": "INFO", "message": "12 policies", "AWSRequestId": request}
                ),
            )
        )
    metrics = {"durationMs": took, "billedDurationMs": int(took), "memorySizeMB": memory, "maxMemoryUsedMB": 341}
    lines.append(
        entry(ended, "platform.report", requestId=request, metrics=metrics, status="timeout" if cold else "success")
    )
    return lines


@scenario(Kind.SINGLE, "lambda")
def heap_limit_below_the_memory(world: World) -> Expect:
    """mara set NODE_OPTIONS for a test of catalogue-render to a heap of 256 MB, of the 2,048 MB it has. Large pages
    end in V8's own abort with most of the memory unused."""
    limits = {"NODE_OPTIONS": "--max-old-space-size=256"}
    render = deploy(
        world,
        "catalogue-render",
        "nodejs22.x",
        memory=2048,
        timeout=30,
        env=limits,
        last_modified=world.ago(minutes=15),
    )
    stage = resources.rest_api(world, "catalogue", [("GET", "/page", render.arn)])
    printed = (
        (
            "\n<--- Last few GCs --->\n\n[8:0x2f6c6000]    41211 ms: Mark-Compact (reduce) 253.9 (259.1) -> 253.2 "
            "(258.4) MB, pooled: 0 MB, 160.49 / 0.00 ms  (average mu = 0.160, current mu = 0.001) last resort; GC in "
            "old space requested\n\n\n<--- JS stacktrace --->\n\n"
        ),
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n",
        (
            "----- Native stack trace -----\n\n 1: 0xb8ce12 node::OOMErrorHandler(char const*, v8::OOMDetails const&) "
            "[/var/lang/bin/node]\n"
        ),
    )
    end = "RequestId: {request} Error: Runtime exited with error: signal: aborted (core dumped)\nRuntime.ExitError"
    fault = Fault("", "", (*printed, end), status="error", error_type="Runtime.ExitError", used=431, milliseconds=5100)
    traffic(render, 33, 420, fault=fault, since=whole_minute(world, 14), share=0.35)
    changed(
        render,
        CONFIGURATION,
        who="mara",
        when=world.ago(minutes=14, seconds=30),
        environment={},
    )
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/page", render.name, 5.13, status=502)
    journey.function(render, 0.006, 5.11, parent=parent, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-oom-node-heap",
        resource=render.arn,
        trigger=render.arn,
        innocent=(render.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "lambda")
def inner_exception_names_the_library(world: World) -> Expect:
    """The new base image of label-draw came without its native library. The trace has the outer exception of .NET
    alone; the inner one stands in the stack of the JSON log, below a frame of the application."""
    form = {"LoggingConfig": {"LogFormat": "JSON"}}
    draw = deploy(world, "label-draw", "dotnet8", memory=1024, timeout=20, members=form)
    outer = "The type initializer for 'SkiaSharp.SKImageInfo' threw an exception."
    inner = "Unable to load shared library 'libSkiaSharp' or one of its dependencies."
    logged = {
        "timestamp": "{time}",
        "level": "Error",
        "requestId": "{request}",
        "message": "label failed",
        "errorType": "System.TypeInitializationException",
        "errorMessage": outer,
        "stackTrace": [
            f"System.TypeInitializationException: {outer}",
            f" ---> System.DllNotFoundException: {inner}",
            "   at SkiaSharp.SkiaApi.sk_colortype_get_default_8888()",
            "   --- End of inner exception stack trace ---",
            "   at Labels.Drawing.Draw(Label label) in /src/Labels/Drawing.cs:line 58",
        ],
    }
    stack = (("/src/Labels/Drawing.cs", 58, "Labels.Drawing.Draw"),)
    fault = Fault("TypeInitializationException", outer, (json.dumps(logged),), stack, milliseconds=330)
    traffic(draw, 14, 120, fault=fault, since=whole_minute(world, 10))
    changed(draw, CODE, who="ci-labels", when=world.ago(minutes=10, seconds=35), publish=False)
    journey = Journey(world, world.ago(minutes=2))
    journey.function(draw, 0.0, 0.34, fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-import-native-arch",
        resource=draw.arn,
        trigger=draw.arn,
        innocent=(draw.role_arn,),
    )
