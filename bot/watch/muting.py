"""The words by which people mute alarms: `mute orders-* 2h`, `unmute orders-*`, `mute list`. Pure."""

import re
from datetime import timedelta
from typing import NamedTuple

VERBS = re.compile(
    r"(?:(?P<list>mutes?\s+list|list(?:\s+mutes?)?|mutes)|(?P<verb>mute|unmute)\b(?P<rest>.*))", re.IGNORECASE
)
LONGEST = timedelta(days=30)
LENGTH = re.compile(
    r"(?:\s+for)?\s+(?P<number>[0-9]{1,5})\s?(?P<unit>m|min|h|d)(?:in|ins|inutes?|ours?|rs?|ays?)?$", re.IGNORECASE
)
UNITS: dict[str, timedelta] = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
QUOTES = "\"“”`'‘’"
MOST_CHARACTERS = 256

NO_LENGTH = "Say for how long: 30m, 2h or 1d, for example “mute orders-api-5xx 2h”."
TOO_LONG = "A mute lasts from one minute to 30 days."
NO_NAME = "Say which alarm: its name, or how names begin with a * at the end, for example “{} orders-* 2h”."
TOO_WIDE = "That would mute every alarm. Whoever runs the bot can set RCA_ALARMS=off instead."


class Order(NamedTuple):
    """What somebody wants: to mute `pattern` for so long, to end that (no length), or, with neither, to see the mutes.

    `wrong` is a sentence where the words do not say enough.
    """

    pattern: str = ""
    length: timedelta | None = None
    wrong: str = ""


def order_of(text: str) -> Order | None:
    """Return what the words order, None when they are about something else."""
    found = VERBS.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    if found["list"] is not None:
        return Order()
    rest = found["rest"]
    if found["verb"].lower() == "unmute":
        return _checked(Order(_name(rest)), "unmute")
    length = LENGTH.search(rest)
    if length is None:
        return Order(wrong=NO_LENGTH if _name(rest) else NO_NAME.format("mute"))
    lasts = UNITS[length["unit"][0].lower()] * int(length["number"])
    if not timedelta(0) < lasts <= LONGEST:
        return Order(wrong=TOO_LONG)
    return _checked(Order(_name(rest[: length.start()]), lasts), "mute")


def _checked(order: Order, verb: str) -> Order:
    if not order.pattern:
        return Order(wrong=NO_NAME.format(verb))
    if order.length is not None and not order.pattern.strip("*"):
        return Order(wrong=TOO_WIDE)
    return order


def _name(text: str) -> str:
    """Return the alarm's name: in quotes or not, without the words "the alarm" before it."""
    bare = re.sub(r"^(?:the\s+)?alarm\s+", "", text.strip(), flags=re.IGNORECASE)
    return bare.strip(QUOTES).strip()[:MOST_CHARACTERS]
