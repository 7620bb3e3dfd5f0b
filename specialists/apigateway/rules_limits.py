"""Requests that API Gateway refused for their number, size or form: 429, 413, 400."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.apigateway.evidence import Authorizer, Route, Routes, StageConfig
from specialists.apigateway.guards import PlanUsage, UsagePlans
from specialists.apigateway.refusals import refused_requests
from specialists.apigateway.requests import api_name, first_of, named_requests, route_of, seen_in, stages
from specialists.apigateway.signs import stated
from specialists.apigateway.traffic import after, api_series, changes_like
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries

REQUESTS = (TraceSegment, TraceCall, LogLines, StageConfig, Authorizer, Routes)


def _limits(case: Case) -> str:
    """Return the lowest rate that a stage or plan sets, in words."""
    rates = [(t.rate, f"stage `{s.stage}`") for s in stages(case) for t in s.throttles if t.rate is not None]
    known = case.one(UsagePlans)
    rates += [(p.rate, f"usage plan `{p.name}`") for p in known.plans if p.rate is not None] if known else []
    rate, where = min(rates, default=(None, ""))
    return f" over the {rate:g} requests a second of {where}" if rate is not None else " over its rate limit"


def _limited(case: Case) -> list[Evidence]:
    """Return the configuration that sets a rate, and the count of requests if it came near."""
    lowest = min((t.rate for s in stages(case) for t in s.throttles if t.rate), default=None)
    count = api_series(case, "Count")
    near = count is not None and lowest is not None and count.peak >= 0.8 * lowest * count.period_seconds
    return [*(s for s in stages(case) if s.throttles), *([count] if count and near else [])]


@rule("apigw-throttled", sees=(*REQUESTS, UsagePlans, PlanUsage, MetricSeries, Change))
def too_many_requests(case: Case) -> Iterator[Finding]:
    """A stage's, method's, usage plan's or the account's throttle was reached."""
    code, quota = "apigw-throttled", stated(case, "apigw-quota-exceeded")
    said, bare = stated(case, code), refused_requests(case, 429)
    plans = case.one(UsagePlans)
    edits = changes_like(case, "UpdateStage", "UpdateUsagePlan", "UpdateAccount")
    lowered = [c for c in edits if _throttling(c)]
    summary = f"`{api_name(case)}` throttled {named_requests(said or bare)}{_limits(case)}{after(lowered)}"
    only = plans is not None and not any(p.quota for p in plans.plans)
    if said:
        strong = [*_limited(case), *lowered]
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=strong, since=first_of(said))
    elif bare and not quota and not _ran_out(case):
        support: list[Evidence] = [*seen_in(bare), *_limited(case), *([plans] if plans and only else [])]
        support += lowered
        sure = (only or len(_limited(case)) > 1) and all(a.reached is False for a in bare)
        strong, weak = (support, []) if sure else ([], support)
        yield case.hypothesis(code, summary, strong=strong, weak=weak, since=first_of(bare))


def _throttling(change: Change) -> bool:
    return any("throttl" in f"{key}{value}".lower() for key, value in change.parameters.items())


def _ran_out(case: Case) -> list[PlanUsage]:
    return [usage for usage in case.all(PlanUsage) if usage.exhausted]


@rule("apigw-quota-exceeded", sees=(*REQUESTS, PlanUsage))
def quota_used_up(case: Case) -> Iterator[Finding]:
    """An API key used up the quota of its usage plan."""
    code, out = "apigw-quota-exceeded", _ran_out(case)
    said, bare = stated(case, code), refused_requests(case, 429)
    plan = f"usage plan `{out[0].plan}`" if out else "its usage plan"
    summary = f"An API key of `{api_name(case)}` has used up the quota of {plan}"
    if said:
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=out, since=first_of(said))
    elif bare and out and not stated(case, "apigw-throttled"):
        yield case.hypothesis(code, summary, strong=(*seen_in(bare), *out), since=first_of(bare))


@rule("apigw-request-too-large", sees=REQUESTS)
def request_too_large(case: Case) -> Iterator[Finding]:
    """The payload is above API Gateway's 10 MB."""
    said, bare = stated(case, "apigw-request-too-large"), refused_requests(case, 413)
    summary = f"`{api_name(case)}` refused {named_requests(said or bare)}: the payload is above 10 MB"
    if said:
        yield case.hypothesis("apigw-request-too-large", summary, proof=seen_in(said), since=first_of(said))
    elif bare:
        sure = all(a.reached is False for a in bare)
        strong, weak = (seen_in(bare), ()) if sure else ((), seen_in(bare))
        yield case.hypothesis("apigw-request-too-large", summary, strong=strong, weak=weak, since=first_of(bare))


@rule("apigw-bad-request-validation", sees=(*REQUESTS, Change))
def validation_refuses(case: Case) -> Iterator[Finding]:
    """The route's request validator refuses the body or parameters."""
    code = "apigw-bad-request-validation"
    said, bare, known = stated(case, code), refused_requests(case, 400), case.one(Routes)
    checking: list[Route] = [r for a in (*said, *bare) if (r := route_of(case, a)) and r.validated]
    edits = changes_like(case, "UpdateModel", "UpdateMethod", "PutMethod", "UpdateRequestValidator", "PutRestApi")
    where = ", ".join(dict.fromkeys(f"`{r.label}`" for r in checking)) or f"`{api_name(case)}`"
    summary = f"The request validator of {where} refused {named_requests(said or bare)} before any function ran"
    if said:
        yield case.hypothesis(code, summary, proof=seen_in(said), strong=edits, since=first_of(said))
    elif bare and checking and known and all(a.reached is False for a in bare):
        yield case.hypothesis(code, summary, strong=(*seen_in(bare), known, *edits), since=first_of(bare))


RULES: tuple[Rule, ...] = (too_many_requests, quota_used_up, request_too_large, validation_refuses)
