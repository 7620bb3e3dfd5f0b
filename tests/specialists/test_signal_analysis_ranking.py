"""Which node explains the others: with everything known, and with much of it missing."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialists.signal_analysis.picture import NodeSeries, Picture, Row, Signal
from specialists.signal_analysis.ranking import ranked
from tests.specialists.signal_analysis_building import CALLS, TYPICAL, picture, renamed

ROOTS = ("payments", "stock", "cart", "search")


def first(given: Picture) -> str | None:
    found = ranked(given)
    return found[0].node if found else None


@pytest.mark.parametrize("root", ROOTS)
def test_the_slow_node_explains_those_that_wait_for_it(root: str) -> None:
    found = ranked(picture(root, seconds=0.4))

    assert found[0].node == root
    assert found[0].signal is Signal.LATENCY
    assert found[0].own == pytest.approx(found[0].excess)
    assert {s.node for s in found} > {"front"}


@pytest.mark.parametrize("root", ROOTS)
def test_the_failing_node_explains_those_that_fail_with_it(root: str) -> None:
    found = ranked(picture(root, failing=0.3))

    assert (found[0].node, found[0].signal) == (root, Signal.ERRORS)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("lost", sorted(CALLS), ids="-".join)
def test_a_call_that_the_graph_lost_does_not_make_a_symptom_the_cause(root: str, lost: tuple[str, str]) -> None:
    assert first(picture(root, seconds=0.4, calls=CALLS - {lost})) == root


def test_a_node_that_the_graph_lost_does_not_make_a_symptom_the_cause() -> None:
    assert first(picture("payments", seconds=0.4, without=["cart"])) == "payments"


@pytest.mark.parametrize("root", ROOTS)
def test_without_a_baseline_the_rows_before_the_alarm_tell_what_is_usual(root: str) -> None:
    assert first(picture(root, seconds=0.4, baseline=0)) == root


@pytest.mark.parametrize("root", ROOTS)
def test_without_rows_before_the_alarm_the_baseline_tells_what_is_usual(root: str) -> None:
    assert first(picture(root, seconds=0.4, since=0)) == root


def test_with_neither_alarm_nor_baseline_nothing_says_that_anything_is_wrong() -> None:
    assert first(picture("stock", seconds=0.4, baseline=0, alarmed=None)) is None
    assert first(picture("stock", seconds=0.4, alarmed=None)) == "stock"


def test_a_node_that_nobody_measured_comes_after_those_that_were() -> None:
    found = picture("stock", seconds=0.4)
    guessed = replace(found, nodes={**found.nodes, "stock": replace(found.nodes["stock"], inferred=True)})

    assert first(found) == "stock"
    assert ranked(guessed)[-1].node == "stock"


def test_what_was_so_before_the_alarm_did_not_change_with_it() -> None:
    slow = tuple(row._replace(latency=row.latency + 0.5) for row in picture().nodes["search"].window)
    given = picture("payments", seconds=0.4)
    moved = replace(given, nodes={**given.nodes, "search": replace(given.nodes["search"], window=slow)})

    assert first(moved) == "payments"
    assert first(replace(moved, before=0)) == "search"


def test_what_the_alarmed_signal_does_not_show_is_not_ranked_by_it() -> None:
    assert first(picture("stock", failing=0.3, signal=Signal.LATENCY)) is None
    assert first(picture("stock", failing=0.3, signal=Signal.ERRORS)) == "stock"


def test_an_incident_of_yesterday_does_not_hide_one_of_today() -> None:
    given = picture("stock", seconds=0.4)
    node = given.nodes["stock"]
    past = tuple(
        row._replace(latency=row.latency + 0.6) if 40 <= n < 50 else row for n, row in enumerate(node.baseline)
    )
    known = replace(given, nodes={**given.nodes, "stock": replace(node, baseline=past)})
    often = tuple(row._replace(latency=row.latency + 0.6) if n % 4 == 0 else row for n, row in enumerate(node.baseline))

    assert first(known) == "stock"
    assert first(replace(given, nodes={"stock": replace(node, baseline=often)})) is None


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_normal_data_are_left_in_peace_in_whatever_order_they_come(seed: int) -> None:
    normal = picture(seed=seed)
    shuffled = {}
    for name, series in normal.nodes.items():
        mixed = list(series.window + series.baseline)
        random.Random(seed).shuffle(mixed)
        shuffled[name] = NodeSeries(tuple(mixed[:5]), tuple(mixed[5:]))

    assert ranked(normal) == ()
    assert ranked(replace(normal, nodes=shuffled)) == ()


@given(st.permutations(list(TYPICAL)), st.permutations(list(TYPICAL)), st.sampled_from(ROOTS), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_the_ranking_depends_neither_on_names_nor_on_order(names: list, order: list, root: str, seed: int) -> None:
    given = picture(root, seconds=0.4, seed=seed, calls=CALLS - {("cart", "stock")})
    other = dict(zip(TYPICAL, (f"n-{name}" for name in names), strict=True))
    found = ranked(renamed(given, other, order))

    assert [(s.node, s.own) for s in found] == [(other[s.node], s.own) for s in ranked(given)]


rates = st.one_of(st.none(), st.floats(0, 1))
any_row = st.builds(Row, st.floats(0, 1e6), st.one_of(st.none(), st.floats(0, 1e4)), rates)
any_series = st.builds(
    NodeSeries, st.lists(any_row, max_size=6).map(tuple), st.lists(any_row, max_size=25).map(tuple), st.booleans()
)
names = st.sampled_from("abcdef")


@given(
    st.dictionaries(names, any_series, max_size=6),
    st.frozensets(st.tuples(names, names), max_size=12),
    st.one_of(st.none(), names),
    st.integers(0, 6),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_missing_every_abnormal_node_is_ranked_once(
    nodes: dict, calls: frozenset, alarmed: str | None, before: int
) -> None:
    found = ranked(Picture(nodes, calls, alarmed, None, before))

    assert len({s.node for s in found}) == len(found)
    assert {s.node for s in found} <= set(nodes)
    assert all(s.own <= s.excess * (1 + 1e-9) for s in found)
