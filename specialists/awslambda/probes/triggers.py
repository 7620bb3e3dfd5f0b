"""Looks at what feeds the function: event source mappings and their sources, its policy, its asynchronous events."""

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aws.reads import read
from domain.evidence import Evidence
from domain.values import utc
from specialists.awslambda.evidence import (
    AsyncSettings,
    EventSources,
    FunctionMissing,
    Grant,
    Mapping,
    ResourcePolicy,
    SourceQueue,
)
from specialists.awslambda.probes.function import of_function
from specialists.contract import Look, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOKUP_EVENTS, changes
from specialists.kit.functions import GET_POLICY, NO_FUNCTION, policy_text_of
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef
    from types_boto3_sqs.type_defs import GetQueueAttributesResultTypeDef

RECENT = timedelta(days=1)
MAX_SOURCES = 10
NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


@probe(read("lambda", "ListEventSourceMappings"), yields=(EventSources, FunctionMissing))
def event_sources(look: Look) -> Iterator[Evidence]:
    """Event source mappings: enabled or not, last result, batch, retry and filter settings."""
    pages = look.aws.lambda_.get_paginator("list_event_source_mappings").paginate(FunctionName=look.target.name)
    found = of_function(
        look, "ListEventSourceMappings", lambda: [m for page in pages for m in page.get("EventSourceMappings", [])]
    )
    if isinstance(found, FunctionMissing):
        yield found
        return
    yield EventSources(
        resource=look.target.id,
        source="lambda:ListEventSourceMappings",
        mappings=tuple(sorted((_mapping(m) for m in found), key=lambda m: (m.source_arn, m.uuid))),
    )


def _mapping(answer: "EventSourceMappingConfigurationTypeDef") -> Mapping:
    modified = answer.get("LastModified")
    destinations = answer.get("DestinationConfig") or {}
    return Mapping(
        uuid=answer.get("UUID", ""),
        source_arn=answer.get("EventSourceArn", ""),
        state=answer.get("State", "Enabled"),
        state_reason=answer.get("StateTransitionReason") or "",
        last_result=answer.get("LastProcessingResult") or "",
        last_modified=utc(modified) if modified else None,
        batch_size=answer.get("BatchSize"),
        parallelization=answer.get("ParallelizationFactor"),
        retries=answer.get("MaximumRetryAttempts"),
        max_age_seconds=answer.get("MaximumRecordAgeInSeconds"),
        bisects=bool(answer.get("BisectBatchOnFunctionError")),
        on_failure=(destinations.get("OnFailure") or {}).get("Destination") or "",
        max_concurrency=(answer.get("ScalingConfig") or {}).get("MaximumConcurrency"),
        filters=tuple(f.get("Pattern", "") for f in (answer.get("FilterCriteria") or {}).get("Filters") or ()),
        filter_error=(answer.get("FilterCriteriaError") or {}).get("Message") or "",
        reports_item_failures="ReportBatchItemFailures" in (answer.get("FunctionResponseTypes") or ()),
    )


@probe(GET_POLICY, yields=(ResourcePolicy,))
def resource_policy(look: Look) -> Iterator[Evidence]:
    """The function's own policy: which services and accounts may invoke it."""
    policy = absent(lambda: policy_text_of(look, look.target.name), NO_FUNCTION)
    statements = _statements(policy) if policy else []
    yield ResourcePolicy(
        resource=look.target.id,
        source="lambda:GetPolicy",
        grants=tuple(_grant(s) for s in statements or ()),
        readable=statements is not None,
    )


def _statements(policy: str) -> list[dict[str, Any]] | None:
    """Return the policy's statements, or None when it cannot be read."""
    try:
        document = json.loads(policy)
    except ValueError:
        return None
    statements = document.get("Statement") if isinstance(document, dict) else None
    return [s for s in _listed(statements) if isinstance(s, dict)] if statements is not None else None


def _grant(statement: dict[str, Any]) -> Grant:
    principal = statement.get("Principal")
    named = [p for value in principal.values() for p in _listed(value)] if isinstance(principal, dict) else [principal]
    conditions = statement.get("Condition")
    tests = [t for t in conditions.values() if isinstance(t, dict)] if isinstance(conditions, dict) else []
    sources = [v for test in tests for key, value in test.items() if ":source" in key.lower() for v in _listed(value)]
    return Grant(
        sid=str(statement.get("Sid", "")),
        effect=str(statement.get("Effect", "Allow")),
        principals=tuple(str(p) for p in named if p),
        actions=tuple(str(a) for a in _listed(statement.get("Action"))),
        sources=tuple(str(s) for s in sources),
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@probe(read("lambda", "GetFunctionEventInvokeConfig"), yields=(AsyncSettings,))
def async_settings(look: Look) -> Iterator[Evidence]:
    """Asynchronous invocation: retries, maximum age, and where failed events go."""
    name = look.target.name
    answer = absent(lambda: look.aws.lambda_.get_function_event_invoke_config(FunctionName=name), NO_FUNCTION)
    destinations = answer.get("DestinationConfig", {}) if answer else {}
    retries = answer.get("MaximumRetryAttempts") if answer else None
    age = answer.get("MaximumEventAgeInSeconds") if answer else None
    yield AsyncSettings(
        resource=look.target.id,
        source="lambda:GetFunctionEventInvokeConfig",
        configured=answer is not None,
        retries=2 if retries is None else retries,
        max_age_seconds=21_600 if age is None else age,
        on_failure=(destinations.get("OnFailure") or {}).get("Destination") or "",
        on_success=(destinations.get("OnSuccess") or {}).get("Destination") or "",
    )


@probe(GET_METRIC_DATA, needs=(EventSources,), yields=(MetricSeries,))
def source_metrics(look: Look) -> Iterator[Evidence]:
    """Depth and flow of the queues and streams that feed the function."""
    found = look.seen.first(EventSources, look.target.id)
    metrics = [m for mapping in (found.mappings if found else ())[:MAX_SOURCES] for m in _of_source(mapping)]
    if metrics:
        yield from metric_series(look, metrics)


@probe(
    read("sqs", "GetQueueUrl"),
    read("sqs", "GetQueueAttributes"),
    needs=(EventSources,),
    yields=(SourceQueue,),
)
def source_queues(look: Look) -> Iterator[Evidence]:
    """Visibility timeout of the queues that feed the function."""
    found = look.seen.first(EventSources, look.target.id)
    for mapping in (found.mappings if found else ())[:MAX_SOURCES]:
        if mapping.service != "sqs":
            continue
        answer = absent(partial(_visibility, look, mapping), *NO_QUEUE)
        if answer is None:
            continue  # that the queue is gone is told where the queue is looked at
        yield SourceQueue(
            resource=look.target.id,
            source="sqs:GetQueueAttributes",
            queue=mapping.source_arn,
            visibility_seconds=int(answer.get("Attributes", {}).get("VisibilityTimeout", 30)),
        )


def _visibility(look: Look, mapping: Mapping) -> "GetQueueAttributesResultTypeDef":
    owner = mapping.source_arn.split(":")[4]
    url = look.aws.sqs.get_queue_url(QueueName=mapping.source_name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
    return look.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])


def _of_source(mapping: Mapping) -> Iterator[Metric]:
    name = mapping.source_name
    if mapping.service == "sqs":
        queue = {"QueueName": name}
        yield Metric("AWS/SQS", "NumberOfMessagesDeleted", queue)
        yield Metric("AWS/SQS", "NumberOfMessagesSent", queue)
        yield Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, "Maximum")
    elif mapping.service == "kinesis":
        yield Metric("AWS/Kinesis", "IncomingRecords", {"StreamName": name})
    if mapping.filters:
        by_mapping = {"EventSourceMappingUUID": mapping.uuid}
        yield Metric("AWS/Lambda", "PolledEventCount", by_mapping)
        yield Metric("AWS/Lambda", "FilteredOutEventCount", by_mapping)


@probe(LOOKUP_EVENTS, needs=(EventSources,), yields=(Change,))
def mapping_changes(look: Look) -> Iterator[Evidence]:
    """Who switched off an event source mapping, and when."""
    found = look.seen.first(EventSources, look.target.id)
    for mapping in found.mappings if found else ():
        recent = mapping.last_modified is None or mapping.last_modified > look.window.start - RECENT
        if not mapping.enabled and recent:
            yield from changes(look, mapping.uuid)


TRIGGER_PROBES = (
    event_sources,
    resource_policy,
    async_settings,
    source_metrics,
    source_queues,
    mapping_changes,
)
