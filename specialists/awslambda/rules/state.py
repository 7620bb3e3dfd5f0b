"""What the function is: there or not, ready or not, which version runs, who may call it, whether it can log."""

from collections.abc import Iterator
from datetime import timedelta

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from domain.resource import ResourceType
from domain.trace import TraceSegment
from specialists.awslambda.evidence import Aliases, FunctionConfiguration, FunctionMissing, LogGroup, ResourcePolicy
from specialists.awslambda.reading import changed, configurations, failing, happened, metric, running, stopped
from specialists.awslambda.rules.claims import claim
from specialists.awslambda.rules.stated import EVIDENCE
from specialists.awslambda.symptoms import Seen, diagnoses
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import standstill

PRINCIPALS = {
    ResourceType.TOPIC: "sns.amazonaws.com",
    ResourceType.RULE: "events.amazonaws.com",
    ResourceType.EVENT_BUS: "events.amazonaws.com",
    ResourceType.BUCKET: "s3.amazonaws.com",
    ResourceType.LOG_GROUP: "logs.amazonaws.com",
    ResourceType.SECRET: "secretsmanager.amazonaws.com",
}
"""Services that invoke by the function's own policy. API Gateway tells by its own error that it may not."""

AT_ONCE = timedelta(minutes=3)
"""A removed permission works at once; metrics come by the minute, and CloudTrail's clock differs."""


@rule("lambda-function-not-found", sees=(*EVIDENCE, FunctionMissing))
def function_does_not_exist(case: Case) -> Iterator[Hypothesis]:
    """AWS knows no such function, version or alias."""
    stated = diagnoses(case).get("lambda-function-not-found")
    if stated is None:
        return
    deleted = changed(case, "DeleteFunction", "DeleteAlias")[-1:]
    who = f", deleted by {deleted[0].who}" if deleted else ""
    gone = any(s.seen is Seen.STATE for s in stated.symptoms)
    whole = any(m.qualifier is None for m in case.all(FunctionMissing))
    there = () if whole else tuple(c for c in configurations(case) if gone is False)
    missing = next((f" `{m.qualifier}`" for m in case.all(FunctionMissing) if m.qualifier), "")
    name = f"Version or alias{missing} of `{case.target.name}`" if missing and not whole else f"`{case.target.name}`"
    yield claim(
        case,
        stated,
        f"{name} does not exist{who}: {stated.headline}",
        strong=deleted,
        against=there,
        since=deleted[0].observed_at if deleted else None,
    )


@rule("lambda-inactive-or-failed", sees=EVIDENCE)
def function_is_not_ready(case: Case) -> Iterator[Finding]:
    """The function is Failed or Inactive for a reason that names no sharper cause, or its last update failed."""
    stated = diagnoses(case).get("lambda-inactive-or-failed")
    configuration = running(case)
    if stated is not None:
        inactive = configuration is not None and configuration.state.state in {"Inactive", "Failed"}
        yield claim(
            case,
            stated,
            f"`{case.target.name}` cannot run: {stated.headline}",
            strong=[configuration] if configuration and inactive else (),
        )
    if configuration is not None and configuration.last_update.state == "Failed":
        yield case.advice(
            f"The last update of `{case.target.name}` failed, so the settings before it are still active:"
            f" {configuration.last_update}",
            configuration,
        )


@rule("lambda-pending-state", sees=EVIDENCE)
def update_is_in_progress(case: Case) -> Iterator[Finding]:
    """The function is still being prepared while calls to it fail."""
    configuration = running(case)
    if configuration is None or "lambda-pending-state" in diagnoses(case):
        return
    if configuration.state.state != "Pending":
        return
    failed = case.calls_to(failed=True)
    if not failed:
        yield case.fact(f"`{case.target.name}` is still being prepared: State {configuration.state}", configuration)
        return
    yield case.hypothesis(
        "lambda-pending-state",
        f"`{case.target.name}` was called while it is still being prepared: State {configuration.state}",
        strong=[configuration, *failed],
        since=failed[0].start,
    )


@rule("lambda-alias-routing-bad-version", sees=(Aliases, MetricSeries, Change))
def one_version_of_an_alias_fails(case: Case) -> Iterator[Hypothesis]:
    """An alias divides its traffic, and one of the versions fails while the other works."""
    found = case.one(Aliases)
    for alias in found.aliases if found else ():
        shares = {v: _failing_share(case, alias.name, v) for v in (alias.version, *alias.weights)}
        known = {v: share for v, (share, _) in shares.items() if share is not None}
        if not alias.weights or len(known) < 2:
            continue
        bad, good = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
        if known[bad] < 0.2 or known[bad] < 5 * known[good]:
            continue
        weight = alias.weights.get(bad, 1 - sum(alias.weights.values()))
        moved = [c for c in changed(case, "UpdateAlias") if c.parameters.get("name", alias.name) == alias.name][-1:]
        yield case.hypothesis(
            "lambda-alias-routing-bad-version",
            f"Version {bad} fails {known[bad]:.0%} of its invocations, version {good} {known[good]:.0%};"
            f" alias `{alias.name}` of `{case.target.name}` sends {weight:.0%} to version {bad}",
            proof=shares[bad][1],
            strong=dict.fromkeys((*shares[good][1], *([found] if found else ()), *moved)),
            since=moved[0].observed_at if moved else None,
        )


def _failing_share(case: Case, alias: str, version: str) -> tuple[float | None, tuple[Evidence, ...]]:
    name = case.target.name
    where = {"FunctionName": name, "Resource": f"{name}:{alias}", "ExecutedVersion": version}
    invocations, errors = metric(case, "Invocations", **where), metric(case, "Errors", **where)
    if invocations is None or errors is None or not invocations.total:
        return None, ()
    return min(1.0, errors.total / invocations.total), (errors, invocations)


@rule("lambda-trigger-no-resource-permission", sees=(ResourcePolicy, MetricSeries, Change))
def trigger_may_not_invoke(case: Case) -> Iterator[Hypothesis]:
    """A service that triggers the function is not let in by the function's policy."""
    policy, invocations = case.one(ResourcePolicy), metric(case, "Invocations")
    if policy is None or not policy.readable:
        return
    callers = [n for i in case.graph.callers(case.target.id) if (n := case.graph.node(i)) and n.type in PRINCIPALS]
    shut_out = [n for n in callers if not policy.allows(PRINCIPALS[n.type])]
    removed = changed(case, "RemovePermission")[-1:]
    at_rest = stopped(invocations) or bool(removed and _ended_with(case, invocations, removed[0]))
    idle = [invocations] if invocations and at_rest else []
    failed = [c for c in case.calls_to(failed=True) if c.caller in {n.id for n in shut_out}]
    if not (idle or failed) or not (shut_out or removed):
        return
    names = ", ".join(PRINCIPALS[n.type] for n in shut_out) or "the service that triggers it"
    who = f" since {removed[0].who} removed a permission" if removed else ""
    shown = dict.fromkeys((policy, *removed, *idle, *failed))
    yield case.hypothesis(
        "lambda-trigger-no-resource-permission",
        f"The policy of `{case.target.name}` does not let {names} invoke it{who}, and it no longer runs",
        strong=shown if shut_out else dict.fromkeys((*removed, *idle)),
        weak=() if shut_out else [policy],
        since=removed[0].observed_at if removed else None,
    )


def _ended_with(case: Case, invocations: MetricSeries | None, change: Change) -> bool:
    """Tell whether the function ran until a change, and stands still since: not before it, and not a while after."""
    quiet, at = standstill(invocations, case.window.end), change.observed_at
    return quiet is not None and at is not None and -AT_ONCE <= quiet - at <= AT_ONCE


@rule("lambda-logs-missing", sees=(LogGroup, LogLines, MetricSeries, FunctionConfiguration, TraceSegment))
def function_runs_without_logs(case: Case) -> Iterator[Finding]:
    """The function is invoked, and its log group does not exist: errors stay unseen."""
    configuration = running(case)
    name = configuration.log_group if configuration and configuration.log_group else f"/aws/lambda/{case.target.name}"
    group = next((g for g in case.all(LogGroup) if g.name == name and not g.exists), None)
    invocations = metric(case, "Invocations")
    if group is None or case.one(FunctionMissing):
        return
    if happened(invocations) and invocations is not None:
        yield case.hypothesis(
            "lambda-logs-missing",
            f"`{case.target.name}` ran {invocations.total:g} times, and its log group `{name}` does not exist",
            strong=[group, invocations] if not failing(case) else (),
            weak=[group, invocations] if failing(case) else (),
        )
    elif segments := case.segments():
        yield case.advice(
            f"`{case.target.name}` ran and has no log group `{name}`: allow its role to write logs to see its errors.",
            group,
            segments[0],
        )


STATE_RULES: tuple[Rule, ...] = (
    function_does_not_exist,
    function_is_not_ready,
    update_is_in_progress,
    one_version_of_an_alias_fails,
    trigger_may_not_invoke,
    function_runs_without_logs,
)
