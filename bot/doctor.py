"""`rca doctor`: what works, and for what does not, what to do. It reads; it changes nothing."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from aws.errors import AccountUnusable
from aws.session import AwsConfig, ReadSession
from bot.pictures.render import NotDrawn, Renderer
from bot.pictures.sample import SAMPLE
from bot.settings import Settings, SettingsError, require_slack
from bot.tokens import SCOPES, check_app_token, check_bot_token
from orchestrator.reads import every_read, policy
from orchestrator.sqlite_store import SqliteStore, StoreUnusable

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
    _pictures,
)
