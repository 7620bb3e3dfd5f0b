"""Whatever a provider does on a bad day: the question says so in one line, the investigation ends as the rules say."""

import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel

from aws.limits import Limits
from aws.session import AwsConfig, ReadSession
from domain.gap import Gap, GapReason
from domain.report import Report
from domain.request import Trigger, TriggerKind
from orchestrator.investigate import Investigator
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.report import digest
from orchestrator.sqlite_store import SqliteStore
from reasoning import models
from reasoning.budget import InvestigationBudget, MemoryLedger
from reasoning.budget import Limits as Budgets
from reasoning.contract import Mode, Question, Reply
from reasoning.models import DEFAULT_BEDROCK, Spec
from reasoning.strands_reasoner import StrandsReasoner
from sandbox.aws import LocalAws
from sandbox.incidents import orders_throttling
from sandbox.incidents.incident import Incident
from sandbox.models.answering import answering, in_prose, output_tool
from sandbox.models.bedrock import LocalBedrock, refused, refusing_to_be_forced, throttled
from sandbox.models.script import Asked, Broken, CutOff, Fault, Respond, Script, Stall, Text, ToolUse
from specialists.registry import all_specialists

# Strands leaves a stream that broke to the garbage collector; its socket is collected here, not in another test.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")

ASKED = ("apigateway", "dynamodb", "iam", "lambda")
SPEC = Spec("bedrock", DEFAULT_BEDROCK)
TIME_LIMIT = 25.0


class Finding(BaseModel):
    """What is wrong."""

    say: str
    evidence: list[str]


@dataclass(frozen=True)
class BadDay:
    """What the model does, and what people are told of it."""

    name: str
    respond: Respond
    problem: str
    reason: GapReason


def ended(fault: Fault) -> Respond:
    """A model whose good answer does not arrive whole."""
    return lambda asked: Script(answering(asked).blocks, fault=fault)


def calling(json: str, stop: str = "") -> Respond:
    """A model that writes this as the input of the output tool."""
    return lambda asked: Script((ToolUse(output_tool(asked).name, json),), stop)


def refusing(code: str, message: str) -> Respond:
    return lambda _: Script(fault=refused(code, message))


def chatty(asked: Asked) -> Script:
    """A model that does not come to the end of its answer."""
    return Script((ToolUse(output_tool(asked).name, {"say": "and so on " * 2000, "evidence": ["E1"]}),))


DAYS = (
    BadDay("throttled", ended(throttled()), "Bedrock throttled the question", GapReason.THROTTLED),
    BadDay(
        "throttled in the middle",
        ended(Broken(3, "ThrottlingException", "Too many requests")),
        "Bedrock throttled the question",
        GapReason.THROTTLED,
    ),
    BadDay("silent", ended(Stall(0, 60)), "Bedrock did not answer in time", GapReason.TIMED_OUT),
    BadDay("stalled in the middle", ended(Stall(4, 60)), "Bedrock did not answer in time", GapReason.TIMED_OUT),
    BadDay(
        "cut off",
        ended(CutOff(4)),
        "Bedrock broke off in the middle of its answer",
        GapReason.FAILED,
    ),
    BadDay("prose", in_prose, "Bedrock answered in prose, not in the shape it was asked for", GapReason.FAILED),
    BadDay(
        "broken JSON",
        calling('{"say": throttled, "evidence"'),
        "Bedrock wrote an answer that is no JSON",
        GapReason.FAILED,
    ),
    BadDay(
        "JSON of another shape",
        calling('{"verdict": "throttled"}'),
        "Bedrock did not give the answer in the calls it was allowed",
        GapReason.FAILED,
    ),
    BadDay(
        "truncated JSON",
        calling('{"say": "the table is thr', "max_tokens"),
        "Bedrock had its answer cut off at the length it was allowed",
        GapReason.FAILED,
    ),
    BadDay(
        "too long an answer", chatty, "Bedrock had its answer cut off at the length it was allowed", GapReason.FAILED
    ),
    BadDay(
        "guardrail",
        lambda _: Script((Text("Sorry, I cannot answer this."),), "guardrail_intervened"),
        "Bedrock was stopped by a guardrail",
        GapReason.FAILED,
    ),
    BadDay(
        "filtered",
        lambda _: Script((Text(""),), "content_filtered"),
        "Bedrock filtered its answer out",
        GapReason.FAILED,
    ),
    BadDay(
        "denied",
        refusing("AccessDeniedException", "You don't have access to the model with the specified model ID."),
        "Bedrock is denied to us by AWS: grant bedrock:InvokeModelWithResponseStream and ask for the model",
        GapReason.ACCESS_DENIED,
    ),
    BadDay(
        "expired credentials",
        refusing("ExpiredTokenException", "The security token included in the request is expired"),
        "Bedrock refused the credentials: renew them",
        GapReason.ACCESS_DENIED,
    ),
    BadDay(
        "unavailable",
        refusing("ServiceUnavailableException", "Bedrock is unable to process your request."),
        "Bedrock is not available at the moment",
        GapReason.FAILED,
    ),
    BadDay(
        "no such model",
        refusing("ValidationException", "The provided model identifier is invalid."),
        "Bedrock has no such model here: check RCA_MODEL and its Region",
        GapReason.NOT_FOUND,
    ),
    BadDay(
        "too long a question",
        refusing("ValidationException", "Input is too long for requested model. prompt is too long"),
        "Bedrock found the question too long",
        GapReason.FAILED,
    ),
)
OF_EACH_KIND = (
    "throttled", "throttled in the middle", "stalled in the middle", "prose", "broken JSON", "truncated JSON", "guardrail", "denied",
)  # fmt: skip
"""The bad days that a whole investigation is made on."""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local:
        yield local


@pytest.fixture(scope="module")
def incident(aws: LocalAws) -> Incident:
    return orders_throttling.seed(aws)


@pytest.fixture(scope="module")
def by_rules(aws: LocalAws, incident: Incident) -> Report:
    """What the rules alone say."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in aws.environment().items():
            environment.setenv(name, value)
        return asyncio.run(investigated(incident, Mode.NEVER))


@pytest.fixture
def bedrock(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBedrock]:
    monkeypatch.setattr(models, "READ_SECONDS", 2.0)
    with LocalBedrock() as local:
        for name, value in {**aws.environment(), **local.environment()}.items():
            monkeypatch.setenv(name, value)
        models._session.cache_clear()
        yield local
    models._session.cache_clear()
    gc.collect()


async def asked(seconds: float) -> Reply[Finding]:
    budget = InvestigationBudget(Budgets(tokens=100_000, usd=100.0), MemoryLedger())
    question = Question("lambda", "Say what is wrong.", "E1 09:53 throttled", Finding, seconds=seconds)
    return await StrandsReasoner([SPEC]).ask(question, budget)


async def investigated(incident: Incident, mode: Mode) -> Report:
    """Investigate with the four specialists of the incident, at the moment that it is told from."""
    session = ReadSession(AwsConfig(), every_read(), limits=Limits({}))
    four = [s for s in all_specialists() if s.name in ASKED]
    with tempfile.TemporaryDirectory(prefix="rca-test-") as home:
        store = SqliteStore.open(Path(home))
        investigator = Investigator(
            session,
            four,
            store,
            reasoner=StrandsReasoner([SPEC]),
            mode=mode,
            time_limit=TIME_LIMIT,
            clock=lambda: incident.now,
        )
        trigger = Trigger(kind=TriggerKind.CLI, text=incident.trace_id)
        accepted = await store.accept("test", trigger, now=incident.now)
        assert accepted is not None
        report = await investigator.investigate(
            accepted.id, trigger, parse(incident.trace_id, now=incident.now), lambda _: None
        )
        await investigator.close()
        await store.close()
    return report


def without_models(report: Report) -> str:
    """The digest of what the rules say in a report."""
    return digest(report.model_copy(update={"gaps": tuple(gap for gap in report.gaps if not of_a_model(gap))}))


def of_a_model(gap: Gap) -> bool:
    return gap.probe == "reasoning"


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.name)
async def test_a_provider_on_a_bad_day_is_one_line_and_no_answer(bedrock, day):
    bedrock.respond = day.respond
    reply = await asked(seconds=6.0)

    assert (reply.answer, reply.problem, reply.reason) == (None, day.problem, day.reason)
    assert reply.usage.model_calls >= 1


@pytest.mark.parametrize("day", [day for day in DAYS if day.name in OF_EACH_KIND], ids=lambda day: day.name)
async def test_on_a_bad_day_the_report_is_the_rules_and_one_line_on_what_was_missing(bedrock, incident, by_rules, day):
    bedrock.respond = day.respond
    began = time.monotonic()
    report = await investigated(incident, Mode.ALWAYS)
    missing = [gap for gap in report.gaps if of_a_model(gap)]

    assert report.root_cause is not None
    assert without_models(report) == by_rules.digest
    assert [(gap.message, gap.reason) for gap in missing] == [(f"no model's opinion: {day.problem}", day.reason)]
    assert time.monotonic() - began < TIME_LIMIT


async def test_a_model_that_refuses_to_be_forced_is_asked_freely_and_heard(bedrock, incident):
    bedrock.respond = refusing_to_be_forced(answering)
    report = await investigated(incident, Mode.ALWAYS)

    assert [gap.message for gap in report.gaps if of_a_model(gap)] == []
    assert {s.name for s in report.specialists if s.usage.output_tokens} == set(ASKED)


async def test_a_good_day_leaves_the_rules_verdict_as_it_is(bedrock, incident, by_rules):
    report = await investigated(incident, Mode.ALWAYS)

    assert report.root_cause == by_rules.root_cause
    assert (report.usage.input_tokens, report.usage.output_tokens) == bedrock.tokens
    assert report.usage.model_calls == len(bedrock.asked) == len(ASKED) + 1


async def test_a_decisive_incident_asks_no_model_in_auto(bedrock, incident):
    report = await investigated(incident, Mode.AUTO)

    assert report.root_cause is not None
    assert bedrock.asked == []
