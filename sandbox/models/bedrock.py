"""Bedrock's Converse and ConverseStream, the latter in real frames of the AWS event stream.

What Bedrock itself would refuse is refused: unsigned requests, messages out of turn, tool results that answer no call,
a forced tool that was not offered.
"""

import json
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from sandbox.models.answering import answering
from sandbox.models.script import (
    ANY_TOOL,
    Asked,
    Block,
    Broken,
    Refused,
    Respond,
    Script,
    Text,
    ToolSpec,
    ToolUse,
    compact,
    pieces,
)
from sandbox.models.served import AT_ONCE, Latency, LocalModel
from sandbox.models.tokens import count

STATUS = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "UnrecognizedClientException": 403,
    "ValidationException": 400,
}
"""HTTP statuses of the service model's errors, and of those that every AWS service may answer."""


class LocalBedrock(LocalModel):
    """A Bedrock runtime; point boto3 at `endpoint`, or a process at it with `environment`."""

    def __init__(self, respond: Respond = answering, *, latency: Latency = AT_ONCE) -> None:
        super().__init__(Bedrock(), respond, latency=latency)

    def environment(self) -> dict[str, str]:
        """Return what points boto3's Bedrock runtime here; credentials and a Region must come from elsewhere."""
        return {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.endpoint}


def refused(code: str, message: str) -> Refused:
    """Return one of Bedrock's errors before the stream."""
    return Refused(STATUS[code], code, message)


def throttled() -> Refused:
    """Return what Bedrock answers above the quota."""
    return refused("ThrottlingException", "Too many tokens, please wait before trying again.")


def refusing_to_be_forced(respond: Respond) -> Respond:
    """Return a model that accepts no forced tool, as models that think do not."""

    def refuse(asked: Asked) -> Script:
        if not asked.forced:
            return respond(asked)
        message = "Thinking may not be enabled when tool_choice forces tool use."
        return Script(fault=refused("ValidationException", message))

    return refuse


class Bedrock:
    """The Converse API's spelling."""

    content_type = "application/vnd.amazon.eventstream"

    def read(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked | Refused:
        """Read a request of either operation."""
        _, _, model, operation = (*path.split("/"), "", "", "")[:4]
        if operation not in {"converse", "converse-stream"}:
            return refused("ResourceNotFoundException", f"no such operation: {path}")
        if "AWS4-HMAC-SHA256 Credential=" not in headers.get("Authorization", ""):
            return refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        if complaint := _complaint(body):
            return refused("ValidationException", complaint)
        blocks = [(m["role"], block) for m in body["messages"] for block in m["content"]]
        system = "\n".join(block.get("text", "") for block in body.get("system", ()))
        tools, forced = _tools(body), _forced(body)
        return Asked(
            model=unquote(model),
            system=system,
            said=tuple(block["text"] for role, block in blocks if role == "user" and "text" in block),
            results=tuple(_content(block) for _, block in blocks if "toolResult" in block),
            tools=tools,
            forced=forced,
            max_tokens=body.get("inferenceConfig", {}).get("maxTokens"),
            input_tokens=count(system) + sum(count(t.text) for t in tools) + sum(count(_content(b)) for _, b in blocks),
            at=time.monotonic(),
            body=body,
        )

    def streams(self, path: str, body: Mapping[str, Any]) -> bool:  # noqa: ARG002 - other dialects say it in the body
        """Tell by the path."""
        return path.endswith("/converse-stream")

    def refusal(self, fault: Refused) -> tuple[Mapping[str, str], bytes]:
        """Name the error in the header."""
        return {"x-amzn-ErrorType": fault.code}, compact({"message": fault.message}).encode()

    def events(self, asked: Asked, script: Script) -> Iterator[bytes]:
        """Return the frames from messageStart to metadata."""
        yield _event("messageStart", {"role": "assistant"})
        for index, block in enumerate(script.blocks):
            yield from _block(index, block)
        yield _event("messageStop", {"stopReason": script.stop_reason})
        yield _event("metadata", {"usage": _usage(asked, script), "metrics": {"latencyMs": 1}})

    def exception(self, fault: Broken) -> bytes:
        """Return an exception's frame; Bedrock writes its name with a small letter there."""
        code = fault.code[0].lower() + fault.code[1:]
        return frame({":message-type": "exception", ":exception-type": code}, {"message": fault.message})

    def whole(self, asked: Asked, script: Script) -> bytes:
        """Return Converse's answer."""
        content = [
            {"text": block.text}
            if isinstance(block, Text)
            else {"toolUse": {"toolUseId": _id(index), "name": block.name, "input": json.loads(block.text)}}
            for index, block in enumerate(script.blocks)
        ]
        message = {"role": "assistant", "content": content}
        answer = {"output": {"message": message}, "stopReason": script.stop_reason, "usage": _usage(asked, script)}
        return compact({**answer, "metrics": {"latencyMs": 1}}).encode()


def frame(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    """Return one message of the AWS event stream: lengths, CRC-32 of both, headers, payload, CRC-32 of all."""
    content = compact(payload).encode()
    named = b"".join(_header(name, value) for name, value in {**headers, ":content-type": "application/json"}.items())
    prelude = struct.pack(">II", 16 + len(named) + len(content), len(named))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + named + content
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    text = 7  # the type of a header's value
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", text, len(value)) + value.encode()


def _event(kind: str, payload: Mapping[str, Any]) -> bytes:
    return frame({":event-type": kind, ":message-type": "event"}, payload)


def _block(index: int, block: Block) -> Iterator[bytes]:
    if isinstance(block, ToolUse):
        use = {"toolUse": {"toolUseId": _id(index), "name": block.name}}
        yield _event("contentBlockStart", {"contentBlockIndex": index, "start": use})
    for piece in pieces(block):
        delta = {"text": piece} if isinstance(block, Text) else {"toolUse": {"input": piece}}
        yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
    yield _event("contentBlockStop", {"contentBlockIndex": index})


def _id(index: int) -> str:
    return f"tooluse_{index}"


def _usage(asked: Asked, script: Script) -> dict[str, int]:
    read, wrote = asked.input_tokens, script.output_tokens
    return {"inputTokens": read, "outputTokens": wrote, "totalTokens": read + wrote}


def _tools(body: Mapping[str, Any]) -> tuple[ToolSpec, ...]:
    specs = [tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", ()) if "toolSpec" in tool]
    return tuple(ToolSpec(s["name"], s.get("description", ""), s["inputSchema"]["json"]) for s in specs)


def _forced(body: Mapping[str, Any]) -> str:
    choice = body.get("toolConfig", {}).get("toolChoice", {})
    return str(choice["tool"]["name"]) if "tool" in choice else ANY_TOOL if "any" in choice else ""


def _content(block: Mapping[str, Any]) -> str:
    """Return a block as the words that the model reads."""
    if "toolUse" in block:
        return f"{block['toolUse']['name']} {compact(block['toolUse']['input'])}"
    if "toolResult" in block:
        return "\n".join(
            c["text"] if "text" in c else compact(c.get("json", c)) for c in block["toolResult"]["content"]
        )
    return str(block.get("text", ""))


def _complaint(body: Mapping[str, Any]) -> str:
    """Return why Bedrock would not accept a conversation; empty when it would."""
    called: set[str] = set()
    for number, message in enumerate(body["messages"]):
        if message["role"] != ("assistant" if number % 2 else "user"):
            return "A conversation must start with a user message and alternate between user and assistant roles."
        answered = {b["toolResult"]["toolUseId"] for b in message["content"] if "toolResult" in b}
        if answered != called:
            return "Expected toolResult blocks for exactly the toolUse blocks of the previous turn."
        called = {b["toolUse"]["toolUseId"] for b in message["content"] if "toolUse" in b}
    forced = _forced(body)
    if forced not in {"", ANY_TOOL} and forced not in {tool.name for tool in _tools(body)}:
        return f"The tool {forced} of toolChoice is not among the tools."
    return ""
