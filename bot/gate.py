"""What Slack can have sent and what it cannot: checked on the raw request, before Bolt sees it.

Signatures: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.payloads import malformed

MOST_BYTES = 256 * 1024
MOST_FIELDS = 100
MOST_DEPTH = 64
STALE_SECONDS = 300
TIMESTAMP = re.compile(r"[0-9]{1,12}")
SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NotFromSlack(Exception):
    """The request is refused; `status` is 400, 401 or 413."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def gate(secret: str, path: str, now: Callable[[], float] = time.time) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return the aiohttp middleware that guards the path."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != path or request.method != "POST":
            return await handler(request)
        try:
            check_length(request.content_length or 0)
            check(request.headers, await request.read(), secret, now())
        except NotFromSlack as refused:
            return web.json_response({"error": str(refused)}, status=refused.status)
        return await handler(request)

    return guarded


def check(headers: Mapping[str, str], raw: bytes, secret: str, now: float) -> None:
    """Check one request; raises NotFromSlack."""
    check_length(len(raw))
    _check_signature(headers, raw, secret, now)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotFromSlack(400, "the request is not UTF-8") from None
    wrong = malformed(_body(headers.get("Content-Type", ""), text))
    if wrong is not None:
        raise NotFromSlack(400, f"the payload is malformed at {wrong}")


def check_length(length: int) -> None:
    """Check the length of a body in bytes; raises NotFromSlack."""
    if length > MOST_BYTES:
        raise NotFromSlack(413, "the request is too large")


def _check_signature(headers: Mapping[str, str], raw: bytes, secret: str, now: float) -> None:
    stamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
    if not (TIMESTAMP.fullmatch(stamp) and SIGNATURE.fullmatch(signature)):
        raise NotFromSlack(401, "the request is not signed")
    if abs(now - int(stamp)) > STALE_SECONDS:
        raise NotFromSlack(401, "the request is too old")
    expected = "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise NotFromSlack(401, "the signature is wrong")


def _body(content_type: str, text: str) -> Mapping[str, Any]:
    """Return the payload: JSON, or a form whose field `payload` is JSON."""
    if content_type.split(";", maxsplit=1)[0].strip().lower() == "application/json":
        return _object(text)
    try:
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise NotFromSlack(400, "the form has too many fields") from None
    return _object(form["payload"]) if "payload" in form else form


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise NotFromSlack(400, "the payload is not JSON") from None
    if not isinstance(value, dict):
        raise NotFromSlack(400, "the payload is not an object")
    if _depth(value) > MOST_DEPTH:
        raise NotFromSlack(400, "the payload is too deep")
    return value


def _depth(value: Any) -> int:
    """Return how deeply it nests, counted level by level, as far as it matters."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth
