"""Socket Mode: the app's connections, an envelope to one of them at random, and the acks.

Source: docs.slack.dev/apis/events-api/using-socket-mode; at most ten connections an app (node-slack-sdk issue 1654).
"""

import asyncio
import json
import random
import secrets
import time
import uuid
from typing import NamedTuple

from aiohttp import WSMsgType, web

from sandbox.slack.deliveries import Attempt, Delivery
from sandbox.slack.state import Json

MOST_CONNECTIONS = 10


class _Pending(NamedTuple):
    attempt: Attempt
    started: float
    acked: asyncio.Future[None]


class Sockets:
    """The Socket Mode side of one app."""

    def __init__(self, app_id: str) -> None:
        self.connections: list[web.WebSocketResponse] = []
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._pending: dict[str, _Pending] = {}

    def open(self, base_url: str) -> str:
        """Return a WebSocket URL that is good for one connection."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return f"{base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app_id}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        self.connections.append(socket)
        try:
            await socket.send_json(self._hello())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._on_ack(json.loads(message.data))
        finally:
            self._forget(socket)
        return socket

    async def carry(self, delivery: Delivery, attempt: Attempt, limit: float) -> None:
        """Send an envelope to a random connection and wait for its ack."""
        socket = random.choice(self.connections) if self.connections else None
        if socket is None:
            attempt.error = "no_connection"
            return
        envelope = uuid.uuid4().hex
        pending = _Pending(attempt, time.perf_counter(), asyncio.get_running_loop().create_future())
        self._pending[envelope] = pending
        try:
            await socket.send_str(json.dumps(_envelope(envelope, delivery, attempt)))
            await asyncio.wait_for(pending.acked, limit)
        except TimeoutError:
            attempt.error = "timeout"
        except ConnectionError:
            attempt.error = "connection_failed"

    async def disconnect(self, reason: str) -> None:
        """Ask every connection to go; the app is expected to close it and to come back."""
        for socket in tuple(self.connections):
            await socket.send_json(_disconnect(reason))

    async def close(self) -> None:
        """Close every connection."""
        for socket in tuple(self.connections):
            await socket.close()

    def _on_ack(self, ack: Json) -> None:
        pending = self._pending.pop(ack.get("envelope_id", ""), None)
        if pending is None:
            return
        pending.attempt.ack_seconds = time.perf_counter() - pending.started
        pending.attempt.body = ack.get("payload") or None
        if not pending.acked.done():
            pending.acked.set_result(None)

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self.connections:
            self.connections.remove(socket)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-local", "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}


def _envelope(envelope: str, delivery: Delivery, attempt: Attempt) -> Json:
    body: Json = {
        "envelope_id": envelope,
        "type": delivery.kind,
        "accepts_response_payload": delivery.answers,
        "payload": delivery.payload,
    }
    if delivery.kind == "events_api":
        body |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return body
