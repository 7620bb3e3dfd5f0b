"""The local Slack behaves as Slack does, seen through the real slack_sdk and slack_bolt."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.slack import SCOPES, LocalSlack, Rates, Timing
from sandbox.slack.signed import signature

FAST = Timing(ack=0.2, retries=(0.0, 0.05, 0.1))
ASK = {"type": "button", "action_id": "ask", "text": {"type": "plain_text", "text": "Ask"}, "value": "INV-1"}
MORE = {
    "type": "overflow",
    "action_id": "more",
    "options": [{"text": {"type": "plain_text", "text": "Run again"}, "value": "rerun"}],
}
CARD = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Looking*"}},
    {"type": "actions", "block_id": "doors", "elements": [ASK, MORE]},
]
FORM = {
    "type": "modal",
    "callback_id": "ask",
    "title": {"type": "plain_text", "text": "Ask"},
    "submit": {"type": "plain_text", "text": "Send"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "question",
            "label": {"type": "plain_text", "text": "Question"},
            "element": {"type": "plain_text_input", "action_id": "words"},
        }
    ],
}


def client_of(slack: LocalSlack, **options: Any) -> AsyncWebClient:
    """The real client, without its own retries: each call is one request."""
    options = {"token": slack.bot_token, "retry_handlers": [], **options}
    return AsyncWebClient(base_url=slack.api_url, **options)


def echo_app(slack: LocalSlack, heard: list[Any]) -> AsyncApp:
    """A small app: a command posts a card, a button opens a modal, its submission is noted, every event is heard."""
    app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

    async def command(ack: Any, command: Any, client: Any) -> None:
        await ack(f"On it: {command['text']}")
        await client.chat_postMessage(channel=command["channel_id"], text=command["text"], blocks=CARD)

    async def ask(ack: Any, body: Any, client: Any) -> None:
        await ack()
        heard.append(body)
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    async def more(ack: Any, action: Any, respond: Any) -> None:
        await ack()
        await respond(text=f"You chose {action['selected_option']['value']}", replace_original=False)

    async def submitted(ack: Any, view: Any) -> None:
        words = view["state"]["values"]["question"]["words"]["value"]
        if words == "bad":
            await ack(response_action="errors", errors={"question": "Say more"})
        else:
            await ack()
        heard.append(words)

    async def noted(ack: Any, body: Any) -> None:
        await ack()
        heard.append(body)

    async def event(body: Any, request: Any) -> None:
        heard.append(body["event"])

    app.command("/rca")(command)
    app.action("ask")(ask)
    app.action("more")(more)
    app.view("ask")(submitted)
    app.view_closed("ask")(noted)
    app.shortcut("investigate")(noted)
    for kind in ("message", "app_mention", "app_home_opened"):
        app.event(kind)(event)
    return app


@asynccontextmanager
async def socket_bot(slack: LocalSlack, heard: list[Any]) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(echo_app(slack, heard), slack.app_token)
    await handler.connect_async()
    try:
        yield handler
    finally:
        await handler.close_async()


@asynccontextmanager
async def http_bot(slack: LocalSlack, app: AsyncApp) -> AsyncIterator[None]:
    runner = web.AppRunner(app.web_app(path="/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None) as running:
        yield running


@pytest.fixture(params=["socket", "http"])
async def conversation(
    request: pytest.FixtureRequest, slack: LocalSlack
) -> AsyncIterator[tuple[LocalSlack, list[Any]]]:
    """The echo app, connected once by Socket Mode and once by HTTP."""
    heard: list[Any] = []
    bot = socket_bot(slack, heard) if request.param == "socket" else http_bot(slack, echo_app(slack, heard))
    async with bot:
        yield slack, heard


async def refused(call: Any) -> str:
    """Return the error code with which Slack answers."""
    with pytest.raises(SlackApiError) as caught:
        await call

    return str(caught.value.response["error"])


async def test_command_is_acked_to_the_person_and_answered_in_the_channel(conversation: Any):
    slack, _ = conversation

    delivery = await slack.command("U0MIA", "#orders", "/rca", "1-6740a1b2-0")
    (posted,) = await slack.wait_for(lambda: slack.messages("orders"))

    assert delivery.acked
    assert delivery.ack_seconds < 1
    assert [m.text for m in slack.ephemerals("U0MIA")] == ["On it: 1-6740a1b2-0"]
    assert posted.text == "1-6740a1b2-0"
    assert slack.violations == []


async def test_press_opens_a_modal_and_its_submission_arrives(conversation: Any):
    slack, heard = conversation
    await slack.command("U0MIA", "orders", "/rca", "x")
    (posted,) = await slack.wait_for(lambda: slack.messages("orders"))

    pressed = await slack.press("U0TOM", posted, "ask")
    (modal,) = await slack.wait_for(lambda: slack.views("U0TOM"))
    rejected = await slack.submit(modal, {"words": "bad"})
    errors, still_open = modal.errors, slack.views("U0TOM")
    accepted = await slack.submit(modal, {"words": "why?"})

    body = next(entry for entry in heard if isinstance(entry, dict) and entry.get("type") == "block_actions")
    assert pressed.acked
    assert body["user"]["id"] == "U0TOM"
    assert body["container"]["message_ts"] == posted.ts
    assert body["actions"][0] | {"action_ts": ""} == {**ASK, "block_id": "doors", "action_ts": ""}
    assert rejected.ack == {"response_action": "errors", "errors": {"question": "Say more"}}
    assert (errors, still_open) == ({"question": "Say more"}, [modal])
    assert accepted.acked
    assert slack.views("U0TOM") == []
    assert [entry for entry in heard if isinstance(entry, str)] == ["bad", "why?"]


async def test_choice_in_an_overflow_is_answered_by_response_url(conversation: Any):
    slack, _ = conversation
    await slack.command("U0MIA", "orders", "/rca", "x")
    (posted,) = await slack.wait_for(lambda: slack.messages("orders"))

    await slack.choose("U0MIA", posted, "more", "rerun")
    answer = await slack.wait_for(lambda: slack.ephemerals("U0MIA")[1:])

    assert [m.text for m in answer] == ["You chose rerun"]


async def test_every_surface_reaches_the_app(conversation: Any):
    slack, heard = conversation

    asked = await slack.mention("U0MIA", "orders", "1-6740a1b2-0")
    await slack.say("U0TOM", "war-room", "hm")
    await slack.app_says("alerts", "", attachments=[{"text": "ALARM"}])
    await slack.open_home("U0GUS")
    shortcut = await slack.message_shortcut("U0MIA", "investigate", asked)
    await slack.settle()
    await slack.wait_for(lambda: len(heard) == 6)

    kinds = {(e["type"], e.get("channel_type"), e.get("app_id")) for e in heard}
    assert kinds == {
        ("app_home_opened", None, None),
        ("app_mention", None, None),
        ("message", "channel", "A6L22LZNH"),
        ("message", "channel", None),
        ("message", "group", None),
        ("message_action", None, None),
    }
    assert shortcut.acked
    assert all(delivery.acked for delivery in slack.deliveries)


async def test_view_closed_is_told_only_to_those_who_asked(slack: LocalSlack):
    heard: list[Any] = []
    async with socket_bot(slack, heard):
        card = await client_of(slack).chat_postMessage(channel="C0ORDERS", text="x", blocks=CARD)
        posted = slack.thread("orders", card["ts"])[0]
        await slack.press("U0MIA", posted, "ask")
        (modal,) = await slack.wait_for(lambda: slack.views("U0MIA"))
        closed = await slack.close(modal)

    assert closed is not None
    assert closed.acked
    assert closed.payload["view"]["id"] == modal.id
    assert slack.views("U0MIA") == []


async def test_own_update_comes_back_as_message_changed_without_bot_id(slack: LocalSlack):
    client = client_of(slack)
    posted = await client.chat_postMessage(channel="C0ORDERS", text="one", blocks=CARD)
    await client.chat_update(channel="C0ORDERS", ts=posted["ts"], text="two")

    (message,) = slack.messages("orders")
    changed = slack.deliveries[1].payload["event"]
    assert (changed["subtype"], changed["channel_type"], "bot_id" in changed) == ("message_changed", "channel", False)
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("two", "one")
    assert [version.body["text"] for version in message.versions] == ["one", "two"]
    assert message.blocks == []


async def test_app_sees_nothing_of_channels_it_is_not_in(slack: LocalSlack):
    await slack.say("U0MIA", "general", "lunch?")
    await slack.say("U0MIA", "orders", "lunch?")

    assert [delivery.payload["event"]["channel"] for delivery in slack.deliveries] == ["C0ORDERS"]


async def test_thread_is_read_with_its_metadata_and_history_without_its_replies(slack: LocalSlack):
    client = client_of(slack)
    metadata = {"event_type": "rca", "event_payload": {"id": "INV-1"}}
    root = await client.chat_postMessage(channel="C0ORDERS", text="root", metadata=metadata)
    for text in ("a", "b"):
        await client.chat_postMessage(channel="C0ORDERS", text=text, thread_ts=root["ts"])

    replies = await client.conversations_replies(channel="C0ORDERS", ts=root["ts"], include_all_metadata=True)
    plain = await client.conversations_history(channel="C0ORDERS")

    assert [m["text"] for m in replies["messages"]] == ["root", "a", "b"]
    assert replies["messages"][0]["metadata"] == metadata
    assert replies["messages"][0]["reply_count"] == 2
    assert [m["text"] for m in plain["messages"]] == ["root"]
    assert "metadata" not in plain["messages"][0]
    assert [m.text for m in slack.thread("orders", root["ts"])] == ["root", "a", "b"]


async def test_update_keeps_metadata_and_replaces_text_and_blocks(slack: LocalSlack):
    client = client_of(slack)
    metadata = {"event_type": "rca", "event_payload": {"id": "INV-1"}}
    posted = await client.chat_postMessage(channel="C0ORDERS", text="one", metadata=metadata)

    await client.chat_update(channel="C0ORDERS", ts=posted["ts"], text="two", blocks=CARD)

    (message,) = slack.messages("orders")
    assert message.body["metadata"] == metadata
    assert "edited" not in message.body
    assert [block["type"] for block in message.blocks] == ["section", "actions"]


async def test_pages_follow_the_cursor(slack: LocalSlack):
    client = client_of(slack)
    for number in range(5):
        await client.chat_postMessage(channel="C0ORDERS", text=str(number))

    history = await client.conversations_history(channel="C0ORDERS", limit=2)
    pages = [[m["text"] for m in page["messages"]] async for page in history]

    assert pages == [["4", "3"], ["2", "1"], ["0"]]


REFUSALS = [
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C0HR", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C0GENERAL", "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": "C0ORDERS", "text": ""}, "no_text"),
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "C0ORDERS", "blocks": "{"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": "C0ORDERS", "blocks": [{"type": "x"}]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "C0ORDERS", "text": "x", "thread_ts": "1.000000"}, "thread_not_found"),
    ("chat.update", {"channel": "C0ORDERS", "ts": "1.000000", "text": "x"}, "message_not_found"),
    ("chat.postEphemeral", {"channel": "C0ORDERS", "user": "U0SAM", "text": "x"}, "user_not_in_channel"),
    ("conversations.history", {"channel": "C0GENERAL"}, "not_in_channel"),
    ("conversations.replies", {"channel": "C0ORDERS", "ts": "1.000000"}, "thread_not_found"),
    ("conversations.history", {"channel": "C0ORDERS", "oldest": "monday"}, "invalid_ts_oldest"),
    ("conversations.join", {"channel": "C0GENERAL"}, "missing_scope"),
    ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
    ("reactions.add", {"channel": "C0ORDERS", "timestamp": "1.0", "name": "eyes"}, "message_not_found"),
    ("views.open", {"trigger_id": "1.2.3", "view": FORM}, "invalid_trigger_id"),
    ("views.update", {"view_id": "V1", "view": FORM}, "not_found"),
    ("views.publish", {"user_id": "U0MIA", "view": FORM}, "invalid_arguments"),
    ("files.completeUploadExternal", {"files": '[{"id": "F1"}]'}, "file_not_found"),
    ("apps.connections.open", {}, "not_allowed_token_type"),
    ("chat.scheduleMessage", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "arguments", "code"), REFUSALS)
async def test_call_is_refused_with_slacks_code(slack: LocalSlack, method: str, arguments: dict[str, Any], code: str):
    assert await refused(client_of(slack).api_call(method, json=arguments)) == code


async def test_form_and_json_mean_the_same(slack: LocalSlack):
    client = client_of(slack)
    asked = {"channel": "C0ORDERS", "text": "hi", "blocks": CARD}

    await client.api_call("chat.postMessage", json=asked)
    await client.api_call("chat.postMessage", data={**asked, "blocks": json.dumps(CARD)})

    first, second = slack.messages("orders")
    shapes = [[block["type"] for block in message.blocks] for message in (first, second)]
    assert (first.text, shapes[0]) == (second.text, shapes[1])


async def test_wrong_and_missing_tokens_are_told_apart(slack: LocalSlack):
    assert await refused(client_of(slack, token="xoxb-stolen").auth_test()) == "invalid_auth"
    assert await refused(client_of(slack, token=None).auth_test()) == "not_authed"
    assert await refused(client_of(slack).apps_connections_open(app_token="xapp-wrong")) == "invalid_auth"


async def test_missing_scope_names_the_scope_and_every_answer_lists_those_granted():
    async with LocalSlack(scopes=SCOPES - {"chat:write"}) as slack:
        client = client_of(slack)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="C0ORDERS", text="x")
        who = await client.auth_test()

    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "chat:write"
    assert "commands" in who.headers["X-OAuth-Scopes"].split(",")
    assert "chat:write" not in who.headers["X-OAuth-Scopes"].split(",")


async def test_too_much_is_refused_recorded_and_not_posted(slack: LocalSlack):
    client = client_of(slack)
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}} for _ in range(5)]
    posted = await client.chat_postMessage(channel="C0ORDERS", text="x")

    codes = [
        await refused(client.chat_postMessage(channel="C0ORDERS", text="x", blocks=long)),
        await refused(client.chat_postMessage(channel="C0ORDERS", text="x", blocks=CARD * 26)),
        await refused(client.chat_update(channel="C0ORDERS", ts=posted["ts"], text="x" * 4001)),
    ]

    assert codes == ["msg_blocks_too_long", "invalid_blocks", "msg_too_long"]
    assert {v.error for v in slack.violations} == set(codes)
    assert [m.text for m in slack.messages("orders")] == ["x"]


async def test_refused_blocks_come_with_the_place(slack: LocalSlack):
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).chat_postMessage(channel="C0ORDERS", text="x", blocks=[{"type": "header"}])

    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] missing required field: text [json-pointer:/blocks/0]"
    ]


async def test_foreign_message_cannot_be_updated_or_deleted(slack: LocalSlack):
    theirs = await slack.say("U0MIA", "orders", "mine")
    client = client_of(slack)

    assert await refused(client.chat_update(channel="C0ORDERS", ts=theirs.ts, text="x")) == "cant_update_message"
    assert await refused(client.chat_delete(channel="C0ORDERS", ts=theirs.ts)) == "cant_delete_message"


async def test_edit_by_another_app_is_announced_and_kept(slack: LocalSlack):
    alarm = await slack.app_says("alerts", "ALARM: orders-api-5xx")
    await slack.edit(alarm, text="OK: orders-api-5xx")

    changed = slack.deliveries[1].payload["event"]
    assert changed["message"]["app_id"] == "A6L22LZNH"
    assert [version.body["text"] for version in alarm.versions] == ["ALARM: orders-api-5xx", "OK: orders-api-5xx"]


async def test_direct_message_opens_by_user_id(slack: LocalSlack):
    posted = await client_of(slack).chat_postMessage(channel="U0MIA", text="psst")

    assert posted["channel"] == "D0MIA"
    assert [m.text for m in slack.messages("U0MIA")] == ["psst"]
    assert slack.deliveries[0].payload["event"]["channel_type"] == "im"


async def test_private_channels_without_the_bot_are_not_listed(slack: LocalSlack):
    client = client_of(slack)
    listed = await client.conversations_list(types="public_channel,private_channel")
    members = await client.conversations_members(channel="C0WAR")

    assert {c["name"]: c["is_member"] for c in listed["channels"]} == {
        "alerts": True,
        "orders": True,
        "war-room": True,
        "partners": True,
        "general": False,
    }
    assert members["members"] == ["U0MIA", "U0RCA", "U0TOM"]


async def test_permalink_of_a_reply_names_its_thread(slack: LocalSlack):
    root = await slack.say("U0MIA", "orders", "root")
    reply = await slack.say("U0TOM", "orders", "reply", thread_ts=root.ts)

    link = await client_of(slack).chat_getPermalink(channel="C0ORDERS", message_ts=reply.ts)

    place = f"https://acme.slack.com/archives/C0ORDERS/p{reply.ts.replace('.', '')}"
    assert link["permalink"] == f"{place}?thread_ts={root.ts}&cid=C0ORDERS"


async def test_buttons_within_cards_and_containers_can_be_pressed(slack: LocalSlack):
    card = {"type": "card", "title": {"type": "plain_text", "text": "x"}, "actions": [ASK]}
    box = {"type": "container", "title": {"type": "plain_text", "text": "Box"}, "child_blocks": [CARD[1]]}
    inside = {"type": "carousel", "elements": [card]}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}
    client = client_of(slack)
    await client.chat_postMessage(channel="C0ORDERS", text="x", blocks=[inside, rich])
    await client.chat_postMessage(channel="C0ORDERS", text="x", blocks=[box])
    carousel, container = slack.messages("orders")

    pressed = [await slack.press("U0MIA", message, "ask") for message in (carousel, container)]

    assert [delivery.payload["actions"][0]["value"] for delivery in pressed] == ["INV-1", "INV-1"]
    assert carousel.blocks[1]["elements"] == rich["elements"]


async def test_deleted_message_is_gone(slack: LocalSlack):
    client = client_of(slack)
    posted = await client.chat_postMessage(channel="C0ORDERS", text="x")

    await client.chat_delete(channel="C0ORDERS", ts=posted["ts"])

    assert slack.messages("orders") == []
    assert await refused(client.chat_delete(channel="C0ORDERS", ts=posted["ts"])) == "message_not_found"


async def test_posts_faster_than_one_a_second_meet_429_and_other_channels_do_not():
    async with LocalSlack(rates=Rates(post_burst=2)) as slack:
        client = client_of(slack)
        for _ in range(2):
            await client.chat_postMessage(channel="C0ORDERS", text="x")
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="C0ORDERS", text="x")
        elsewhere = await client.chat_postMessage(channel="C0ALERTS", text="x")

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    assert elsewhere["ok"]


async def test_fifty_first_update_in_a_minute_meets_429():
    async with LocalSlack() as slack:
        client = client_of(slack)
        posted = await client.chat_postMessage(channel="C0ORDERS", text="0")
        for number in range(50):
            await client.chat_update(channel="C0ORDERS", ts=posted["ts"], text=str(number))
        code = await refused(client.chat_update(channel="C0ORDERS", ts=posted["ts"], text="51"))

    assert code == "ratelimited"
    assert slack.thread("orders", posted["ts"])[0].text == "49"


async def test_dropped_after_accept_was_posted_and_the_default_client_posts_it_twice(slack: LocalSlack):
    slack.fail("chat.postMessage", drop="after_accept")
    await AsyncWebClient(base_url=slack.api_url, token=slack.bot_token).chat_postMessage(channel="C0ORDERS", text="x")

    assert len(slack.messages("orders")) == 2
    assert [call.status for call in slack.called("chat.postMessage")] == [0, 200]


async def test_faults_end_after_their_times(slack: LocalSlack):
    client = client_of(slack)
    slack.fail("chat.postMessage", status=500)
    slack.fail("chat.postMessage", error="internal_error")
    slack.fail("chat.postMessage", error="ratelimited", retry_after=7)
    slack.fail("chat.postMessage", drop="before_accept")
    slack.fail("chat.postMessage", delay=0.1)

    outcomes = []
    for _ in range(4):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - four different ones, looked at below
            await client.chat_postMessage(channel="C0ORDERS", text="x")
        outcomes.append(caught.value)
    started = time.perf_counter()
    await client.chat_postMessage(channel="C0ORDERS", text="at last")

    assert outcomes[0].response.status_code == 500
    assert outcomes[1].response["error"] == "internal_error"
    assert outcomes[2].response.headers["Retry-After"] == "7"
    assert type(outcomes[3]).__name__ == "ServerDisconnectedError"
    assert time.perf_counter() - started > 0.1
    assert [m.text for m in slack.messages("orders")] == ["at last"]


async def test_hanging_call_is_not_answered(slack: LocalSlack):
    slack.fail("chat.postMessage", hang=True)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client_of(slack).chat_postMessage(channel="C0ORDERS", text="x"), 0.2)

    assert slack.messages("orders") == []


async def test_trigger_works_once_and_for_three_seconds(slack: LocalSlack):
    client = client_of(slack)
    first = await slack.command("U0MIA", "orders", "/rca")
    second = await slack.command("U0MIA", "orders", "/rca")
    await client.views_open(trigger_id=first.trigger_id, view=FORM)
    slack.world.triggers[second.trigger_id].expires -= 3.1

    assert await refused(client.views_open(trigger_id=first.trigger_id, view=FORM)) == "exchanged_trigger_id"
    assert await refused(client.views_open(trigger_id=second.trigger_id, view=FORM)) == "expired_trigger_id"


async def test_view_is_updated_by_id_and_a_stale_hash_is_refused(slack: LocalSlack):
    client = client_of(slack)
    delivery = await slack.command("U0MIA", "orders", "/rca")
    opened = await client.views_open(trigger_id=delivery.trigger_id, view=FORM)
    ask_more = {**FORM, "title": {"type": "plain_text", "text": "More"}}
    name, first_hash = opened["view"]["id"], opened["view"]["hash"]

    await client.views_update(view_id=name, hash=first_hash, view=ask_more)

    assert slack.views("U0MIA")[0].body["title"]["text"] == "More"
    assert await refused(client.views_update(view_id=name, hash=first_hash, view=FORM)) == "hash_conflict"


async def test_modal_with_an_empty_required_input_cannot_be_submitted(slack: LocalSlack):
    delivery = await slack.command("U0MIA", "orders", "/rca")
    await client_of(slack).views_open(trigger_id=delivery.trigger_id, view=FORM)

    with pytest.raises(ValueError, match="question"):
        await slack.submit(slack.views("U0MIA")[0])


async def test_modal_pushed_from_a_modal_lies_on_it_until_submitted(slack: LocalSlack):
    client = client_of(slack)
    first = {**FORM, "blocks": [CARD[1]]}
    delivery = await slack.command("U0MIA", "orders", "/rca")
    await client.views_open(trigger_id=delivery.trigger_id, view=first)
    (below,) = slack.views("U0MIA")

    pressed = await slack.press("U0MIA", below, "ask")
    pushed = await client.views_push(trigger_id=pressed.trigger_id, view=FORM)

    assert [view.id for view in slack.views("U0MIA")] == [below.id, pushed["view"]["id"]]
    assert pushed["view"]["previous_view_id"] == below.id
    assert pressed.payload["container"] == {"type": "view", "view_id": below.id}
    assert "message" not in pressed.payload


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        (
            {"response_action": "update", "view": {**FORM, "title": {"type": "plain_text", "text": "Thanks"}}},
            ["Thanks"],
        ),
        ({"response_action": "push", "view": FORM}, ["Ask", "Ask"]),
        ({"response_action": "clear"}, []),
        ({}, []),
    ],
)
async def test_ack_of_a_submission_decides_what_is_shown(slack: LocalSlack, answer: dict[str, Any], titles: list[str]):
    app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

    async def answered(ack: Any) -> None:
        await ack(**answer)

    app.view("ask")(answered)
    delivery = await slack.command("U0MIA", "orders", "/rca")
    await client_of(slack).views_open(trigger_id=delivery.trigger_id, view=FORM)
    async with http_bot(slack, app):
        await slack.submit(slack.views("U0MIA")[0], {"words": "why?"})

    assert [view.body["title"]["text"] for view in slack.views("U0MIA")] == titles


async def test_too_large_view_in_an_ack_is_a_violation(slack: LocalSlack):
    app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

    async def answered(ack: Any) -> None:
        await ack(response_action="update", view={**FORM, "title": {"type": "plain_text", "text": "x" * 25}})

    app.view("ask")(answered)
    delivery = await slack.command("U0MIA", "orders", "/rca")
    await client_of(slack).views_open(trigger_id=delivery.trigger_id, view=FORM)
    async with http_bot(slack, app):
        await slack.submit(slack.views("U0MIA")[0], {"words": "why?"})

    assert [violation.pointer for violation in slack.violations] == ["/view/title/text"]


async def test_home_is_published_per_user(slack: LocalSlack):
    view = {"type": "home", "blocks": CARD}

    await client_of(slack).views_publish(user_id="U0MIA", view=view)

    home = slack.home("U0MIA")
    assert home is not None
    assert home.body["blocks"][1]["block_id"] == "doors"
    assert slack.home("U0TOM") is None


async def test_nothing_off_screen_can_be_pressed(slack: LocalSlack):
    posted = await client_of(slack).chat_postMessage(channel="C0ORDERS", text="x", blocks=CARD)
    message = slack.thread("orders", posted["ts"])[0]

    with pytest.raises(LookupError, match="one can act on: ask, more"):
        await slack.press("U0MIA", message, "approve")
    with pytest.raises(LookupError, match="rerun"):
        await slack.choose("U0MIA", message, "more", "explode")


async def test_response_url_takes_five_answers(slack: LocalSlack):
    delivery = await slack.command("U0MIA", "orders", "/rca")
    url = delivery.payload["response_url"]

    async def answer(**said: Any) -> tuple[int, str]:
        response = await AsyncWebhookClient(url).send_dict(said)
        return response.status_code, response.body

    assert await answer(text="only you") == (200, "ok")
    assert await answer(text="all", response_type="in_channel") == (200, "ok")
    assert await answer(text="") == (400, "no_text")
    assert [await answer(text="x") for _ in range(3)] == [(200, "ok"), (200, "ok"), (404, "used_url")]
    assert [m.text for m in slack.messages("orders")] == ["all"]
    assert slack.ephemerals("U0MIA")[1].text == "only you"


async def test_response_url_of_a_press_replaces_its_message(slack: LocalSlack):
    posted = await client_of(slack).chat_postMessage(channel="C0ORDERS", text="x", blocks=CARD)
    message = slack.thread("orders", posted["ts"])[0]
    pressed = await slack.press("U0MIA", message, {"value": "INV-1"})

    await AsyncWebhookClient(pressed.payload["response_url"]).send(text="done", replace_original=True)

    assert (message.text, message.blocks, message.edits) == ("done", [], 1)


async def test_files_arrive_with_their_bytes_in_the_thread(slack: LocalSlack):
    client = client_of(slack)
    root = await client.chat_postMessage(channel="C0ORDERS", text="root")

    done = await client.files_upload_v2(
        channel="C0ORDERS", thread_ts=root["ts"], filename="trace.png", content=b"\x89PNG", initial_comment="the trace"
    )

    (file,) = slack.files
    reply = slack.thread("orders", root["ts"])[1]
    assert (file.data, file.channels, file.thread_ts) == (b"\x89PNG", ("C0ORDERS",), root["ts"])
    assert done["file"]["mimetype"] == "image/png"
    assert (reply.text, reply.body["files"][0]["id"]) == ("the trace", file.id)


async def test_files_uploaded_together_are_one_message_with_their_titles_and_alt_texts(slack: LocalSlack):
    client = client_of(slack)
    root = await client.chat_postMessage(channel="C0ORDERS", text="root")
    uploads = [
        {"filename": f"{name}.png", "content": b"\x89PNG", "title": name, "alt_txt": f"a {name}"}
        for name in ("metric", "trace")
    ]

    await client.files_upload_v2(channel="C0ORDERS", thread_ts=root["ts"], file_uploads=uploads)

    (reply,) = slack.thread("orders", root["ts"])[1:]
    shown = [(file["title"], file["alt_txt"]) for file in reply.body["files"]]
    assert shown == [("metric", "a metric"), ("trace", "a trace")]
    assert [file.name for file in slack.files] == ["metric.png", "trace.png"]


async def test_files_for_a_thread_that_is_not_there_are_shared_nowhere(slack: LocalSlack):
    sharing = client_of(slack).files_upload_v2(
        channel="C0ORDERS", thread_ts="1.000001", filename="trace.png", content=b"\x89PNG"
    )

    assert await refused(sharing) == "thread_not_found"
    assert [file.channels for file in slack.files] == [()]


async def test_image_of_an_unknown_file_is_refused(slack: LocalSlack):
    image = {"type": "image", "alt_text": "x", "slack_file": {"id": "F0NONE"}}

    assert (
        await refused(client_of(slack).chat_postMessage(channel="C0ORDERS", text="x", blocks=[image]))
        == "invalid_blocks"
    )


async def test_reaction_is_added_once(slack: LocalSlack):
    client = client_of(slack)
    message = await slack.say("U0MIA", "orders", "help")
    await client.reactions_add(channel="C0ORDERS", timestamp=message.ts, name="eyes")

    assert slack.reactions(message) == {"eyes"}
    assert (
        await refused(client.reactions_add(channel="C0ORDERS", timestamp=message.ts, name="eyes")) == "already_reacted"
    )


async def test_people_differ_in_team_and_kind(slack: LocalSlack):
    client = client_of(slack)
    people = {name: (await client.users_info(user=name))["user"] for name in ("U0MIA", "U0GUS", "U0SAM", "U0RCA")}

    assert {name: (p["team_id"], p["is_restricted"], p["is_bot"]) for name, p in people.items()} == {
        "U0MIA": ("T0ACME", False, False),
        "U0GUS": ("T0ACME", True, False),
        "U0SAM": ("T0OTHER", False, False),
        "U0RCA": ("T0ACME", False, True),
    }


async def test_stranger_in_a_shared_channel_is_marked(slack: LocalSlack):
    await slack.say("U0SAM", "partners", "hello")

    (delivery,) = slack.deliveries
    assert delivery.payload["is_ext_shared_channel"] is True
    assert delivery.payload["event"]["user_team"] == "T0OTHER"


async def test_command_nobody_acks_fails_visibly():
    async with LocalSlack(timing=FAST) as slack:
        nobody = await slack.command("U0MIA", "orders", "/rca")
        async with socket_bot(slack, []):
            unknown = await slack.command("U0MIA", "orders", "/unknown")

    assert (nobody.acked, nobody.error) == (False, "no_connection")
    assert (unknown.acked, unknown.error) == (False, "timeout")
    assert [m.text for m in slack.ephemerals("U0MIA")] == [
        '/rca failed with the error "dispatch_failed"',
        '/unknown failed with the error "operation_timeout"',
    ]


async def test_late_ack_is_measured_and_does_not_count():
    async with LocalSlack(timing=FAST) as slack:
        app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

        async def slow(ack: Any) -> None:
            await asyncio.sleep(0.3)
            await ack()

        app.command("/rca")(slow)
        handler = AsyncSocketModeHandler(app, slack.app_token)
        await handler.connect_async()
        delivery = await slack.command("U0MIA", "orders", "/rca")
        await slack.wait_for(lambda: delivery.ack_seconds)
        await handler.close_async()

    assert delivery.ack_seconds is not None
    assert delivery.ack_seconds > 0.3
    assert not delivery.acked


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_unacked_event_is_retried_under_one_event_id(mode: str):
    seen: list[tuple[str, str | None, str | None]] = []
    async with LocalSlack(timing=FAST) as slack:
        app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

        async def third_time_lucky(body: Any, request: Any, next: Any) -> None:
            header = {name: values[0] for name, values in request.headers.items()}
            seen.append((body["event_id"], header.get("x-slack-retry-num"), header.get("x-slack-retry-reason")))
            if len(seen) < 3:
                await asyncio.sleep(0.3)
            await next()

        async def heard() -> None:
            pass

        app.use(third_time_lucky)
        app.event("message")(heard)
        handler = AsyncSocketModeHandler(app, slack.app_token)
        if mode == "socket":
            await handler.connect_async()
            await slack.say("U0MIA", "orders", "hi")
            await slack.settle()
        else:
            async with http_bot(slack, app):
                await slack.say("U0MIA", "orders", "hi")
                await slack.settle()
        await handler.close_async()

    (delivery,) = slack.deliveries
    reason = "timeout" if mode == "socket" else "http_timeout"
    assert [(num, why or None) for _, num, why in seen] == [(seen[0][1], None), ("1", reason), ("2", reason)]
    assert {event_id for event_id, _, _ in seen} == {delivery.event_id}
    assert delivery.acked


async def test_event_given_up_after_three_retries():
    async with LocalSlack(timing=FAST) as slack:
        await slack.say("U0MIA", "orders", "anyone?")
        await slack.settle()

    (delivery,) = slack.deliveries
    assert [attempt.number for attempt in delivery.attempts] == [0, 1, 2, 3]
    assert delivery.error == "no_connection"


async def test_no_retry_header_ends_the_retries():
    async def stubborn(_: web.Request) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    server = web.Application()
    server.router.add_post("/", stubborn)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with LocalSlack(timing=FAST, request_url=f"http://127.0.0.1:{runner.addresses[0][1]}/") as slack:
        await slack.say("U0MIA", "orders", "hi")
        await slack.settle()
    await runner.cleanup()

    assert [attempt.error for attempt in slack.deliveries[0].attempts] == ["http_error"]


async def test_wrong_signing_secret_is_refused_by_the_app(slack: LocalSlack):
    app = AsyncApp(client=client_of(slack), signing_secret="another")
    async with http_bot(slack, app):
        delivery = await slack.command("U0MIA", "orders", "/rca")

    assert delivery.attempts[0].status == 401


def test_signature_is_that_of_slacks_own_example():
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
        b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
        b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
        b"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )

    assert signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body) == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )


async def test_app_comes_back_after_a_disconnect_and_hears_again(slack: LocalSlack):
    heard: list[Any] = []
    async with socket_bot(slack, heard):
        first = await slack.wait_for(lambda: list(slack.sockets.connections))
        await slack.disconnect()
        await slack.wait_for(lambda: slack.sockets.connections and slack.sockets.connections != first)
        delivery = await slack.command("U0MIA", "orders", "/rca", "x")

    assert delivery.acked


async def test_socket_answers_pings_and_its_url_works_once(slack: LocalSlack):
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(url, autoping=False)
        await socket.receive_json()
        await socket.ping(b"sdk-ping-pong:1.0")
        pong = await socket.receive()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
        await socket.close()

    assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1.0")


async def test_eleventh_connection_is_one_too_many(slack: LocalSlack):
    async with aiohttp.ClientSession() as session:
        sockets = []
        for _ in range(11):
            url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
            sockets.append(await session.ws_connect(url))
        greetings = [await socket.receive_json() for socket in sockets]
        for socket in sockets:
            await socket.close()

    assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[10]["reason"] == "too_many_websockets"


async def test_repeated_delivery_is_a_first_attempt_again(slack: LocalSlack):
    heard: list[Any] = []
    async with socket_bot(slack, heard):
        await slack.say("U0MIA", "orders", "once")
        await slack.settle()
        await slack.repeat(slack.deliveries[0])

    assert [attempt.number for attempt in slack.deliveries[0].attempts] == [0, 0]
    assert len(heard) == 2


async def test_wait_for_says_what_the_app_did_instead(slack: LocalSlack):
    await refused(client_of(slack).chat_postMessage(channel="C0GENERAL", text="x"))

    with pytest.raises(TimeoutError, match=r"chat\.postMessage=not_in_channel"):
        await slack.wait_for(lambda: slack.messages("general"), timeout=0.1)


async def test_two_hundred_commands_at_once_are_all_acked(slack: LocalSlack):
    async with socket_bot(slack, []):
        deliveries = await asyncio.gather(*(slack.command("U0MIA", "orders", "/rca", str(n)) for n in range(200)))
        await slack.wait_for(lambda: len(slack.messages("orders")) == 200)

    assert all(delivery.acked for delivery in deliveries)
    assert {message.text for message in slack.messages("orders")} == {str(n) for n in range(200)}
