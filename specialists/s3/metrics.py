"""The names of the metrics that tell of a bucket's requests and of the functions that it notifies.

Names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from collections.abc import Iterable

from specialists.contract import Case
from specialists.kit.series import MetricSeries

NAMESPACE = "AWS/S3"
CLIENT_ERRORS, SERVER_ERRORS = "4xxErrors", "5xxErrors"
NAMES = (CLIENT_ERRORS, SERVER_ERRORS, "AllRequests", "PutRequests")
TIMES_USUAL = 1.5
AT_LEAST = 5


def risen(case: Case, name: str) -> MetricSeries | None:
    """Return the request count of that name, of the filter where it rose well above what is usual."""
    found = [one for one in case.all(MetricSeries) if one.namespace == NAMESPACE and one.metric == name]
    new = [one for one in found if one.total >= AT_LEAST and one.peak > TIMES_USUAL * one.usual_peak]
    return max(new, key=lambda one: one.total, default=None)


def idle(case: Case, functions: Iterable[str]) -> list[MetricSeries]:
    """Return the invocation counts of those functions that used to run and do not in the window."""
    return [one for one in _runs(case, functions) if sum(point.value for point in one.baseline) > 0 and not one.total]


def running(case: Case, function: str) -> bool:
    """Tell whether that function ran in the window, whatever started it."""
    return any(one.total > 0 for one in _runs(case, [function]))


def _runs(case: Case, functions: Iterable[str]) -> list[MetricSeries]:
    names = {arn.split(":function:", 1)[-1].split(":", 1)[0] for arn in functions}
    return [
        one
        for one in case.all(MetricSeries)
        if one.metric == "Invocations" and one.dimensions.get("FunctionName") in names
    ]
