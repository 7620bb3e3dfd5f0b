"""What was asked: the trigger and the parsed request."""

from enum import StrEnum

from domain.alarm import AlarmReference
from domain.incident import IncidentReference
from domain.resource import Resource
from domain.values import Value
from domain.window import Window


class TriggerKind(StrEnum):
    """What started an investigation."""

    SLASH_COMMAND = "slash_command"
    MENTION = "mention"
    SHORTCUT = "shortcut"
    ALARM_POST = "alarm_post"
    EVENTBRIDGE = "eventbridge"
    CLI = "cli"
    RERUN = "rerun"


class Trigger(Value):
    """Who or what asked, in which words; `thread` is the timestamp of the Slack thread it was asked in, if any.

    `alarm` is the alarm that a message or an event told of, `incident` the incident that an event told of; the
    words are then its line for people.
    """

    kind: TriggerKind
    text: str
    user: str | None = None
    channel: str | None = None
    thread: str | None = None
    team: str | None = None
    alarm: AlarmReference | None = None
    incident: IncidentReference | None = None


class Target(Value):
    """A resource named by its kind and name only ("function orders-fn"); discovery finds its ARN or says it cannot."""

    service: str  # a specialist's name: "lambda", "dynamodb"
    name: str


class Request(Value):
    """The parsed input. At least one of trace ids, resources, targets, error messages and alarm is set."""

    text: str
    trace_ids: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()
    targets: tuple[Target, ...] = ()
    error_messages: tuple[str, ...] = ()
    window: Window | None = None
    region: str | None = None
    account: str | None = None
    alarm: AlarmReference | None = None
