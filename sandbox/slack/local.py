"""LocalSlack: a workspace on 127.0.0.1 that speaks Slack's protocols, and a window to look at it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.blocks.limits import Violation
from sandbox.slack.deliveries import Carrier, Deliveries, Delivery
from sandbox.slack.faults import Fault
from sandbox.slack.pace import Pace, Rates
from sandbox.slack.people import People
from sandbox.slack.signed import SignedRequests
from sandbox.slack.sockets import Sockets
from sandbox.slack.state import File, Message, Timing, View, World
from sandbox.slack.web import Call, WebApi
from sandbox.slack.workspace import EVENTS, SCOPES, Workspace, workspace

Seen = TypeVar("Seen")


class LocalSlack(People):
    """One workspace with our app installed.

    Payloads go over Socket Mode, or to `request_url` as signed requests when it is set (it may be set later). `rates`
    None switches the rate limits off. Use as an async context manager, or `await LocalSlack.start(…)` and `stop()`.
    """

    def __init__(
        self,
        home: Workspace | None = None,
        *,
        request_url: str | None = None,
        scopes: frozenset[str] = SCOPES,
        events: frozenset[str] = EVENTS,
        rates: Rates | None = Rates(),  # noqa: B008 - frozen
        timing: Timing = Timing(),  # noqa: B008 - frozen
        port: int = 0,
    ) -> None:
        world = World(home or workspace(), timing)
        app = world.workspace.app
        self.sockets = Sockets(app.id)
        self._requests = SignedRequests(app.signing_secret, request_url or "")
        super().__init__(world, Deliveries(world, self._carrier), events)
        self._api = WebApi(world, self.sockets, Pace(rates, world.clock), scopes)
        self._port = port
        self._runner: web.AppRunner | None = None

    @classmethod
    async def start(cls, home: Workspace | None = None, **options: Any) -> Self:
        """Return a running one; the options are those of the constructor."""
        return await cls(home, **options).__aenter__()

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._api.routes(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.world.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop serving; what is still on its way is given up."""
        self._api.closing.set()
        await self._deliveries.stop()
        await self.sockets.close()
        await self._requests.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The value of SLACK_API_URL."""
        return f"{self.world.base_url}/api/"

    @property
    def bot_token(self) -> str:
        """The value of SLACK_BOT_TOKEN."""
        return self.world.workspace.app.bot_token

    @property
    def app_token(self) -> str:
        """The value of SLACK_APP_TOKEN."""
        return self.world.workspace.app.app_token

    @property
    def signing_secret(self) -> str:
        """The value of SLACK_SIGNING_SECRET."""
        return self.world.workspace.app.signing_secret

    @property
    def request_url(self) -> str:
        """Where payloads go in HTTP mode; empty means Socket Mode."""
        return self._requests.url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self._requests.url = url

    @property
    def calls(self) -> list[Call]:
        """Every Web API call and response_url answer of the app, in order."""
        return self._api.calls

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything sent to the app, in order."""
        return self._deliveries.sent

    @property
    def violations(self) -> list[Violation]:
        """Everything of the app's that Slack refused for its shape or size; empty is the only good answer."""
        return [*(violation for call in self.calls for violation in call.violations), *self.refused_acks]

    def called(self, method: str) -> list[Call]:
        """Return the calls of one method."""
        return [call for call in self.calls if call.method == method]

    def messages(self, channel: str) -> list[Message]:
        """Return the messages of a channel that are not replies, in order."""
        return [m for m in self.world.messages[self._room(channel).id].values() if m.thread_ts in {None, m.ts}]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a thread: its root and replies in order."""
        return self.world.thread(self._room(channel).id, ts)

    def ephemerals(self, user: str) -> list[Message]:
        """Return the messages only that user sees, in order."""
        return [message for message in self.world.ephemerals if message.only_for == user]

    def views(self, user: str) -> list[View]:
        """Return the user's open modals, the topmost last."""
        return list(self.world.stacks[user])

    def home(self, user: str) -> View | None:
        """Return the user's App Home as last published."""
        return self.world.homes.get(user)

    @property
    def files(self) -> list[File]:
        """The files that were uploaded in full, in order."""
        return [file for file in self.world.files.values() if file.data is not None]

    def reactions(self, message: Message) -> set[str]:
        """Return our bot's reactions to a message."""
        return self.world.reactions[message.channel, message.ts]

    async def wait_for(self, look: Callable[[], Seen], timeout: float = 5.0) -> Seen:  # noqa: ASYNC109 - read as said
        """Return what the look returns once it is true; it is taken again at every change and every 50 ms.

        Raises TimeoutError with the last calls of the app.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        while not (seen := look()):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                last = ", ".join(f"{c.method}={c.answer.get('error', 'ok')}" for c in self.calls[-8:]) or "none"
                raise TimeoutError(f"not seen within {timeout} s; the last calls of the app: {last}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.world.changed.wait(), min(left, 0.05))
        return seen

    async def settle(self) -> None:
        """Wait until every event was acked or given up."""
        await self._deliveries.settle()

    async def repeat(self, delivery: Delivery) -> None:
        """Deliver a payload once more, as a first attempt: Slack does that too."""
        await self._deliveries.repeat(delivery)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` to every Socket Mode connection."""
        await self.sockets.disconnect(reason)

    def fail(self, method: str, **fault: Any) -> Fault:
        """Let the next calls of a method ("*" for any) go wrong; the keywords are the fields of Fault."""
        trouble = Fault(**fault)
        self._api.faults.add(method, trouble)
        return trouble

    def heal(self) -> None:
        """Take all faults away."""
        self._api.faults.clear()

    def _carrier(self) -> Carrier:
        return self._requests if self._requests.url else self.sockets
