"""What would become of an event, in words: for `rca doctor --event`."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from aws.queue import statement
from bot.events.bodies import Told, Unreadable, read_body
from bot.events.routes import Routes, explained
from bot.events.tags import TAGS
from bot.events.traits import alarm_traits, incident_traits
from domain.redaction import clean

STDIN = "-"
TIME = "%Y-%m-%d %H:%M:%S"
OK, UNUSABLE = 0, 2


def explain_event(source: str, routes: Routes) -> int:
    """Print what would become of the event in a file, or on standard input for "-"; 2 when there is none to read."""
    try:
        body = sys.stdin.read() if source == STDIN else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"rca: {source} cannot be read: {error}\n")
        return UNUSABLE
    sys.stdout.write(explained_event(body, routes))
    return OK


def explained_event(body: str, routes: Routes) -> str:
    """Tell what a message of the queue is read as, and which row of the table it takes."""
    read = read_body(body)
    if isinstance(read, Unreadable):
        return f"It starts nothing: {read.why}. It would be rejected, and the default channel told once.\n"
    return "".join(f"{clean(line)}\n" for line in _lines(read, routes))


def _lines(told: Told, routes: Routes) -> Iterator[str]:
    if told.incident is not None:
        traits = incident_traits(told.incident, told.tags)
        window = told.incident.window
        yield f"It starts an investigation, once for the incident {told.incident.id}: {told.line}."
        yield f"Window: {f'{window.start:{TIME}} to {window.end:{TIME}} UTC' if window else 'around the event'}."
        if told.incident.details:
            yield f"Fields kept as they are: {', '.join(told.incident.details)}."
    elif told.alarm is not None:
        traits = alarm_traits(told.alarm, {})
        yield f"It is an alarm: {told.line} at {_moment(told.alarm.at)}."
        if routes.by_tag:
            yield "Its tags are not in the event: rows that ask for a tag or a severity are decided by CloudWatch's."
    else:
        return
    yield f"Routed by: {traits.shown}."
    yield from explained(routes.rows, traits) or ["RCA_ROUTES is not set: there is no channel to go to."]


def _moment(at: datetime | None) -> str:
    return f"{at:{TIME}} UTC" if at else "an untold time"


def statements(url: str, routes: Routes) -> list[dict[str, object]]:
    """Return what the bot's role needs for events beside the policy of what it reads."""
    tags: dict[str, object] = {"Sid": "RcaBotRoutesByTag", "Effect": "Allow", "Action": TAGS.action, "Resource": "*"}
    return [statement(url), *([tags] if routes.by_tag else [])]
