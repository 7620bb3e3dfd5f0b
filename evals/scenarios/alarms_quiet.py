"""Alarms that ring and lead to no cause: over again, without data, as every week, or with nobody allowed to look."""

from datetime import timedelta

from domain.report import SeverityLevel
from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._functions import CODE, HISTORY_MINUTES, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import python
from evals.scenarios._tables import table_changed, table_traffic
from sandbox.aws import alarms, resources, signals
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World

ERRORS = ("AWS/Lambda", "Errors")

READ_FROM = (
    "lambda", "iam", "logs", "cloudwatch", "cloudtrail", "dynamodb", "application-autoscaling", "cloudformation",
    "codedeploy", "ec2", "sns", "sqs", "apigateway", "apigatewayv2", "ssm", "secretsmanager", "kms", "events",
)  # fmt: skip


def _denied_everywhere(world: World) -> None:
    """Let AWS refuse every look but those at traces."""
    for service in READ_FROM:
        world.aws.inject(service, "*", ACCESS_DENIED)


@scenario(Kind.INSUFFICIENT, "lambda")
def flapped_and_was_over_by_itself(world: World) -> Expect:
    """The alarm of seat-feed rang for two minutes and was OK again: nothing left a trace or a line in the log."""
    feed = deploy(world, "seat-feed", "nodejs22.x", memory=512)
    traffic(feed, 140, 24, lines=["{time}\t{request}\tINFO\tpublished"])
    elsewhere(world, CODE, "seat-shop", who="ci-seats", when=world.ago(minutes=34), publish=False)
    at = whole_minute(world, 25)
    start, name = at - timedelta(minutes=1), {"FunctionName": feed.name}
    signals.metric(world, *ERRORS, name, [counted(7), counted(2)], start=start, unit="Count")
    over = at + timedelta(minutes=2)
    text = metric_alarm(world, "seat-feed-errors", ERRORS, name, at, value=7, threshold=5, over=over)
    return Expect(text, status="inconclusive", innocent=(feed.arn, feed.role_arn))


@scenario(Kind.INSUFFICIENT, "dynamodb")
def anomaly_that_every_saturday_has(world: World) -> Expect:
    """The lottery closes on Saturdays at this hour: reads of draw-results go up thirtyfold, as a week ago. Anomaly
    detection is new here and rings."""
    draws = resources.table(world, "draw-results", key="draw")
    show = deploy(world, "draw-show", "python3.13", allow(["dynamodb:GetItem"], draws))
    table_traffic(world, "draw-results", "Read", 5)
    table_changed(world, "UpdateContinuousBackups", "draw-results", who="backup-policy", when=world.ago(hours=3))
    name = {"FunctionName": show.name}
    began = whole_minute(world, 11)
    traffic(show, 90, 12)
    rush = [counted(2600 + 40 * (n % 3)) for n in range(11)]
    for days in (0, 1, 7):
        start = began - timedelta(days=days)
        signals.metric(world, "AWS/Lambda", "Invocations", name, rush, start=start, unit="Count")
    outside = "Thresholds Crossed: 1 datapoint [2740.0] was greater than the upper thresholds [188.0]."
    ring = [(began + timedelta(minutes=2), "ALARM", outside)]
    alarms.anomaly(world, "draw-show-odd", "AWS/Lambda", "Invocations", name, transitions=ring)
    return Expect(
        "alarm draw-show-odd",
        status="inconclusive",
        facts=("did the same at this hour yesterday and 7 days ago",),
        says=("Invocations of Lambda function `draw-show` did the same at this hour",),
        innocent=(draws, show.arn, show.role_arn),
    )


@scenario(Kind.HEALTHY, "lambda")
def busier_than_usual_and_well(world: World) -> Expect:
    """The newsletter is out and offer-page has nine times its visitors; it takes them without an error or a delay."""
    page = deploy(world, "offer-page", "nodejs22.x", memory=512)
    traffic(page, 60, 19)
    more, start = [counted(500)] * 9, whole_minute(world, 9)
    signals.metric(world, "AWS/Lambda", "Invocations", {"FunctionName": page.name}, more, start=start, unit="Count")
    changed(page, CODE, who="ci-offers", when=world.ago(minutes=40), publish=True)
    journey = Journey(world, world.ago(minutes=2))
    journey.function(page, 0.0, 0.021)
    return Expect(
        journey.send(), facts=("Invocations of Lambda function `offer-page` rose",), innocent=(page.arn, page.role_arn)
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def nobody_may_look(world: World) -> Expect:
    """The trace says that pass-issue failed. The bot's role was given X-Ray and nothing else: all specialists are
    denied, and the report says what to grant."""
    passes = resources.table(world, "passes", key="pass")
    issue = deploy(world, "pass-issue", "python3.12", allow(["dynamodb:PutItem"], passes))
    fault = python("PassError", "cannot issue", ("/var/task/app.py", 77, "handler"))
    traffic(issue, 20, 60, fault=fault, since=whole_minute(world, 7), share=0.4)
    journey = Journey(world, world.ago(minutes=2))
    put = journey.dynamodb("PutItem", "passes", 0.02, 0.006)
    journey.function(issue, 0.0, 0.07, calls=[put], fault=fault._replace(type="", message=""))
    _denied_everywhere(world)
    return Expect(
        journey.send(),
        status="inconclusive",
        says=("No full view from change-intelligence, dynamodb, iam, lambda",),
        innocent=(passes, issue.role_arn),
        gaps=("logs:FilterLogEvents", "cloudtrail:LookupEvents", "cloudwatch:GetMetricData"),
    )


@scenario(Kind.INSUFFICIENT, "dynamodb")
def alarm_and_nobody_may_look(world: World) -> Expect:
    """An alarm text from another team's channel, and a role that may read nothing: not even what the alarm watches."""
    resources.table(world, "quota-use", key="tenant", write_capacity=5)
    watches, where = ("AWS/DynamoDB", "WriteThrottleEvents"), {"TableName": "quota-use"}
    text = metric_alarm(world, "quota-throttled", watches, where, whole_minute(world, 9), value=60, threshold=5)
    _denied_everywhere(world)
    return Expect(
        f"{text}, table quota-use",
        status="inconclusive",
        severity=SeverityLevel.UNKNOWN,
        gaps=("cloudwatch:DescribeAlarms",),
    )


@scenario(Kind.INSUFFICIENT, "lambda")
def callers_went_away(world: World) -> Expect:
    """weather-tile gets a tenth of its calls since the hour; it is well, and who stayed away is not in this account."""
    tile = deploy(world, "weather-tile", "provided.al2023", Handler="bootstrap", memory=512)
    began = whole_minute(world, 14)
    name, start = {"FunctionName": tile.name}, whole_minute(world, HISTORY_MINUTES)
    calls = [counted(400 + n % 9) for n in range(HISTORY_MINUTES - 14)] + [counted(38 + n % 3) for n in range(14)]
    signals.metric(world, "AWS/Lambda", "Invocations", name, calls, start=start, unit="Count")
    signals.metric(world, "AWS/Lambda", "Errors", name, [{0.0: 40}] * HISTORY_MINUTES, start=start, unit="Count")
    changed(tile, CODE, who="ci-weather", when=world.ago(hours=6), publish=True)
    few = "Threshold Crossed: 1 datapoint [38.0] was less than the threshold (150.0)."
    signals.alarm(
        world, "weather-quiet", "AWS/Lambda", "Invocations", name, threshold=150, comparison="LessThanThreshold",
        transitions=[(began + timedelta(minutes=2), "ALARM", few)],
    )  # fmt: skip
    return Expect(
        "alarm weather-quiet",
        status="inconclusive",
        facts=("Invocations of Lambda function `weather-tile` fell",),
        says=("Alarm `weather-quiet`",),
        innocent=(tile.arn, tile.role_arn),
    )
