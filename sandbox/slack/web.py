"""The HTTP side of the local Slack: the Web API, uploads, response_urls and the door to Socket Mode."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.blocks.limits import Violation
from sandbox.slack.faults import Fault, Faults
from sandbox.slack.methods import METHODS
from sandbox.slack.methods.contract import ApiError, Args, Method
from sandbox.slack.methods.files import receive
from sandbox.slack.pace import Pace
from sandbox.slack.responses import respond, spend
from sandbox.slack.sockets import Sockets
from sandbox.slack.state import Json, World

LARGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One Web API call: when (epoch seconds), with which arguments, and what Slack answered.

    `answer` is what was decided even where a fault kept it from arriving; `status` is 0 for an answer never sent.
    """

    at: float
    method: str
    arguments: Mapping[str, Any]
    status: int
    answer: Json
    violations: tuple[Violation, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether Slack carried it out."""
        return bool(self.answer.get("ok"))


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way."""

    status: int
    body: Json
    retry_after: int | None = None
    found: tuple[Violation, ...] = ()


class WebApi:
    """Answers calls; one for each LocalSlack."""

    def __init__(self, world: World, sockets: Sockets, pace: Pace, scopes: frozenset[str]) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.pace = pace
        self.scopes = scopes
        self.closing = asyncio.Event()
        self._world = world
        self._sockets = sockets
        opening = Method(lambda world, _: {"url": sockets.open(world.base_url)}, None, 3, "app")
        self._methods = METHODS | {"apps.connections.open": opening}

    def routes(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/v1/{file}", self._upload)
        app.router.add_post("/actions/{team}/{secret}", self._response_url)
        app.router.add_get("/link/", self._sockets.handle)
        return app

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        values = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(values.pop("token", ""))
        fault = self.faults.take(name)
        if fault is not None and (early := await self._trouble(request, fault, name, values)):
            return early
        reply = self._answer(name, values, token)
        lost = fault is not None and fault.drop == "after_accept"
        self._note(name, values, reply, 0 if lost else reply.status)
        return _broken(request) if lost else self._response(reply, name)

    async def _trouble(self, request: web.Request, fault: Fault, name: str, values: Json) -> web.Response | None:
        """Do what the fault says before the call is looked at; return the answer if that ends it."""
        if fault.status is not None:
            self._note(name, values, Reply(fault.status, {}), fault.status)
            return web.Response(status=fault.status, text="Something went wrong on our side.", content_type="text/html")
        if fault.error is not None:
            limited = fault.error == "ratelimited"
            reply = _refusal(fault.error, fault.retry_after if limited else None)
            self._note(name, values, reply, reply.status)
            return self._response(reply, name)
        if fault.hang:
            self._note(name, values, Reply(0, {}), 0)
            await self.closing.wait()
            return web.Response(status=503)
        if fault.drop == "before_accept":
            self._note(name, values, Reply(0, {}), 0)
            return _broken(request)
        await asyncio.sleep(fault.delay)
        return None

    def _answer(self, name: str, values: Json, token: str) -> Reply:
        method = self._methods.get(name)
        if method is None:
            return _refusal("unknown_method")
        args = Args(values)
        try:
            self._check_token(method, token)
            self._check_scope(method, args)
            wait = self.pace.wait(name, method.tier, args.text("channel"))
            if wait is not None:
                return _refusal("ratelimited", wait)
            return Reply(200, {"ok": True, **method.run(self._world, args)})
        except ApiError as error:
            return Reply(200, {"ok": False, "error": error.code, **error.fields}, found=error.found)

    def _check_token(self, method: Method, token: str) -> None:
        app = self._world.workspace.app
        if method.token == "none":
            return
        if not token:
            raise ApiError("not_authed")
        if token not in {app.bot_token, app.app_token}:
            raise ApiError("invalid_auth")
        if token != (app.app_token if method.token == "app" else app.bot_token):
            raise ApiError("not_allowed_token_type")

    def _check_scope(self, method: Method, args: Args) -> None:
        needed = method.scope
        if isinstance(needed, Mapping):
            channel = self._world.workspace.find(args.text("channel"))
            needed = needed[channel.kind] if channel else None
        if needed and needed not in self.scopes:
            raise ApiError("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    def _note(self, name: str, values: Json, reply: Reply, status: int) -> None:
        self.calls.append(Call(self._world.clock(), name, values, status, reply.body, reply.found))
        self._world.touch()

    def _response(self, reply: Reply, name: str) -> web.Response:
        method = self._methods.get(name)
        headers = {"X-OAuth-Scopes": ",".join(sorted(self.scopes))}
        if method is not None and isinstance(method.scope, str):
            headers["X-Accepted-OAuth-Scopes"] = method.scope
        if reply.retry_after is not None:
            headers["Retry-After"] = str(reply.retry_after)
        return web.json_response(reply.body, status=reply.status, headers=headers)

    async def _upload(self, request: web.Request) -> web.Response:
        answer = receive(self._world, request.match_info["file"], await _uploaded(request))
        return web.Response(status=200 if answer else 400, text=answer or "wrong size or no such upload")

    async def _response_url(self, request: web.Request) -> web.Response:
        grant = spend(self._world, request.match_info["secret"])
        if isinstance(grant, str):
            return web.Response(status=404, text=grant)
        said = await _arguments(request)
        try:
            respond(self._world, grant, said)
        except ApiError as error:
            body: Json = {"ok": False, "error": error.code}
            self._note("response_url", said, Reply(400, body, found=error.found), 400)
            return web.Response(status=400, text=error.code)
        self._note("response_url", said, Reply(200, {"ok": True}), 200)
        return web.Response(text="ok")


async def _arguments(request: web.Request) -> Json:
    """Return the arguments of a call: the query, and the body as a form or as JSON."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        try:
            parsed = json.loads(text or "{}")
        except json.JSONDecodeError:
            parsed = {}
        return values | (parsed if isinstance(parsed, dict) else {})
    if request.can_read_body:
        values |= dict(await request.post())
    return values


async def _uploaded(request: web.Request) -> bytes:
    """Return the bytes of an upload, sent plain or as a multipart form."""
    if request.content_type.startswith("multipart/"):
        form = await request.post()
        parts = [part for part in form.values() if isinstance(part, web.FileField)]
        return parts[0].file.read() if parts else b""
    return await request.read()


def _refusal(code: str, retry_after: int | None = None) -> Reply:
    return Reply(200 if retry_after is None else 429, {"ok": False, "error": code}, retry_after)


def _broken(request: web.Request) -> web.Response:
    """Break the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
