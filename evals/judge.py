"""Judging one report against what its scenario expects."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from domain.report import Report, ReportStatus, Role
from evals.scenario import Expect, Kind, Scenario
from orchestrator.conclude.settle import THRESHOLD

ACCUSING = frozenset({Role.ROOT_CAUSE, Role.CONTRIBUTING, Role.TRIGGER})


class Judgement(NamedTuple):
    """How one scenario went. `confidence` is that of the stated root cause, None when none was stated.

    `unmet` says which further expectations do not hold.
    """

    name: str
    kind: str
    service: str
    top1: bool
    top3: bool
    abstained: bool
    accused: tuple[str, ...]
    missing_gaps: tuple[str, ...]
    dangling: tuple[str, ...]
    writes: int
    deterministic: bool
    confidence: float | None
    status: str
    said: str
    seconds: float
    aws_calls: int
    model_calls: int = 0
    unmet: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether everything that was expected holds."""
        wrong = (self.accused, self.missing_gaps, self.dangling, self.writes, self.unmet)
        return self.top1 and self.deterministic and not any(wrong)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**self._asdict(), "right": self.right}


def judge(
    scenario: Scenario, expect: Expect, report: Report, replayed: Report | None, writes: int, resolved: set[str]
) -> Judgement:
    """Compare the report with the expectation; `resolved` are the evidence ids that the stored bundle holds."""
    named = [(h.cause, h.resource) for h in report.hypotheses if h.role is not Role.RULED_OUT]
    root = (report.root_cause.cause, report.root_cause.resource) if report.root_cause else None
    wanted = [(expect.cause, expect.resource), *expect.accept] if expect.cause else []
    told = {(h.cause, h.resource) for h in report.hypotheses if h.role in ACCUSING and h.confidence >= THRESHOLD}
    if wanted:
        top1 = root in wanted and report.status is ReportStatus.COMPLETED and all(pair in told for pair in expect.also)
        top3 = any(pair in named[:3] for pair in wanted)
    else:
        top1 = top3 = root is None and report.status == expect.status
    return Judgement(
        name=scenario.name,
        kind=scenario.kind.value,
        service=scenario.service,
        top1=top1,
        top3=top3,
        abstained=root is None,
        accused=tuple(sorted(r for r in expect.innocent if any(resource == r for _, resource in told))),
        missing_gaps=tuple(a for a in expect.gaps if a not in {gap.action for gap in report.gaps}),
        dangling=tuple(sorted(_cited(report) - {e.id for e in report.evidence} | (_cited(report) - resolved))),
        writes=writes,
        deterministic=replayed is not None and replayed.digest == report.digest,
        confidence=report.root_cause.confidence if report.root_cause else None,
        status=report.status.value,
        said=report.headline,
        seconds=report.duration_seconds,
        aws_calls=report.usage.aws_calls,
        model_calls=report.usage.model_calls,
        unmet=tuple(_unmet(expect, report)),
    )


def _unmet(expect: Expect, report: Report) -> Iterator[str]:
    """Yield what else was expected and is not so."""
    triggers = [h.resource for h in report.hypotheses if h.role is Role.TRIGGER]
    shown = {(h.cause, h.resource) for h in report.hypotheses if h.role is not Role.RULED_OUT}
    stated = "\n".join(fact.statement for part in report.specialists for fact in part.facts)
    sure = report.root_cause.confidence if report.root_cause else 0.0
    cited = " ".join(f"{one.title} {one.source}" for one in report.runbooks)
    level = report.severity.level
    checks = (
        (expect.trigger is None or triggers[:1] == [expect.trigger][: bool(expect.trigger)], f"trigger {triggers}"),
        (expect.severity in {None, level}, f"severity {level.value}"),
        (sure <= expect.confidence_at_most, f"confidence {sure:.2f}"),
        (expect.runbook is None or expect.runbook in cited, f"runbooks {cited or 'none'}"),
        *((part in report.summary, f"does not say “{part}”") for part in expect.says),
        *((part not in report.summary, f"says “{part}”") for part in expect.omits),
        *((part in stated, f"nobody states “{part}”") for part in expect.facts),
        *((pair in shown, f"does not show {pair[0]}") for pair in expect.shown),
    )
    yield from (problem for holds, problem in checks if not holds)


def _cited(report: Report) -> set[str]:
    cited = {e for h in report.hypotheses for e in (*h.evidence, *h.contradicting)}
    cited |= {e for s in report.specialists for f in s.facts for e in f.evidence}
    return cited | {e for entry in report.timeline for e in entry.evidence}


def must_abstain(judgement: Judgement) -> bool:
    """Whether the scenario is one in which nothing may be named."""
    return judgement.kind in {Kind.HEALTHY.value, Kind.INSUFFICIENT.value}
