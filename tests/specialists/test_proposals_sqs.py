"""What is offered for a queue, and what is not where a parameter is unknown."""

import pytest

from domain.action import Effect
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.sqs import proposals as of
from specialists.sqs.evidence import (
    Consumer,
    ConsumerConcurrency,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    QueueState,
)
from tests.specialists.proposals_building import CANCEL, ENABLE, KEY, MAPPING, Scene, change, label, offered, offers
from tests.specialists.sqs_building import DEAD, FIFO, GONE, QUEUE, READER, queue

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/payments"
CHINA = "arn:aws-cn:sqs:cn-north-1:123456789012:payments"
SECRET_CLOUD = "arn:aws-iso:sqs:us-iso-east-1:123456789012:payments"
SHORT, STARVED, ONCE = "esm-visibility-lt-timeout", "esm-concurrency-starved", "sqs-maxreceive-1"
LOST, DEAD_LETTERS = "sqs-retention-expired", "sqs-dlq-filling"
VISIBILITY = "attributes.VisibilityTimeout"


def read_by(queue_arn: str = QUEUE, **fields: object) -> Consumers:
    mapping = Consumer.model_validate({"uuid": MAPPING, "function": READER, **fields})
    return Consumers(resource=queue_arn, source="lambda:ListEventSourceMappings", mappings=(mapping,))


def reader(**fields: object) -> ConsumerFunction:
    given = {"resource": READER, "source": "lambda:GetFunctionConfiguration", "exists": True, "timeout_seconds": 60}
    return ConsumerFunction.model_validate({**given, **fields})


def reserved(amount: int | None) -> ConsumerConcurrency:
    return ConsumerConcurrency(resource=READER, source="lambda:GetFunctionConcurrency", reserved=amount)


def dead(visible: int) -> QueueState:
    return queue(DEAD, visible=visible)


def sets(seconds: str, url: str = URL) -> dict[str, object]:
    return {"QueueUrl": url, "Attributes": {"VisibilityTimeout": seconds}}


def put(at: float, seconds: str) -> Change:
    return change(QUEUE, "SetQueueAttributes", at, {"queueUrl": URL, VISIBILITY: seconds})


def key(state: str, **fields: object) -> KeyState:
    given = {"resource": QUEUE, "source": "kms:DescribeKey", "key_arn": KEY, "state": state}
    return KeyState.model_validate({**given, **fields})


OFF, ON = read_by(state="Disabled"), read_by()
ENABLED = (("lambda.enable_mapping", Effect.MENDS, {"UUID": MAPPING, "Enabled": True}),)
LENGTHENED = (("sqs.set_visibility", Effect.MENDS, sets("360")),)
POLICY = '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:payments-dlq","maxReceiveCount":5}'
RECEIVES = (("sqs.set_max_receives", Effect.MENDS, {"QueueUrl": URL, "Attributes": {"RedrivePolicy": POLICY}}),)
CAPPED = (("lambda.cap_mapping", Effect.MENDS, {"UUID": MAPPING, "ScalingConfig": {"MaximumConcurrency": 10}}),)
KEPT = (("sqs.set_retention", Effect.RELIEVES, {"QueueUrl": URL, "Attributes": {"MessageRetentionPeriod": "1209600"}}),)
MOVED = (("sqs.redrive", Effect.RELIEVES, {"SourceArn": DEAD}),)

SCENES = (
    Scene("mapping off", of.enable_mapping, "esm-disabled", READER, (OFF,), ENABLED),
    Scene("mapping on", of.enable_mapping, "esm-disabled", READER, (ON,)),
    Scene("mapping off, not cited", of.enable_mapping, "esm-disabled", READER, (OFF,), cites=()),
    Scene("mapping of another function", of.enable_mapping, "esm-disabled", READER + "2", (OFF,)),
    Scene(
        "visibility it had",
        of.restore_visibility,
        SHORT,
        QUEUE,
        (queue(visibility_seconds=5), put(-90, "300"), put(5, "5")),
        (("sqs.set_visibility", Effect.UNDOES, sets("300")),),
    ),
    Scene("visibility before unknown", of.restore_visibility, SHORT, QUEUE, (queue(), put(5, "5"))),
    Scene(
        "visibility that only came later",
        of.restore_visibility,
        SHORT,
        QUEUE,
        (queue(visibility_seconds=5), put(5, "5"), put(9, "300")),
        cites=(0, 1),
    ),
    Scene(
        "another queue's visibility",
        of.restore_visibility,
        SHORT,
        QUEUE,
        (
            queue(visibility_seconds=5),
            change(DEAD, "SetQueueAttributes", -90, {VISIBILITY: "300"}),
            put(5, "5"),
        ),
    ),
    Scene("visibility", of.lengthen_visibility, SHORT, QUEUE, (queue(), ON, reader()), LENGTHENED),
    Scene("visibility, the reader accused", of.lengthen_visibility, SHORT, READER, (queue(), ON, reader()), LENGTHENED),
    Scene(
        "visibility with a batch window",
        of.lengthen_visibility,
        SHORT,
        QUEUE,
        (queue(), read_by(window_seconds=20), reader()),
        (("sqs.set_visibility", Effect.MENDS, sets("380")),),
    ),
    Scene(
        "visibility at SQS's most",
        of.lengthen_visibility,
        SHORT,
        QUEUE,
        (queue(visibility_seconds=43_200), ON, reader(timeout_seconds=900)),
    ),
    Scene("timeout not known", of.lengthen_visibility, SHORT, QUEUE, (queue(), ON)),
    Scene(
        "visibility long enough", of.lengthen_visibility, SHORT, QUEUE, (queue(visibility_seconds=360), ON, reader())
    ),
    Scene(
        "a queue in China",
        of.lengthen_visibility,
        SHORT,
        CHINA,
        (queue(CHINA), read_by(CHINA), reader()),
        (
            (
                "sqs.set_visibility",
                Effect.MENDS,
                sets("360", "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/payments"),
            ),
        ),
    ),
    Scene(
        "a partition whose hosts are not known",
        of.lengthen_visibility,
        SHORT,
        SECRET_CLOUD,
        (queue(SECRET_CLOUD), read_by(SECRET_CLOUD), reader()),
    ),
    Scene("one attempt", of.raise_max_receives, ONCE, QUEUE, (queue(receives=1),), RECEIVES),
    Scene("no dead-letter queue", of.raise_max_receives, ONCE, QUEUE, (queue(),)),
    Scene("attempts enough", of.raise_max_receives, ONCE, QUEUE, (queue(receives=5),)),
    Scene("pollers ask for too much", of.cap_mapping, STARVED, QUEUE, (ON, reserved(10)), CAPPED),
    Scene("nothing reserved", of.cap_mapping, STARVED, QUEUE, (ON, reserved(None))),
    Scene("reserved less than a mapping needs", of.cap_mapping, STARVED, QUEUE, (ON, reserved(1))),
    Scene("capped already", of.cap_mapping, STARVED, QUEUE, (read_by(max_concurrency=5), reserved(10))),
    Scene("messages expire", of.keep_longer, LOST, QUEUE, (queue(),), KEPT),
    Scene("kept as long as can be", of.keep_longer, LOST, QUEUE, (queue(retention_seconds=1_209_600),)),
    Scene("a queue that is gone", of.keep_longer, LOST, QUEUE, (GONE,)),
    Scene("dead letters", of.redrive, DEAD_LETTERS, QUEUE, (queue(receives=3), dead(7)), MOVED),
    Scene("no dead letters", of.redrive, DEAD_LETTERS, QUEUE, (queue(receives=3), dead(0))),
    Scene("dead-letter queue not seen", of.redrive, DEAD_LETTERS, QUEUE, (queue(receives=3),)),
    Scene("key going", of.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion"),), (CANCEL, ENABLE)),
    Scene("key disabled", of.revive_key, "sqs-kms", QUEUE, (key("Disabled"),), (ENABLE,)),
    Scene("AWS's own key", of.revive_key, "sqs-kms", QUEUE, (key("Disabled", aws_managed=True),)),
    Scene("key without an ARN", of.revive_key, "sqs-kms", QUEUE, (key("Disabled", key_arn="alias/orders"),)),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected


def test_bringing_dead_letters_back_comes_second_and_cannot_be_undone() -> None:
    also = DeadLetterSources(resource=DEAD, source="sqs:ListDeadLetterSourceQueues", queues=(QUEUE, FIFO))
    [action] = offered(
        Scene("shared", of.redrive, DEAD_LETTERS, QUEUE, (queue(receives=3), dead(7), also)),
    )

    assert action.title.startswith("When its readers work again")
    assert not action.reversible
    assert "the dead letters of `payments.fifo` go back as well" in action.trade_off
