"""The names and dimensions of DynamoDB's metrics, for the probes that read them and the rules that find them again.

Names: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
Throttling by reason:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TroubleshootingThrottling-cloudwatch.html
"""

from specialists.contract import Case
from specialists.kit.series import MetricSeries

NAMESPACE = "AWS/DynamoDB"

READS = ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems")
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
BROAD = ("Query", "Scan")
"""Operations that may read much more than they return."""

PROVISIONED, KEY_RANGE, ACCOUNT, MAXIMUM = (
    "ProvisionedThroughput",
    "KeyRangeThroughput",
    "AccountLimit",
    "MaxOnDemandThroughput",
)
LIMITS = (PROVISIONED, KEY_RANGE, ACCOUNT, MAXIMUM)
"""The limits that a request can exceed, as they stand in metric names and in throttling reasons."""


def dimensions(table: str, *, index: str | None = None, operation: str | None = None) -> dict[str, str]:
    """Return the dimensions of a series of the table, of one index, or of one operation."""
    extra = {"GlobalSecondaryIndexName": index, "Operation": operation}
    return {"TableName": table, **{name: value for name, value in extra.items() if value}}


def series(
    case: Case, name: str, *, index: str | None = None, operation: str | None = None, statistic: str | None = None
) -> MetricSeries | None:
    """Return the series that a probe read of the table, or None when none did."""
    wanted = dimensions(case.target.name, index=index, operation=operation)
    return next(
        (
            found
            for found in case.all(MetricSeries)
            if found.metric == name and found.dimensions == wanted and statistic in {None, found.statistic}
        ),
        None,
    )
