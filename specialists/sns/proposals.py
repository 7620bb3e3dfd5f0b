"""What could be done about a topic: give a subscription the filter or dead-letter queue that it had, revive its key."""

import json
from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.proposals import KEPT_AS_CODE, before, cited, made, revived, shown
from specialists.sns.evidence import SubscriptionSettings

SET_ATTRIBUTES = "SetSubscriptionAttributes"
SUBSCRIPTION, NAME, VALUE = "subscriptionArn", "attributeName", "attributeValue"
"""How CloudTrail spells the parameters of SetSubscriptionAttributes."""


@proposal("sns-filter-mismatch", "deploy-regression")
def restore_filter(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the filter policy that the subscription had before the change that the verdict rests on."""
    change = cited(accepted, bundle, SET_ATTRIBUTES)
    if change is not None and change.parameters.get(NAME) == "FilterPolicy":
        filtered = "NumberOfNotificationsFilteredOut falls to its usual number."
        yield from _restored(accepted, bundle, change, Effect.UNDOES, filtered)


@proposal("sns-dlq", "sns-delivery-failed")
def restore_dead_letter_queue(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the dead-letter queue that a subscription lost lately, so that what fails is kept until it is mended."""
    last = {change.parameters.get(SUBSCRIPTION): change for change in made(bundle, accepted.resource, SET_ATTRIBUTES)
            if change.parameters.get(NAME) == "RedrivePolicy"}  # fmt: skip
    for settings in bundle.of(SubscriptionSettings, accepted.resource):
        change = last.get(settings.subscription)
        if change is not None and not settings.dead_letter_arn:
            kept = "NumberOfNotificationsRedrivenToDlq rises with the failed deliveries."
            yield from _restored(accepted, bundle, change, Effect.RELIEVES, kept)


def _restored(
    accepted: RankedHypothesis, bundle: EvidenceBundle, change: Change, effect: Effect, verification: str
) -> Iterator[ProposedAction]:
    arn, attribute = change.parameters.get(SUBSCRIPTION, ""), change.parameters[NAME]
    settings = next((s for s in bundle.of(SubscriptionSettings, accepted.resource) if s.subscription == arn), None)
    earlier = before(bundle, change, SET_ATTRIBUTES, same=(SUBSCRIPTION, NAME))
    value = earlier.parameters.get(VALUE, "") if earlier else ""
    if settings is None or earlier is None or not _whole(value) or value == change.parameters.get(VALUE):
        return
    yield proposed(
        "sns.set_subscription",
        call=("sns", SET_ATTRIBUTES),
        parameters={"SubscriptionArn": arn, "AttributeName": attribute, "AttributeValue": value},
        resource=accepted.resource,
        title=f"Restore the {attribute} of subscription {settings.subscriber}",
        rationale=f"`{change.who}` changed it at {change.observed_at:%H:%M} UTC.",
        expected_effect="It is used for the messages published from then on; a filter takes up to 15 minutes.",
        risk=Risk.LOW,
        undo=f"Set {attribute} to {_now(change)} again.",
        verification=verification,
        effect=effect,
        trade_off=f"what the change was made for is undone with it; {KEPT_AS_CODE}",
        evidence=shown(accepted, change, earlier, settings),
    )


def _whole(value: str) -> bool:
    """Whether it is a JSON object in full: changes keep only the beginning of a long one."""
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False


def _now(change: Change) -> str:
    value = change.parameters.get(VALUE, "")
    return value if _whole(value) else "what the change set"


@proposal("sns-encrypted-topic", "kms-pending-deletion")
def revive_key(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to take the topic's key out of its deletion, and to enable it."""
    for key in bundle.of(KeyState):
        if key.exists and not key.aws_managed and accepted.resource in {key.resource, key.key_arn}:
            yield from revived(accepted, key, key.key_arn, key.state)


PROPOSALS: tuple[Proposal, ...] = (restore_filter, restore_dead_letter_queue, revive_key)
