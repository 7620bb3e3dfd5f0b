"""What the DynamoDB specialist looks at: the table, its metrics, key, scaling, stream readers and changes."""

from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from aws.reads import read
from domain.evidence import Evidence
from domain.resource import resource_from_arn
from domain.values import utc
from specialists.contract import Look, probe
from specialists.dynamodb.describe import side_and_index, table_state
from specialists.dynamodb.evidence import (
    SIDES,
    NearbyTables,
    Scaling,
    ScalingActivity,
    ScalingTarget,
    StreamReader,
    StreamReaders,
    TableState,
)
from specialists.dynamodb.metrics import BROAD, LIMITS, NAMESPACE, READS, WRITES, dimensions
from specialists.dynamodb.signs import MENTIONS
from specialists.kit.answers import absent
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changes import LOOKUP_EVENTS, counted_changes
from specialists.kit.key import KeyState
from specialists.kit.keys import DESCRIBE_KEY, key_changes, key_state
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, callers_logs
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.overheard import failed_calls
from specialists.kit.series import MetricSeries

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

NOT_FOUND = "ResourceNotFoundException"
MAX_TABLE_NAMES = 1000
MAX_MAPPINGS = 1000
MAX_ACTIVITIES = 50
LOG_PATTERN = (
    "?Throughput ?Throttling ?ConditionalCheck ?Transaction ?ValidationException ?ResourceNotFound ?ItemCollection"
)


@probe(read("dynamodb", "DescribeTable"), yields=(TableState,))
def table(look: Look) -> Iterator[Evidence]:
    """Reads the table's status, capacity, keys, indexes, stream and encryption, or finds that it does not exist."""
    answer = absent(lambda: look.aws.dynamodb.describe_table(TableName=look.target.name), NOT_FOUND)
    yield table_state(look.target, None if answer is None else answer["Table"])


@probe(read("dynamodb", "ListTables"), needs=(TableState,), yields=(NearbyTables,))
def nearby_tables(look: Look) -> Iterator[Evidence]:
    """Lists tables with a similar name when the one that was called does not exist: a typo shows at once."""
    state = look.seen.first(TableState, look.target.id)
    if state is None or state.exists:
        return
    pages = look.aws.dynamodb.get_paginator("list_tables").paginate(PaginationConfig={"MaxItems": MAX_TABLE_NAMES})
    names = [name for page in pages for name in page.get("TableNames", [])]
    yield NearbyTables(
        resource=look.target.id,
        source="dynamodb:ListTables",
        names=tuple(get_close_matches(look.target.name, names, n=3, cutoff=0.7)),
        searched=len(names),
    )


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def table_metrics(look: Look) -> Iterator[Evidence]:
    """Reads consumed and provisioned capacity, throttles by reason, conflicts and failed conditions, a minute each."""
    mine = dimensions(look.target.name)
    counts = (*_throttle_names(), "ConditionalCheckFailedRequests", "TransactionConflict")
    yield from metric_series(
        look,
        [*_capacity(look.target.name), *(Metric(NAMESPACE, name, mine) for name in counts)],
    )


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def operation_metrics(look: Look) -> Iterator[Evidence]:
    """Reads throttles, DynamoDB's own errors and latency of each kind of request that the table gets."""
    wanted = [
        Metric(NAMESPACE, name, dimensions(look.target.name, operation=operation), statistic)
        for operation in (*READS, *WRITES)
        for name, statistic in (
            ("ThrottledRequests", "Sum"),
            ("SystemErrors", "Sum"),
            ("SuccessfulRequestLatency", "SampleCount"),
            ("SuccessfulRequestLatency", "Average"),
            ("SuccessfulRequestLatency", "Maximum"),
        )
    ]
    wanted += [
        Metric(NAMESPACE, "ReturnedItemCount", dimensions(look.target.name, operation=operation), "Average")
        for operation in BROAD
    ]
    yield from (series for series in metric_series(look, wanted) if series.points or series.baseline)


@probe(GET_METRIC_DATA, needs=(TableState,), yields=(MetricSeries,))
def index_metrics(look: Look) -> Iterator[Evidence]:
    """Reads consumed and provisioned capacity and throttles of each global secondary index."""
    state = look.seen.first(TableState, look.target.id)
    wanted = [
        metric
        for index in (state.indexes if state else ())
        for metric in (
            *_capacity(look.target.name, index.name),
            *(Metric(NAMESPACE, name, dimensions(look.target.name, index=index.name)) for name in _throttle_names()),
        )
    ]
    yield from metric_series(look, wanted)


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def account_metrics(look: Look) -> Iterator[Evidence]:
    """Reads how much of the account's DynamoDB quota is used, and its rejected requests, in this Region."""
    yield from metric_series(
        look,
        [
            Metric(NAMESPACE, "AccountProvisionedReadCapacityUtilization", {}, "Maximum"),
            Metric(NAMESPACE, "AccountProvisionedWriteCapacityUtilization", {}, "Maximum"),
            Metric(NAMESPACE, "UserErrors", {}),
        ],
    )


@probe(DESCRIBE_KEY, needs=(TableState,), yields=(KeyState,))
def key(look: Look) -> Iterator[Evidence]:
    """Reads whether the KMS key that encrypts the table can be used; nothing to look at with DynamoDB's own key."""
    state = look.seen.first(TableState, look.target.id)
    if state is None or state.key_arn is None:
        return
    yield key_state(look, state.key_arn)


@probe(LOOKUP_EVENTS, needs=(KeyState,), yields=(Change,))
def changes_of_key(look: Look) -> Iterator[Evidence]:
    """Reads who disabled the table's KMS key or scheduled its deletion, where it cannot be used."""
    yield from key_changes(look)


@probe(read("application-autoscaling", "DescribeScalableTargets"), needs=(TableState,), yields=(Scaling,))
def scaling(look: Look) -> Iterator[Evidence]:
    """Reads between which bounds autoscaling may move the table's and its indexes' capacity."""
    state = look.seen.first(TableState, look.target.id)
    if state is None or not state.exists:
        return
    ours = f"table/{look.target.name}"
    pages = look.aws.autoscaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace="dynamodb", ResourceIds=[ours, *(f"{ours}/index/{index.name}" for index in state.indexes)]
    )
    targets = []
    for found in (target for page in pages for target in page["ScalableTargets"]):
        place = side_and_index(look.target.name, found["ResourceId"], found["ScalableDimension"])
        if place is None:
            continue
        side, index = place
        suspended = found.get("SuspendedState", {}).get("DynamicScalingOutSuspended", False)
        targets.append(
            ScalingTarget(
                index=index,
                side=side,
                minimum=found["MinCapacity"],
                maximum=found["MaxCapacity"],
                suspended=suspended,
            )
        )
    ordered = sorted(targets, key=lambda t: (t.index or "", t.side))
    source = "application-autoscaling:DescribeScalableTargets"
    yield Scaling(resource=look.target.id, source=source, targets=tuple(ordered))


@probe(read("application-autoscaling", "DescribeScalingActivities"), needs=(Scaling,), yields=(ScalingActivity,))
def scaling_activities(look: Look) -> Iterator[Evidence]:
    """Reads what autoscaling did, and what it declined to do and why, from an hour before the window to its end."""
    known = look.seen.first(Scaling, look.target.id)
    places = sorted({target.index or "" for target in known.targets}) if known else []
    for place in places:
        resource = f"table/{look.target.name}" + (f"/index/{place}" if place else "")
        pages = look.aws.autoscaling.get_paginator("describe_scaling_activities").paginate(
            ServiceNamespace="dynamodb", ResourceId=resource, IncludeNotScaledActivities=True
        )
        for found in islice((a for page in pages for a in page["ScalingActivities"]), MAX_ACTIVITIES):
            began = utc(found["StartTime"])
            where = side_and_index(look.target.name, found["ResourceId"], found["ScalableDimension"])
            if where is None or not look.window.start - timedelta(hours=1) <= began <= look.window.end:
                continue
            yield ScalingActivity(
                resource=look.target.id,
                source="application-autoscaling:DescribeScalingActivities",
                observed_at=began,
                index=where[1],
                side=where[0],
                status=found["StatusCode"],
                description=found.get("Description", ""),
                message=found.get("StatusMessage", ""),
                not_scaled=tuple(reason["Code"] for reason in found.get("NotScaledReasons", [])),
            )


@probe(read("lambda", "ListEventSourceMappings"), yields=(StreamReaders,))
def stream_readers(look: Look) -> Iterator[Evidence]:
    """Finds the functions that read a stream of the table, also those still pointed at a stream that is gone."""

    def look_up() -> "list[EventSourceMappingConfigurationTypeDef]":
        pages = look.aws.lambda_.get_paginator("list_event_source_mappings").paginate(
            PaginationConfig={"MaxItems": MAX_MAPPINGS}
        )
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]

    mappings = look.once(("event source mappings", look.target.account, look.target.region), look_up)
    readers = [
        StreamReader(
            uuid=mapping.get("UUID", ""),
            function=resource_from_arn(mapping["FunctionArn"]).id,
            stream_arn=mapping["EventSourceArn"],
            state=mapping.get("State", ""),
            last_result=mapping.get("LastProcessingResult", ""),
        )
        for mapping in mappings
        if mapping.get("EventSourceArn", "").startswith(f"{look.target.id}/stream/") and mapping.get("FunctionArn")
    ]
    yield StreamReaders(
        resource=look.target.id,
        source="lambda:ListEventSourceMappings",
        readers=tuple(sorted(readers, key=lambda reader: reader.uuid)),
        truncated=len(mappings) >= MAX_MAPPINGS,
    )


@probe(LOOKUP_EVENTS, yields=(Change, ChangeCount))
def table_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the table in the day before: capacity, billing mode, indexes, stream, deletion."""
    yield from counted_changes(look, look.target.name)


@probe(FILTER_LOG_EVENTS, yields=(LogLines,))
def caller_errors(look: Look) -> Iterator[Evidence]:
    """Reads DynamoDB's errors in the logs of the functions that call the table, where the trace does not hold them."""
    if any(call.errors for call in failed_calls(look.seen, look.target.id)):
        return
    yield from callers_logs(look, LOG_PATTERN, "DynamoDB", MENTIONS)


def _capacity(table_name: str, index: str | None = None) -> list[Metric]:
    where = dimensions(table_name, index=index)
    return [
        Metric(NAMESPACE, f"{what}{side.capitalize()}CapacityUnits", where, statistic)
        for side in SIDES
        for what, statistic in (("Consumed", "Sum"), ("Provisioned", "Maximum"))
    ]


def _throttle_names() -> list[str]:
    return [f"{side.capitalize()}{limit}ThrottleEvents" for side in SIDES for limit in ("", *LIMITS)]


PROBES = (
    table,
    nearby_tables,
    table_metrics,
    operation_metrics,
    index_metrics,
    account_metrics,
    key,
    changes_of_key,
    scaling,
    scaling_activities,
    stream_readers,
    table_changes,
    caller_errors,
)
