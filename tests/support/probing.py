"""Run one probe or judge one case as the product does, without the orchestrator."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from aws.session import AwsConfig, ReadSession
from domain.evidence import Evidence, EvidenceBundle
from domain.findings import Finding, Hypothesis
from domain.graph import ServiceGraph
from domain.resource import Resource, resource_from_arn
from domain.window import Window
from specialists.contract import Case, Look, Probe, Rule

NOW = datetime(2026, 11, 20, 9, 56, tzinfo=UTC)
WINDOW = Window(start=NOW - timedelta(minutes=20), end=NOW)


def look_with(
    probe: Probe,
    arn: str,
    *,
    seen: Iterable[Evidence] = (),
    window: Window | None = None,
    graph: ServiceGraph | None = None,
) -> list[Evidence]:
    """Return what the probe brings about the target, over HTTP; only its declared reads pass the guard."""
    target = resource_from_arn(arn)
    session = ReadSession(AwsConfig(region=target.region or "eu-west-1"), probe.reads)
    look = Look(
        aws=session.clients("", target.region),
        target=target,
        window=window or WINDOW,
        seen=EvidenceBundle(seen),
        graph=graph or ServiceGraph.of([target]),
        now=NOW,
    )
    return list(probe.run(look))


def case_of(
    target: str | Resource,
    *evidence: Evidence,
    graph: ServiceGraph | None = None,
    window: Window | None = None,
    specialist: str = "test",
) -> Case:
    """Return a case about the target with this evidence."""
    resource = resource_from_arn(target) if isinstance(target, str) else target
    return Case(
        target=resource,
        evidence=EvidenceBundle(evidence),
        window=window or WINDOW,
        graph=graph or ServiceGraph.of([resource]),
        specialist=specialist,
    )


def findings(rules: Iterable[Rule], case: Case) -> Iterator[Finding]:
    """Yield what all the rules find in the case."""
    for rule in rules:
        yield from rule.judge(case)


def named_causes(rules: Iterable[Rule], case: Case) -> set[str]:
    """Return the causes that any rule names in the case."""
    return {finding.cause for finding in findings(rules, case) if isinstance(finding, Hypothesis)}
