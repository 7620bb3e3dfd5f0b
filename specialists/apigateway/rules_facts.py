"""What is so: the share of failing requests, what is deployed, what was checked and found in order."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.apigateway.evidence import ApiConfig, Authorizer, Deployment, MissingLogGroup, Routes, StageConfig
from specialists.apigateway.guards import InvokePermission, WebAcl
from specialists.apigateway.policy import lets_api_in
from specialists.apigateway.refusals import changed_since_deployment
from specialists.apigateway.requests import EXECUTION, answers, api_name, route_of, seen_in, stages
from specialists.apigateway.traffic import CLIENT_ERRORS, SERVER_ERRORS, api_series, changes_like, server_errors
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries


@rule(sees=(ApiConfig,))
def api_is_gone(case: Case) -> Iterator[Finding]:
    """The API does not exist, or its default endpoint is switched off."""
    config = case.one(ApiConfig)
    if config and not config.exists:
        yield case.fact(f"There is no API `{api_name(case)}` in this account and Region", config)
    elif config and config.default_endpoint_disabled:
        yield case.fact(
            f"The default endpoint of `{config.name}` is switched off: only its custom domain answers", config
        )


@rule(sees=(MetricSeries,))
def share_of_failing_requests(case: Case) -> Iterator[Finding]:
    """How many requests failed in the window, and how many usually do."""
    count = api_series(case, "Count")
    if count is None or not count.total:
        return
    bad = [
        (name, s) for name, names in (("5xx", SERVER_ERRORS), ("4xx", CLIENT_ERRORS)) if (s := api_series(case, *names))
    ]
    shares = [f"{s.total:g} ({s.total / count.total:.0%}) with {name}" for name, s in bad if s.total]
    stage = f" stage `{count.dimensions['Stage']}`" if "Stage" in count.dimensions else ""
    what = f"failed {' and '.join(shares)}" if shares else "none failed"
    told = f"`{api_name(case)}`{stage}: of {count.total:g} requests, {what}"
    unusual = any(s.peak > s.usual_peak for _, s in bad)
    yield case.fact(told, count, *(s for _, s in bad), notable=unusual)


@rule(sees=(TraceSegment, TraceCall, LogLines, StageConfig, Authorizer, Routes))
def failing_answers(case: Case) -> Iterator[Finding]:
    """What the API answered in the trace and the logs."""
    found = answers(case)
    statuses = sorted({a.status for a in found if a.status is not None})
    if statuses:
        requests = ", ".join(dict.fromkeys(f"`{a.request}`" for a in found if a.path)) or "requests"
        yield case.fact(f"{requests[:200]} answered with HTTP {', '.join(map(str, statuses))}", *seen_in(found))
    elif case.segments(failed=False):
        good = case.segments(failed=False)[0]
        yield case.fact(f"`{api_name(case)}` answered HTTP {good.http_status or 'without error'} in this trace", good)


@rule(sees=(TraceSegment, TraceCall, LogLines, StageConfig, Authorizer, Routes))
def backend_answered_itself(case: Case) -> Iterator[Finding]:
    """Server errors that an HTTP backend gave itself, and API Gateway only passed on."""
    own = [a for a in answers(case) if a.passed_on and (a.status or 0) >= 500]
    for label in dict.fromkeys(r.label for a in own if (r := route_of(case, a)) and r.integration.startswith("HTTP")):
        found = [a for a in own if (r := route_of(case, a)) and r.label == label]
        given = ", ".join(str(status) for status in sorted({a.status for a in found if a.status}))
        told = f"The backend of `{label}` answered HTTP {given} itself, and `{api_name(case)}` passed it on"
        yield case.fact(told, *seen_in(found), notable=True)
        yield case.advice(
            f"Look at what stands behind `{label}`, such as the load balancer's healthy targets: the error is its own.",
            *seen_in(found, 1),
        )


@rule(sees=(StageConfig, Deployment, Change))
def what_is_deployed(case: Case) -> Iterator[Finding]:
    """Since when each stage serves what it serves, and whether changes wait for a deployment."""
    later = changed_since_deployment(case)
    for deployment in case.all(Deployment):
        age = case.window.start - deployment.created_at
        when = f"{deployment.created_at:%Y-%m-%d %H:%M} UTC"
        before = f", {age.days} days before" if age.days > 0 else ""
        yield case.fact(f"Stage `{deployment.stage}` serves the deployment of {when}{before}", deployment)
    if later:
        waiting = len(later) - 1
        yield case.fact(f"{waiting} changes to routes of `{api_name(case)}` are not deployed", *later)
    deployed = changes_like(case, "CreateDeployment", "UpdateStage")
    if deployed:
        last = deployed[-1]
        yield case.fact(
            f"`{api_name(case)}` was last deployed or its stage changed by {last.who}: {last.summary()}", last
        )


@rule(sees=(InvokePermission, WebAcl))
def what_is_in_order(case: Case) -> Iterator[Finding]:
    """The functions that let the API in, and stages without a web ACL."""
    source = f"arn:*:execute-api:*:*:{case.target.name}/*"
    open_ones = [
        p for p in case.all(InvokePermission) if p.policy and lets_api_in(p.policy, source, case.target.account)
    ]
    if open_ones:
        names = ", ".join(p.label for p in open_ones)
        yield case.fact(f"`{api_name(case)}` may invoke {names}", *open_ones)
    bare = [acl for acl in case.all(WebAcl) if acl.name is None]
    if bare:
        yield case.fact(f"No web ACL in front of stage {', '.join(f'`{a.stage}`' for a in bare)}", *bare)


@rule(sees=(StageConfig, MissingLogGroup, TraceSegment, TraceCall, LogLines, MetricSeries))
def nothing_is_logged(case: Case) -> Iterator[Finding]:
    """A stage with failing requests writes no execution log that would name the reason."""
    missing = [m for m in case.all(MissingLogGroup) if m.log_group.startswith(EXECUTION)]
    silent = [s for s in stages(case) if s.execution_logging == "OFF" and not s.access_log_group]
    if (answers(case) or server_errors(case)) and missing and silent:
        name = silent[0].stage
        yield case.advice(
            f"Turn on execution logging (level ERROR) or an access log for stage `{name}`: API Gateway writes its own"
            " reason for a failed request nowhere else",
            *missing[:1],
            silent[0],
        )


RULES: tuple[Rule, ...] = (
    api_is_gone,
    share_of_failing_requests,
    failing_answers,
    backend_answered_itself,
    what_is_deployed,
    what_is_in_order,
    nothing_is_logged,
)
