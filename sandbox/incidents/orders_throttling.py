"""The demo: someone cut the write capacity of `orders` to a hundredth, and every second order fails.

T - 2 min   deploy-bot: UpdateTable orders 500 → 5 WCU
T           burst capacity is used up: PutItem is throttled, create-order raises, orders-api answers 502
T + 2 min   alarm orders-api-5xx
now         T + 4 min and a bit
"""

from datetime import UTC, datetime, timedelta

from sandbox.aws import signals
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from sandbox.incidents import orders_signals, orders_system
from sandbox.incidents.incident import Alarm, Expected, Incident
from sandbox.incidents.orders_signals import CUT, FULL

ALARM = "orders-api-5xx"


def seed(aws: LocalAws, now: datetime | None = None) -> Incident:
    """Build the system and its last four hours; `now` is told in UTC and defaults to the present."""
    world = World(aws, now or datetime.now(UTC), seed="orders-throttling")
    began = world.now.replace(second=0, microsecond=0) - timedelta(minutes=4)
    cut_at = began - timedelta(minutes=2)
    system = orders_system.deploy(world, write_capacity=CUT)
    history = orders_signals.minutes(world, began, cut_at)
    orders_signals.report_metrics(world, history)
    orders_signals.write_logs(world, history)
    orders_signals.record_routine_changes(world)
    event = _record_cut(world, cut_at)
    alarm = _raise_alarm(world, began + timedelta(minutes=2))
    for second in range(0, 240, 15):
        at = began + timedelta(seconds=second)
        orders_signals.send_trace(world, system, at - timedelta(minutes=10), throttled=False)
        orders_signals.send_trace(world, system, at, throttled=second % 30 == 0)
    failing = orders_signals.send_trace(world, system, began + timedelta(seconds=184.2), throttled=True)
    return Incident(
        name="orders_throttling",
        trace_id=failing,
        region=world.region,
        account=world.account,
        now=world.now,
        since=began,
        root=system.orders,
        symptoms=(system.create_order, system.api),
        innocents=(
            system.inventory,
            system.get_order,
            system.invoice_worker,
            system.invoices,
            system.create_order_role,
        ),
        arns=system.arns(),
        alarm=alarm,
        expected=Expected(
            status="completed", cause="ddb-provisioned-exceeded", resource=system.orders, trigger_event=event
        ),
    )


def _record_cut(world: World, at: datetime) -> str:
    request = {"tableName": "orders", "provisionedThroughput": {"readCapacityUnits": 100, "writeCapacityUnits": CUT}}
    before = {"readCapacityUnits": 100, "writeCapacityUnits": FULL, "numberOfDecreasesToday": 0}
    description = {
        "tableName": "orders",
        "tableStatus": "UPDATING",
        "tableArn": world.arn("dynamodb", "table/orders"),
        "provisionedThroughput": before,
    }
    return signals.cloudtrail_event(
        world,
        "UpdateTable",
        "dynamodb",
        [("AWS::DynamoDB::Table", "orders")],
        who="deploy-bot",
        when=at,
        request=request,
        response={"tableDescription": description},
    )


def _raise_alarm(world: World, at: datetime) -> Alarm:
    stage = {"ApiName": "orders-api", "Stage": "prod"}
    reason = "Threshold Crossed: 1 datapoint [318.0] was greater than the threshold (10.0)."
    signals.alarm(world, ALARM, "AWS/ApiGateway", "5XXError", stage, threshold=10, transitions=[(at, "ALARM", reason)])
    return Alarm(name=ALARM, at=at, reason=reason, dimensions=stage)
