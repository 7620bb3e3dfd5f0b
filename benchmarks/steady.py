"""AWS that always takes as long: what the local AWS once answered is answered again from memory, after a delay.

The local AWS works on one core, and thirty calls at once wait for each other there. AWS does not; what is measured is
the bot, so that the answers must cost nothing but time.
"""

import asyncio
import re
from typing import NamedTuple, Self

import aiohttp
from aiohttp import web

SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+/[^/]+)/")
KEPT = frozenset({"content-type", "x-amzn-errortype", "x-amzn-requestid", "x-amzn-query-error", "location"})


class _Asked(NamedTuple):
    """What makes two calls the same: signatures and times of signing differ."""

    scope: str  # Region and service
    operation: str
    method: str
    path: str
    body: bytes


class _Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class SteadyAws:
    """Serves on a free port of the loopback interface, in the running loop; `calls` counts what was asked."""

    def __init__(self, behind: str, seconds: float) -> None:
        self.calls = 0
        self.port = 0
        self._behind = behind
        self._seconds = seconds
        self._known: dict[_Asked, _Answered] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()
        await self._session.close()

    def environment(self, of: dict[str, str]) -> dict[str, str]:
        """Return an environment for boto3 with this AWS as the endpoint."""
        return {**of, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    async def _answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        body = await request.read()
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        target = request.headers.get("X-Amz-Target", "")
        asked = _Asked(scope[1] if scope else "", target, request.method, request.raw_path, body)
        waiting = asyncio.sleep(self._seconds)
        if asked not in self._known:
            self._known[asked] = await self._asked_behind(request, body)
        await waiting
        answer = self._known[asked]
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _asked_behind(self, request: web.Request, body: bytes) -> _Answered:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in {"content-length", "expect"}}
        url = self._behind + request.raw_path
        async with self._session.request(request.method, url, headers=headers, data=body) as reply:
            passed = {k: v for k, v in reply.headers.items() if k.lower() in KEPT}
            return _Answered(reply.status, passed, await reply.read())
