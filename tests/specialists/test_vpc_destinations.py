"""Error texts of all runtimes and drivers: did a connection fail, how, and where did it go."""

import random

import pytest

from specialists.vpc.attempts import answered_calls, called_by, failed_connections
from specialists.vpc.destinations import ANYWHERE, How, Place, attempt_in, destination, of_service, service_of_host
from specialists.vpc.texts import STATED, cause_of_code, speaks_of_network, stated_cause
from tests.specialists.vpc_building import FUNCTION, call, case, log, segment

C, R, U = How.CONNECT, How.READ, How.UNTOLD

# text, how, the destination as people read it
TEXTS = [
    ("Error: connect ETIMEDOUT 176.32.98.189:443", C, "`176.32.98.189:443`"),
    ("Error: connect ETIMEDOUT 10.0.2.15:5432", C, "`10.0.2.15:5432`"),
    ("Error: connect ENETUNREACH 2600:1f18::1:443 - Local (:::0)", C, "`[2600:1f18::1]:443`"),
    ('ConnectTimeoutError: Connect timeout on endpoint URL: "https://sqs.eu-west-1.amazonaws.com/"', C,
     "`sqs.eu-west-1.amazonaws.com:443`"),
    ('EndpointConnectionError: Could not connect to the endpoint URL: "https://kms.eu-west-1.amazonaws.com/"', C,
     "`kms.eu-west-1.amazonaws.com:443`"),
    ('ReadTimeoutError: Read timeout on endpoint URL: "https://dynamodb.eu-west-1.amazonaws.com/"', R,
     "`dynamodb.eu-west-1.amazonaws.com:443`"),
    ("[ERROR] ReadTimeoutError: Read timed out. (read timeout=15)", R, str(ANYWHERE)),
    ('connection to server at "db.internal" (10.0.2.15), port 5432 failed: Connection timed out', C,
     "`db.internal:5432`"),
    ("(2003, \"Can't connect to MySQL server on 'db.a.eu-west-1.rds.amazonaws.com' ([Errno 110] Connection timed out)\")",
     C, "`db.a.eu-west-1.rds.amazonaws.com:3306`"),
    ("io.netty.channel.ConnectTimeoutException: connection timed out: sqs.eu-west-1.amazonaws.com/52.95.22.3:443", C,
     "`sqs.eu-west-1.amazonaws.com:443`"),
    ("Connect to sqs.eu-west-1.amazonaws.com:443 [sqs.eu-west-1.amazonaws.com/52.94.2.3] failed: connect timed out", C,
     "`sqs.eu-west-1.amazonaws.com:443`"),
    ("java.net.SocketTimeoutException: connect timed out", C, str(ANYWHERE)),
    ("Failed to connect to /10.0.3.7:9092: Connection timed out", C, "`10.0.3.7:9092`"),
    ('Post "https://sqs.eu-west-1.amazonaws.com/": dial tcp 52.94.1.1:443: i/o timeout', C,
     "`sqs.eu-west-1.amazonaws.com:443`"),
    ("dial tcp 10.0.2.15:5432: i/o timeout", C, "`10.0.2.15:5432`"),
    ('Get "https://api.stripe.com/v1": context deadline exceeded', R, "`api.stripe.com:443`"),
    ("System.Net.Http.HttpRequestException: Connection timed out (api.stripe.com:443)", C, "`api.stripe.com:443`"),
    ("System.Net.Sockets.SocketException (110): Connection timed out [::ffff:52.1.2.3]:443", C, "`52.1.2.3:443`"),
    (("HTTPSConnectionPool(host='api.stripe.com', port=443): Max retries exceeded (Caused by ConnectTimeoutError(<object"
     " at 0x7f>, 'Connection to api.stripe.com timed out. (connect timeout=10)'))"), C, "`api.stripe.com:443`"),
    ("Error 110 connecting to cache.abc.euw1.cache.amazonaws.com:6379. Connection timed out.", C,
     "`cache.abc.euw1.cache.amazonaws.com:6379`"),
    ("ConnectTimeoutError: Connect Timeout Error (attempted address: api.stripe.com:443, timeout: 10000ms)", C,
     "`api.stripe.com:443`"),
    ("Net::OpenTimeout: Failed to open TCP connection to api.stripe.com:443 (execution expired)", C,
     "`api.stripe.com:443`"),
    ("pymongo.errors.ServerSelectionTimeoutError: mongo.internal:27017: timed out", C, "`mongo.internal:27017`"),
    ("<urlopen error [Errno 101] Network is unreachable>", C, str(ANYWHERE)),
    ("2026-11-20T09:54:00Z 3f1c Task timed out after 10.00 seconds", U, str(ANYWHERE)),
]  # fmt: skip

OTHERS = [
    "connect ECONNREFUSED 10.0.2.15:5432",
    "Failed to establish a new connection: [Errno 111] Connection refused",
    "getaddrinfo ENOTFOUND api.stripe.com",
    "Failed to establish a new connection: [Errno -2] Name or service not known",
    "ConditionalCheckFailedException: The conditional request failed",
    "REPORT RequestId: 3f1c Duration: 9000.12 ms",
    "User is not authorized to perform: sqs:SendMessage",
]


@pytest.mark.parametrize(("text", "how", "shown"), TEXTS, ids=[row[0][:60] for row in TEXTS])
def test_a_text_tells_how_and_where(text, how, shown) -> None:
    attempt = attempt_in(text)

    assert attempt is not None
    assert (attempt.how, str(attempt.destination)) == (how, shown)


@pytest.mark.parametrize("text", OTHERS)
def test_what_was_refused_unresolved_or_answered_is_no_lost_connection(text) -> None:
    assert attempt_in(text) is None


HOSTS = {
    "sqs.eu-west-1.amazonaws.com": ("sqs", "eu-west-1"),
    "photos.s3.eu-west-1.amazonaws.com": ("s3", "eu-west-1"),
    "s3.dualstack.eu-west-1.amazonaws.com": ("s3", "eu-west-1"),
    "s3-eu-west-1.amazonaws.com": ("s3", "eu-west-1"),
    "s3.amazonaws.com": ("s3", ""),
    "runtime.sagemaker.eu-west-1.amazonaws.com": ("sagemaker.runtime", "eu-west-1"),
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com": ("ecr.dkr", "eu-west-1"),
    "a1b2.execute-api.eu-west-1.amazonaws.com": ("execute-api", "eu-west-1"),
    "kinesis.us-gov-west-1.amazonaws.com": ("kinesis-streams", "us-gov-west-1"),
    "sns.cn-north-1.amazonaws.com.cn": ("sns", "cn-north-1"),
    "sqs.eu-west-1.api.aws": ("sqs", "eu-west-1"),
    "vpce-0a-1b.sqs.eu-west-1.vpce.amazonaws.com": ("sqs", "eu-west-1"),
    "db.abc.eu-west-1.rds.amazonaws.com": ("", ""),
    "internal-lb.eu-west-1.elb.amazonaws.com": ("", ""),
    "api.stripe.com": ("", ""),
    "sqs.eu-west-1.amazonaws.com.evil.example": ("", ""),
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items())
def test_an_endpoints_host_tells_service_and_region(host, expected) -> None:
    assert service_of_host(host) == expected


@pytest.mark.parametrize(
    ("name", "service"),
    [("SQS", "sqs"), ("AmazonDynamoDBv2", "dynamodb"), ("Secrets Manager", "secretsmanager"), ("SFN", "states"),
     ("kinesis", "kinesis-streams"), ("CloudWatch Logs", "logs")],
)  # fmt: skip
def test_an_sdks_name_tells_the_endpoint(name, service) -> None:
    assert of_service(name).service == service


@pytest.mark.parametrize(
    ("host", "address", "place"),
    [
        ("", "10.1.2.3", Place.PRIVATE),
        ("", "100.64.0.9", Place.PRIVATE),
        ("", "fd00::1", Place.PRIVATE),
        ("", "8.8.8.8", Place.INTERNET),
        ("8.8.8.8", "", Place.INTERNET),
        ("db.abc.eu-west-1.rds.amazonaws.com", "", Place.HOST),
        ("mongo", "", Place.HOST),
        ("mongo.internal", "", Place.HOST),
        ("api.stripe.com", "", Place.INTERNET),
        ("api.stripe.com", "not an address", Place.INTERNET),
        ("", "", Place.ANYWHERE),
    ],
)
def test_a_destination_is_placed_by_what_is_known(host, address, place) -> None:
    assert destination(host, address).place is place


def test_huge_and_hostile_texts_are_read_quickly() -> None:
    pieces = ["connect ETIMEDOUT ", "https://", "host='", "a." * 50, "1.2.3.", ":::", 'server at "', "[", "9" * 30, "ü"]
    for seed in range(200):
        chosen = random.Random(seed).choices(pieces, k=2_000)
        attempt_in("".join(chosen))
        speaks_of_network("".join(chosen))

    assert attempt_in("x" * 10_000_000) is None


def test_ports_and_addresses_that_cannot_be_are_left_out() -> None:
    assert attempt_in("connect ETIMEDOUT 999.999.1.1:443").destination == ANYWHERE
    assert attempt_in("connect ETIMEDOUT 10.0.0.1:99999").destination.port is None


# --- calls of the trace


def test_calls_tell_where_they_went() -> None:
    assert called_by(call()).service == "sqs"
    assert called_by(call()).region == "eu-west-1"
    assert called_by(call("remote:api.stripe.com")).host == "api.stripe.com"
    assert called_by(call("remote:x", attributes={"url": "http://10.0.3.9:8080/a"})).port == 8080
    assert called_by(call("aws:Logs", service="Logs")).service == "logs"


def connections(*evidence):
    found = case(*evidence)
    return [(s.how, str(s.destination), s.traced) for s in failed_connections(found.evidence, found.target)]


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (call(), []),
        (call(error=True, fault=True, http_status=500), []),
        (call("remote:a.example", ("Error", "Read timed out"), http_status=504), []),
        (call("remote:a.example", fault=True, http_status=None, seconds=0.01), []),
        (call("remote:a.example", fault=True, http_status=None, seconds=9.0), [(R, "`a.example`", True)]),
        (call(pending=True, http_status=None), [(R, "AWS service `sqs`", True)]),
        (
            call("arn:aws:sqs:eu-west-1:1:q", ("ClientError", "An error occurred (AccessDenied)")),
            [],
        ),
        (
            call("remote:a.example", ("ConnectTimeoutError", "connect timed out")),
            [(C, "`a.example`", True)],
        ),
        (segment(("Error", "connect ETIMEDOUT 10.0.3.15:5432")), [(C, "`10.0.3.15:5432`", False)]),
        (log("Task timed out after 3.00 seconds"), [(U, str(ANYWHERE), False)]),
        (call("remote:a.example", ("E", "ETIMEDOUT"), caller=FUNCTION + "2"), []),
    ],
)  # fmt: skip
def test_a_connection_failed_only_where_nothing_answered(evidence, expected) -> None:
    assert connections(evidence) == expected


def test_an_answer_is_an_answer_even_when_it_is_an_error() -> None:
    denied = call("arn:aws:sqs:eu-west-1:1:q", ("AccessDenied", "no"))
    found = case(call(), denied, call(pending=True, http_status=None, at=3))

    assert len(answered_calls(found.evidence, found.target)) == 2


# --- what Lambda states


STATEMENTS = [
    ("lambda-eni-limit", "ENILimitReachedException: The elastic network interface limit was reached for the VPC."),
    ("lambda-subnet-ip-exhausted", ("Lambda was not able to set up VPC access for the Lambda function because one or more"
     " configured subnets has no available IP addresses.")),
    ("lambda-ec2-throttled", "EC2ThrottledException: Lambda was throttled by Amazon EC2 during initialization"),
    ("lambda-ec2-access-denied", ("The provided execution role does not have permissions to call CreateNetworkInterface"
     " on EC2")),
    ("lambda-subnet-sg-deleted", "InvalidSecurityGroupIDException"),
    ("lambda-efs-mount", "EFSMountConnectivityException: The function couldn't make a network connection to the file"),
    ("lambda-efs-mount", "The function could not mount the EFS file system with access point fsap-1 due to mount time out"),
    (None, "ThrottlingException: Rate exceeded"),
    (None, "EC2UnexpectedException: something else"),
    (None, "AccessDeniedException: not authorized to perform: ec2:DescribeInstances"),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "text"), STATEMENTS)
def test_lambdas_words_state_one_cause(cause, text) -> None:
    assert stated_cause(text) == cause


def test_every_code_of_a_state_states_one_cause() -> None:
    codes = [code for row in STATED for code in row.codes]

    assert len(codes) == len(set(codes))
    assert cause_of_code("EFSMountTimeout") == "lambda-efs-mount"
    assert cause_of_code("Idle") is None
