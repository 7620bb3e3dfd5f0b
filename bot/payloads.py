"""The shape of what Slack sends, as far as Bolt and we read it without looking twice. More is let through, less is not.

https://docs.slack.dev/interactivity, https://docs.slack.dev/apis/events-api
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.values import JsonObject

Id = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A part of a payload."""

    model_config = ConfigDict(extra="allow", strict=True)


class Named(Part):
    """Something with an id: a user, a channel, a team."""

    id: Id
    team_id: str | None = None


class Written(Part):
    """A message, as it stands in other things."""

    user: Named | str | None = None
    ts: str | None = None
    thread_ts: str | None = None
    text: str | None = None


class Event(Part):
    """What happened."""

    type: str | None = None
    subtype: str | None = None
    user: Named | str | None = None
    bot_id: str | None = None
    channel: Named | str | None = None
    team: str | None = None
    text: str | None = None
    ts: str | None = None
    thread_ts: str | None = None
    tab: str | None = None
    message: Written | None = None
    previous_message: Written | None = None
    view: Part | None = None


class Payload(Part):
    """What may come with a payload of any kind."""

    type: str | None = None
    event: Event | None = None
    user: Named | str | None = None
    channel: Named | str | None = None
    message: Written | None = None
    previous_message: Written | None = None
    container: Part | None = None
    view: Part | None = None
    team: Named | str | None = None
    enterprise: Named | str | None = None
    authorizations: list[Part] | None = None
    is_enterprise_install: bool | str | None = None
    is_ext_shared_channel: bool | None = None
    trigger_id: str | None = None
    response_url: str | None = None


class Command(Payload):
    """A slash command."""

    command: str
    text: str = ""
    user_id: str
    channel_id: str
    trigger_id: Id


class KnownEvent(Event):
    """An event with its type."""

    type: str


class Mention(KnownEvent):
    """@rca."""

    user: str | None = None
    channel: str
    ts: str


class HomeOpened(KnownEvent):
    """Somebody looks at the App Home."""

    user: str


class EventCallback(Payload):
    """An event of the Events API."""

    event_id: Id
    event: KnownEvent


class MentionCallback(EventCallback):
    """A mention."""

    event: Mention


class HomeCallback(EventCallback):
    """An opened home."""

    event: HomeOpened


class Action(Part):
    """One pressed or chosen element."""

    type: str
    action_id: str
    block_id: str | None = None
    action_ts: str | None = None
    value: str | None = None


class Container(Part):
    """Where the element stands."""

    message_ts: str | None = None
    view_id: str | None = None
    thread_ts: str | None = None


class Interaction(Payload):
    """What a person did: a press, a shortcut, a submitted or closed view."""

    type: str
    user: Named
    channel: Named | None = None
    container: Container | None = None


class Press(Interaction):
    """block_actions."""

    actions: Annotated[list[Action], Field(min_length=1)]
    view: Named | None = None


class Shortcut(Interaction):
    """shortcut."""

    callback_id: str


class MessageShortcut(Shortcut):
    """message_action: a shortcut in a message's menu."""

    channel: Named
    message: Written
    message_ts: Id
    action_ts: Id


class Entered(Part):
    """What was entered into one element of a modal."""

    value: str | None = None


class ViewState(Part):
    """What was entered into a modal, by block and element."""

    values: dict[str, dict[str, Entered]] = {}


class View(Named):
    """A modal."""

    callback_id: str
    type: str
    private_metadata: str | None = None
    state: ViewState | None = None


class ViewEvent(Interaction):
    """view_submission and view_closed."""

    view: View


class Certificate(Payload):
    """Slack looks at our certificate: a form with ssl_check and nothing that we use."""

    ssl_check: str


class Other(Payload):
    """A kind that we do not listen to."""

    type: str


class Challenge(Payload):
    """url_verification: https://docs.slack.dev/reference/events/url_verification."""

    challenge: str


EVENTS: dict[Any, type[Payload]] = {"app_mention": MentionCallback, "app_home_opened": HomeCallback}
INTERACTIONS: dict[Any, type[Payload]] = {
    "block_actions": Press,
    "message_action": MessageShortcut,
    "shortcut": Shortcut,
    "view_submission": ViewEvent,
    "view_closed": ViewEvent,
    "url_verification": Challenge,
}


def id_of(value: Any) -> str:
    """Return the id of a user, channel or team that a payload gives as an object or as the id alone; "" for none."""
    return str(value.get("id") or "") if isinstance(value, Mapping) else str(value or "")


def malformed(body: JsonObject) -> str | None:
    """Return where a payload is not as Slack makes it, None when it is."""
    try:
        _model(body).model_validate(body)
    except ValidationError as error:
        return ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
    return None


def _model(body: JsonObject) -> type[Payload]:
    kind = body.get("type")
    if "command" in body:
        return Command
    if kind == "event_callback":
        event = body.get("event")
        name = event.get("type") if isinstance(event, dict) else None
        return EVENTS.get(name, EventCallback) if isinstance(name, str) else EventCallback
    if kind is None and "ssl_check" in body:
        return Certificate
    return INTERACTIONS.get(kind, Other) if isinstance(kind, str) else Other
