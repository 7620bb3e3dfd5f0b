"""Judging: an expectation that does not hold is told, and makes a scenario wrong."""

from typing import Any

import pytest

from domain.causes import CAUSES
from domain.report import RankedHypothesis, Role, SeverityLevel
from evals.judge import Judgement, judge
from evals.scenario import Expect, Kind, Scenario
from evals.score import Score
from tests.support import reports

REPORT = reports.incident()
ROOT = REPORT.root_cause
TRIGGER = next(h for h in REPORT.hypotheses if h.role is Role.TRIGGER)
SYMPTOM = next(h for h in REPORT.hypotheses if h.role is Role.SYMPTOM)
OTHER_CAUSE = next(code for code in CAUSES if code not in {h.cause for h in REPORT.hypotheses})


def judged(**expected: Any) -> Judgement:
    assert ROOT is not None
    expect = Expect("a trace", cause=ROOT.cause, resource=ROOT.resource, **expected)
    story = Scenario("a-story", Kind.SINGLE, "dynamodb", "It happened.", lambda _: expect)
    return judge(story, expect, REPORT, REPORT, 0, {e.id for e in REPORT.evidence})


HOLDS: tuple[dict[str, Any], ...] = (
    {},
    {"trigger": TRIGGER.resource},
    {"severity": REPORT.severity.level},
    {"says": (REPORT.summary[:12],), "omits": ("no such words",)},
    {"shown": ((SYMPTOM.cause, SYMPTOM.resource),)},
    {"facts": (REPORT.specialists[0].facts[0].statement[:20],)},
    {"confidence_at_most": ROOT.confidence if ROOT else 0.0},
)
BROKEN: tuple[dict[str, Any], ...] = (
    {"trigger": ""},
    {"trigger": "arn:aws:sqs:eu-west-1:123456789012:other"},
    {"severity": SeverityLevel.NONE},
    {"says": ("no such words",)},
    {"omits": (REPORT.summary[:12],)},
    {"shown": ((OTHER_CAUSE, SYMPTOM.resource),)},
    {"facts": ("no such words",)},
    {"runbook": "no such runbook"},
    {"confidence_at_most": (ROOT.confidence if ROOT else 0.0) - 0.01},
)


@pytest.mark.parametrize("expected", HOLDS)
def test_what_holds_is_met(expected: dict[str, Any]) -> None:
    assert judged(**expected).unmet == ()


@pytest.mark.parametrize("expected", BROKEN)
def test_what_does_not_hold_is_told_and_makes_it_wrong(expected: dict[str, Any]) -> None:
    found = judged(**expected)

    assert len(found.unmet) == 1
    assert found.top1
    assert not found.right


def test_a_ruled_out_hypothesis_is_not_shown() -> None:
    out = SYMPTOM.model_copy(update={"role": Role.RULED_OUT})
    hypotheses: tuple[RankedHypothesis, ...] = (*(h for h in REPORT.hypotheses if h is not SYMPTOM), out)
    report = REPORT.model_copy(update={"hypotheses": hypotheses})
    expect = Expect("a trace", shown=((SYMPTOM.cause, SYMPTOM.resource),))
    story = Scenario("a-story", Kind.SINGLE, "lambda", "It happened.", lambda _: expect)

    assert judge(story, expect, report, report, 0, set()).unmet == (f"does not show {SYMPTOM.cause}",)


def test_one_unmet_expectation_is_one_too_many_for_the_score() -> None:
    good, bad = judged(), judged(says=("no such words",))

    assert Score.of([good]).unmet == 0
    assert Score.of([good, bad]).unmet == 1
    assert not Score.of([bad]).holds
