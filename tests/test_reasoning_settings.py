"""What an operator sets about models, and what `rca doctor` says of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import doctor
from bot.models import askers, open_models
from bot.settings import HOW, Settings, SettingsError
from reasoning import models
from reasoning.contract import Mode
from sandbox.models.bedrock import LocalBedrock, throttled
from sandbox.models.script import Script

WRONG = (
    ({"RCA_MODEL": "opnai:gpt"}, "RCA_MODEL is wrong: 'opnai' is not a provider"),
    ({"RCA_MODEL": "bedrock", "RCA_MODELS": '{"lambda": "nobody:x"}'}, "RCA_MODELS is wrong: 'nobody'"),
    ({"RCA_MODEL": "bedrock", "RCA_MODELS": '{"lamda": "bedrock"}'}, "RCA_MODELS is wrong: nobody called 'lamda'"),
    ({"RCA_MODELS": '{"lambda": "bedrock"}'}, "RCA_MODEL is wrong"),
    ({"RCA_MODELS": "{"}, "RCA_MODELS is not valid JSON"),
    ({"RCA_MODELS": '["bedrock"]'}, "RCA_MODELS"),
    ({"RCA_MODEL_REGION": "europe"}, "RCA_MODEL_REGION is wrong"),
    ({"RCA_REASONING": "sometimes"}, "RCA_REASONING is wrong"),
    ({"RCA_BUDGET_TOKENS": "-1"}, "RCA_BUDGET_TOKENS is wrong"),
    ({"RCA_BUDGET_USD": "nan"}, "RCA_BUDGET_USD is wrong"),
    ({"RCA_DAY_TOKENS": "many"}, "RCA_DAY_TOKENS is wrong"),
    ({"RCA_DAY_USD": "-0.1"}, "RCA_DAY_USD is wrong"),
)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("RCA_", "OTEL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("RCA_DATA_DIR", str(tmp_path))


@pytest.mark.parametrize(("changes", "words"), WRONG, ids=str)
def test_what_is_wrong_is_said_in_one_line_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], words: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as refused:
        open_models(Settings.load())

    assert str(refused.value).startswith(words)
    assert "Set it to" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_says_it_and_asks_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "RCA_MODEL": "opnai:gpt", "RCA_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "bot.cli", "investigate", "orders"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("rca: RCA_MODEL is wrong: 'opnai' is not a provider")
    assert done.stderr.count("\n") == 1


def test_the_limits_of_the_settings_are_those_of_every_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RCA_BUDGET_TOKENS": "700", "RCA_DAY_TOKENS": "500"}.items():
        monkeypatch.setenv(name, value)

    opened = open_models(Settings.load())

    assert opened.budget().tokens_left() == 500
    assert opened.mode is Mode.AUTO
    assert opened.reasoner is None
    opened.close()


def test_a_budget_of_nothing_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCA_DAY_USD", "0")

    opened = open_models(Settings.load())

    assert "RCA_DAY_USD" in opened.budget().refusal()
    opened.close()


def test_every_asker_is_a_specialist_the_synthesis_or_a_person_who_asks() -> None:
    assert {"lambda", "signal-analysis", "synthesis", "ask"} <= set(askers())
    assert all(alias in HOW for alias in ("RCA_MODEL", "RCA_MODELS", "RCA_REASONING", "RCA_DAY_USD"))


async def _says(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[tuple[bool, str, str]]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return [tuple(finding) async for finding in doctor._models(Settings.load())]


async def test_the_doctor_says_nothing_of_models_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _says(monkeypatch) == []


async def test_the_doctor_asks_the_model_and_knows_its_price(monkeypatch: pytest.MonkeyPatch) -> None:
    models._session.cache_clear()
    with LocalBedrock() as local:
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        good = await _says(monkeypatch, RCA_MODEL="bedrock", **keys, **local.environment())
        local.respond = lambda _: Script(fault=throttled())
        bad = await _says(monkeypatch, RCA_MODEL="bedrock:eu.anthropic.claude-of-tomorrow")
    models._session.cache_clear()

    assert good == [(True, "model", "bedrock answers"), (True, "model's price", "known, as of 2026-10")]
    assert bad[0] == (False, "model", "Bedrock throttled the question")
    assert bad[1][2].startswith("not known for bedrock:eu.anthropic.claude-of-tomorrow")
