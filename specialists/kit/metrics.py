"""Reading metrics: all the series of a probe in one GetMetricData per 500.

Limits: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from aws.reads import Read, read
from domain.values import utc
from specialists.contract import Look
from specialists.kit.series import MetricSeries, Point

if TYPE_CHECKING:
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

GET_METRIC_DATA: Read = read("cloudwatch", "GetMetricData")
QUERIES_PER_CALL = 500
BASELINE = timedelta(hours=3)


class Metric(NamedTuple):
    """A series to read; `dimensions` exactly as the service publishes them."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"


def metric_series(
    look: Look, metrics: Sequence[Metric], *, period_seconds: int = 60, baseline: timedelta = BASELINE
) -> Iterator[MetricSeries]:
    """Read the series over the window and the baseline before it, and yield one piece of evidence for each.

    A series without any datapoint is yielded with no points: that is how CloudWatch says "nothing happened" as well
    as "no such metric".
    """
    floor = look.window.start.replace(second=0, microsecond=0)
    start = floor - baseline
    end = look.window.end
    for first in range(0, len(metrics), QUERIES_PER_CALL):
        batch = metrics[first : first + QUERIES_PER_CALL]
        found = _read(look, batch, start, end, period_seconds)
        for index, metric in enumerate(batch):
            points = sorted(found.get(f"m{index}", []), key=lambda p: p.at)
            yield MetricSeries(
                resource=look.target.id,
                source="cloudwatch:GetMetricData",
                observed_at=next((p.at for p in reversed(points) if p.at >= floor), None),
                namespace=metric.namespace,
                metric=metric.name,
                dimensions=dict(metric.dimensions),
                statistic=metric.statistic,
                period_seconds=period_seconds,
                points=tuple(p for p in points if p.at >= floor),
                baseline=tuple(p for p in points if p.at < floor),
            )


def _read(look: Look, metrics: Sequence[Metric], start: datetime, end: datetime, period: int) -> dict[str, list[Point]]:
    queries: list[MetricDataQueryTypeDef] = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in metric.dimensions.items()],
                },
                "Period": period,
                "Stat": metric.statistic,
            },
        }
        for index, metric in enumerate(metrics)
    ]
    found: dict[str, list[Point]] = {}
    pages = look.aws.cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end, ScanBy="TimestampAscending"
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            points = found.setdefault(result.get("Id", ""), [])
            points.extend(
                Point(at=utc(at), value=value)
                for at, value in zip(result.get("Timestamps", []), result.get("Values", []), strict=True)
            )
    return found
