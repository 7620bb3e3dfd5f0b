"""What people and other apps do in the local Slack: each deed is a method, named as one says it."""

from collections.abc import Mapping
from typing import Any

from bot.blocks.limits import Surface, Violation, violations
from sandbox.slack import interactions, payloads
from sandbox.slack.deliveries import Deliveries, Delivery
from sandbox.slack.interactions import Choice
from sandbox.slack.methods.contract import ApiError
from sandbox.slack.methods.views import clear, pop, replace, stack
from sandbox.slack.responses import respond
from sandbox.slack.state import Json, Message, ResponseUrl, View, World
from sandbox.slack.workspace import SLACKBOT, Channel, User

AMAZON_Q = "A6L22LZNH"


class People:
    """Everyone but our app. Users are named by id; channels by id or name."""

    def __init__(self, world: World, deliveries: Deliveries, events: frozenset[str]) -> None:
        self.world = world
        self._deliveries = deliveries
        self._events = events
        self.refused_acks: list[Violation] = []
        world.announce = self._message_event

    async def command(self, user: str, channel: str, name: str, text: str = "") -> Delivery:
        """Type a slash command; returns when it was acked or Slack gave up, with the ack shown to the person."""
        who, room = self._who(user), self._room(channel)
        grants = self._grants(user, room)
        payload = payloads.command(self.world.workspace, who, room, name, text, **grants)
        delivery = await self._deliveries.send(Delivery("slash_commands", payload, answers=True))
        if not delivery.acked:
            reason = "dispatch_failed" if delivery.error == "no_connection" else "operation_timeout"
            sorry = {"user": SLACKBOT, "text": f'{name} failed with the error "{reason}"'}
            self.world.whisper(room.id, user, sorry)
        elif delivery.ack:
            self._answered(ResponseUrl(user, room.id, 0), delivery.ack)
        return delivery

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> Message:
        """Write a message."""
        who, room = self._who(user), self._room(channel)
        if user not in room.members:
            raise LookupError(f"{user} is not in #{room.name}")
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        return self.world.post(room, {**payloads.source_fields(who, room), "text": text, **thread})

    async def mention(self, user: str, channel: str, text: str = "", *, thread_ts: str | None = None) -> Message:
        """Write a message that begins with the bot's name; Slack announces it twice, as message and app_mention."""
        message = await self.say(user, channel, f"<@{self._bot}> {text}".rstrip(), thread_ts=thread_ts)
        event = {**message.body, "type": "app_mention", "channel": message.channel, "event_ts": message.ts}
        self._event(event, self._room(channel), "app_mention")
        return message

    async def app_says(self, channel: str, text: str = "", *, app_id: str = AMAZON_Q, **fields: Any) -> Message:
        """Post as another app; `fields` are those of the message (attachments, blocks, subtype, username, …)."""
        bot = {"bot_id": f"B{app_id[1:]}", "app_id": app_id, "team": self.world.workspace.team}
        user = {} if fields.get("subtype") == "bot_message" else {"user": f"U{app_id[1:]}"}
        return self.world.post(self._room(channel), {**user, **bot, "text": text, **fields})

    async def edit(self, message: Message, **changes: Any) -> None:
        """Edit a person's or another app's message."""
        self.world.edit(message, changes)

    async def delete(self, message: Message) -> None:
        """Delete a person's or another app's message."""
        self.world.delete(message)

    async def press(self, user: str, where: Message | View, button: str | Mapping[str, Any]) -> Delivery:
        """Press a button, found by its action_id or by any of its fields (block_id, value, text, …)."""
        block_id, element = interactions.find(_blocks(where), button)
        return await self._act(user, where, interactions.action(block_id, element, {}))

    async def choose(self, user: str, where: Message | View, menu: str | Mapping[str, Any], choice: Choice) -> Delivery:
        """Choose in a select, overflow, radio, checkbox or picker: an option's value (or several), an id, a date."""
        block_id, element = interactions.find(_blocks(where), menu)
        reported = interactions.chosen(element, choice)
        if element["type"] not in interactions.STATELESS:
            where.chosen.setdefault(block_id, {})[element["action_id"]] = reported
        return await self._act(user, where, interactions.action(block_id, element, reported))

    async def fill(self, view: View, values: Mapping[str, Choice]) -> None:
        """Fill in inputs of a view by action_id; the app hears of it when the view is submitted."""
        for action_id, choice in values.items():
            block_id, element = interactions.find(_blocks(view), action_id)
            view.chosen.setdefault(block_id, {})[action_id] = interactions.chosen(element, choice)

    async def submit(self, view: View, values: Mapping[str, Choice] | None = None) -> Delivery:
        """Fill in and submit a modal; raises ValueError when Slack would not let a person submit it."""
        if not view.open:
            raise ValueError("the modal is closed")
        await self.fill(view, values or {})
        empty = interactions.unanswered(_blocks(view), view.chosen)
        if empty:
            raise ValueError(f"required inputs are empty: {', '.join(empty)}")
        trigger = self.world.grant_trigger(view.user, view)
        payload = payloads.view_submission(self.world.workspace, self._who(view.user), view, trigger)
        delivery = await self._deliveries.send(Delivery("interactive", payload, answers=True))
        if delivery.acked:
            self._submitted(view, delivery.ack or {})
        return delivery

    async def close(self, view: View) -> Delivery | None:
        """Close a modal; the app hears of it only if the view asked for that."""
        self.world.stacks[view.user].remove(view)
        view.open = False
        self.world.touch()
        if not view.body["notify_on_close"]:
            return None
        payload = payloads.view_closed(self.world.workspace, self._who(view.user), view)
        return await self._deliveries.send(Delivery("interactive", payload))

    async def open_home(self, user: str) -> None:
        """Open the App Home."""
        room = self.world.workspace.direct(user)
        event = payloads.home_opened(self._who(user), room, self.world.homes.get(user), self.world.new_ts())
        self._event(event, room, "app_home_opened")

    async def message_shortcut(self, user: str, callback_id: str, message: Message) -> Delivery:
        """Choose a message shortcut in a message's menu."""
        grants = self._grants(user, self._room(message.channel), message)
        payload = payloads.message_shortcut(self.world.workspace, self._who(user), callback_id, message, **grants)
        return await self._deliveries.send(Delivery("interactive", payload))

    @property
    def _bot(self) -> str:
        return self.world.workspace.app.bot_user

    def _who(self, user: str) -> User:
        return self.world.workspace.users[user]

    def _room(self, channel: str) -> Channel:
        room = self.world.workspace.find(channel)
        if room is None:
            raise LookupError(f"there is no channel {channel}")
        return room

    def _grants(self, user: str, room: Channel, message: Message | None = None) -> dict[str, str]:
        return {
            "response_url": self.world.grant_response_url(user, room.id, message),
            "trigger_id": self.world.grant_trigger(user),
        }

    async def _act(self, user: str, where: Message | View, action: Json) -> Delivery:
        home, who = self.world.workspace, self._who(user)
        if isinstance(where, View):
            trigger = self.world.grant_trigger(user, where)
            payload = payloads.view_actions(home, who, where, action, trigger)
        else:
            grants = self._grants(user, self._room(where.channel), where)
            payload = payloads.message_actions(home, who, where, action, **grants)
        return await self._deliveries.send(Delivery("interactive", payload))

    def _submitted(self, view: View, ack: Json) -> None:
        """Do what the ack of a submission says (response_action)."""
        kind = ack.get("response_action")
        if kind == "errors":
            view.errors = dict(ack.get("errors", {}))
        elif kind in {"update", "push"}:
            said = ack.get("view", {})
            found = violations(said, Surface.MODAL)
            self.refused_acks.extend(found)
            if not found:
                replace(self.world, view, said) if kind == "update" else stack(self.world, view.user, said)
        elif kind == "clear" or view.body["clear_on_close"]:
            clear(self.world, view.user)
        else:
            pop(self.world, view.user)
        self.world.touch()

    def _answered(self, grant: ResponseUrl, ack: Json) -> None:
        try:
            respond(self.world, grant, ack)
        except ApiError as error:
            self.refused_acks.extend(error.found)

    def _message_event(self, event: Json, room: Channel) -> None:
        self._event(event, room, f"message.{room.kind}s" if room.kind != "im" else "message.im")

    def _event(self, event: Json, room: Channel, subscription: str) -> None:
        """Send an event if the app subscribed to it and its bot is there to see it."""
        home = self.world.workspace
        if subscription in self._events and home.has_bot(room):
            body = payloads.event_callback(home, event, self.world.new_id("Ev"), shared=room.shared)
            self._deliveries.send_event(Delivery("events_api", body))


def _blocks(where: Message | View) -> list[Json]:
    return list(where.body.get("blocks", []))
