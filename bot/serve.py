"""`rca serve`: check that Slack knows us, run the bot, and leave in good order when told to."""

import asyncio
import logging
import signal

from aws.session import AwsConfig, ReadSession
from bot.events.feed import Source
from bot.knowledge import open_library
from bot.models import open_models
from bot.service import Service
from bot.settings import Settings, SettingsError, require_slack
from bot.tokens import check_app_token, check_bot_token
from orchestrator.aftercare import Aftercare
from orchestrator.ask.answerer import Answerer
from orchestrator.investigate import Investigator, utc_now
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore
from specialists.registry import all_specialists

logger = logging.getLogger(__name__)

OK, LOST = 0, 1


async def serve(settings: Settings) -> int:
    """Run the bot until SIGTERM or SIGINT; 0 then, 1 when Slack stays away. Raises SettingsError, StoreUnusable."""
    require_slack(settings)
    models = open_models(settings)
    granted = await check_bot_token(settings)
    if settings.socket_mode:
        await check_app_token(settings)
    store = SqliteStore.open(settings.data_dir)
    config = AwsConfig(accounts=settings.accounts)
    session = ReadSession(config, every_read())
    investigator = Investigator(
        session,
        all_specialists(),
        store,
        past=store,
        library=open_library(settings.data_dir, settings.knowledge_base_id),
        time_limit=settings.time_limit_seconds,
        reasoner=models.reasoner,
        mode=models.mode,
        budget=models.budget,
    )
    aftercare = Aftercare(session, store)
    url = settings.events_queue_url
    events = Source.open(url, settings.data_dir, config) if url else None
    service = Service(
        settings,
        store,
        investigator,
        granted.identity,
        now=utc_now,
        answerer=Answerer(store, investigator.asking, all_specialists(), investigator.look_again),
        aftercare=aftercare,
        events=events,
    )
    try:
        return await run(service)
    finally:
        models.close()
        await aftercare.close()
        await investigator.close()
        if events is not None:
            await events.rejections.close()
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
