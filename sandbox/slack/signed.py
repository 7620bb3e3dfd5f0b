"""HTTP mode: payloads as signed requests to the app's URL.

Source: docs.slack.dev/authentication/verifying-requests-from-slack.
"""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.deliveries import Attempt, Delivery
from sandbox.slack.state import Json


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the v0 signature of a request body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class SignedRequests:
    """The HTTP side of one app: events, interactivity and commands go to one URL."""

    def __init__(self, secret: str, url: str) -> None:
        self._secret = secret
        self.url = url
        self._session: aiohttp.ClientSession | None = None

    async def carry(self, delivery: Delivery, attempt: Attempt, limit: float) -> None:
        """Send one signed request and wait for its answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        content_type, body = _encoded(delivery)
        headers = {"Content-Type": content_type, **self._signed(body)}
        if attempt.number:
            headers |= {"X-Slack-Retry-Num": str(attempt.number), "X-Slack-Retry-Reason": attempt.reason}
        started = time.perf_counter()
        try:
            timeout = aiohttp.ClientTimeout(total=limit)
            async with self._session.post(self.url, data=body, headers=headers, timeout=timeout) as response:
                answer = await response.text()
                attempt.status = response.status
                attempt.no_retry = response.headers.get("X-Slack-No-Retry") == "1"
        except TimeoutError:
            attempt.error = "http_timeout"
            return
        except aiohttp.ClientError:
            attempt.error = "connection_failed"
            return
        attempt.ack_seconds = time.perf_counter() - started
        attempt.error = None if 200 <= attempt.status < 300 else "http_error"
        attempt.body = _body(answer)

    async def close(self) -> None:
        """Close the connections to the app."""
        if self._session is not None:
            await self._session.close()

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }


def _encoded(delivery: Delivery) -> tuple[str, bytes]:
    if delivery.kind == "events_api":
        return "application/json", json.dumps(delivery.payload).encode()
    fields = {"payload": json.dumps(delivery.payload)} if delivery.kind == "interactive" else delivery.payload
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def _body(answer: str) -> Json | None:
    if not answer:
        return None
    try:
        parsed = json.loads(answer)
    except json.JSONDecodeError:
        return {"text": answer}
    return parsed if isinstance(parsed, dict) else {"text": answer}
