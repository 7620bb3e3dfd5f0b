"""What could be done about a function's concurrency: give it more, give it back, keep it warm, stop it."""

import math
from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.awslambda.evidence import (
    AccountLimits,
    ProvisionedConcurrency,
    ProvisionedConfigs,
    ReservedConcurrency,
)
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.proposals import KEPT_AS_CODE, before, cited, function_name, made, shown
from specialists.kit.series import MetricSeries

PUT_CONCURRENCY = ("lambda", "PutFunctionConcurrency")
KEPT_UNRESERVED = 100
"""What Lambda keeps for the functions without a reservation.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""


@proposal("lambda-reserved-zero", "lambda-throttle-reserved")
def restore_reservation(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the reservation that the function had before the change that the verdict rests on."""
    now, change = (
        bundle.first(ReservedConcurrency, accepted.resource),
        cited(accepted, bundle, "PutFunctionConcurrency"),
    )
    if now is None or now.reserved is None or change is None:
        return
    earlier = before(bundle, change, "PutFunctionConcurrency", "DeleteFunctionConcurrency")
    amount = earlier.parameters.get("reservedConcurrentExecutions", "") if earlier else ""
    if earlier is not None and amount.isdecimal() and int(amount) > now.reserved:
        why = f"It had {amount} before {change.who} set {now.reserved}."
        yield _reservation(accepted, int(amount), now.reserved, Effect.UNDOES, why, change, earlier, now)


@proposal("lambda-throttle-reserved")
def raise_reservation(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer twice the reservation, as far as the account has unreserved concurrency to give."""
    now, limits = bundle.first(ReservedConcurrency, accepted.resource), bundle.first(AccountLimits, accepted.resource)
    if now is None or not now.reserved or limits is None:
        return
    spare = limits.unreserved_concurrent_executions - KEPT_UNRESERVED
    amount = min(2 * now.reserved, now.reserved + spare)
    if amount > now.reserved:
        why = f"It uses up the {now.reserved} it has, and the account has {spare} to give."
        yield _reservation(accepted, amount, now.reserved, Effect.RELIEVES, why, now, limits)


@proposal("lambda-reserved-zero", "lambda-throttle-reserved")
def remove_reservation(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the account's shared concurrency instead of the function's own, too small share."""
    now = bundle.first(ReservedConcurrency, accepted.resource)
    if now is None or now.reserved is None:
        return
    put = made(bundle, accepted.resource, "PutFunctionConcurrency", "DeleteFunctionConcurrency")
    back = len(put) > 1 and put[-2].event_name.startswith("Delete") and put[-1].id in accepted.evidence
    name = function_name(accepted.resource)
    yield proposed(
        "lambda.remove_reservation",
        call=("lambda", "DeleteFunctionConcurrency"),
        parameters={"FunctionName": name},
        resource=accepted.resource,
        title=f"Remove the reservation of `{name}`",
        rationale=f"It is {now.reserved}"
        + (": nothing can invoke the function." if not now.reserved else ", too few."),
        expected_effect="The function uses the account's shared concurrency within seconds.",
        risk=Risk.MEDIUM,
        undo=f"Set the reservation back to {now.reserved}.",
        verification=f"Throttles of `{name}` fall to 0, and its Invocations rise.",
        effect=Effect.UNDOES if back else Effect.MENDS,
        trade_off="without a limit it can crowd out other functions and what it calls; a reservation may be an"
        " emergency stop, so ask who set it",
        evidence=shown(accepted, now),
    )


def _reservation(
    accepted: RankedHypothesis, amount: int, now: int, effect: Effect, why: str, *seen: Evidence
) -> ProposedAction:
    name = function_name(accepted.resource)
    return proposed(
        "lambda.set_reservation",
        call=PUT_CONCURRENCY,
        parameters={"FunctionName": name, "ReservedConcurrentExecutions": amount},
        resource=accepted.resource,
        title=f"{'Restore' if effect is Effect.UNDOES else 'Raise'} the reservation of `{name}` to {amount}",
        rationale=why,
        expected_effect="Invocations are accepted again within seconds, up to the new number at once.",
        risk=Risk.LOW if effect is Effect.UNDOES else Risk.MEDIUM,
        undo=f"Set the reservation back to {now}.",
        verification=f"Throttles of `{name}` fall to 0.",
        effect=effect,
        trade_off=f"it is taken from the account's other functions; what it calls gets more at once; {KEPT_AS_CODE}",
        evidence=shown(accepted, *seen),
    )


@proposal("lambda-provisioned-spillover")
def raise_provisioned(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer as much provisioned concurrency as the function was seen to use, at most twice what it has."""
    kept = bundle.first(ProvisionedConfigs, accepted.resource)
    name = function_name(accepted.resource)
    used = [
        s
        for s in bundle.of(MetricSeries, accepted.resource)
        if s.metric == "ConcurrentExecutions" and s.statistic == "Maximum" and s.dimensions == {"FunctionName": name}
    ]
    if kept is None or len(kept.configs) != 1 or not used:
        return
    config, need = kept.configs[0], min(math.ceil(used[0].peak), 2 * kept.configs[0].requested)
    if config.status == "READY" and need > config.requested:
        yield _provisioned(accepted, config, need, kept, used[0])


def _provisioned(
    accepted: RankedHypothesis, config: ProvisionedConcurrency, need: int, *seen: Evidence
) -> ProposedAction:
    name = function_name(accepted.resource)
    return proposed(
        "lambda.set_provisioned",
        call=("lambda", "PutProvisionedConcurrencyConfig"),
        parameters={
            "FunctionName": name,
            "Qualifier": config.qualifier,
            "ProvisionedConcurrentExecutions": need,
        },
        resource=accepted.resource,
        title=f"Keep {need} sandboxes of `{name}:{config.qualifier}` warm",
        rationale=f"{config.requested} are kept warm, and up to {need} were needed at once.",
        expected_effect="Invocations stop starting cold once the new sandboxes are ready, within minutes.",
        risk=Risk.LOW,
        undo=f"Set it back to {config.requested}.",
        verification=f"ProvisionedConcurrencySpilloverInvocations of `{name}` falls to 0.",
        effect=Effect.MENDS,
        trade_off=f"sandboxes kept warm are paid for whether they run or not; {KEPT_AS_CODE}",
        evidence=shown(accepted, *seen),
    )


@proposal("lambda-recursive-loop")
def stop_the_loop(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to stop a function that triggers itself, until the loop is cut."""
    now = bundle.first(ReservedConcurrency, accepted.resource)
    if now is None or now.reserved == 0:
        return
    name = function_name(accepted.resource)
    back = "Remove the reservation again." if now.reserved is None else f"Set the reservation back to {now.reserved}."
    yield proposed(
        "lambda.stop",
        call=PUT_CONCURRENCY,
        parameters={"FunctionName": name, "ReservedConcurrentExecutions": 0},
        resource=accepted.resource,
        title=f"Stop `{name}`: reserve 0 for it",
        rationale="It triggers itself, and each run costs and makes more runs.",
        expected_effect="Nothing invokes it any more within seconds, and the loop ends.",
        risk=Risk.HIGH,
        undo=back,
        verification=f"Invocations of `{name}` fall to 0.",
        effect=Effect.RELIEVES,
        trade_off="all of its work stops, the wanted too; queued events wait and may expire",
        evidence=shown(accepted, now),
    )


CONCURRENCY_PROPOSALS: tuple[Proposal, ...] = (
    restore_reservation,
    raise_reservation,
    remove_reservation,
    raise_provisioned,
    stop_the_loop,
)
