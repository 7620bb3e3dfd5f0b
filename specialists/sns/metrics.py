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


def nothing(case: Case, name: str) -> MetricSeries | None:
    """Return the series when it was read and counts nothing in the window."""
    found = series(case, name)
    return found if found is not None and found.total == 0 else None
