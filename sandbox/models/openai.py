"""OpenAI's chat completions as a stream of server-sent events, as far as an agent with tools uses them."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.models.answering import answering
from sandbox.models.script import ANY_TOOL, Asked, Broken, Refused, Respond, Script, Text, ToolSpec, compact, pieces
from sandbox.models.served import AT_ONCE, Latency, LocalModel
from sandbox.models.tokens import count

FINISH = {
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
}


class LocalOpenAI(LocalModel):
    """A chat-completions server; `endpoint` is its base URL without the version."""

    def __init__(self, respond: Respond = answering, *, latency: Latency = AT_ONCE) -> None:
        super().__init__(ChatCompletions(), respond, latency=latency)


class ChatCompletions:
    """The chat-completions API's spelling."""

    content_type = "text/event-stream"

    def read(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked | Refused:  # noqa: ARG002 - self-hosted servers need no key
        """Read a request."""
        if not path.endswith("/chat/completions"):
            return Refused(404, "not_found", f"no such operation: {path}")
        by_role = [(message["role"], _text(message)) for message in body["messages"]]
        functions = [tool["function"] for tool in body.get("tools", ())]
        tools = tuple(ToolSpec(f["name"], f.get("description", ""), f["parameters"]) for f in functions)
        return Asked(
            model=body["model"],
            system="\n".join(text for role, text in by_role if role in {"system", "developer"}),
            said=tuple(text for role, text in by_role if role == "user"),
            results=tuple(text for role, text in by_role if role == "tool"),
            tools=tools,
            forced=_forced(body.get("tool_choice", "auto")),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            input_tokens=sum(count(t.text) for t in tools) + sum(count(text) for _, text in by_role),
            at=time.monotonic(),
            body=body,
        )

    def streams(self, path: str, body: Mapping[str, Any]) -> bool:  # noqa: ARG002 - other dialects say it in the path
        """Tell by the flag."""
        return bool(body.get("stream"))

    def refusal(self, fault: Refused) -> tuple[Mapping[str, str], bytes]:
        """Name the error in the body."""
        return {}, compact({"error": {"message": fault.message, "type": fault.code, "code": fault.code}}).encode()

    def events(self, asked: Asked, script: Script) -> Iterator[bytes]:
        """Return the chunks, the one with the usage and the end mark."""
        yield _chunk(asked, {"role": "assistant", "content": ""})
        for index, block in enumerate(script.blocks):
            if not isinstance(block, Text):
                function = {"name": block.name, "arguments": ""}
                call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
                yield _chunk(asked, {"tool_calls": [call]})
            for piece in pieces(block):
                more = {"index": index, "function": {"arguments": piece}}
                yield _chunk(asked, {"content": piece} if isinstance(block, Text) else {"tool_calls": [more]})
        yield _chunk(asked, {}, FINISH.get(script.stop_reason, "stop"))
        yield _data({**_head(asked), "choices": [], "usage": _usage(asked, script)})
        yield b"data: [DONE]\n\n"

    def exception(self, fault: Broken) -> bytes:
        """Return an error in the middle of a stream."""
        return _data({"error": {"message": fault.message, "type": fault.code, "code": fault.code}})

    def whole(self, asked: Asked, script: Script) -> bytes:
        """Return the answer in one piece."""
        calls = [
            {"id": f"call_{n}", "type": "function", "function": {"name": b.name, "arguments": b.text}}
            for n, b in enumerate(script.blocks)
            if not isinstance(b, Text)
        ]
        words = "".join(block.text for block in script.blocks if isinstance(block, Text))
        message = {"role": "assistant", "content": words, **({"tool_calls": calls} if calls else {})}
        choice = {"index": 0, "message": message, "finish_reason": FINISH.get(script.stop_reason, "stop")}
        answer = {**_head(asked), "object": "chat.completion", "choices": [choice], "usage": _usage(asked, script)}
        return compact(answer).encode()


def _forced(choice: str | Mapping[str, Any]) -> str:
    if isinstance(choice, str):
        return ANY_TOOL if choice == "required" else ""
    return str(choice["function"]["name"])


def _text(message: Mapping[str, Any]) -> str:
    """Return a message as the words that the model reads."""
    content = message.get("content") or ""
    words = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
    calls = (f"{c['function']['name']} {c['function']['arguments']}" for c in message.get("tool_calls") or ())
    return "\n".join(filter(None, (words, *calls)))


def _head(asked: Asked) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": asked.model}


def _chunk(asked: Asked, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    return _data({**_head(asked), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _data(value: Mapping[str, Any]) -> bytes:
    return f"data: {compact(value)}\n\n".encode()


def _usage(asked: Asked, script: Script) -> dict[str, int]:
    read, wrote = asked.input_tokens, script.output_tokens
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}
