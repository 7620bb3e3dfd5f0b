"""Words for metrics, times and amounts."""

import re
from datetime import datetime, timedelta

from domain.graph import ServiceGraph
from domain.resource import NOUNS, ResourceType
from orchestrator.conclude.naming import label
from specialists.kit.series import MetricSeries

WORD = re.compile(r"[0-9]*[A-Z]+(?![a-z])|[A-Z][a-z]+|[0-9]+[a-z]*|[a-z]+")

UNITS: tuple[tuple[str, str], ...] = (
    (r"Duration$|Latency$|Time$|IteratorAge$", "ms"),
    (r"AgeOfOldestMessage$", "seconds"),
    (r"Utilization$|Percent", "%"),
    (r"Bytes|Size$", "bytes"),
    (r"CapacityUnits$", "units"),
)
"""Units by the metric's name, the first that fits; GetMetricData does not tell them."""

SUBJECTS: tuple[tuple[str, ResourceType], ...] = (
    ("FunctionName", ResourceType.LAMBDA),
    ("QueueName", ResourceType.QUEUE),
    ("TopicName", ResourceType.TOPIC),
    ("TableName", ResourceType.TABLE),
    ("RuleName", ResourceType.RULE),
    ("BucketName", ResourceType.BUCKET),
)
"""Dimensions that say whose metric it is: a specialist also reads those of its resource's neighbours."""

DATED = re.compile(r"20\d{6}(v\d+)?$")
"""The API version that some services put behind an event's name: UpdateAlias20150331."""

TIMES = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def metric_name(series: MetricSeries) -> str:
    """Return "Write throttle events" for WriteThrottleEvents, "5XX error" for 5XXError."""
    words = WORD.findall(series.metric) or [series.metric]
    plain = [word if word.isupper() or word[0].isdigit() else word.lower() for word in words]
    name = " ".join(plain)
    statistic = {"Sum": "", "SampleCount": "", "Average": ", average", "Maximum": ", highest", "Minimum": ", lowest"}
    return name[0].upper() + name[1:] + statistic.get(series.statistic, f", {series.statistic}")


def subject(series: MetricSeries, graph: ServiceGraph) -> str:
    """Name whose metric it is: "DynamoDB table `orders`", "index `by-day` of DynamoDB table `orders`"."""
    whole = label(series.resource, graph)
    if not series.dimensions:
        return "the whole account"
    named = next(((kind, series.dimensions[d]) for d, kind in SUBJECTS if d in series.dimensions), None)
    if named is not None and f"`{named[1]}`" not in whole:
        whole = f"{NOUNS[named[0]]} `{named[1]}`"
    index = series.dimensions.get("GlobalSecondaryIndexName")
    return f"index `{index}` of {whole}" if index else whole


def event_name(name: str) -> str:
    """Return CloudTrail's event without the API version: UpdateAlias."""
    return DATED.sub("", name)


def unit(series: MetricSeries) -> str:
    """Return what the values count, with the period for a count: "per minute", "ms", "units per minute"."""
    what = next((name for pattern, name in UNITS if re.search(pattern, series.metric)), "")
    if series.statistic not in {"Sum", "SampleCount"}:
        return what
    period = span(timedelta(seconds=series.period_seconds))
    return f"{what} per {period.removeprefix('1 ')}".strip()


def amount(value: float) -> str:
    """Return "1,023" or "0.25"."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def span(length: timedelta) -> str:
    """Return a length in its largest fitting unit: "2 minutes"."""
    seconds = max(0, round(length.total_seconds()))
    name, size = next(((n, s) for n, s in TIMES if seconds >= s), TIMES[-1])
    number = round(seconds / size)
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def clock(moment: datetime) -> str:
    """Return "09:53 UTC"."""
    return f"{moment:%H:%M} UTC"
