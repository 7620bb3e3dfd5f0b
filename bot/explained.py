"""`rca doctor --message FILE`: what would become of a message, and why. It reads; it changes nothing."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.alarms.explain import explain, pasted_event
from bot.settings import Settings, SettingsError
from bot.tokens import check_bot_token
from bot.watch.notices import heard
from bot.watch.policy import posts_of, rules_of
from domain.alarm import AlarmState
from orchestrator.alarm_store import Handling, Mute, Notice, Taken
from orchestrator.investigate import utc_now
from orchestrator.sqlite_store import SqliteStore

OK, UNUSABLE = 0, 2
STDIN = "-"

BECAME: dict[Handling, str] = {
    Handling.STARTED: "it started {}",
    Handling.JOINED: "it joined {}, which an earlier alarm of its group had started",
    Handling.ADOPTED: "it is explained by {}: it watches what calls the root cause that was found there",
    Handling.RECURRED: "its cause was known from {}",
    Handling.MUTED: "it was muted",
    Handling.RECOVERED: "it ended the alarm of {}",
    Handling.SILENT: "it was explained",
    Handling.NOTED: "it was noted",
}
"""What became of a transition that is known; an investigation's id goes into the braces."""


async def explain_message(source: str, settings: Settings) -> int:
    """Print what would become of the message in a file, or on standard input for "-"; 2 when there is none to read."""
    try:
        text = await asyncio.to_thread(_read, source)
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"rca: {source} cannot be read: {error}\n")
        return UNUSABLE
    sys.stdout.write(await explained(text, settings))
    return OK


def _read(source: str) -> str:
    return sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8")


async def explained(text: str, settings: Settings) -> str:
    """Return what the rules say of a pasted event or message, and what settings, mutes and the store add to that."""
    own, now = await _own(settings), utc_now()
    said = explain(text, posts_of(settings), own)
    event = pasted_event(text)
    body = event if event and event.get("type") == "event_callback" else {"type": "event_callback", "event": event}
    notice = heard("doctor", body, own, posts_of(settings), now=now)
    if notice is None:
        return said
    store = SqliteStore.open(settings.data_dir)
    try:
        known = await store.alarms.known(notice, rules_of(settings))
        mutes = await store.alarms.mutes(now=now)
    finally:
        await store.close()
    return said + "".join(f"{line}\n" for line in _lines(settings, notice, known, mutes))


async def _own(settings: Settings) -> frozenset[str]:
    """Ask Slack for our own ids; none where it does not say, so that a message of ours is then taken for an app's."""
    if settings.bot_token is None:
        return frozenset()
    try:
        granted = await check_bot_token(settings)
    except SettingsError:
        return frozenset()
    return frozenset({granted.identity.user, granted.identity.bot} - {""})


def _lines(settings: Settings, notice: Notice, known: Taken | None, mutes: tuple[Mute, ...]) -> Iterator[str]:
    yield f"It is grouped with the alarms of {notice.service}, for {settings.group_minutes:g} min."
    if settings.alarms == "off":
        yield "But RCA_ALARMS is off: no alarm starts anything."
    for mute in mutes:
        if mute.covers(notice.alarm.name) and notice.alarm.state is AlarmState.ALARM:
            yield f"But {mute.pattern} is muted until {mute.until:%Y-%m-%d %H:%M} UTC, by {mute.user}."
    if known is not None:
        which = known.investigation.id if known.investigation else "an investigation"
        became = BECAME.get(known.handling, "it was taken on").format(which)
        yield f"This transition was taken on before: {became}. Another post of it starts nothing."
