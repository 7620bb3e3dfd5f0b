"""Alarms that rang, without a trace id in anybody's hand: their metric leads to the resource, X-Ray to traces."""

from datetime import timedelta

from domain.report import SeverityLevel
from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._apis import Failing, api_traffic
from evals.scenarios._events import let_in, rule_changed, rule_flow
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, queue_changed, queue_flow, read_by, reading
from evals.scenarios._runtimes import java, killed, node, python
from evals.scenarios._tables import EXCEEDED, WORDS, Throttling, table_changed, table_traffic
from sandbox.aws import alarms, resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World

ERRORS = ("AWS/Lambda", "Errors")


@scenario(Kind.ALARM, "dynamodb")
def alarm_on_a_tables_throttles(world: World) -> Expect:
    """The alarm on parking-slots rings two minutes after a pipeline put back old capacity; nothing is traced."""
    slots = resources.table(world, "parking-slots", key="slot", write_capacity=15)
    began = whole_minute(world, 16)
    for when, units in ((world.ago(hours=23), 120), (began - timedelta(seconds=25), 15)):
        given = {"provisionedThroughput": {"readCapacityUnits": 15, "writeCapacityUnits": units}}
        table_changed(world, "UpdateTable", "parking-slots", who="infra-pipeline", when=when, **given)
    refused = Throttling(began, 820)
    table_traffic(world, "parking-slots", "Write", 44, provisioned=15, now=15, since=began, throttling=refused)
    other = resources.table(world, "parking-fees", key="zone")
    table_traffic(world, "parking-fees", "Read", 9)
    watches, where = ("AWS/DynamoDB", "WriteThrottleEvents"), {"TableName": "parking-slots"}
    text = metric_alarm(
        world, "parking-throttled", watches, where, began + timedelta(minutes=2), value=820, threshold=10
    )
    return Expect(
        text,
        cause="ddb-provisioned-exceeded",
        resource=slots,
        trigger=slots,
        says=("infra-pipeline",),
        runbook="dynamodb-throttling",
        innocent=(other,),
    )


@scenario(Kind.ALARM, "sqs")
def alarm_on_the_oldest_letter(world: World) -> Expect:
    """Since the mapping of letters is off nobody reads the queue, and its oldest message is twenty minutes old."""
    letters = resources.queue(world, "letters", VisibilityTimeout="240")
    prints = deploy(world, "letter-print", "java21", reading(letters), memory=1024, timeout=40)
    began = whole_minute(world, 23)
    read_by(prints, letters, modified=began, BatchSize=10, Enabled=False)
    queue_flow(
        world, "letters", Flow(18, 18, 18, 1, 1, 2), since=began, then=Flow(18, 0, 0, visible=410, flying=0, age=1370)
    )
    queue_changed(world, "TagQueue", "letters", who="cost-tags", when=world.ago(minutes=70), tags={"team": "print"})
    watches, where = ("AWS/SQS", "ApproximateAgeOfOldestMessage"), {"QueueName": "letters"}
    text = metric_alarm(
        world, "letters-old", watches, where, world.ago(minutes=4), value=1130, threshold=900, statistic="Maximum"
    )
    return Expect(
        text,
        cause="esm-disabled",
        resource=prints.arn,
        accept=(("esm-disabled", letters),),
        severity=SeverityLevel.MEDIUM,
        omits=("cost-tags",),
        innocent=(prints.role_arn,),
    )


@scenario(Kind.ALARM, "lambda")
def alarm_on_a_functions_errors(world: World) -> Expect:
    """stamp-verify errors; its log tells of kills by memory, its alarm has no trace, a neighbour was deployed."""
    verify = deploy(world, "stamp-verify", "python3.12", memory=256, timeout=15)
    began = whole_minute(world, 9)
    fault = killed(256, "[INFO]\t{time}\t{request}\tscan at 1200 dpi", milliseconds=1700)
    traffic(verify, 33, 290, fault=fault, since=began, share=0.45)
    elsewhere(world, CODE, "stamp-shop", who="ci-stamps", when=began - timedelta(minutes=2), publish=True)
    where = {"FunctionName": verify.name}
    text = metric_alarm(world, "stamp-errors", ERRORS, where, began + timedelta(minutes=1), value=15, threshold=5)
    return Expect(
        text,
        cause="lambda-oom",
        resource=verify.arn,
        trigger="",
        severity=SeverityLevel.HIGH,
        innocent=(verify.role_arn,),
    )


@scenario(Kind.ALARM, "dynamodb")
def alarm_on_5xx_leads_to_traces(world: World) -> Expect:
    """The alarm on the API's 5xx knows nothing of tables; the failing traces of its minutes lead to trail-log."""
    log = resources.table(world, "trail-log", key="hike", write_capacity=20)
    record = deploy(world, "trail-record", "nodejs22.x", allow(["dynamodb:PutItem"], log))
    stage = resources.rest_api(world, "trails", [("POST", "/log", record.arn)])
    began = whole_minute(world, 8)
    refused = Throttling(began, 2600)
    table_traffic(world, "trail-log", "Write", 12, provisioned=20, now=20, since=began, throttling=refused)
    fault = node(EXCEEDED, WORDS.format("the table"), ("/var/task/log.mjs", 38, "write"), milliseconds=420)
    traffic(record, 900, 21, fault=fault, since=began, share=0.6)
    api_traffic(world, {"ApiName": "trails"}, 900, 40, Failing(502, began, 0.6, 440))
    for minute in (2, 4):
        journey = Journey(world, began + timedelta(minutes=minute))
        parent = journey.api(stage, "POST", "/log", record.name, 0.45, status=502)
        cause = journey.exception(fault, remote=True)
        put = journey.dynamodb("PutItem", "trail-log", 0.02, 0.38, status=400, retries=3, cause=cause)
        journey.function(record, 0.005, 0.43, parent=parent, calls=[put], fault=fault)
        journey.send()
    watches, where = ("AWS/ApiGateway", "5XXError"), {"ApiName": "trails"}
    text = metric_alarm(world, "trails-5xx", watches, where, began + timedelta(minutes=3), value=540, threshold=20)
    return Expect(
        text,
        cause="ddb-provisioned-exceeded",
        resource=log,
        severity=SeverityLevel.CRITICAL,
        innocent=(record.arn, record.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.ALARM, "lambda")
def composite_over_two_services(world: World) -> Expect:
    """The composite alarm of the clinic listens to two alarms; one rang, for lab-import's code after its release."""
    began = whole_minute(world, 12)
    lab = deploy(world, "lab-import", "java17", memory=1024, timeout=30, last_modified=began - timedelta(seconds=30))
    ward = deploy(world, "ward-list", "java17", memory=512)
    fault = java(
        "java.time.format.DateTimeParseException",
        "Text '21/11/2026' could not be parsed at index 2",
        ("Hl7Reader.java", 143, "org.clinic.Hl7Reader.date"),
        ("LabHandler.java", 28, "org.clinic.LabHandler.handleRequest"),
    )
    traffic(lab, 24, 330, fault=fault, since=began, share=0.8)
    traffic(ward, 60, 45)
    changed(lab, CODE, who="ci-clinic", when=began - timedelta(seconds=30), publish=True)
    at = began + timedelta(minutes=2)
    metric_alarm(world, "lab-errors", ERRORS, {"FunctionName": lab.name}, at, value=19, threshold=3)
    for name, function in (("ward-errors", ward),):
        quiet = {"FunctionName": function.name}
        yesterday = world.ago(hours=25)
        metric_alarm(world, name, ERRORS, quiet, yesterday, value=4, threshold=3, over=yesterday + timedelta(minutes=5))
    why = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:lab-errors transitioned to ALARM"
    rule = "ALARM(lab-errors) OR ALARM(ward-errors)"
    alarms.composite(world, "clinic", rule, transitions=[(at + timedelta(seconds=20), "ALARM", why)])
    return Expect(
        "alarm clinic",
        cause="lambda-unhandled-exception",
        resource=lab.arn,
        trigger=lab.arn,
        says=("ci-clinic",),
        innocent=(ward.arn, ward.role_arn, lab.role_arn),
    )


@scenario(Kind.ALARM, "eventbridge")
def alarm_over_data_that_did_not_come(world: World) -> Expect:
    """till-close has not run since the evening; its alarm treats missing data as breaching. Its rule was disabled."""
    close = deploy(world, "till-close", "python3.13", timeout=60)
    pattern = {"source": ["shop.tills"], "detail-type": ["DayEnded"]}
    rule = resources.rule(world, "till-day-ended", [close.arn], pattern=pattern, enabled=False)
    let_in(world, close.name, rule)
    began = whole_minute(world, 50)
    rule_flow(world, "till-day-ended", 7, until=began)
    rule_changed(world, "DisableRule", "till-day-ended", who="store-ops", when=began)
    none = (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as breaching."
    )
    alarms.metric_math(
        world,
        "tills-silent",
        "FILL(m1, 0)",
        {"m1": ("AWS/Events", "Invocations", {"RuleName": "till-day-ended"})},
        transitions=[(began + timedelta(minutes=9), "ALARM", none)],
    )
    return Expect(
        "alarm tills-silent",
        cause="eb-rule-disabled",
        resource=rule,
        says=("store-ops",),
        innocent=(close.arn, close.role_arn),
    )


@scenario(Kind.ALARM, "lambda")
def anomaly_of_a_slow_afternoon(world: World) -> Expect:
    """Anomaly detection rings over the duration of quote-pdf: its template host does not answer any more."""
    quote = deploy(world, "quote-pdf", "python3.12", timeout=12)
    began = whole_minute(world, 10)
    fault = python(
        "requests.exceptions.ConnectTimeout",
        "HTTPSConnectionPool(host='templates.brand.example', port=443): Max retries exceeded with url: /v1/quote.html "
        "(Caused by ConnectTimeoutError('Connection to templates.brand.example timed out. (connect timeout=9)'))",
        ("/var/task/requests/adapters.py", 688, "send"),
        ("/var/task/pdf.py", 22, "template"),
        milliseconds=9100,
    )
    traffic(quote, 26, 520, fault=fault, since=began, share=0.85)
    journey = Journey(world, began + timedelta(minutes=3))
    cause = journey.exception(fault)
    get = journey.http("GET", "https://templates.brand.example/v1/quote.html", 0.04, 9.02, status=None, cause=cause)
    journey.function(quote, 0.0, 9.12, calls=[get], fault=fault)
    journey.send()
    at = began + timedelta(minutes=2)
    outside = "Thresholds Crossed: 1 datapoint [7820.0] was greater than the upper thresholds [1011.4]."
    alarms.anomaly(
        world, "quote-odd", "AWS/Lambda", "Duration", {"FunctionName": quote.name}, transitions=[(at, "ALARM", outside)]
    )
    return Expect(
        "alarm quote-odd",
        cause="downstream-http-error",
        resource=quote.arn,
        trigger="",
        innocent=(quote.role_arn,),
    )
