"""The manifest: valid by Slack's own schema, and exactly what the bot uses."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.asking import INVESTIGATE
from bot.tokens import SCOPES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


def errors_of(manifest: dict[str, Any]) -> list[str]:
    schema = json.loads((ROOT / "tests/data/manifest.schema.2.0.0.json").read_text())
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)]


def test_the_manifest_is_valid(manifest: dict[str, Any]) -> None:
    assert errors_of(manifest) == []


def test_the_schema_finds_a_command_without_its_slash(manifest: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(manifest))
    broken["features"]["slash_commands"][0]["command"] = "rca"

    assert errors_of(broken) != []


def test_the_scopes_are_those_the_doctor_asks_for(manifest: dict[str, Any]) -> None:
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == SCOPES


def test_the_command_and_the_shortcut_are_those_we_listen_to(manifest: dict[str, Any]) -> None:
    assert [command["command"] for command in manifest["features"]["slash_commands"]] == ["/rca"]
    assert [shortcut["callback_id"] for shortcut in manifest["features"]["shortcuts"]] == [INVESTIGATE]


def test_what_the_bot_needs_is_switched_on(manifest: dict[str, Any]) -> None:
    assert manifest["settings"]["socket_mode_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["features"]["app_home"]["home_tab_enabled"]
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == {
        "app_home_opened",
        "app_mention",
        "message.channels",
        "message.groups",
    }
