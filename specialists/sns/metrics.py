"""The names of SNS's metrics, and what they tell of a topic's flow.

Names: https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from specialists.contract import Case
from specialists.kit.rising import risen as _risen
from specialists.kit.series import MetricSeries

NAMESPACE = "AWS/SNS"
PUBLISHED = "NumberOfMessagesPublished"
DELIVERED = "NumberOfNotificationsDelivered"
FAILED = "NumberOfNotificationsFailed"
FILTERED = "NumberOfNotificationsFilteredOut"
NO_ATTRIBUTES = "NumberOfNotificationsFilteredOut-NoMessageAttributes"
INVALID_ATTRIBUTES = "NumberOfNotificationsFilteredOut-InvalidAttributes"
REDRIVEN = "NumberOfNotificationsRedrivenToDlq"
NOT_REDRIVEN = "NumberOfNotificationsFailedToRedriveToDlq"
NAMES = (PUBLISHED, DELIVERED, FAILED, FILTERED, NO_ATTRIBUTES, INVALID_ATTRIBUTES, REDRIVEN, NOT_REDRIVEN)

AS_EVER = 0.8
"""The share of what is usual from which on a flow has not fallen."""


def series(case: Case, name: str) -> MetricSeries | None:
    """Return the topic's series of that name, or None when none was read."""
    return next((one for one in case.all(MetricSeries) if one.metric == name), None)


def counted(case: Case, name: str) -> MetricSeries | None:
    """Return the series when it counts anything in the window."""
    found = series(case, name)
    return found if found is not None and found.total > 0 else None


def risen(case: Case, name: str) -> MetricSeries | None:
    """Return the series when it counts well above what is usual."""
    found = counted(case, name)
    return found if _risen(found) else None


def as_ever(case: Case, name: str) -> bool:
    """Tell whether the series counts no less in the window than it usually does; a period without data is zero."""
    found = counted(case, name)
    if found is None or not found.baseline:
        return False
    usual = sum(point.value for point in found.baseline) / len(found.baseline)
    periods = (case.window.end - case.window.start).total_seconds() / found.period_seconds
    return found.total >= AS_EVER * usual * periods


def nothing(case: Case, name: str) -> MetricSeries | None:
    """Return the series when it was read and counts nothing in the window."""
    found = series(case, name)
    return found if found is not None and found.total == 0 else None
