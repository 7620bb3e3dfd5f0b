"""Spans and counters: what they tell, what they must never hold, and what rules alone do not pay for."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.models import open_models
from bot.settings import Settings, SettingsError
from reasoning import telemetry
from reasoning.telemetry import OPT_IN, REDACTED, redact_prompts

ASK = """
import asyncio, json, sys
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))

from pydantic import BaseModel
from reasoning import telemetry
from reasoning.budget import InvestigationBudget, Limits, MemoryLedger
from reasoning.contract import Question, Tool
from reasoning.models import Spec
from reasoning.strands_reasoner import StrandsReasoner
from tests.support.models import ScriptedModel, calls

class Finding(BaseModel):
    say: str

async def look(choice):
    return "E2 SECRET-LOOK"

async def main():
    moves = [calls("look", of="R1"), calls("Finding", say="SECRET-ANSWER"), ValueError("SECRET-ERROR")]
    model = ScriptedModel(*moves)
    reasoner = StrandsReasoner([Spec("anthropic", "claude-sonnet-4-6")], build=lambda *_: model)
    budget = InvestigationBudget(Limits(), MemoryLedger())
    question = Question("lambda", "SECRET-INSTRUCTIONS", "E1 SECRET-EVIDENCE", Finding,
                        (Tool("look", "Look.", ("R1",), look),))
    with telemetry.span("investigation", investigation="INV-1"):
        await reasoner.ask(question, budget)
        await reasoner.ask(question, budget)
    telemetry.dropped("lambda", 2)

asyncio.run(main())
data = json.loads(reader.get_metrics_data().to_json())
counters = {
    (metric["name"], point["attributes"].get("rca.direction", "")): point["value"]
    for resource in data["resource_metrics"] for scope in resource["scope_metrics"] for metric in scope["metrics"]
    for point in metric["data"]["data_points"] if metric["name"].startswith("rca.")
}
print(json.dumps({
    "names": [span.name for span in spans.get_finished_spans()],
    "whole": [span.to_json() for span in spans.get_finished_spans()],
    "metrics": json.dumps(data),
    "counters": [[*key, value] for key, value in counters.items()],
}))
"""


def _run(code: str, **environment: str) -> Any:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "RCA_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        env={**plain, **environment},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_question_is_spanned_and_counted_and_nothing_of_it_is_in_either() -> None:
    told = _run(ASK)

    assert {"investigation", "ask", "chat"} <= set(told["names"])
    assert ["rca.model.tokens", "input", 600] in told["counters"]
    assert ["rca.model.tokens", "output", 40] in told["counters"]
    assert ["rca.model.cost", "", pytest.approx(600 * 3e-6 + 40 * 15e-6)] in told["counters"]
    assert ["rca.claims.dropped", "", 2] in told["counters"]
    assert "ValueError" in "".join(told["whole"])
    assert "SECRET-" not in "".join(told["whole"]) + told["metrics"]


def test_the_operator_may_have_prompts_in_the_spans() -> None:
    told = _run(ASK, **{OPT_IN: "gen_ai_unredacted_attributes=gen_ai.*"})

    assert "SECRET-EVIDENCE" in "".join(told["whole"])


@pytest.mark.parametrize(
    ("before", "after"),
    [("", REDACTED), ("http", f"http,{REDACTED}"), ("gen_ai_unredacted_attributes=gen_ai.*", None)],
)
def test_redaction_is_added_to_what_the_operator_chose(
    monkeypatch: pytest.MonkeyPatch, before: str, after: str | None
) -> None:
    monkeypatch.setenv(OPT_IN, before)

    redact_prompts()

    assert os.environ[OPT_IN] == (after or before)


def test_an_error_inside_a_span_goes_on() -> None:
    with pytest.raises(ValueError, match="x"), telemetry.span("investigation"):
        raise ValueError("x")


def test_an_address_without_what_sends_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    with pytest.raises(SettingsError, match=r"OTEL_EXPORTER_OTLP_ENDPOINT is set, but .* rca-bot\[otel\]"):
        open_models(Settings.load(RCA_DATA_DIR=tmp_path))


def test_a_disabled_sdk_sends_nothing_and_needs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    assert open_models(Settings.load(RCA_DATA_DIR=tmp_path)).reasoner is None


RULES_ONLY = """
import json, sys
from bot.cli import main

code = main(["investigate", "no-such-function-{}", "--json"])
heavy = sorted({{".".join(name.split(".")[:2]) for name in sys.modules if name.split(".")[0] == "strands"
                or name.startswith(("opentelemetry.sdk", "reasoning.strands_reasoner"))}})
print(json.dumps([code, heavy]))
"""

SERVE = """
import asyncio, json, sys
import bot.serve
from bot.models import open_models
from bot.settings import Settings

open_models(Settings.load()).close()
heavy = sorted(name for name in sys.modules if name.split(".")[0] == "strands" or name.startswith("opentelemetry.sdk"))
print(json.dumps([0, heavy]))
"""


@pytest.mark.parametrize("code", [RULES_ONLY.format("x"), SERVE], ids=["investigate", "serve"])
@pytest.mark.parametrize("settings", [{}, {"RCA_MODEL": "bedrock", "RCA_REASONING": "never"}], ids=["unset", "never"])
def test_rules_alone_import_neither_strands_nor_an_sdk(
    moto_url: str, tmp_path: Path, code: str, settings: dict[str, str]
) -> None:
    ended, heavy = _run(code, RCA_DATA_DIR=str(tmp_path), **settings)

    assert ended in {0, 1}
    assert heavy == []


def test_a_model_brings_strands() -> None:
    _, heavy = _run(SERVE, RCA_MODEL="bedrock", AWS_REGION="eu-west-1")

    assert "strands" in heavy
