"""What listeners work with, and how they run: on their own, so that nothing they raise can undo an ack.

Bolt forgets an ack when its listener raises before Bolt has looked at it (it looks every 10 ms, see
slack_bolt.listener.asyncio_runner); a listener that runs as a task of ours never raises into Bolt.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
from typing import Any

from bot.answers import Answers, Asker, asker_of
from bot.background import Background
from bot.blocks.usage import refused
from bot.calls import NotDelivered
from bot.desk import Desk
from bot.outbox import Outbox
from bot.questions import Questions
from bot.watch.watch import Watch
from domain.values import JsonObject
from orchestrator.store import Store

Listener = Callable[..., Coroutine[Any, Any, None]]

APOLOGIES: dict[str, str] = {
    "expired_trigger_id": "That took Slack longer than it allows. Press it again.",
    "exchanged_trigger_id": "That took Slack longer than it allows. Press it again.",
    "unreachable": "Slack did not answer me in time. Try it again in a moment.",
}
BROKEN = "Something broke on my side while I was doing that. Try it again; if it breaks again, tell whoever runs me."


@dataclass(frozen=True)
class Bot:
    """What listeners need; `now` returns UTC."""

    store: Store
    desk: Desk
    outbox: Outbox
    answers: Answers
    background: Background
    questions: Questions
    watch: Watch
    now: Callable[[], datetime]

    def guarded(self, listener: Listener) -> Listener:
        """Return the listener as Bolt shall call it: it runs by itself, and what it raises is told to the person."""

        @wraps(listener)
        async def start(**given: Any) -> None:
            self.background.spawn(listener(**given), failed=partial(self._apologise, given["body"]))

        return start

    async def _apologise(self, body: JsonObject, error: BaseException) -> None:
        await self.apologise(asker_of(body), error)

    async def apologise(self, asker: Asker, error: BaseException) -> None:
        """Tell the person in one sentence that what they did did not work."""
        sentence = APOLOGIES.get(error.code, BROKEN) if isinstance(error, NotDelivered) else BROKEN
        await self.answers.say(asker, refused(sentence))
