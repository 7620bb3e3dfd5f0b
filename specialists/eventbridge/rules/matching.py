"""A pattern that matches nothing while events arrive."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from domain.arn import Arn
from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from domain.trace import TraceCall
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.evidence import RuleState
from specialists.eventbridge.metrics import EVENTS, MATCHED, MINUTE, OF_ACCOUNT, PUT_FAILED, of_rule, place_of
from specialists.eventbridge.pattern import changed_fields, why_never
from specialists.eventbridge.signs import Reading, signs
from specialists.eventbridge.symptoms import (
    active,
    altered,
    by_whom,
    changed,
    fell_silent,
    own_series,
    parameter,
    silent_since,
    worked_before,
)
from specialists.kit.change import Change
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import standstill

TOGETHER = timedelta(minutes=2)
"""Rules that stop matching within so long of each other stop together: events are counted by the minute."""


@rule("eb-pattern-mismatch", sees=(RuleState, MetricSeries, Change, TraceCall))
def pattern_matches_nothing(case: Case) -> Iterator[Finding]:
    """The bus receives events and the rule matches none: its pattern never can, or it was changed, or it used to."""
    state = case.one(RuleState)
    if state is None or not state.enabled or not state.pattern:
        return
    edits = _edits(case)
    silent = fell_silent(case, edits[-1].observed_at if edits else None)
    if active(case) and not silent:
        return
    never = why_never(state.pattern)
    last = silent_since(silent)
    here, elsewhere = _arriving(case, state, last)
    if never:
        yield case.hypothesis(
            "eb-pattern-mismatch",
            f"The pattern of rule `{state.name}` can match no event: {never}",
            proof=[state],
            strong=(*edits[-1:], *silent, *here[:3]),
            since=edits[-1].observed_at if edits else last,
        )
    elif here or elsewhere or (edits and silent):
        yield from _judge(case, state, edits, silent, here, elsewhere)
    elif silent:
        yield case.fact(f"Rule `{state.name}` stopped matching; nothing shows whether events still arrive", *silent)


def _judge(
    case: Case,
    state: RuleState,
    edits: list[Change],
    silent: Sequence[MetricSeries],
    here: list[Evidence],
    elsewhere: list[Evidence],
) -> Iterator[Hypothesis]:
    matched = own_series(case, MATCHED)
    if matched is None:
        return
    with_it = [] if here else _with_it(case, silent_since(silent))
    how = f" since its pattern was changed{by_whom(edits[-1])}{_fields(edits)}" if edits else ""
    others = ", but other rules of its bus stopped with it" if with_it else ""
    others = ", while its bus receives events" if here else others
    # A rule that seldom matches is quiet by habit; where all stop at once, it is the events that stopped.
    sure = not with_it and (bool(edits and (silent or not worked_before(case))) or bool(silent and here))
    shown = dict.fromkeys((*edits[-1:], matched, *silent, *here[:3], *with_it[:3], *elsewhere[:1]))
    yield case.hypothesis(
        "eb-pattern-mismatch",
        f"Rule `{state.name}` matches no event{how}{others}",
        strong=shown if sure else (),
        weak=[state] if sure else shown,
        since=edits[-1].observed_at if edits else silent_since(silent),
    )


def _edits(case: Case) -> list[Change]:
    """Return the changes of the pattern."""
    return altered(changed(case, "PutRule"), lambda change: parameter(change, "eventPattern"))


def _fields(edits: list[Change]) -> str:
    if len(edits) < 2:
        return ""
    names = changed_fields(parameter(edits[-2], "eventPattern"), parameter(edits[-1], "eventPattern"))
    return f" ({', '.join(f'`{name}`' for name in names[:4])})" if names else ""


def _arriving(case: Case, state: RuleState, last: datetime | None) -> tuple[list[Evidence], list[Evidence]]:
    """Return what shows that events reach this bus in the window, and that they reach any bus of the Region.

    After the `last` match, where the rule fell silent: what came before that it matched itself.
    """
    bus_id = str(Arn.parse(case.target.id).model_copy(update={"resource": f"event-bus/{state.bus}"}))
    after = last + TOGETHER if last else None
    sent = [c for c in case.evidence.of(TraceCall, bus_id) if not c.failed and not c.pending]
    calls = [c for c in sent if after is None or c.start is None or c.start > after]
    flowing = [
        s
        for s in case.all(MetricSeries)
        if s.namespace == EVENTS and s.period_seconds == MINUTE and _counts(s, after) > 0
    ]
    put = [s for s in flowing if s.metric in OF_ACCOUNT and s.metric != PUT_FAILED and not s.dimensions]
    return [*calls, *(s for s in flowing if _of_another(case, s))], [*put]


def _with_it(case: Case, last: datetime | None) -> list[MetricSeries]:
    """Return the matches of other rules that went on until this rule's last one and stand still since."""
    found = [(s, standstill(s, case.window.end)) for s in case.all(MetricSeries) if _of_another(case, s)]
    return [s for s, since in found if last and since and abs(since - last) <= TOGETHER]


def _of_another(case: Case, series: MetricSeries) -> bool:
    known = (series.namespace, series.metric, series.period_seconds) == (EVENTS, MATCHED, MINUTE)
    return known and series.dimensions != of_rule(place_of(case.target))


def _counts(series: MetricSeries, after: datetime | None) -> float:
    return sum(point.value for point in series.points if after is None or point.at > after)


@rule("eb-pattern-mismatch", sees=(Change, TraceCall))
def pattern_was_refused(case: Case) -> Iterator[Hypothesis]:
    """AWS refused a pattern as invalid, so the rule kept its old one or was not made."""
    found = signs(case, Reading.BAD_PATTERN)
    if found:
        yield case.hypothesis(
            "eb-pattern-mismatch",
            f"AWS refused a pattern for `{case.target.name}`: {found[0].text.strip()[:200]}",
            proof=cited(found),
            since=began(found),
        )


RULES: tuple[Rule, ...] = (pattern_matches_nothing, pattern_was_refused)
