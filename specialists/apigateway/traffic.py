"""What the metrics and changes about an API say. Pure."""

from collections.abc import Iterable

from specialists.apigateway.requests import stage_names
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.changekinds import plain_name
from specialists.kit.series import MetricSeries

SERVER_ERRORS = ("5XXError", "5xx")
CLIENT_ERRORS = ("4XXError", "4xx")


def api_series(case: Case, *names: str) -> MetricSeries | None:
    """Return the API's series with the most in the window: a stage's, or that of the whole API."""
    found = [
        s
        for s in case.all(MetricSeries)
        if s.namespace == "AWS/ApiGateway"
        and s.metric in names
        and s.points
        and s.dimensions.get("Stage", "") in {"", *stage_names(case)}
    ]
    return max(found, key=lambda s: (s.total, "Stage" in s.dimensions, s.id), default=None)


def server_errors(case: Case) -> MetricSeries | None:
    """Return the API's 5xx series if it is above what is usual, else None."""
    found = api_series(case, *SERVER_ERRORS)
    return found if found and found.peak > found.usual_peak else None


def integration_latency(case: Case) -> tuple[MetricSeries, ...]:
    """Return the integration's latency, milliseconds, where it was measured."""
    found = api_series(case, "IntegrationLatency")
    return (found,) if found else ()


def function_series(case: Case, name: str, functions: Iterable[str] = ()) -> tuple[MetricSeries, ...]:
    """Return a metric of these functions (ARNs), or of all that were looked at when none are named."""
    names = {function.rsplit(":", 1)[-1] for function in functions}
    return tuple(
        s
        for s in case.all(MetricSeries)
        if s.namespace == "AWS/Lambda" and s.metric == name and (not names or s.dimensions.get("FunctionName") in names)
    )


def changes_like(case: Case, *prefixes: str) -> list[Change]:
    """Return the changes of these names that took effect, oldest first."""
    found = [c for c in case.all(Change) if c.took_effect and c.event_name.startswith(prefixes)]
    return sorted(found, key=lambda c: (c.observed_at or case.window.start, c.event_id))


def after(edits: Iterable[Change]) -> str:
    """Name the last of these changes as the end of a sentence: ", after UpdateStage by mia"."""
    return "".join(f", after {plain_name(c)} by {c.who}" for c in list(edits)[-1:])
