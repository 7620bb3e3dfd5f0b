"""From the answers of DescribeTable and Application Auto Scaling to typed values."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.resource import Resource
from domain.values import utc
from specialists.dynamodb.evidence import PROVISIONED, Index, KeyAttribute, Side, TableState, Throughput

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef


def table_state(target: Resource, table: "TableDescriptionTypeDef | None") -> TableState:
    """Return what DescribeTable told; None means that there is no such table."""
    source = "dynamodb:DescribeTable"
    if table is None:
        return TableState(resource=target.id, source=source, exists=False, name=target.name)
    billing, sse = table.get("BillingModeSummary", {}), table.get("SSEDescription", {})
    types = {a["AttributeName"]: a["AttributeType"] for a in table.get("AttributeDefinitions", [])}
    return TableState(
        resource=target.id,
        source=source,
        exists=True,
        name=target.name,
        status=table.get("TableStatus", ""),
        # Absent on a table that was never on-demand.
        billing_mode=billing.get("BillingMode", PROVISIONED),
        provisioned=provisioned(table.get("ProvisionedThroughput")),
        maximum=maximum(table.get("OnDemandThroughput")),
        keys=keys(table.get("KeySchema", []), types),
        indexes=tuple(
            Index(
                name=index.get("IndexName", ""),
                status=index.get("IndexStatus", "ACTIVE"),
                backfilling=index.get("Backfilling", False),
                keys=keys(index.get("KeySchema", []), types),
                provisioned=provisioned(index.get("ProvisionedThroughput")),
                maximum=maximum(index.get("OnDemandThroughput")),
            )
            for index in table.get("GlobalSecondaryIndexes", [])
        ),
        local_indexes=tuple(index.get("IndexName", "") for index in table.get("LocalSecondaryIndexes", [])),
        items=table.get("ItemCount", 0),
        size_bytes=table.get("TableSizeBytes", 0),
        created_at=_moment(table, "CreationDateTime"),
        decreased_at=_moment(table.get("ProvisionedThroughput", {}), "LastDecreaseDateTime"),
        on_demand_since=_moment(billing, "LastUpdateToPayPerRequestDateTime"),
        stream_arn=table.get("LatestStreamArn"),
        streaming=table.get("StreamSpecification", {}).get("StreamEnabled", False),
        key_arn=sse.get("KMSMasterKeyArn"),
        key_inaccessible_since=_moment(sse, "InaccessibleEncryptionDateTime"),
    )


def side_and_index(table: str, resource: str, dimension: str) -> tuple[Side, str | None] | None:
    """Return which side of what a scalable target scales, None when it is not of this table.

    `resource` is "table/orders" or "table/orders/index/by-day", `dimension` "dynamodb:table:WriteCapacityUnits".
    """
    name, _, index = resource.removeprefix("table/").partition("/index/")
    if name != table:
        return None
    return ("read" if dimension.endswith("ReadCapacityUnits") else "write"), index or None


def provisioned(units: Mapping[str, Any] | None) -> Throughput:
    """Read ProvisionedThroughput; an on-demand table's zeros are no limit."""
    given = units or {}
    return Throughput(read=given.get("ReadCapacityUnits") or None, write=given.get("WriteCapacityUnits") or None)


def maximum(units: Mapping[str, Any] | None) -> Throughput:
    """Read OnDemandThroughput, where -1 means that there is no maximum."""
    found = {side: (units or {}).get(f"Max{side.capitalize()}RequestUnits", -1) for side in ("read", "write")}
    return Throughput(**{side: value for side, value in found.items() if value > 0})


def keys(schema: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> tuple[KeyAttribute, ...]:
    """Read a key schema with the types of its attributes ("?" where they are not told)."""
    return tuple(
        KeyAttribute(name=key["AttributeName"], type=types.get(key["AttributeName"], "?"), role=key["KeyType"])
        for key in schema
    )


def _moment(values: Mapping[str, Any], name: str) -> Any:
    moment = values.get(name)
    return utc(moment) if moment else None
