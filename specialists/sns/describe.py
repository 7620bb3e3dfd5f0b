"""From SNS's answers, most of them texts with JSON inside, to typed values."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from domain.resource import Resource
from specialists.kit.policies import policy_of
from specialists.sns.evidence import DeliveryFailure, Subscriber, SubscriptionSettings, TopicState

PENDING = "PendingConfirmation"
FEEDBACK = "FailureFeedbackRoleArn"
MAX_FILTER = 500
MAX_RESPONSE = 500


class Parsed(NamedTuple):
    """A JSON object that stood in a text; `problem` when the text was none."""

    value: Mapping[str, Any]
    problem: str = ""


def parsed(text: str, what: str) -> Parsed:
    """Read a JSON object; an empty text is an empty object."""
    if not text.strip():
        return Parsed({})
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Parsed({}, f"its {what} is no JSON")
    return Parsed(value) if isinstance(value, dict) else Parsed({}, f"its {what} is no JSON object")


def topic_state(target: Resource, found: Mapping[str, str] | None) -> TopicState:
    """Return what GetTopicAttributes told; None means that there is no such topic."""
    source = "sns:GetTopicAttributes"
    if found is None:
        return TopicState(resource=target.id, source=source, exists=False, name=target.name)
    delivery = parsed(found.get("DeliveryPolicy", ""), "delivery policy")
    http = delivery.value.get("http")
    retry = http.get("defaultHealthyRetryPolicy") if isinstance(http, dict) else None
    retries = retry.get("numRetries") if isinstance(retry, dict) else None
    return TopicState(
        resource=target.id,
        source=source,
        exists=True,
        name=target.name,
        key_id=found.get("KmsMasterKeyId", ""),
        policy=policy_of(found.get("Policy", "")),
        confirmed=_count(found.get("SubscriptionsConfirmed")),
        pending=_count(found.get("SubscriptionsPending")),
        logged=tuple(sorted(k.removesuffix(FEEDBACK) for k, role in found.items() if k.endswith(FEEDBACK) and role)),
        http_retries=retries if isinstance(retries, int) else None,
        delivery_policy_problem=delivery.problem,
    )


def subscriber(found: Mapping[str, Any]) -> Subscriber:
    """Read one entry of ListSubscriptionsByTopic; its ARN is a word while it is not confirmed."""
    arn = str(found.get("SubscriptionArn", ""))
    confirmed = arn.startswith("arn:")
    return Subscriber(
        arn=arn if confirmed else "",
        protocol=str(found.get("Protocol", "")),
        endpoint=endpoint_label(str(found.get("Endpoint", ""))),
        confirmed=confirmed or arn != PENDING,
    )


def settings(target: Resource, one: Subscriber, found: Mapping[str, str]) -> SubscriptionSettings:
    """Return what GetSubscriptionAttributes told."""
    text = found.get("FilterPolicy", "")
    policy, redrive = parsed(text, "filter policy"), parsed(found.get("RedrivePolicy", ""), "redrive policy")
    pending = found.get(PENDING, "false") == "true"
    return SubscriptionSettings(
        resource=target.id,
        source="sns:GetSubscriptionAttributes",
        subscription=one.arn,
        subscriber=one.model_copy(update={"confirmed": one.confirmed and not pending}),
        filter_policy=text[:MAX_FILTER] if policy.value or policy.problem else "",
        filter_keys=tuple(sorted(policy.value)),
        scope=found.get("FilterPolicyScope", "") or "MessageAttributes",
        dead_letter_arn=str(redrive.value.get("deadLetterTargetArn", "")),
        raw=found.get("RawMessageDelivery", "") == "true",
        problem="; ".join(problem for problem in (policy.problem, redrive.problem) if problem),
    )


def delivery_failure(at: datetime, line: str) -> DeliveryFailure:
    """Read one line of a delivery status log; a line that is no JSON is kept as it stands."""
    delivery = parsed(line, "line").value.get("delivery")
    if not isinstance(delivery, dict):
        return DeliveryFailure(at=at, destination="", response=line[:MAX_RESPONSE])
    status = delivery.get("statusCode")
    return DeliveryFailure(
        at=at,
        destination=endpoint_label(str(delivery.get("destination", ""))),
        status=status if isinstance(status, int) else None,
        response=_answer(str(delivery.get("providerResponse", "")))[:MAX_RESPONSE],
    )


def _answer(text: str) -> str:
    """Return SQS's and Lambda's answers, which are JSON inside text, as code and message; any other as it stands."""
    told = parsed(text, "answer").value
    words = [str(told[name]) for name in ("ErrorCode", "ErrorMessage") if told.get(name)]
    return ": ".join(words) or text


def endpoint_label(endpoint: str) -> str:
    """Return what may be kept of an endpoint: an ARN, or a URL's host. A person's address is nobody's business."""
    if endpoint.startswith("arn:"):
        return endpoint
    try:
        return (urlsplit(endpoint).hostname or "") if "://" in endpoint else ""
    except ValueError:
        return ""


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
