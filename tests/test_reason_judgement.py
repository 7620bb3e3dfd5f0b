"""A model's answer is typed, and of it only what can be checked counts; its words are words and nothing else."""

import pytest

from domain.findings import Hypothesis, Origin
from specialists.judgement import CLAIMED, SAY, Judgement, Shown, checked, nameable, plain
from specialists.registry import all_specialists
from tests.support.asking import cause, claim, doubt, judged
from tests.support.concluding import CODE, FUNCTION, TABLE, TIMEOUT, hypothesis, looks

ONE, TWO, THREE = looks(FUNCTION, "one", "two", "three")
THOUGHT: Hypothesis = hypothesis(TIMEOUT, FUNCTION, weak=[ONE])
SHOWN = Shown(
    evidence={"E1": ONE.id, "E2": TWO.id, "E3": THREE.id},
    resources={"R1": FUNCTION, "R2": TABLE},
    hypotheses={"H1": THOUGHT},
    causes=frozenset({CODE, TIMEOUT}),
)


def test_what_is_shown_and_cited_counts() -> None:
    said = judged(
        claims=[claim("Two is odd", "E2")], causes=[cause(CODE, "R1", "E2", "E3")], doubts=[doubt("H1", "E3")]
    )
    kept = checked(said, SHOWN, "lambda")

    assert [(f.statement, f.evidence, f.origin) for f in kept.facts] == [
        (f"{CLAIMED}Two is odd", (TWO.id,), Origin.MODEL)
    ]
    assert [(h.cause, h.resource, h.evidence, h.specialist) for h in kept.hypotheses] == [
        (CODE, FUNCTION, (TWO.id, THREE.id), "lambda")
    ]
    assert [s.evidence for s in kept.doubts["H1"]] == [THREE.id]
    assert kept.dropped == 0


@pytest.mark.parametrize(
    "said",
    [
        judged(claims=[claim("no evidence")]),
        judged(claims=[claim("invented", "E4")]),
        judged(claims=[claim("partly invented", "E1", "E4")]),
        judged(claims=[claim("the id itself", ONE.id)]),
        judged(claims=[claim("a resource is no evidence", "R1")]),
        judged(claims=[claim("  \u200b ", "E1")]),
        judged(causes=[cause(CODE, "R7", "E1")]),
        judged(causes=[cause(CODE, FUNCTION, "E1")]),
        judged(causes=[cause(CODE, "R1, R2", "E1")]),
        judged(causes=[cause("kms-key-not-found", "R1", "E1")]),
        judged(causes=[cause(CODE, "R1")]),
        judged(doubts=[doubt("H2", "E3")]),
        judged(doubts=[doubt("H1", "E1")]),
        judged(doubts=[doubt("H1")]),
    ],
)
def test_what_cannot_be_checked_is_dropped_and_counted(said: Judgement) -> None:
    kept = checked(said, SHOWN, "lambda")

    assert (kept.facts, kept.hypotheses, dict(kept.doubts), kept.dropped) == ((), (), {}, 1)


@pytest.mark.parametrize("labels", [["E2", "E3"], ["E2, E3"], ["[E2]", "(E3)"], ["E2 E3"], ["E2", "E3", "E2"]])
def test_labels_are_read_however_they_are_bracketed(labels: list[str]) -> None:
    assert checked(judged(claims=[claim("x", *labels)]), SHOWN, "lambda").facts[0].evidence == (TWO.id, THREE.id)


def test_more_than_may_be_said_is_dropped_and_counted() -> None:
    said = judged(
        claims=[claim(f"claim {n}", "E1") for n in range(5)],
        causes=[cause(code, "R1", "E2") for code in (CODE, TIMEOUT, CODE)],
        doubts=[doubt("H1", "E2"), doubt("H1", "E3"), doubt("H1", "E3")],
    )
    kept = checked(said, SHOWN, "lambda")

    assert (len(kept.facts), len(kept.hypotheses), len(kept.doubts["H1"]), kept.dropped) == (3, 2, 2, 4)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("see https://evil.example/x?y now", "see (link) now"),
        ("go to www.evil.example or evil.example/login", "go to (link) or (link)"),
        ("<!here> and <@U123> wake up", "(!here) and (U123) wake up"),
        ("@channel *bold* `code` ~gone~", "channel bold 'code' gone"),
        ("[click](https://evil.example)", "(link)"),
        ("right\u202eto\u200bleft\U000e0041", "righttoleft"),
        ("password=hunter2hunter2", "password=(redacted:password)"),
        ("two\nlines", "two lines"),
    ],
)
def test_words_do_nothing_but_say(said: str, left: str) -> None:
    assert plain(said) == left.replace(
        "[redacted:password]", plain("password=hunter2hunter2").removeprefix("password=")
    )
    assert "hunter2" not in plain(said)


def test_words_are_bounded() -> None:
    assert len(plain("word " * 10_000)) <= SAY


def test_the_shape_asks_for_few_and_describes_nothing_twice() -> None:
    parts = Judgement.model_json_schema()["$defs"]

    assert not [name for name, part in parts.items() if "description" in part]


@pytest.mark.parametrize("name", ["historical-incident", "knowledge-rag", "execution-proposal", "signal-analysis"])
def test_a_specialist_whose_rules_name_no_cause_lets_its_model_name_none(name: str) -> None:
    (specialist,) = (s for s in all_specialists() if s.name == name)

    assert nameable(specialist) == ()


def test_a_service_specialist_lets_its_model_name_what_belongs_to_its_service() -> None:
    (specialist,) = (s for s in all_specialists() if s.name == "dynamodb")
    codes = nameable(specialist)

    assert {"ddb-hot-partition", "deploy-regression"} <= set(codes)
    assert "lambda-timeout" not in codes
