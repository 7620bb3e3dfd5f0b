"""What functions are given by Secrets Manager, Parameter Store and KMS: gone, closed, or asked for too often."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import (
    CODE,
    HISTORY_MINUTES,
    changed,
    deploy,
    elsewhere,
    invocation,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, go, python
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "lambda")
def secret_swept_away_with_old_ones(world: World) -> Expect:
    """A clean-up scheduled secrets nobody had rotated for deletion, among them the one that card-capture reads when it
    is called; the Go code wraps the answer of AWS twice. Its own release of the evening before is innocent."""
    client = world.client("secretsmanager")
    secret = client.create_secret(Name="acquirer/login", SecretString="-")["ARN"]
    client.delete_secret(SecretId=secret, RecoveryWindowInDays=14)
    reads = allow(["secretsmanager:GetSecretValue"], secret)
    capture = deploy(world, "card-capture", "provided.al2023", reads, Handler="bootstrap", timeout=15)
    stage = resources.rest_api(world, "cards", [("POST", "/capture", capture.arn)])
    said = (
        "capture: load acquirer login: operation error Secrets Manager: GetSecretValue, https response error "
        f"StatusCode: 400, RequestID: {world.ids.request()}, InvalidRequestException: You can't perform this operation "
        "on the secret because it was marked for deletion."
    )
    fault = go("wrapError", said)
    began = whole_minute(world, 11)
    traffic(capture, 37, 90, fault=fault, since=began)
    signals.cloudtrail_event(
        world,
        "DeleteSecret",
        "secretsmanager",
        [("AWS::SecretsManager::Secret", secret)],
        who="secret-sweeper",
        when=began - timedelta(seconds=20),
        request={"secretId": secret, "recoveryWindowInDays": 14},
    )
    changed(capture, CODE, who="ci-cards", when=world.ago(hours=14), publish=True)
    elsewhere(world, CODE, "card-refund", who="ci-cards", when=world.ago(minutes=12), publish=True)
    journey = Journey(world, world.ago(minutes=2, seconds=20))
    parent = journey.api(stage, "POST", "/capture", capture.name, 0.08, status=502)
    call = journey.aws("Secrets Manager", "GetSecretValue", 0.02, 0.03, status=400, cause=journey.exception(fault))
    journey.function(capture, 0.006, 0.07, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="secret-marked-deleted",
        resource=secret,
        accept=(("secret-marked-deleted", capture.arn),),
        innocent=(capture.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "iam")
def secret_moved_to_a_key_of_its_own(world: World) -> Expect:
    """Security gave the secret of fx-booking a key of its own. The role may read the secret and not decrypt with the
    key; Secrets Manager's answer names neither. Powertools logs the exception as JSON."""
    key = world.client("kms").create_key(Description="fx")["KeyMetadata"]["Arn"]
    secret = world.client("secretsmanager").create_secret(Name="fx/bank", SecretString="-", KmsKeyId=key)["ARN"]
    reads = allow(["secretsmanager:GetSecretValue"], secret)
    booking = deploy(world, "fx-booking", "python3.13", reads, memory=512, timeout=20)
    said = (
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: Access to KMS is not "
        "allowed"
    )
    fault = _powertools(
        "ClientError", said, "fx-booking", ("/var/lang/lib/python3.13/site-packages/botocore/client.py", 1060, "call")
    )
    began = whole_minute(world, 14)
    traffic(booking, 12, 240, fault=fault, since=began)
    signals.cloudtrail_event(
        world,
        "UpdateSecret",
        "secretsmanager",
        [("AWS::SecretsManager::Secret", secret)],
        who="sec-baseline",
        when=began - timedelta(seconds=40),
        request={"secretId": secret, "kmsKeyId": key},
    )
    changed(booking, CODE, who="ci-fx", when=world.ago(hours=3), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    cause = journey.exception(fault, remote=True)
    call = journey.aws("SecretsManager", "GetSecretValue", 0.02, 0.05, status=400, cause=cause)
    journey.function(booking, 0.0, 0.1, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-role-missing-permission",
        resource=booking.role_arn,
        accept=(("lambda-kms-denied", booking.role_arn), ("lambda-kms-denied", key), ("lambda-kms-denied", secret)),
        innocent=(booking.arn,),
    )


def _powertools(kind: str, message: str, service: str, *stack: tuple[str, int, str]) -> Fault:
    """Return an exception that Powertools logs as one JSON object before the runtime prints it again."""
    plain = python(kind, message, *stack)
    logged = {
        "level": "ERROR",
        "location": "handler:31",
        "message": "request failed",
        "timestamp": "{time}",
        "service": service,
        "cold_start": False,
        "function_request_id": "{request}",
        "exception_name": kind,
        "exception": f"Traceback (most recent call last):\nbotocore.exceptions.{kind}: {message}",
    }
    return plain._replace(lines=(json.dumps(logged), *plain.lines))


@scenario(Kind.SINGLE, "lambda")
def parameters_read_on_every_request(world: World) -> Expect:
    """price-list reads its parameters on each request. The sale brings ten times the traffic; Systems Manager throttles
    it, and the code answers 500 by itself: no invocation counts as an error."""
    reads = allow(["ssm:GetParametersByPath"], world.arn("ssm", "parameter/prices/*"))
    prices = deploy(world, "price-list", "nodejs22.x", reads, timeout=10)
    stage = resources.rest_api(world, "sale", [("GET", "/prices", prices.arn)])
    error = {
        "name": "ThrottlingException",
        "location": "/var/task/index.mjs:41",
        "message": "Rate exceeded",
        "stack": "ThrottlingException: Rate exceeded\n    at throwDefaultError (/var/task/index.mjs:20)",
        "$fault": "client",
        "$metadata": {"httpStatusCode": 400, "attempts": 3, "totalRetryDelay": 311},
        "__type": "ThrottlingException",
    }
    logged = {
        "level": "ERROR",
        "message": "no prices",
        "timestamp": "{time}",
        "service": "price-list",
        "function_request_id": "{request}",
        "error": error,
    }
    line = json.dumps(logged)
    swallowed = Fault("ThrottlingException", "Rate exceeded", (line,), milliseconds=420)
    began = whole_minute(world, 13)
    traffic(prices, 60, 50, logged=False)
    signals.metric(
        world,
        "AWS/Lambda",
        "Invocations",
        {"FunctionName": prices.name},
        [counted(900)] * 13,
        start=began,
        unit="Count",
    )
    events = []
    for minute in range(44):
        for second in (4, 31):
            at = whole_minute(world, 44 - minute) + timedelta(seconds=second)
            fails = at >= began and second == 31
            events += invocation(prices, at, 380 if fails else 50, lines=[line] if fails else [])
    signals.log(world, f"/aws/lambda/{prices.name}", events)
    where = {"ApiName": stage.api_name, "Stage": stage.stage}
    start = whole_minute(world, HISTORY_MINUTES)
    quiet = HISTORY_MINUTES - 13
    signals.metric(
        world, "AWS/ApiGateway", "Count", where, [counted(60)] * quiet + [counted(960)] * 13, start=start, unit="Count"
    )
    signals.metric(
        world, "AWS/ApiGateway", "5XXError", where, [{0.0: 60}] * quiet + [{0.0: 560, 1.0: 400}] * 13, start=start,
        unit="Count",
    )  # fmt: skip
    elsewhere(world, CODE, "price-import", who="ci-sale", when=world.ago(minutes=15), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=30))
    parent = journey.api(stage, "GET", "/prices", prices.name, 0.44, status=500)
    cause = journey.exception(swallowed, remote=True)
    call = journey.aws("SSM", "GetParametersByPath", 0.01, 0.4, status=400, retries=2, cause=cause)
    journey.function(prices, 0.006, 0.43, parent=parent, calls=[call], lines=[line])
    return Expect(
        journey.send(),
        cause="ssm-throttling",
        resource=prices.arn,
        innocent=(prices.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "lambda")
def key_that_waits_for_its_deletion(world: World) -> Expect:
    """An audit scheduled the key of the medical letters for deletion: letter-open can no longer decrypt any. Ruby's
    error class carries the service; the role may decrypt."""
    kms = world.client("kms")
    key = kms.create_key(Description="letters 2022")["KeyMetadata"]
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=30)
    opener = deploy(world, "letter-open", "ruby3.3", allow(["kms:Decrypt"], key["Arn"]), memory=512)
    said = f"{key['Arn']} is pending deletion."
    kind = "Aws::KMS::Errors::KMSInvalidStateException"
    shown = {
        "errorMessage": said,
        "errorType": f"Function<{kind}>",
        "stackTrace": ["/var/task/letters.rb:31:in `open'", "/var/task/function.rb:12:in `handler'"],
    }
    line = f"Error raised from handler method\n{json.dumps(shown)}"
    fault = Fault(f"Function<{kind}>", said, (line,), milliseconds=70)
    began = whole_minute(world, 12)
    traffic(opener, 22, 85, fault=fault, since=began)
    signals.cloudtrail_event(
        world,
        "ScheduleKeyDeletion",
        "kms",
        [("AWS::KMS::Key", key["Arn"])],
        who="audit-keys",
        when=began - timedelta(seconds=30),
        request={"keyId": key["KeyId"], "pendingWindowInDays": 30},
    )
    changed(opener, CODE, who="ci-letters", when=world.ago(hours=7), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    call = journey.aws(
        "KMS", "Decrypt", 0.02, 0.02, status=400, cause=journey.exception(Fault(kind, said), remote=True)
    )
    journey.function(opener, 0.0, 0.06, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="kms-pending-deletion",
        resource=key["Arn"],
        accept=(("kms-pending-deletion", opener.arn),),
        innocent=(opener.role_arn,),
    )
