"""What a model gets over the wire while attacks are in the evidence: one pair of tags, no secret, no tool that writes."""

import json

import pytest

from reasoning.models import Spec
from reasoning.prompt import DATA_RULE
from reasoning.strands_reasoner import StrandsReasoner
from specialists.registry import all_specialists
from tests.injection.attacks import ATTACKS, CLOSING, LEAKS, Attack
from tests.injection.scenes import Story, investigated
from tests.injection.test_corpus import leaked, verdict
from tests.support.models import ScriptedModel, prose

LOOKS = {probe.name for s in all_specialists() if s.agent for probe in s.agent.tools}
ANSWERS = {"Judgement", "Worded"}
SENT = (*CLOSING, *LEAKS, *ATTACKS[:3])


@pytest.mark.parametrize("attack", SENT, ids=lambda a: f"{a.enters}-{a.name}".replace(" ", "-"))
async def test_the_wire_carries_one_pair_of_tags_no_secret_and_no_writing_tool(attack: Attack) -> None:
    model = ScriptedModel(prose(f"As told: {attack.text}"))
    report, _ = await investigated(
        attack, Story.DECIDED, StrandsReasoner([Spec("bedrock", "scripted")], build=lambda *_: model)
    )

    assert len(model.asked) > 3
    for asked in model.asked:
        data = "\n".join(block["text"] for block in asked.messages[0]["content"])
        tag = data.split(">", 1)[0].removeprefix("<")

        assert DATA_RULE.format(tag=tag) in asked.system
        assert (data.count(tag), data.count(f"</{tag}>")) == (2, 1)
        assert leaked(f"{asked.system}{asked.text}{json.dumps(asked.tools)}") == []
        assert {tool["name"] for tool in asked.tools} <= LOOKS | ANSWERS
    assert verdict(report) == verdict((await investigated(attack, Story.DECIDED))[0])
    assert report.told is None, "what is said beside an answer's shape is no answer"
