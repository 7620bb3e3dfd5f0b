"""What each look of the Lambda specialist brings: over HTTP against moto, and against the local AWS where moto is silent."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from domain.evidence import Evidence, load_evidence
from sandbox.aws import LocalAws
from sandbox.aws.faults import ACCESS_DENIED, Ending, Fault
from specialists.awslambda import SPECIALIST
from specialists.awslambda.evidence import (
    AccountLimits,
    Alias,
    Aliases,
    AsyncSettings,
    EventSources,
    FunctionConfiguration,
    FunctionMissing,
    InvocationReports,
    LogGroup,
    Mapping,
    ProvisionedConfigs,
    ReservedConcurrency,
    ResourcePolicy,
    Versions,
)
from specialists.kit.change import Change
from specialists.kit.changes import flatten
from specialists.kit.key import KeyState
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from tests.specialists.awslambda_building import FN, GROUP, REQUEST, STREAM, config, minute, report, segment
from tests.support.probing import WINDOW, look_with

PROBES = {probe.name: probe for probe in SPECIALIST.probes}
LIVE = f"{FN}:live"


def look(name: str, arn: str = FN, **seen: Any) -> list[Evidence]:
    """Run a probe; what it brings must survive being stored."""
    found = look_with(PROBES[name], arn, **seen)
    assert [load_evidence(json.loads(json.dumps(e.dump()))) for e in found] == found
    assert all(e.summary() and "\n" not in e.summary() for e in found)

    return found


def one(name: str, kind: type, **how: Any) -> Any:
    (found,) = [e for e in look(name, **how) if isinstance(e, kind)]
    return found


@pytest.fixture
def function(moto_url: str) -> Any:
    """The function as a client sees it, with an alias `live` that sends 10 % to version 2."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...")
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    role = boto3.client("iam").create_role(RoleName="orders-role", AssumeRolePolicyDocument=json.dumps(trust))["Role"][
        "Arn"
    ]
    client = boto3.client("lambda")
    client.create_function(
        FunctionName="orders-fn",
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=7,
        MemorySize=256,
        Environment={"Variables": {"TABLE_NAME": "top-secret-value"}},
        Publish=True,
    )
    client.publish_version(FunctionName="orders-fn")
    client.create_alias(
        FunctionName="orders-fn",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    return client


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def local(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return _local


def test_the_configuration_holds_names_of_variables_and_never_their_values(function):
    found = one("configuration", FunctionConfiguration)

    assert (found.runtime, found.timeout_seconds, found.memory_mb, found.state.state) == (
        "python3.12",
        7,
        256,
        "Active",
    )
    assert found.env_names == ("TABLE_NAME",)
    assert found.log_group == GROUP
    assert "top-secret-value" not in json.dumps(found.dump())


def test_a_function_that_does_not_exist_is_evidence_for_every_look_that_asks(moto_url):
    for name in ("configuration", "reserved_concurrency", "aliases"):
        assert isinstance(look(name)[0], FunctionMissing), name


def test_the_called_alias_shows_the_version_behind_it(function):
    found = one("called_version", FunctionConfiguration, arn=LIVE)

    assert (found.qualifier, found.version) == ("live", "1")
    assert look("called_version") == []


def test_a_called_alias_that_does_not_exist_is_evidence(local):
    gone = Fault(
        Ending.ERROR, codes={"rest-json": (404, "ResourceNotFoundException")}, message="Function not found: x:live"
    )
    local.inject("lambda", "GetFunctionConfiguration", gone)
    found = one("called_version", FunctionMissing, arn=LIVE)

    assert found.qualifier == "live"


def test_states_and_reasons_are_read(local):
    answer = {
        "FunctionName": "orders-fn",
        "State": "Failed",
        "StateReasonCode": "InvalidSubnet",
        "StateReason": "gone",
        "LastUpdateStatus": "Failed",
        "LastUpdateStatusReasonCode": "EniLimitExceeded",
        "LastModified": "2026-11-11T10:00:00.000+0000",
        "KMSKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/k",
        "Environment": {"Error": {"ErrorCode": "KMSAccessDeniedException", "Message": "no"}},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:123456789012:dlq"},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/shop/fn"},
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
    }
    local.serve("lambda", "GetFunctionConfiguration", answer)
    found = one("configuration", FunctionConfiguration)

    assert str(found.state) == "Failed (InvalidSubnet: gone)"
    assert found.last_update.reason_code == "EniLimitExceeded"
    assert found.env_error is not None
    assert found.env_error.code == "KMSAccessDeniedException"
    assert (found.log_group, found.log_format, found.dlq_arn[-3:], found.subnet_ids) == (
        "/shop/fn",
        "JSON",
        "dlq",
        ("subnet-1",),
    )
    assert found.last_modified is not None


def test_reserved_concurrency_is_none_until_it_is_set(function):
    assert one("reserved_concurrency", ReservedConcurrency).reserved is None

    function.put_function_concurrency(FunctionName="orders-fn", ReservedConcurrentExecutions=0)

    assert one("reserved_concurrency", ReservedConcurrency).reserved == 0


def test_account_limits_are_read(local):
    limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900, "TotalCodeSize": 80_000_000_000}
    local.serve(
        "lambda",
        "GetAccountSettings",
        {"AccountLimit": limit, "AccountUsage": {"TotalCodeSize": 5, "FunctionCount": 1}},
    )
    found = one("account_limits", AccountLimits)

    assert (found.concurrent_executions, found.unreserved_concurrent_executions, found.code_bytes_used) == (
        1000,
        900,
        5,
    )


def test_aliases_and_versions_are_read(function):
    assert one("aliases", Aliases).aliases == (Alias(name="live", version="1", weights={"2": 0.1}),)
    assert [v.version for v in one("versions", Versions).versions][:2] == ["$LATEST", "1"]


def test_provisioned_concurrency_is_read(local):
    item = {
        "FunctionArn": LIVE,
        "RequestedProvisionedConcurrentExecutions": 5,
        "AvailableProvisionedConcurrentExecutions": 3,
        "Status": "READY",
    }
    local.serve("lambda", "ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": [item]})
    (found,) = one("provisioned_concurrency", ProvisionedConfigs).configs

    assert (found.qualifier, found.requested, found.available) == ("live", 5, 3)


def test_the_key_of_the_environment_is_looked_up(moto_url):
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    gone = key["Arn"][:-4] + "0000"

    assert look("environment_key", seen=[config()]) == []
    assert one("environment_key", KeyState, seen=[config(kms_key_arn=key["Arn"])]).state == "PendingDeletion"
    assert one("environment_key", KeyState, seen=[config(kms_key_arn=gone)]).exists is False


def test_event_source_mappings_are_read(function):
    queue = boto3.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    function.create_event_source_mapping(
        FunctionName="orders-fn",
        EventSourceArn=arn,
        Enabled=False,
        FilterCriteria={"Filters": [{"Pattern": '{"body":{"x":[1]}}'}]},
    )
    (found,) = one("event_sources", EventSources).mappings

    (hidden,) = look("source_queues", seen=[one("event_sources", EventSources)])

    assert (found.source_name, found.service, found.enabled) == ("orders", "sqs", False)
    assert (hidden.queue, hidden.visibility_seconds) == (arn, 30)
    assert found.filters == ('{"body":{"x":[1]}}',)


def test_a_function_without_mappings_or_policy_or_async_settings_says_so(function):
    assert one("event_sources", EventSources).mappings == ()
    assert one("resource_policy", ResourcePolicy).grants == ()
    assert one("async_settings", AsyncSettings).configured is False


def test_the_resource_policy_is_read_into_grants(function):
    function.add_permission(
        FunctionName="orders-fn",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::uploads",
    )
    found = one("resource_policy", ResourcePolicy)

    assert found.allows("s3.amazonaws.com")
    assert not found.allows("sns.amazonaws.com")
    assert found.grants[0].sources == ("arn:aws:s3:::uploads",)


@pytest.mark.parametrize("policy", ["{not json", "[]", '{"Statement": 7}', '{"Statement": [{"Principal": null}, "x"]}'])
def test_a_strange_policy_is_evidence_and_not_a_crash(local, policy):
    local.serve("lambda", "GetPolicy", {"Policy": policy})
    found = one("resource_policy", ResourcePolicy)

    assert not found.allows("s3.amazonaws.com")
    assert found.readable is policy.startswith('{"')


def test_async_settings_are_read(function):
    function.put_function_event_invoke_config(
        FunctionName="orders-fn", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
    )
    found = one("async_settings", AsyncSettings)

    assert (found.configured, found.retries, found.max_age_seconds) == (True, 0, 60)


def put(name: str, dimensions: dict[str, str], value: float, namespace: str = "AWS/Lambda") -> None:
    where = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    data = {"MetricName": name, "Dimensions": where, "Timestamp": minute(5), "Value": value}
    boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])


def points(found: list[Evidence], name: str) -> list[float]:
    return [
        p.value for s in found if isinstance(s, MetricSeries) and s.metric == name and s.dimensions for p in s.points
    ]


def test_the_functions_metrics_are_read_in_one_call(local):
    put("Errors", {"FunctionName": "orders-fn"}, 4)
    local.forget_calls()
    found = look("metrics")

    assert points(found, "Errors") == [4]
    assert points(found, "Throttles") == []
    assert [c.operation for c in local.calls] == ["GetMetricData"]


def test_metrics_by_version_are_read_only_for_a_divided_alias(local):
    where = {"FunctionName": "orders-fn", "Resource": "orders-fn:live", "ExecutedVersion": "2"}
    put("Errors", where, 9)
    divided = Aliases(
        resource=FN, source="lambda:ListAliases", aliases=(Alias(name="live", version="1", weights={"2": 0.1}),)
    )
    whole = Aliases(resource=FN, source="lambda:ListAliases", aliases=(Alias(name="live", version="1"),))

    assert points(look("version_metrics", seen=[divided]), "Errors") == [9]
    assert look("version_metrics", seen=[whole]) == []


def test_metrics_of_what_feeds_the_function_are_read(local):
    put("IncomingRecords", {"StreamName": "clicks"}, 70, "AWS/Kinesis")
    mapping = Mapping(uuid="u", source_arn=STREAM)
    fed = EventSources(resource=FN, source="lambda:ListEventSourceMappings", mappings=(mapping,))

    assert points(look("source_metrics", seen=[fed]), "IncomingRecords") == [70]


def write(*lines: str, group: str = GROUP) -> None:
    client = boto3.client("logs")
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="s1")
    at = int(minute(5).timestamp() * 1000)
    events = [{"timestamp": at + n, "message": line} for n, line in enumerate(lines)]
    client.put_log_events(logGroupName=group, logStreamName="s1", logEvents=events)


ORDINARY = f"START RequestId: {REQUEST} Version: $LATEST"
FAILED = "[ERROR] KeyError: 'TABLE_NAME'\rTraceback (most recent call last):"


def test_error_lines_leave_out_what_is_no_error(local):
    write(ORDINARY, FAILED, "[INFO] 0 errors", report())
    found = one("error_lines", LogLines)

    assert [e.message for e in found.events] == [FAILED]
    assert one("error_lines", LogGroup).exists


def test_a_missing_log_group_is_evidence(local):
    for name in ("error_lines", "invocation_reports"):
        assert [e.exists for e in look(name) if isinstance(e, LogGroup)] == [False], name


def test_reports_are_read_from_the_log(local):
    write(ORDINARY, report(ms=40), FAILED)

    assert [r.duration_ms for r in one("invocation_reports", InvocationReports).reports] == [40]


def test_the_traced_requests_lines_and_report_are_read(local):
    write(ORDINARY, "another request", report(ms=40), report(ms=50, request="0" * 8 + REQUEST[8:]))
    found = look("request_lines", seen=[segment()])

    assert [len(e.events) for e in found if isinstance(e, LogLines)] == [2]
    assert [[r.duration_ms for r in e.reports] for e in found if isinstance(e, InvocationReports)] == [[40]]


def test_a_log_group_of_another_name_is_read_as_well(local):
    write(FAILED, group="/shop/fn")
    found = look("own_log_group", seen=[config(log_group="/shop/fn"), segment()])

    assert any(isinstance(e, LogLines) and e.log_group == "/shop/fn" and e.events for e in found)
    assert look("own_log_group", seen=[config()]) == []


def test_changes_are_read_with_what_aws_said_to_refused_ones(local):
    record = {
        "errorCode": "InvalidParameterValueException",
        "errorMessage": "too large",
        "requestParameters": {"timeout": 3},
    }
    event = {
        "EventId": "e1",
        "EventName": "UpdateFunctionConfiguration20150331v2",
        "EventTime": WINDOW.start - timedelta(minutes=5),
        "EventSource": "lambda.amazonaws.com",
        "Username": "deploy-bot",
        "CloudTrailEvent": json.dumps(record),
    }
    local.serve("cloudtrail", "LookupEvents", {"Events": [event]})
    found = one("recent_changes", Change)

    assert (found.who, found.parameters, found.error_message) == ("deploy-bot", {"timeout": "3"}, "too large")


def test_parameters_that_cloudtrail_leaves_empty_are_still_named():
    assert flatten({"functionName": "f", "environment": {}}) == {"functionName": "f", "environment": "{}"}
    assert flatten({}) == {}


def test_changes_of_a_mapping_are_looked_up_only_when_it_is_off(local):
    local.serve("cloudtrail", "LookupEvents", {"Events": []})

    def fed(state: str) -> EventSources:
        mapping = Mapping(uuid="u-1", source_arn=STREAM, state=state)
        return EventSources(resource=FN, source="lambda:ListEventSourceMappings", mappings=(mapping,))

    for state, asked in (("Enabled", 0), ("Disabled", 1)):
        local.forget_calls()
        look("mapping_changes", seen=[fed(state)])

        assert len(local.calls) == asked


def test_a_refused_look_is_raised_and_not_taken_for_absence(local):
    local.inject("lambda", "*", ACCESS_DENIED)
    for name in (
        "configuration",
        "reserved_concurrency",
        "event_sources",
        "resource_policy",
        "async_settings",
        "aliases",
    ):
        with pytest.raises(ClientError):
            look(name)
