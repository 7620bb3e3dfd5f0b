"""What several rules read from a case: metrics, configuration, changes. Pure."""

import re
from datetime import datetime

from domain.evidence import Evidence
from domain.trace import TraceSegment
from specialists.awslambda.evidence import Aliases, FunctionConfiguration, InvocationReports
from specialists.awslambda.reports import Report
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries

NAMESPACE = "AWS/Lambda"
VERSIONED = re.compile(r"\d{8}(?:v\d{1,2})?")
"""What CloudTrail appends to Lambda's event names: UpdateFunctionConfiguration20150331v2."""


def configurations(case: Case) -> tuple[FunctionConfiguration, ...]:
    """Return all that was read of the function's settings."""
    return case.all(FunctionConfiguration)


def running(case: Case) -> FunctionConfiguration | None:
    """Return the settings that ran: those of the qualifier that was called, else of $LATEST."""
    known = configurations(case)
    qualified = next((c for c in known if c.qualifier is not None), None)
    return qualified or (known[0] if known else None)


def versions_called(case: Case) -> frozenset[str]:
    """Return the versions behind the aliases and versions that were called; empty where any of them is not known."""
    asked = set(case.target.qualifiers)
    versions = {c.qualifier: c.version for c in configurations(case) if c.qualifier in asked}
    known = case.one(Aliases)
    split = {v for alias in (known.aliases if known else ()) if alias.name in asked for v in alias.weights}
    return frozenset({*versions.values(), *split}) if asked and known and set(versions) == asked else frozenset()


def metric(
    case: Case, name: str, statistic: str = "Sum", namespace: str = NAMESPACE, **dimensions: str
) -> MetricSeries | None:
    """Return the target's own series of a metric; other dimensions only when asked for."""
    wanted = dimensions or {"FunctionName": case.target.name}
    return next(
        (
            series
            for series in case.all(MetricSeries)
            if (series.namespace, series.metric, series.statistic) == (namespace, name, statistic)
            and series.dimensions == wanted
        ),
        None,
    )


def account_metric(case: Case, name: str) -> MetricSeries | None:
    """Return the maximum of a metric over the whole account and Region."""
    return next((s for s in case.all(MetricSeries) if s.metric == name and not s.dimensions), None)


def errors_metric(case: Case) -> MetricSeries | None:
    """Return the Errors series when it rose above what is usual, else None."""
    series = metric(case, "Errors")
    return series if risen(series) else None


def stopped(series: MetricSeries | None) -> bool:
    """Tell whether something that usually happens did not happen in the window."""
    return series is not None and series.total == 0 and sum(p.value for p in series.baseline) > 0


def happened(series: MetricSeries | None) -> bool:
    """Tell whether a count was above zero in the window."""
    return series is not None and series.total > 0


def failing(case: Case) -> bool:
    """Tell whether anything shows the function failing: the trace, or its error or throttle metrics."""
    traced = bool(case.segments(failed=True) or case.calls_to(failed=True))
    return traced or errors_metric(case) is not None or risen(metric(case, "Throttles"))


def failed_callees(case: Case) -> tuple[str, ...]:
    """Return the ids of what the target called in vain, in the order of the calls.

    Invoke answers 200 also where the called function's code failed: only that function's own segment tells.
    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    failed = {segment.resource for segment in case.evidence.of(TraceSegment) if segment.failed} - {case.target.id}
    calls = (call for call in case.calls_from() if call.failed or call.resource in failed)
    return tuple(dict.fromkeys(call.resource for call in calls))


def reports(case: Case) -> tuple[Report, ...]:
    """Return the platform's reports in time order, from all log groups."""
    found = {report for item in case.all(InvocationReports) for report in item.reports}
    return tuple(sorted(found, key=lambda r: (r.at, r.request_id, r.phase)))


def reporting(case: Case, wanted: set[Report]) -> tuple[Evidence, ...]:
    """Return the evidence that holds any of these reports."""
    return tuple(item for item in case.all(InvocationReports) if wanted & set(item.reports))


def changed(case: Case, *names: str, before: datetime | None = None) -> tuple[Change, ...]:
    """Return the changes that took effect and are called one of these names, oldest first.

    CloudTrail versions Lambda's names ("DeleteFunction20150331"); `DeleteFunction` is not `DeleteFunctionConcurrency`.
    """
    found = [
        change
        for change in case.all(Change)
        if change.took_effect
        and any(_is_called(change.event_name, name) for name in names)
        and (before is None or change.observed_at is None or change.observed_at <= before)
    ]
    return tuple(sorted(found, key=lambda c: (str(c.observed_at), c.event_id)))


def _is_called(event_name: str, name: str) -> bool:
    rest = event_name.removeprefix(name)
    return event_name == name or (rest != event_name and VERSIONED.fullmatch(rest) is not None)
