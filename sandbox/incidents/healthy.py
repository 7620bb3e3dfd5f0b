"""The same system with nothing wrong in it, and a trace that succeeded."""

from datetime import UTC, datetime

from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from sandbox.incidents import orders_signals, orders_system
from sandbox.incidents.incident import Expected, Incident
from sandbox.incidents.orders_signals import FULL


def seed(aws: LocalAws, now: datetime | None = None) -> Incident:
    """Build the system and its last four hours; `now` is told in UTC and defaults to the present."""
    world = World(aws, now or datetime.now(UTC), seed="healthy")
    system = orders_system.deploy(world, write_capacity=FULL)
    history = orders_signals.minutes(world, None, None)
    orders_signals.report_metrics(world, history)
    orders_signals.write_logs(world, history)
    orders_signals.record_routine_changes(world)
    traces = [
        orders_signals.send_trace(world, system, world.ago(seconds=age), throttled=False) for age in range(600, 60, -30)
    ]
    arns = system.arns()
    return Incident(
        name="healthy",
        trace_id=traces[-4],
        region=world.region,
        account=world.account,
        now=world.now,
        since=None,
        root=None,
        innocents=tuple(sorted(arns.values())),
        arns=arns,
        expected=Expected(status="completed"),
    )
