"""What one question's calls look like on their way to a model: the answer's shape small, and asked for at once.

Strands sends the shape as a tool with a long description and leaves the model free to answer in prose first, which
costs a second call. Here the tool is forced on the last call that is allowed, the first one where there is nothing to
look at. Models that think refuse to be forced; that is learnt once and remembered for the process.
"""

import re
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, cast

from pydantic import BaseModel
from strands.middleware import InvokeModelContext, TypedEvent
from strands.models import Model
from strands.types.streaming import StreamEvent
from strands.types.tools import ToolChoice, ToolSpec

from reasoning.inputs import Inputs
from reasoning.models import Spec

Next = Callable[[InvokeModelContext], AsyncGenerator[TypedEvent, None]]

_REFUSES_FORCING = re.compile(r"tool[_ ]?choice", re.IGNORECASE)


class Door:
    """The middleware of one question to one model. `calls` counts the requests; `end` stops what still reads."""

    def __init__(self, spec: Spec, answer: type[BaseModel], turns: int, *, looks: bool, refusing: set[Spec]) -> None:
        self.calls = 0
        self.end = threading.Event()
        self._spec = spec
        self._answer = answer
        self._force = cast("ToolChoice", {"tool": {"name": answer.__name__}})
        self._turns = turns
        self._looks = looks
        self._refusing = refusing

    async def __call__(self, context: InvokeModelContext, next_fn: Next) -> AsyncGenerator[TypedEvent, None]:
        """Pass one call on to the model."""
        last = not self._looks or self.calls + 1 >= self._turns
        specs = [slim(spec, self._answer) for spec in context.tool_specs]
        context = context.replace(
            model=cast("Model", Interruptible(context.model, self.end)),
            tool_specs=[spec for spec in specs if not last or spec["name"] == self._answer.__name__],
        )
        if last and context.tool_choice is None and self._spec not in self._refusing:
            context = context.replace(tool_choice=self._force)
        self.calls += 1
        try:
            async for event in next_fn(context):
                yield event
        except ProviderFailed as error:
            if context.tool_choice is None or not _REFUSES_FORCING.search(str(error.original)):
                raise
            self._refusing.add(self._spec)
            self.calls += 1
            async for event in next_fn(context.replace(tool_choice=None)):
                yield event


class ProviderFailed(Exception):
    """What a provider or its library raised. Its own words stay out of spans: they may quote what was asked."""

    def __init__(self, original: Exception) -> None:
        super().__init__(type(original).__name__)
        self.original = original


class Interruptible:
    """A model whose stream ends when `end` is set. Strands forgets its own signal when an agent is left.

    A thread that reads for an agent nobody waits for would otherwise read on to the end of the answer.
    """

    def __init__(self, model: Model, end: threading.Event) -> None:
        self._model = model
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def stream(self, *values: Any, **named: Any) -> AsyncGenerator[StreamEvent, None]:
        """Stream as the model does; raises ProviderFailed."""
        chunks = self._model.stream(*values, **{**named, "cancel_signal": self._end})
        inputs = Inputs()
        try:
            async with aclosing(cast("AsyncGenerator[StreamEvent, None]", chunks)) as events:
                async for event in events:
                    inputs.hear(event)
                    yield event
        except Exception as error:  # noqa: BLE001 - the door to models: a provider may raise anything
            raise ProviderFailed(error) from None


def slim(spec: ToolSpec, answer: type[BaseModel]) -> ToolSpec:
    """Return the tool that takes the answer with only what tells a model something; other tools as they are."""
    if spec["name"] != answer.__name__:
        return spec
    schema = _shape(answer)
    doc = schema.pop("description", "The answer.")
    return {**spec, "description": " ".join(doc.split()), "inputSchema": {"json": schema}}


def _shape(answer: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of an answer in one piece, without the titles and defaults that pydantic adds."""
    schema = answer.model_json_schema()
    shape: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    return shape


def _inlined(part: Any, defs: dict[str, Any], *, fields: bool = False) -> Any:
    """Put definitions where they are referred to; `fields` tells that the keys of this part are names of fields."""
    if isinstance(part, list):
        return [_inlined(item, defs) for item in part]
    if not isinstance(part, dict):
        return part
    if not fields and "$ref" in part:
        part = {**defs[part["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in part.items() if k != "$ref"}}
    return {
        key: _inlined(value, defs, fields=key == "properties" and not fields)
        for key, value in part.items()
        if fields or key not in {"title", "default"}
    }
