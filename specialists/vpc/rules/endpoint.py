"""Calls that the policy of a VPC endpoint does not let through."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.vpc.attempts import called_by
from specialists.vpc.denials import Refusal, refusals, refusing_endpoints, swallowed
from specialists.vpc.evidence import Attachment, Endpoints, RouteTables, Subnets
from specialists.vpc.map import map_of
from specialists.vpc.network import Endpoint

Judged = tuple[Refusal, tuple[Endpoint, ...]]


@rule(
    "vpc-endpoint-policy",
    sees=(TraceCall, TraceSegment, LogLines, Attachment, Subnets, RouteTables, Endpoints, Change),
)
def denied_at_the_endpoint(case: Case) -> Iterator[Finding]:
    """AWS blames an endpoint's policy for a denied call, or the policy on the call's way does not allow it."""
    network = map_of(case.evidence, case.target)
    judged = [(r, refusing_endpoints(network, r)) for r in refusals(case.evidence, case.target)]
    grouped: dict[str, list[Judged]] = {}
    for refusal, endpoints in judged:
        if refusal.by_endpoint or endpoints:
            grouped.setdefault(endpoints[0].arn if endpoints else "", []).append((refusal, endpoints))
    if len(grouped) > 1:
        grouped.pop("", None)
    for arn, found in grouped.items():
        yield from _hypothesis(case, arn, found)


def _hypothesis(case: Case, arn: str, found: list[Judged]) -> Iterator[Finding]:
    refusal, endpoints = found[0]
    named = f" `{endpoints[0].id}`" if endpoints else ""
    what = f"`{refusal.action}`" if refusal.action else "a call"
    on = f" on `{refusal.resource}`" if refusal.resource else ""
    told = tuple({r.evidence.id: r.evidence for r, _ in found}.values())[:5]
    seen = case.all(Endpoints) if endpoints else ()
    blamed = any(r.by_endpoint for r, _ in found)
    first_at = min((r.at for r, _ in found if r.at), default=None)
    changed = _change(case, endpoints[0].id if endpoints else "")
    after = f", after ModifyVpcEndpoint by {changed.who}" if changed else ""
    more: list[Evidence] = [*(seen if blamed else ()), *([changed] if changed else [])]
    yield case.hypothesis(
        "vpc-endpoint-policy",
        f"The policy of the VPC endpoint{named} does not let `{case.target.name}` call {what}{on}{after}",
        proof=told if blamed else (*told, *seen),
        strong=more,
        resource=arn or None,
        since=first_at,
    )
    if refusal.action:
        yield case.advice(f"Allow {what}{on} in the policy of the VPC endpoint{named}.", *told[:1])


def _change(case: Case, endpoint_id: str) -> Change | None:
    fitting = [
        change
        for change in case.all(Change)
        if change.took_effect and change.event_name == "ModifyVpcEndpoint" and endpoint_id in change.parameters.values()
    ]
    return max(fitting, key=lambda change: (str(change.observed_at), change.event_id), default=None)


MADE = ("CreateVpcEndpoint", "ModifyVpcEndpoint")


@rule(
    "apigw-private-endpoint-policy",
    sees=(TraceCall, Attachment, Subnets, RouteTables, Endpoints, Change),
)
def api_behind_a_private_endpoint(case: Case) -> Iterator[Finding]:
    """Calls of an API are refused since an endpoint with private names takes them: it leads to private APIs only."""
    network = map_of(case.evidence, case.target)
    calls, endpoint = swallowed(case.evidence, case.target, network)
    if endpoint is None:
        return
    first_at = min(call.start for call in calls)
    made = [
        change
        for change in case.all(Change)
        if change.took_effect
        and change.event_name in MADE
        and (change.observed_at is None or change.observed_at <= first_at)
        and any(value == endpoint.id or value.endswith(".execute-api") for value in change.parameters.values())
    ][-1:]
    after = "".join(f", since {change.event_name} by {change.who}" for change in made)
    seen: tuple[Evidence, ...] = (*calls[:3], *case.all(Endpoints), *made)
    yield case.hypothesis(
        "apigw-private-endpoint-policy",
        f"`{case.target.name}` calls `{called_by(calls[0]).host}` through VPC endpoint `{endpoint.id}`{after}: it "
        "leads to private APIs only, and to those whose policy lets it in",
        strong=seen if made else (),
        weak=() if made else seen,
        resource=endpoint.arn or None,
        since=made[0].observed_at if made else first_at,
    )
    yield case.advice(
        f"Is the API a public one? Then call it by a custom domain, or switch private DNS of `{endpoint.id}` off.",
        *calls[:1],
    )


RULES: tuple[Rule, ...] = (denied_at_the_endpoint, api_behind_a_private_endpoint)
