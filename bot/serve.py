"""`rca serve`: check that Slack knows us, run the bot, and leave in good order when told to."""

import asyncio
import logging
import signal

from aws.session import AwsConfig, ReadSession
from bot.app import Identity
from bot.calls import Done, Outcome, Refused, outcome_of, slack_client
from bot.service import Service
from bot.settings import HOW, Settings, SettingsError, require_slack
from orchestrator.investigate import Investigator, utc_now
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from specialists.registry import all_specialists

logger = logging.getLogger(__name__)

OK, LOST = 0, 1


async def serve(settings: Settings) -> int:
    """Run the bot until SIGTERM or SIGINT; 0 then, 1 when Slack stays away. Raises SettingsError, StoreUnusable."""
    require_slack(settings)
    identity = await identify(settings)
    store = SqliteStore.open(settings.data_dir)
    session = ReadSession(AwsConfig(accounts=settings.accounts), every_read())
    investigator = Investigator(session, all_specialists(), store, time_limit=settings.time_limit_seconds)
    service = Service(settings, store, investigator, identity, now=utc_now)
    try:
        return await run(service)
    finally:
        await investigator.close()
        await store.close()


async def run(service: Service) -> int:
    """Run a service until a signal or a lost connection ends it, and stop it."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    try:
        await service.start()
    except OSError as error:
        await service.stop(0)
        raise SettingsError(f"RCA_HTTP_PORT cannot be listened on: {error.strerror}. Set it to a free port.") from None
    ended = [told] if service.socket is None else [told, service.socket.lost]
    waits = [asyncio.ensure_future(event.wait()) for event in ended]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await service.stop()
    return OK if told.is_set() else LOST


async def identify(settings: Settings) -> Identity:
    """Ask Slack who we are, with both tokens; raises SettingsError when it does not know us."""
    client = slack_client(settings.bot_token.get_secret_value() if settings.bot_token else "", settings.api_url)
    outcome = await outcome_of(client.auth_test)
    data = accepted(outcome, "SLACK_BOT_TOKEN", settings)
    if settings.app_token is not None:
        token = settings.app_token.get_secret_value()
        opened = await outcome_of(lambda: client.apps_connections_open(app_token=token))
        accepted(opened, "SLACK_APP_TOKEN", settings)
    return Identity(team=str(data["team_id"]), user=str(data["user_id"]), bot=str(data.get("bot_id", "")))


def accepted(outcome: Outcome, name: str, settings: Settings) -> dict[str, object]:
    """Return Slack's answer to a token; raises SettingsError with one line when it is none."""
    if isinstance(outcome, Done):
        return dict(outcome.data)
    if isinstance(outcome, Refused):
        raise SettingsError(f"Slack refused {name} ({outcome.code}). Set it to {HOW[name]}.")
    raise SettingsError(f"Slack did not answer at {settings.api_url}. Check the network, and SLACK_API_URL.")
