"""What is offered for a topic, and what is not where a parameter is unknown."""

import pytest

from domain.action import Effect
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.sns import proposals as of
from specialists.sns.evidence import Subscriber, SubscriptionSettings
from tests.specialists.proposals_building import CANCEL, ENABLE, KEY, Scene, change, label, offers

TOPIC = "arn:aws:sns:eu-west-1:123456789012:orders"
SUBSCRIPTION = f"{TOPIC}:11111111-2222-3333-4444-555555555555"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:shipping"
WIDE, NARROW = '{"type": ["order", "refund"]}', '{"type": ["refund"]}'
REDRIVE = '{"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:lost"}'
MISMATCH = "sns-filter-mismatch"


def settings(subscription: str = SUBSCRIPTION, dead_letter_arn: str = "") -> SubscriptionSettings:
    return SubscriptionSettings(
        resource=TOPIC,
        source="sns:GetSubscriptionAttributes",
        subscription=subscription,
        subscriber=Subscriber(arn=subscription, protocol="sqs", endpoint=QUEUE),
        dead_letter_arn=dead_letter_arn,
    )


def sets(at: float, value: str, name: str = "FilterPolicy", **fields: str) -> Change:
    told = {"subscriptionArn": SUBSCRIPTION, "attributeName": name, "attributeValue": value, **fields}
    return change(TOPIC, "SetSubscriptionAttributes", at, told)


def key(state: str, **fields: object) -> KeyState:
    return KeyState.model_validate({
        "resource": TOPIC, "source": "kms:DescribeKey", "key_arn": KEY, "state": state, **fields
    })  # fmt: skip


def restored(name: str, value: str, effect: Effect = Effect.UNDOES) -> tuple[tuple[str, Effect, dict[str, str]], ...]:
    asked = {"SubscriptionArn": SUBSCRIPTION, "AttributeName": name, "AttributeValue": value}
    return (("sns.set_subscription", effect, asked),)


SCENES = (
    Scene(
        "filter it had",
        of.restore_filter,
        MISMATCH,
        TOPIC,
        (settings(), sets(-90, WIDE), sets(5, NARROW)),
        restored("FilterPolicy", WIDE),
    ),
    Scene("filter before unknown", of.restore_filter, MISMATCH, TOPIC, (settings(), sets(5, NARROW))),
    Scene(
        "filter before known in part",
        of.restore_filter,
        MISMATCH,
        TOPIC,
        (settings(), sets(-90, WIDE[:-3]), sets(5, NARROW)),
    ),
    Scene(
        "another attribute before",
        of.restore_filter,
        MISMATCH,
        TOPIC,
        (settings(), sets(-90, REDRIVE, "RedrivePolicy"), sets(5, NARROW)),
    ),
    Scene(
        "another subscription's filter before",
        of.restore_filter,
        MISMATCH,
        TOPIC,
        (settings(), sets(-90, WIDE, subscriptionArn=f"{TOPIC}:other"), sets(5, NARROW)),
    ),
    Scene(
        "change not cited",
        of.restore_filter,
        MISMATCH,
        TOPIC,
        (settings(), sets(-90, WIDE), sets(5, NARROW)),
        cites=(0,),
    ),
    Scene(
        "subscription not seen", of.restore_filter, MISMATCH, TOPIC, (settings(TOPIC), sets(-90, WIDE), sets(5, NARROW))
    ),
    Scene(
        "dead-letter queue it had",
        of.restore_dead_letter_queue,
        "sns-delivery-failed",
        TOPIC,
        (settings(), sets(-90, REDRIVE, "RedrivePolicy"), sets(5, "", "RedrivePolicy")),
        restored("RedrivePolicy", REDRIVE, Effect.RELIEVES),
        cites=(),
    ),
    Scene(
        "dead-letter queue is there",
        of.restore_dead_letter_queue,
        "sns-delivery-failed",
        TOPIC,
        (settings(dead_letter_arn=QUEUE), sets(-90, REDRIVE, "RedrivePolicy"), sets(5, "", "RedrivePolicy")),
    ),
    Scene(
        "dead-letter queue before unknown",
        of.restore_dead_letter_queue,
        "sns-dlq",
        TOPIC,
        (settings(), sets(5, "", "RedrivePolicy")),
    ),
    Scene("key going", of.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion"),), (CANCEL, ENABLE)),
    Scene("key disabled", of.revive_key, "sns-encrypted-topic", TOPIC, (key("Disabled"),), (ENABLE,)),
    Scene("AWS's own key", of.revive_key, "sns-encrypted-topic", TOPIC, (key("Disabled", aws_managed=True),)),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected
