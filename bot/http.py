"""HTTP mode: Slack's requests at /slack/events, and GET /healthz in both modes.

Request URL: https://docs.slack.dev/apis/events-api/using-http-request-urls
"""

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.gate import MOST_BYTES, gate

PATH = "/slack/events"
HEALTH = "/healthz"

Health = Callable[[], dict[str, Any]]


def http_app(health: Health) -> web.Application:
    """Return the server's routes without Slack's: what a load balancer asks."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(health())

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_get(HEALTH, healthz)
    return app


def take_requests(app: web.Application, bolt: AsyncApp, secret: str, now: Callable[[], float] = time.time) -> None:
    """Let the server take Slack's requests: nothing reaches Bolt that Slack cannot have sent."""

    async def events(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    app.middlewares.append(gate(secret, PATH, now))
    app.router.add_post(PATH, events)


class HttpServer:
    """A running server; `port` is the one it got when 0 was asked for."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
        self._host = host
        self.port = port

    async def start(self) -> None:
        """Listen; raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Answer what is under way and stop listening."""
        await self._runner.cleanup()
