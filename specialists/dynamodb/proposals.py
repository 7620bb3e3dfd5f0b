"""What could be done about a table: give back the capacity it had, give more, let AWS size it; revive its key."""

from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.dynamodb.evidence import (
    Index,
    Scaling,
    ScalingActivity,
    ScalingTarget,
    StreamReaders,
    TableState,
    Throughput,
)
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.key import KeyState
from specialists.kit.proposals import KEPT_AS_CODE, enabled, made, revived, shown
from specialists.kit.series import MetricSeries

UPDATE_TABLE = ("dynamodb", "UpdateTable")
UNITS = ("provisionedThroughput.readCapacityUnits", "provisionedThroughput.writeCapacityUnits")
"""How CloudTrail spells the capacity that UpdateTable and CreateTable set."""

MOST_UNITS = 40_000
"""AWS's default quota of a table or index, a side: beyond it the call would be refused or cost a fortune."""


@proposal("ddb-provisioned-exceeded")
def restore_capacity(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the capacity that the table had before, where its metrics or its changes show that it had more."""
    table = bundle.first(TableState, accepted.resource)
    if table is None or not table.exists or table.on_demand:
        return
    metrics = _before(bundle, accepted.resource, {"TableName": table.name})
    told, changes = _told_before(accepted, bundle)
    now = table.provisioned
    target = {
        "ReadCapacityUnits": max(metrics.read or 0, told.read or 0, now.read or 1),
        "WriteCapacityUnits": max(metrics.write or 0, told.write or 0, now.write or 1),
    }
    if (target["ReadCapacityUnits"], target["WriteCapacityUnits"]) == (now.read, now.write):
        return
    yield proposed(
        "dynamodb.set_capacity",
        call=UPDATE_TABLE,
        parameters={"TableName": table.name, "ProvisionedThroughput": target},
        resource=accepted.resource,
        title=f"Restore `{table.name}` to {target['ReadCapacityUnits']} RCU and {target['WriteCapacityUnits']} WCU",
        rationale="The table had this capacity before the throttling began.",
        expected_effect="Throttling ends when the update is active, usually within a minute or two.",
        risk=Risk.LOW,
        undo=f"Set it back to {now.read} RCU and {now.write} WCU; it can be lowered only a few times a day.",
        effect=Effect.UNDOES,
        trade_off="it helps only as long as the traffic stays what it was",
        verification="ReadThrottleEvents and WriteThrottleEvents of the table fall to 0.",
        evidence=shown(accepted, *changes, table),
    )


@proposal("ddb-provisioned-exceeded")
def switch_to_on_demand(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer on-demand billing, which also mends the next time."""
    table = bundle.first(TableState, accepted.resource)
    if table is None or not table.exists or table.on_demand:
        return
    yield proposed(
        "dynamodb.switch_to_on_demand",
        call=UPDATE_TABLE,
        parameters={"TableName": table.name, "BillingMode": "PAY_PER_REQUEST"},
        resource=accepted.resource,
        title=f"Switch `{table.name}` to on-demand",
        rationale="On-demand follows the traffic, whatever it becomes.",
        expected_effect="Throttling ends within minutes, and growth does not bring it back.",
        risk=Risk.MEDIUM,
        undo="Switch back to provisioned; on-demand can be chosen again only after 24 hours.",
        trade_off="a steady load costs more on it than well-sized provisioned capacity",
        verification="BillingModeSummary says PAY_PER_REQUEST, and the throttle events fall to 0.",
        evidence=accepted.evidence[:3],
    )


@proposal("ddb-gsi-throttle")
def restore_index_capacity(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer each index the capacity that it had before, where the metrics show that it had more."""
    table = bundle.first(TableState, accepted.resource)
    if table is None or not table.exists or table.on_demand:
        return
    for index in table.indexes:
        dimensions = {"TableName": table.name, "GlobalSecondaryIndexName": index.name}
        usual = _before(bundle, accepted.resource, dimensions)
        read, write = (max(usual.of(side) or 0, index.provisioned.of(side) or 0) for side in ("read", "write"))
        if index.status == "ACTIVE" and read and write and Throughput(read=read, write=write) != index.provisioned:
            yield _index_capacity(accepted, table, index, Throughput(read=read, write=write))


def _index_capacity(accepted: RankedHypothesis, table: TableState, index: Index, target: Throughput) -> ProposedAction:
    now = index.provisioned
    units = {"ReadCapacityUnits": target.read, "WriteCapacityUnits": target.write}
    return proposed(
        "dynamodb.set_index_capacity",
        call=UPDATE_TABLE,
        parameters={
            "TableName": table.name,
            "GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": index.name, "ProvisionedThroughput": units}}],
        },
        resource=accepted.resource,
        title=f"Restore index `{index.name}` of `{table.name}` to {target.read} RCU and {target.write} WCU",
        rationale="The index had this capacity before the throttling began; its table's writes wait for it.",
        expected_effect="Throttling ends when the update is active, usually within a minute or two.",
        risk=Risk.LOW,
        undo=f"Set the index back to {now.read} RCU and {now.write} WCU; it can be lowered only a few times a day.",
        effect=Effect.UNDOES,
        trade_off="it helps only as long as the traffic stays what it was",
        verification=f"WriteThrottleEvents of index {index.name} fall to 0.",
        evidence=shown(accepted, table),
    )


@proposal("ddb-provisioned-exceeded", "ddb-gsi-throttle")
def raise_scaling_maximum(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer autoscaling twice its maximum, where it or the capacity says that it is there already."""
    table, scaling = bundle.first(TableState, accepted.resource), bundle.first(Scaling, accepted.resource)
    if table is None or not table.exists or scaling is None:
        return
    stuck = [a for a in bundle.of(ScalingActivity, accepted.resource) if "AlreadyAtMaxCapacity" in a.not_scaled]
    for target in scaling.targets:
        said = [a for a in stuck if (a.index, a.side) == (target.index, target.side)]
        at_end = bool(said) or (table.limit(target.side, target.index) or 0) >= target.maximum
        if at_end and not table.on_demand and not target.suspended and 2 * target.maximum <= MOST_UNITS:
            yield _raised(accepted, table, target, *said[-1:], scaling, table)


def _raised(accepted: RankedHypothesis, table: TableState, target: ScalingTarget, *seen: Evidence) -> ProposedAction:
    part = f"/index/{target.index}" if target.index else ""
    kind = "index" if target.index else "table"
    return proposed(
        "application-autoscaling.set_bounds",
        call=("application-autoscaling", "RegisterScalableTarget"),
        parameters={
            "ServiceNamespace": "dynamodb",
            "ResourceId": f"table/{table.name}{part}",
            "ScalableDimension": f"dynamodb:{kind}:{target.side.capitalize()}CapacityUnits",
            "MinCapacity": target.minimum,
            "MaxCapacity": 2 * target.maximum,
        },
        resource=accepted.resource,
        title=f"Let `{target.index or table.name}` scale its {target.side} capacity to {2 * target.maximum}",
        rationale=f"Autoscaling stands at its maximum of {target.maximum}, and requests are throttled.",
        expected_effect="Autoscaling raises the capacity within a few minutes, and throttling ends.",
        risk=Risk.MEDIUM,
        undo=f"Register the target again with MaxCapacity {target.maximum}.",
        effect=Effect.MENDS,
        trade_off=f"capacity up to the new maximum is paid for while it is used; {KEPT_AS_CODE}",
        verification=f"Provisioned{target.side.capitalize()}CapacityUnits rises, and the throttle events fall to 0.",
        evidence=shown(accepted, *seen),
    )


@proposal("esm-disabled")
def enable_stream_mapping(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to enable each switched-off mapping of the function on a stream that a table still writes."""
    for found in bundle.of(StreamReaders):
        table = bundle.first(TableState, found.resource)
        for reader in found.readers:
            live = table is not None and table.streaming and reader.stream_arn == table.stream_arn
            if live and reader.function == accepted.resource and reader.state == "Disabled":
                yield enabled(accepted, found, reader.uuid, reader.function, reader.stream_arn, "IteratorAge")


@proposal("ddb-kms", "kms-pending-deletion")
def revive_key(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to take the table's key out of its deletion, and to enable it."""
    for key in bundle.of(KeyState):
        if key.exists and accepted.resource in {key.resource, key.key_arn}:
            yield from revived(accepted, key, key.key_arn, key.state)


def _told_before(accepted: RankedHypothesis, bundle: EvidenceBundle) -> tuple[Throughput, tuple[Change, ...]]:
    """Return the capacity before the last change of it that came before the throttling, and what tells of both."""
    set_it = [
        change
        for change in made(bundle, accepted.resource, "UpdateTable", "CreateTable")
        if all(change.parameters.get(key, "").isdecimal() for key in UNITS)
        and (accepted.since is None or (change.observed_at is not None and change.observed_at <= accepted.since))
    ]
    if len(set_it) < 2:
        return Throughput(), ()
    read, write = (int(set_it[-2].parameters[key]) for key in UNITS)
    return Throughput(read=read, write=write), (set_it[-1], set_it[-2])


def _before(bundle: EvidenceBundle, table: str, dimensions: dict[str, str]) -> Throughput:
    """Return the capacity of the baseline, by CloudWatch's provisioned metrics of exactly these dimensions."""
    usual: dict[str, int] = {}
    for series in bundle.of(MetricSeries, table):
        if series.metric.startswith("Provisioned") and series.dimensions == dimensions and series.baseline:
            usual[series.metric] = round(series.typical)
    return Throughput(read=usual.get("ProvisionedReadCapacityUnits"), write=usual.get("ProvisionedWriteCapacityUnits"))


PROPOSALS: tuple[Proposal, ...] = (
    restore_capacity,
    switch_to_on_demand,
    restore_index_capacity,
    raise_scaling_maximum,
    enable_stream_mapping,
    revive_key,
)
