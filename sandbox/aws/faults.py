"""Faults to inject: what AWS and the network do to a call on a bad day."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from aws.reads import IAM_PREFIX
from sandbox.aws.answers import ApiError
from sandbox.aws.calls import Call


class Ending(StrEnum):
    """How a faulty call ends."""

    NORMAL = "normal"  # as it would have, only later
    ERROR = "error"
    HANG = "hang"
    DROP = "drop"


class Fault(NamedTuple):
    """Seconds to wait first, then an ending; `codes` give (HTTP status, error code) by service or protocol."""

    ending: Ending
    seconds: float = 0.0
    codes: Mapping[str, tuple[int, str]] = {}
    message: str = ""


ACCESS_DENIED = Fault(
    Ending.ERROR,
    codes={
        "json": (400, "AccessDeniedException"),
        "rest-json": (403, "AccessDeniedException"),
        "query": (403, "AccessDenied"),
        "rest-xml": (403, "AccessDenied"),
        "ec2": (403, "UnauthorizedOperation"),
        "sns": (403, "AuthorizationError"),
        "sqs": (403, "AccessDenied"),
        "cloudwatch": (403, "AccessDenied"),
    },
    message=(
        "User: arn:aws:sts::{account}:assumed-role/rca-read/rca-bot is not authorized to perform: {action} "
        "because no identity-based policy allows the {action} action"
    ),
)
THROTTLED = Fault(
    Ending.ERROR,
    codes={
        "json": (400, "ThrottlingException"),
        "rest-json": (429, "TooManyRequestsException"),
        "query": (400, "Throttling"),
        "rest-xml": (503, "SlowDown"),
        "ec2": (503, "RequestLimitExceeded"),
        "xray": (429, "ThrottledException"),
    },
    message="Rate exceeded",
)
SERVER_ERROR = Fault(
    Ending.ERROR,
    codes={
        "json": (500, "InternalServerError"),
        "rest-json": (500, "ServiceException"),
        "query": (500, "InternalFailure"),
        "rest-xml": (500, "InternalError"),
        "ec2": (500, "InternalError"),
    },
    message="We encountered an internal error. Please try again.",
)
EXPIRED_TOKEN = Fault(
    Ending.ERROR,
    codes={
        "json": (400, "ExpiredTokenException"),
        "rest-json": (403, "ExpiredTokenException"),
        "query": (403, "ExpiredToken"),
        "rest-xml": (400, "ExpiredToken"),
        "ec2": (400, "RequestExpired"),
    },
    message="The security token included in the request is expired",
)
HANG = Fault(Ending.HANG)
DROPPED = Fault(Ending.DROP)


def delay(seconds: float) -> Fault:
    """Return the fault of a slow answer."""
    return Fault(Ending.NORMAL, seconds=seconds)


def error_of(fault: Fault, call: Call) -> ApiError:
    """Return the error that the call's service would answer with."""
    status, code = fault.codes.get(call.service) or fault.codes[call.protocol]
    return ApiError(code, fault.message.format(account=call.account, action=action_of(call)), status)


def action_of(call: Call) -> str:
    """Return the IAM action a call needs; API Gateway's are named after HTTP methods."""
    prefix = IAM_PREFIX.get(call.service, call.service)
    return f"{prefix}:{call.method if prefix == 'apigateway' else call.operation}"


@dataclass
class _Injected:
    service: str
    operation: str
    fault: Fault
    when: Mapping[str, Any]
    left: float

    def hits(self, call: Call) -> bool:
        return (
            self.left > 0
            and self.service in {"*", call.service}
            and self.operation in {"*", call.operation}
            and call.asks_for(self.when)
        )


@dataclass
class Faults:
    """The faults in force; thread-safe."""

    _injected: list[_Injected] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inject(self, service: str, operation: str, fault: Fault, *, times: int | None, when: Mapping[str, Any]) -> None:
        """Add a fault for the next `times` calls (None: all) of an operation; `*` stands for any."""
        with self._lock:
            self._injected.append(_Injected(service, operation, fault, when, float("inf") if times is None else times))

    def take(self, call: Call) -> tuple[Fault, ...]:
        """Return the faults that hit this call, in the order of injection, and use them up by one."""
        with self._lock:
            hit = [injected for injected in self._injected if injected.hits(call)]
            for injected in hit:
                injected.left -= 1
            return tuple(injected.fault for injected in hit)

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._injected.clear()
