"""Asks models through Strands: one shared model per process, one fresh agent per question, limits on all of it.

Whatever goes wrong is a `Reply` that says so. What a question used is taken off its budget in every case.
"""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic

from strands import Agent
from strands.agent.conversation_manager import NullConversationManager
from strands.middleware import InvokeModelStage
from strands.models import Model
from strands.types.agent import Limits

from domain.gap import GapReason
from domain.usage import Usage
from reasoning import models, telemetry
from reasoning.contract import AnswerT, Budget, Question, Reply
from reasoning.door import Door
from reasoning.holds import Holds
from reasoning.looks import strands_tool
from reasoning.models import Spec
from reasoning.prices import dollars
from reasoning.problems import STOPPED, TIMED_OUT, UNKNOWN, Problem, problem_of
from reasoning.prompt import Prompt, prompt, tokens_in

logger = logging.getLogger(__name__)

AT_ONCE = 16
"""Questions that are asked at the same time; more wait their turn."""

THREADS = 64
"""Bedrock's calls block a thread of the event loop's own pool each, and six, its default on two cores, are too few."""

OVERHEAD_TOKENS = 60
"""What a request with a tool costs beside its own text."""

Build = Callable[[Spec, int], Model]

_end: ContextVar[threading.Event | None] = ContextVar("rca_question_end", default=None)


class QuestionOver(Exception):
    """The question that a retry belongs to has ended: nobody waits for an answer."""


@dataclass
class _Attempt(Generic[AnswerT]):
    """What one model made of a question; until it has done anything else it is late."""

    spec: Spec
    usage: Usage = field(default_factory=Usage)
    answer: AnswerT | None = None
    problem: Problem | None = TIMED_OUT

    def words(self) -> str:
        return f"{self.spec.label} {self.problem.words}" if self.problem else ""


@dataclass
class _Exchange(Generic[AnswerT]):
    """One question on its way: as it is sent, when its time ends on the loop's clock, and what came of it so far."""

    question: Question[AnswerT]
    asked: Prompt
    budget: Budget
    ends: float
    attempts: list[_Attempt[AnswerT]] = field(default_factory=list)

    @cached_property
    def input_tokens(self) -> int:
        """About how many tokens the first call reads, rather too many than too few."""
        shape = len(json.dumps(self.question.answer.model_json_schema())) // 4
        return tokens_in(self.asked.text) + len(self.asked.system) // 4 + shape + OVERHEAD_TOKENS

    @property
    def usage(self) -> Usage:
        """What all attempts used."""
        return sum((attempt.usage for attempt in self.attempts), Usage())

    def left(self) -> float:
        """Seconds until its time ends."""
        return self.ends - asyncio.get_running_loop().time()

    def reply(self, refusal: str) -> Reply[AnswerT]:
        """Return what came of it; `refusal` is why the budget did not let it be asked."""
        if refusal:
            return Reply(None, problem=refusal, reason=GapReason.FAILED)
        if not self.attempts:
            return Reply(None, problem="too many questions were asked at once", reason=GapReason.TIMED_OUT)
        last = self.attempts[-1]
        if last.problem is None:
            return Reply(last.answer, self.usage)
        words = "; ".join(attempt.words() for attempt in self.attempts)
        return Reply(None, self.usage, words, last.problem.reason, last.problem.action)


class StrandsReasoner:
    """A `Reasoner`. One per process and event loop.

    `chains` are the models to try in order, by who asks; everyone else has `default`. `build` makes a model that
    writes at most so many tokens; it is called once for each.
    """

    def __init__(
        self,
        default: Sequence[Spec],
        chains: Mapping[str, Sequence[Spec]] | None = None,
        build: Build = models.build,
        at_once: int = AT_ONCE,
    ) -> None:
        telemetry.redact_prompts()
        self._default = tuple(default)
        self._chains = dict(chains or {})
        self._build = build
        self._built: dict[tuple[Spec, int], Model] = {}
        self._building = threading.Lock()
        self._refusing: set[Spec] = set()
        self._places = asyncio.Semaphore(at_once)
        self._holds = Holds()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, question: Question[AnswerT], budget: Budget) -> Reply[AnswerT]:
        """Ask one question within its limits and the budget; raises nothing but its own cancellation."""
        self._widen()
        ends = asyncio.get_running_loop().time() + question.seconds
        exchange = _Exchange(question, prompt(question.instructions, question.data), budget, ends)
        refusal = ""
        with telemetry.span("ask", who=question.who) as span:
            try:
                async with asyncio.timeout_at(ends), self._places:
                    refusal = await self._within_budget(exchange)
            except TimeoutError:
                logger.info("who=<%s>, seconds=<%g> | the question's time is over", question.who, question.seconds)
            reply = exchange.reply(refusal)
            span.set_attributes({"rca.answered": reply.answer is not None, "rca.calls": reply.usage.model_calls})
        for attempt in exchange.attempts:
            telemetry.asked(question.who, str(attempt.spec), attempt.usage)
        if reply.problem:
            logger.warning("who=<%s>, problem=<%s> | no answer from a model", question.who, reply.problem)
        return reply

    async def _within_budget(self, exchange: _Exchange[AnswerT]) -> str:
        """Ask while holding what the question may need; return why the budget refuses it, if it does."""
        need = exchange.input_tokens + exchange.question.tokens
        refusal = await self._holds.take(exchange.budget, need)
        if refusal:
            return refusal
        try:
            await self._along_the_chain(exchange)
        finally:
            settling = self._holds.settle(exchange.budget, need, exchange.usage)
            await asyncio.shield(asyncio.ensure_future(settling))
        return ""

    async def _along_the_chain(self, exchange: _Exchange[AnswerT]) -> None:
        """Ask one model after the other until one answers; each has its share of the time that is left."""
        chain = self._chains.get(exchange.question.who, self._default)
        for place, spec in enumerate(chain):
            attempt = _Attempt[AnswerT](spec)
            exchange.attempts.append(attempt)
            await self._attempt(attempt, exchange, exchange.left() / (len(chain) - place))
            if attempt.problem is None or not attempt.problem.elsewhere:
                return

    async def _attempt(self, attempt: _Attempt[AnswerT], exchange: _Exchange[AnswerT], seconds: float) -> None:
        """Ask one model with a fresh agent."""
        spec, question = attempt.spec, exchange.question
        door = Door(spec, question.answer, question.turns, looks=bool(question.tools), refusing=self._refusing)
        agent: Agent | None = None
        try:
            async with asyncio.timeout(seconds):
                tokens = await asyncio.to_thread(exchange.budget.tokens_left)
                model = await asyncio.to_thread(self._model, spec, question.tokens)
                agent = _agent(model, question, exchange.asked, door)
                _end.set(door.end)
                result = await agent.invoke_async(
                    exchange.asked.text,
                    structured_output_model=question.answer,
                    limits=Limits(turns=question.turns, total_tokens=max(1, tokens)),
                    cancel_signal=door.end,
                )
            if isinstance(result.structured_output, question.answer):
                attempt.answer, attempt.problem = result.structured_output, None
            else:
                attempt.problem = STOPPED.get(result.stop_reason, UNKNOWN)
        except Exception as error:  # noqa: BLE001 - the door to models: whatever a provider does becomes a reply
            attempt.problem = problem_of(error)
            kind = type(getattr(error, "original", error)).__name__
            logger.info("model=<%s>, error=<%s> | did not answer", spec, kind)
        finally:
            door.end.set()
            unreported = exchange.input_tokens if attempt.problem is TIMED_OUT else 0
            attempt.usage = _used(spec, agent, door.calls, unreported)

    def _model(self, spec: Spec, tokens: int) -> Model:
        """Return the process's one model of this name that writes at most that much. Blocking."""
        with self._building:
            if (spec, tokens) not in self._built:
                model = self._build(spec, tokens)
                client: Any = getattr(model, "client", None)
                if hasattr(client, "meta"):
                    client.meta.events.register_first("before-send.*.*", _before_send)
                self._built[spec, tokens] = model
            return self._built[spec, tokens]

    def _widen(self) -> None:
        """Give the loop a pool in which all questions fit."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="rca-think"))
            self._loop = loop


def _agent(model: Model, question: Question[Any], asked: Prompt, door: Door) -> Agent:
    agent = Agent(
        model=model,
        name=question.who,
        system_prompt=asked.system,
        tools=[strands_tool(tool, asked) for tool in question.tools],
        callback_handler=None,
        conversation_manager=NullConversationManager(),
        retry_strategy=None,
        load_tools_from_directory=False,
    )
    agent.add_middleware(InvokeModelStage, door)
    return agent


def _before_send(**_: Any) -> None:
    """Stop boto3's own retries once nobody waits for them: they cost like the first call."""
    end = _end.get()
    if end is not None and end.is_set():
        raise QuestionOver


def _used(spec: Spec, agent: Agent | None, calls: int, unreported: int) -> Usage:
    """Return what an attempt used; a call that was left reports nothing and is billed, so it counts by estimate."""
    told = agent.event_loop_metrics.accumulated_usage if agent else {"inputTokens": 0, "outputTokens": 0}
    read, written = told["inputTokens"] + (unreported if calls else 0), told["outputTokens"]
    usd = dollars(spec.provider, spec.model_id, read, written) if calls else 0.0
    return Usage(input_tokens=read, output_tokens=written, model_calls=calls, usd=usd)
