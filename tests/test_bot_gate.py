"""HTTP mode at its door: what Slack cannot have sent is refused with 400, 401 or 413, and never breaks anything."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.gate import NotFromSlack, check
from sandbox.slack import LocalSlack
from tests.support.bot import TRACE, Running, running_bot

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
EVENT = {
    "type": "event_callback",
    "team_id": "T0ACME",
    "event_id": "Ev1",
    "event": {"type": "app_mention", "text": "x", "channel": "C0ALERTS", "user": "U0MIA", "ts": "1.1"},
}
COMMAND = {
    "command": "/rca",
    "text": "help",
    "team_id": "T0ACME",
    "user_id": "U0MIA",
    "channel_id": "C0ALERTS",
    "trigger_id": "1.2.3",
}


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Running]:
    async with LocalSlack(rates=None) as slack, running_bot(slack, tmp_path, http=True) as running:
        yield running


def signed(bot: Running, raw: bytes, *, at: float | None = None, kind: str = JSON) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(bot.slack.signing_secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest.hexdigest()}", "Content-Type": kind}


async def sent(bot: Running, raw: bytes, headers: dict[str, str], method: str = "POST") -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{bot.url}/slack/events", data=raw, headers=headers) as answer,
    ):
        return answer.status


async def test_a_signed_command_is_answered(bot: Running) -> None:
    raw = urlencode(COMMAND).encode()

    assert await sent(bot, raw, signed(bot, raw, kind=FORM)) == 200


async def test_slacks_challenge_is_answered(bot: Running) -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{bot.url}/slack/events", data=raw, headers=signed(bot, raw)) as answer,
    ):
        body = await answer.json()

    assert body == {"challenge": "abc"}


async def test_health_tells_version_and_mode(bot: Running) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{bot.url}/healthz") as answer:
        health = await answer.json()

    assert answer.status == 200
    assert health.items() >= {"version": "0.1.0", "mode": "http", "connected": True, "running": 0, "waiting": 0}.items()


STAMPS = ("abc", "1.5", "9" * 5000, "", "-1", "٣", "1e9", " 1700000000")
SIGNATURES = (
    "",
    "v0=",
    "v0=" + "é" * 64,
    "v0=" + "A" * 64,
    "v1=" + "a" * 64,
    "v0=" + "a" * 63,
    "a" * 5000,
    "v0=" + "a" * 64,
)


@pytest.mark.parametrize("stamp", STAMPS, ids=range(len(STAMPS)))
async def test_a_timestamp_that_is_none_is_refused(bot: Running, stamp: str) -> None:
    raw = json.dumps(EVENT).encode()
    headers = signed(bot, raw) | {"X-Slack-Request-Timestamp": stamp}

    assert await sent(bot, raw, headers) in {400, 401}


@pytest.mark.parametrize("signature", SIGNATURES, ids=range(len(SIGNATURES)))
async def test_a_signature_that_is_none_is_refused(bot: Running, signature: str) -> None:
    raw = json.dumps(EVENT).encode()
    headers = signed(bot, raw) | {"X-Slack-Signature": signature}

    assert await sent(bot, raw, headers) in {400, 401}


@pytest.mark.parametrize("age", [301, 86400, -301, -86400])
async def test_a_request_of_another_time_is_refused(bot: Running, age: float) -> None:
    raw = urlencode({**COMMAND, "text": TRACE}).encode()

    status = await sent(bot, raw, signed(bot, raw, at=time.time() - age, kind=FORM))

    assert status == 401
    assert bot.investigator.asked == []


@pytest.mark.parametrize(("age", "tail"), [(301, b""), (-301, b""), (0, b"x")])
def test_the_gate_itself_refuses_what_is_old_or_changed(age: float, tail: bytes) -> None:
    raw, secret, now = urlencode(COMMAND).encode(), "secret", 1_800_000_000.0
    stamp = str(int(now - age))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}", "Content-Type": FORM}

    with pytest.raises(NotFromSlack) as refused:
        check(headers, raw + tail, secret, now)

    assert refused.value.status == 401


async def test_a_changed_body_is_refused(bot: Running) -> None:
    raw = urlencode({**COMMAND, "text": TRACE}).encode()

    assert await sent(bot, raw + b"x", signed(bot, raw, kind=FORM)) == 401


@pytest.mark.parametrize("signing", [True, False])
async def test_a_body_that_is_too_large_is_refused(bot: Running, signing: bool) -> None:
    raw = b"x" * (256 * 1024 + 1)

    assert await sent(bot, raw, signed(bot, raw) if signing else {}) == 413


async def test_a_body_of_unknown_length_is_refused_when_it_grows_too_large(bot: Running) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 8192

    async with aiohttp.ClientSession() as session, session.post(f"{bot.url}/slack/events", data=chunks()) as answer:
        assert answer.status == 413


MALFORMED = (
    (JSON, b"{"),
    (JSON, b"[]"),
    (JSON, b"null"),
    (JSON, b"1"),
    (JSON, b'"x"'),
    (JSON, b"[" * 100_000),
    (JSON, b'{"a":' * 30_000 + b"1" + b"}" * 30_000),
    (JSON, b"\xff\xfe"),
    (JSON, json.dumps(EVENT | {"event": None}).encode()),
    (JSON, json.dumps(EVENT | {"event": "x"}).encode()),
    (JSON, json.dumps(EVENT | {"authorizations": ["x"]}).encode()),
    (JSON, json.dumps(EVENT | {"authorizations": "x"}).encode()),
    (JSON, json.dumps(EVENT | {"team": 5}).encode()),
    (FORM, b"payload=garbage"),
    (FORM, b"payload=[]"),
    (FORM, b"payload=%ff"),
    (FORM, b"payload=" + b"%5B" * 50_000),
    (FORM, b"&".join(b"a%d=1" % n for n in range(5000))),
    (FORM, urlencode({"payload": json.dumps({"type": "block_actions", "user": 5})}).encode()),
    (FORM, urlencode({"payload": json.dumps({"type": "block_actions", "actions": [5]})}).encode()),
)


@pytest.mark.parametrize(("kind", "raw"), MALFORMED, ids=range(len(MALFORMED)))
async def test_a_signed_payload_that_is_malformed_is_refused(bot: Running, kind: str, raw: bytes) -> None:
    assert await sent(bot, raw, signed(bot, raw, kind=kind)) == 400


@pytest.mark.parametrize(("kind", "raw"), [*MALFORMED, (FORM, b""), (JSON, b"{}")], ids=range(len(MALFORMED) + 2))
async def test_nothing_unsigned_gets_in(bot: Running, kind: str, raw: bytes) -> None:
    assert await sent(bot, raw, {"Content-Type": kind}) == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(bot: Running, method: str) -> None:
    assert await sent(bot, b"", {}, method) == 405


def _mangled(value: object, chance: random.Random) -> object:
    """Return a payload with some of its parts exchanged for something of another kind."""
    if chance.random() < 0.08:
        return chance.choice([None, 5, "x", [], {}, [[]], [None], {"id": None}, {"id": 5}, True, "T0ACME", -1.5])
    if isinstance(value, dict):
        return {k: _mangled(v, chance) for k, v in value.items() if chance.random() > 0.05}
    if isinstance(value, list):
        return [_mangled(v, chance) for v in value]
    return value


SHAPES = (
    EVENT,
    EVENT | {"authorizations": [{"team_id": "T0ACME", "user_id": "U0RCA"}], "is_ext_shared_channel": True},
    {"type": "event_callback", "event_id": "E", "event": {"type": "message", "subtype": "message_changed", "message": {"user": "U"}, "channel": "C"}},
    {"type": "event_callback", "event_id": "E", "event": {"type": "app_home_opened", "user": "U0MIA", "tab": "home"}},
    {"type": "block_actions", "user": {"id": "U0MIA", "team_id": "T"}, "team": {"id": "T"}, "channel": {"id": "C0ALERTS"}, "container": {"type": "message", "message_ts": "1.1"}, "message": {"ts": "1.1", "thread_ts": "1.0"}, "actions": [{"type": "button", "action_id": "rca_evidence", "block_id": "b", "value": "INV-1", "action_ts": "1.2"}], "trigger_id": "1.2"},
    {"type": "message_action", "callback_id": "investigate_message", "user": {"id": "U0MIA"}, "team": {"id": "T"}, "channel": {"id": "C0ALERTS"}, "message": {"ts": "1.1", "text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "y"}}]}, "trigger_id": "1.2", "action_ts": "1.3", "message_ts": "1.1"},
    {"type": "view_submission", "user": {"id": "U0MIA"}, "team": {"id": "T"}, "view": {"id": "V1", "type": "modal", "callback_id": "x", "state": {"values": {}}, "private_metadata": ""}, "trigger_id": "1.2"},
    {"type": "view_closed", "user": {"id": "U0MIA"}, "team": {"id": "T"}, "view": {"id": "V1", "type": "modal", "callback_id": "x"}},
    COMMAND,
)  # fmt: skip


async def test_no_mangled_payload_of_slack_breaks_anything(bot: Running) -> None:
    chance = random.Random(7)
    bot.slack.fail("*", error="channel_not_found", times=1e9)
    payloads = [_mangled(chance.choice(SHAPES), chance) for _ in range(1500)]
    statuses: dict[int, list[object]] = {}
    async with aiohttp.ClientSession() as session:
        for payload in payloads:
            interactive = isinstance(payload, dict) and payload.get("type") not in ("event_callback", None)
            raw = urlencode({"payload": json.dumps(payload)}).encode() if interactive else json.dumps(payload).encode()
            kind = FORM if interactive else JSON
            async with session.post(f"{bot.url}/slack/events", data=raw, headers=signed(bot, raw, kind=kind)) as answer:
                statuses.setdefault(answer.status, []).append(payload)
    await asyncio.sleep(0)

    assert {status: sample[:3] for status, sample in statuses.items() if status >= 500} == {}
    assert statuses[200]
    assert statuses[400]
