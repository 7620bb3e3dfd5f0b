"""What could be done about how a function runs: more memory or storage, the version that works, its key."""

from collections.abc import Iterator
from typing import NamedTuple

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.awslambda.evidence import (
    Alias,
    Aliases,
    FunctionConfiguration,
    InvocationReports,
)
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.key import KeyState
from specialists.kit.proposals import KEPT_AS_CODE, function_name, revived, shown
from specialists.kit.series import MetricSeries

CONFIGURE = ("lambda", "UpdateFunctionConfiguration")
MOST_MB = 10_240
ROOM = 0.7
"""Below this share of the memory in use a process that ran out of heap was stopped by a limit of its own."""
BAD_SHARE, TIMES_WORSE = 0.2, 5
"""From which failing share on, and from how many times the other's, a version of an alias counts as the bad one."""


@proposal("lambda-oom", "lambda-oom-node-heap", "lambda-oom-python-memoryerror")
def raise_memory(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer twice the memory, where calls run the version whose settings can be changed."""
    settings = _changeable(bundle, accepted.resource)
    if settings is None or settings.memory_mb >= MOST_MB or _limits_itself(accepted, settings, bundle):
        return
    name, size = function_name(accepted.resource), min(2 * settings.memory_mb, MOST_MB)
    yield proposed(
        "lambda.set_memory",
        call=CONFIGURE,
        parameters={"FunctionName": name, "MemorySize": size},
        resource=accepted.resource,
        title=f"Raise the memory of `{name}` to {size} MB",
        rationale=f"The process was ended for using all of its {settings.memory_mb} MB.",
        expected_effect="New sandboxes start with the larger size within a minute; it also brings more CPU.",
        risk=Risk.LOW,
        undo=f"Set the memory back to {settings.memory_mb} MB.",
        verification=f"Errors of `{name}` fall to 0, and REPORT lines show Max Memory Used below Memory Size.",
        effect=Effect.RELIEVES,
        trade_off=f"a millisecond costs up to twice as much, and a leak only fills it later; {KEPT_AS_CODE}",
        evidence=shown(accepted, settings),
    )


def _limits_itself(accepted: RankedHypothesis, settings: FunctionConfiguration, bundle: EvidenceBundle) -> bool:
    """Tell whether Node.js is held to a part of the memory by its own options, so that more memory changes nothing."""
    used = [r for reports in bundle.of(InvocationReports, accepted.resource) for r in reports.reports if r.memory_mb]
    room = bool(used) and all(r.max_memory_mb < ROOM * r.memory_mb for r in used)
    return accepted.cause == "lambda-oom-node-heap" and "NODE_OPTIONS" in settings.env_names and room


@proposal("lambda-tmp-full")
def enlarge_storage(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer twice the temporary storage, where calls run the version whose settings can be changed."""
    settings = _changeable(bundle, accepted.resource)
    if settings is None or settings.ephemeral_mb >= MOST_MB:
        return
    name, size = function_name(accepted.resource), min(2 * settings.ephemeral_mb, MOST_MB)
    yield proposed(
        "lambda.set_storage",
        call=CONFIGURE,
        parameters={"FunctionName": name, "EphemeralStorage": {"Size": size}},
        resource=accepted.resource,
        title=f"Enlarge the temporary storage of `{name}` to {size} MB",
        rationale=f"Its {settings.ephemeral_mb} MB are full.",
        expected_effect="New sandboxes start empty and with the larger size within a minute.",
        risk=Risk.LOW,
        undo=f"Set it back to {settings.ephemeral_mb} MB.",
        verification=f"Errors of `{name}` fall to 0.",
        effect=Effect.RELIEVES,
        trade_off=f"it costs a little, and files that nobody deletes only fill it later; {KEPT_AS_CODE}",
        evidence=shown(accepted, settings),
    )


def _changeable(bundle: EvidenceBundle, function: str) -> FunctionConfiguration | None:
    """Return the settings that run, None where a published version runs: its settings cannot be changed."""
    known = bundle.of(FunctionConfiguration, function)
    running = next((c for c in known if c.qualifier is not None), known[0] if known else None)
    return running if running is not None and running.version == "$LATEST" else None


class _Tally(NamedTuple):
    """How one version of an alias fared: the share of its invocations that failed, and the series that show it."""

    share: float
    errors: MetricSeries


@proposal("lambda-alias-routing-bad-version")
def leave_the_bad_version(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to send all of a split alias' calls to the version that works."""
    found = bundle.first(Aliases, accepted.resource)
    for alias in found.aliases if found else ():
        tallies = {v: t for v in (alias.version, *alias.weights) if (t := _tally(accepted.resource, alias, v, bundle))}
        if found is None or len(tallies) < 2:
            continue
        bad, good = (choose(tallies, key=lambda v: tallies[v].share) for choose in (max, min))
        if tallies[bad].share >= BAD_SHARE and tallies[bad].share >= TIMES_WORSE * tallies[good].share:
            yield _pointed(accepted, alias, good, f"Version {bad} fails {tallies[bad].share:.0%} of its invocations.",
                           found, tallies[bad].errors, tallies[good].errors)  # fmt: skip


def _tally(function: str, alias: Alias, version: str, bundle: EvidenceBundle) -> _Tally | None:
    name = function_name(function)
    where = {"FunctionName": name, "Resource": f"{name}:{alias.name}", "ExecutedVersion": version}
    series = {s.metric: s for s in bundle.of(MetricSeries, function) if s.dimensions == where and s.statistic == "Sum"}
    errors, invocations = series.get("Errors"), series.get("Invocations")
    if errors is None or invocations is None or not invocations.total:
        return None
    return _Tally(min(1.0, errors.total / invocations.total), errors)


def _pointed(accepted: RankedHypothesis, alias: Alias, good: str, why: str, *seen: Evidence) -> ProposedAction:
    name = function_name(accepted.resource)
    shares = ", ".join(f"{share:g} to version {version}" for version, share in sorted(alias.weights.items()))
    return proposed(
        "lambda.point_alias",
        call=("lambda", "UpdateAlias"),
        parameters={
            "FunctionName": name,
            "Name": alias.name,
            "FunctionVersion": good,
            "RoutingConfig": {"AdditionalVersionWeights": {}},
        },
        resource=accepted.resource,
        title=f"Send all calls of `{name}:{alias.name}` to version {good}",
        rationale=why,
        expected_effect="Calls go to the version that works within seconds.",
        risk=Risk.LOW,
        undo=f"Point the alias to version {alias.version} again, with the weights {shares or 'none'}.",
        verification=f"Errors of `{name}:{alias.name}` fall to the share of version {good}.",
        effect=Effect.UNDOES,
        trade_off="what the new version brought is gone until it is mended; stop a deployment that moves the alias",
        evidence=shown(accepted, *seen),
    )


@proposal("lambda-kms-disabled", "kms-pending-deletion")
def revive_key(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to take the key of the function's environment out of its deletion, and to enable it."""
    for key in bundle.of(KeyState):
        if accepted.resource in {key.resource, key.key_arn}:
            yield from revived(accepted, key, key.key_arn, key.state)


SETTINGS_PROPOSALS: tuple[Proposal, ...] = (
    raise_memory,
    enlarge_storage,
    leave_the_bad_version,
    revive_key,
)
