"""What is said of alarms beside their investigation: one line each, and the list of a group."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bot.blocks import ids
from bot.blocks.message import Block, Message, actions, button, message, section, sections
from bot.blocks.text import code, prose
from bot.blocks.words import DONE, LOOKING, SEPARATOR, UNDECIDED, clock, count, day_and_clock, duration

HOME = re.compile(r"https://[A-Za-z0-9.-]{1,200}/")
TS = re.compile(r"[0-9]{1,12}\.[0-9]{6}")
CHANNEL = re.compile(r"[A-Z0-9]{2,24}")
LISTED = 30
"""Alarms that a group's list names."""

MUTED = ":no_bell:"


class Spot(NamedTuple):
    """A message to link to; `home` is the workspace's address, "" where it is not known."""

    home: str
    channel: str
    ts: str
    thread: str = ""


class Member(NamedTuple):
    """One alarm of a group; `seconds` is after how long it recovered, None while it did not."""

    name: str
    at: datetime
    seconds: float | None = None
    caller_of_root: bool = False


def linked(label: str, spot: Spot | None) -> str:
    """Return the label as a link to a message, as chat.getPermalink writes it; without one where it cannot stand.

    https://docs.slack.dev/reference/methods/chat.getPermalink
    """
    shown = code(label).strip("`")
    if spot is None or not (HOME.fullmatch(spot.home) and TS.fullmatch(spot.ts) and CHANNEL.fullmatch(spot.channel)):
        return f"`{shown}`"
    within = TS.fullmatch(spot.thread) and spot.thread != spot.ts
    thread = f"?thread_ts={spot.thread}&amp;cid={spot.channel}" if within else ""
    return f"<{spot.home}archives/{spot.channel}/p{spot.ts.replace('.', '')}{thread}|{shown}>"


def joined(value: str, link: str, number: int, group: str, since: datetime) -> Message:
    """Return the line under an alarm that belongs to a running group."""
    said = f"joined {link}: {ordinal(number)} alarm of {prose(group, 80)} since {clock(since)}"
    return _line(f"{LOOKING} {said}", "Joined an investigation", value)


def adopted(value: str, link: str, headline: str) -> Message:
    """Return the line under an alarm of a caller of what turned out to be the root cause."""
    return _line(f"{LOOKING} explained by {link}: {prose(headline, 200)}", f"Explained: {prose(headline, 200)}", value)


def recurred(value: str, link: str, number: int, headline: str) -> Message:
    """Return the line under an alarm whose cause is known by now."""
    said = f"{ordinal(number)} time today, same cause: {prose(headline, 200)}"
    return _line(f":repeat: {said}{SEPARATOR}last: {link}", said, value)


def repeated(link: str) -> Message:
    """Return the line under another post of an alarm that was taken on already."""
    return message("This alarm is known", [section(f"{LOOKING} the same alarm as {link}")])


def silent(name: str, sentence: str) -> Message:
    """Return the reply to an alarm that lacks data."""
    said = f"{UNDECIDED} {code(name)} cannot tell any more: {prose(sentence, 400)}"
    return message(f"{prose(name)} has no data", [section(said)])


def members(group: str, alarms: Sequence[Member], since: datetime) -> Message:
    """Return the list of a group's alarms: one message, edited as they come."""
    head = f"*{count(len(alarms), 'alarm')} of {prose(group, 80)} since {clock(since)}*"
    lines = [_member(alarm) for alarm in alarms[:LISTED]]
    more = [f"_and {len(alarms) - LISTED:,} more_"] if len(alarms) > LISTED else []
    return message(f"{count(len(alarms), 'alarm')} of {prose(group, 80)}", sections([head, *lines, *more]))


def _member(alarm: Member) -> str:
    over = f"{SEPARATOR}{DONE} recovered after {duration(alarm.seconds)}" if alarm.seconds is not None else ""
    calls = f"{SEPARATOR}calls what failed" if alarm.caller_of_root else ""
    return f"• {clock(alarm.at)} {code(alarm.name, 80)}{calls}{over}"


def muted(pattern: str, until: datetime, user: str) -> Message:
    """Return what all see of a new mute."""
    said = f"{MUTED} {code(pattern)} is muted until {day_and_clock(until)} UTC{_by(user)}"
    return message(f"{prose(pattern)} is muted", [section(said)])


def unmuted(pattern: str, number: int, user: str) -> Message:
    """Return what came of ending mutes."""
    said = f":bell: {code(pattern)} is heard again{_by(user)}" if number else f"Nothing mutes {code(pattern)}."
    return message(said.replace("`", ""), [section(said)])


def mutes(rows: Sequence[tuple[str, datetime, str]]) -> Message:
    """Return the mutes that are on: what, until when, by whom."""
    lines = [f"• {code(what)} until {day_and_clock(until)} UTC{_by(user)}" for what, until, user in rows[:LISTED]]
    more = [f"_and {len(rows) - LISTED} more_"] if len(rows) > LISTED else []
    return message(count(len(rows), "mute"), sections([*lines, *more] or ["No alarm is muted."]))


def offered(value: str) -> Block:
    """Return the buttons of an alarm that is not investigated."""
    return actions(
        button("Investigate anyway", ids.INVESTIGATE_ALARM, value),
        button("Mute 2 h", ids.MUTE, value),
    )


def unmute_button(value: str) -> Block:
    """Return the button that ends a mute."""
    return actions(button("Unmute", ids.UNMUTE, value))


def ordinal(number: int) -> str:
    """Return "1st", "2nd", "11th", "23rd"."""
    teens = 10 <= number % 100 <= 20
    return f"{number:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _line(said: str, text: str, value: str) -> Message:
    return message(text, [section(said), offered(value)])


def _by(user: str) -> str:
    return f", by <@{user}>" if re.fullmatch(r"[UW][A-Z0-9]{2,20}", user) else ""
