"""Which resource a segment and a call are: only what the document states, never a guess by a name."""

from typing import Any

import pytest

from domain.resource import ResourceType
from orchestrator.trace.naming import Home
from tests.support.traces import (
    HOME,
    REGION,
    arn,
    call,
    calls,
    document,
    edges,
    function,
    nodes,
    put_item,
    read,
    read_all,
)

TABLE, QUEUE = arn("dynamodb", "table/orders"), arn("sqs", "orders")


def called(subsegment: dict[str, Any], home: Home = HOME) -> str:
    return calls(read_all([function("f", subsegment)], home))[0].resource


@pytest.mark.parametrize(
    "name", ["DynamoDB", "dynamodb", "AmazonDynamoDBv2", "AmazonDynamoDB", "DynamoDBv2", "DynamoDb", "AWS::DynamoDB"]
)
def test_a_table_is_named_alike_by_every_sdk(name: str) -> None:
    assert called(call(name, "PutItem", aws={"table_name": "orders"})) == TABLE


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
        "https://eu-west-1.queue.amazonaws.com/123456789012/orders",
        "https://queue.amazonaws.com/123456789012/orders",
        "http://sqs.eu-west-1.localhost.localstack.cloud:4566/123456789012/orders",
        "http://localhost:4566/queue/eu-west-1/123456789012/orders",
        "http://127.0.0.1:46541/123456789012/orders/",
    ],
)
def test_a_queue_url_of_aws_and_of_emulators_is_the_queue(url: str) -> None:
    assert called(call("SQS", "SendMessage", aws={"queue_url": url})) == QUEUE


def test_a_queue_url_tells_its_own_account_and_region() -> None:
    url = "https://sqs.us-east-2.amazonaws.com/999999999999/orders.fifo"

    assert (
        called(call("SQS", "SendMessage", aws={"queue_url": url})) == "arn:aws:sqs:us-east-2:999999999999:orders.fifo"
    )


@pytest.mark.parametrize(
    "url", ["https://sqs.eu-west-1.amazonaws.com/", "http://[", "https://x/y/z", "://", "https://x/١٢٣٤٥٦٧٨٩٠١٢/q"]
)
def test_a_queue_url_without_account_and_name_names_no_queue(url: str) -> None:
    assert called(call("SQS", "SendMessage", aws={"queue_url": url})) == "aws:SQS"


@pytest.mark.parametrize(
    ("service", "aws", "resource"),
    [
        ("DynamoDB", {"table_name": TABLE}, TABLE),
        ("DynamoDB", {"table_name": f"{TABLE}/index/by-user"}, TABLE),
        ("DynamoDB", {"resource_names": ["orders"]}, TABLE),
        ("DynamoDB", {"table_names": ["orders"]}, TABLE),
        ("DynamoDB", {"table_names": ["orders", "orders"]}, TABLE),
        ("DynamoDB", {"table_names": ["orders", "users"]}, "aws:DynamoDB"),
        ("DynamoDB", {"resource_names": ["orders", "users"]}, "aws:DynamoDB"),
        ("DynamoDB", {"table_names": "orders"}, "aws:DynamoDB"),
        ("DynamoDB", {"table_name": "orders", "account_id": "999999999999"}, "arn:aws:dynamodb:eu-west-1:999999999999:table/orders"),
        ("DynamoDB", {"table_name": "orders", "region": "cn-north-1"}, "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/orders"),
        ("DynamoDB", {}, "aws:DynamoDB"),
        ("DynamoDB", {"table_name": "two words"}, "aws:DynamoDB"),
        ("DynamoDB", {"table_name": 7, "resource_names": "orders"}, "aws:DynamoDB"),
        ("S3", {"bucket_name": "invoices", "key": "2026/11/20.pdf"}, "arn:aws:s3:::invoices"),
        ("S3", {"bucket_name": "invoices", "region": "us-gov-west-1"}, "arn:aws-us-gov:s3:::invoices"),
        ("S3", {"bucket_name": "a b"}, "aws:S3"),
        ("S3", {"bucket_name": "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap"}, "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap"),
        ("Lambda", {"function_name": "g"}, arn("lambda", "function:g")),
        ("Lambda", {"function_name": "g:live"}, arn("lambda", "function:g")),
        ("Lambda", {"function_name": "999999999999:function:g"}, "arn:aws:lambda:eu-west-1:999999999999:function:g"),
        ("Lambda", {"function_name": arn("lambda", "function:g:7")}, arn("lambda", "function:g")),
        ("KMS", {"key_id": "alias/orders"}, arn("kms", "alias/orders")),
        ("Secrets Manager", {"secret_id": "orders"}, "AWS::SecretsManager::Secret:orders"),
        ("SNS", {"topic_arn": arn("sns", "alerts")}, arn("sns", "alerts")),
        ("StepFunctions", {"state_machine_arn": arn("states", "stateMachine:m")}, arn("states", "stateMachine:m")),
        ("CloudWatchLogs", {"log_group": "x"}, "aws:CloudWatchLogs"),
    ],
)  # fmt: skip
def test_a_call_goes_to_the_resource_that_its_aws_block_names(service: str, aws: dict[str, Any], resource: str) -> None:
    assert called(call(service, "Any", aws=aws)) == resource


@pytest.mark.parametrize(
    "name", ["lambda-proxy/prod", "api.stripe.com/v1", "dynamodb-cache.internal", "orders-table", "S3-mirror"]
)
def test_a_remote_call_never_becomes_an_aws_resource(name: str) -> None:
    assert called(document(name, namespace="remote")) == f"remote:{name}"


def test_a_remote_call_is_known_by_the_host_of_its_url() -> None:
    request = {"request": {"url": "https://api.stripe.com/v1/charges?x=1", "method": "POST"}}

    assert called(document("payments", namespace="remote", http=request)) == "remote:api.stripe.com"


@pytest.mark.parametrize("name", ["lambda-proxy/prod", "api.stripe.com/v1", "Lambda", "DynamoDB table"])
def test_a_segment_without_an_origin_is_a_plain_service(name: str) -> None:
    (node,) = read(document(name)).graph.nodes

    assert (node.type, node.name) == (ResourceType.SERVICE, name)


def test_names_keep_their_letters() -> None:
    assert nodes(read(document("zahlung-überprüfen 🧾"))) == ["service:zahlung-überprüfen 🧾"]


INTEGRATION = f"https://lambda.{REGION}.amazonaws.com/2015-03-31/functions/arn:aws:lambda:{REGION}:999999999999:function:create-order:live/invocations"


def stage(*inside: dict[str, Any], **fields: Any) -> dict[str, Any]:
    gateway = {"account_id": "123456789012", "rest_api_id": "a1b2c3", "stage": "prod"}
    return document(
        "shop/prod", *inside, origin="AWS::ApiGateway::Stage", **{"aws": {"api_gateway": gateway}, **fields}
    )


@pytest.mark.parametrize("fields", [{}, {"resource_arn": f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3/stages/prod"}])
def test_a_stage_calls_the_function_in_its_integrations_url(fields: dict[str, Any]) -> None:
    integration = document(
        "Lambda",
        namespace="aws",
        http={"request": {"url": INTEGRATION, "method": "POST"}, "response": {"status": 502}},
        aws={"function_name": "create-order", "operation": "Invoke"},
    )
    reading = read(stage(integration, **fields))

    api = f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3"
    target = f"arn:aws:lambda:{REGION}:999999999999:function:create-order"
    assert edges(reading) == [(api, target)]
    assert {n.id: (n.title, n.qualifiers) for n in reading.graph.nodes} == {
        api: ("shop", ("prod",)),
        target: ("create-order", ("live",)),
    }


def test_a_function_under_alias_and_version_is_one_node_with_qualifiers() -> None:
    one = document("f", origin="AWS::Lambda", resource_arn=arn("lambda", "function:f:live"))
    two = document("f", origin="AWS::Lambda::Function", aws={"function_arn": arn("lambda", "function:f:$LATEST")})
    (node,) = read(one, two).graph.nodes

    assert (node.id, node.qualifiers) == (arn("lambda", "function:f"), ("$LATEST", "live"))


def test_a_consumer_behind_a_topic_is_called_by_the_topic() -> None:
    publish = call("SNS", "Publish", aws={"topic_arn": arn("sns", "orders")})
    reading = read(function("sender", publish), function("consumer", parent_id=publish["id"]))

    topic, consumer = arn("sns", "orders"), arn("lambda", "function:consumer")
    assert edges(reading) == [(arn("lambda", "function:sender"), topic), (topic, consumer)]


def test_the_alias_that_a_caller_names_is_kept_beside_what_answered() -> None:
    callee = arn("lambda", "function:price")
    invoke = call("Lambda", "Invoke", aws={"function_name": f"{callee}:live"})
    answer = function("price", parent_id=invoke["id"])

    assert {n.id: n.qualifiers for n in read(function("f", invoke), answer).graph.nodes}[callee] == ("live",)


def test_the_answering_segment_says_whose_arn_it_is() -> None:
    invoke = call("Lambda", "Invoke", aws={"function_name": "g"})
    other = {"function_arn": "arn:aws:lambda:eu-west-1:999999999999:function:g"}
    reading = read(
        function("f", invoke), document("g", origin="AWS::Lambda::Function", aws=other, parent_id=invoke["id"])
    )

    assert edges(reading) == [(arn("lambda", "function:f"), "arn:aws:lambda:eu-west-1:999999999999:function:g")]


def test_a_segment_in_another_account_lends_it_to_its_calls() -> None:
    other = {"function_arn": "arn:aws:lambda:us-east-2:999999999999:function:g"}
    inside = document("DynamoDB", namespace="aws", aws={"operation": "GetItem", "table_name": "orders"})
    reading = read(document("g", inside, origin="AWS::Lambda::Function", aws=other))

    assert calls(reading)[0].resource == "arn:aws:dynamodb:us-east-2:999999999999:table/orders"


@pytest.mark.parametrize(
    ("origin", "name", "aws", "resource"),
    [
        ("AWS::DynamoDB::Table", "orders", {}, TABLE),
        ("AWS::SNS", "SNS", {"topic_arn": arn("sns", "alerts")}, arn("sns", "alerts")),
        ("AWS::SNS", "SNS", {}, "aws:SNS"),
        ("AWS::Lambda", "Lambda", {"operation": "GetFunction"}, "aws:Lambda"),
        ("AWS::Sfn", "Sfn", {}, "service:Sfn"),
    ],
)
def test_an_inferred_segment_without_its_caller_stands_for_itself(
    origin: str, name: str, aws: dict[str, Any], resource: str
) -> None:
    lost = document(name, origin=origin, aws=aws, inferred=True, parent_id="00000000deadbeef", fault=True)

    assert nodes(read(lost)) == [resource]


def test_what_x_ray_inferred_names_a_table_that_the_call_does_not() -> None:
    inside = call("DynamoDB", "PutItem")
    inferred = document("orders", origin="AWS::DynamoDB::Table", inferred=True, parent_id=inside["id"])

    assert nodes(read(function("f", inside), inferred)) == [TABLE, arn("lambda", "function:f")]


def test_a_call_that_came_without_its_caller_is_still_seen() -> None:
    lost = put_item(type="subsegment", parent_id="00000000deadbeef", fault=True, status=500)
    reading = read(lost)

    assert nodes(reading) == [TABLE]
    assert reading.overview.failed_segments == 1


def test_a_batch_over_several_tables_leads_to_each_of_them_and_singles_none_out() -> None:
    batch = call("DynamoDB", "BatchWriteItem", aws={"table_names": ["orders", "users"]}, status=400)
    reading = read(function("f", batch))
    caller, users = arn("lambda", "function:f"), arn("dynamodb", "table/users")

    assert {TABLE, users, "aws:DynamoDB"} <= set(nodes(reading))
    assert {(caller, TABLE), (caller, users)} <= set(edges(reading))
    assert {TABLE, users} <= {edge.target for edge in reading.graph.edges if edge.failing}
    assert [found.resource for found in calls(reading)] == ["aws:DynamoDB"]
