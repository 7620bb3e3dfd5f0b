"""What the tests of signal analysis are made of: pictures of a small system, series, looks and cases over its targets."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from aws.session import AwsConfig, ReadSession
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Fact
from domain.graph import Edge, ServiceGraph
from domain.resource import Resource, resource_from_arn
from domain.window import Window
from specialists.contract import Case, Look, Probe, Rule
from specialists.kit.series import MetricSeries, Point
from specialists.kit.signals import Direction, Onset
from specialists.signal_analysis.picture import NodeSeries, Picture, Row, Signal
from tests.support.probing import NOW, WINDOW

HERE = "arn:aws:{}:eu-west-1:123456789012:{}"
FUNCTION = HERE.format("lambda", "function:create-order")
CALLER = HERE.format("lambda", "function:checkout")
TABLE = HERE.format("dynamodb", "table/orders")
QUEUE = HERE.format("sqs", "orders-queue")
RULE = HERE.format("events", "rule/shop/nightly")
MACHINE = HERE.format("states", "stateMachine:fulfil")

CALLS = frozenset(
    {("front", "cart"), ("front", "search"), ("cart", "payments"), ("cart", "stock"), ("search", "stock")}
)
TYPICAL = {"front": 0.30, "cart": 0.12, "search": 0.08, "payments": 0.05, "stock": 0.02}
REQUESTS = {"front": 500, "cart": 200, "search": 300, "payments": 200, "stock": 500}
SHARE = {
    "payments": ("cart", "front"),
    "stock": ("cart", "search", "front"),
    "cart": ("front",),
    "search": ("front",),
    "front": (),
}
"""Who waits when a node is slow."""


def rows(
    name: str, seed: int, number: int, *, slower: float = 0.0, failing: float = 0.0, since: int = 0
) -> tuple[Row, ...]:
    """Return a node's rows: from row `since` on, `slower` seconds a request and `failing` of the requests."""
    noise = random.Random(f"{name}{seed}")
    return tuple(
        Row(
            REQUESTS[name],
            TYPICAL[name] * noise.uniform(0.95, 1.05) + (slower if place >= since else 0),
            failing if place >= since else 0.0,
        )
        for place in range(number)
    )


def picture(
    root: str | None = None,
    *,
    seconds: float = 0.0,
    failing: float = 0.0,
    seed: int = 1,
    baseline: int = 120,
    since: int = 1,
    calls: frozenset[tuple[str, str]] = CALLS,
    without: Iterable[str] = (),
    alarmed: str | None = "front",
    signal: Signal | None = None,
) -> Picture:
    """Return the system with a fault at `root`: what it adds to itself its callers wait for or fail with."""
    hit = {} if root is None else {root: 1.0, **{name: REQUESTS[root] / REQUESTS[name] / 2 for name in SHARE[root]}}
    nodes = {
        name: NodeSeries(
            rows(
                name,
                seed,
                5,
                slower=seconds * hit.get(name, 0),
                failing=min(1.0, failing * hit.get(name, 0)),
                since=since,
            ),
            rows(name, seed + 1, baseline),
        )
        for name in TYPICAL
        if name not in set(without)
    }
    kept = frozenset(call for call in calls if set(call) <= set(nodes))
    return Picture(nodes, kept, alarmed, signal, before=since)


def renamed(given: Picture, names: Mapping[str, str], order: Sequence[str]) -> Picture:
    """Return the same picture under other names, its nodes in another order."""
    return Picture(
        {names[name]: given.nodes[name] for name in order},
        frozenset((names[caller], names[callee]) for caller, callee in given.calls),
        given.alarmed and names[given.alarmed],
        given.signal,
        given.before,
    )


def minute(number: float, start: datetime = WINDOW.start) -> datetime:
    return start + timedelta(minutes=number)


def series(
    metric: str,
    window: Sequence[float | None],
    before: Sequence[float | None] = (),
    *,
    resource: str = FUNCTION,
    namespace: str = "AWS/Lambda",
    statistic: str = "Sum",
    dimensions: Mapping[str, str] | None = None,
) -> MetricSeries:
    """Return a series of minutes: the window's from its start, the baseline's up to it; None is no datapoint."""
    return MetricSeries(
        resource=resource,
        source="cloudwatch:GetMetricData",
        namespace=namespace,
        metric=metric,
        dimensions=dict(dimensions or {"FunctionName": resource.rsplit(":", 1)[-1]}),
        statistic=statistic,
        period_seconds=60,
        points=tuple(Point(at=minute(n), value=v) for n, v in enumerate(window) if v is not None),
        baseline=tuple(Point(at=minute(n - len(before)), value=v) for n, v in enumerate(before) if v is not None),
    )


def onset(signal: str, at: float, resource: str = FUNCTION, direction: Direction = Direction.UP) -> Onset:
    return Onset(
        resource=resource, source="cloudwatch:GetMetricData", observed_at=minute(at), signal=signal, direction=direction,
        worst=50, usual=0, deviation=9.0,
    )  # fmt: skip


def resources(*arns: str) -> tuple[Resource, ...]:
    return tuple(resource_from_arn(arn) for arn in arns)


def graph(*calls: tuple[str, str]) -> ServiceGraph:
    nodes = resources(*dict.fromkeys(arn for call in calls for arn in call))
    return ServiceGraph.of(nodes, [Edge(source=caller, target=callee, calls=1) for caller, callee in calls])


def look_at(
    probe: Probe,
    *arns: str,
    seen: Iterable[Evidence] = (),
    calls: Sequence[tuple[str, str]] = (),
    window: Window = WINDOW,
    keeping: list[Evidence] | None = None,
) -> list[Evidence]:
    """Return what a probe brings about its targets together, over HTTP; `keeping` gets what came before an error."""
    targets = resources(*arns)
    session = ReadSession(AwsConfig(region="eu-west-1"), probe.reads)
    look = Look(
        aws=session.clients("", "eu-west-1"),
        target=targets[0],
        window=window,
        seen=EvidenceBundle(seen),
        graph=graph(*calls) if calls else ServiceGraph.of(targets),
        now=NOW + timedelta(minutes=10),
        targets=targets,
    )
    kept = [] if keeping is None else keeping
    for evidence in probe.run(look):
        assert isinstance(evidence, probe.yields)
        assert "\n" not in evidence.summary()
        kept.append(evidence)
    return kept


def statements(rule: Rule, *evidence: Evidence, targets: Sequence[str] = (FUNCTION, CALLER, TABLE)) -> list[str]:
    """Return what a rule states of the targets together; every fact cites evidence of the case."""
    bundle = EvidenceBundle(evidence)
    there = resources(*targets)
    case = Case(there[0], bundle, WINDOW, ServiceGraph.of(there), "signal-analysis", there)
    found = [finding for finding in rule.judge(case) if isinstance(finding, Fact)]
    assert all(cited in bundle for fact in found for cited in fact.evidence)
    return [fact.statement for fact in found]
