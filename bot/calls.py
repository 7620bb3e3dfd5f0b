"""One call to Slack's Web API, and the four ways it can end.

A dropped connection, a timeout and a 5xx leave open whether Slack carried the call out; so do Slack's own
`fatal_error` and `internal_error`: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

logger = logging.getLogger(__name__)

UNSURE_CODES = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
LIMIT_CODES = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
CALL_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Done:
    """Slack carried it out; `data` is its answer."""

    data: Mapping[str, Any]
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limited:
    """Slack asks us to wait so many seconds; nothing was carried out."""

    seconds: float


@dataclass(frozen=True)
class Unsure:
    """Nobody knows whether it was carried out."""

    why: str


@dataclass(frozen=True)
class Refused:
    """Slack said no, and would say so again; `code` is its error code."""

    code: str


Outcome = Done | Limited | Unsure | Refused


class NotDelivered(Exception):
    """Slack did not take it; `code` is Slack's error code, or `unreachable`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Slack did not take it: {code}")
        self.code = code


def slack_client(token: str | None, api_url: str, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
    """Return a client that never sends anything twice on its own: retrying is the outbox's business."""
    return AsyncWebClient(
        token=token, base_url=api_url, timeout=CALL_TIMEOUT_SECONDS, session=session, retry_handlers=[]
    )


async def outcome_of(call: Callable[[], Awaitable[Any]]) -> Outcome:
    """Make the call and say how it ended; raises nothing that comes from Slack or the network."""
    try:
        response = await call()
    except SlackApiError as error:
        return _answered(error)
    except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
        return Unsure(f"{type(error).__name__}: {error}")
    return Done(response.data, response.headers)


def _answered(error: SlackApiError) -> Outcome:
    response = error.response
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    if status == 429 or code in LIMIT_CODES:
        return Limited(_retry_after(getattr(response, "headers", {})))
    if code is None or status >= 500 or code in UNSURE_CODES:
        return Unsure(str(code or f"HTTP {status}"))
    return Refused(str(code))


def _retry_after(headers: Mapping[str, Any]) -> float:
    """Slack's Retry-After in seconds; its absence counts as one second."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    text = str(value[0] if isinstance(value, list) else value)
    return float(text) if text.isdigit() else 1.0
