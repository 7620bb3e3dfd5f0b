"""What other producers write: OpenTelemetry's spans by way of the collector, and the names of older SDKs."""

from typing import Any

import pytest

from domain.trace import TraceCall
from orchestrator.trace.spans import service_of
from tests.support.traces import (
    REGION,
    arn,
    call,
    calls,
    document,
    edges,
    function,
    nodes,
    origins,
    put_item,
    raised,
    read,
    segments,
)

TABLE, QUEUE, BUCKET = arn("dynamodb", "table/orders"), arn("sqs", "orders"), "arn:aws:s3:::orders"
URL = f"https://sqs.{REGION}.amazonaws.com/123456789012/orders"
TRIED = {"type": "aws.http.error.event", "message": "500@1795169000.1@InternalServerError"}


def span(name: str, told: dict[str, Any], *inside: Any, annotated: bool = False, **fields: Any) -> dict[str, Any]:
    """A call of an SDK as the collector's exporter writes it; `told` are the span's other attributes."""
    kept = {"annotations": told} if annotated else {"metadata": {"default": told}}
    return document(name, *inside, namespace="aws", **{"aws": {"operation": "Any", "region": REGION}, **kept, **fields})


def called(subsegment: dict[str, Any]) -> TraceCall:
    return calls(read(function("f", subsegment)))[0]


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("Amazon S3", "s3"),
        ("AmazonS3", "s3"),
        ("AWSLambda", "lambda"),
        ("AWSSecretsManager", "secretsmanager"),
        ("AWS::SQS", "sqs"),
        ("AWS.SDK.Sns", "sns"),
        ("Amazon.DynamoDBv2", "dynamodb"),
        ("AWSSimpleSystemsManagement", "ssm"),
        ("SimpleNotificationService", "sns"),
        ("CloudWatchLogs", ""),
        ("amazon-s3", ""),
        ("orders", ""),
        ("aws", ""),
        ("", ""),
    ],
)
def test_a_service_is_known_by_the_names_of_every_producer(name: str, service: str) -> None:
    assert service_of(name) == service


@pytest.mark.parametrize(
    ("name", "told", "resource"),
    [
        ("DynamoDB", {"aws.dynamodb.table_names": ["orders"]}, TABLE),
        ("DynamoDB", {"aws.dynamodb.table_names": ["orders", "users"]}, "aws:DynamoDB"),
        ("orders", {"rpc.service": "DynamoDB", "db.system": "dynamodb", "db.name": "orders"}, TABLE),
        ("events", {"rpc.service": "DynamoDB", "db.system": "dynamodb", "db.name": "events"}, arn("dynamodb", "table/events")),
        ("orders", {"rpc.service": "DynamoDB"}, "aws:DynamoDB"),
        ("orders", {"db.system": "postgresql", "db.name": "orders"}, "aws:orders"),
        ("Sqs", {"aws.sqs.queue.url": URL}, QUEUE),
        ("SQS", {"messaging.url": URL}, QUEUE),
        ("Sns", {"aws.sns.topic.arn": arn("sns", "alerts")}, arn("sns", "alerts")),
        ("SNS", {"messaging.destination.name": arn("sns", "alerts")}, arn("sns", "alerts")),
        ("SNS", {"messaging.destination.name": "+41791234567"}, "aws:SNS"),
        ("S3", {"aws.s3.bucket": "orders", "aws.s3.key": "a/b.pdf"}, BUCKET),
        ("Lambda", {"faas.invoked_name": "g"}, arn("lambda", "function:g")),
        ("Sfn", {"aws.step_functions.state_machine.arn": arn("states", "stateMachine:m")}, arn("states", "stateMachine:m")),
        ("S3", {"aws.remote.resource.type": "AWS::S3::Bucket", "aws.remote.resource.identifier": "orders"}, BUCKET),
        ("S3", {"aws.remote.resource.type": "AWS::SQS::Queue", "aws.remote.resource.identifier": "orders"}, "aws:S3"),
        ("S3", {"aws.s3.bucket": 7, "rpc.service": ["S3"]}, "aws:S3"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("annotated", [False, True])
def test_a_span_names_what_it_called_in_its_attributes(
    name: str, told: dict[str, Any], resource: str, annotated: bool
) -> None:
    assert called(span(name, told, annotated=annotated)).resource == resource


def test_an_annotation_may_have_lost_its_dots() -> None:
    assert called(span("S3", {"aws_s3_bucket": "orders"}, annotated=True)).resource == BUCKET


def test_the_aws_block_comes_before_the_attributes() -> None:
    aws = {"table_name": "orders", "region": REGION}

    assert called(span("DynamoDB", {"aws.dynamodb.table_names": ["other"]}, aws=aws)).resource == TABLE


def test_a_span_named_after_its_table_is_a_call_of_its_service() -> None:
    found = called(span("orders", {"rpc.service": "DynamoDB", "rpc.method": "PutItem"}, aws={}))

    assert (found.service, found.operation) == ("DynamoDB", "PutItem")


def test_the_key_of_an_object_is_an_attribute_of_the_call() -> None:
    assert called(span("S3", {"aws.s3.bucket": "orders", "aws.s3.key": "a/b.pdf"})).attributes["key"] == "a/b.pdf"


@pytest.mark.parametrize(("status", "error"), [(400, True), (None, False)])
def test_the_http_request_of_an_sdks_call_is_not_another_call(status: int | None, error: bool) -> None:
    response = {} if status is None else {"response": {"status": status}}
    lost = raised("Error", "socket hang up") if status is None else {}
    host = f"dynamodb.{REGION}.amazonaws.com"
    request = document(host, namespace="remote", http=response, error=error, fault=not error, cause=lost)
    refused = span("DynamoDB", {"db.name": "orders"}, request, aws={"table_name": "orders"}, error=True)
    reading = read(function("f", refused, fault=True))

    assert nodes(reading) == [TABLE, arn("lambda", "function:f")]
    assert origins(reading) == {TABLE}
    assert segments(reading)[0].errors == ()


def test_the_http_request_of_a_call_whose_caller_never_came_is_not_another_call() -> None:
    request = document("dynamodb.amazonaws.com", namespace="remote", http={"response": {"status": 400}}, error=True)
    lost = {**put_item(status=400, error=True, subsegments=[request]), "type": "subsegment", "parent_id": "9" * 16}

    assert nodes(read(lost)) == [TABLE]
    assert origins(read(lost)) == {TABLE}


def test_a_request_below_a_local_subsegment_stays_a_call() -> None:
    request = document("api.stripe.com", namespace="remote", http={"response": {"status": 500}}, fault=True)

    assert origins(read(function("f", document("## pay", request), fault=True))) == {"remote:api.stripe.com"}


def test_a_try_that_a_later_one_made_good_is_no_failure() -> None:
    found = called(put_item(cause={"exceptions": [TRIED, TRIED]}))

    assert (found.failed, found.origin, found.retries, found.errors) == (False, False, 2, ())


@pytest.mark.parametrize("fields", [{"status": 500, "fault": True}, {"status": None, "fault": True}, {"status": 503}])
def test_tries_that_all_failed_are_one(fields: dict[str, Any]) -> None:
    found = called(put_item(cause={"exceptions": [TRIED]}, **fields))

    assert found.failed
    assert found.errors


def test_what_single_tries_met_gives_way_to_what_was_raised_in_the_end() -> None:
    last = {"type": "ThrottlingException", "message": "slow down"}
    found = called(put_item(status=400, error=True, cause={"exceptions": [TRIED, TRIED, last]}))

    assert [e.type for e in found.errors] == ["ThrottlingException"]


def test_an_exception_of_an_answered_call_stays_a_failure() -> None:
    assert called(put_item(cause=raised("ValueError", "bad answer"))).failed


def test_a_handlers_own_segment_is_its_function() -> None:
    own = function("f")
    handler = document("f", put_item(), parent_id=own["id"])
    reading = read(own, handler)

    assert edges(reading) == [(arn("lambda", "function:f"), TABLE)]


def test_a_handlers_own_segment_may_name_its_function() -> None:
    told = {"default": {"cloud.resource_id": arn("lambda", "function:f:live")}}

    assert nodes(read(document("checkout", metadata=told))) == [arn("lambda", "function:f")]


def test_a_service_of_another_name_behind_a_function_is_not_the_function() -> None:
    own = function("f")

    assert nodes(read(own, document("billing", parent_id=own["id"]))) == [
        arn("lambda", "function:f"),
        "service:billing",
    ]


def test_a_service_that_a_function_called_is_not_the_function() -> None:
    sent = document("f", namespace="remote")

    assert "service:f" in nodes(read(function("f", sent), document("f", parent_id=sent["id"])))


def test_a_database_is_known_by_its_host_and_its_name_is_no_address() -> None:
    (found,) = calls(read(function("f", document("ledger@db.example.com", namespace="remote", sql={}))))

    assert (found.resource, found.service) == ("remote:db.example.com", "ledger at db.example.com")


def test_an_older_sdks_name_of_a_service_is_kept_as_it_is_written() -> None:
    found = called(call("Amazon S3", "GetObject", aws={"bucket_name": "orders"}))

    assert (found.resource, found.service) == (BUCKET, "Amazon S3")
