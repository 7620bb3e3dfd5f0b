"""`rca doctor`: what works, and for what does not, what to do. It reads; it changes nothing."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from pydantic import BaseModel

from aws.errors import AccountUnusable
from aws.session import AwsConfig, ReadSession
from bot.calls import slack_client
from bot.events.check import check_channels, check_queue
from bot.events.explain import statements
from bot.models import open_models, wanted
from bot.pictures.render import NotDrawn, Renderer
from bot.pictures.sample import SAMPLE
from bot.settings import Settings, SettingsError, require_slack
from bot.tokens import SCOPES, check_app_token, check_bot_token
from orchestrator.reads import every_read, policy
from orchestrator.sqlite_store import SqliteStore, StoreUnusable
from reasoning.contract import Question
from reasoning.load import chains_of
from reasoning.prices import AS_OF, price_of

GOOD, BAD = 0, 1


class Finding(NamedTuple):
    """One thing that was checked, and how it is, or what to do about it."""

    good: bool
    subject: str
    words: str


async def doctor(settings: Settings) -> int:
    """Check everything and print what was found, and the policy of the bot's role; 0 when all is good, 1 otherwise."""
    findings = [finding for check in CHECKS async for finding in check(settings)]
    for finding in findings:
        sys.stdout.write(f"{'ok ' if finding.good else 'FIX'}  {finding.subject}: {finding.words}\n")
    sys.stdout.write("\nEvery action that the probes need, as the policy of the role that the bot reads AWS with:\n")
    sys.stdout.write(json.dumps(policy(), indent=2) + "\n")
    if settings.events_queue_url:
        more = statements(settings.events_queue_url, settings.routes)
        sys.stdout.write("\nAnd the statements that taking events needs:\n" + json.dumps(more, indent=2) + "\n")
    return GOOD if all(finding.good for finding in findings) else BAD


async def _settings(settings: Settings) -> AsyncIterator[Finding]:
    try:
        require_slack(settings)
    except SettingsError as error:
        yield Finding(good=False, subject="settings", words=str(error))
        return
    way = "Socket Mode" if settings.socket_mode else f"HTTP at {settings.http_host}:{settings.http_port}"
    yield Finding(good=True, subject="settings", words=f"{way}, {settings.model or 'rules only, no model'}")


async def _store(settings: Settings) -> AsyncIterator[Finding]:
    try:
        store = SqliteStore.open(settings.data_dir)
    except StoreUnusable as error:
        yield Finding(good=False, subject="store", words=str(error))
        return
    await store.close()
    yield Finding(good=True, subject="store", words=str(settings.data_dir))


async def _bot_token(settings: Settings) -> AsyncIterator[Finding]:
    if settings.bot_token is None:
        return
    try:
        granted = await check_bot_token(settings)
    except SettingsError as error:
        yield Finding(good=False, subject="Slack bot token", words=str(error))
        return
    yield Finding(good=True, subject="Slack bot token", words=f"@{granted.user_name} in {granted.team_name}")
    missing = ", ".join(sorted(SCOPES - granted.scopes))
    more = ", ".join(sorted(granted.scopes - SCOPES))
    advice = f"missing {missing}. Add them under OAuth & Permissions, as in manifest.yml, and install the app again."
    words = advice if missing else f"all granted{f', and more than needed: {more}' if more else ''}"
    yield Finding(good=not missing, subject="Slack scopes", words=words)


async def _app_token(settings: Settings) -> AsyncIterator[Finding]:
    if settings.app_token is None:
        return
    try:
        await check_app_token(settings)
    except SettingsError as error:
        yield Finding(good=False, subject="Slack app token", words=str(error))
        return
    yield Finding(good=True, subject="Slack app token", words="Socket Mode can be opened")


async def _aws(settings: Settings) -> AsyncIterator[Finding]:
    session = ReadSession(AwsConfig(accounts=settings.accounts), every_read())

    def identity() -> str:
        return f"account {session.home_account()} in {session.default_region()}"

    try:
        words = await asyncio.get_running_loop().run_in_executor(None, identity)
    except AccountUnusable as error:
        yield Finding(good=False, subject="AWS", words=str(error))
        return
    others = f", and by role {', '.join(sorted(settings.accounts))}" if settings.accounts else ""
    yield Finding(good=True, subject="AWS", words=words + others)


async def _events(settings: Settings) -> AsyncIterator[Finding]:
    if settings.events_queue_url is None:
        return
    yield Finding(*await check_queue(settings.events_queue_url))
    if settings.bot_token is not None:
        client = slack_client(settings.bot_token.get_secret_value(), settings.api_url)
        async for found in check_channels(settings.routes, client):
            yield Finding(*found)


class Hello(BaseModel):
    """Say that you are there."""

    there: bool


async def _models(settings: Settings) -> AsyncIterator[Finding]:
    """Ask the model one short question, which costs what a few hundred tokens do."""
    try:
        models = open_models(settings)
    except SettingsError as error:
        yield Finding(good=False, subject="model", words=str(error))
        return
    if models.reasoner is None:
        return
    question = Question("ask", "Say that you are there.", "nothing", Hello, tokens=100)
    reply = await models.reasoner.ask(question, models.budget())
    models.close()
    yield Finding(good=reply.answer is not None, subject="model", words=reply.problem or f"{settings.model} answers")
    chain, _ = chains_of(wanted(settings), [question.who, *settings.models])
    unpriced = ", ".join(str(spec) for spec in chain if price_of(*spec) is None)
    words = f"not known for {unpriced}: only tokens bound what is spent" if unpriced else f"known, as of {AS_OF}"
    yield Finding(good=True, subject="model's price", words=words)


async def _pictures(_: Settings) -> AsyncIterator[Finding]:
    try:
        drawn = await Renderer().draw(SAMPLE)
    except NotDrawn as error:
        yield Finding(good=False, subject="pictures", words=f"{error}. Reports come without them until that is mended.")
        return
    yield Finding(good=True, subject="pictures", words=f"{' and '.join(sorted(drawn))} can be drawn")


CHECKS: tuple[Callable[[Settings], AsyncIterator[Finding]], ...] = (
    _settings,
    _store,
    _bot_token,
    _app_token,
    _aws,
    _events,
    _models,
    _pictures,
)
