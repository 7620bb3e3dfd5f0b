"""The read-only door: what it refuses, whose account it reads, and how it is shared by threads."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from aws import meter
from aws.errors import AccountUnusable, NotAllowed, OutOfTime
from aws.limits import Limits, Rate
from aws.meter import Meter
from aws.reads import NEVER, Read, read
from aws.session import AccountRole, AwsConfig, ReadSession
from sandbox.aws import LocalAws, faults

TABLES = read("dynamodb", "DescribeTable")
OTHER_ACCOUNT = "999999999999"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


def session(*reads: Read, limits: Limits | None = None, **config: Any) -> ReadSession:
    return ReadSession(AwsConfig(**{"max_attempts": 1, **config}), reads, limits=limits)


# --- the guard


@pytest.mark.parametrize(
    ("client", "method", "parameters"),
    [
        ("dynamodb", "delete_table", {"TableName": "t"}),
        ("dynamodb", "scan", {"TableName": "t"}),
        ("sqs", "receive_message", {"QueueUrl": "http://127.0.0.1/1/q"}),
        ("lambda", "invoke", {"FunctionName": "f"}),
        ("iam", "create_access_key", {"UserName": "u"}),
        ("s3", "get_object", {"Bucket": "some-bucket", "Key": "k"}),
        ("ec2", "terminate_instances", {"InstanceIds": ["i-1"]}),
        ("sts", "assume_role", {"RoleArn": "arn:aws:iam::123456789012:role/x", "RoleSessionName": "mine"}),
    ],
)
def test_an_undeclared_operation_is_refused_before_any_network(
    aws: LocalAws, client: str, method: str, parameters: dict[str, Any]
) -> None:
    made: Any = session(TABLES).client("", "eu-west-1", client)

    with pytest.raises(NotAllowed, match="is not among the read-only operations"):
        getattr(made, method)(**parameters)
    assert aws.calls == ()


def test_a_paginator_is_guarded(aws: LocalAws) -> None:
    made: Any = session(TABLES).client("", "eu-west-1", "dynamodb")

    with pytest.raises(NotAllowed):
        list(made.get_paginator("list_tables").paginate())
    assert aws.calls == ()


def test_a_waiter_is_guarded(aws: LocalAws) -> None:
    made: Any = session(TABLES).client("", "eu-west-1", "lambda")

    with pytest.raises(NotAllowed):
        made.get_waiter("function_exists").wait(FunctionName="f", WaiterConfig={"MaxAttempts": 1})
    assert aws.calls == ()


def test_a_declared_operation_passes(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        session(TABLES).clients().dynamodb.describe_table(TableName="t")

    assert [c.operation for c in aws.calls] == ["DescribeTable"]


@pytest.mark.parametrize(("service", "operation"), sorted(NEVER))
def test_what_shows_data_cannot_be_declared(service: str, operation: str) -> None:
    with pytest.raises(ValueError, match="is not an operation that a probe may use"):
        read(service, operation)


@pytest.mark.parametrize(
    "operation", ["DeleteTable", "PutItem", "UpdateTable", "CreateTable", "TagResource", "Publish", "StartExecution"]
)
def test_what_is_no_read_by_its_name_cannot_be_declared(operation: str) -> None:
    with pytest.raises(ValueError, match="is not an operation that a probe may use"):
        read("dynamodb", operation)


def test_what_shows_data_is_refused_even_when_a_declaration_was_forged(aws: LocalAws) -> None:
    forged = session(Read("lambda", "GetFunction", "lambda:GetFunction"))

    with pytest.raises(NotAllowed):
        forged.clients().lambda_.get_function(FunctionName="f")
    assert aws.calls == ()


# --- clients and threads


def test_thirty_two_threads_share_one_client_per_account_region_and_service(aws: LocalAws) -> None:
    shared = session(TABLES)
    together = threading.Barrier(32)

    def one(number: int) -> tuple[tuple[str, str], int]:
        together.wait()
        place = ("eu-west-1", "us-east-2")[number % 2], ("dynamodb", "sqs")[number // 2 % 2]
        return place, id(shared.client("", *place))

    with ThreadPoolExecutor(32) as pool:
        made = set(pool.map(one, range(32)))

    assert len(made) == 4
    assert len({place for place, _ in made}) == 4


def test_who_we_are_is_asked_once(aws: LocalAws) -> None:
    shared = session()
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: shared.home_account(), range(8)))

    assert answers == {"123456789012"}
    assert [c.operation for c in aws.calls] == ["GetCallerIdentity"]


def test_asking_who_we_are_holds_up_no_other_client(aws: LocalAws) -> None:
    aws.inject("sts", "GetCallerIdentity", faults.delay(1.0))
    shared = session(TABLES)
    shared.client("", "eu-west-1", "dynamodb")
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(shared.home_account)
        time.sleep(0.3)
        began = time.perf_counter()
        shared.client("", "eu-west-1", "dynamodb")

        assert time.perf_counter() - began < 0.3
        assert asking.result() == "123456789012"


# --- other accounts


@pytest.fixture
def trusting(aws: LocalAws) -> str:
    """A role in another account, and a table there."""
    iam = aws.client("iam", account=OTHER_ACCOUNT)
    trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "ext-42"}}}]}'
    arn: str = iam.create_role(RoleName="rca-read", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    aws.client("dynamodb", account=OTHER_ACCOUNT).create_table(
        TableName="theirs", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
    )  # fmt: skip
    aws.forget_calls()
    return arn


def test_another_account_is_read_with_its_role_and_external_id(aws: LocalAws, trusting: str) -> None:
    shared = session(TABLES, accounts={OTHER_ACCOUNT: AccountRole(role_arn=trusting, external_id="ext-42")})
    table = shared.clients(OTHER_ACCOUNT).dynamodb.describe_table(TableName="theirs")["Table"]

    (assumed,) = [c for c in aws.calls if c.operation == "AssumeRole"]
    assert (assumed.parameters["RoleArn"], assumed.parameters["ExternalId"]) == (trusting, "ext-42")
    assert table.get("TableArn") == f"arn:aws:dynamodb:eu-west-1:{OTHER_ACCOUNT}:table/theirs"
    assert shared.reachable(OTHER_ACCOUNT)


def test_an_account_without_a_role_is_not_reachable(aws: LocalAws) -> None:
    shared = session(TABLES)

    assert shared.reachable("")
    assert shared.reachable("123456789012")
    assert not shared.reachable(OTHER_ACCOUNT)


# --- time


def test_no_call_is_made_once_the_time_is_over(aws: LocalAws) -> None:
    dynamodb = session(TABLES).clients().dynamodb
    with (
        meter.metered(Meter(time.monotonic() - 1)),
        pytest.raises(OutOfTime, match="no time left for dynamodb:DescribeTable"),
    ):
        dynamodb.describe_table(TableName="t")

    assert aws.calls == ()


def test_a_call_that_would_wait_longer_than_the_time_left_is_not_made_and_costs_no_token(aws: LocalAws) -> None:
    limits = Limits({("dynamodb", "*"): Rate(0.5, 1)})
    dynamodb = session(TABLES, limits=limits).clients().dynamodb
    with pytest.raises(ClientError):
        dynamodb.describe_table(TableName="t")
    for _ in range(5):
        with meter.metered(Meter(time.monotonic() + 0.2)), pytest.raises(OutOfTime):
            dynamodb.describe_table(TableName="t")

    wait = limits.reserve("", "eu-west-1", "dynamodb", "DescribeTable")
    assert wait is not None
    assert 0 < wait <= 2
    assert len(aws.calls) == 1


def test_calls_are_counted_on_the_part_and_on_the_whole(aws: LocalAws) -> None:
    dynamodb = session(TABLES).clients().dynamodb
    whole = Meter()
    part = whole.until(60)
    for counted in (part, whole):
        with meter.metered(counted), pytest.raises(ClientError):
            dynamodb.describe_table(TableName="t")

    assert (part.calls, whole.calls) == (1, 2)
    assert meter.current() is None


def test_a_part_never_outlives_the_whole() -> None:
    whole = Meter(time.monotonic() + 1)

    assert whole.until(60).remaining() <= 1
    assert whole.until(0.1).remaining() <= 0.1
    assert Meter().until(60).remaining() <= 60


# --- credentials


def test_credentials_that_aws_refuses_say_what_the_operator_must_do(aws: LocalAws) -> None:
    aws.inject("sts", "*", faults.EXPIRED_TOKEN)

    with pytest.raises(AccountUnusable, match=r"AWS refused the credentials \(ExpiredToken\). Renew"):
        session().home_account()


def test_no_credentials_say_what_the_operator_must_do(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(AccountUnusable, match="No AWS credentials found"):
        session().home_account()


def test_a_denied_identity_is_said_in_one_sentence(aws: LocalAws) -> None:
    aws.inject("sts", "GetCallerIdentity", faults.ACCESS_DENIED)

    with pytest.raises(AccountUnusable, match="AWS did not say who we are"):
        session().home_account()


def test_boto3_itself_is_not_changed_for_others(aws: LocalAws) -> None:
    session(TABLES).client("", "eu-west-1", "dynamodb")

    assert boto3.client("dynamodb", region_name="eu-west-1").list_tables()["TableNames"] == []
