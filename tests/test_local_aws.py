"""The local AWS keeps what it promises: asked over HTTP with boto3, as the product asks."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from sandbox.aws import LocalAws, faults, resources, segments, signals, subsegments
from sandbox.aws.documents import Place, exception
from sandbox.aws.resources import allow
from sandbox.aws.world import World
from sandbox.incidents import healthy, orders_throttling
from sandbox.incidents.incident import Incident

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = NOW.replace(second=0)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws) -> LocalAws:
    running.reset()
    return running


@pytest.fixture
def world(aws: LocalAws) -> World:
    return World(aws, NOW, seed="tests")


def visitor(aws: LocalAws, service: str, *, region: str = "", read_timeout: float = 10, **credentials: str) -> Any:
    """A client as the product has one: recorded, and hit by faults."""
    keys = {"aws_access_key_id": aws.account, "aws_secret_access_key": "local", **credentials}
    config = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout)
    return boto3.client(service, region_name=region or aws.region, endpoint_url=aws.endpoint, config=config, **keys)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]


# --- the recorder


IDENTIFIED = [
    ("dynamodb", "describe_table", {"TableName": "t"}, "dynamodb:DescribeTable", {"TableName": "t"}),
    (
        "lambda",
        "get_function_configuration",
        {"FunctionName": "f"},
        "lambda:GetFunctionConfiguration",
        {"FunctionName": "f"},
    ),
    (
        "apigateway",
        "get_stage",
        {"restApiId": "a", "stageName": "prod"},
        "apigateway:GetStage",
        {"restApiId": "a", "stageName": "prod"},
    ),
    (
        "apigatewayv2",
        "get_stage",
        {"ApiId": "a", "StageName": "$default"},
        "apigatewayv2:GetStage",
        {"ApiId": "a", "StageName": "$default"},
    ),
    (
        "apigateway",
        "get_resources",
        {"restApiId": "a", "embed": ["methods"]},
        "apigateway:GetResources",
        {"restApiId": "a", "embed": "methods"},
    ),
    ("s3", "get_bucket_policy", {"Bucket": "some-bucket"}, "s3:GetBucketPolicy", {"Bucket": "some-bucket"}),
    (
        "s3",
        "head_object",
        {"Bucket": "some-bucket", "Key": "a/b c"},
        "s3:HeadObject",
        {"Bucket": "some-bucket", "Key": "a/b c"},
    ),
    (
        "s3",
        "get_object_attributes",
        {"Bucket": "some-bucket", "Key": "k", "ObjectAttributes": ["ETag"]},
        "s3:GetObjectAttributes",
        {"Bucket": "some-bucket", "Key": "k"},
    ),
    ("iam", "get_role", {"RoleName": "r"}, "iam:GetRole", {"RoleName": "r"}),
    (
        "ec2",
        "describe_subnets",
        {"SubnetIds": ["subnet-1", "subnet-2"]},
        "ec2:DescribeSubnets",
        {"SubnetId": ["subnet-1", "subnet-2"]},
    ),
    ("sqs", "list_queues", {"QueueNamePrefix": "q"}, "sqs:ListQueues", {"QueueNamePrefix": "q"}),
    ("cloudwatch", "describe_alarms", {"AlarmNames": ["a"]}, "cloudwatch:DescribeAlarms", {"AlarmNames": ["a"]}),
    ("stepfunctions", "list_state_machines", {}, "stepfunctions:ListStateMachines", {}),
    (
        "scheduler",
        "get_schedule",
        {"Name": "n", "GroupName": "g"},
        "scheduler:GetSchedule",
        {"Name": "n", "GroupName": "g"},
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "given", "name", "parameters"), IDENTIFIED, ids=[row[3] for row in IDENTIFIED]
)
def test_every_protocol_s_calls_are_recorded_by_name_with_parameters(
    aws: LocalAws, service: str, operation: str, given: dict[str, Any], name: str, parameters: dict[str, Any]
) -> None:
    with contextlib.suppress(ClientError):  # most of these do not exist: it is the question that counts
        getattr(visitor(aws, service), operation)(**given)

    (call,) = aws.calls
    assert (call.name, call.region, call.account, call.write) == (name, aws.region, aws.account, False)
    assert parameters.items() <= call.parameters.items()


def test_writes_are_told_from_reads(aws: LocalAws) -> None:
    sqs = visitor(aws, "sqs")
    sqs.list_queues()

    assert aws.writes() == ()

    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.receive_message(QueueUrl=url)

    assert [call.name for call in aws.writes()] == ["sqs:CreateQueue", "sqs:ReceiveMessage"]


def test_a_request_nobody_can_name_counts_as_a_write(aws: LocalAws) -> None:
    script = f"import urllib.request as u; u.urlopen(u.Request('{aws.endpoint}/moto-api/data.json'))"
    subprocess.run([sys.executable, "-c", script], check=True)

    assert [call.name for call in aws.writes()] == ["unknown:unknown"]


def test_seeding_is_not_recorded(aws: LocalAws) -> None:
    aws.client("sqs").create_queue(QueueName="q")

    assert aws.calls == ()


def test_a_child_process_with_the_environment_reads_here(world: World) -> None:
    resources.queue(world, "from-outside")
    script = "import boto3; print(boto3.client('sqs').list_queues()['QueueUrls'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], **world.aws.environment()},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "from-outside" in done.stdout
    assert [call.name for call in world.aws.calls] == ["sqs:ListQueues"]


def test_an_assumed_role_reads_its_own_account(aws: LocalAws) -> None:
    other = World(aws, NOW, account="222222222222")
    resources.table(other, "theirs")
    signals.cloudtrail_event(other, "DeleteTable", "dynamodb", [], who="eve", when=NOW)
    given = visitor(aws, "sts").assume_role(RoleArn="arn:aws:iam::222222222222:role/reader", RoleSessionName="reading")[
        "Credentials"
    ]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }

    assert visitor(aws, "dynamodb", **keys).list_tables()["TableNames"] == ["theirs"]
    assert [e["Username"] for e in visitor(aws, "cloudtrail", **keys).lookup_events()["Events"]] == ["eve"]
    assert aws.calls[-1].account == "222222222222"
    assert visitor(aws, "dynamodb").list_tables()["TableNames"] == []


async def test_it_starts_inside_a_running_loop() -> None:
    async with LocalAws(region="us-east-1") as aws:
        assert visitor(aws, "sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


# --- what moto lacks


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("xray", "get_groups", {}),
        ("xray", "get_trace_graph", {"TraceIds": ["1-6740a1b2-1234567890abcdef12345678"]}),
        ("iam", "get_service_last_accessed_details", {"JobId": "a" * 36}),
        ("events", "test_event_pattern", {"EventPattern": "{}", "Event": "{}"}),
        ("logs", "describe_query_definitions", {}),
        ("ec2", "describe_network_insights_analyses", {}),
    ],
)
def test_what_is_not_implemented_is_a_typed_error(
    aws: LocalAws, service: str, operation: str, given: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(visitor(aws, service), operation)(**given)

    assert code_of(error) == (501, "EmulatorNotImplemented")


def test_an_answer_can_be_served_for_one_resource(aws: LocalAws) -> None:
    aws.serve(
        "iam",
        "GetRole",
        {"Role": {"RoleName": "r", "Path": "/", "RoleId": "x", "Arn": "arn:aws:iam::1:role/r", "CreateDate": NOW}},
        when={"RoleName": "r"},
    )
    iam = visitor(aws, "iam")

    assert iam.get_role(RoleName="r")["Role"]["CreateDate"] == NOW
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="other")


def test_a_served_member_that_the_api_does_not_have_is_an_error(aws: LocalAws) -> None:
    aws.serve("lambda", "GetAccountSettings", {"AccountLimits": {}})

    with pytest.raises(ClientError, match="500"):
        visitor(aws, "lambda").get_account_settings()


def test_a_function_tells_what_moto_forgets(world: World) -> None:
    role = resources.role(world, "r")
    changed = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    arn = resources.function(
        world,
        "f",
        role=role,
        timeout=7,
        last_modified=changed,
        members={"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:1:dlq"}},
    )
    client = visitor(world.aws, "lambda")

    for name in ("f", arn):
        told = client.get_function_configuration(FunctionName=name)
        assert (told["Timeout"], told["LastModified"], told["DeadLetterConfig"]["TargetArn"]) == (
            7,
            "2026-03-04T05:06:07.000+0000",
            "arn:aws:sqs:eu-west-1:1:dlq",
        )


def test_lambda_account_settings_tell_unreserved_concurrency(world: World) -> None:
    resources.function(world, "f", role=resources.role(world, "r"), reserved=30)
    settings = visitor(world.aws, "lambda").get_account_settings()

    assert settings["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 970
    assert settings["AccountUsage"]["FunctionCount"] == 1


# --- CloudTrail


def test_cloudtrail_pages_newest_first_by_one_attribute(world: World) -> None:
    for age in range(120):
        signals.cloudtrail_event(
            world,
            "UpdateTable",
            "dynamodb",
            [("AWS::DynamoDB::Table", "orders")],
            who="bot",
            when=world.ago(minutes=age),
            request={"n": age},
        )
    signals.cloudtrail_event(world, "UpdateTable", "dynamodb", [("AWS::DynamoDB::Table", "other")], who="bot", when=NOW)
    cloudtrail = visitor(world.aws, "cloudtrail")
    asked = {
        "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "orders"}],
        "StartTime": world.ago(minutes=109),
        "EndTime": world.ago(minutes=1),
    }
    pages = list(cloudtrail.get_paginator("lookup_events").paginate(**asked))

    assert [len(page["Events"]) for page in pages] == [50, 50, 9]
    events = [event for page in pages for event in page["Events"]]
    assert [json.loads(event["CloudTrailEvent"])["requestParameters"]["n"] for event in events] == list(range(1, 110))
    assert events[0]["EventTime"] == world.ago(minutes=1)
    assert events[0]["Resources"] == [{"ResourceType": "AWS::DynamoDB::Table", "ResourceName": "orders"}]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("Username", "eve", ["B"]),
        ("EventName", "A", ["A"]),
        ("ReadOnly", "true", ["B"]),
        ("EventSource", "sqs.amazonaws.com", ["B"]),
        ("ResourceType", "AWS::SQS::Queue", ["B"]),
    ],
)
def test_cloudtrail_looks_up_by_every_attribute(world: World, key: str, value: str, found: list[str]) -> None:
    signals.cloudtrail_event(world, "A", "lambda", [("AWS::Lambda::Function", "f")], who="bot", when=NOW)
    signals.cloudtrail_event(world, "B", "sqs", [("AWS::SQS::Queue", "q")], who="eve", when=NOW, read_only=True)
    events = visitor(world.aws, "cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}]
    )["Events"]

    assert [event["EventName"] for event in events] == found


def test_cloudtrail_takes_one_attribute_only(aws: LocalAws) -> None:
    attribute = {"AttributeKey": "EventName", "AttributeValue": "x"}
    with pytest.raises(ClientError) as error:
        visitor(aws, "cloudtrail").lookup_events(LookupAttributes=[attribute, attribute])

    assert code_of(error) == (400, "InvalidLookupAttributesException")


# --- CloudWatch


def query(name: str, stat: str, *, period: int = 60, metric: str = "Duration") -> dict[str, Any]:
    dimensions = [{"Name": "FunctionName", "Value": "f"}]
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions},
            "Period": period,
            "Stat": stat,
        },
    }


def report(world: World, values: list[signals.Reported], metric: str = "Duration") -> None:
    start = MINUTE.replace(minute=0) - timedelta(hours=1)
    signals.metric(world, "AWS/Lambda", metric, {"FunctionName": "f"}, values, start=start)


def ask(world: World, *queries: dict[str, Any], start: float = 0, minutes: float = 60, **rest: Any) -> dict[str, Any]:
    begin = MINUTE.replace(minute=0) - timedelta(hours=1) + timedelta(minutes=start)
    answer: dict[str, Any] = visitor(world.aws, "cloudwatch").get_metric_data(
        MetricDataQueries=list(queries), StartTime=begin, EndTime=begin + timedelta(minutes=minutes), **rest
    )
    return answer


def values_of(answer: dict[str, Any]) -> dict[str, list[float]]:
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def test_metric_data_has_statistics_and_percentiles_of_the_samples(world: World) -> None:
    report(world, [{10.0: 98, 500.0: 2}])
    stats = {
        "n": "SampleCount",
        "s": "Sum",
        "a": "Average",
        "lo": "Minimum",
        "hi": "Maximum",
        "p50": "p50",
        "p98": "p98",
        "p99": "p99",
        "p999": "p99.9",
    }
    answer = ask(world, *(query(name, stat) for name, stat in stats.items()))

    assert values_of(answer) == {
        "n": [100],
        "s": [1980],
        "a": [19.8],
        "lo": [10],
        "hi": [500],
        "p50": [10],
        "p98": [10],
        "p99": [500],
        "p999": [500],
    }


def test_metric_data_begins_its_periods_on_the_clock(world: World) -> None:
    report(world, [1.0] * 15)
    (result,) = ask(world, query("m", "Sum", period=300), start=2.5, minutes=10, ScanBy="TimestampAscending")[
        "MetricDataResults"
    ]

    assert [(at.minute, at.second) for at in result["Timestamps"]] == [(0, 0), (5, 0), (10, 0)]
    assert result["Values"] == [5, 5, 3]


def test_two_reports_of_one_minute_are_added(world: World) -> None:
    report(world, [{0.0: 4}])
    report(world, [{1.0: 3}])

    assert values_of(ask(world, query("sum", "Sum"), query("n", "SampleCount"))) == {"sum": [3], "n": [7]}


def test_metric_data_is_newest_first_unless_asked(world: World) -> None:
    report(world, [1.0, 2.0, None, 4.0])

    assert values_of(ask(world, query("m", "Sum"))) == {"m": [4, 2, 1]}
    assert values_of(ask(world, query("m", "Sum"), ScanBy="TimestampAscending")) == {"m": [1, 2, 4]}


def test_metric_data_pages_and_says_partial(world: World) -> None:
    report(world, [1.0, 2.0, 3.0])
    first = ask(world, query("a", "Sum"), query("b", "Maximum"), query("none", "Sum", metric="Nope"), MaxDatapoints=2)
    second = ask(
        world,
        query("a", "Sum"),
        query("b", "Maximum"),
        query("none", "Sum", metric="Nope"),
        MaxDatapoints=2,
        NextToken=first["NextToken"],
    )
    status = {result["Id"]: (result["StatusCode"], result["Values"]) for result in first["MetricDataResults"]}

    assert status == {"a": ("PartialData", [3, 2]), "none": ("Complete", [])}
    assert values_of(second) == {"a": [1], "b": [3]}
    assert "NextToken" in second


def test_metric_math_divides_series(world: World) -> None:
    report(world, [signals.counted(number) for number in (50, 20, 10)], "Invocations")
    report(world, [5.0, None, 10.0], "Errors")
    rate = {"Id": "rate", "Expression": "100 * FILL(e, 0) / i"}
    hidden = [
        {**query(name, "Sum", metric=metric), "ReturnData": False}
        for name, metric in (("e", "Errors"), ("i", "Invocations"))
    ]

    assert values_of(ask(world, *hidden, rate, ScanBy="TimestampAscending")) == {"rate": [10, 0, 100]}


@pytest.mark.parametrize(
    "unknown", [{"Id": "e", "Expression": "SEARCH('{AWS/Lambda} Errors', 'Sum')"}, query("m", "TM(10%:90%)")]
)
def test_metric_data_refuses_what_it_cannot_compute(world: World, unknown: dict[str, Any]) -> None:
    report(world, [1.0])
    with pytest.raises(ClientError) as error:
        ask(world, unknown)

    assert code_of(error) == (501, "EmulatorNotImplemented")


def test_an_error_count_averages_to_the_error_rate(world: World) -> None:
    report(world, [signals.outcomes(3, 12)], "Errors")

    assert values_of(ask(world, query("sum", "Sum", metric="Errors"), query("rate", "Average", metric="Errors"))) == {
        "sum": [3],
        "rate": [0.25],
    }


def test_put_metrics_are_listed_and_have_statistics(aws: LocalAws) -> None:
    cloudwatch = visitor(aws, "cloudwatch")
    dimensions = [{"Name": "Tenant", "Value": "acme"}]
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {
                "MetricName": "Latency",
                "Dimensions": dimensions,
                "Timestamp": MINUTE,
                "Values": [1.0, 9.0],
                "Counts": [9.0, 1.0],
                "Unit": "Milliseconds",
            }
        ],
    )
    points = cloudwatch.get_metric_statistics(
        Namespace="Shop",
        MetricName="Latency",
        Dimensions=dimensions,
        StartTime=MINUTE,
        EndTime=MINUTE + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
        ExtendedStatistics=["p90"],
    )["Datapoints"]

    assert cloudwatch.list_metrics(Namespace="Shop")["Metrics"] == [
        {"Namespace": "Shop", "MetricName": "Latency", "Dimensions": dimensions}
    ]
    assert points == [{"Timestamp": MINUTE, "Maximum": 9.0, "Unit": "Milliseconds", "ExtendedStatistics": {"p90": 1.0}}]


def test_alarm_history_tells_the_transitions(world: World) -> None:
    transitions = [(world.ago(minutes=9), "ALARM", "too many"), (world.ago(minutes=4), "OK", "fine again")]
    signals.alarm(world, "a", "AWS/Lambda", "Errors", {"FunctionName": "f"}, threshold=1, transitions=transitions)
    signals.alarm(world, "b", "AWS/Lambda", "Errors", {"FunctionName": "g"}, threshold=1, transitions=transitions)
    cloudwatch = visitor(world.aws, "cloudwatch")
    items = cloudwatch.describe_alarm_history(AlarmName="a", HistoryItemType="StateUpdate")["AlarmHistoryItems"]

    assert [(item["Timestamp"], item["HistorySummary"]) for item in items] == [
        (world.ago(minutes=4), "Alarm updated from ALARM to OK"),
        (world.ago(minutes=9), "Alarm updated from OK to ALARM"),
    ]
    assert json.loads(items[1]["HistoryData"])["newState"] == {"stateValue": "ALARM", "stateReason": "too many"}
    assert len(cloudwatch.describe_alarm_history(StartDate=world.ago(minutes=5))["AlarmHistoryItems"]) == 2
    assert cloudwatch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]["StateValue"] == "OK"


# --- Logs


LINES = [
    "START one",
    "[ERROR] boom: Task timed out after 3.00 seconds",
    "[WARN] slow",
    '{"level": "ERROR", "status": 503, "user": {"id": "u-1"}}',
    '{"level": "INFO", "status": 200}',
]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("?ERROR ?WARN", [1, 2, 3]),
        ("ERROR boom", [1]),
        ("ERROR -boom", [3]),
        ('"Task timed out"', [1]),
        ('?"Task timed out" ?START', [0, 1]),
        ("%after \\d+%", [1]),
        ('{ $.level = "ERROR" }', [3]),
        ('{ $.level = "E*" || $.status = 200 }', [3, 4]),
        ('{ ($.status >= 500) && ($.user.id = "u-1") }', [3]),
        ("{ $.user NOT EXISTS }", [4]),
        ('{ $.level != "INFO" }', [3]),
    ],
)
def test_log_filters_match_as_aws_does(world: World, pattern: str, found: list[int]) -> None:
    signals.log(world, "/aws/lambda/f", [(world.ago(seconds=60 - n), line) for n, line in enumerate(LINES)])
    events = visitor(world.aws, "logs").filter_log_events(logGroupName="/aws/lambda/f", filterPattern=pattern)["events"]

    assert [event["message"] for event in events] == [LINES[n] for n in found]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("time-out", (400, "InvalidParameterException")),
        ("[a, b]", (501, "EmulatorNotImplemented")),
        ("{ $.a ~ 1 }", (400, "InvalidParameterException")),
    ],
)
def test_log_filters_that_cannot_match_are_errors(world: World, pattern: str, expected: tuple[int, str]) -> None:
    signals.log(world, "/aws/lambda/f", [(NOW, "x")])
    with pytest.raises(ClientError) as error:
        visitor(world.aws, "logs").filter_log_events(logGroupName="/aws/lambda/f", filterPattern=pattern)

    assert code_of(error) == expected


def test_log_filters_page_through_the_matches_of_an_interval(world: World) -> None:
    signals.log(
        world, "/aws/lambda/f", [(world.ago(seconds=60 - n), f"ERROR {n}" if n % 2 else f"fine {n}") for n in range(40)]
    )
    asked = {
        "logGroupName": "/aws/lambda/f",
        "filterPattern": "ERROR",
        "startTime": int(world.ago(seconds=50).timestamp() * 1000),
    }
    pages = list(
        visitor(world.aws, "logs")
        .get_paginator("filter_log_events")
        .paginate(**asked, PaginationConfig={"PageSize": 6})
    )

    assert [len(page["events"]) for page in pages] == [6, 6, 3]
    assert pages[0]["events"][0]["message"] == "ERROR 11"


def test_a_missing_log_group_is_not_found(aws: LocalAws) -> None:
    logs = visitor(aws, "logs")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="/aws/lambda/nope", filterPattern="ERROR")


# --- X-Ray


def sent(world: World, at: datetime, *, failing: bool = False, seconds: float = 0.25) -> str:
    """A trace of an API, its function and one call of a table."""
    place, start = world.place(at), at.timestamp()
    cause = exception(place.ids, "ProvisionedThroughputExceededException", "exceeded", remote=True) if failing else None
    call = subsegments.dynamodb_call(
        place.ids,
        "PutItem",
        "orders",
        start + 0.05,
        0.1,
        region=world.region,
        status=400 if failing else 200,
        cause=cause,
    )
    integration = segments.lambda_integration(place, "create", start, seconds)
    stage = segments.stage_segment(
        place,
        segments.Stage("abc", "api", "prod"),
        "POST",
        "/orders",
        start,
        seconds,
        status=502 if failing else 200,
        integration=integration,
    )
    pair = segments.lambda_segments(
        place, "create", integration["id"], start, seconds - 0.01, calls=[call], cause=cause
    )
    return signals.trace(
        world, [stage, *pair, segments.inferred_segment(place, call, "AWS::DynamoDB::Table", "orders")]
    )


def summaries(world: World, expression: str = "", **rest: Any) -> list[dict[str, Any]]:
    given = {"FilterExpression": expression} if expression else {}
    pages = (
        visitor(world.aws, "xray")
        .get_paginator("get_trace_summaries")
        .paginate(StartTime=world.ago(hours=1), EndTime=world.now, **given, **rest)
    )
    return [summary for page in pages for summary in page["TraceSummaries"]]


def test_summaries_carry_real_flags_times_and_entry_point(world: World) -> None:
    trace_id = sent(world, world.ago(minutes=3), failing=True)
    (summary,) = summaries(world)

    assert summary["Id"] == trace_id
    assert (summary["HasFault"], summary["HasError"], summary["HasThrottle"], summary["IsPartial"]) == (
        True,
        True,
        False,
        False,
    )
    assert (summary["Duration"], summary["ResponseTime"]) == (0.25, 0.25)
    assert (summary["EntryPoint"]["Name"], summary["EntryPoint"]["Type"]) == ("api/prod", "AWS::ApiGateway::Stage")
    assert summary["Http"]["HttpStatus"] == 502
    assert {"ARN": world.arn("lambda", "function:create")} in summary["ResourceARNs"]


EXPRESSIONS = [
    ("fault = true OR error = true", "bad"),
    ("fault", "bad"),
    ("!fault", "good"),
    ("ok", "good"),
    ("throttle = true", ""),
    ("responsetime > 1", "bad"),
    ('http.status = 502 AND http.method = "POST"', "bad"),
    ('service("create") { fault }', "bad"),
    ('service(id(name: "orders", type: "AWS::DynamoDB::Table")) { error }', "bad"),
    ('service("nobody")', ""),
    ('(duration < 1 OR partial) AND http.url CONTAINS "/orders"', "good"),
    ('annotation.tenant = "acme"', ""),
]


@pytest.mark.parametrize(("expression", "found"), EXPRESSIONS, ids=[row[0] for row in EXPRESSIONS])
def test_filter_expressions_select_traces(world: World, expression: str, found: str) -> None:
    names = {
        sent(world, world.ago(minutes=3), failing=True, seconds=1.5): "bad",
        sent(world, world.ago(minutes=2)): "good",
    }

    assert " ".join(names[summary["Id"]] for summary in summaries(world, expression)) == found


def test_a_filter_expression_that_does_not_parse_is_refused(world: World) -> None:
    with pytest.raises(ClientError) as error:
        summaries(world, "faulty = 1")

    assert code_of(error) == (400, "InvalidRequestException")


def test_summaries_page_and_keep_to_the_interval(world: World) -> None:
    for age in range(130):
        sent(world, world.ago(minutes=age, seconds=1))
    xray = visitor(world.aws, "xray")
    asked = {"StartTime": world.ago(minutes=110), "EndTime": world.now}
    first = xray.get_trace_summaries(**asked)
    second = xray.get_trace_summaries(**asked, NextToken=first["NextToken"])

    assert (len(first["TraceSummaries"]), len(second["TraceSummaries"])) == (100, 10)
    assert "NextToken" not in second


def test_traces_come_whole_with_duration_and_unknown_ids(world: World) -> None:
    trace_id = sent(world, world.ago(minutes=3), seconds=0.617)
    answer = visitor(world.aws, "xray").batch_get_traces(TraceIds=[trace_id, "1-00000000-000000000000000000000000"])
    (trace,) = answer["Traces"]

    assert (trace["Duration"], trace["LimitExceeded"]) == (0.617, False)
    assert answer["UnprocessedTraceIds"] == ["1-00000000-000000000000000000000000"]
    origins = [json.loads(segment["Document"]).get("origin") for segment in trace["Segments"]]
    assert origins == ["AWS::ApiGateway::Stage", "AWS::Lambda", "AWS::Lambda::Function", "AWS::DynamoDB::Table"]


def test_a_flag_that_is_false_is_no_fault(aws: LocalAws) -> None:
    world = World(aws, NOW)
    document = {"id": "a" * 16, "trace_id": world.place(world.ago(minutes=1)).trace_id, "name": "app", "fault": False}
    start = world.ago(minutes=1).timestamp()
    visitor(aws, "xray").put_trace_segments(
        TraceSegmentDocuments=[json.dumps({**document, "start_time": start, "end_time": start + 1})]
    )

    assert [summary["HasFault"] for summary in summaries(world)] == [False]


def test_six_trace_ids_are_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as error:
        visitor(aws, "xray").batch_get_traces(TraceIds=[f"1-0000000{n}-000000000000000000000000" for n in range(6)])

    assert code_of(error) == (400, "InvalidRequestException")


def test_sent_documents_stay_as_they_are_and_lone_subsegments_go_under_their_parents(aws: LocalAws) -> None:
    place = Place(World(aws, NOW).ids, "1-5f84c7a5-e7d1852db8c4fd35d88bf49a", aws.region, aws.account)
    parent = (
        '{"id": "aaaaaaaaaaaaaaaa",  "name":"app","start_time":1.5,"end_time":2.5,"trace_id":"' + place.trace_id + '"}'
    )
    other = parent.replace("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb")
    child = {
        "id": "cccccccccccccccc",
        "type": "subsegment",
        "parent_id": "aaaaaaaaaaaaaaaa",
        "name": "call",
        "trace_id": place.trace_id,
        "start_time": 1.6,
        "end_time": 3.5,
    }
    xray = visitor(aws, "xray")
    unprocessed = xray.put_trace_segments(TraceSegmentDocuments=[parent, other, json.dumps(child), "{}"])[
        "UnprocessedTraceSegments"
    ]
    (trace,) = xray.batch_get_traces(TraceIds=[place.trace_id])["Traces"]
    documents = {segment["Id"]: segment["Document"] for segment in trace["Segments"]}

    assert len(unprocessed) == 1
    assert documents["bbbbbbbbbbbbbbbb"] == other
    assert json.loads(documents["aaaaaaaaaaaaaaaa"])["subsegments"] == [child]
    assert trace["Duration"] == 2.0


def test_a_traced_throttle_of_dynamodb_has_its_type_in_the_cause_only(world: World) -> None:
    trace_id = sent(world, world.ago(minutes=3), failing=True)
    (trace,) = visitor(world.aws, "xray").batch_get_traces(TraceIds=[trace_id])["Traces"]
    function = json.loads(trace["Segments"][2]["Document"])
    call = next(phase for phase in function["subsegments"] if phase["name"] == "Invocation")["subsegments"][0]

    assert (call["http"]["response"]["status"], call["error"], call["fault"], call.get("throttle")) == (
        400,
        True,
        True,
        None,
    )
    assert call["cause"]["exceptions"][0]["type"] == "ProvisionedThroughputExceededException"


# --- IAM, DynamoDB, Application Auto Scaling


def test_policies_are_simulated(world: World) -> None:
    table = world.arn("dynamodb", "table/orders")
    role = resources.role(
        world,
        "r",
        allow("dynamodb:Get*", table),
        allow("s3:GetObject", "*", StringEquals={"aws:PrincipalTag/team": "web"}),
        allow("sqs:*"),
        allow("sqs:DeleteQueue", effect="Deny"),
    )
    asked = ["dynamodb:getitem", "dynamodb:PutItem", "s3:GetObject", "sqs:SendMessage", "sqs:DeleteQueue"]
    results = visitor(world.aws, "iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=asked, ResourceArns=[table]
    )["EvaluationResults"]

    assert [result["EvalDecision"] for result in results] == [
        "allowed",
        "implicitDeny",
        "implicitDeny",
        "allowed",
        "explicitDeny",
    ]
    assert results[2]["MissingContextValues"] == ["aws:PrincipalTag/team"]
    assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "role_r_r-policy"


def test_a_permissions_boundary_limits_the_simulation(world: World) -> None:
    iam = world.client("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=resources.policy_document(allow("sqs:*")))["Policy"][
        "Arn"
    ]
    role = resources.role(world, "r", allow("*"), boundary=boundary)
    results = visitor(world.aws, "iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=["sqs:SendMessage", "s3:GetObject"]
    )["EvaluationResults"]

    assert [r["EvalDecision"] for r in results] == ["allowed", "implicitDeny"]
    assert [r["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] for r in results] == [True, False]


def test_simulating_a_role_that_does_not_exist_says_so(aws: LocalAws) -> None:
    iam = visitor(aws, "iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/nope", ActionNames=["sqs:SendMessage"]
        )


def test_contributor_insights_are_disabled_until_seeded(world: World) -> None:
    resources.table(world, "orders")
    dynamodb = visitor(world.aws, "dynamodb")

    assert dynamodb.describe_contributor_insights(TableName="orders")["ContributorInsightsStatus"] == "DISABLED"
    world.seeds.contributor_insights["orders", ""] = {
        "TableName": "orders",
        "ContributorInsightsStatus": "ENABLED",
        "LastUpdateDateTime": NOW,
    }
    assert dynamodb.describe_contributor_insights(TableName="orders")["LastUpdateDateTime"] == NOW
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.describe_contributor_insights(TableName="nope")


def test_scaling_activities_are_listed_by_resource_newest_first(world: World) -> None:
    same = {
        "ServiceNamespace": "dynamodb",
        "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
        "Description": "d",
        "Cause": "c",
        "StatusCode": "Failed",
    }
    for number, table in enumerate(["orders", "orders", "other"]):
        world.seeds.scaling_activities.append(
            {
                **same,
                "ActivityId": str(number),
                "ResourceId": f"table/{table}",
                "StartTime": world.ago(minutes=10 - number),
            }
        )
    found = visitor(world.aws, "application-autoscaling").describe_scaling_activities(
        ServiceNamespace="dynamodb", ResourceId="table/orders"
    )["ScalingActivities"]

    assert [activity["ActivityId"] for activity in found] == ["1", "0"]


# --- faults


def raised(aws: LocalAws, fault: faults.Fault, service: str, operation: str, **given: Any) -> tuple[int, str]:
    aws.inject("*", "*", fault)
    with pytest.raises(ClientError) as error:
        getattr(visitor(aws, service), operation)(**given)
    return code_of(error)


@pytest.mark.parametrize(
    ("service", "operation", "denied", "throttled", "broken", "expired"),
    [
        (
            "dynamodb",
            "list_tables",
            (400, "AccessDeniedException"),
            (400, "ThrottlingException"),
            (500, "InternalServerError"),
            (400, "ExpiredTokenException"),
        ),
        (
            "lambda",
            "list_functions",
            (403, "AccessDeniedException"),
            (429, "TooManyRequestsException"),
            (500, "ServiceException"),
            (403, "ExpiredTokenException"),
        ),
        (
            "iam",
            "list_roles",
            (403, "AccessDenied"),
            (400, "Throttling"),
            (500, "InternalFailure"),
            (403, "ExpiredToken"),
        ),
        (
            "sns",
            "list_topics",
            (403, "AuthorizationError"),
            (400, "Throttling"),
            (500, "InternalFailure"),
            (403, "ExpiredToken"),
        ),
        (
            "sqs",
            "list_queues",
            (403, "AccessDenied"),
            (400, "ThrottlingException"),
            (500, "InternalServerError"),
            (400, "ExpiredTokenException"),
        ),
        (
            "ec2",
            "describe_vpcs",
            (403, "UnauthorizedOperation"),
            (503, "RequestLimitExceeded"),
            (500, "InternalError"),
            (400, "RequestExpired"),
        ),
        ("s3", "list_buckets", (403, "AccessDenied"), (503, "SlowDown"), (500, "InternalError"), (400, "ExpiredToken")),
        (
            "xray",
            "get_groups",
            (403, "AccessDeniedException"),
            (429, "ThrottledException"),
            (500, "ServiceException"),
            (403, "ExpiredTokenException"),
        ),
    ],
)
def test_error_faults_have_the_shape_of_their_protocol(
    running: LocalAws, service: str, operation: str, denied: object, throttled: object, broken: object, expired: object
) -> None:
    kinds = (faults.ACCESS_DENIED, faults.THROTTLED, faults.SERVER_ERROR, faults.EXPIRED_TOKEN)
    seen = []
    for fault in kinds:
        running.clear_faults()
        seen.append(raised(running, fault, service, operation))
    running.clear_faults()

    assert seen == [denied, throttled, broken, expired]


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("lambda", "list_functions", "lambda:ListFunctions"),
        ("stepfunctions", "list_state_machines", "states:ListStateMachines"),
        ("apigateway", "get_rest_apis", "apigateway:GET"),
    ],
)
def test_access_denied_names_the_iam_action(aws: LocalAws, service: str, operation: str, action: str) -> None:
    aws.inject(service, "*", faults.ACCESS_DENIED)
    with pytest.raises(ClientError, match=f"is not authorized to perform: {action} because"):
        getattr(visitor(aws, service), operation)()


def test_a_fault_hits_only_its_operation_parameters_and_times(world: World) -> None:
    resources.table(world, "a")
    resources.table(world, "b")
    world.aws.inject("dynamodb", "DescribeTable", faults.THROTTLED, times=1, when={"TableName": "a"})
    dynamodb = visitor(world.aws, "dynamodb")
    dynamodb.list_tables()
    dynamodb.describe_table(TableName="b")
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.describe_table(TableName="a")

    assert dynamodb.describe_table(TableName="a")["Table"]["TableName"] == "a"


def test_a_dropped_connection_is_a_closed_connection_and_does_nothing(aws: LocalAws) -> None:
    aws.inject("sqs", "CreateQueue", faults.DROPPED, times=1)
    sqs = visitor(aws, "sqs")
    with pytest.raises(ConnectionClosedError):
        sqs.create_queue(QueueName="q")

    assert "QueueUrls" not in sqs.list_queues()


def test_a_hanging_call_ends_by_the_clients_own_time_limit(aws: LocalAws) -> None:
    aws.inject("dynamodb", "ListTables", faults.HANG, times=1)
    with pytest.raises(ReadTimeoutError):
        visitor(aws, "dynamodb", read_timeout=0.3).list_tables()


def test_every_call_can_be_slow(aws: LocalAws) -> None:
    aws.inject("*", "*", faults.delay(0.2))
    dynamodb = visitor(aws, "dynamodb")
    began = time.perf_counter()
    dynamodb.list_tables()
    slow = time.perf_counter() - began
    aws.clear_faults()
    began = time.perf_counter()
    dynamodb.list_tables()
    fast = time.perf_counter() - began

    assert slow >= 0.2
    assert fast < 0.2


def test_seeding_passes_through_faults(aws: LocalAws) -> None:
    aws.inject("*", "*", faults.ACCESS_DENIED)
    aws.client("sqs").create_queue(QueueName="q")
    aws.clear_faults()

    assert len(visitor(aws, "sqs").list_queues()["QueueUrls"]) == 1


# --- the seeded incidents


@pytest.fixture
def throttling(aws: LocalAws) -> Incident:
    return orders_throttling.seed(aws)


def test_an_incident_is_seeded_in_under_five_seconds_and_the_same_each_time(aws: LocalAws) -> None:
    began = time.perf_counter()
    first = orders_throttling.seed(aws, NOW)
    seconds = time.perf_counter() - began
    aws.reset()
    second = orders_throttling.seed(aws, NOW)

    assert seconds < 5
    assert second == first


def test_the_demo_s_table_was_cut_and_throttles_since(aws: LocalAws, throttling: Incident) -> None:
    assert throttling.since is not None
    throughput = visitor(aws, "dynamodb").describe_table(TableName="orders")["Table"]["ProvisionedThroughput"]
    metrics = (
        ("ProvisionedWriteCapacityUnits", "Average"),
        ("ConsumedWriteCapacityUnits", "Sum"),
        ("WriteThrottleEvents", "Sum"),
    )
    queries = [
        {
            "Id": f"m{n}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/DynamoDB",
                    "MetricName": name,
                    "Dimensions": [{"Name": "TableName", "Value": "orders"}],
                },
                "Period": 60,
                "Stat": stat,
            },
        }
        for n, (name, stat) in enumerate(metrics)
    ]
    answer = visitor(aws, "cloudwatch").get_metric_data(
        MetricDataQueries=queries,
        StartTime=throttling.now - timedelta(hours=4),
        EndTime=throttling.now,
        ScanBy="TimestampAscending",
    )
    provisioned, consumed, throttled = answer["MetricDataResults"]

    assert throughput["WriteCapacityUnits"] == 5
    assert provisioned["Values"][-7:] == [500, 5, 5, 5, 5, 5, 5]
    assert consumed["Values"][-4:] == [300] * 4
    assert min(consumed["Values"][:-4]) > 550
    assert len(consumed["Values"]) >= 239
    assert throttled["Timestamps"][0] == throttling.since
    assert len(throttled["Values"]) == 4


def test_the_demo_s_change_is_in_cloudtrail_among_others(aws: LocalAws, throttling: Incident) -> None:
    assert throttling.since is not None
    cloudtrail = visitor(aws, "cloudtrail")
    by_name = cloudtrail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "orders"}])[
        "Events"
    ]
    (cut,) = [event for event in by_name if event["ReadOnly"] == "false"]
    on_function = cloudtrail.lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "create-order"}]
    )["Events"]

    assert cut["EventId"] == throttling.expected.trigger_event
    assert (cut["EventName"], cut["Username"], cut["EventTime"]) == (
        "UpdateTable",
        "deploy-bot",
        throttling.since - timedelta(minutes=2),
    )
    assert json.loads(cut["CloudTrailEvent"])["requestParameters"]["provisionedThroughput"]["writeCapacityUnits"] == 5
    assert [throttling.now - event["EventTime"] >= timedelta(days=9) for event in on_function] == [True]
    assert len(cloudtrail.lookup_events()["Events"]) == 5
    everywhere = visitor(aws, "cloudtrail", region="us-east-1").lookup_events()["Events"]
    assert [event["EventSource"] for event in everywhere] == ["iam.amazonaws.com"]


def test_the_demo_s_trace_fails_at_the_table_and_reads_inventory_well(aws: LocalAws, throttling: Incident) -> None:
    (trace,) = visitor(aws, "xray").batch_get_traces(TraceIds=[throttling.trace_id])["Traces"]
    documents = [json.loads(segment["Document"]) for segment in trace["Segments"]]
    ends = {document["name"]: bool(document.get("fault")) for document in documents if document.get("inferred")}

    assert ends == {"inventory": False, "orders": True}
    assert documents[0]["http"]["response"]["status"] == 502


def test_the_demo_s_logs_show_the_exception_only_since_it_began(aws: LocalAws, throttling: Incident) -> None:
    assert throttling.since is not None
    events = visitor(aws, "logs").filter_log_events(
        logGroupName="/aws/lambda/create-order", filterPattern='"ProvisionedThroughputExceededException"'
    )["events"]

    assert len(events) > 5
    assert min(event["timestamp"] for event in events) >= throttling.since.timestamp() * 1000


def test_the_demo_s_permissions_are_in_order(aws: LocalAws, throttling: Incident) -> None:
    asked = {
        "PolicySourceArn": throttling.arns["create-order-role"],
        "ActionNames": ["dynamodb:PutItem"],
        "ResourceArns": [throttling.arns["orders"]],
    }

    assert visitor(aws, "iam").simulate_principal_policy(**asked)["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_the_demo_s_resources_exist_under_the_arns_it_names(aws: LocalAws, throttling: Incident) -> None:
    arns = throttling.arns
    functions = {f["FunctionArn"] for f in visitor(aws, "lambda").list_functions()["Functions"]}
    api = arns["orders-api"].rpartition("/")[2]

    assert functions == {arns["create-order"], arns["get-order"], arns["invoice-worker"]}
    assert visitor(aws, "apigateway").get_stage(restApiId=api, stageName="prod")["tracingEnabled"] is True
    assert visitor(aws, "dynamodb").describe_table(TableName="inventory")["Table"]["TableArn"] == arns["inventory"]
    assert set(throttling.innocents) | set(throttling.symptoms) | {throttling.root} == set(arns.values())


def test_a_healthy_system_has_no_failure_anywhere(aws: LocalAws) -> None:
    incident = healthy.seed(aws)
    world = World(aws, incident.now)
    events = visitor(aws, "logs").filter_log_events(logGroupName="/aws/lambda/create-order", filterPattern="ERROR")[
        "events"
    ]

    assert len(summaries(world)) >= 15
    assert summaries(world, "!ok") == []
    assert events == []
    assert not any(
        metric.name == "WriteThrottleEvents" and series.points for metric, series in aws.seeds().metrics.items()
    )
    assert incident.expected.cause is None


# --- the parts scenarios are built from


def test_resources_are_made_as_they_were_described(world: World) -> None:
    role = resources.role(world, "r", allow("sqs:*"), assumed_by="states.amazonaws.com")
    function = resources.function(world, "f", role=role, env={"A": "1"})
    dead = resources.queue(world, "dead")
    queue = resources.queue(world, "q", dead_letter=dead, max_receives=3)
    topic = resources.topic(world, "t", subscribers=[("sqs", queue)])
    bucket = resources.bucket(world, "a-bucket", policy=[{**allow("s3:*", effect="Deny"), "Principal": "*"}])
    rule = resources.rule(world, "nightly", [function], schedule="rate(1 day)", enabled=False)
    machine = resources.state_machine(
        world, "m", {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}, role=role
    )
    mapping = resources.event_source(world, "f", queue)
    api = resources.http_api(world, "h", [("GET", "/x", function)])
    client = lambda service: visitor(world.aws, service)  # noqa: E731
    redrive = json.loads(
        client("sqs").get_queue_attributes(QueueUrl=f"{world.aws.endpoint}/{world.account}/q", AttributeNames=["All"])[
            "Attributes"
        ]["RedrivePolicy"]
    )

    assert redrive == {"deadLetterTargetArn": dead, "maxReceiveCount": 3}
    assert client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["Endpoint"] == queue
    assert '"Deny"' in client("s3").get_bucket_policy(Bucket=bucket.rpartition(":")[2])["Policy"]
    assert client("events").describe_rule(Name="nightly")["Arn"] == rule
    assert client("events").describe_rule(Name="nightly")["State"] == "DISABLED"
    assert client("stepfunctions").describe_state_machine(stateMachineArn=machine)["roleArn"] == role
    assert client("lambda").get_event_source_mapping(UUID=mapping)["EventSourceArn"] == queue
    assert client("apigatewayv2").get_routes(ApiId=api.rpartition("/")[2])["Items"][0]["RouteKey"] == "GET /x"


def test_state_machines_run_when_started(world: World) -> None:
    fails = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "PaymentRejected", "Cause": "card declined"}}}
    machine = resources.state_machine(
        world, "m", fails, role=resources.role(world, "r", assumed_by="states.amazonaws.com")
    )
    execution = world.client("stepfunctions").start_execution(stateMachineArn=machine)["executionArn"]
    stepfunctions = visitor(world.aws, "stepfunctions")
    until = time.monotonic() + 5
    while (told := stepfunctions.describe_execution(executionArn=execution))[
        "status"
    ] == "RUNNING" and time.monotonic() < until:
        time.sleep(0.02)

    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "PaymentRejected", "card declined")


CALLS = [
    ("answers", {"status": 200}, set()),
    ("refuses", {"status": 403}, {"error"}),
    ("limits", {"status": 429}, {"error", "throttle"}),
    ("breaks", {"status": 503}, {"fault"}),
    ("times out", {"status": None, "cause": {"exceptions": []}}, {"fault"}),
]


@pytest.mark.parametrize(("_what", "ending", "marks"), CALLS, ids=[row[0] for row in CALLS])
def test_a_call_outside_aws_is_flagged_by_its_status(
    world: World, _what: str, ending: dict[str, Any], marks: set[str]
) -> None:
    call = subsegments.http_call(world.ids, "POST", "https://api.example.com/v1/charges", 1.0, 0.5, **ending)

    assert (call["name"], call["namespace"]) == ("api.example.com", "remote")
    assert {flag for flag in ("error", "fault", "throttle") if call.get(flag)} == marks


def test_a_pending_call_makes_its_trace_partial(world: World) -> None:
    place, start = world.place(world.ago(minutes=2)), world.ago(minutes=2).timestamp()
    call = subsegments.s3_call(place.ids, "GetObject", "b", "k", start, None, region=world.region, status=None)
    signals.trace(world, segments.lambda_segments(place, "f", None, start, 3.0, calls=[call], init_seconds=0.4))
    (summary,) = summaries(world)

    assert summary["IsPartial"] is True


def test_a_step_fails_with_the_call_in_it(world: World) -> None:
    place, start = world.place(world.ago(minutes=2)), world.ago(minutes=2).timestamp()
    call = subsegments.lambda_call(place.ids, "charge", start, 0.2, region=world.region, status=500)
    steps = [
        subsegments.subsegment(place.ids, "Charge", start, 0.3, calls=[call]),
        subsegments.subsegment(place.ids, "Wait", start, 0.1),
    ]
    execution = segments.state_machine_segment(place, "checkout", "run-1", start, 0.5, states=steps, failed=True)
    trace_id = signals.trace(world, [execution], over_limit=True)
    (trace,) = visitor(world.aws, "xray").batch_get_traces(TraceIds=[trace_id])["Traces"]
    document = json.loads(trace["Segments"][0]["Document"])

    assert [bool(step.get("fault")) for step in document["subsegments"]] == [True, False]
    assert document["resource_arn"] == world.arn("states", "stateMachine:checkout")
    assert trace["LimitExceeded"] is True


def test_a_throttled_invocation_never_reached_the_function(world: World) -> None:
    (service,) = segments.lambda_segments(world.place(NOW), "f", None, NOW.timestamp(), 0.01, status=429)

    assert (service["origin"], service["throttle"], service.get("fault")) == ("AWS::Lambda", True, None)


def test_ids_are_the_same_for_the_same_seed(aws: LocalAws) -> None:
    one, two, three = (World(aws, NOW, seed=seed).place(NOW) for seed in ("a", "a", "b"))

    assert one.trace_id == two.trace_id != three.trace_id
    assert one.trace_id.split("-")[1] == f"{int(NOW.timestamp()):08x}"
