"""Read-only looks at roles: which role, whether it can be assumed, what its policies say, who changed them."""

import re
from collections.abc import Iterator

from aws.reads import read
from domain.evidence import Evidence, EvidenceBundle
from domain.resource import ResourceType
from specialists.contract import Look, probe
from specialists.iam.evaluator import Outcome, Policy, decide
from specialists.iam.evidence import (
    ChangesSearched,
    EndpointPolicy,
    FunctionLogs,
    PolicyList,
    RolePolicy,
    RoleState,
    RunsAs,
)
from specialists.iam.reading import (
    GET_POLICY,
    GET_ROLE,
    LIST_ATTACHED,
    LIST_INLINE,
    attached_to,
    inline_of,
    managed_policy,
    role_named,
    role_state,
    understood,
)
from specialists.iam.refusals import Refusal, refusals
from specialists.iam.standing import log_request
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOK_BACK, LOOKUP_EVENTS, changes, recorded_in
from specialists.kit.functions import GET_CONFIGURATION, configuration_of
from specialists.kit.loglines import REFUSED, LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, log_lines

LAMBDA = {ResourceType.LAMBDA}
CREDENTIALS = re.compile(
    r"(ACCESS_?KEY|SECRET_?(ACCESS_?)?KEY|SESSION_?TOKEN|AWS_?(KEY|SECRET|TOKEN|CREDENTIALS))", re.IGNORECASE
)
MAX_POLICY_LOOKUPS = 2


@probe(GET_CONFIGURATION, yields=(RunsAs,), only=LAMBDA)
def execution_role(look: Look) -> Iterator[Evidence]:
    """Which role the function runs as, and whether Lambda itself reports a problem with it."""
    found = configuration_of(look, look.target.name)
    variables = found["Environment"].get("Variables", {}) if "Environment" in found else {}
    reasons = (found.get("StateReasonCode"), found.get("LastUpdateStatusReasonCode"))
    yield RunsAs(
        resource=look.target.id,
        source="lambda:GetFunctionConfiguration",
        role_arn=found["Role"],
        log_group=found.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{look.target.name}",
        vpc_id=found.get("VpcConfig", {}).get("VpcId", ""),
        reasons=tuple(dict.fromkeys(reason for reason in reasons if reason)),
        credential_variables=tuple(sorted(name for name in variables if CREDENTIALS.search(name))),
    )


@probe(read("stepfunctions", "DescribeStateMachine"), yields=(RunsAs,), only={ResourceType.STATE_MACHINE})
def machine_role(look: Look) -> Iterator[Evidence]:
    """Which role the state machine runs as."""
    found = look.aws.stepfunctions.describe_state_machine(stateMachineArn=look.target.id)
    yield RunsAs(resource=look.target.id, source="states:DescribeStateMachine", role_arn=found["roleArn"])


@probe(GET_ROLE, yields=(RunsAs, RoleState), only={ResourceType.ROLE, ResourceType.ASSUMED_ROLE})
def named_role(look: Look) -> Iterator[Evidence]:
    """Which role the trace means: a role session tells its name only."""
    role = role_named(look, look.target.name)
    if role is None:
        yield RoleState(resource=look.target.id, source="iam:GetRole", name=look.target.name, exists=False)
    else:
        yield RunsAs(resource=look.target.id, source="iam:GetRole", role_arn=role["Arn"])


@probe(GET_ROLE, *GET_POLICY, yields=(RoleState, RolePolicy), needs=(RunsAs,))
def role_and_boundary(look: Look) -> Iterator[Evidence]:
    """Whether the role exists, whom its trust policy lets assume it, and what its permissions boundary lets through."""
    for name, arn in {**_roles(look), **_assumed(look)}.items():
        role = role_named(look, name)
        yield role_state(name, arn, role)
        if role and "PermissionsBoundary" in role:
            yield managed_policy(look, arn, role["PermissionsBoundary"].get("PermissionsBoundaryArn", ""), "boundary")


@probe(LIST_ATTACHED, *GET_POLICY, GET_ROLE, yields=(PolicyList, RolePolicy), needs=(RunsAs,))
def attached_policies(look: Look) -> Iterator[Evidence]:
    """What the managed policies attached to the role allow and deny."""
    for name, arn in _roles(look).items():
        yield from attached_to(look, name, arn)


@probe(*LIST_INLINE, GET_ROLE, yields=(PolicyList, RolePolicy), needs=(RunsAs,))
def inline_policies(look: Look) -> Iterator[Evidence]:
    """What the policies written into the role itself allow and deny."""
    for name, arn in _roles(look).items():
        yield from inline_of(look, name, arn)


@probe(LOOKUP_EVENTS, LIST_ATTACHED, *GET_POLICY, GET_ROLE, yields=(Change, ChangesSearched), needs=(RunsAs,))
def role_changes(look: Look) -> Iterator[Evidence]:
    """Who changed the role, its trust or its policies in the day before."""
    for name, arn in _roles(look).items():
        found = [c for c in changes(look, name, resource=arn) if c.event_source == "iam.amazonaws.com"]
        yield from found
        count = len(found)
        for policy in _recent(look, attached_to(look, name, arn)):
            versions = [c for c in changes(look, policy, resource=arn) if "PolicyVersion" in c.event_name]
            yield from versions
            count += len(versions)
        yield ChangesSearched(
            resource=arn,
            source="cloudtrail:LookupEvents",
            region=recorded_in(look, arn),
            count=count,
        )


DENIAL_PATTERN = (
    '?"not authorized" ?"Not authorized" ?AccessDenied ?AccessDeniedException ?"Access Denied" ?UnauthorizedOperation'
    ' ?"security token" ?"token has expired" ?"cannot be assumed" ?"Need additional permissions"'
    ' ?"does not have permissions"'
)
DENIAL = re.compile(
    r"not\s+authorized\s+to|AccessDenied|Access Denied|UnauthorizedOperation|security token included in the request"
    r"|cannot be assumed|Need additional permissions|does not have permissions|token has expired",
    re.IGNORECASE,
)


@probe(FILTER_LOG_EVENTS, yields=(LogLines, FunctionLogs), needs=(RunsAs,), only=LAMBDA)
def denials_in_logs(look: Look) -> Iterator[Evidence]:
    """Lines of the function's log in which AWS refuses a call or a credential."""
    group = _runs_as(look).log_group
    lines = absent(
        lambda: log_lines(
            look,
            group,
            DENIAL_PATTERN,
            named=REFUSED,
            keep=lambda message: DENIAL.search(message) is not None,
        ),
        "ResourceNotFoundException",
    )
    if lines is None:
        yield FunctionLogs(
            resource=look.target.id,
            source="logs:FilterLogEvents",
            log_group=group,
            exists=False,
            has_events=False,
        )
    else:
        yield lines


@probe(
    FILTER_LOG_EVENTS, LIST_ATTACHED, *LIST_INLINE, *GET_POLICY, yields=(FunctionLogs,), needs=(RunsAs,), only=LAMBDA
)
def log_delivery(look: Look) -> Iterator[Evidence]:
    """Whether the function's log has anything in the window; asked only when its role may not write logs."""
    runs = _runs_as(look)
    found = [*attached_to(look, runs.role, runs.role_arn), *inline_of(look, runs.role, runs.role_arn)]
    policies = [Policy(p.name, p.statements) for p in found if isinstance(p, RolePolicy)]
    if decide(policies, log_request(look.target, runs)).outcome in {Outcome.ALLOWED, Outcome.UNDECIDED}:
        return
    page = absent(
        lambda: look.aws.logs.filter_log_events(
            logGroupName=runs.log_group,
            startTime=int(look.window.start.timestamp() * 1000),
            endTime=int(look.window.end.timestamp() * 1000),
            limit=1,
        ),
        "ResourceNotFoundException",
    )
    yield FunctionLogs(
        resource=look.target.id,
        source="logs:FilterLogEvents",
        log_group=runs.log_group,
        exists=page is not None,
        has_events=bool(page and (page.get("events") or page.get("nextToken"))),
    )


@probe(read("ec2", "DescribeVpcEndpoints"), yields=(EndpointPolicy,), needs=(RunsAs,), only=LAMBDA)
def endpoint_policies(look: Look) -> Iterator[Evidence]:
    """What the policies of the endpoints let through in the VPC that the function is attached to, if it is."""
    vpc = _runs_as(look).vpc_id
    if not vpc:
        return
    pages = look.aws.ec2.get_paginator("describe_vpc_endpoints").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig={"MaxItems": 100}
    )
    for endpoint in (e for page in pages for e in page["VpcEndpoints"]):
        owner = endpoint.get("OwnerId") or look.target.account
        statements, problem = understood(endpoint.get("PolicyDocument") or "")
        yield EndpointPolicy(
            resource=f"arn:{look.target.partition}:ec2:{look.target.region}:{owner}:vpc-endpoint/{endpoint['VpcEndpointId']}",
            source="ec2:DescribeVpcEndpoints",
            service=endpoint.get("ServiceName", "").rsplit(".", 1)[-1],
            statements=statements,
            problem=problem,
        )


def _runs_as(look: Look) -> RunsAs:
    return look.seen.of(RunsAs, look.target.id)[0]


def _traced(look: Look) -> tuple[Refusal, ...]:
    """Return the refusals of the trace. Those of log lines may come later than this look: none is counted on."""
    known = EvidenceBundle(item for item in look.seen if not isinstance(item, LogLines))
    return refusals(look.target, known, look.graph)


def _roles(look: Look) -> dict[str, str]:
    """Return the roles to look at, name to ARN: the target's own, and others of its account that were refused."""
    own = _runs_as(look)
    found = {own.role: own.role_arn}
    for refusal in _traced(look):
        name = refusal.denial.role
        if name and name not in found and refusal.denial.account in {"", look.target.account}:
            role = role_named(look, name)
            if role is not None:
                found[name] = role["Arn"]
    return found


def _assumed(look: Look) -> dict[str, str]:
    """Return the roles of this account that somebody was refused to assume: their trust policies matter."""
    asked = (refusal.denial.resource for refusal in _traced(look) if refusal.denial.assumes_role)
    return {arn.rsplit("/", 1)[-1]: arn for arn in asked if f":iam::{look.target.account}:role/" in arn}


def _recent(look: Look, found: list[Evidence]) -> list[str]:
    """Return the ARNs of customer-managed policies whose default version is new enough to matter."""
    since = look.window.start - LOOK_BACK
    policies = (p for p in found if isinstance(p, RolePolicy) and p.customer_managed)
    return [p.arn for p in policies if p.observed_at and p.observed_at >= since][:MAX_POLICY_LOOKUPS]


PROBES = (
    execution_role,
    machine_role,
    named_role,
    role_and_boundary,
    attached_policies,
    inline_policies,
    role_changes,
    denials_in_logs,
    log_delivery,
    endpoint_policies,
)
