"""Specialists made of functions, run as an investigation runs them."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aws.meter import Meter
from aws.reads import Read
from aws.session import AwsConfig, ReadSession
from domain.evidence import Evidence, EvidenceBundle
from domain.graph import ServiceGraph
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.window import Window
from specialists.contract import Look, Probe, Rule, Specialist
from specialists.once import Once
from specialists.run import Assignment, Tools

NOW = datetime(2026, 11, 20, 9, 56, tzinfo=UTC)
WINDOW = Window(start=NOW - timedelta(minutes=20), end=NOW)
HERE = resource_from_arn("arn:aws:lambda:eu-west-1:123456789012:function:f")


class Sign(Evidence, kind="test.sign"):
    """Something seen, in words."""

    text: str = ""

    def summary(self) -> str:
        """Say it."""
        return self.text


class LaterSign(Evidence, kind="test.later_sign"):
    """Something that can be seen only after a sign was."""

    text: str = ""

    def summary(self) -> str:
        """Say it."""
        return self.text


def sign(text: str, resource: Resource | str = HERE, source: str = "test:Look") -> Sign:
    return Sign(resource=resource if isinstance(resource, str) else resource.id, source=source, text=text)


def looking(
    name: str,
    run: Callable[[Look], Any],
    *reads: Read,
    needs: Sequence[type[Evidence]] = (),
    only: frozenset[ResourceType] | None = None,
) -> Probe:
    return Probe(name, reads, tuple(needs), (Sign,), only, run)


def judging(name: str, judge: Callable[[Any], Any]) -> Rule:
    return Rule(name, (), (Sign,), judge)


def specialist(*probes: Probe, rules: Sequence[Rule] = (), name: str = "tester", limit: float = 25.0) -> Specialist:
    return Specialist(name, {ResourceType.LAMBDA: "it is a test"}, probes, tuple(rules), limit_seconds=limit)


def assignment(who: Specialist, *targets: Resource, trace: EvidenceBundle | None = None) -> Assignment:
    there = targets or (HERE,)
    return Assignment(who, there, "a test", WINDOW, ServiceGraph.of(there), trace or EvidenceBundle(), NOW)


@contextmanager
def tools(
    reads: Sequence[Read] = (),
    *,
    threads: int = 32,
    seconds: float | None = None,
    pool: Executor | None = None,
    **config: Any,
) -> Iterator[Tools]:
    """What a run works with; `seconds` is the time of the whole investigation."""
    settings = {"region": "eu-west-1", "max_attempts": 1, **config}
    own = pool or ThreadPoolExecutor(threads)
    meter = Meter(None if seconds is None else time.monotonic() + seconds)
    try:
        yield Tools(ReadSession(AwsConfig(**settings), reads), own, Once(), meter)
    finally:
        own.shutdown(wait=False, cancel_futures=True)
