"""Who may call and be called: invoke permissions, usage plans and keys, the web ACL in front."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from aws.reads import Read, read
from domain.resource import ResourceType
from specialists.apigateway.evidence import Authorizer, Routes, StageConfig
from specialists.apigateway.guards import ApiKeys, InvokePermission, KeyUsage, PlanUsage, UsagePlan, UsagePlans, WebAcl
from specialists.apigateway.lookups import WHICH, api_of
from specialists.apigateway.policy import parse_policy
from specialists.apigateway.probes_config import rest
from specialists.contract import Look, probe
from specialists.kit.functions import GET_POLICY, NO_FUNCTION, policy_text_of
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.series import MetricSeries

if TYPE_CHECKING:
    from types_boto3_wafv2.type_defs import WebACLTypeDef

GET_WEB_ACL: Read = read("wafv2", "GetWebACLForResource")
MAX_FUNCTIONS = 5
MAX_PLANS = 3


class _Callee(NamedTuple):
    """A function that the API calls, with the alias or version it names."""

    function: str
    qualifier: str | None


@probe(GET_POLICY, needs=(Routes,), yields=(InvokePermission,))
def integration_permissions(look: Look) -> Iterator[InvokePermission]:
    """Whether the functions behind the routes let this API invoke them."""
    known = look.seen.first(Routes, look.target.id)
    callees = (
        [_Callee(r.function, r.qualifier) for r in known.routes if r.function and not r.credentials] if known else []
    )
    traced = {
        node.id
        for node in look.graph.nodes
        if node.type is ResourceType.LAMBDA and node.id in look.graph.callees(look.target.id)
    }
    ordered = sorted(dict.fromkeys(callees), key=lambda c: (c.function not in traced, callees.index(c)))
    for callee in ordered[:MAX_FUNCTIONS]:
        yield _permission(look, callee, None)


@probe(GET_POLICY, needs=(Authorizer,), yields=(InvokePermission,))
def authorizer_permissions(look: Look) -> Iterator[InvokePermission]:
    """Whether the authorizers' functions let this API invoke them."""
    for authorizer in look.seen.of(Authorizer, look.target.id):
        if authorizer.function and not authorizer.credentials:
            yield _permission(look, _Callee(authorizer.function, authorizer.qualifier), authorizer.authorizer_id)


def _permission(look: Look, callee: _Callee, authorizer_id: str | None) -> InvokePermission:
    """Return a function's resource policy; AWS answers "not found" both without a policy and without a function."""
    exists, text = True, None
    try:
        text = policy_text_of(look, callee.function, callee.qualifier or "")
    except ClientError as error:
        told = error.response.get("Error", {})
        if told.get("Code") != NO_FUNCTION:
            raise
        exists = not told.get("Message", "").startswith("Function not found")
    return InvokePermission(
        resource=look.target.id,
        source="lambda:GetPolicy",
        function=callee.function,
        qualifier=callee.qualifier,
        authorizer_id=authorizer_id,
        function_exists=exists,
        policy=parse_policy(text) if text is not None else None,
    )


@probe(*WHICH, rest("GetUsagePlans"), yields=(UsagePlans,))
def usage_plans(look: Look) -> Iterator[UsagePlans]:
    """The usage plans that the API is in, with their rates and quotas."""
    found = api_of(look)
    if found is None or not found.rest:
        return
    pages = look.aws.apigateway.get_paginator("get_usage_plans").paginate(PaginationConfig={"PageSize": 500})
    plans = []
    for plan in (plan for page in pages for plan in page.get("items", [])):
        stages = tuple(s.get("stage", "") for s in plan.get("apiStages", []) if s.get("apiId") == look.target.name)
        throttle, quota = plan.get("throttle") or {}, plan.get("quota") or {}
        if stages:
            plans.append(
                UsagePlan(
                    plan_id=plan.get("id", ""),
                    name=plan.get("name", ""),
                    stages=stages,
                    rate=throttle.get("rateLimit"),
                    burst=throttle.get("burstLimit"),
                    quota=quota.get("limit"),
                    period=quota.get("period"),
                )
            )
    yield UsagePlans(resource=look.target.id, source="apigateway:GetUsagePlans", plans=tuple(plans))


@probe(rest("GetUsage"), needs=(UsagePlans,), yields=(PlanUsage,))
def plan_usage(look: Look) -> Iterator[PlanUsage]:
    """How much of its quota each API key has left on the day of the window's end."""
    known = look.seen.first(UsagePlans, look.target.id)
    day = look.window.end.date().isoformat()
    for plan in [p for p in known.plans if p.quota][:MAX_PLANS] if known else ():
        items = look.aws.apigateway.get_usage(usagePlanId=plan.plan_id, startDate=day, endDate=day, limit=500).get(
            "items", {}
        )
        keys = [KeyUsage(key_id=key, used=days[-1][0], remaining=days[-1][1]) for key, days in items.items() if days]
        yield PlanUsage(
            resource=look.target.id,
            source="apigateway:GetUsage",
            plan_id=plan.plan_id,
            plan=plan.name,
            keys=tuple(sorted(keys, key=lambda k: (-k.used, k.key_id))[:50]),
        )


@probe(rest("GetApiKeys"), needs=(Routes,), yields=(ApiKeys,))
def api_keys(look: Look) -> Iterator[ApiKeys]:
    """Which API keys are disabled, where a route asks for one; key values are never read."""
    known = look.seen.first(Routes, look.target.id)
    if known is None or not any(route.api_key_required for route in known.routes):
        return
    answer = look.aws.apigateway.get_api_keys(limit=500, includeValues=False)
    keys = answer.get("items", [])
    yield ApiKeys(
        resource=look.target.id,
        source="apigateway:GetApiKeys",
        enabled=sum(1 for key in keys if key.get("enabled")),
        disabled=tuple(sorted(key.get("name") or key.get("id", "") for key in keys if not key.get("enabled"))),
        truncated=bool(answer.get("position")),
    )


@probe(*WHICH, GET_WEB_ACL, GET_METRIC_DATA, needs=(StageConfig,), yields=(WebAcl, MetricSeries))
def web_acls(look: Look) -> Iterator[WebAcl | MetricSeries]:
    """The web ACL in front of the API, its blocking rules, and how many requests it blocked."""
    found = api_of(look)
    if found is None or not found.rest:
        return
    for stage in look.seen.of(StageConfig, look.target.id):
        arn = f"arn:{look.target.partition}:apigateway:{look.target.region}::/restapis/{look.target.name}/stages/"
        acl: WebACLTypeDef | None = look.aws.wafv2.get_web_acl_for_resource(ResourceArn=arn + stage.stage).get("WebACL")
        if acl is None:
            yield WebAcl(resource=look.target.id, source="wafv2:GetWebACLForResource", stage=stage.stage)
            continue
        metric = acl["VisibilityConfig"]["MetricName"]
        yield WebAcl(
            resource=look.target.id,
            source="wafv2:GetWebACLForResource",
            stage=stage.stage,
            name=acl["Name"],
            metric=metric,
            default_action=next(iter(acl.get("DefaultAction", {})), ""),
            blocking_rules=_blocking(acl),
        )
        dimensions = {"WebACL": metric, "Region": look.target.region, "Rule": "ALL"}
        yield from metric_series(look, [Metric("AWS/WAFV2", "BlockedRequests", dimensions)])


def _blocking(acl: "WebACLTypeDef") -> tuple[str, ...]:
    """Return the names of rules that may block: by their own action, or by a managed group's."""
    rules = acl.get("Rules", [])
    return tuple(r["Name"] for r in rules if "Block" in r.get("Action", {}) or "None" in r.get("OverrideAction", {}))
