"""What could be done about a throttled table: give back the capacity it had, or let AWS size it."""

from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import EvidenceBundle
from domain.report import RankedHypothesis
from specialists.contract import Proposal, proposal
from specialists.dynamodb.evidence import TableState, Throughput
from specialists.kit.actions import proposed
from specialists.kit.series import MetricSeries

UPDATE_TABLE = ("dynamodb", "UpdateTable")


@proposal("ddb-provisioned-exceeded")
def restore_capacity(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the capacity that the table had before, where the metrics show that it had more."""
    table = bundle.first(TableState, accepted.resource)
    if table is None or not table.exists or table.on_demand:
        return
    before = _before(bundle, accepted.resource)
    now = table.provisioned
    target = {
        "ReadCapacityUnits": max(before.read or 0, now.read or 1),
        "WriteCapacityUnits": max(before.write or 0, now.write or 1),
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
        evidence=accepted.evidence[:3],
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


def _before(bundle: EvidenceBundle, table: str) -> Throughput:
    """Return the capacity of the baseline, by CloudWatch's provisioned metrics of the table itself."""
    usual: dict[str, int] = {}
    for series in bundle.of(MetricSeries, table):
        if series.metric.startswith("Provisioned") and set(series.dimensions) == {"TableName"} and series.baseline:
            usual[series.metric] = round(series.typical)
    return Throughput(read=usual.get("ProvisionedReadCapacityUnits"), write=usual.get("ProvisionedWriteCapacityUnits"))


PROPOSALS: tuple[Proposal, ...] = (restore_capacity, switch_to_on_demand)
