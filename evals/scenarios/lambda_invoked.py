"""Functions that nobody can invoke: switched off, out of concurrency, gone, undecryptable, or no longer fed."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, Function, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._runtimes import Fault, java, node, python
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World

SLOW_DOWN = "An error occurred (TooManyRequestsException) when calling the Invoke operation (reached max retries: 2): "


def _throttled(function: Function, minutes: int, a_minute: int, running: int) -> None:
    """Report refused invocations of the last minutes, and how many ran at once meanwhile."""
    world, name = function.world, {"FunctionName": function.name}
    start = whole_minute(world, minutes)
    refused = [counted(a_minute) for _ in range(minutes)]
    signals.metric(world, "AWS/Lambda", "Throttles", name, refused, start=start, unit="Count")
    used = [float(running) for _ in range(minutes)]
    signals.metric(world, "AWS/Lambda", "ConcurrentExecutions", name, used, start=start, unit="Count")


@scenario(Kind.CASCADE, "lambda")
def fraud_check_switched_off(world: World) -> Expect:
    """A cost drill reserved zero concurrency for fraud-score: every order fails, through API and order-accept."""
    score = deploy(world, "fraud-score", "python3.12", memory=1024, reserved=0)
    calls = allow(["lambda:InvokeFunction"], score.arn)
    accept = deploy(world, "order-accept", "python3.12", calls, timeout=8)
    stage = resources.rest_api(world, "shop", [("POST", "/orders", accept.arn)])
    began = whole_minute(world, 9)
    refused = python(
        "TooManyRequestsException", f"{SLOW_DOWN}Rate Exceeded.", ("/var/task/app.py", 52, "score"), milliseconds=640
    )
    traffic(accept, 44, 180, fault=refused, since=began)
    traffic(score, 1, 70, logged=False)
    _throttled(score, 9, 132, 0)
    changed(score, "PutFunctionConcurrency20171031", who="cost-drill", when=began, reservedConcurrentExecutions=0)
    changed(accept, CODE, who="ci-shop", when=world.ago(minutes=33), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=15))
    parent = journey.api(stage, "POST", "/orders", accept.name, 0.67, status=502)
    call = journey.invoke(score.name, 0.03, 0.61, status=429, retries=2, cause=journey.exception(refused, remote=True))
    journey.function(accept, 0.006, 0.66, parent=parent, calls=[call], fault=refused)
    journey.function(score, 0.05, 0.002, parent=str(call["id"]), status=429)
    return Expect(
        journey.send(),
        cause="lambda-reserved-zero",
        resource=score.arn,
        innocent=(accept.arn, accept.role_arn, score.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "lambda")
def neighbour_takes_all_concurrency(world: World) -> Expect:
    """A backfill runs the account to its 1,000 concurrent executions; search-suggest, unreserved, is refused."""
    suggest = deploy(world, "search-suggest", "nodejs22.x", timeout=3)
    backfill = deploy(world, "backfill-index", "python3.12", timeout=900, memory=2048)
    traffic(suggest, 620, 40)
    traffic(backfill, 300, 41000)
    _throttled(suggest, 10, 240, 21)
    peak = [110.0] * 230 + [1000.0] * 10
    start = whole_minute(world, 240)
    signals.metric(world, "AWS/Lambda", "ConcurrentExecutions", {}, peak, start=start, unit="Count")
    elsewhere(world, CODE, "search-click", who="ci-search", when=world.ago(minutes=15), publish=False)
    stage = resources.rest_api(world, "search", [("GET", "/suggest", suggest.arn)])
    journey = Journey(world, world.ago(minutes=1, seconds=50))
    parent = journey.api(stage, "GET", "/suggest", suggest.name, 0.03, status=500, answered=429)
    journey.function(suggest, 0.005, 0.003, parent=parent, status=429)
    return Expect(journey.send(), cause="lambda-throttle-account", resource=suggest.arn, innocent=(suggest.role_arn,))


@scenario(Kind.FOREIGN, "lambda")
def reservation_of_another_region_too_small(world: World) -> Expect:
    """The campaign sends five times the traffic to consent-eu in Frankfurt, which may run five at once."""
    frankfurt = World(world.aws, world.now, f"{world.seed} frankfurt", region="eu-central-1")
    consent = deploy(frankfurt, "consent-eu", "nodejs22.x", reserved=5)
    signup = deploy(world, "signup", "nodejs22.x", allow(["lambda:InvokeFunction"], consent.arn), timeout=6)
    refused = node(
        "TooManyRequestsException", "Rate Exceeded.", ("/var/task/index.mjs", 33, "consent"), milliseconds=410
    )
    traffic(signup, 400, 160, fault=refused, since=whole_minute(world, 11), share=0.55)
    traffic(consent, 180, 95)
    _throttled(consent, 11, 660, 5)
    changed(signup, CODE, who="ci-web", when=world.ago(hours=3), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=40))
    call = journey.invoke(
        consent.arn,
        0.05,
        0.33,
        region="eu-central-1",
        status=429,
        retries=2,
        cause=journey.exception(refused, remote=True),
    )
    journey.function(signup, 0.0, 0.42, calls=[call], fault=refused)
    return Expect(
        journey.send(),
        cause="lambda-throttle-reserved",
        resource=consent.arn,
        innocent=(signup.arn, signup.role_arn, consent.role_arn),
    )


@scenario(Kind.CASCADE, "lambda")
def live_alias_deleted_in_clean_up(world: World) -> Expect:
    """A clean-up of old aliases also deleted tariff:live; booking calls it by that name, and the API fails."""
    tariff = deploy(world, "tariff", "java21", memory=1024)
    calls = allow(["lambda:InvokeFunction"], f"{tariff.arn}:*")
    booking = deploy(world, "booking", "java21", calls, memory=1024, timeout=15)
    stage = resources.rest_api(world, "travel", [("POST", "/bookings", booking.arn)])
    words = (
        f"Function not found: {tariff.arn}:live (Service: Lambda, Status Code: 404, Request ID: {world.ids.request()})"
    )
    fault = java(
        "software.amazon.awssdk.services.lambda.model.ResourceNotFoundException",
        words,
        ("TariffClient.java", 48, "com.trips.TariffClient.quote"),
        ("BookingHandler.java", 27, "com.trips.BookingHandler.handleRequest"),
    )
    traffic(booking, 15, 480, fault=fault, since=whole_minute(world, 13))
    traffic(tariff, 1, 60, logged=False)
    changed(tariff, "DeleteAlias20150331", who="housekeeping", when=world.ago(minutes=13, seconds=20), name="live")
    changed(booking, CODE, who="ci-trips", when=world.ago(hours=20), publish=True)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "POST", "/bookings", booking.name, 0.13, status=502)
    call = journey.invoke(f"{tariff.arn}:live", 0.03, 0.04, status=404, cause=journey.exception(fault, remote=True))
    journey.function(booking, 0.006, 0.12, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-function-not-found",
        resource=tariff.arn,
        innocent=(booking.arn, booking.role_arn, tariff.role_arn),
    )


@scenario(Kind.SINGLE, "lambda")
def canary_version_fails(world: World) -> Expect:
    """A tenth of the requests go to version 2 of loyalty, which fails nearly always; version 1 is well."""
    loyalty = deploy(world, "loyalty", "ruby3.3")
    client = world.client("lambda")
    old = client.publish_version(FunctionName=loyalty.name)["Version"]
    client.update_function_configuration(FunctionName=loyalty.name, Description="points 2.0")
    new = client.publish_version(FunctionName=loyalty.name)["Version"]
    shift = {"AdditionalVersionWeights": {new: 0.1}}
    client.create_alias(FunctionName=loyalty.name, Name="live", FunctionVersion=old, RoutingConfig=shift)
    fault = Fault("NoMethodError", "undefined method `tier' for nil", milliseconds=30)
    began = whole_minute(world, 16)
    traffic(loyalty, 200, 55, fault=fault, since=began, share=0.097, logged=False)
    for version, calls, failed in ((old, 180.0, 0.0), (new, 20.0, 19.0)):
        where = {"FunctionName": loyalty.name, "Resource": f"{loyalty.name}:live", "ExecutedVersion": version}
        for metric, values in (("Invocations", counted(calls)), ("Errors", counted(failed))):
            signals.metric(world, "AWS/Lambda", metric, where, [values] * 16, start=began, unit="Count")
    changed(loyalty, "UpdateAlias20150331", who="codedeploy", when=began, name="live", functionVersion=old)
    return Expect(
        f"some calls of {loyalty.arn}:live fail, about one in ten",
        cause="lambda-alias-routing-bad-version",
        resource=loyalty.arn,
        innocent=(loyalty.role_arn,),
    )


@scenario(Kind.SINGLE, "lambda")
def key_of_the_variables_disabled(world: World) -> Expect:
    """Security disabled an old-looking KMS key; it encrypts the variables of session-issue, which no longer starts."""
    kms = world.client("kms")
    key = kms.create_key(Description="sessions 2021")["KeyMetadata"]
    kms.disable_key(KeyId=key["KeyId"])
    session = deploy(world, "session-issue", "python3.12", env={"PEPPER_ID": "p-4"}, KMSKeyArn=key["Arn"])
    login = deploy(world, "login", "python3.12", allow(["lambda:InvokeFunction"], session.arn))
    words = (
        "An error occurred (KMSDisabledException) when calling the Invoke operation: Lambda was unable to decrypt the "
        "environment variables because the KMS key used is disabled. Please check the function's KMS key settings."
    )
    fault = python(
        "KMSDisabledException", words, ("/var/task/app.py", 40, "issue"), ("/var/task/app.py", 12, "handler")
    )
    traffic(login, 70, 140, fault=fault, since=whole_minute(world, 8), lines=["[INFO]\t{time}\t{request}\tlogin"])
    changed(login, CODE, who="ci-auth", when=world.ago(minutes=26), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=5))
    call = journey.invoke(session.name, 0.02, 0.05, status=502, cause=journey.exception(fault, remote=True))
    journey.function(login, 0.0, 0.09, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-kms-disabled",
        resource=session.arn,
        innocent=(login.arn, login.role_arn, session.role_arn),
    )


@scenario(Kind.SINGLE, "lambda")
def mapping_switched_off_after_an_incident(world: World) -> Expect:
    """To calm an incident jo switched off the mapping of receipts, and forgot it: the mails stay in their queue."""
    dead = resources.queue(world, "receipts-dead")
    queue = resources.queue(world, "receipts", dead_letter=dead)
    reads = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue)
    mailer = deploy(world, "receipt-mailer", "nodejs20.x", reads, timeout=20)
    uuid = resources.event_source(world, mailer.name, queue, BatchSize=10, Enabled=False)
    began = whole_minute(world, 85)
    name = {"FunctionName": mailer.name}
    sent = [counted(60)] * 155 + [counted(0)] * 85
    signals.metric(world, "AWS/Lambda", "Invocations", name, sent, start=whole_minute(world, 240), unit="Count")
    waiting = [float(n % 7) for n in range(155)] + [60.0 * n for n in range(85)]
    where = {"QueueName": "receipts"}
    start = whole_minute(world, 240)
    signals.metric(world, "AWS/SQS", "ApproximateNumberOfMessagesVisible", where, waiting, start=start, unit="Count")
    mapping = [("AWS::Lambda::EventSourceMapping", uuid), ("AWS::Lambda::Function", mailer.name)]
    request = {"uUID": uuid, "enabled": False}
    signals.cloudtrail_event(
        world, "UpdateEventSourceMapping20150331", "lambda", mapping, who="jo", when=began, request=request
    )
    return Expect(
        "no receipts are mailed, function receipt-mailer",
        cause="esm-disabled",
        resource=mailer.arn,
        innocent=(dead, mailer.role_arn),
    )
