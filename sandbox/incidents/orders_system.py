"""The orders system, as its owners deployed it.

orders-api/prod ─┬─ POST /orders      → create-order → inventory, orders, invoices (queue) → invoice-worker
                 └─ GET  /orders/{id} → get-order    → orders
"""

from typing import NamedTuple

from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.segments import Stage
from sandbox.aws.world import World


class OrdersSystem(NamedTuple):
    """ARNs of the parts, and the stage that callers talk to."""

    stage: Stage
    api: str
    create_order: str
    create_order_role: str
    get_order: str
    invoice_worker: str
    orders: str
    inventory: str
    invoices: str

    def arns(self) -> dict[str, str]:
        """Return the parts by their names in AWS."""
        named = {self.stage.api_name: self.api, "create-order-role": self.create_order_role}
        plain = (self.create_order, self.get_order, self.invoice_worker, self.orders, self.inventory, self.invoices)
        return named | {arn.replace("/", ":").rpartition(":")[2]: arn for arn in plain}


def deploy(world: World, *, write_capacity: int) -> OrdersSystem:
    """Make all parts; `write_capacity` are the WCU that `orders` has now."""
    orders = resources.table(world, "orders", key="order_id", write_capacity=write_capacity, read_capacity=100)
    inventory = resources.table(world, "inventory", key="sku")
    failed = resources.queue(world, "invoices-failed")
    invoices = resources.queue(world, "invoices", dead_letter=failed, VisibilityTimeout="180")
    logging = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], world.arn("logs", "*"))
    tracing = allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"])
    create_role = resources.role(
        world,
        "create-order-role",
        allow(["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem"], [orders, f"{orders}/index/*"]),
        allow(["dynamodb:GetItem"], inventory),
        allow(["sqs:SendMessage"], invoices),
        logging,
        tracing,
    )
    get_role = resources.role(world, "get-order-role", allow(["dynamodb:GetItem"], orders), logging, tracing)
    worker_role = resources.role(
        world,
        "invoice-worker-role",
        allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], invoices),
        logging,
        tracing,
    )
    deployed = world.ago(days=9)
    tables = {"ORDERS_TABLE": "orders", "INVENTORY_TABLE": "inventory"}
    create = resources.function(
        world, "create-order", role=create_role, timeout=10, memory=256, env=tables, last_modified=deployed
    )
    get = resources.function(
        world, "get-order", role=get_role, timeout=5, env={"ORDERS_TABLE": "orders"}, last_modified=world.ago(days=41)
    )
    worker = resources.function(world, "invoice-worker", role=worker_role, timeout=30, last_modified=world.ago(days=17))
    resources.event_source(world, "invoice-worker", invoices, BatchSize=10)
    stage = resources.rest_api(world, "orders-api", [("POST", "/orders", create), ("GET", "/orders/{id}", get)])
    return OrdersSystem(
        stage, resources.rest_api_arn(world, stage), create, create_role, get, worker, orders, inventory, invoices
    )
