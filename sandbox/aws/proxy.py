"""The HTTP server that clients talk to: names, records and delays each call, answers it or passes it to moto."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import aiohttp
import yarl
from aiohttp import web

from sandbox.aws import answers
from sandbox.aws.answers import Answer, ApiError
from sandbox.aws.calls import Call, identify
from sandbox.aws.faults import Ending, Faults, error_of
from sandbox.aws.fixtures import FIXTURES, HOLLOW
from sandbox.aws.fixtures.look import Look
from sandbox.aws.seeds import Seeds

SEEDING = "local-aws-seeding"
"""Marks our own clients' requests: they are neither recorded nor hit by faults."""

ASSUMED_ROLE = re.compile(rb"<Arn>arn:[a-z-]+:sts::(\d{12}):assumed-role/")
ACCESS_KEY = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")
NOT_OURS = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding", "date", "server"})
HANG_SECONDS = 3600.0
T = TypeVar("T")


class Proxy:
    """Serves on a free port of the loopback interface, in a thread with a loop of its own."""

    def __init__(self, account: str, client_at_moto: Callable[[str, str, str], Any]) -> None:
        self.seeds = Seeds()
        self.faults = Faults()
        self.calls: list[Call] = []
        self.port = 0
        self._account = account
        self._client_at_moto = client_at_moto
        self._accounts: dict[str, str] = {}
        self._target = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-aws", daemon=True)
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="local-aws-fixture")
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    def start(self, moto_port: int) -> None:
        """Serve in front of a moto server."""
        self._target = f"http://127.0.0.1:{moto_port}"
        self._thread.start()
        self._run(self._open())

    def stop(self) -> None:
        """End the server, its connections and its thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._pool.shutdown()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=64))
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._session:
            await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = identify(request.method, request.raw_path, request.headers, body, self._accounts, self._account)
        try:
            if SEEDING not in request.headers.get("User-Agent", ""):
                self.calls.append(call)
                await self._suffer(request, call)
            answer = await self._answer(request, call, body)
        except ApiError as problem:
            answer = answers.error(call, problem)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _suffer(self, request: web.Request, call: Call) -> None:
        """Do to the call what was injected; raises ApiError."""
        for fault in self.faults.take(call):
            await asyncio.sleep(HANG_SECONDS if fault.ending is Ending.HANG else fault.seconds)
            if fault.ending is Ending.DROP and request.transport is not None:
                request.transport.abort()
                raise ApiError("ConnectionDropped", "nobody is there to read this", 503)
            if fault.ending is Ending.ERROR:
                raise error_of(fault, call)

    async def _answer(self, request: web.Request, call: Call, body: bytes) -> Answer:
        seeds = self.seeds.of(call.account, call.region)
        if (canned := seeds.canned_for(call, merged=False)) is not None:
            return answers.success(call, canned)
        if why := HOLLOW.get((call.service, call.operation)):
            raise answers.not_implemented(call, why)
        if fixture := FIXTURES.get((call.service, call.operation)):
            look = Look(call, seeds, lambda service: self._client_at_moto(service, call.region, call.account))
            output = await self._loop.run_in_executor(self._pool, fixture, look)
            return answers.success(call, output)
        answer = await self._forward(request, call, body)
        more = seeds.canned_for(call, merged=True)
        return answer if more is None else _merged(call, answer, more)

    async def _forward(self, request: web.Request, call: Call, body: bytes) -> Answer:
        """Ask moto, as the account of the caller; raises ApiError where moto has only a web page to say."""
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"content-length", "transfer-encoding", "expect"}
        }
        if call.account != self._account and call.access_key not in self._accounts:
            headers["x-moto-account-id"] = call.account
        if self._session is None:
            raise RuntimeError("the proxy is closed")
        url = yarl.URL(self._target + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as reply:
            content = await reply.read()
            passed = {name: value for name, value in reply.headers.items() if name.lower() not in NOT_OURS}
        if reply.status >= 400 and content.lstrip()[:9].lower() in {b"<!doctype", b"<html>\n<h"}:
            raise answers.not_implemented(call, f"moto says {reply.status} {_text_of(content)}")
        if call.operation == "AssumeRole":
            self._remember(content)
        return Answer(reply.status, passed, content)

    def _remember(self, content: bytes) -> None:
        """Learn whose the credentials are that an AssumeRole answer hands out."""
        whose, key = ASSUMED_ROLE.search(content), ACCESS_KEY.search(content)
        if whose and key:
            self._accounts[key[1].decode()] = whose[1].decode()


def _text_of(page: bytes) -> str:
    words = re.sub(r"<[^>]+>", " ", page.decode(errors="replace")).split()
    return " ".join(words)[:160]


def _merged(call: Call, answer: Answer, more: Mapping[str, Any]) -> Answer:
    """Lay canned members over moto's JSON answer."""
    if answer.status >= 300 or call.model is None or call.model.output_shape is None:
        return answer
    body = json.loads(answer.body or b"{}")
    merged = _deep(body, answers.to_json(call.model.output_shape, more))
    return Answer(answer.status, answer.headers, json.dumps(merged).encode())


def _deep(base: Any, more: Any) -> Any:
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: _deep(base.get(key), value) for key, value in more.items()}}
    return more
