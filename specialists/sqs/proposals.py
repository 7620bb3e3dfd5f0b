"""What could be done about a queue: let it be read again, give its readers time, bring its dead letters back."""

import json
from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.key import KeyState
from specialists.kit.proposals import KEPT_AS_CODE, before, cited, enabled, queue_url, revived, shown
from specialists.sqs.evidence import (
    Consumer,
    ConsumerConcurrency,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    QueueState,
)

SET_ATTRIBUTES = ("sqs", "SetQueueAttributes")
TIMES_TIMEOUT = 6
"""AWS's advice for the visibility timeout, in timeouts of the function that reads the queue, plus the batch window.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
"""
LONGEST_VISIBILITY, LONGEST_RETENTION = 43_200, 1_209_600
ENOUGH_RECEIVES = 5
"""AWS's advice for maxReceiveCount with Lambda, from the same page."""


@proposal("esm-disabled")
def enable_mapping(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to enable each switched-off mapping of the function that was seen on a queue of the case."""
    for found, mapping in _mappings(bundle):
        if mapping.function == accepted.resource and mapping.state == "Disabled" and found.id in accepted.evidence:
            yield enabled(
                accepted, found, mapping.uuid, mapping.function, found.resource, "ApproximateAgeOfOldestMessage"
            )


@proposal("esm-visibility-lt-timeout", "deploy-regression")
def restore_visibility(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the visibility timeout that the queue had before the change that the verdict rests on."""
    state, change = bundle.first(QueueState, accepted.resource), cited(accepted, bundle, "SetQueueAttributes")
    key = "attributes.VisibilityTimeout"
    if state is None or not state.exists or change is None or key not in change.parameters:
        return
    earlier = next(
        (
            one.parameters[key]
            for one in [before(bundle, change, "SetQueueAttributes", "CreateQueue")]
            if one is not None and one.parameters.get(key, "").isdecimal()
        ),
        None,
    )
    if earlier is not None and int(earlier) > state.visibility_seconds:
        yield from _visibility(
            accepted, state, int(earlier), Effect.UNDOES, "It had this visibility timeout before.", change
        )


@proposal("esm-visibility-lt-timeout")
def lengthen_visibility(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the visibility timeout that AWS advises for the function that reads the queue."""
    for found, mapping in _mappings(bundle):
        state, settings = bundle.first(QueueState, found.resource), bundle.first(ConsumerFunction, mapping.function)
        if accepted.resource not in {found.resource, mapping.function} or state is None or settings is None:
            continue
        if not state.exists or not settings.exists:
            continue
        seconds = min(TIMES_TIMEOUT * settings.timeout_seconds + mapping.window_seconds, LONGEST_VISIBILITY)
        if seconds > state.visibility_seconds:
            why = f"`{mapping.name}` may take {settings.timeout_seconds} s a batch: AWS advises six times that."
            yield from _visibility(accepted, state, seconds, Effect.MENDS, why, settings)


def _visibility(
    accepted: RankedHypothesis, state: QueueState, seconds: int, effect: Effect, why: str, *seen: Evidence
) -> Iterator[ProposedAction]:
    url = queue_url(state.resource)
    if url is None:
        return
    yield proposed(
        "sqs.set_visibility",
        call=SET_ATTRIBUTES,
        parameters={"QueueUrl": url, "Attributes": {"VisibilityTimeout": str(seconds)}},
        resource=state.resource,
        title=f"Let `{state.name}` hide received messages for {seconds} s",
        rationale=why,
        expected_effect="Messages no longer come back while they are worked on.",
        risk=Risk.LOW,
        undo=f"Set VisibilityTimeout back to {state.visibility_seconds}.",
        verification="NumberOfMessagesReceived falls to NumberOfMessagesDeleted: no message is handed out twice.",
        effect=effect,
        trade_off=f"a message whose reader dies waits up to {seconds} s for the next attempt; {KEPT_AS_CODE}",
        evidence=shown(accepted, *seen, state),
    )


@proposal("sqs-maxreceive-1", "esm-concurrency-starved")
def raise_max_receives(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer as many attempts as AWS advises before a message counts as dead."""
    state = bundle.first(QueueState, accepted.resource)
    url = queue_url(accepted.resource) if state is not None and state.exists else None
    if state is None or state.redrive is None or url is None or state.redrive.max_receives >= ENOUGH_RECEIVES:
        return
    policy = {"deadLetterTargetArn": state.redrive.target, "maxReceiveCount": ENOUGH_RECEIVES}
    yield proposed(
        "sqs.set_max_receives",
        call=SET_ATTRIBUTES,
        parameters={"QueueUrl": url, "Attributes": {"RedrivePolicy": json.dumps(policy, separators=(",", ":"))}},
        resource=accepted.resource,
        title=f"Try each message of `{state.name}` {ENOUGH_RECEIVES} times",
        rationale=f"After {state.redrive.max_receives} receives a message counts as dead, whatever the reason.",
        expected_effect="A throttle or a short failure no longer makes dead letters.",
        risk=Risk.LOW,
        undo=f"Set maxReceiveCount back to {state.redrive.max_receives}, with the same dead-letter queue.",
        verification="ApproximateNumberOfMessagesVisible of the dead-letter queue stops growing.",
        effect=Effect.MENDS,
        trade_off=f"a message that cannot be worked on is tried more often before it is set aside; {KEPT_AS_CODE}",
        evidence=shown(accepted, state),
    )


@proposal("esm-concurrency-starved")
def cap_mapping(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to let the mapping ask for no more invocations at once than the function has reserved."""
    for found, mapping in _mappings(bundle):
        own = bundle.first(ConsumerConcurrency, mapping.function)
        reserved = own.reserved if own else None
        if found.resource != accepted.resource or own is None or reserved is None or mapping.max_concurrency:
            continue
        if 2 <= reserved <= 1000 and mapping.enabled:
            yield _capped(accepted, mapping, reserved, found, own)


def _capped(accepted: RankedHypothesis, mapping: Consumer, reserved: int, *seen: Evidence) -> ProposedAction:
    return proposed(
        "lambda.cap_mapping",
        call=("lambda", "UpdateEventSourceMapping"),
        parameters={"UUID": mapping.uuid, "ScalingConfig": {"MaximumConcurrency": reserved}},
        resource=mapping.function,
        title=f"Let the mapping of `{mapping.name}` run at most {reserved} at once",
        rationale=f"The function has {reserved} reserved, and the pollers ask for more: each refusal costs a receive.",
        expected_effect="The pollers wait instead of being throttled, and receives are no longer used up.",
        risk=Risk.LOW,
        undo='Take the limit away again: update the mapping with an empty ScalingConfig ("{}").',
        verification=f"Throttles of `{mapping.name}` fall to 0.",
        effect=Effect.MENDS,
        trade_off=f"the queue is read no faster than before; {KEPT_AS_CODE}",
        evidence=shown(accepted, *seen),
    )


@proposal("sqs-retention-expired")
def keep_longer(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to keep messages as long as SQS can, so that no more are lost until somebody reads them."""
    state = bundle.first(QueueState, accepted.resource)
    url = queue_url(accepted.resource) if state is not None and state.exists else None
    if state is None or url is None or state.retention_seconds >= LONGEST_RETENTION:
        return
    yield proposed(
        "sqs.set_retention",
        call=SET_ATTRIBUTES,
        parameters={"QueueUrl": url, "Attributes": {"MessageRetentionPeriod": str(LONGEST_RETENTION)}},
        resource=accepted.resource,
        title=f"Let `{state.name}` keep messages for 14 days",
        rationale=f"It keeps them {state.retention_seconds} s, and the oldest are being deleted unread.",
        expected_effect="What waits now is kept until its readers have caught up.",
        risk=Risk.LOW,
        undo=f"Set MessageRetentionPeriod back to {state.retention_seconds}: older messages are then deleted.",
        verification="ApproximateAgeOfOldestMessage rises above the old limit instead of stopping at it.",
        effect=Effect.RELIEVES,
        trade_off=f"old messages may be worthless by the time they are read; {KEPT_AS_CODE}",
        evidence=shown(accepted, state),
    )


@proposal("sqs-dlq-filling", "sqs-maxreceive-1", "esm-concurrency-starved", "esm-visibility-lt-timeout")
def redrive(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to bring the dead letters back, as the step after the one that mends their cause."""
    state = bundle.first(QueueState, accepted.resource)
    dead = bundle.first(QueueState, state.redrive.target) if state is not None and state.redrive else None
    if state is None or dead is None or not dead.exists or dead.visible == 0:
        return
    sources = bundle.first(DeadLetterSources, dead.resource)
    others = [q for q in sources.queues if q != accepted.resource] if sources else []
    names = ", ".join(f"`{q.rsplit(':', 1)[-1]}`" for q in others[:3])
    also = f"; the dead letters of {names} go back as well" if others else ""
    yield proposed(
        "sqs.redrive",
        call=("sqs", "StartMessageMoveTask"),
        parameters={"SourceArn": dead.resource},
        resource=accepted.resource,
        title=f"When its readers work again: move the {dead.visible} messages of `{dead.name}` back",
        rationale=f"{dead.visible} messages wait in the dead-letter queue and are lost when they grow too old.",
        expected_effect="They go back to the queues they came from and are worked on again.",
        risk=Risk.MEDIUM,
        reversible=False,
        undo="CancelMessageMoveTask stops it; what has moved stays moved.",
        verification=f"ApproximateNumberOfMessagesVisible of `{dead.name}` falls to 0 and stays there.",
        effect=Effect.RELIEVES,
        trade_off=f"while the cause lasts they only come back here; what was half done is done again{also}",
        evidence=shown(accepted, dead, state),
    )


@proposal("sqs-kms", "kms-pending-deletion")
def revive_key(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to take the queue's key out of its deletion, and to enable it."""
    for key in bundle.of(KeyState):
        if key.exists and not key.aws_managed and accepted.resource in {key.resource, key.key_arn}:
            yield from revived(accepted, key, key.key_arn, key.state)


def _mappings(bundle: EvidenceBundle) -> Iterator[tuple[Consumers, Consumer]]:
    return ((found, mapping) for found in bundle.of(Consumers) for mapping in found.mappings)


PROPOSALS: tuple[Proposal, ...] = (
    enable_mapping,
    restore_visibility,
    lengthen_visibility,
    raise_max_receives,
    cap_mapping,
    keep_longer,
    redrive,
    revive_key,
)
