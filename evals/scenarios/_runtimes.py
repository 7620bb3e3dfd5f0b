"""How a failed invocation looks, by runtime: the exception in the trace, the lines in the log, the platform's end.

Texts: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (the pages on errors and logging by language)

`{time}` and `{request}` stand for the invocation's, as in `sandbox.aws.signals.invocation_log`.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

Frame = tuple[str, int, str]
"""Path, line, function; the innermost frame first."""

INDENT = "\u00a0\u00a0"


class Fault(NamedTuple):
    """One way to fail. `type` and `message` stand in the trace; an empty type leaves the trace without an exception.

    `status` and `error_type` end the REPORT line where the platform gives them; `used` is the memory in use, MB;
    `milliseconds` how long the invocation ran.
    """

    type: str
    message: str
    lines: tuple[str, ...] = ()
    stack: tuple[Frame, ...] = ()
    status: str = ""
    error_type: str = ""
    used: int | None = None
    milliseconds: float = 60.0


def python(kind: str, message: str, *stack: Frame, milliseconds: float = 60.0) -> Fault:
    """Return an exception that the Python runtime reports."""
    frames = "".join(f'{INDENT}File "{path}", line {line}, in {label}\n' for path, line, label in reversed(stack))
    trace = f"Traceback (most recent call last):\n{frames}"
    return Fault(kind, message, (f"[ERROR] {kind}: {message}\n{trace}",), stack, milliseconds=milliseconds)


def node(kind: str, message: str, *stack: Frame, code: str = "", milliseconds: float = 60.0) -> Fault:
    """Return an error that the Node.js runtime reports; `code` is the error's own, as in ECONNREFUSED."""
    frames = [f"    at {label} (file://{path}:{line}:17)" for path, line, label in stack]
    shown = {"errorType": kind, "errorMessage": message, **({"code": code} if code else {})}
    shown["stack"] = [f"{kind}: {message}", *frames]  # type: ignore[assignment]
    line = f"{{time}}\t{{request}}\tERROR\tInvoke Error \t{_json(shown)}"
    return Fault(kind, message, (line,), stack, milliseconds=milliseconds)


def java(kind: str, message: str, *stack: Frame, milliseconds: float = 90.0) -> Fault:
    """Return a throwable that the Java runtime prints, message first."""
    frames = "".join(f"\tat {label}({path}:{line})\n" for path, line, label in stack)
    return Fault(kind, message, (f"{message}: {kind}\n{kind}: {message}\n{frames}",), stack, milliseconds=milliseconds)


def dotnet(kind: str, message: str, *stack: Frame, milliseconds: float = 70.0) -> Fault:
    """Return an exception that the .NET runtime logs at its level `fail`."""
    frames = "".join(f"   at {label} in {path}:line {line}\n" for path, line, label in stack)
    line = f"{{time}}\t{{request}}\tfail\t{kind}: {message}\n{frames}"
    return Fault(kind.rsplit(".", 1)[-1], message, (line,), stack, milliseconds=milliseconds)


def ruby(kind: str, message: str, *stack: Frame, milliseconds: float = 60.0) -> Fault:
    """Return an error that the Ruby runtime prints: it wraps the class, the trace does not."""
    frames = [f"{path}:{line}:in `{label}'" for path, line, label in stack]
    shown = json.dumps({"errorMessage": message, "errorType": f"Function<{kind}>", "stackTrace": frames}, indent=2)
    return Fault(kind, message, (f"Error raised from handler method\n{shown}",), stack, milliseconds=milliseconds)


def go(kind: str, message: str, *, milliseconds: float = 40.0) -> Fault:
    """Return an error that a Go handler returned: one JSON object after the logger's own time, without a stack."""
    line = "2026/11/21 09:53:11 " + _json({"errorMessage": message, "errorType": kind})
    return Fault(kind, message, (line,), milliseconds=milliseconds)


def structured(service: str, message: str, **more: str) -> str:
    """Return a line of a structured logger, as Powertools writes it."""
    line = {"level": "INFO", "message": message, "timestamp": "{time}", "service": service, **more}
    return json.dumps({**line, "function_request_id": "{request}"})


def timed_out(seconds: int) -> Fault:
    """Return the end of an invocation that ran out of time; the trace has no exception of it."""
    line = f"{{time}} {{request}} Task timed out after {seconds:.2f} seconds\n\n"
    return Fault("", "", (line,), status="timeout", milliseconds=seconds * 1000)


def killed(memory: int, *printed: str, milliseconds: float = 900.0) -> Fault:
    """Return the end of a process that took all of its memory (MB); the trace has no exception of it."""
    end = _ended("signal: killed", "Runtime.OutOfMemory", printed)
    return end._replace(used=memory, milliseconds=milliseconds)


def exited(code: int, *printed: str, milliseconds: float = 45.0) -> Fault:
    """Return the end of a process that ended itself; the trace has no exception of it."""
    return _ended(f"exit status {code}", "Runtime.ExitError", printed)._replace(milliseconds=milliseconds)


def _ended(how: str, error_type: str, printed: tuple[str, ...]) -> Fault:
    line = f"RequestId: {{request}} Error: Runtime exited with error: {how}\nRuntime.ExitError"
    return Fault("", "", (*printed, line), status="error", error_type=error_type)


def init_error(kind: str, message: str, lines: Sequence[str] = (), *, init: float = 180.0) -> Fault:
    """Return a failed initialisation: nothing of the handler ran, and the platform reports the phase."""
    report = f"INIT_REPORT Init Duration: {init:.2f} ms\tPhase: init\tStatus: error\tError Type: {kind}\n"
    shown = tuple(lines) or (f"[ERROR] {kind}: {message}\nTraceback (most recent call last):",)
    return Fault(kind, message, (*shown, report), status="error", error_type=kind, milliseconds=init + 20)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
