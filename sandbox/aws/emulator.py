"""moto's server as a child process that ends with its parent."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

CONFIG = {
    "stepfunctions": {"execute_state_machine": True},
    "lambda": {"use_docker": False},
    "batch": {"use_docker": False},
}
SEED = 7
START_SECONDS = 20.0


class Emulator:
    """One moto server on a free port of the loopback interface.

    With AWS's managed policies each start and each reset takes a second longer, so they are left out unless asked for.
    """

    def __init__(self, *, managed_policies: bool = False) -> None:
        self._managed_policies = managed_policies
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers; raises RuntimeError when it does not."""
        self.port = _free_port()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        environment |= {
            "MOTO_IAM_LOAD_MANAGED_POLICIES": str(self._managed_policies).lower(),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "sandbox.aws.emulator", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError("moto's server did not start; run `python -m sandbox.aws.emulator 5000` to see why")
            time.sleep(0.02)
        self._prepare()

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it holds nothing that needs saving
        if process.stdin:
            process.stdin.close()
        process.wait()

    def reset(self) -> None:
        """Empty every account."""
        self._post("/moto-api/reset", {})
        self._prepare()

    def _prepare(self) -> None:
        """Let state machines run, and give resources the same ids in every run."""
        self._post("/moto-api/config", CONFIG)
        self._post(f"/moto-api/seed?a={SEED}", {})

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def _post(self, path: str, body: object) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"moto answered {answer.status} to {path}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _end_with_parent() -> None:
    """The parent holds our standard input: its end is the parent's end, however that came."""
    sys.stdin.buffer.read()
    os._exit(0)


def main(port: str) -> None:
    """Serve until the parent is gone."""
    from moto.server import main as serve  # noqa: PLC0415 - only the child needs moto

    if not sys.stdin.isatty():
        threading.Thread(target=_end_with_parent, daemon=True).start()
    serve(["--host", "127.0.0.1", "--port", port])


if __name__ == "__main__":
    main(sys.argv[1])
