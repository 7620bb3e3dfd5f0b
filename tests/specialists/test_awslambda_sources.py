"""Event sources that stopped feeding a function within the window, and what a blocked shard's record makes it raise."""

import pytest

from sandbox.aws import resources
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.awslambda.evidence import SourceQueue
from specialists.awslambda.probes import triggers
from tests.specialists.awslambda_building import FN, QUEUE, STREAM, change, fed_by, logs, minute, named, series
from tests.support.probing import look_with

PATTERN = '{"body":{"type":["refund"]}}'
STOPS = [10] * 10 + [0] * 10
USUAL = [10] * 60
DELETED = series("NumberOfMessagesDeleted", [9] * 20, [9] * 60, "Sum", "AWS/SQS", QueueName="orders")
FAILING = series("Errors", [9] * 20, [0] * 60)
BEHIND = series("IteratorAge", [60_000 * n for n in range(1, 21)], [900] * 60, "Maximum")


def test_a_filter_set_within_the_window_drops_what_came_since():
    switched = change("UpdateEventSourceMapping20150331", at=10, **{"filterCriteria.filters.0.pattern": PATTERN})
    idle = series("Invocations", STOPS, USUAL)
    found = named(fed_by(filters=(PATTERN,)), idle, DELETED, switched)["esm-filter-drops-all"]

    assert found.summary.startswith("90 events of `orders` were deleted and `orders-fn` did not run")
    assert found.summary.endswith("; `deploy-bot` made UpdateEventSourceMapping at 09:46")
    assert found.since == minute(10)


def test_a_filter_that_still_lets_some_through_is_not_accused():
    assert "esm-filter-drops-all" not in named(
        fed_by(filters=(PATTERN,)), series("Invocations", [1] * 20, USUAL), DELETED
    )


def test_a_mapping_switched_off_within_the_window_is_accused():
    off = fed_by(state="Disabled", last_modified=minute(-60 * 24 * 90))

    assert "esm-disabled" in named(off, series("Invocations", STOPS, USUAL))
    assert "esm-disabled" not in named(off, series("Invocations", [10] * 20, USUAL))


def test_a_blocked_shard_tells_what_its_record_makes_the_function_raise():
    line = '2026/11/21 09:53:11 {"errorMessage":"entry 8841-c has no amount","errorType":"errorString"}'
    found = named(fed_by(STREAM, retries=-1), BEHIND, FAILING, logs(line))["stream-poison-record"]

    assert "; it raises errorString: entry 8841-c has no amount" in found.summary
    assert logs(line).id in found.evidence


def test_a_source_queue_that_is_gone_is_no_gap(monkeypatch: pytest.MonkeyPatch):
    with LocalAws() as local:
        for name, value in local.environment().items():
            monkeypatch.setenv(name, value)
        resources.queue(World(local), "clicks", VisibilityTimeout="45")
        there = fed_by(QUEUE.replace(":orders", ":clicks"))
        found = look_with(triggers.source_queues, FN, seen=[there])

        assert [one.visibility_seconds for one in found if isinstance(one, SourceQueue)] == [45]
        assert look_with(triggers.source_queues, FN, seen=[fed_by()]) == []
