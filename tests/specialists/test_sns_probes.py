"""The SNS probes over HTTP: moto for what it knows, served answers for what it lacks."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from domain.evidence import load_evidence
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.local import LocalAws
from sandbox.aws.seeds import AlarmTransition
from sandbox.aws.signals import alarm, cloudtrail_event, log, metric
from sandbox.aws.world import World
from specialists.kit.change import Change
from specialists.kit.policies import Verdict
from specialists.registry import all_specialists
from specialists.sns import SPECIALIST, probes, probes_endpoints
from tests.specialists.sns_building import (
    CALLER,
    DLQ,
    FUNCTION,
    KEY,
    PENDING,
    QUEUE,
    TOPIC,
    call,
    filtering,
    graph,
    key,
    listed,
    minute,
    subscriber,
    topic,
)
from tests.support.probing import NOW, look_with


@pytest.fixture(scope="module")
def _local() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture
def world(_local: LocalAws, monkeypatch: pytest.MonkeyPatch) -> World:
    _local.reset()
    for name, value in _local.environment().items():
        monkeypatch.setenv(name, value)
    return World(_local, now=NOW)


def read(probe, *, arn: str = TOPIC, **more):
    found = look_with(probe, arn, **more)
    for evidence in found:
        assert isinstance(evidence, probe.yields)
        assert evidence.resource == arn
        assert load_evidence(json.loads(json.dumps(evidence.dump()))) == evidence
        assert "\n" not in evidence.summary()
    return found


def allowing(service: str, action: str, resource: str, source: str = TOPIC) -> str:
    return resources.policy_document(
        {
            **resources.allow(action, resource, ArnEquals={"aws:SourceArn": source}),
            "Principal": {"Service": f"{service}.amazonaws.com"},
        }
    )


def test_a_topic_is_read_with_its_policy_key_and_delivery_policy(world: World) -> None:
    delivery = json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 5}}})
    resources.topic(world, "order-events", KmsMasterKeyId=KEY, DeliveryPolicy=delivery)

    state = read(probes.topic)[0]

    assert (state.exists, state.key_id, state.http_retries) == (True, KEY, 5)
    assert state.policy.statements[0].allows


def test_protocols_with_delivery_logging_are_named(world: World) -> None:
    roles = {"SQSFailureFeedbackRoleArn": "arn:aws:iam::123456789012:role/f", "LambdaFailureFeedbackRoleArn": ""}
    world.aws.serve("sns", "GetTopicAttributes", {"Attributes": roles})

    assert read(probes.topic)[0].logged == ("SQS",)


def test_a_topic_that_is_gone_is_evidence_and_lists_nobody(world: World) -> None:
    assert not read(probes.topic)[0].exists
    assert read(probes.subscriptions) == []


def test_broken_json_is_evidence_not_a_crash(world: World) -> None:
    answer = {"Attributes": {"Policy": "{broken", "DeliveryPolicy": "[]", "SubscriptionsPending": "many"}}
    world.aws.serve("sns", "GetTopicAttributes", answer)
    bad = {"Attributes": {"FilterPolicy": "{", "RedrivePolicy": "nonsense"}}
    world.aws.serve("sns", "GetSubscriptionAttributes", bad)

    state = read(probes.topic)[0]
    settings = read(probes.subscription_settings, seen=[listed(subscriber())])[0]

    assert state.policy.problem == "it is no JSON"
    assert state.delivery_policy_problem == "its delivery policy is no JSON object"
    assert settings.problem == "its filter policy is no JSON; its redrive policy is no JSON"


def test_a_denied_topic_is_an_error_for_the_runner(world: World) -> None:
    world.aws.inject("sns", "GetTopicAttributes", ACCESS_DENIED)

    with pytest.raises(ClientError):
        read(probes.topic)


def test_subscriptions_keep_no_persons_address(world: World) -> None:
    entries = [
        ("email", "jane@example.com", "PendingConfirmation"),
        ("https", "https://hooks.example.com/secret-token", f"{TOPIC}:1"),
        ("sqs", QUEUE, f"{TOPIC}:2"),
        ("sqs", QUEUE, "Deleted"),
        ("https", "https://[broken", f"{TOPIC}:3"),
    ]
    answer = {"Subscriptions": [{"Protocol": p, "Endpoint": e, "SubscriptionArn": a} for p, e, a in entries]}
    world.aws.serve("sns", "ListSubscriptionsByTopic", answer)

    found = read(probes.subscriptions)[0]

    assert [one.endpoint for one in found.subscribers] == ["", "hooks.example.com", QUEUE, QUEUE, ""]
    assert [one.protocol for one in found.pending] == ["email"]
    assert "jane" not in json.dumps(found.dump())
    assert "token" not in json.dumps(found.dump())


def test_more_than_a_hundred_subscriptions_are_cut(world: World) -> None:
    resources.topic(world, "order-events", subscribers=[("sqs", f"{QUEUE}-{n}") for n in range(103)])

    found = read(probes.subscriptions)[0]

    assert (len(found.subscribers), found.truncated) == (100, True)


def test_settings_of_a_subscription_are_read(world: World) -> None:
    resources.topic(world, "order-events", subscribers=[("sqs", QUEUE)])
    sns = world.client("sns")
    arn = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"][0]["SubscriptionArn"]
    for name, value in (
        ("FilterPolicy", '{"größe": ["L"], "status": ["new"]}'),
        ("RedrivePolicy", json.dumps({"deadLetterTargetArn": DLQ})),
        ("RawMessageDelivery", "true"),
    ):
        sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

    (found,) = read(probes.subscription_settings, seen=read(probes.subscriptions))

    assert (found.filter_keys, found.dead_letter_arn, found.raw) == (("größe", "status"), DLQ, True)
    assert found.scope == "MessageAttributes"


def test_a_subscription_deleted_between_two_looks_is_left_out(world: World) -> None:
    resources.topic(world, "order-events")

    assert read(probes.subscription_settings, seen=[listed(subscriber(), PENDING)]) == []


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        (allowing("sns", "sqs:SendMessage", QUEUE), Verdict.ALLOWED),
        (allowing("sns", "sqs:SendMessage", QUEUE, TOPIC + "-old"), Verdict.SILENT),
        ("", Verdict.SILENT),
    ],
)
def test_a_subscribed_queues_policy_is_judged(world: World, policy: str, verdict: Verdict) -> None:
    resources.queue(world, "invoices", **({"Policy": policy} if policy else {}), KmsMasterKeyId="alias/aws/sqs")

    (found,) = read(probes_endpoints.queue_endpoints, seen=[listed(subscriber())])

    assert (found.exists, found.verdict, found.key_id, found.refuses) == (True, verdict, "alias/aws/sqs", True)


def test_queues_that_are_gone_or_elsewhere_are_told_apart(world: World) -> None:
    arns = [QUEUE, QUEUE.replace("eu-west-1", "us-east-1"), QUEUE.replace("123456789012", "999988887777"), "nonsense"]

    found = read(probes_endpoints.queue_endpoints, seen=[listed(*(subscriber("sqs", arn) for arn in arns))])

    assert [(one.exists, one.unread) for one in found] == [
        (False, ""),
        (True, "it is in us-east-1"),
        (True, "it is in account 999988887777"),
        (True, "its ARN cannot be read"),
    ]
    assert [one.refuses for one in found] == [True, False, False, False]


def test_a_dead_letter_queue_is_judged_as_one(world: World) -> None:
    resources.queue(world, "lost-events", Policy=allowing("sns", "sqs:SendMessage", DLQ))

    (found,) = read(probes_endpoints.dead_letter_queues, seen=[filtering(dlq=DLQ), filtering("status")])

    assert (found.role, found.verdict) == ("dead-letter queue", Verdict.ALLOWED)


def test_a_subscribed_functions_policy_is_judged(world: World) -> None:
    role = resources.role(world, "mailer-role")
    resources.function(world, "mailer", role=role)
    seen = [listed(subscriber("lambda", FUNCTION), subscriber("lambda", FUNCTION + "-gone"))]

    before = read(probes_endpoints.function_endpoints, seen=seen)
    world.client("lambda").add_permission(
        FunctionName="mailer",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=TOPIC,
    )
    after = read(probes_endpoints.function_endpoints, seen=seen)

    assert [(one.exists, one.verdict) for one in before] == [(True, Verdict.SILENT), (False, Verdict.SILENT)]
    assert after[0].verdict is Verdict.ALLOWED


def test_the_flow_is_read_per_topic(world: World) -> None:
    metric(world, "AWS/SNS", "NumberOfNotificationsFailed", {"TopicName": "order-events"}, [3, 4], start=minute(17))
    metric(world, "AWS/SNS", "NumberOfNotificationsFailed", {"TopicName": "other"}, [99], start=minute(17))

    found = {one.metric: one.total for one in read(probes.flow)}

    assert found["NumberOfNotificationsFailed"] == 7
    assert found["NumberOfMessagesPublished"] == 0
    assert len(found) == 8


def test_the_key_is_read_by_id_alias_and_arn_in_each_state(world: World) -> None:
    kms = world.client("kms")
    made = [kms.create_key()["KeyMetadata"] for _ in range(3)]
    kms.create_alias(AliasName="alias/events", TargetKeyId=made[0]["KeyId"])
    kms.disable_key(KeyId=made[1]["KeyId"])
    kms.schedule_key_deletion(KeyId=made[2]["KeyId"], PendingWindowInDays=7)
    ids = ["alias/events", made[1]["KeyId"], made[2]["Arn"]]

    found = [read(probes.key, seen=[topic(key_id=key_id)])[0] for key_id in ids]

    assert [one.state for one in found] == ["Enabled", "Disabled", "PendingDeletion"]
    assert [one.key_arn for one in found] == [one["Arn"] for one in made]
    assert found[2].deletion_at is not None


def test_a_key_that_is_gone_is_evidence_and_snss_own_key_is_nothing_to_look_at(world: World) -> None:
    assert not read(probes.key, seen=[topic(key_id=KEY)])[0].exists
    assert read(probes.key, seen=[topic(key_id="alias/aws/sns")]) == []
    assert read(probes.key, seen=[topic()]) == []


def test_the_keys_policy_is_asked_for_each_service(world: World) -> None:
    allowed = {
        **resources.allow(["kms:GenerateDataKey*", "kms:Decrypt"]),
        "Principal": {"Service": "events.amazonaws.com"},
    }
    arn = world.client("kms").create_key(Policy=resources.policy_document(allowed))["KeyMetadata"]["Arn"]

    (found,) = read(probes.key_policy, seen=[key(key_arn=arn)])

    assert found.shut_out == ("cloudwatch.amazonaws.com", "s3.amazonaws.com")
    assert read(probes.key_policy, seen=[key(key_arn=arn, aws_managed=True)]) == []
    assert read(probes.key_policy, seen=[key()]) == []


def test_what_alarms_could_not_publish_is_read_from_their_history(world: World) -> None:
    alarm(world, "orders-5xx", "AWS/ApiGateway", "5XXError", {"ApiName": "orders"}, threshold=1)
    world.client("cloudwatch").put_metric_alarm(
        AlarmName="orders-5xx", AlarmActions=[TOPIC], MetricName="m", Namespace="n", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    failed = AlarmTransition(
        "orders-5xx", minute(17), "Action", f"Failed to execute action {TOPIC}", {"error": "AWSKMS"}
    )
    other = failed._replace(summary="Successfully executed action arn:aws:sns:eu-west-1:123456789012:else", data={})
    world.seeds.alarm_history.extend([failed, other])

    (found,) = read(probes.alarm_actions)

    assert (found.alarm, found.succeeded, found.observed_at) == ("orders-5xx", False, minute(17))
    assert "AWSKMS" in found.text


def test_failed_deliveries_are_read_from_snss_log(world: World) -> None:
    line = {"delivery": {"destination": QUEUE, "statusCode": 403, "providerResponse": '{"ErrorCode":"AccessDenied"}'}}
    log(world, "sns/eu-west-1/123456789012/order-events/Failure", [(minute(17), json.dumps(line)), (minute(18), "odd")])

    (found,) = read(probes.delivery_failures)

    assert [(one.destination, one.status) for one in found.failures] == [(QUEUE, 403), ("", None)]
    assert found.observed_at == minute(17)


def test_no_delivery_log_is_an_answer(world: World) -> None:
    (found,) = read(probes.delivery_failures)

    assert not found.logged


def test_changes_are_looked_up_by_the_topics_arn(world: World) -> None:
    cloudtrail_event(world, "SetTopicAttributes", "sns", [("AWS::SNS::Topic", TOPIC)], who="deploy-bot",
                     when=minute(10), request={"attributeName": "Policy"})  # fmt: skip

    found = read(probes.topic_changes)

    assert isinstance(found[0], Change)
    assert (found[0].parameters, found[1].events) == ({"attributeName": "Policy"}, 1)


def test_the_publishers_log_is_read_where_the_trace_has_no_error(world: World) -> None:
    lines = ["START", "[ERROR] calling the Publish operation: Topic does not exist"]
    log(world, "/aws/lambda/publisher", [(minute(18), line) for line in lines])

    (found,) = read(probes.publisher_errors, graph=graph())

    assert [event.message for event in found.events] == lines[1:]
    assert read(probes.publisher_errors, graph=graph(), seen=[call("NotFound", "x")]) == []
    assert CALLER.endswith(":publisher")


def test_the_specialist_is_found_and_its_probes_only_read(world: World) -> None:
    resources.topic(world, "order-events", subscribers=[("sqs", QUEUE)])
    unknown_callers = graph().model_copy(update={"edges": ()})
    for probe in SPECIALIST.probes:
        seen = [topic(key_id=KEY), listed(subscriber()), filtering(dlq=DLQ), key()]
        look_with(probe, TOPIC, seen=seen, graph=unknown_callers)

    assert SPECIALIST in all_specialists()
    assert world.aws.writes() == ()
    assert all(len(probe.doc) > 40 for probe in SPECIALIST.probes)
