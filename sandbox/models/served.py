"""A model provider's HTTP server: records each request, answers with the script, at a model's pace."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from sandbox.models.script import Asked, Broken, CutOff, Refused, Respond, Script, Stall


class Latency(NamedTuple):
    """How long a model takes, in seconds: to begin, for each token that it reads and for each that it writes."""

    begin: float = 0.0
    input_token: float = 0.0
    output_token: float = 0.0


AT_ONCE = Latency()
USUAL = Latency(begin=0.6, input_token=0.0001, output_token=0.010)
"""A mid-sized hosted model: 0.6 s to begin, 10,000 tokens a second read, 100 a second written."""


class Dialect(Protocol):
    """How a provider spells requests, answers and errors."""

    content_type: str

    def read(self, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked | Refused:
        """Read a request; what the provider itself would not accept is refused."""

    def streams(self, path: str, body: Mapping[str, Any]) -> bool:
        """Tell whether the answer is wanted as a stream."""

    def refusal(self, fault: Refused) -> tuple[Mapping[str, str], bytes]:
        """Return the headers and the body of an error."""

    def events(self, asked: Asked, script: Script) -> Iterator[bytes]:
        """Return the events of a stream."""

    def exception(self, fault: Broken) -> bytes:
        """Return the event that ends a stream with an error."""

    def whole(self, asked: Asked, script: Script) -> bytes:
        """Return the answer in one piece."""


class LocalModel:
    """Serves one dialect on a free port of the loopback interface, for `with`; `asked` are the requests it accepted."""

    def __init__(self, dialect: Dialect, respond: Respond, *, latency: Latency = AT_ONCE) -> None:
        self.respond = respond
        self.latency = latency
        self.asked: list[Asked] = []
        self.written: list[int] = []
        self.closing = threading.Event()
        self.dialect = dialect
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """The URL to ask."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def tokens(self) -> tuple[int, int]:
        """How many tokens have been read and written."""
        return sum(asked.input_tokens for asked in self.asked), sum(self.written)

    def forget(self) -> None:
        """Begin to record anew."""
        self.asked.clear()
        self.written.clear()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256  # with the default of 5, parallel clients wait a second for their next SYN
    daemon_threads = True

    def __init__(self, local: LocalModel) -> None:
        self.local = local
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of errors, but not of a client that stopped waiting: that is what is being tested."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base names it
        """Log nothing."""

    def do_POST(self) -> None:
        """Answer one request."""
        local = self.server.local
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        asked = local.dialect.read(self.path, dict(self.headers), body)
        if isinstance(asked, Refused):
            return self._refuse(asked)
        local.asked.append(asked)
        script = local.respond(asked).within(asked.max_tokens)
        if isinstance(script.fault, Refused):
            return self._refuse(script.fault)
        local.written.append(script.output_tokens)
        self._pause(local.latency.begin + local.latency.input_token * asked.input_tokens)
        writing = local.latency.output_token * script.output_tokens
        if local.dialect.streams(self.path, body):
            return self._stream(asked, script, writing)
        self._pause(writing)
        return self._send(200, {"Content-Type": "application/json"}, local.dialect.whole(asked, script))

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self.server.local.closing.wait(seconds)

    def _refuse(self, fault: Refused) -> None:
        headers, content = self.server.local.dialect.refusal(fault)
        self._send(fault.status, {"Content-Type": "application/json", **headers}, content)

    def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, asked: Asked, script: Script, seconds: float) -> None:
        """Send the events one by one, `seconds` spread over them, and let the fault happen where it is due."""
        dialect = self.server.local.dialect
        self.send_response(200)
        self.send_header("Content-Type", dialect.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = list(dialect.events(asked, script))
        until = time.monotonic()
        for number, event in enumerate(events):
            if script.fault is not None and self._fails(script, number):
                return
            until += seconds / len(events)
            self._pause(until - time.monotonic())
            self._chunk(event)
        self._chunk(b"")

    def _fails(self, script: Script, number: int) -> bool:
        """Let the fault happen when as many events were sent; True when it ends the stream."""
        fault = script.fault
        if isinstance(fault, Refused) or fault is None or fault.after != number:
            return False
        if isinstance(fault, Stall):
            self._pause(fault.seconds)
            return False
        if isinstance(fault, CutOff):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return True
        self._chunk(self.server.local.dialect.exception(fault))
        self._chunk(b"")
        return True

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
