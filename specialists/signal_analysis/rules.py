"""What the signals say together: what went wrong first, what moves together, what explains the others, what is new.

Facts only. A signal that left the usual fits many causes; the conclusion weighs it beside the services' own evidence.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from domain.findings import Finding
from specialists.contract import Case, Rule, rule
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Direction, Excess, Onset
from specialists.signal_analysis.correlation import correlation, in_common
from specialists.signal_analysis.evidence import GraphNode, LogTemplate, UsualHour
from specialists.signal_analysis.watched import signal_name

MAX_IN_ORDER = 8
MAX_TEMPLATES = 5
MAX_PAIRS = 3
MAX_NORMAL = 6
CLOSELY = 0.9
"""From which correlation on two signals move together."""
LEAST_LINES = 3
EXPLAINS = 0.5
"""The share of what is unexplained from which on one resource stands out, where it is twice the next one's."""

WORDS = {Direction.UP: "rose", Direction.DOWN: "fell", Direction.STOPPED: "stopped"}


@rule(sees=(Onset,), together=True)
def order_of_events(case: Case) -> Iterator[Finding]:
    """Tells the order in which signals left the usual, minute by minute."""
    ordered = _in_time(case)[:MAX_IN_ORDER]
    if not ordered:
        return
    minutes = groupby(ordered, key=lambda onset: f"{onset.observed_at:%H:%M}")
    told = "; ".join(f"{at} " + ", ".join(_change(case, onset) for onset in onsets) for at, onsets in minutes)
    yield case.fact(f"In this order: {told}" if len(ordered) > 1 else told, *ordered, notable=True)


@rule(sees=(Onset, MetricSeries), together=True)
def moving_together(case: Case) -> Iterator[Finding]:
    """Tells which signals of different resources left the usual and rise and fall minute by minute together."""
    departed = {(onset.resource, onset.signal) for onset in case.evidence.of(Onset)}
    series = [s for s in case.evidence.of(MetricSeries) if (s.resource, signal_name(s)) in departed]
    found = []
    for one, other in combinations(series, 2):
        if one.resource != other.resource and (close := correlation(*in_common(one, other))) is not None:
            found.append((close, one, other))
    found.sort(key=lambda pair: (-abs(pair[0]), pair[1].id, pair[2].id))
    for close, one, other in found[:MAX_PAIRS]:
        if abs(close) >= CLOSELY:
            way = "together" if close > 0 else "against each other"
            yield case.fact(
                f"{_of(case, one)} and {_of(case, other)} move {way} (r = {close:.2f})", one, other, notable=True
            )


@rule(sees=(Excess, GraphNode), together=True)
def explaining_the_others(case: Case) -> Iterator[Finding]:
    """Names the resource whose own trouble, after what its dependencies explain, is most of all there is."""
    ranked = sorted(case.evidence.of(Excess), key=lambda e: (e.rank, e.resource))
    if ranked and ranked[0].share >= max(EXPLAINS, 2 * sum(other.share for other in ranked[1:2])):
        first = ranked[0]
        nodes = [node for node in case.evidence.of(GraphNode) if node.resource == first.resource]
        yield case.fact(
            f"{_label(case, first.resource)} explains the others: {first.share:.0%} of what no dependency explains is"
            f" its own, of {first.over} compared",
            first,
            *nodes,
            notable=True,
        )


@rule(sees=(LogTemplate,), together=True)
def new_errors(case: Case) -> Iterator[Finding]:
    """Tells which error lines are new, or far more frequent than in the hours before."""
    found = [t for t in case.evidence.of(LogTemplate) if t.usual is not None and t.count >= LEAST_LINES]
    rising = sorted((t for t in found if t.count > 3 * (t.usual or 0)), key=lambda t: (not t.new, -t.count, t.id))
    for template in rising[:MAX_TEMPLATES]:
        since = f" since {template.observed_at:%H:%M}" if template.observed_at else ""
        usual = "new" if template.new else f"usually {template.usual:.1f}"
        count = f"{'at least ' if template.truncated else ''}{template.count}"
        told = f"{_label(case, template.resource)} logs {count} times{since} ({usual}): {template.template}"
        yield case.fact(told, template, notable=True)


@rule(sees=(UsualHour,), together=True)
def usual_at_this_hour(case: Case) -> Iterator[Finding]:
    """Tells what left the hours before but does the same at this hour of other days."""
    for hour in [h for h in case.evidence.of(UsualHour) if h.usual][:MAX_NORMAL]:
        days = " and ".join(f"{days} days ago" if days != "1" else "yesterday" for days in sorted(hour.earlier))
        metric = f"{_metric(hour.signal)} of {_label(case, hour.resource)}"
        yield case.fact(f"{metric} did the same at this hour {days}", hour)


@rule(sees=(Onset, MetricSeries), together=True)
def stayed_normal(case: Case) -> Iterator[Finding]:
    """Tells which resources' signals all stayed as usual while others left it."""
    departed = {onset.resource for onset in case.evidence.of(Onset)}
    quiet: dict[str, list[MetricSeries]] = {}
    for series in case.evidence.of(MetricSeries):
        if series.resource not in departed and series.points and series.baseline:
            quiet.setdefault(series.resource, []).append(series)
    if departed and quiet:
        shown = sorted(quiet)[:MAX_NORMAL]
        names = ", ".join(_label(case, resource) for resource in shown)
        more = f" and {len(quiet) - len(shown)} more" if len(quiet) > len(shown) else ""
        yield case.fact(f"As usual by their metrics: {names}{more}", *(quiet[resource][0] for resource in shown))


def _in_time(case: Case) -> Sequence[Onset]:
    known = [onset for onset in case.evidence.of(Onset) if onset.observed_at is not None]
    return sorted(known, key=lambda o: (o.observed_at or case.window.start, -(o.deviation or 0.0), o.id))


def _change(case: Case, onset: Onset) -> str:
    return f"{_metric(onset.signal)} of {_label(case, onset.resource)} {WORDS[onset.direction]}"


def _metric(signal: str) -> str:
    """Return the metric of a signal's name, which is its namespace, metric and statistic."""
    _, metric, statistic = signal.split(" ")
    return f"number of {metric}" if statistic == "SampleCount" else metric


def _of(case: Case, series: MetricSeries) -> str:
    return f"{_metric(signal_name(series))} of {_label(case, series.resource)}"


def _label(case: Case, resource: str) -> str:
    node = case.graph.node(resource) or next((t for t in case.targets if t.id == resource), None)
    return node.label if node else f"`{resource}`"


RULES: tuple[Rule, ...] = (
    order_of_events,
    moving_together,
    explaining_the_others,
    new_errors,
    usual_at_this_hour,
    stayed_normal,
)
