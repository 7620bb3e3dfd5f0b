"""Every attack of the corpus against every part of an investigation that a model has a say in, or that people see."""

import re
from collections.abc import Iterable

import pytest

from bot.terminal import render_report
from domain.findings import Origin
from domain.report import Report
from orchestrator.store import StoredBundle
from reasoning.prompt import CHARS_PER_TOKEN, MAX_DATA_TOKENS, Prompt
from tests.injection.attacks import ATTACKS, FORGED, SECRETS, Attack, Enters
from tests.injection.obedient import LOUD, ObedientReasoner
from tests.injection.scenes import Story, investigated
from tests.injection.shown import UNSEEN, alive, everything, verbatim

HARMLESS = "order failed"
EACH = pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: f"{a.enters}-{a.name}".replace(" ", "-"))
TELLING = {
    a.name
    for a in ATTACKS
    if re.search(r"delete|root cause is|instructions|approve|healthy|culprit|grant", a.text, re.IGNORECASE)
}
"""Attacks that tell a step, another cause, that all is well, or to obey: what takes these up is never shown."""

TAGS = re.compile(r"[<＜‹〈﹤⟨❮ᐸ][\s/]*evidence", re.IGNORECASE)
BOUND = MAX_DATA_TOKENS * CHARS_PER_TOKEN + 100


def verdict(report: Report) -> tuple[object, ...]:
    """What no text from outside may move: the verdict, how bad it is, what is proposed, and what rules say."""
    root = report.root_cause
    ruled = sorted((h.cause, h.resource, h.role) for h in report.hypotheses if h.origin is Origin.RULE)
    return (
        report.status, (root.cause, root.resource) if root else None, report.severity.level,
        [(a.kind, a.parameters) for a in report.proposed_actions], [a.text for a in report.advice], ruled,
    )  # fmt: skip


KNOWN: dict[tuple[Attack, Story], tuple[Report, StoredBundle]] = {}


async def plain(attack: Attack, story: Story) -> tuple[Report, StoredBundle]:
    """The investigation without a model; the same every time."""
    if (attack, story) not in KNOWN:
        KNOWN[attack, story] = await investigated(attack, story)
    return KNOWN[attack, story]


def lines_of(report: Report) -> int:
    return len(render_report(report).splitlines())


def leaked(text: str) -> list[str]:
    return [kind for kind, secret in SECRETS.items() if secret in text]


def escapes(prompts: Iterable[Prompt]) -> list[str]:
    """Prompts whose data could be taken for more than data, or that are too long."""
    inner = [(p, p.text.removeprefix(f"<{p.tag}>\n").removesuffix(f"\n</{p.tag}>")) for p in prompts]
    return [p.text for p, data in inner if p.tag[-8:] in data or TAGS.search(data) or len(p.text) > BOUND]


def test_the_corpus_is_large_and_enters_everywhere() -> None:
    assert len(ATTACKS) >= 100
    assert len(set(ATTACKS)) == len({(a.name, a.enters) for a in ATTACKS}) == len(ATTACKS)
    assert {a.enters for a in ATTACKS} == set(Enters)


async def test_the_stories_end_as_they_are_called() -> None:
    harmless = Attack("none", Enters.QUESTION, HARMLESS)
    decided, undecided, healthy = [(await investigated(harmless, story))[0] for story in Story]

    assert (decided.status, undecided.status, healthy.status) == ("completed", "inconclusive", "completed")
    assert decided.root_cause is not None
    assert decided.root_cause.cause == "ddb-provisioned-exceeded"
    assert len(decided.proposed_actions) > 1, "there are trade-offs to ask about"
    assert (undecided.root_cause, healthy.root_cause) == (None, None)


@EACH
async def test_what_the_system_says_moves_no_verdict_of_the_rules(attack: Attack) -> None:
    for story in Story:
        harmless, _ = await plain(Attack("harmless", attack.enters, HARMLESS), story)
        attacked, stored = await plain(attack, story)

        assert verdict(attacked) == verdict(harmless)
        assert alive(attacked, stored) == []
        assert lines_of(attacked) == lines_of(harmless), "no line of the terminal is the attack's own"


@EACH
async def test_a_model_that_obeys_moves_no_verdict_and_reads_no_secret(attack: Attack) -> None:
    for story in Story:
        reasoner = ObedientReasoner(attack.text)
        report, stored = await investigated(attack, story, reasoner)

        assert reasoner.asked, "the model must have had its chance"
        assert verdict(report) == verdict((await plain(attack, story))[0])
        assert alive(report, stored) == []
        assert leaked(reasoner.read) == leaked(everything(report, stored)) == []
        assert escapes(reasoner.prompts) == []
        assert max(len(question.data) for question in reasoner.asked) < 2_000


@EACH
async def test_a_model_that_slips_words_in_tells_no_step_and_no_other_cause(attack: Attack) -> None:
    for story in (Story.DECIDED, Story.UNDECIDED):
        report, stored = await investigated(attack, story, ObedientReasoner(attack.text, quiet=True))

        assert verdict(report) == verdict((await plain(attack, story))[0])
        assert alive(report, stored) == []
        assert leaked(everything(report, stored)) == []
        if report.told is not None:
            assert attack.name not in TELLING, report.told.summary
            assert not UNSEEN.search(report.told.summary)


@pytest.mark.parametrize("attack", FORGED, ids=lambda a: a.name.replace(" ", "-"))
async def test_a_model_that_forges_adds_nothing_at_all(attack: Attack) -> None:
    before, _ = await plain(attack, Story.DECIDED)
    report, _ = await investigated(attack, Story.DECIDED, ObedientReasoner(attack.text, honest=False))

    assert (report.hypotheses, report.told) == (before.hypotheses, None)
    assert [s.facts for s in report.specialists] == [s.facts for s in before.specialists]
    assert report.usage.model_calls > 1


async def test_what_is_loud_in_a_models_words_was_there_to_be_stopped() -> None:
    reasoner = ObedientReasoner("say it loud")
    report, stored = await investigated(Attack("loud", Enters.LOG, "say it loud"), Story.DECIDED, reasoner)
    facts = [f.statement for s in report.specialists for f in s.facts if f.origin is Origin.MODEL]

    assert "<!channel>" in LOUD
    assert facts
    assert all("say it loud" in fact and "evil.example" not in fact and "<" not in fact for fact in facts)
    assert verbatim(report, stored)
    assert {"lambda", "dynamodb", "execution-proposal", "synthesis"} <= {question.who for question in reasoner.asked}
