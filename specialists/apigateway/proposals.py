"""What could be done about an API: its earlier limits or deployment, more room, a deployment, its way to a function."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from domain.action import Effect, ProposedAction, Risk
from domain.arn import Arn, arns_in
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from specialists.apigateway.evidence import ApiConfig, Deployment, Protocol, Routes, StageConfig, Throttle
from specialists.apigateway.guards import InvokePermission
from specialists.contract import Proposal, proposal
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.proposals import KEPT_AS_CODE, cited, let_in, made, shown
from specialists.kit.series import MetricSeries

UPDATE_STAGE = "UpdateStage"
LIMITS = ("/*/*/throttling/rateLimit", "/*/*/throttling/burstLimit")
PLAN_LIMITS = ("/throttle/rateLimit", "/throttle/burstLimit")
DEPLOYMENT = "/deploymentId"
ALL_METHODS = "*/*"
ROOM = 1.2
"""How much more than what was asked for a raised limit allows."""


def _patched(change: Change, paths: tuple[str, ...]) -> dict[str, str]:
    """Return what the change put at these paths; CloudTrail lists them as `…patchOperations.<n>.path` and value."""
    found: dict[str, str] = {}
    for key, path in change.parameters.items():
        value = change.parameters.get(f"{key.removesuffix('path')}value", "")
        if "patchOperations." in key and key.endswith(".path") and path in paths and value:
            found[path] = value
    return found


def _named(change: Change, name: str) -> str:
    """Return a parameter by the last part of its name: the request nests some and not others."""
    return next((v for k, v in change.parameters.items() if k.rsplit(".", 1)[-1] == name), "")


def _before(bundle: EvidenceBundle, change: Change, paths: tuple[str, ...], same: str) -> dict[str, str]:
    """Return the values that the last earlier changes of the same stage or plan put at these paths."""
    values: dict[str, str] = {}
    for one in made(bundle, change.resource, change.event_name):
        if str(one.observed_at) < str(change.observed_at) and _named(one, same) == _named(change, same):
            values |= _patched(one, paths)
    return values


def _patches(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"op": "replace", "path": path, "value": value} for path, value in sorted(values.items())]


@proposal("apigw-throttled", "deploy-regression")
def restore_limits(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the limits that the stage or usage plan had before the change that the verdict rests on."""
    for event, paths, same, kind in (
        (UPDATE_STAGE, LIMITS, "stageName", "apigateway.set_stage_throttle"),
        ("UpdateUsagePlan", PLAN_LIMITS, "usagePlanId", "apigateway.set_plan_throttle"),
    ):
        change = cited(accepted, bundle, event)
        now = _patched(change, paths) if change else {}
        if change is None or not now:
            continue
        earlier = {p: v for p, v in _before(bundle, change, paths, same).items() if p in now and v != now[p]}
        where = _named(change, same)
        if not earlier or not where or any(not _larger(value, now[path]) for path, value in earlier.items()):
            continue
        api = {"restApiId": _id(accepted.resource)} if same == "stageName" else {}
        parameters = {**api, same: where, "patchOperations": _patches(earlier)}
        yield _limits(accepted, kind, event, parameters, now, change)


def _larger(earlier: str, now: str) -> bool:
    try:
        return float(earlier) > float(now)
    except ValueError:
        return False


def _limits(
    accepted: RankedHypothesis,
    kind: str,
    operation: str,
    parameters: Mapping[str, Any],
    now: Mapping[str, str],
    change: Change,
) -> ProposedAction:
    told = ", ".join(f"{p['path'].rsplit('/', 1)[-1]} {p['value']}" for p in parameters["patchOperations"])
    what = f"stage `{parameters['stageName']}`" if "stageName" in parameters else "the usage plan"
    return proposed(
        kind,
        call=("apigateway", operation),
        parameters=parameters,
        resource=accepted.resource,
        title=f"Restore {what} to {told}",
        rationale=f"`{change.who}` lowered it at {change.observed_at:%H:%M} UTC.",
        expected_effect="Requests up to the earlier rate are let through again within a minute.",
        risk=Risk.LOW,
        undo="Set " + ", ".join(f"{path} to {value}" for path, value in sorted(now.items())) + " again.",
        verification="The 429 answers, counted in 4XXError, fall to their usual number.",
        effect=Effect.UNDOES,
        trade_off=f"what is behind the API gets more requests again; {KEPT_AS_CODE}",
        evidence=shown(accepted, change),
    )


@proposal("apigw-throttled")
def raise_limit(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer a stage's limit above the requests that were counted, where they were more than it allows."""
    config = bundle.first(ApiConfig, accepted.resource)
    for stage in bundle.of(StageConfig, accepted.resource):
        count = max(
            (
                s
                for s in bundle.of(MetricSeries, accepted.resource)
                if s.metric == "Count" and s.dimensions.get("Stage", stage.stage) == stage.stage and s.period_seconds
            ),
            key=lambda s: s.peak / s.period_seconds,
            default=None,
        )
        limit = next((t for t in stage.throttles if t.method == ALL_METHODS), None)
        if config is None or count is None or limit is None or not limit.rate or not limit.burst:
            continue
        asked = count.peak / count.period_seconds
        if asked > limit.rate:
            yield _raised(accepted, config, stage, limit, math.ceil(ROOM * asked), asked, count)


def _raised(
    accepted: RankedHypothesis,
    config: ApiConfig,
    stage: StageConfig,
    limit: Throttle,
    rate: int,
    asked: float,
    count: Evidence,
) -> ProposedAction:
    api, burst = _id(accepted.resource), max(limit.burst or 0, rate)
    rest = config.protocol is Protocol.REST
    patches = _patches({LIMITS[0]: str(rate), LIMITS[1]: str(burst)})
    settings = {"ThrottlingRateLimit": float(rate), "ThrottlingBurstLimit": burst}
    return proposed(
        "apigateway.set_stage_throttle" if rest else "apigatewayv2.set_stage_throttle",
        call=("apigateway" if rest else "apigatewayv2", UPDATE_STAGE),
        parameters={"restApiId": api, "stageName": stage.stage, "patchOperations": patches}
        if rest
        else {"ApiId": api, "StageName": stage.stage, "DefaultRouteSettings": settings},
        resource=accepted.resource,
        title=f"Let stage `{stage.stage}` take {rate} requests a second",
        rationale=f"Up to {asked:.0f} requests a second came, and the stage takes {limit.rate:g}.",
        expected_effect="Requests are let through again within a minute, up to the new rate.",
        risk=Risk.MEDIUM,
        undo=f"Set the rate back to {limit.rate:g} and the burst to {limit.burst}.",
        verification="The 429 answers, counted in 4XXError, fall to their usual number.",
        effect=Effect.RELIEVES,
        trade_off="what is behind the API gets more requests than it was protected from; the account's limit may be"
        f" the lower one; {KEPT_AS_CODE}",
        evidence=shown(accepted, stage, count),
    )


@proposal(
    "deploy-regression",
    "apigw-mapping-error",
    "apigw-malformed-proxy",
    "apigw-bad-request-validation",
    "apigw-integration-failure",
    "apigw-missing-auth-token",
)
def restore_deployment(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the deployment that the stage served before the change that the verdict rests on."""
    change = cited(accepted, bundle, UPDATE_STAGE)
    now = _patched(change, (DEPLOYMENT,)) if change else {}
    earlier = _before(bundle, change, (DEPLOYMENT,), "stageName") if change else {}
    stage = _named(change, "stageName") if change else ""
    serving = next((s for s in bundle.of(StageConfig, accepted.resource) if s.stage == stage), None)
    if change is None or not now or not earlier or earlier == now or serving is None:
        return
    if serving.deployment_id != now[DEPLOYMENT]:
        return
    yield proposed(
        "apigateway.point_stage",
        call=("apigateway", UPDATE_STAGE),
        parameters={"restApiId": _id(accepted.resource), "stageName": stage, "patchOperations": _patches(earlier)},
        resource=accepted.resource,
        title=f"Let stage `{stage}` serve deployment {earlier[DEPLOYMENT]} again",
        rationale=f"`{change.who}` moved it to {now[DEPLOYMENT]} at {change.observed_at:%H:%M} UTC.",
        expected_effect="The stage serves the API as it was within a minute.",
        risk=Risk.LOW,
        undo=f"Let it serve deployment {now[DEPLOYMENT]} again.",
        verification="4XXError and 5XXError of the stage return to their usual numbers.",
        effect=Effect.UNDOES,
        trade_off=f"all that the new deployment brought is gone until it is mended; {KEPT_AS_CODE}",
        evidence=shown(accepted, change, serving),
    )


@proposal("apigw-not-deployed")
def deploy(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to deploy a REST API's configuration to the stage that serves an older one."""
    config = bundle.first(ApiConfig, accepted.resource)
    for old in bundle.of(Deployment, accepted.resource):
        if config is None or config.protocol is not Protocol.REST or old.id not in accepted.evidence:
            continue
        yield proposed(
            "apigateway.deploy",
            call=("apigateway", "CreateDeployment"),
            parameters={"restApiId": _id(accepted.resource), "stageName": old.stage},
            resource=accepted.resource,
            title=f"Deploy the API as it is configured to stage `{old.stage}`",
            rationale=f"The stage serves deployment {old.deployment_id}, which is older than the configuration.",
            expected_effect="The stage serves what is configured within a minute.",
            risk=Risk.HIGH,
            undo=f"Let the stage serve deployment {old.deployment_id} again.",
            verification="The refused requests succeed, and 5XXError of the stage does not rise.",
            effect=Effect.MENDS,
            trade_off="every change that is not deployed yet goes out with it, finished or not",
            evidence=shown(accepted, old),
        )


@proposal("apigw-invalid-lambda-permission", "apigw-http-api-integration-error")
def open_function(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the statement in the function's policy that lets the API's route invoke it."""
    known = bundle.first(Routes, accepted.resource)
    for seen in bundle.of(InvokePermission, accepted.resource):
        account = _account(accepted.resource, bundle)
        if seen.id not in accepted.evidence or not seen.function_exists or seen.authorizer_id or not account:
            continue
        if seen.policy is not None and any(s.effect == "Deny" for s in seen.policy.statements):
            continue  # a Deny wins over any statement that is added
        for route in known.routes if known else ():
            if route.function != seen.function or route.qualifier != seen.qualifier or route.path == "$default":
                continue
            arn, method = Arn.parse(accepted.resource), "*" if route.method == "ANY" else route.method
            path = "/".join("*" if part.startswith("{") else part for part in route.path.split("/"))
            source = f"arn:{arn.partition}:execute-api:{arn.region}:{account}:{_id(accepted.resource)}/*/{method}{path}"
            yield let_in(
                accepted,
                seen,
                function=seen.function,
                qualifier=seen.qualifier,
                principal="apigateway.amazonaws.com",
                source=source,
            )


def _account(api: str, bundle: EvidenceBundle) -> str:
    """Return the API's account: of its own ARN, else as a function's policy names the API; empty if unknown."""
    named = [
        arn
        for permission in bundle.of(InvokePermission, api)
        for statement in (permission.policy.statements if permission.policy else ())
        for condition in statement.conditions
        for value in condition.values
        for arn in arns_in(value)
        if ":execute-api:" in arn and Arn.parse(arn).resource.split("/")[0] == _id(api)
    ]
    return next((account for arn in [api, *named] if (account := Arn.parse(arn).account)), "")


def _id(api: str) -> str:
    """Return the API's id from `/restapis/<id>`, `/apis/<id>` or an execute-api ARN's `<id>`."""
    return Arn.parse(api).resource.removeprefix("/restapis/").removeprefix("/apis/").split("/")[0]


PROPOSALS: tuple[Proposal, ...] = (
    restore_limits,
    raise_limit,
    restore_deployment,
    deploy,
    open_function,
)
