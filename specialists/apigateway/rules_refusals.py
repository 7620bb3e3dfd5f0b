"""Requests that API Gateway refused to pass on: 401 and 403, whoever decided it."""

import re
from collections.abc import Iterator
from datetime import datetime

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.apigateway.evidence import (
    ApiConfig,
    Authorizer,
    Deployment,
    DomainMappings,
    GatewayResponses,
    Routes,
    StageConfig,
)
from specialists.apigateway.guards import ApiKeys, InvokePermission, UsagePlans, WebAcl
from specialists.apigateway.policy import lets_api_in
from specialists.apigateway.refusals import (
    changed_since_deployment,
    leads_here,
    mapping_changes,
    mapping_refusals,
    no_such_route,
    reason_for_403,
    refused_requests,
    rest_api,
    undeployed,
)
from specialists.apigateway.requests import (
    Answer,
    answers,
    api_name,
    authorizer_calls,
    first_of,
    integration_calls,
    matching,
    named_requests,
    route_of,
    seen_in,
)
from specialists.apigateway.signs import ACCESS_DENIED, SIGNS, in_authorizer, stated, unexplained
from specialists.apigateway.traffic import after, changes_like
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries

REQUESTS = (TraceSegment, TraceCall, LogLines, StageConfig, Authorizer, Routes, DomainMappings)
REASONED = (*REQUESTS, ApiConfig, ApiKeys, UsagePlans, WebAcl, MetricSeries, Deployment, Change)


NOT_COVERED = re.compile(r"User is not authorized to access this resource", re.IGNORECASE)
EXPLICIT = re.compile(r"explicit deny", re.IGNORECASE)
"""What API Gateway says where the authorizer's policy does not allow the request, and what it adds for a Deny.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

UNUSABLE = re.compile(r"AUTHORIZER_CONFIGURATION_ERROR|AuthorizerConfigurationException", re.IGNORECASE)
"""What API Gateway says where an authorizer's answer is no policy with a principal."""

SIGNED = (
    (
        re.compile(r"EXPIRED_TOKEN|ExpiredToken|security token included in the request is expired", re.IGNORECASE),
        "the caller's credentials have expired",
    ),
    (
        re.compile(r"signature (?:expired|not yet current)", re.IGNORECASE),
        "the caller's clock is off, or the request was signed long before it was sent",
    ),
    (
        re.compile(r"INVALID_SIGNATURE|request signature we calculated does not match", re.IGNORECASE),
        "it does not fit the request",
    ),
    (
        re.compile(r"security token included in the request is invalid|UnrecognizedClient", re.IGNORECASE),
        "the caller's credentials are not valid",
    ),
)
"""What API Gateway says about a signature, and what it means."""

SOURCES = frozenset({"aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip"})


def _bare_403(case: Case, code: str, summary: str) -> Iterator[Finding]:
    """Name the cause for a 403 that says nothing: strong if only this explains it, else weak and disputed."""
    reason = reason_for_403(case, code)
    if reason is None:
        return
    support = (*seen_in(reason.found), *reason.why)
    strong, weak = (support, ()) if reason.sure else ((), support)
    against = [item for item in reason.rivals if item not in support]
    yield case.hypothesis(code, summary, strong=strong, weak=weak, against=against, since=first_of(reason.found))


@rule("apigw-missing-auth-token", sees=REASONED)
def no_route_or_unsigned(case: Case) -> Iterator[Finding]:
    """The path or method is not in the API, or the route wants a signed request and got an unsigned one."""
    code = "apigw-missing-auth-token"
    said = tuple(a for a in stated(case, code) if a.method != "OPTIONS")
    lost = () if rest_api(case) else refused_requests(case, 404)
    if (said or lost) and not undeployed(case, said or lost):
        known = no_such_route(case, said or lost)
        signed = any((r := route_of(case, a)) and r.authorization == "AWS_IAM" for a in said)
        why = (
            "want a signed request"
            if signed
            else "are no route of it"
            if known
            else "are no route of it, or not signed"
        )
        summary = f"`{api_name(case)}` refused {named_requests(said or lost)}: they {why}"
        if said:
            yield case.hypothesis(code, summary, proof=seen_in(said), strong=known, since=first_of(said))
        elif known:
            yield case.hypothesis(code, summary, strong=(*seen_in(lost), *known), since=first_of(lost))
    elif not said:
        yield from _bare_403(
            case, code, f"`{api_name(case)}` has no route for {named_requests(refused_requests(case, 403))}"
        )


@rule("apigw-not-deployed", sees=REASONED)
def change_not_deployed(case: Case) -> Iterator[Finding]:
    """The route is configured, but the stage still serves a deployment from before it was made or changed."""
    code = "apigw-not-deployed"
    found = (*stated(case, "apigw-missing-auth-token"), *refused_requests(case, 403, 404))
    if not found:
        return
    missing, later = undeployed(case, found), changed_since_deployment(case)
    changes = [c for c in later if isinstance(c, Change)]
    deployment = next((d for d in (*missing, *later) if isinstance(d, Deployment)), None)
    if deployment is None:
        return
    made = f"{deployment.created_at:%Y-%m-%d %H:%M} UTC"
    summary = f"Stage `{deployment.stage}` serves a deployment of {made}, which does not have {named_requests(found)}"
    routed = any(route_of(case, a) for a in found)
    since = max((c.observed_at for c in changes if c.observed_at), default=first_of(found))
    if missing:
        yield case.hypothesis(code, summary, proof=(*missing, *seen_in(found)), strong=changes, since=since)
    elif later and deployment.methods is None and routed:
        yield case.hypothesis(code, summary, strong=(*later, *seen_in(found)), since=since)


@rule("apigw-invalid-api-key", sees=REASONED)
def api_key_refused(case: Case) -> Iterator[Finding]:
    """The API key is missing, disabled, or in no usage plan of the stage."""
    code = "apigw-invalid-api-key"
    said = stated(case, code)
    summary = f"`{api_name(case)}` refused the API key of {named_requests(said or refused_requests(case, 403))}"
    if said:
        edits = changes_like(case, "UpdateApiKey", "DeleteApiKey", "DeleteUsagePlanKey", "UpdateUsagePlan")
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=edits, since=first_of(said))
    else:
        yield from _bare_403(case, code, summary)


@rule("apigw-authorizer-denied", sees=REASONED)
def authorizer_denied(case: Case) -> Iterator[Finding]:
    """The Lambda authorizer said no, or its cached answer was made for another path."""
    code = "apigw-authorizer-denied"
    said = stated(case, code)
    checked = [a for a in case.all(Authorizer) if a.type in {"TOKEN", "REQUEST"}]
    asked = said or refused_requests(case, 403)
    edits = _new_code(case, checked, first_of(asked))
    summary = f"{_verdict(case, checked, said, named_requests(asked))}{after(edits)}"
    tokens = [a for a in matching(refused_requests(case, 403), ACCESS_DENIED) if _custom(case, a)]
    if said:
        strong = (*checked[:1], *edits)
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=strong, since=first_of(said))
    elif tokens and checked:
        yield case.hypothesis(code, summary, strong=(*seen_in(tokens), *checked[:1], *edits), since=first_of(tokens))
    else:
        yield from _bare_403(case, code, summary)


def _verdict(case: Case, checked: list[Authorizer], said: tuple[Answer, ...], requests: str) -> str:
    """Say how the authorizer refused: API Gateway's words tell a Deny from an answer that covers other routes only."""
    cached = next((a for a in checked if a.ttl_seconds), None)
    answered = [a for a in said if NOT_COVERED.search(a.said)]
    if not answered or any(EXPLICIT.search(a.said) for a in said):
        cache = f" (its answers are cached {cached.ttl_seconds} s)" if cached else ""
        return f"The authorizer of `{api_name(case)}` denied {requests}{cache}"
    cache = f", which is cached {cached.ttl_seconds} s and may have been made for another route," if cached else ""
    return f"The policy that the authorizer of `{api_name(case)}` returned{cache} does not allow {requests}"


def _new_code(case: Case, checked: list[Authorizer], onset: datetime | None) -> list[Change]:
    """Return the changes of the authorizers' functions that came before the first refusal."""
    names = {a.function.rsplit(":", 1)[-1] for a in checked if a.function}
    return [
        c
        for c in changes_like(case, "UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateAlias")
        if any(value.rsplit(":", 1)[-1] in names for value in c.parameters.values())
        and (onset is None or c.observed_at is None or c.observed_at <= onset)
    ]


def _custom(case: Case, answer: Answer) -> bool:
    route = route_of(case, answer)
    return route is None or route.authorization == "CUSTOM"


@rule("apigw-unauthorized", sees=REQUESTS)
def no_valid_token(case: Case) -> Iterator[Finding]:
    """The request carried no token, or one that the authorizer does not accept."""
    code = "apigw-unauthorized"
    said = stated(case, code)
    bare = refused_requests(case, 401)
    checked = [a for a in case.all(Authorizer) if a.exists]
    reads = f", which reads {', '.join(checked[0].identity_sources)}" if checked and checked[0].identity_sources else ""
    summary = f"{named_requests(said or bare)} to `{api_name(case)}` had no token that its authorizer accepts{reads}"
    if said:
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=checked[:1], since=first_of(said))
    elif bare and checked and all(a.reached is False for a in bare):
        yield case.hypothesis(code, summary, strong=(*seen_in(bare), *checked[:1]), since=first_of(bare))
    elif bare and checked:
        yield case.hypothesis(code, summary, weak=(*seen_in(bare), *checked[:1]), since=first_of(bare))


@rule("apigw-authorizer-failure", sees=(*REQUESTS, InvokePermission, Change))
def authorizer_failed(case: Case) -> Iterator[Finding]:
    """The authorizer's function failed, timed out, or may not be invoked."""
    code = "apigw-authorizer-failure"
    permission_words = SIGNS["apigw-invalid-lambda-permission"]
    stuck = tuple(a for a in matching(answers(case), permission_words) if in_authorizer(a))
    said = (*stated(case, code), *stuck)
    failed = tuple(c for c in authorizer_calls(case) if c.failed)
    bare = () if integration_calls(case) else unexplained(case, 500)
    source = f"arn:*:execute-api:*:*:{case.target.name}/authorizers/"
    barred = [
        p
        for p in case.all(InvokePermission)
        if p.authorizer_id and not lets_api_in(p.policy, source + p.authorizer_id, case.target.account)
    ]
    who = next((f" `{a.name}`" for a in case.all(Authorizer)), "")
    gone = [a for a in case.all(Authorizer) if not a.exists]
    since, behind = first_of([*said, *bare]), [c.resource for c in failed]
    edits = _new_code(case, list(case.all(Authorizer)), since)
    why = "it failed or may not be invoked"
    if authorizer_calls(case) and not (failed or barred or gone) and matching(said, UNUSABLE):
        why = f"it answered, and API Gateway cannot use its answer{after(edits)}"
    summary = f"The authorizer{who} of `{api_name(case)}` could not decide: {why}"
    if said:
        strong = (*failed[:1], *edits)
        yield case.hypothesis(
            code, summary, proof=(*seen_in(said), *barred), strong=strong, since=since, defers_to=behind
        )
    elif bare and (barred or gone) and not failed:
        removed = changes_like(case, "RemovePermission", "DeleteAuthorizer")
        yield case.hypothesis(code, summary, proof=(*seen_in(bare), *barred, *gone), strong=removed, since=since)
    elif bare and failed:
        yield case.hypothesis(code, summary, strong=(*seen_in(bare), *failed[:1]), since=since, defers_to=behind)


@rule("apigw-expired-signature", sees=REQUESTS)
def signature_refused(case: Case) -> Iterator[Finding]:
    """The SigV4 signature is wrong or its credentials have expired."""
    said = stated(case, "apigw-expired-signature")
    if said:
        known = {why for sign, why in SIGNED if any(sign.search(a.said) for a in said)}
        why = known.pop() if len(known) == 1 else "it is wrong, or the credentials have expired"
        summary = f"`{api_name(case)}` refused the signature of {named_requests(said)}: {why}"
        yield case.hypothesis("apigw-expired-signature", summary, proof=seen_in(said), since=first_of(said))


@rule("apigw-waf-blocked", sees=REASONED)
def blocked_by_web_acl(case: Case) -> Iterator[Finding]:
    """A web ACL in front of the stage blocks the requests."""
    code = "apigw-waf-blocked"
    said = stated(case, code)
    acl = next((a for a in case.all(WebAcl) if a.name), None)
    name = f"Web ACL `{acl.name}`" if acl else "The web ACL"
    blocked = next((s for s in case.all(MetricSeries) if s.metric == "BlockedRequests" and s.total), None)
    count = f" ({blocked.total:g} blocked in the window)" if blocked else ""
    asked = named_requests(said or refused_requests(case, 403))
    summary = f"{name} in front of `{api_name(case)}` blocks {asked}{count}"
    if said:
        strong: list[Evidence] = [e for e in (acl, blocked) if e]
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=strong, since=first_of(said))
    else:
        yield from _bare_403(case, code, summary)


@rule("apigw-private-endpoint-policy", sees=REASONED)
def resource_policy_denies(case: Case) -> Iterator[Finding]:
    """The API's resource policy, or its VPC endpoint, does not let the caller in."""
    code = "apigw-private-endpoint-policy"
    said = tuple(a for a in stated(case, code) if _by_the_api(a))
    config = case.one(ApiConfig)
    summary = f"The resource policy of `{api_name(case)}` does not let the caller in{_who_may_come(config)}"
    if said:
        strong: list[Evidence] = [config] if config and (config.policy or config.private) else []
        strong += changes_like(case, "UpdateRestApi")
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=strong, since=first_of(said))
    else:
        yield from _bare_403(case, code, summary)


def _who_may_come(config: ApiConfig | None) -> str:
    """Say whom the policy lets in by where they come from, where it says so in one way only."""
    places = {
        (condition.key, ", ".join(f"`{value}`" for value in condition.values[:3]))
        for statement in (config.policy.statements if config and config.policy else ())
        for condition in statement.conditions
        if condition.key.lower() in SOURCES and (statement.effect == "Deny") == ("Not" in condition.operator)
    }
    if len(places) != 1 or config is None:
        return ""
    ((key, values),) = places
    through = ", ".join(f"`{name}`" for name in config.vpc_endpoint_ids if f"`{name}`" not in values)
    reached = f", and the API is set up to be reached through {through}" if through and "vpce" in key.lower() else ""
    return f": it lets in only {values} ({key}){reached}"


def _by_the_api(answer: Answer) -> bool:
    """Tell whether the API's own policy refused: a named principal's missing permission is its identity policy's."""
    words = answer.said.lower()
    return "anonymous" in words or "resource-based policy" in words or "vpc endpoint policy" in words


@rule("apigw-custom-domain-mapping", sees=(*REQUESTS, Change))
def domain_path_not_mapped(case: Case) -> Iterator[Finding]:
    """The custom domain has no mapping for the path, so its requests reach no API."""
    calls, domain = mapping_refusals(case)
    if domain is None:
        return
    edits = mapping_changes(case, domain, calls)
    seen, own = (*calls[:3], domain), leads_here(case, domain)
    times = "a refused call" if len(calls) == 1 else f"{len(calls)} refused calls"
    yield case.hypothesis(
        "apigw-custom-domain-mapping",
        f"Custom domain {domain.domain} has no mapping for the path of {times}{after(edits)}",
        proof=seen if own else (),
        strong=edits if own else (*seen, *edits),
        since=edits[-1].observed_at if edits else min(c.start for c in calls),
    )


@rule("apigw-cors", sees=(*REQUESTS, ApiConfig, GatewayResponses))
def cors_headers_missing(case: Case) -> Iterator[Finding]:
    """The browser's preflight fails, or an answer lacks the CORS headers."""
    said, known, config = stated(case, "apigw-cors"), case.one(Routes), case.one(ApiConfig)
    preflights = tuple(a for a in answers(case) if a.method == "OPTIONS" and not a.reached)
    configured = config is not None and config.cors is not None
    unrouted = tuple(a for a in preflights if known and not known.truncated and route_of(case, a) is None)
    guarded = tuple(
        a for a in preflights if (r := route_of(case, a)) and (r.authorization != "NONE" or r.api_key_required)
    )
    summary = f"`{api_name(case)}` does not answer the browser's CORS preflight of {_paths([*unrouted, *guarded])}"
    if said:
        summary = f"Answers of `{api_name(case)}` lack the CORS headers that the browser asks for"
        yield case.hypothesis("apigw-cors", summary, proof=seen_in(said), since=first_of(said))
    elif unrouted and known and not configured:
        why = f"{summary}: there is no OPTIONS method"
        yield case.hypothesis("apigw-cors", why, proof=(*seen_in(unrouted), known), since=first_of(unrouted))
    elif guarded and known and not configured:
        why = f"{summary}: OPTIONS asks for authorization, which browsers do not send"
        yield case.hypothesis("apigw-cors", why, strong=(*seen_in(guarded), known), since=first_of(guarded))


def _paths(found: list[Answer]) -> str:
    return ", ".join(dict.fromkeys(f"`{a.path}`" for a in found)) or "its paths"


RULES: tuple[Rule, ...] = (
    no_route_or_unsigned,
    change_not_deployed,
    api_key_refused,
    authorizer_denied,
    no_valid_token,
    authorizer_failed,
    signature_refused,
    blocked_by_web_acl,
    resource_policy_denies,
    domain_path_not_mapped,
    cors_headers_missing,
)
