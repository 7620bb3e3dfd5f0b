"""The Bolt app: intake before every listener, one place for errors, and a listener for everything Slack may send."""

import logging
from typing import NamedTuple

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import asker_of
from bot.intake import Intake
from bot.listeners import register
from bot.listeners.contract import Bot
from domain.values import JsonObject

logger = logging.getLogger(__name__)


class Identity(NamedTuple):
    """Who we are in the workspace, as auth.test says; `home` is the workspace's address."""

    team: str
    user: str
    bot: str
    home: str = ""


def build_app(bot: Bot, client: AsyncWebClient, identity: Identity, signing_secret: str = "") -> AsyncApp:
    """Return the app. Who we are is known, so that no delivery waits for a question to Slack before its ack."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team,
            bot_user_id=identity.user,
            bot_id=identity.bot,
            bot_token=client.token,
        )

    app = AsyncApp(
        client=AsyncWebClient(base_url=client.base_url),
        name="rca",
        authorize=authorize,
        signing_secret=signing_secret,
        request_verification_enabled=bool(signing_secret),
        attaching_conversation_kwargs_enabled=False,
    )
    app.middleware(Intake(bot.store, bot.now, bot.watch).middleware)

    @app.error
    async def on_error(error: Exception, body: JsonObject) -> None:
        """Log what was raised before a listener ran, as a write that failed; events come again, others do not."""
        logger.error("type=<%s> | delivery not taken on", body.get("type") or body.get("command"), exc_info=error)
        if body.get("type") != "event_callback":
            bot.background.spawn(bot.apologise(asker_of(body), error))

    register(app, bot)
    return app
