"""Order of onsets and excess over the service graph: they decide between what weighs about the same, and no more."""

import random
from itertools import permutations
from typing import Any

import pytest

from bot.blocks.views import why_view
from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import Evidence
from domain.findings import Hypothesis
from domain.report import ReportStatus, Role
from orchestrator.conclude.precedence import EXPLAINS_MORE, WENT_FIRST
from orchestrator.conclude.settle import ABOUT_EQUAL
from specialists.kit.series import MetricSeries
from specialists.kit.signals import Direction, Excess, Onset
from specialists.signal_analysis.evidence import GraphNode, UsualHour
from tests.support.concluding import FUNCTION, OTHER, TABLE, concluded, hypothesis, looks, minutes, reported, result

OURS = looks(FUNCTION, "log", "errors")
THEIRS = looks(OTHER, "log", "errors", "third")
HERE = hypothesis("lambda-oom", FUNCTION, strong=OURS, since=None)
THERE = hypothesis("lambda-tmp-full", OTHER, strong=THEIRS[:2], since=None)
SEEN: tuple[Evidence, ...] = (*OURS, *THEIRS)
ERRORS = "AWS/Lambda Errors Sum"


def onset(resource: str, minute: float, signal: str = ERRORS) -> Onset:
    return Onset(
        resource=resource,
        source="cloudwatch:GetMetricData",
        observed_at=minutes(minute),
        signal=signal,
        direction=Direction.UP,
        worst=20,
        usual=0,
    )


def excess(resource: str, rank: int, share: float) -> Excess:
    return Excess(resource=resource, source="xray:GetServiceGraph", rank=rank, share=share, over=4)


def node(resource: str) -> GraphNode:
    return GraphNode(resource=resource, source="xray:GetServiceGraph", name=resource[-8:])


def errors(resource: str, period: int) -> MetricSeries:
    return MetricSeries(
        resource=resource, source="cloudwatch:GetMetricData", namespace="AWS/Lambda", metric="Errors", dimensions={}, statistic="Sum", period_seconds=period
    )  # fmt: skip


def root_of(*signals: Evidence, told: tuple[Hypothesis, ...] = (HERE, THERE)) -> str | None:
    root = concluded((*SEEN, *signals), *told).root_cause
    return root.resource if root else None


@pytest.mark.parametrize(("here", "there", "first"), [(0, 4, FUNCTION), (4, 0, OTHER)])
def test_of_two_that_weigh_the_same_the_one_that_went_wrong_first_wins(here: float, there: float, first: str) -> None:
    assert root_of(onset(FUNCTION, here), onset(OTHER, there)) == first


@pytest.mark.parametrize(("here", "there", "most"), [(0.7, 0.2, FUNCTION), (0.2, 0.7, OTHER)])
def test_of_two_that_weigh_the_same_the_one_that_explains_more_wins(here: float, there: float, most: str) -> None:
    assert root_of(excess(FUNCTION, 1, here), excess(OTHER, 2, there)) == most


def test_what_was_measured_and_has_no_excess_explains_nothing() -> None:
    assert root_of(excess(OTHER, 1, 0.9), node(FUNCTION)) == OTHER


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param((onset(OTHER, 0), onset(FUNCTION, 1)), id="within one period"),
        pytest.param((onset(OTHER, 0), onset(FUNCTION, 4), errors(FUNCTION, 300)), id="within one of longer periods"),
        pytest.param((onset(OTHER, 0),), id="the other was not seen to go wrong"),
        pytest.param((excess(OTHER, 1, 0.5), excess(FUNCTION, 2, 0.4)), id="about the same excess"),
        pytest.param((excess(OTHER, 1, 0.9),), id="the other is not in X-Ray's graph"),
        pytest.param((onset(OTHER, 0), onset(FUNCTION, 9), excess(FUNCTION, 1, 1.0), node(OTHER)), id="they disagree"),
    ],
)
def test_signals_that_do_not_tell_decide_nothing(signals: tuple[Evidence, ...]) -> None:
    assert root_of(*signals) == root_of()


def test_the_other_stays_a_rival_on_one_sign_and_not_on_both() -> None:
    order = (onset(OTHER, 0), onset(FUNCTION, 5))
    one_sign = concluded((*SEEN, *order), HERE, THERE)
    both = concluded((*SEEN, *order, excess(OTHER, 1, 0.8), excess(FUNCTION, 2, 0.1)), HERE, THERE)

    assert one_sign.settlement.rival is not None
    assert one_sign.settlement.rival.resource == FUNCTION
    assert both.settlement.rival is None


def test_signals_do_not_set_a_cause_before_one_that_is_clearly_likelier() -> None:
    likelier = hypothesis("lambda-tmp-full", OTHER, strong=THEIRS, since=None)
    signals = (onset(FUNCTION, 0), onset(OTHER, 9), excess(FUNCTION, 1, 1.0), node(OTHER))

    assert root_of(*signals, told=(HERE, likelier)) == OTHER


def test_signals_do_not_set_a_cause_before_a_proved_one() -> None:
    proved = hypothesis("lambda-oom", FUNCTION, proof=OURS[:1], since=None)
    more = looks(OTHER, "a", "b", "c")
    strong = hypothesis("lambda-tmp-full", OTHER, strong=more[:2], weak=more[2:], since=None)
    signals = (onset(OTHER, 0), onset(FUNCTION, 9), excess(OTHER, 1, 1.0), node(FUNCTION))
    without = concluded((*SEEN, *more), proved, strong)
    found = concluded((*SEEN, *more, *signals), proved, strong)

    assert abs(without.ranked[0].confidence - without.ranked[1].confidence) < ABOUT_EQUAL
    assert [h.resource for h in found.ranked] == [h.resource for h in without.ranked] == [FUNCTION, OTHER]


def test_between_two_proved_ones_the_signals_decide() -> None:
    proved = (
        hypothesis("lambda-oom", FUNCTION, proof=OURS[:1], since=None),
        hypothesis("lambda-tmp-full", OTHER, proof=THEIRS[:1], since=None),
    )

    assert root_of(onset(OTHER, 0), onset(FUNCTION, 4), told=proved) == OTHER


def test_no_signal_lifts_a_guess_to_a_verdict() -> None:
    guesses = (
        hypothesis("lambda-oom", FUNCTION, strong=OURS[:1], since=None),
        hypothesis("lambda-tmp-full", OTHER, strong=THEIRS[:1], since=None),
    )
    signals = (onset(FUNCTION, 0), onset(OTHER, 9), excess(FUNCTION, 1, 1.0), node(OTHER))

    assert root_of(*signals, told=guesses) is None


def test_each_sign_gains_at_most_a_twentieth() -> None:
    alone = concluded((*SEEN,), HERE).ranked[0].confidence
    signals = (onset(FUNCTION, 0), onset(OTHER, 9), excess(FUNCTION, 1, 1.0), node(OTHER))
    gained = concluded((*SEEN, *signals), HERE, THERE).ranked[0].confidence

    assert max(WENT_FIRST, EXPLAINS_MORE) <= 0.05
    assert alone < gained <= alone + 0.1


def test_where_one_of_three_was_not_measured_nothing_is_said_of_the_other_two() -> None:
    third = hypothesis("ddb-hot-partition", TABLE, strong=looks(TABLE, "a", "b"), since=None)
    signals = (onset(OTHER, 0), onset(FUNCTION, 9), excess(OTHER, 1, 0.9), node(FUNCTION))
    found = concluded((*SEEN, *looks(TABLE, "a", "b"), *signals), HERE, THERE, third)

    assert {h.favoured for h in found.ranked} == {""}


def test_the_earliest_of_a_resources_signals_counts() -> None:
    late = onset(OTHER, 6, "AWS/Lambda Duration Average")

    assert root_of(late, onset(OTHER, 0), onset(FUNCTION, 4)) == OTHER


def test_the_verdict_and_its_reasons_say_what_tipped_it() -> None:
    order = (onset(OTHER, 0), onset(FUNCTION, 4))
    signals = (*order, excess(OTHER, 1, 0.8), excess(FUNCTION, 2, 0.15))
    report = reported((*SEEN, *signals), [result(HERE, name="lambda"), result(THERE, name="lambda2")])

    said = "went wrong 4 min before `create-order`, and explains 80% of what no dependency explains, `create-order` 15%"
    assert f"`other` {said}." in report.summary
    assert report.hypotheses[0].favoured == said
    assert {each.id for each in signals} <= set(report.hypotheses[0].evidence)
    assert report.root_cause is not None
    assert {each.id for each in order} <= set(report.root_cause.evidence)
    assert said[:40] in str(why_view(report))


def test_a_cause_alone_at_the_front_is_not_said_to_be_favoured() -> None:
    found = concluded((*SEEN, onset(FUNCTION, 0)), HERE)

    assert found.ranked[0].role is Role.ROOT_CAUSE
    assert found.ranked[0].favoured == ""


def test_the_order_of_arrival_changes_nothing() -> None:
    third = hypothesis("ddb-hot-partition", TABLE, strong=looks(TABLE, "a", "b"), since=None)
    signals = [onset(OTHER, 0), onset(FUNCTION, 4), onset(TABLE, 7), excess(TABLE, 1, 0.6), node(OTHER), node(FUNCTION)]
    evidence = [*SEEN, *looks(TABLE, "a", "b"), *signals]
    shuffled = random.Random(7)
    told = set()
    for order in permutations((HERE, THERE, third)):
        shuffled.shuffle(evidence)
        told.add(repr(concluded(evidence, *order).ranked))

    assert len(told) == 1


def rang(**fields: Any) -> AlarmTransition:
    return AlarmTransition(
        resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:odd", source="cloudwatch:DescribeAlarmHistory", observed_at=minutes(0), name="odd",
        alarm_kind=AlarmKind.ANOMALY_DETECTION, state=AlarmState.ALARM, **fields,
    )  # fmt: skip


def usual_hour(*, usual: bool) -> UsualHour:
    return UsualHour(
        resource=FUNCTION, source="x", signal="AWS/Lambda Invocations Sum", worst=9, earlier={"7": 9}, usual=usual
    )


def test_an_alarm_over_what_is_usual_at_this_hour_is_told_so() -> None:
    said = "Invocations of Lambda function `create-order` did the same at this hour of other days."
    told = concluded((*SEEN, rang(), usual_hour(usual=True))).verdict
    other = concluded((*SEEN, rang(), usual_hour(usual=False))).verdict

    assert told.status is ReportStatus.INCONCLUSIVE
    assert said in told.summary
    assert "this hour" not in other.summary


@pytest.mark.parametrize(("silent", "found"), [(False, None), (True, "lambda-logs-missing")])
def test_what_only_hides_failures_explains_no_alarm_but_one_over_missing_data(
    *, silent: bool, found: str | None
) -> None:
    blind = hypothesis("lambda-logs-missing", FUNCTION, strong=OURS, since=None)
    conclusion = concluded((*SEEN, rang(for_missing_data=silent)), blind)

    assert (conclusion.root_cause.cause if conclusion.root_cause else None) == found
    assert found or conclusion.verdict.headline.startswith("Alarm `odd` rang")
