"""Alarms whose cause lies elsewhere than they ring: hops away, under old noise, over by now, or outside of AWS."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._apis import Failing, api_traffic
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    changed,
    deploy,
    elsewhere,
    invocation,
    role_changed,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, queue_flow, read_by, reading
from evals.scenarios._runtimes import Fault, go, python, ruby
from evals.scenarios._tables import table_changed, table_traffic
from sandbox.aws import resources, signals
from sandbox.aws.documents import exception
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted, outcomes
from sandbox.aws.world import World

ERRORS = ("AWS/Lambda", "Errors")
AWS_SDK = "/var/task/vendor/bundle/ruby/3.3.0/gems/aws-sdk-core-3.201.1"
FAILED_CONDITION = "The conditional request failed"


def logged_by_powertools(fault: Fault, service: str, said: str) -> Fault:
    """Let the handler log a fault by Powertools' logger before it lets it out."""
    row = {
        "level": "ERROR",
        "location": "handler:41",
        "message": said,
        "timestamp": "{time}",
        "service": service,
        "function_request_id": "{request}",
        "exception": f'Traceback (most recent call last):\n  File "/var/task/app.py", line 38, in handler\n'
        f"{fault.type}: {fault.message}",
        "exception_name": fault.type,
    }
    return fault._replace(lines=(json.dumps(row), *fault.lines))


@scenario(Kind.ALARM, "lambda")
def fraud_vendor_answers_503(world: World) -> Expect:
    """The fraud vendor answers 503 to till-score since the hour. The alarm hangs on the API; the function, in Go, was
    released forty minutes before and served well, and its idempotency write fails its condition as it should."""
    keys = resources.table(world, "till-idempotency", key="key")
    began = whole_minute(world, 11)
    released = began - timedelta(minutes=40)
    score = deploy(
        world, "till-score", "provided.al2023", allow(["dynamodb:PutItem"], keys), Handler="bootstrap",
        last_modified=released,
    )  # fmt: skip
    stage = resources.rest_api(world, "tills", [("POST", "/score", score.arn)])
    changed(score, CODE, who="ci-tills", when=released, publish=True)
    table_changed(world, "UpdateTimeToLive", "till-idempotency", who="data-team", when=began - timedelta(minutes=3))
    table_traffic(world, "till-idempotency", "Write", 6)
    fault = go("wrapError", "score basket: fraud vendor: unexpected status 503 Service Unavailable", milliseconds=700)
    traffic(score, 300, 120, fault=fault, since=began, share=0.7)
    api_traffic(world, {"ApiName": "tills"}, 300, 150, Failing(502, began, 0.7, 720))
    for minute in (1, 3, 6):
        journey = Journey(world, began + timedelta(minutes=minute, seconds=20))
        parent = journey.api(stage, "POST", "/score", score.name, 0.75, status=502)
        cause = exception(world.ids, "ConditionalCheckFailedException", FAILED_CONDITION, remote=True)
        put = journey.dynamodb("PutItem", "till-idempotency", 0.02, 0.008, status=400, cause=cause)
        ask = journey.http("POST", "https://api.fraud.example/v3/score", 0.04, 0.62, status=503)
        journey.function(score, 0.005, 0.7, parent=parent, calls=[put, ask], fault=fault)
        journey.send()
    watches, where = ("AWS/ApiGateway", "5XXError"), {"ApiName": "tills", "Stage": "prod"}
    text = metric_alarm(world, "tills-5xx", watches, where, began + timedelta(minutes=2), value=208, threshold=15)
    return Expect(
        text,
        cause="downstream-http-error",
        resource=score.arn,
        trigger="",
        omits=("ci-tills", "data-team"),
        innocent=(keys, score.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.ALARM, "sqs")
def dead_invoices_want_a_parameter(world: World) -> Expect:
    """The alarm hangs on the dead-letter queue. What fails is their reader, three hops away: the clean-up deleted the
    parameter with the ledger's address."""
    dead = resources.queue(world, "invoices-dead", MessageRetentionPeriod="1209600")
    invoices = resources.queue(world, "invoices", dead_letter=dead, max_receives=3, VisibilityTimeout="180")
    parameter = world.arn("ssm", "parameter/invoices/ledger-url")
    rights = (reading(invoices), allow(["ssm:GetParameter"], parameter))
    post = deploy(world, "invoice-post", "python3.12", *rights, timeout=30)
    began = whole_minute(world, 18)
    read_by(post, invoices, BatchSize=5)
    signals.cloudtrail_event(
        world, "DeleteParameter", "ssm", [("AWS::SSM::Parameter", "/invoices/ledger-url")], who="config-sweep",
        when=began - timedelta(seconds=30), request={"name": "/invoices/ledger-url"},
    )  # fmt: skip
    elsewhere(world, CODE, "invoice-print", who="ci-billing", when=began - timedelta(minutes=2), publish=True)
    fault = logged_by_powertools(
        python(
            "ParameterNotFound",
            "An error occurred (ParameterNotFound) when calling the GetParameter operation: ",
            ("/var/lang/lib/python3.12/site-packages/botocore/client.py", 1017, "_make_api_call"),
            ("/var/task/app.py", 38, "handler"),
            milliseconds=140,
        ),
        "invoices",
        "cannot post the batch",
    )
    traffic(post, 12, 480, fault=fault, since=began)
    queue_flow(
        world, "invoices", Flow(30, 30, 30, 3, 2, 4), since=began, then=Flow(30, 84, 0, visible=90, flying=60, age=540)
    )
    queue_flow(world, "invoices-dead", Flow(), since=began + timedelta(minutes=9), then=Flow(visible=210, age=540))
    journey = Journey(world, began + timedelta(minutes=4))
    cause = journey.exception(fault, remote=True)
    get = journey.aws("SSM", "GetParameter", 0.02, 0.05, status=400, cause=cause)
    journey.function(post, 0.0, 0.14, calls=[get], fault=fault)
    journey.send()
    watches, where = ("AWS/SQS", "ApproximateNumberOfMessagesVisible"), {"QueueName": "invoices-dead"}
    text = metric_alarm(
        world, "invoices-dead", watches, where, began + timedelta(minutes=10), value=12, threshold=0,
        statistic="Maximum",
    )  # fmt: skip
    return Expect(
        text,
        cause="ssm-parameter-not-found",
        resource=parameter,
        accept=(("ssm-parameter-not-found", post.arn),),
        omits=("ci-billing",),
        innocent=(dead, invoices, post.role_arn),
    )


@scenario(Kind.ALARM, "iam")
def noise_of_every_day_and_a_right_taken(world: World) -> Expect:
    """address-check always fails for two requests in a hundred, over street names in Cyrillic. Nine minutes ago its
    role lost the table, and that is what the alarm rings for."""
    streets = resources.table(world, "streets", key="zip")
    check = deploy(world, "address-check", "ruby3.3", allow(["dynamodb:Query"], streets), timeout=8)
    began = whole_minute(world, 9)
    role_changed(
        world, "PutRolePolicy", check.role, who="least-privilege", when=began - timedelta(seconds=40),
        policyName=f"{check.role}-policy", policyDocument="{}",
    )  # fmt: skip
    session = f"arn:aws:sts::{world.account}:assumed-role/{check.role}/{check.name}"
    denied = ruby(
        "Aws::DynamoDB::Errors::AccessDeniedException",
        f"User: {session} is not authorized to perform: dynamodb:GetItem on resource: {streets} because no "
        "identity-based policy allows the dynamodb:GetItem action",
        (f"{AWS_SDK}/lib/seahorse/client/plugins/raise_response_errors.rb", 17, "call"),
        ("/var/task/address.rb", 29, "street"),
    )
    usual = ruby(
        "Encoding::UndefinedConversionError",
        "U+0443 from UTF-8 to ISO-8859-1",
        ("/var/task/address.rb", 51, "encode"),
        ("/var/task/address.rb", 12, "handler"),
    )
    traffic(check, 400, 24, fault=denied, since=began, share=0.6)
    noise = [outcomes(8, 8)] * HISTORY_MINUTES
    start, name = whole_minute(world, HISTORY_MINUTES), {"FunctionName": check.name}
    signals.metric(world, *ERRORS, name, noise, start=start, unit="Count")
    events = []
    for minute in range(2, 45, 7):
        events += invocation(check, world.ago(minutes=minute), 20, fault=usual)
    signals.log(world, f"/aws/lambda/{check.name}", events)
    text = metric_alarm(world, "address-errors", ERRORS, name, began + timedelta(minutes=1), value=248, threshold=40)
    return Expect(
        text,
        cause="lambda-role-missing-permission",
        resource=check.role_arn,
        trigger=check.role_arn,
        says=("least-privilege",),
        innocent=(streets,),
    )


@scenario(Kind.ALARM, "lambda")
def switched_off_for_a_quarter_of_an_hour(world: World) -> Expect:
    """Somebody set the reservation of parcel-label to nothing by mistake, and took it back a quarter of an hour later.
    The alarm is long OK; the one who asks wants to know what it was."""
    label = deploy(world, "parcel-label", "dotnet8", memory=512, last_modified=world.ago(days=40))
    began, over = whole_minute(world, 74), whole_minute(world, 60)
    changed(
        label, "PutFunctionConcurrency20171031", who="kwame", when=began - timedelta(seconds=20),
        reservedConcurrentExecutions=0,
    )  # fmt: skip
    changed(label, "DeleteFunctionConcurrency20171031", who="kwame", when=over)
    changed(label, CODE, who="ci-parcels", when=world.ago(minutes=20), publish=True)
    name, start = {"FunctionName": label.name}, whole_minute(world, HISTORY_MINUTES)
    off = [began <= start + timedelta(minutes=n) < over for n in range(HISTORY_MINUTES)]
    rows = (
        ("Invocations", [None if o else counted(60 + n % 5) for n, o in enumerate(off)], "Count"),
        ("Errors", [None if o else {0.0: 60.0} for o in off], "Count"),
        ("Throttles", [counted(64) if o else {0.0: 60.0} for o in off], "Count"),
        ("Duration", [None if o else {85.0: 60.0} for o in off], "Milliseconds"),
        ("ConcurrentExecutions", [None if o else 2.0 for o in off], "Count"),
    )
    for metric, values, unit in rows:
        signals.metric(world, "AWS/Lambda", metric, name, values, start=start, unit=unit)
    served = [began - timedelta(minutes=5), over + timedelta(minutes=5), whole_minute(world, 5)]
    events = [event for at in served for event in invocation(label, at, 85, lines=["{time}\t{request}\tinfo\tprinted"])]
    signals.log(world, f"/aws/lambda/{label.name}", events)
    watches = ("AWS/Lambda", "Throttles")
    at = began + timedelta(minutes=1)
    text = metric_alarm(world, "labels-throttled", watches, name, at, value=64, threshold=5, over=over)
    return Expect(
        text,
        cause="lambda-reserved-zero",
        resource=label.arn,
        accept=(("lambda-throttle-reserved", label.arn),),
        trigger=label.arn,
        says=("kwame", "Alarm `labels-throttled` was OK again"),
        omits=("ci-parcels",),
        innocent=(label.role_arn,),
    )


@scenario(Kind.ALARM, "lambda")
def one_in_twenty_has_no_sockets_left(world: World) -> Expect:
    """forecast, behind its alias `live`, opens a client for every request and never closes it. Old sandboxes run out
    of descriptors: one request in twenty fails, and not for the weather host, which it merely cannot reach then."""
    forecast = deploy(world, "forecast", "provided.al2023", Handler="bootstrap", memory=512)
    client = world.client("lambda")
    version = client.publish_version(FunctionName=forecast.name)["Version"]
    client.create_alias(FunctionName=forecast.name, Name="live", FunctionVersion=version)
    began = whole_minute(world, 16)
    words = (
        'Get "https://api.weather.example/v2/point": dial tcp: lookup api.weather.example on 169.254.78.1:53: '
        "dial udp 169.254.78.1:53: socket: too many open files"
    )
    fault = go("Error", words, milliseconds=31)
    traffic(forecast, 700, 90, fault=fault, since=began, share=0.05)
    elsewhere(world, CODE, "forecast-page", who="ci-weather", when=began - timedelta(minutes=1), publish=True)
    where = {"FunctionName": forecast.name, "Resource": "forecast:live"}
    start = whole_minute(world, HISTORY_MINUTES)
    late = [start + timedelta(minutes=n) >= began for n in range(HISTORY_MINUTES)]
    signals.metric(world, "AWS/Lambda", "Invocations", where, [counted(700) for _ in late], start=start, unit="Count")
    signals.metric(world, *ERRORS, where, [outcomes(35 if o else 0, 700) for o in late], start=start, unit="Count")
    for number in range(8):
        bad = number == 5
        journey = Journey(world, began + timedelta(minutes=2, seconds=9 * number))
        cause = journey.exception(fault) if bad else None
        ask = journey.http(
            "GET", "https://api.weather.example/v2/point", 0.01, 0.01 if bad else 0.07, status=None if bad else 200,
            cause=cause,
        )  # fmt: skip
        journey.function(forecast, 0.0, 0.03 if bad else 0.09, calls=[ask], fault=fault if bad else None)
        journey.send()
    at = began + timedelta(minutes=2)
    text = metric_alarm(world, "forecast-live-errors", ERRORS, where, at, value=35, threshold=20)
    return Expect(
        text,
        cause="lambda-fd-exhausted",
        resource=forecast.arn,
        trigger="",
        omits=("ci-weather",),
        innocent=(forecast.role_arn,),
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def a_number_of_the_shop_itself(world: World) -> Expect:
    """The alarm watches a number that the shop reports itself, by a dimension of its own: nothing says which resource
    is behind it. Releases of that evening are not a reason to accuse one."""
    page = deploy(world, "shop-page", "nodejs22.x")
    traffic(page, 90, 40)
    began = whole_minute(world, 12)
    changed(page, CODE, who="ci-shop", when=began - timedelta(minutes=1), publish=True)
    where = {"Team": "checkout"}
    start = whole_minute(world, HISTORY_MINUTES)
    values = [counted(2 if start + timedelta(minutes=n) < began else 44) for n in range(HISTORY_MINUTES)]
    signals.metric(world, "Shop/Orders", "Abandoned", where, values, start=start, unit="Count")
    text = metric_alarm(world, "abandoned", ("Shop/Orders", "Abandoned"), where, began, value=44, threshold=20)
    return Expect(text, status="inconclusive", omits=("ci-shop",), innocent=(page.arn, page.role_arn))


@scenario(Kind.ALARM, "lambda")
def slow_for_the_bank_and_nothing_fails(world: World) -> Expect:
    """The API's latency alarm rings: the bank's host takes eight seconds where it took a fifth of one. Every request
    is answered, and no resource here is to blame."""
    pay = deploy(world, "pay-start", "python3.13", timeout=25)
    stage = resources.rest_api(world, "payments", [("POST", "/pay", pay.arn)])
    began = whole_minute(world, 14)
    name, start = {"FunctionName": pay.name}, whole_minute(world, HISTORY_MINUTES)
    late = [start + timedelta(minutes=n) >= began for n in range(HISTORY_MINUTES)]
    rows = (
        ("Invocations", [counted(80) for _ in late], "Count"),
        ("Errors", [outcomes(0, 80) for _ in late], "Count"),
        ("Throttles", [outcomes(0, 80) for _ in late], "Count"),
        ("Duration", [{8200.0: 80} if o else {240.0: 80} for o in late], "Milliseconds"),
        ("ConcurrentExecutions", [11.0 if o else 1.0 for o in late], "Count"),
    )
    for metric, values, unit in rows:
        signals.metric(world, "AWS/Lambda", metric, name, values, start=start, unit=unit)
    events = []
    for second in range(0, 600, 40):
        events += invocation(pay, began + timedelta(seconds=second), 8200, lines=["[INFO]\t{time}\t{request}\tpaid"])
    signals.log(world, f"/aws/lambda/{pay.name}", events)
    for dimensions in ({"ApiName": "payments"}, {"ApiName": "payments", "Stage": "prod"}):
        taken = [{8230.0: 80} if o else {260.0: 80} for o in late]
        for metric, values, unit in (
            ("Count", [counted(80) for _ in late], "Count"),
            ("5XXError", [outcomes(0, 80) for _ in late], "Count"),
            ("4XXError", [outcomes(0, 80) for _ in late], "Count"),
            ("Latency", taken, "Milliseconds"),
            ("IntegrationLatency", taken, "Milliseconds"),
        ):
            signals.metric(world, "AWS/ApiGateway", metric, dimensions, values, start=start, unit=unit)
    for minute in (1, 3, 6):
        journey = Journey(world, began + timedelta(minutes=minute))
        parent = journey.api(stage, "POST", "/pay", pay.name, 8.23, status=200)
        ask = journey.http("POST", "https://acquirer.bank.example/v1/charge", 0.05, 8.1)
        journey.function(pay, 0.006, 8.2, parent=parent, calls=[ask])
        journey.send()
    watches, where = ("AWS/ApiGateway", "Latency"), {"ApiName": "payments", "Stage": "prod"}
    text = metric_alarm(
        world, "payments-slow", watches, where, began + timedelta(minutes=2), value=8230, threshold=2000,
        statistic="Average",
    )  # fmt: skip
    return Expect(
        text,
        status="inconclusive",
        says=("acquirer.bank.example",),
        innocent=(pay.arn, pay.role_arn, resources.rest_api_arn(world, stage)),
    )
