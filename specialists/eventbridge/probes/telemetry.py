"""Looks at what was delivered, what callers logged, and who changed what."""

from collections.abc import Iterator
from datetime import timedelta

from domain.evidence import Evidence
from domain.resource import ResourceType
from specialists.contract import Look, probe
from specialists.eventbridge.arns import resource_of
from specialists.eventbridge.evidence import BusRules, Targets
from specialists.eventbridge.metrics import (
    ACTIVITY,
    ERRORS,
    EVENTS,
    FUNCTIONS,
    HOUR,
    MATCHED,
    OF_ACCOUNT,
    OF_GROUP,
    OF_PIPE,
    OF_RULE,
    PIPES,
    SCHEDULES,
    THROTTLES,
    Place,
    group_of,
    of_rule,
    place_of,
)
from specialists.eventbridge.signs import MENTIONS
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changes import LOOKUP_EVENTS, counted_changes
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, callers_logs
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries

WEEK = timedelta(days=7)
MAX_RULES = 100
MAX_FUNCTIONS = 5
LOG_PATTERN = "?FailedEntry ?failedEntry ?failed_entry ?MalformedDetail ?EventBridge ?PutEvents ?bus"


@probe(GET_METRIC_DATA, yields=(MetricSeries,), only=(ResourceType.RULE,))
def rule_metrics(look: Look) -> Iterator[Evidence]:
    """Reads how often the rule matched, called its targets, failed, retried and wrote to its dead-letter queue."""
    mine = of_rule(place_of(look.target))
    yield from metric_series(look, [Metric(EVENTS, name, mine) for name in OF_RULE])


@probe(GET_METRIC_DATA, yields=(MetricSeries,), only=(ResourceType.RULE,))
def usual_metrics(look: Look) -> Iterator[Evidence]:
    """Reads by the hour how often the rule ran in the week before: what is usual for rare events and daily jobs."""
    mine = of_rule(place_of(look.target))
    wanted = [Metric(EVENTS, name, mine) for name in ACTIVITY]
    yield from metric_series(look, wanted, period_seconds=HOUR, baseline=WEEK)


@probe(GET_METRIC_DATA, needs=(BusRules,), yields=(MetricSeries,), only=(ResourceType.RULE, ResourceType.EVENT_BUS))
def bus_traffic(look: Look) -> Iterator[Evidence]:
    """Reads what the bus's other rules matched and what was put in this Region: whether events arrive at all."""
    known = look.seen.first(BusRules, look.target.id)
    if known is None:
        return
    own = place_of(look.target).rule if look.target.type is ResourceType.RULE else ""
    others = [rule for rule in known.rules if rule.by_pattern and rule.name != own][:MAX_RULES]
    wanted = [Metric(EVENTS, MATCHED, of_rule(Place(known.bus, rule.name))) for rule in others]
    wanted += [Metric(EVENTS, MATCHED, {"EventBusName": known.bus}), *(Metric(EVENTS, name, {}) for name in OF_ACCOUNT)]
    yield from (series for series in metric_series(look, wanted) if series.points or series.baseline)


@probe(GET_METRIC_DATA, yields=(MetricSeries,), only=(ResourceType.SCHEDULE,))
def schedule_metrics(look: Look) -> Iterator[Evidence]:
    """Reads attempts, target errors and dropped runs of the schedule's group: single schedules are not counted."""
    group = {"ScheduleGroup": group_of(look.target)}
    yield from metric_series(look, [Metric(SCHEDULES, name, group) for name in OF_GROUP])


@probe(GET_METRIC_DATA, yields=(MetricSeries,), only=(ResourceType.PIPE,))
def pipe_metrics(look: Look) -> Iterator[Evidence]:
    """Reads how often the pipe ran, failed, was throttled, and at which stage."""
    mine = {"PipeName": look.target.name}
    yield from metric_series(look, [Metric(PIPES, name, mine) for name in OF_PIPE])


@probe(GET_METRIC_DATA, needs=(Targets,), yields=(MetricSeries,))
def target_errors(look: Look) -> Iterator[Evidence]:
    """Reads errors and throttles of functions that are targets: wrong input and lack of capacity show there."""
    known = look.seen.first(Targets, look.target.id)
    found = (resource_of(target.arn) for target in (known.targets if known else ()))
    functions = [node.name for node in found if node is not None and node.type is ResourceType.LAMBDA]
    names = list(dict.fromkeys(functions))[:MAX_FUNCTIONS]
    if names:
        metrics = [Metric(FUNCTIONS, what, {"FunctionName": name}) for name in names for what in (ERRORS, THROTTLES)]
        yield from metric_series(look, metrics)


@probe(FILTER_LOG_EVENTS, yields=(LogLines,), only=(ResourceType.EVENT_BUS,))
def caller_errors(look: Look) -> Iterator[Evidence]:
    """Reads what the functions that put events on the bus logged about it: rejected entries answer with HTTP 200."""
    yield from callers_logs(look, LOG_PATTERN, "EventBridge", MENTIONS)


@probe(LOOKUP_EVENTS, yields=(Change, ChangeCount))
def own_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the rule, bus, schedule or pipe in the day before: pattern, state, targets, deletion."""
    name = place_of(look.target).rule if look.target.type is ResourceType.RULE else look.target.name
    yield from counted_changes(look, name)


TELEMETRY_PROBES = (
    rule_metrics,
    usual_metrics,
    bus_traffic,
    schedule_metrics,
    pipe_metrics,
    target_errors,
    caller_errors,
    own_changes,
)
