"""Questions over the wire to a local Bedrock: threads, retries, the event stream and what it costs."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import BaseModel

from domain.gap import GapReason
from reasoning import models
from reasoning.budget import InvestigationBudget, Limits, MemoryLedger
from reasoning.contract import Question, Reply
from reasoning.models import DEFAULT_BEDROCK, Spec
from reasoning.strands_reasoner import StrandsReasoner
from sandbox.models.bedrock import LocalBedrock, refusing_to_be_forced, throttled
from sandbox.models.script import Asked, Broken, CutOff, Fault, Script, Stall, ToolUse
from sandbox.models.served import Latency

# Strands leaves a stream that broke to the garbage collector; its socket is collected here, not in another test.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

SPEC = Spec("bedrock", DEFAULT_BEDROCK)
ANSWER = ToolUse("Finding", {"say": "the table is throttled", "evidence": ["E1"]})


class Finding(BaseModel):
    """What is wrong."""

    say: str
    evidence: list[str]


def _answer(_: Asked) -> Script:
    return Script((ANSWER,))


def _failing(fault: Fault) -> Callable[[Asked], Script]:
    return lambda _: Script((ANSWER,), fault=fault)


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBedrock]:
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    with LocalBedrock(_answer) as local:
        for name, value in local.environment().items():
            monkeypatch.setenv(name, value)
        models._session.cache_clear()
        yield local
    models._session.cache_clear()
    gc.collect()


async def _ask(reasoner: StrandsReasoner, seconds: float = 8.0) -> Reply[Finding]:
    budget = InvestigationBudget(Limits(tokens=100_000, usd=100.0), MemoryLedger())
    return await reasoner.ask(Question("lambda", "Say.", "E1 09:53 throttled", Finding, seconds=seconds), budget)


async def _warm(bedrock: LocalBedrock) -> StrandsReasoner:
    """Return a reasoner whose client is made and connected."""
    reasoner = StrandsReasoner([SPEC])
    assert (await _ask(reasoner)).answer
    bedrock.forget()
    return reasoner


async def test_an_answer_comes_over_the_wire_with_its_bound_and_its_cost(bedrock: LocalBedrock) -> None:
    reply = await _ask(StrandsReasoner([SPEC]))

    assert reply.answer == Finding(say="the table is throttled", evidence=["E1"])
    (asked,) = bedrock.asked
    assert (asked.model, asked.forced, asked.max_tokens) == (DEFAULT_BEDROCK, "Finding", 400)
    read, written = bedrock.tokens
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (read, written)
    assert reply.usage.usd == pytest.approx((read * 3 + written * 15) / 1e6)


async def test_sixteen_questions_are_at_bedrock_at_the_same_time(bedrock: LocalBedrock) -> None:
    together = threading.Barrier(16)

    def meet(_: Asked) -> Script:
        together.wait(10)
        return Script((ANSWER,))

    bedrock.respond = meet
    reasoner = StrandsReasoner([SPEC])

    replies = await asyncio.gather(*(_ask(reasoner) for _ in range(16)))

    assert all(reply.answer for reply in replies)


@pytest.mark.parametrize(
    ("fault", "words", "reason"),
    [
        (throttled(), "Bedrock throttled the question", GapReason.THROTTLED),
        (Broken(1, "throttlingException", "slow"), "Bedrock throttled the question", GapReason.THROTTLED),
        (Broken(1, "internalServerException", "oh"), "Bedrock is not available at the moment", GapReason.FAILED),
        (CutOff(1), "Bedrock broke off in the middle of its answer", GapReason.FAILED),
    ],
    ids=repr,
)
async def test_what_goes_wrong_on_the_wire_is_one_line(
    bedrock: LocalBedrock, fault: Fault, words: str, reason: GapReason
) -> None:
    bedrock.respond = _failing(fault)

    reply = await _ask(StrandsReasoner([SPEC]))

    assert reply.answer is None
    assert reply.problem.startswith(words)
    assert reply.reason is reason
    assert len(bedrock.asked) <= models.ATTEMPTS


async def test_a_model_that_cannot_be_forced_costs_one_request_more_once(bedrock: LocalBedrock) -> None:
    bedrock.respond = refusing_to_be_forced(_answer)
    reasoner = StrandsReasoner([SPEC])

    replies = [await _ask(reasoner) for _ in range(2)]

    assert all(reply.answer for reply in replies)
    assert len(bedrock.asked) == 3


async def test_a_slow_answer_is_left_at_once_and_its_thread_ends_with_the_next_word(bedrock: LocalBedrock) -> None:
    reasoner = await _warm(bedrock)
    bedrock.latency = Latency(output_token=0.5)

    began = time.monotonic()
    reply = await _ask(reasoner, seconds=1.0)
    left = time.monotonic() - began
    await asyncio.get_running_loop().shutdown_default_executor()
    ended = time.monotonic() - began

    assert reply.reason is GapReason.TIMED_OUT
    assert left < 3.0
    writing = 0.5 * bedrock.tokens[1]
    assert writing > 5.0, "else the thread might have read to the end"
    assert ended < writing


async def test_a_silent_model_is_left_at_once_and_not_asked_again_behind_our_back(
    bedrock: LocalBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "READ_SECONDS", 1.0)
    reasoner = await _warm(bedrock)
    bedrock.latency = Latency(begin=3.0)

    reply = await _ask(reasoner, seconds=0.5)
    await asyncio.get_running_loop().shutdown_default_executor()

    assert reply.problem == "Bedrock did not answer in time"
    assert len(bedrock.asked) == 1


async def test_a_stall_in_the_middle_ends_at_the_limit(bedrock: LocalBedrock) -> None:
    reasoner = await _warm(bedrock)
    bedrock.respond = _failing(Stall(2, 2.0))

    began = time.monotonic()
    reply = await _ask(reasoner, seconds=0.5)

    assert reply.reason is GapReason.TIMED_OUT
    assert time.monotonic() - began < 1.9
