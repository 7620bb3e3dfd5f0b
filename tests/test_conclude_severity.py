"""How bad it is follows from what was measured: share, breadth, who waits, what backs up; else it is unknown."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.evidence import EvidenceBundle
from domain.graph import Edge, ServiceGraph
from domain.report import Severity, SeverityLevel
from domain.resource import resource_from_arn
from orchestrator.conclude.severity import LEVELS, WAITS, severity
from specialists.kit.series import MetricSeries, Point
from specialists.risk_blast_radius.evidence import Caller, Counts, Handover, ServiceTraffic
from tests.support.concluding import (
    API,
    FUNCTION,
    OTHER,
    QUEUE,
    TABLE,
    THROTTLED_TRACE,
    concluded,
    hypothesis,
    looks,
    minutes,
    traced,
)

LOW, MEDIUM, HIGH, CRITICAL = SeverityLevel.LOW, SeverityLevel.MEDIUM, SeverityLevel.HIGH, SeverityLevel.CRITICAL
ENTRIES = ("service:checkout", "service:basket")


def series(
    resource: str,
    metric: str,
    values: Sequence[float],
    *,
    namespace: str,
    statistic: str = "Sum",
    usual: float | None = None,
) -> MetricSeries:
    return MetricSeries(
        resource=resource, source="cloudwatch:GetMetricData", namespace=namespace, metric=metric, dimensions={"Name": "x"}, statistic=statistic,
        period_seconds=60, points=tuple(Point(at=minutes(n), value=v) for n, v in enumerate(values)),
        baseline=() if usual is None else (Point(at=minutes(-5), value=usual),),
    )  # fmt: skip


def failing(share: float, resource: str = FUNCTION) -> tuple[MetricSeries, ...]:
    """So many of 1,000 requests fail, by CloudWatch."""
    lambda_ = {"namespace": "AWS/Lambda"}
    return series(resource, "Errors", [share * 1000], **lambda_), series(resource, "Invocations", [1000], **lambda_)


def traffic(resource: str, total: int, faults: int, *callers: str) -> ServiceTraffic:
    """X-Ray's counts of ten minutes; each caller's 100 calls fail by half."""
    counts = Counts(total=100, faults=50)
    return ServiceTraffic(
        resource=resource, source="xray:GetServiceGraph", name=resource.rsplit(":", 1)[-1], seconds=600, counts=Counts(total=total, faults=faults),
        callers=tuple(Caller(resource=c, name=c.rsplit(":", 1)[-1], counts=counts) for c in callers),
    )  # fmt: skip


def age(*seconds: float, resource: str = QUEUE, usual: float | None = None) -> MetricSeries:
    return series(
        resource, "ApproximateAgeOfOldestMessage", seconds, namespace="AWS/SQS", statistic="Maximum", usual=usual
    )


def fed() -> Handover:
    return Handover(
        resource=FUNCTION, source="lambda:ListEventSourceMappings", upstream=QUEUE, downstream=FUNCTION, by="event source mapping"
    )  # fmt: skip


def graph(*edges: Edge) -> ServiceGraph:
    return ServiceGraph.of(map(resource_from_arn, (API, FUNCTION, OTHER, TABLE, QUEUE)), edges)


def judged(*evidence: Any, affected: Sequence[str] = (FUNCTION,), around: ServiceGraph | None = None) -> Severity:
    return severity(EvidenceBundle(evidence), around or graph(), set(affected), {FUNCTION}, wrong=True)


# --- requests


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.5, CRITICAL), (0.499, HIGH), (0.1, HIGH), (0.099, MEDIUM), (0.01, MEDIUM), (0.009, LOW)],
)
def test_the_failing_share_alone_sets_the_level(share: float, level: SeverityLevel) -> None:
    found = judged(*failing(share))

    assert (found.level, found.failing_share) == (level, share)


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.5, CRITICAL), (0.1, CRITICAL), (0.099, HIGH), (0.01, HIGH), (0.009, LOW)],
)
def test_from_three_failing_entries_on_it_is_a_level_worse(share: float, level: SeverityLevel) -> None:
    three = traffic(FUNCTION, 100, 1, *ENTRIES, "service:returns")
    two = traffic(FUNCTION, 100, 1, *ENTRIES)

    assert judged(*failing(share), three).level is level
    assert judged(*failing(share), two).level is judged(*failing(share)).level
    assert ("3 services fail at their entries" in judged(*failing(share), three).reason) is (0.01 <= share < 0.5)


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.5, HIGH), (0.499, MEDIUM), (0.1, MEDIUM), (0.099, LOW), (0.01, LOW)],
)
def test_work_that_nobody_waits_for_is_a_level_milder(share: float, level: SeverityLevel) -> None:
    by_mapping = judged(*failing(share), fed())
    by_graph = judged(*failing(share), around=graph(Edge(source=QUEUE, target=FUNCTION)))

    assert by_mapping.level is by_graph.level is level
    assert by_mapping.reason.endswith("; no one waits for it, it is tried again")


def test_a_function_that_also_answers_an_api_has_somebody_who_waits() -> None:
    both = graph(Edge(source=QUEUE, target=FUNCTION), Edge(source=API, target=FUNCTION, calls=1, faults=1))

    assert judged(*failing(0.5), fed(), around=both).level is CRITICAL


def test_a_mapping_that_is_off_hands_nothing_over() -> None:
    off = fed().model_copy(update={"active": False})

    assert judged(*failing(0.5), off).level is CRITICAL


# --- X-Ray where CloudWatch has nothing


def test_x_ray_tells_the_share_where_cloudwatch_has_none() -> None:
    found = judged(traffic(FUNCTION, 200, 96))

    assert (found.level, found.failing_share) == (HIGH, 0.48)
    assert found.reason == "48% of the 200 traced requests to Lambda function `create-order` fail (about 10 a minute)"


def test_cloudwatch_counts_all_requests_and_wins_over_x_rays_part_of_them() -> None:
    assert judged(traffic(FUNCTION, 200, 100), *failing(0.02)).failing_share == 0.02


@pytest.mark.parametrize(("total", "level"), [(20, CRITICAL), (19, SeverityLevel.UNKNOWN)])
def test_a_few_traced_requests_say_nothing_of_the_others(total: int, level: SeverityLevel) -> None:
    assert judged(traffic(FUNCTION, total, total)).level is level


def test_traced_requests_that_all_succeed_leave_it_unknown() -> None:
    assert judged(traffic(FUNCTION, 200, 0)).level is SeverityLevel.UNKNOWN


# --- what waits


@pytest.mark.parametrize(
    ("seconds", "level"), [(3600, HIGH), (3599, MEDIUM), (900, MEDIUM), (899, LOW)]
)  # fmt: skip
def test_a_growing_backlog_is_as_bad_as_its_oldest_message_is_old(seconds: float, level: SeverityLevel) -> None:
    found = judged(age(10, seconds), affected=[QUEUE])

    assert (found.level, found.failing_share) == (level, None)
    assert "the oldest message in `jobs` has waited" in found.reason


@pytest.mark.parametrize(
    ("waiting", "affected"),
    [
        (age(4000, 5999), [QUEUE]),
        (age(10, 6000, usual=4001), [QUEUE]),
        (age(6000, 10), [QUEUE]),
        (age(), [QUEUE]),
        (age(10, 6000), [OTHER]),
    ],
)
def test_what_shrinks_is_usual_or_stands_elsewhere_is_no_backlog(
    waiting: MetricSeries, affected: Sequence[str]
) -> None:
    assert judged(waiting, affected=affected).level is SeverityLevel.UNKNOWN


def test_the_queue_that_feeds_what_is_affected_counts() -> None:
    feeding = graph(Edge(source=QUEUE, target=FUNCTION))

    assert judged(age(10, 4000), around=feeding).level is HIGH


def test_the_worse_of_requests_and_backlog_is_told_first() -> None:
    found = judged(*failing(0.02), age(10, 4000), affected=[FUNCTION, QUEUE])

    assert (found.level, found.failing_share) == (HIGH, 0.02)
    assert found.reason.startswith("the oldest message in `jobs`")
    assert "; 2% of the requests" in found.reason
    assert len(found.evidence) == 3


# --- the whole conclusion


def test_affected_services_and_what_follows_are_told_with_it() -> None:
    evidence = (*traced(*THROTTLED_TRACE), traffic(TABLE, 200, 0, FUNCTION, "service:checkout"), fed())
    found = concluded(
        evidence, hypothesis("ddb-provisioned-exceeded", TABLE, proof=[THROTTLED_TRACE[3]], strong=looks(TABLE, "a"))
    ).severity

    assert set(found.affected_services) == {"a1b2c3", "create-order", "checkout"}
    assert found.spread == "`jobs` feeds `create-order`: its messages are not worked off meanwhile"
    assert found.level is SeverityLevel.UNKNOWN
    assert found.reason == "a traced request failed; no metric tells how many others do"


def test_where_nothing_is_wrong_nothing_is_severe_whatever_was_counted() -> None:
    noisy = EvidenceBundle([*failing(0.9), traffic(FUNCTION, 200, 200), age(10, 9000)])
    found = severity(noisy, graph(), {FUNCTION, QUEUE}, {FUNCTION}, wrong=False)

    assert (found.level, found.affected_services, found.spread) == (SeverityLevel.NONE, (), "")


def test_the_tables_fall_from_the_worst_row_to_the_mildest() -> None:
    for facing in {row.facing for row in LEVELS}:
        rows = [row for row in LEVELS if row.facing is facing]

        assert [row.share for row in rows] == sorted((row.share for row in rows), reverse=True)
    assert [floor for floor, _ in WAITS] == sorted((floor for floor, _ in WAITS), reverse=True)


def test_executions_that_time_out_count_and_few_of_them_are_told_so() -> None:
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:talk-text"
    states = {"namespace": "AWS/States"}
    late = series(machine, "ExecutionsTimedOut", [0, 1, 0, 0], **states)
    started = series(machine, "ExecutionsStarted", [0, 1, 0, 1], **states)
    found = judged(late, started, affected=(machine,))

    assert (found.failing_share, "fail (less than one a minute)" in found.reason) == (0.5, True)
