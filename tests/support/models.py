"""A model that says what a test has written down for it, through Strands' own interface."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple

from strands.models import Model

Chunks = list[dict[str, Any]]
Move = Callable[[], Chunks] | Chunks | Exception


class Asked(NamedTuple):
    """One request, as the model got it."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    system: str
    choice: dict[str, Any] | None

    @property
    def text(self) -> str:
        """The user's messages, their tool results included."""
        return json.dumps([m for m in self.messages if m["role"] == "user"], ensure_ascii=False)


class ScriptedModel(Model):
    """Answers each request with the next move, the last one for ever. `seconds` pass before each answer.

    A move is the chunks to stream, or an error to raise. With `refuses_forcing` it answers as models that think do.
    """

    def __init__(self, *moves: Move, seconds: float = 0.0, refuses_forcing: str = "") -> None:
        self.config: dict[str, Any] = {"model_id": "scripted"}
        self.asked: list[Asked] = []
        self.began = asyncio.Event()
        self.running = 0
        self.most_at_once = 0
        self.cancelled = 0
        self._moves: Sequence[Move] = moves
        self._seconds = seconds
        self._refuses = refuses_forcing

    def update_config(self, **config: Any) -> None:
        self.config |= config

    def get_config(self) -> dict[str, Any]:
        return self.config

    def structured_output(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def stream(
        self,
        messages: Any,
        tool_specs: Any = None,
        system_prompt: str | None = None,
        *,
        tool_choice: Any = None,
        **_: Any,
    ) -> AsyncGenerator[Any, None]:
        self.asked.append(Asked(messages, tool_specs or [], system_prompt or "", tool_choice))
        move = self._moves[min(len(self.asked), len(self._moves)) - 1]
        self.began.set()
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            await asyncio.sleep(self._seconds)
            if tool_choice and self._refuses:
                raise ValueError(self._refuses)
            if isinstance(move, Exception):
                raise move
            for chunk in move() if callable(move) else move:
                yield chunk
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


def prose(text: str = "I think it is the table.", stop: str = "end_turn", used: tuple[int, int] = (300, 20)) -> Chunks:
    """Words instead of an answer."""
    return [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"start": {}}},
        {"contentBlockDelta": {"delta": {"text": text}}},
        {"contentBlockStop": {}},
        *_end(stop, used),
    ]


def calls(tool: str, stop: str = "tool_use", used: tuple[int, int] = (300, 20), **values: Any) -> Chunks:
    """A call of a tool: the answer's own tool is named as its type is."""
    return [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockStart": {"start": {"toolUse": {"name": tool, "toolUseId": f"use-{tool}"}}}},
        {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(values)}}}},
        {"contentBlockStop": {}},
        *_end(stop, used),
    ]


def _end(stop: str, used: tuple[int, int]) -> Chunks:
    usage = {"inputTokens": used[0], "outputTokens": used[1], "totalTokens": sum(used)}
    return [{"messageStop": {"stopReason": stop}}, {"metadata": {"usage": usage, "metrics": {"latencyMs": 1}}}]
