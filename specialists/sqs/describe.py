"""From AWS's answers to typed values: a queue's attributes, a policy, an event source mapping.

Attributes are text, and RedrivePolicy and Policy are JSON inside text:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from domain.resource import Resource, resource_from_arn
from domain.values import from_epoch, utc
from specialists.sqs.evidence import Consumer, QueueState, Redrive, Statement

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

SOURCE = "sqs:GetQueueAttributes"


def queue_state(queue: Resource, attributes: Mapping[str, str] | None) -> QueueState:
    """Return what GetQueueAttributes told; None means that there is no such queue."""
    if attributes is None:
        return QueueState(resource=queue.id, source=SOURCE, exists=False, name=queue.name)
    redrive, policy = attributes.get("RedrivePolicy"), attributes.get("Policy")
    where = redrive_of(redrive)
    statements = statements_of(policy)
    unreadable = (
        *(["RedrivePolicy"] if redrive and where is None else []),
        *(["Policy"] if policy and statements is None else []),
    )
    return QueueState(
        resource=queue.id,
        source=SOURCE,
        exists=True,
        name=queue.name,
        fifo=attributes.get("FifoQueue") == "true" or queue.name.endswith(".fifo"),
        visibility_seconds=_number(attributes, "VisibilityTimeout", 30),
        retention_seconds=_number(attributes, "MessageRetentionPeriod", 345_600),
        delay_seconds=_number(attributes, "DelaySeconds", 0),
        max_message_bytes=_number(attributes, "MaximumMessageSize", 262_144),
        redrive=where,
        statements=statements,
        unreadable=unreadable,
        key=attributes.get("KmsMasterKeyId", ""),
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        deduplication_scope=attributes.get("DeduplicationScope", ""),
        visible=_number(attributes, "ApproximateNumberOfMessages", 0),
        in_flight=_number(attributes, "ApproximateNumberOfMessagesNotVisible", 0),
        created_at=_moment(attributes, "CreatedTimestamp"),
        modified_at=_moment(attributes, "LastModifiedTimestamp"),
    )


def redrive_of(text: str | None) -> Redrive | None:
    """Read a redrive policy; None without one, or when it cannot be read. Counts come as numbers and as text."""
    document = _json_object(text)
    target = document.get("deadLetterTargetArn") if document else None
    try:
        return Redrive(
            target=resource_from_arn(str(target)).id,
            max_receives=int((document or {}).get("maxReceiveCount", "")),
        )
    except (TypeError, ValueError):
        return None


def statements_of(text: str | None) -> tuple[Statement, ...] | None:
    """Read a policy's statements; None without a policy, or when it cannot be read."""
    document = _json_object(text)
    given = document.get("Statement") if document else None
    return None if given is None else tuple(_statement(s) for s in _listed(given) if isinstance(s, dict))


def _statement(given: Mapping[str, Any]) -> Statement:
    principal = given.get("Principal", given.get("NotPrincipal"))
    named = (
        tuple(f"{kind}:{value}" for kind, values in sorted(principal.items()) for value in _listed(values))
        if isinstance(principal, dict)
        else tuple(str(value) for value in _listed(principal))
    )
    return Statement(
        allows=given.get("Effect") == "Allow",
        principals=tuple("*" if name == "AWS:*" else name for name in named),
        actions=tuple(str(action).lower() for action in _listed(given.get("Action", given.get("NotAction")))),
        negated=any(name in given for name in ("NotPrincipal", "NotAction", "NotResource")),
        conditional=bool(given.get("Condition")),
    )


def consumer(answer: "EventSourceMappingConfigurationTypeDef") -> Consumer | None:
    """Read an event source mapping; None when AWS does not say which function it invokes."""
    try:
        function = resource_from_arn(answer.get("FunctionArn", ""))
    except ValueError:
        return None
    modified = answer.get("LastModified")
    filters = (answer.get("FilterCriteria") or {}).get("Filters") or ()
    return Consumer(
        uuid=answer.get("UUID", ""),
        function=function.id,
        qualifier=next(iter(function.qualifiers), ""),
        state=answer.get("State") or "Enabled",
        state_reason=answer.get("StateTransitionReason") or "",
        last_result=answer.get("LastProcessingResult") or "",
        last_modified=utc(modified) if modified else None,
        batch_size=answer.get("BatchSize") or 10,
        window_seconds=answer.get("MaximumBatchingWindowInSeconds") or 0,
        filters=tuple(found.get("Pattern", "") for found in filters),
        reports_item_failures="ReportBatchItemFailures" in (answer.get("FunctionResponseTypes") or ()),
        max_concurrency=(answer.get("ScalingConfig") or {}).get("MaximumConcurrency"),
    )


def arn_of_url(url: str, like: Resource) -> str | None:
    """Return the ARN of a queue URL, in the partition and Region of the other queue; None for anything else."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    if len(parts) < 2 or not parts[-2].isdigit():
        return None
    return f"arn:{like.partition}:sqs:{like.region}:{parts[-2]}:{parts[-1]}"


def _json_object(text: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _number(attributes: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(float(attributes.get(name, default)))
    except (ValueError, OverflowError):
        return default


def _moment(attributes: Mapping[str, str], name: str) -> datetime | None:
    try:
        return from_epoch(float(attributes[name]))
    except (KeyError, ValueError, OverflowError, OSError):
        return None
