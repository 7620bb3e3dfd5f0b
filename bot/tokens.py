"""What Slack says to our tokens: who we are, and what we may do."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import SecretStr

from bot.app import Identity
from bot.calls import Done, Outcome, Refused, outcome_of, slack_client
from bot.settings import HOW, Settings, SettingsError

SCOPES = frozenset({
    "app_mentions:read",  # @rca
    "channels:history",  # alarm posts; and finding our own message again when a call ended without saying how
    "chat:write",
    "commands",  # /rca and the message shortcut
    "files:write",  # pictures
    "groups:history",  # the same in private channels
    "im:history",  # and in direct messages
})  # fmt: skip
"""The scopes of the bot token, as in manifest.yml."""


class Granted(NamedTuple):
    """Who we are in the workspace, by which names, and the scopes the bot token has."""

    identity: Identity
    team_name: str
    user_name: str
    scopes: frozenset[str]


async def check_bot_token(settings: Settings) -> Granted:
    """Ask Slack who we are; raises SettingsError with one line when it does not know us.

    The scopes come in a header: https://docs.slack.dev/authentication/installing-with-oauth
    """
    client = slack_client(_secret(settings.bot_token), settings.api_url)
    done = _accepted(await outcome_of(client.auth_test), "SLACK_BOT_TOKEN", settings)
    data = done.data
    identity = Identity(
        team=str(data["team_id"]),
        user=str(data["user_id"]),
        bot=str(data.get("bot_id", "")),
        home=str(data.get("url", "")),
    )
    scopes = frozenset(scope.strip() for scope in _header(done.headers, "x-oauth-scopes").split(",") if scope.strip())
    return Granted(identity, str(data.get("team", "")), str(data.get("user", "")), scopes)


async def check_app_token(settings: Settings) -> None:
    """Ask Slack for a socket, which is left unused; raises SettingsError with one line when it gives none."""
    client, token = slack_client(None, settings.api_url), _secret(settings.app_token)
    outcome = await outcome_of(lambda: client.apps_connections_open(app_token=token))
    _accepted(outcome, "SLACK_APP_TOKEN", settings)


def _accepted(outcome: Outcome, name: str, settings: Settings) -> Done:
    if isinstance(outcome, Done):
        return outcome
    if isinstance(outcome, Refused):
        raise SettingsError(f"Slack refused {name} ({outcome.code}). Set it to {HOW[name]}.")
    raise SettingsError(f"Slack does not answer at {settings.api_url}. Check the network, and SLACK_API_URL.")


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""


def _header(headers: Mapping[str, Any], name: str) -> str:
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")
