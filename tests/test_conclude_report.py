"""The report: the same whatever order things arrive in, every citation resolves, impact and timeline from evidence."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.terminal import render_report
from domain.causes import CAUSES
from domain.evidence import Evidence
from domain.findings import Advice, Fact, Hypothesis, Strength, Support
from domain.gap import Gap, GapReason
from domain.graph import ServiceGraph
from domain.report import Report, ReportStatus, SeverityLevel
from domain.result import SpecialistResult, SpecialistStatus
from domain.trace import TraceOverview, TraceSegment
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries, Point
from tests.support.concluding import (
    API,
    CHANGE,
    CODE,
    FUNCTION,
    QUEUE,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    called,
    concluded,
    graph_of,
    hypothesis,
    looks,
    minutes,
    reported,
    result,
    segment,
    traced,
)

TRACE = traced(*THROTTLED_TRACE)
T, F = looks(TABLE, "capacity", "metric"), looks(FUNCTION, "log", "errors")
UPDATE = Change(
    resource=TABLE, source="cloudtrail:LookupEvents", observed_at=minutes(-2), event_id="ev-1", event_name="UpdateTable",
    event_source="dynamodb.amazonaws.com", who="deploy-bot",
)  # fmt: skip
DENIED_GAP = Gap(
    specialist="lambda",
    probe="logs",
    resource=FUNCTION,
    reason=GapReason.ACCESS_DENIED,
    action="logs:FilterLogEvents",
    message="grant logs:FilterLogEvents",
)


def counts(resource: str, namespace: str, metric: str, values: Sequence[float], **dimensions: str) -> MetricSeries:
    points = tuple(Point(at=minutes(n), value=v) for n, v in enumerate(values))
    return MetricSeries(
        resource=resource, source="cloudwatch:GetMetricData", namespace=namespace, metric=metric, dimensions=dimensions or {"Name": "x"},
        statistic="Sum", period_seconds=60, points=points,
    )  # fmt: skip


def incident() -> tuple[tuple[Evidence, ...], list[SpecialistResult]]:
    evidence = (*TRACE, *T, *F, UPDATE)
    dynamodb = result(
        hypothesis(THROTTLED, TABLE, proof=[THROTTLED_TRACE[3]], strong=T, specialist="dynamodb"),
        hypothesis(CHANGE, TABLE, proof=[UPDATE], since=-2, specialist="dynamodb"),
        name="dynamodb", facts=[Fact(statement="5 of 5 WCU", evidence=(T[0].id,))],
    )  # fmt: skip
    functions = result(hypothesis(CODE, FUNCTION, proof=F[:1], specialist="lambda"), name="lambda", gaps=[DENIED_GAP])
    return evidence, [dynamodb, functions]


# --- order


def shuffled(items: Sequence[Any], seed: int) -> list[Any]:
    return random.Random(seed).sample(list(items), len(items))


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_arrival_changes_no_byte_of_the_report(seed: int) -> None:
    evidence, results = incident()
    mixed = [
        r.model_copy(update={"hypotheses": tuple(shuffled(r.hypotheses, seed)), "gaps": tuple(shuffled(r.gaps, seed))})
        for r in shuffled(results, seed)
    ]
    graph = graph_of(evidence)
    turned = ServiceGraph.of(shuffled(graph.nodes, seed), shuffled(graph.edges, seed))

    first, second = reported(evidence, results), reported(shuffled(evidence, seed), mixed, turned)
    assert second.model_dump_json() == first.model_dump_json()


def test_the_digest_follows_the_evidence_and_not_the_run() -> None:
    evidence, results = incident()
    slower = [r.model_copy(update={"duration_seconds": 9.0, "looks": 99}) for r in results]

    assert reported(evidence, slower).digest == reported(evidence, results).digest
    assert reported(evidence[:-1], results).digest != reported(evidence, results).digest


PLACES = st.sampled_from([API, FUNCTION, TABLE, QUEUE, "remote:api.stripe.com"])
SIGNS = [*TRACE, *T, *F, *looks(QUEUE, "depth"), UPDATE]
CITED = st.builds(
    Support, evidence=st.sampled_from([*(e.id for e in SIGNS), "E-0000000000"]), strength=st.sampled_from(Strength)
)
HYPOTHESES = st.builds(
    Hypothesis,
    cause=st.sampled_from(sorted(CAUSES)), resource=PLACES, summary=st.sampled_from(["it broke", "so it did"]),
    supports=st.lists(CITED, min_size=1, max_size=4).map(tuple), contradicting=st.lists(CITED, max_size=2).map(tuple),
    since=st.one_of(st.none(), st.integers(-90, 90).map(minutes)), defers_to=st.lists(PLACES, max_size=2).map(tuple), specialist=st.sampled_from(["a", "b"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(HYPOTHESES, max_size=7), st.randoms(use_true_random=False))
def test_any_hypotheses_give_one_conclusion_in_any_order(found: list[Hypothesis], chance: random.Random) -> None:
    half = len(found) // 2
    other = chance.sample(found, len(found))
    one = reported(SIGNS, [result(*found[:half], name="a"), result(*found[half:], name="b")])
    two = reported(
        chance.sample(SIGNS, len(SIGNS)),
        [result(*[h for h in other if h in found[half:]], name="b"), result(*[h for h in other if h in found[:half]], name="a")],
    )  # fmt: skip

    assert {(h.cause, h.resource, h.role, h.confidence, h.explained_by) for h in two.hypotheses} == {
        (h.cause, h.resource, h.role, h.confidence, h.explained_by) for h in one.hypotheses
    }
    assert two.root_cause == one.root_cause
    assert citations(one) <= {e.id for e in one.evidence}
    assert sum(h.role.value == "root_cause" for h in one.hypotheses) == int(one.root_cause is not None)
    assert one.status is (ReportStatus.COMPLETED if one.root_cause else ReportStatus.INCONCLUSIVE)


# --- citations and shape


def citations(report: Report) -> set[str]:
    found = {e for h in report.hypotheses for e in (*h.evidence, *h.contradicting)}
    found |= {e for s in report.specialists for f in s.facts for e in f.evidence}
    found |= {e for s in report.specialists for a in s.advice for e in a.evidence}
    found |= {e for a in report.advice for e in a.evidence} | set(report.severity.evidence)
    found |= {e for t in report.timeline for e in t.evidence}
    return found | set(report.root_cause.evidence if report.root_cause else ())


def test_every_cited_id_resolves_also_when_a_specialist_cites_what_nobody_saw() -> None:
    evidence, results = incident()
    liar = result(
        name="liar",
        facts=[
            Fact(statement="trust me", evidence=("E-0000000000",)),
            Fact(statement="half", evidence=("E-0000000000", T[0].id)),
        ],
    )
    liar = liar.model_copy(update={"advice": (Advice(text="do it", resource=TABLE, evidence=("E-0000000000",)),)})
    report = reported(evidence, [*results, liar])

    assert citations(report) <= {e.id for e in report.evidence}
    assert [f.statement for s in report.specialists if s.name == "liar" for f in s.facts] == ["half"]


DESIGNED = {
    "investigation_id", "status", "trigger", "window", "started_at", "completed_at", "duration_seconds", "affected_resources", "service_graph",
    "specialists", "root_cause", "contributing_factors", "hypotheses", "evidence", "severity", "timeline", "gaps", "proposed_actions", "usage", "digest",
}  # fmt: skip
MORE = {"headline", "summary", "next_look", "told", "told_note", "advice", "agreement", "pictures", "runbooks"}
"""What people read, beside the keys that others rely on."""


def test_the_json_has_the_designed_keys() -> None:
    shown = reported(*incident()).as_json()

    assert DESIGNED <= set(shown) <= DESIGNED | MORE
    assert set(shown["window"]) == {"start", "end"}
    assert set(shown["service_graph"]) == {"nodes", "edges"}
    assert set(shown["root_cause"]) == {"cause", "resource", "summary", "confidence", "evidence"}
    assert {"cause", "resource", "summary", "confidence", "role", "evidence", "contradicting", "specialist"} <= set(
        shown["hypotheses"][0]
    )
    assert {"id", "resource", "summary", "source", "observed_at", "link"} == set(shown["evidence"][0])
    assert {"specialist", "probe", "resource", "reason", "action", "message"} == set(shown["gaps"][0])
    assert {"name", "status", "duration_seconds", "facts", "hypotheses", "advice", "gaps", "usage"} <= set(
        shown["specialists"][0]
    )
    assert {"input_tokens", "output_tokens", "model_calls", "usd"} <= set(shown["usage"])
    assert {"level", "reason"} <= set(shown["severity"])


def test_the_verdict_says_cause_change_and_symptoms() -> None:
    report = reported(*incident())

    assert report.headline == "DynamoDB table `orders` — " + CAUSES[THROTTLED].title
    assert "`create-order` is a symptom." in report.summary
    assert [h.role.value for h in report.contributing_factors] == ["trigger"]
    assert [g.action for g in report.gaps] == ["logs:FilterLogEvents"]


# --- impact and timeline


@pytest.mark.parametrize(
    ("failing", "level"),
    [(60, SeverityLevel.CRITICAL), (20, SeverityLevel.HIGH), (2, SeverityLevel.MEDIUM), (0.5, SeverityLevel.LOW)],
)
def test_severity_is_the_failing_share_since_the_first_failure(failing: float, level: SeverityLevel) -> None:
    broken = traced(segment(FUNCTION, fault=True, origin=True))
    metrics = (
        counts(FUNCTION, "AWS/Lambda", "Errors", [0, 0, failing, failing]),
        counts(FUNCTION, "AWS/Lambda", "Invocations", [900, 900, 100, 100]),
    )
    severity = concluded((*broken, *metrics)).severity

    assert (severity.level, severity.failing_share) == (level, failing / 100)
    assert set(severity.evidence) == {m.id for m in metrics}


def test_severity_is_measured_at_the_entry_of_the_failing_path() -> None:
    metrics = (
        counts(API, "AWS/ApiGateway", "5XXError", [10]), counts(API, "AWS/ApiGateway", "Count", [100]),
        counts(FUNCTION, "AWS/Lambda", "Errors", [90]), counts(FUNCTION, "AWS/Lambda", "Invocations", [100]),
    )  # fmt: skip

    assert concluded((*TRACE, *metrics)).severity.failing_share == 0.1


def test_severity_compares_only_series_of_the_same_dimensions() -> None:
    metrics = (
        counts(FUNCTION, "AWS/Lambda", "Errors", [9], Resource="f:live"),
        counts(FUNCTION, "AWS/Lambda", "Invocations", [10], FunctionName="f"),
    )

    assert concluded((*TRACE, *metrics)).severity.level is SeverityLevel.UNKNOWN


def test_severity_is_unknown_without_metrics_and_none_without_a_failure() -> None:
    assert concluded(TRACE).severity.level is SeverityLevel.UNKNOWN
    assert concluded(traced(segment(FUNCTION)), results=[result()]).severity.level is SeverityLevel.NONE


def test_the_timeline_tells_change_onset_and_trace_in_time_order() -> None:
    timeline = reported(*incident()).timeline

    assert [entry.at for entry in timeline] == sorted(entry.at for entry in timeline)
    assert timeline[0].what.startswith("`orders`: UpdateTable by deploy-bot")
    assert "UTC" not in timeline[0].what
    assert any(entry.what.startswith("first sign at DynamoDB table `orders`") for entry in timeline)


def test_several_traced_requests_are_one_line_that_cites_them_all() -> None:
    evidence, results = incident()
    first = next(e for e in evidence if isinstance(e, TraceOverview))
    later = [
        first.model_copy(update={"trace_id": f"1-{n}", "start": first.start + timedelta(seconds=n)}) for n in (1, 2)
    ]
    told = [e for e in reported((*evidence, *later), results).timeline if "traced request" in e.what]

    assert [e.what.split(":")[0] for e in told] == ["the first of 3 traced requests"]
    assert told[0].evidence[0] == first.id
    assert set(told[0].evidence) == {first.id, *(e.id for e in later)}


@pytest.mark.parametrize("fields", [{"error_code": "AccessDenied"}, {"event_name": "TagResource"}])
def test_a_change_that_had_no_effect_or_is_not_cited_is_no_part_of_the_timeline(fields: dict[str, str]) -> None:
    other = UPDATE.model_copy(update={"event_id": "ev-2", **fields})
    evidence, results = incident()
    results[0] = results[0].model_copy(update={"hypotheses": results[0].hypotheses[:1]})

    assert all("deploy-bot" not in entry.what for entry in reported((*evidence[:-1], other), results).timeline)


# --- healthy, open, unseen


def test_a_healthy_trace_is_completed_without_a_root_cause() -> None:
    report = reported(traced(segment(FUNCTION), called(FUNCTION, TABLE)), [result()])

    assert (report.status, report.root_cause, report.timeline) == (ReportStatus.COMPLETED, None, ())
    assert report.summary.startswith("The trace is healthy: 1 segments, 1 subsegments, 500 ms; 1 of 1 calls succeeded.")


def test_a_healthy_verdict_says_what_could_not_be_checked() -> None:
    report = reported(traced(segment(FUNCTION)), [result(gaps=[DENIED_GAP], status=SpecialistStatus.PARTIAL)])

    assert report.status is ReportStatus.COMPLETED
    assert "Could not check everything: grant logs:FilterLogEvents." in report.summary


def test_a_failing_trace_that_nobody_explains_is_inconclusive_and_names_the_next_look() -> None:
    report = reported(TRACE, [result(gaps=[DENIED_GAP], status=SpecialistStatus.PARTIAL)])

    assert report.status is ReportStatus.INCONCLUSIVE
    assert report.headline == "Something is failing in DynamoDB table `orders`, but the evidence does not decide"
    assert report.next_look == "grant logs:FilterLogEvents"


@pytest.mark.parametrize("status", [SpecialistStatus.FAILED, SpecialistStatus.TIMEOUT])
def test_without_a_trace_a_specialist_that_could_not_look_is_no_all_clear(status: SpecialistStatus) -> None:
    report = reported(F, [result(name="lambda"), result(name="iam", gaps=[DENIED_GAP], status=status)])

    assert report.status is ReportStatus.INCONCLUSIVE
    assert report.headline == "Nothing wrong was seen, but not everything could be looked at"
    assert report.summary == "No full view from iam."


@pytest.mark.parametrize("seed", range(3))
def test_who_could_not_look_is_listed_by_name_whoever_came_first(seed: int) -> None:
    blind = [result(name=name, status=SpecialistStatus.FAILED) for name in ("vpc", "iam", "sqs")]

    assert reported(F, shuffled([*blind, result()], seed)).summary == "No full view from iam, sqs and vpc."


def test_nothing_seen_at_all_is_inconclusive() -> None:
    report = reported((), [result(gaps=[DENIED_GAP], status=SpecialistStatus.FAILED)], graph_of(F))

    assert (report.status, report.headline) == (ReportStatus.INCONCLUSIVE, "Nothing could be seen")
    assert report.next_look == "grant logs:FilterLogEvents"


def test_looks_without_a_trace_that_find_nothing_are_healthy() -> None:
    assert reported(F, [result()]).status is ReportStatus.COMPLETED


FAILS = counts(FUNCTION, "AWS/Lambda", "Errors", [0, 30, 40])
CALLS = counts(FUNCTION, "AWS/Lambda", "Invocations", [100, 100, 100])
USUAL = (Point(at=minutes(-5), value=25),)


def test_requests_that_fail_more_than_usual_are_no_all_clear() -> None:
    advice = Advice(text="Turn its log on.", resource=FUNCTION, evidence=(FAILS.id,))
    report = reported((FAILS, CALLS), [result().model_copy(update={"advice": (advice,)})], graph_of(F))

    assert report.status is ReportStatus.INCONCLUSIVE
    assert report.headline == (
        "Something is failing in Lambda function `create-order`, and nothing that was looked at explains it"
    )
    assert report.summary.startswith("35% of the requests to Lambda function `create-order` fail (about 35 a minute)")
    assert [a.text for a in report.advice] == ["Turn its log on."]


@pytest.mark.parametrize(
    "seen",
    [
        (FAILS.model_copy(update={"baseline": USUAL}), CALLS),
        (counts(FUNCTION, "AWS/Lambda", "Errors", [0, 1, 0]), CALLS),
        (FAILS, CALLS, *traced(segment(FUNCTION))),
    ],
    ids=["as ever", "a stray one", "beside a healthy trace"],
)
def test_few_failures_or_usual_ones_leave_a_healthy_report(seen: Sequence[Evidence]) -> None:
    assert reported(seen, [result()], graph_of(F)).status is ReportStatus.COMPLETED


def test_who_fails_with_it_has_the_heading_where_no_share_is_known() -> None:
    evidence, results = incident()
    lines = render_report(reported(evidence, results)).splitlines()

    assert next(line for line in lines if "failing with it" in line).startswith("Impact  failing with it: ")


def test_a_segment_in_progress_is_no_failure() -> None:
    running: TraceSegment = segment(FUNCTION).model_copy(update={"seconds": None})

    assert reported(traced(running), [result()]).status is ReportStatus.COMPLETED
