"""What is offered for a table, and what is not where a parameter is unknown."""

import pytest

from domain.action import Effect
from specialists.dynamodb import proposals as of
from specialists.dynamodb.evidence import (
    ON_DEMAND,
    Index,
    Scaling,
    ScalingActivity,
    ScalingTarget,
    StreamReader,
    StreamReaders,
    TableState,
    Throughput,
)
from specialists.kit.change import Change
from specialists.kit.changes import flatten
from specialists.kit.key import KeyState
from specialists.kit.series import MetricSeries
from tests.specialists.proposals_building import (
    CANCEL,
    ENABLE,
    KEY,
    MAPPING,
    OTHER_KEY,
    Scene,
    change,
    label,
    minute,
    offers,
    series,
)

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:projector"
STREAM = f"{TABLE}/stream/2026-01-01T00:00:00.000"
SOURCE = "dynamodb:DescribeTable"
FULL, THROTTLED = "ddb-provisioned-exceeded", "ddb-gsi-throttle"
BY_EMAIL = Index(name="by-email", provisioned=Throughput(read=5, write=5))
INDEXED = {"TableName": "orders", "GlobalSecondaryIndexName": "by-email"}


def table(**fields: object) -> TableState:
    given: dict[str, object] = {"exists": True, "name": "orders", "provisioned": Throughput(read=5, write=5)}
    return TableState.model_validate({"resource": TABLE, "source": SOURCE, **given, **fields})


def usual(write: float, dimensions: dict[str, str] | None = None) -> MetricSeries:
    where = dimensions or {"TableName": "orders"}
    return series(TABLE, "ProvisionedWriteCapacityUnits", where, 5, usual=(write,) * 3, statistic="Average")


def scaling(**fields: object) -> Scaling:
    target = {"index": None, "side": "write", "minimum": 5, "maximum": 100, **fields}
    return Scaling(resource=TABLE, source=SOURCE, targets=(ScalingTarget.model_validate(target),))


def declined(*codes: str) -> ScalingActivity:
    return ScalingActivity(resource=TABLE, source=SOURCE, index=None, side="write", status="Failed", not_scaled=codes)


def set_to(at: float, write: int) -> Change:
    units = {"readCapacityUnits": 5, "writeCapacityUnits": write}
    return change(TABLE, "UpdateTable", at, flatten({"tableName": "orders", "provisionedThroughput": units}))


def readers(state: str, stream: str = STREAM) -> StreamReaders:
    reader = StreamReader(uuid=MAPPING, function=FUNCTION, stream_arn=stream, state=state)
    return StreamReaders(resource=TABLE, source=SOURCE, readers=(reader,))


def key(state: str, arn: str = KEY, **fields: object) -> KeyState:
    return KeyState.model_validate({"resource": TABLE, "source": SOURCE, "key_arn": arn, "state": state, **fields})


STREAMING = table(stream_arn=STREAM, streaming=True)
SETS = {"TableName": "orders", "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 500}}
INDEX_SETS = {
    "TableName": "orders",
    "GlobalSecondaryIndexUpdates": [
        {
            "Update": {
                "IndexName": "by-email",
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 300},
            }
        }
    ],
}
BOUNDS = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/orders",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    "MinCapacity": 5,
    "MaxCapacity": 200,
}
RESTORED = (("dynamodb.set_capacity", Effect.UNDOES, SETS),)
BILLED = (("dynamodb.switch_to_on_demand", Effect.MENDS, {"TableName": "orders", "BillingMode": ON_DEMAND}),)
INDEX_RESTORED = (("dynamodb.set_index_capacity", Effect.UNDOES, INDEX_SETS),)
RAISED = (("application-autoscaling.set_bounds", Effect.MENDS, BOUNDS),)
ENABLED = (("lambda.enable_mapping", Effect.MENDS, {"UUID": MAPPING, "Enabled": True}),)
AT_MAXIMUM = declined("AlreadyAtMaxCapacity")

SCENES = (
    Scene("capacity it had", of.restore_capacity, FULL, TABLE, (table(), usual(500)), RESTORED),
    Scene("capacity it had is not known", of.restore_capacity, FULL, TABLE, (table(),)),
    Scene(
        "capacity before a change",
        of.restore_capacity,
        FULL,
        TABLE,
        (table(), set_to(-90, 500), set_to(5, 5)),
        RESTORED,
    ),
    Scene("capacity before the change not told", of.restore_capacity, FULL, TABLE, (table(), set_to(5, 5))),
    Scene(
        "capacity that somebody set meanwhile",
        of.restore_capacity,
        FULL,
        TABLE,
        (table(), set_to(5, 5), set_to(8, 500), set_to(9, 5)),
        since=minute(6),
    ),
    Scene("it had no more", of.restore_capacity, FULL, TABLE, (table(), usual(5))),
    Scene("capacity of an index is not the table's", of.restore_capacity, FULL, TABLE, (table(), usual(500, INDEXED))),
    Scene("on-demand", of.switch_to_on_demand, FULL, TABLE, (table(),), BILLED),
    Scene("on-demand already", of.switch_to_on_demand, FULL, TABLE, (table(billing_mode=ON_DEMAND),)),
    Scene(
        "index",
        of.restore_index_capacity,
        THROTTLED,
        TABLE,
        (table(indexes=(BY_EMAIL,)), usual(300, INDEXED)),
        INDEX_RESTORED,
    ),
    Scene("index before is not known", of.restore_index_capacity, THROTTLED, TABLE, (table(indexes=(BY_EMAIL,)),)),
    Scene("scaling at its maximum", of.raise_scaling_maximum, FULL, TABLE, (table(), scaling(), AT_MAXIMUM), RAISED),
    Scene(
        "capacity at the maximum of scaling",
        of.raise_scaling_maximum,
        FULL,
        TABLE,
        (table(provisioned=Throughput(read=5, write=100)), scaling()),
        RAISED,
    ),
    Scene("scaling not registered", of.raise_scaling_maximum, FULL, TABLE, (table(), AT_MAXIMUM)),
    Scene("scaling wants no more", of.raise_scaling_maximum, FULL, TABLE, (table(), scaling(), declined("Cooldown"))),
    Scene(
        "scaling beyond the quota",
        of.raise_scaling_maximum,
        FULL,
        TABLE,
        (table(), scaling(maximum=30_000), AT_MAXIMUM),
    ),
    Scene(
        "reader is off", of.enable_stream_mapping, "esm-disabled", FUNCTION, (STREAMING, readers("Disabled")), ENABLED
    ),
    Scene("reader is on", of.enable_stream_mapping, "esm-disabled", FUNCTION, (STREAMING, readers("Enabled"))),
    Scene(
        "reader of a stream that is gone",
        of.enable_stream_mapping,
        "esm-disabled",
        FUNCTION,
        (STREAMING, readers("Disabled", f"{TABLE}/stream/2025-01-01T00:00:00.000")),
    ),
    Scene("key going", of.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion"),), (CANCEL, ENABLE)),
    Scene("key disabled", of.revive_key, "ddb-kms", TABLE, (key("Disabled"),), (ENABLE,)),
    Scene("key refused by its policy", of.revive_key, "ddb-kms", TABLE, (key("Enabled"),)),
    Scene("key gone", of.revive_key, "ddb-kms", TABLE, (key("", exists=False),)),
    Scene("another key", of.revive_key, "kms-pending-deletion", KEY, (key("PendingDeletion", OTHER_KEY),)),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected
