"""What a local model is asked and what it answers, in no provider's words."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sandbox.models.tokens import count

ANY_TOOL = "*"
PIECE_CHARACTERS = 24


class ToolSpec(NamedTuple):
    """A tool as the model is told of it; `schema` is the JSON schema of its input."""

    name: str
    description: str
    schema: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All of it, as it is counted."""
        return f"{self.name} {self.description} {compact(self.schema)}"


@dataclass(frozen=True)
class Asked:
    """One request to a model.

    `said` are the person's texts and `results` the tools' answers so far, oldest first. `forced` is the tool that must
    be called, `*` for any, empty when the model may choose. `at` is when it arrived, monotonic seconds; `body` is the
    request as the provider spells it.
    """

    model: str
    system: str
    said: tuple[str, ...]
    results: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    forced: str
    max_tokens: int | None
    input_tokens: int
    at: float
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """A block of words."""

    text: str


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool; a string is sent as the input's JSON as it is, whole or broken."""

    name: str
    input: Mapping[str, Any] | str

    @property
    def text(self) -> str:
        """The input's JSON."""
        return self.input if isinstance(self.input, str) else compact(self.input)


Block = Text | ToolUse


@dataclass(frozen=True)
class Refused:
    """The request is refused before anything is streamed."""

    status: int
    code: str
    message: str


@dataclass(frozen=True)
class Broken:
    """The stream is ended by an exception after so many events."""

    after: int
    code: str
    message: str


@dataclass(frozen=True)
class Stall:
    """Nothing comes for so many seconds after so many events; then the rest does."""

    after: int
    seconds: float


@dataclass(frozen=True)
class CutOff:
    """The connection is closed after so many events."""

    after: int


Fault = Refused | Broken | Stall | CutOff


@dataclass(frozen=True)
class Script:
    """What a model answers: its blocks, why it stops (by default as its blocks suggest), and what goes wrong."""

    blocks: tuple[Block, ...] = ()
    stop: str = ""
    fault: Fault | None = None

    @property
    def stop_reason(self) -> str:
        """Why it stops, in Bedrock's words."""
        return self.stop or ("tool_use" if any(isinstance(b, ToolUse) for b in self.blocks) else "end_turn")

    @property
    def output_tokens(self) -> int:
        """How many tokens it writes."""
        return sum(written(block) for block in self.blocks)

    def within(self, max_tokens: int | None) -> "Script":
        """Return what remains of it where the model may not write more: cut in the middle of a block."""
        if max_tokens is None or self.output_tokens <= max_tokens:
            return self
        kept: list[Block] = []
        left = max_tokens
        for block in self.blocks:
            if left <= 0:
                break
            kept.append(_cut(block, left / max(1, written(block))))
            left -= written(block)
        return replace(self, blocks=tuple(kept), stop="max_tokens")


def pieces(block: Block) -> Iterator[str]:
    """Yield a block's text in the pieces in which it is streamed."""
    for at in range(0, len(block.text), PIECE_CHARACTERS):
        yield block.text[at : at + PIECE_CHARACTERS]


def written(block: Block) -> int:
    """Return how many tokens a block is."""
    return count(block.text) + (count(block.name) if isinstance(block, ToolUse) else 0)


def _cut(block: Block, share: float) -> Block:
    if share >= 1:
        return block
    rest = block.text[: int(len(block.text) * share)]
    return Text(rest) if isinstance(block, Text) else ToolUse(block.name, rest)


Respond = Callable[[Asked], Script]
"""Decides what to answer; called in the request's own thread."""


def compact(value: Any) -> str:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), default=str)
