"""Scenes for proposals: a verdict, what was seen, and what may be offered for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.action import Effect, ProposedAction
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis, Role
from specialists.contract import Proposal
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries, Point
from tests.support.probing import WINDOW

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
MAPPING = "3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f"
OTHER_KEY = "arn:aws:kms:eu-west-1:123456789012:key/99999999-2222-3333-4444-555555555555"
CANCEL = ("kms.cancel_deletion", Effect.MENDS, {"KeyId": KEY})
ENABLE = ("kms.enable_key", Effect.MENDS, {"KeyId": KEY})

Offer = tuple[str, Effect, Mapping[str, Any]]
"""An action's kind, effect and parameters."""


class Scene(NamedTuple):
    """A verdict and what was seen; `expected` is empty for a near miss. `cites` are the positions that it rests on."""

    name: str
    offer: Proposal
    cause: str
    resource: str
    evidence: tuple[Evidence, ...]
    expected: tuple[Offer, ...] = ()
    cites: tuple[int, ...] | None = None
    since: datetime | None = None


def offered(scene: Scene) -> list[ProposedAction]:
    """What the proposal offers, with ids of what was seen only."""
    cited = scene.evidence if scene.cites is None else [scene.evidence[n] for n in scene.cites]
    verdict = RankedHypothesis(
        cause=scene.cause,
        resource=scene.resource,
        summary="it is so",
        confidence=0.9,
        role=Role.ROOT_CAUSE,
        evidence=tuple(item.id for item in cited),
        specialist="test",
        since=scene.since,
    )
    return list(scene.offer.propose(verdict, EvidenceBundle(scene.evidence)))


def offers(scene: Scene) -> tuple[Offer, ...]:
    """The same as kinds, effects and parameters."""
    return tuple((a.kind, a.effect, a.parameters) for a in offered(scene))


def label(scene: Scene) -> str:
    """The scene's name, for a test's id."""
    return scene.name


def minute(number: float) -> datetime:
    """A moment, in minutes from the window's start."""
    return WINDOW.start + timedelta(minutes=number)


def change(resource: str, name: str, at: float, parameters: Mapping[str, str], *, error: str | None = None) -> Change:
    """A change of CloudTrail, `at` minutes from the window's start."""
    return Change(
        resource=resource,
        source="cloudtrail:LookupEvents",
        observed_at=minute(at),
        event_id=f"{name}-{at}",
        event_name=name,
        event_source="any.amazonaws.com",
        who="mia",
        parameters=dict(parameters),
        error_code=error,
    )


def series(
    resource: str,
    metric: str,
    dimensions: Mapping[str, str],
    *values: float,
    usual: tuple[float, ...] = (),
    statistic: str = "Sum",
    namespace: str = "AWS/Any",
) -> MetricSeries:
    """A series by minute in the window, and by minute before it."""
    return MetricSeries(
        resource=resource,
        source="cloudwatch:GetMetricData",
        namespace=namespace,
        metric=metric,
        dimensions=dict(dimensions),
        statistic=statistic,
        period_seconds=60,
        points=tuple(Point(at=minute(n), value=v) for n, v in enumerate(values)),
        baseline=tuple(Point(at=minute(n - 60), value=v) for n, v in enumerate(usual)),
    )
