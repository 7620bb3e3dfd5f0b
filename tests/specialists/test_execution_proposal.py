"""Planning: which action first, what speaks against it, and when to change nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import RankedHypothesis, Role, Severity, SeverityLevel
from domain.window import Window
from remediation.catalogue import checked
from specialists.contract import Concluded, Plan
from specialists.execution_proposal import SPECIALIST
from specialists.execution_proposal.planning import plan
from specialists.kit.actions import proposed
from specialists.kit.series import MetricSeries, Point
from specialists.registry import all_specialists

START = datetime(2026, 3, 1, 9, 40, tzinfo=UTC)
API = "arn:aws:apigateway:eu-west-1::/restapis/orders"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
OTHER = "arn:aws:dynamodb:eu-west-1:123456789012:table/invoices"


def series(metric: str, *values: float) -> MetricSeries:
    points = tuple(Point(at=START + timedelta(minutes=n), value=v) for n, v in enumerate(values))
    return MetricSeries(
        resource=API,
        source="cloudwatch:GetMetricData",
        namespace="AWS/ApiGateway",
        metric=metric,
        dimensions={"ApiName": "orders"},
        statistic="Sum",
        period_seconds=60,
        points=points,
    )


def action(
    title: str,
    *,
    resource: str = TABLE,
    risk: Risk = Risk.LOW,
    effect: Effect = Effect.MENDS,
    reversible: bool = True,
    trade_off: str = "",
) -> ProposedAction:
    return proposed(
        "dynamodb.switch_to_on_demand",
        call=("dynamodb", "UpdateTable"),
        parameters={"TableName": title, "BillingMode": "PAY_PER_REQUEST"},
        resource=resource,
        title=title,
        rationale="because",
        expected_effect="it ends",
        risk=risk,
        undo="back",
        verification="look",
        evidence=("E-1",),
        reversible=reversible,
        effect=effect,
        trade_off=trade_off,
    )


def planned(
    *offered: ProposedAction,
    failures: tuple[float, ...] = (),
    requests: tuple[float, ...] = (),
    level: SeverityLevel = SeverityLevel.HIGH,
    role: Role = Role.ROOT_CAUSE,
) -> Plan:
    failing, total = series("5XXError", *failures), series("Count", *requests)
    root = RankedHypothesis(
        cause="ddb-provisioned-exceeded",
        resource=TABLE,
        summary="throttled",
        confidence=0.9,
        role=role,
        evidence=("E-1",),
        specialist="dynamodb",
    )
    return plan(
        Concluded(
            ranked=(root,),
            severity=Severity(level=level, reason="0.4% of the requests fail", evidence=(failing.id, total.id)),
            evidence=EvidenceBundle([failing, total]),
            graph=ServiceGraph(),
            window=Window(start=START, end=START + timedelta(minutes=20)),
            offered=offered,
        )
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (action("ours"), action("elsewhere", resource=OTHER)),
        (action("can be undone", risk=Risk.HIGH), action("cannot", reversible=False)),
        (action("low"), action("medium", risk=Risk.MEDIUM)),
        (action("undoes", effect=Effect.UNDOES), action("mends")),
        (action("mends"), action("relieves", effect=Effect.RELIEVES)),
    ],
    ids=["the root cause first", "reversible first", "least risk first", "the way back first", "mending first"],
)
def test_actions_stand_in_the_order_to_consider_them(first: ProposedAction, second: ProposedAction) -> None:
    both_ways = [planned(first, second).actions, planned(second, first).actions]

    assert both_ways == [(first, second)] * 2


def test_what_speaks_against_an_action_is_told_with_its_evidence() -> None:
    facts = planned(
        action("on-demand", trade_off="costs more"), action("drop", reversible=False), action("plain")
    ).facts

    assert [f.statement for f in facts] == ["on-demand: costs more", "drop: it cannot be taken back"]
    assert all(f.evidence for f in facts)


def test_what_has_recovered_is_watched_first_and_the_rest_stays_offered() -> None:
    made = planned(action("restore"), failures=(0, 5, 4, 0), requests=(9,) * 12)

    assert [a.kind for a in made.actions] == ["cloudwatch.watch", "dynamodb.switch_to_on_demand"]
    assert "recovered by itself" in made.actions[0].rationale


@pytest.mark.parametrize(
    ("failures", "requests"),
    [
        ((0, 5, 4, 3, 2, 5, 4, 3), (9,) * 8),
        ((0, 5, 4, 0, 0, 0, 0), (9,) * 7),
        ((0, 5, 4), (9, 9, 9)),
        ((), ()),
    ],
    ids=["it goes on", "too short a pause", "no requests since", "nothing measured"],
)
def test_what_may_go_on_is_not_watched_only(failures: tuple[float, ...], requests: tuple[float, ...]) -> None:
    assert [a.effect for a in planned(action("restore"), failures=failures, requests=requests).actions] == [
        Effect.MENDS
    ]


@pytest.mark.parametrize(
    ("risk", "level", "watches"),
    [
        (Risk.HIGH, SeverityLevel.LOW, True),
        (Risk.HIGH, SeverityLevel.HIGH, False),
        (Risk.MEDIUM, SeverityLevel.LOW, False),
    ],
)
def test_a_step_that_risks_more_than_it_mends_stands_behind_watching(
    risk: Risk, level: SeverityLevel, watches: bool
) -> None:
    made = planned(action("replace", risk=risk), failures=(0, 1, 0, 1), requests=(99,) * 4, level=level)

    assert (made.actions[0].effect is Effect.WATCHES) is watches


def test_watching_is_in_the_catalogue_and_previews_a_read() -> None:
    watch = planned(failures=(5, 0), requests=(9,) * 9).actions[0]

    assert checked(watch).operation == "GetMetricData"
    assert watch.cli.startswith("aws cloudwatch get-metric-data --region eu-west-1")


def test_without_an_action_the_plan_says_so_and_without_a_root_cause_there_is_none() -> None:
    assert "No action of the catalogue" in planned(failures=(5,), requests=(9,)).advice[0].text
    assert planned(action("restore"), role=Role.MINORITY) == Plan(())


def test_the_planner_is_found_by_the_registry() -> None:
    assert SPECIALIST in all_specialists()
