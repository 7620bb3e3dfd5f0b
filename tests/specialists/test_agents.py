"""Laws of the agents: every specialist has one, it is short, its own, and looks with its own probes only."""

import re
from collections import Counter

import pytest

from specialists.contract import Agent, Specialist, SpecialistKind
from specialists.judgement import HOW
from specialists.registry import all_specialists

WORDS = 90
AGENTS = [(s.name, s.agent) for s in all_specialists() if s.agent is not None]


def test_every_specialist_has_an_agent() -> None:
    assert [s.name for s in all_specialists() if s.agent is None] == []
    assert len(AGENTS) == 16


@pytest.mark.parametrize("specialist", all_specialists(), ids=lambda s: s.name)
def test_its_tools_are_at_most_three_of_its_own_probes(specialist: Specialist) -> None:
    assert specialist.agent is not None
    tools = specialist.agent.tools

    assert len(tools) <= 3
    assert all(tool in specialist.probes for tool in tools)
    assert len(set(tools)) == len(tools)
    assert bool(tools) or specialist.kind is not SpecialistKind.SERVICE


@pytest.mark.parametrize(("name", "agent"), AGENTS, ids=lambda item: item if isinstance(item, str) else "")
def test_its_instructions_are_short_plain_text(name: str, agent: Agent) -> None:
    assert 30 <= len(agent.instructions.split()) <= WORDS, name
    assert agent.instructions.endswith(".")
    assert not re.search(r"[<>{}`\n]|  ", agent.instructions)


def test_no_sentence_stands_in_two_instructions() -> None:
    texts = [*(agent.instructions for _, agent in AGENTS), HOW]
    sentences = Counter(s.strip() for text in texts for s in re.split(r"(?<=[.])\s", text))

    assert [s for s, count in sentences.items() if count > 1] == []


def test_no_instruction_names_a_cause_code_that_could_be_parroted() -> None:
    from domain.causes import CAUSES

    assert [code for code in CAUSES for _, agent in AGENTS if code in agent.instructions] == []
