"""Refusals that a function lived with before it failed: what it logged then is not why it fails now."""

import re
from datetime import datetime

from domain.evidence import EvidenceBundle
from domain.findings import Hypothesis
from domain.trace import TraceSegment
from specialists.kit.loglines import REFUSED, LogLines
from specialists.kit.series import MetricSeries

WELL_MINUTES = 3
"""In so many minutes without an error it must have been refused before the first error."""

DENIAL = re.compile(r"not authorized|access ?denied|forbidden|unauthorized|explicit deny", re.IGNORECASE)
"""What stands in an exception that passes a refusal on."""


def outlived(hypothesis: Hypothesis, bundle: EvidenceBundle) -> bool:
    """Whether it is a refusal that a function logged while all of its invocations went well, and that is not what it
    fails with now.

    A function that answers with an error of its own counts none; only one that fails otherwise tells.
    """
    cited = (bundle[e] for e in hypothesis.evidence if e in bundle)
    lines = [item for item in cited if isinstance(item, LogLines) and item.filter == REFUSED]
    return hypothesis.since is not None and any(
        _fails_otherwise(item.resource, bundle) and _well_minutes(item, hypothesis.since, bundle) >= WELL_MINUTES
        for item in lines
    )


def _fails_otherwise(function: str, bundle: EvidenceBundle) -> bool:
    """Whether its own exceptions in the trace, of which there are some, speak of no refusal."""
    errors = [error for segment in bundle.of(TraceSegment, function) if segment.failed for error in segment.errors]
    return bool(errors) and not any(DENIAL.search(f"{e.type} {e.code or ''} {e.message}") for e in errors)


def _well_minutes(lines: LogLines, since: datetime, bundle: EvidenceBundle) -> int:
    """Count the minutes between the refusal's first line and the function's first error in which it logged one."""
    errors = _errors(lines.resource, bundle)
    began = _minute(since)
    first = min((at for at, failed in errors.items() if failed and at >= began), default=None)
    refused = {_minute(event.at) for event in lines.events}
    return 0 if first is None else sum(began <= at < first and at in errors for at in refused)


def _errors(function: str, bundle: EvidenceBundle) -> dict[datetime, float]:
    """Return the errors of all versions of the function, by the minute."""
    found = (
        s
        for s in bundle.of(MetricSeries, function)
        if s.metric == "Errors" and set(s.dimensions) == {"FunctionName"} and s.period_seconds == 60
    )
    return {_minute(p.at): p.value for series in found for p in (*series.baseline, *series.points)}


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
