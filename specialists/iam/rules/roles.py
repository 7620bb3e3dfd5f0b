"""Rules about roles as such: not assumable, not able to attach to a VPC or to write logs, and stale credentials."""

from collections.abc import Callable, Iterator
from datetime import datetime

from domain.evidence import Evidence
from domain.findings import Finding
from domain.resource import ResourceType
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.iam.credentials import ATTACHES_NOT, UNASSUMABLE, stale, stale_error
from specialists.iam.diagnosis import of_cause
from specialists.iam.evaluator import Outcome, Request, trusts
from specialists.iam.evidence import FunctionLogs, PolicyList, RolePolicy, RoleState, RunsAs
from specialists.iam.grading import LOSSES
from specialists.iam.refusals import error_texts
from specialists.iam.standing import Standing, log_request, standing_of
from specialists.iam.words import after, changed, grant, last_before
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines

SYMPTOMS = (TraceCall, TraceSegment, LogLines)


def said(case: Case, test: Callable[[str], object]) -> tuple[list[Evidence], datetime | None]:
    """Return the evidence about the target whose error texts pass the test, and when the first was printed.

    A call counts for its caller and for what it called.
    """
    about = [
        item
        for item in case.evidence
        if item.resource == case.target.id or (isinstance(item, TraceCall) and item.caller == case.target.id)
    ]
    hits = [(at, item) for item in about for at, text in error_texts(item) if test(text)]
    found = list({item.id: item for _, item in hits}.values())
    return found, min((at for at, _ in hits), default=None)


def own_standing(case: Case) -> Standing | None:
    """Return what is known of the role that the target runs as."""
    runs = case.one(RunsAs)
    return standing_of(case.evidence, runs.role) if runs else None


SERVICES = {ResourceType.LAMBDA: "lambda", ResourceType.STATE_MACHINE: "states"}
"""The first word of the service principal that must be able to assume the role."""


@rule("lambda-role-not-assumable", "iam-assume-role-denied", sees=(*SYMPTOMS, RunsAs, RoleState, Change))
def role_unusable(case: Case) -> Iterator[Finding]:
    """The role that the target runs as is gone, or no longer trusts the service that must assume it."""
    service = SERVICES.get(case.target.type)
    runs = case.one(RunsAs)
    told, first_at = said(case, UNASSUMABLE.search) if service == "lambda" else ([], None)
    judged = service == "states" and of_cause(case, "iam-assume-role-denied")
    if service is None or judged or (runs is None and not told):
        return
    state = case.evidence.first(RoleState, runs.role_arn) if runs else None
    broken = unusable(state, service) if state else ""
    if not broken and not told:
        return
    failing: list[Evidence] = told or [*case.segments(failed=True), *case.calls_to(failed=True)]
    change = last_before(
        changed(case.evidence, runs.role_arn, ("UpdateAssumeRolePolicy", "DeleteRole")) if runs else (), first_at
    )
    proven: list[Evidence] = [*failing, *([state] if state and broken else [])] if failing else []
    contradicting = [state] if state and told and not broken and trusts_service(state, service) else []
    name = f"role `{runs.role}`" if runs else "the role"
    yield case.hypothesis(
        "lambda-role-not-assumable" if service == "lambda" else "iam-assume-role-denied",
        f"{case.target.label} cannot assume its {name}: {broken or 'AWS says so itself'}{after(change)}",
        proof=proven,
        strong=[*([] if proven or state is None else [state]), *([change] if change else [])],
        against=contradicting,
        resource=runs.role_arn if runs else None,
        since=first_at or (change.observed_at if change else None),
    )
    yield case.advice(
        f"Let `{service}.amazonaws.com` assume {name} again (`sts:AssumeRole` in its trust policy), or recreate it",
        *(proven or [item for item in (state,) if item])[:1],
    )


def unusable(state: RoleState, service: str) -> str:
    """Say why the service cannot assume the role; empty when it can, or when the evidence does not tell."""
    if not state.exists:
        return "the role does not exist"
    if state.trust_problem or trusts_service(state, service) is not False:
        return ""
    return f"its trust policy does not let {service}.amazonaws.com assume it"


def trusts_service(state: RoleState, service: str) -> bool | None:
    """Tell whether the trust policy lets the service assume the role."""
    return trusts(state.trust, lambda entry: entry == "*" or entry.startswith(f"Service:{service}."))


ATTACHING = ("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface")
"""What Lambda needs for a VPC (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html)."""


@rule("lambda-ec2-access-denied", sees=(*SYMPTOMS, RunsAs, PolicyList, RolePolicy, Change))
def network_interfaces_refused(case: Case) -> Iterator[Finding]:
    """Lambda cannot attach the function to its VPC because the role may not manage network interfaces.

    A function that stands in no VPC only repeats what it was told about another one that it called.
    """
    runs = case.one(RunsAs)
    if runs and not runs.vpc_id and "InsufficientRolePermissions" not in runs.reasons:
        return
    told, first_at = said(case, ATTACHES_NOT.search)
    for found in of_cause(case, "lambda-ec2-access-denied"):
        told.extend(found.refusal.evidence)
        first_at = min(first_at or found.refusal.first_at, found.refusal.first_at)
    state: list[Evidence] = [runs] if runs and "InsufficientRolePermissions" in runs.reasons else []
    if case.target.type is not ResourceType.LAMBDA or not (told or state):
        return
    standing = own_standing(case)
    verdicts = {a: standing.allows(Request(a, "*")) for a in ATTACHING} if standing else {}
    missing = [action for action, verdict in verdicts.items() if verdict.outcome is Outcome.IMPLICIT_DENY]
    denied = [action for action, verdict in verdicts.items() if verdict.outcome is Outcome.EXPLICIT_DENY]
    lacking = ", ".join(f"`{action}`" for action in (*missing, *denied)) or "the network interface actions"
    fine = bool(verdicts) and all(verdict.outcome is Outcome.ALLOWED for verdict in verdicts.values())
    read: tuple[Evidence, ...] = standing.behind(verdicts[ATTACHING[0]]) if standing and (missing or fine) else ()
    name = f"role `{runs.role}`" if runs else "the execution role"
    taken = changed(case.evidence, runs.role_arn, LOSSES) if runs and (missing or denied) else ()
    change = last_before(taken, first_at)
    yield case.hypothesis(
        "lambda-ec2-access-denied",
        f"Lambda cannot attach {case.target.label} to its VPC: {name} lacks {lacking}{after(change)}",
        proof=[*told, *state],
        strong=() if fine else (*read, *([change] if change else [])),
        against=read if fine else (),
        resource=runs.role_arn if runs else None,
        since=first_at,
    )
    yield case.advice(f"Attach the AWS managed policy AWSLambdaVPCAccessExecutionRole to {name}", *(told or state)[:1])


@rule("lambda-logs-missing", sees=(TraceSegment, RunsAs, FunctionLogs, PolicyList, RolePolicy))
def logs_refused(case: Case) -> Iterator[Finding]:
    """The function ran but left no log, and its role may not write any."""
    runs, logs, standing = case.one(RunsAs), case.one(FunctionLogs), own_standing(case)
    ran = [segment for segment in case.segments() if segment.origin_type != "AWS::Lambda"] or list(case.segments())
    if runs is None or logs is None or logs.has_events or standing is None:
        return
    request = log_request(case.target, runs)
    verdict = standing.allows(request)
    if verdict.outcome not in {Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY}:
        return
    by = f"{verdict.by} denies it" if verdict.policy else "no policy of its allows it"
    refused = f"role `{runs.role}` may not `logs:PutLogEvents` ({by})"
    seen = [logs, *standing.behind(verdict)]
    if ran:
        yield case.hypothesis(
            "lambda-logs-missing",
            f"{case.target.label} ran but `{logs.log_group}` has no log of it: {refused}",
            strong=seen,
            weak=ran[:1],
            since=ran[0].start,
        )
    else:
        yield case.fact(f"{case.target.label} can leave no log: {refused}", *seen)
    yield case.advice(
        f"Attach AWSLambdaBasicExecutionRole to `{runs.role}`, or add {grant('logs:PutLogEvents', request.resource)}",
        logs,
    )


@rule("iam-expired-token", sees=(*SYMPTOMS, RunsAs))
def credentials_stale(case: Case) -> Iterator[Finding]:
    """AWS refused the credentials themselves: they expired, or are nobody's."""
    told, first_at = said(case, stale)
    coded = [call for call in case.calls_from(failed=True) if any(stale_error(error) for error in call.errors)]
    told = [*coded, *(item for item in told if not isinstance(item, TraceCall))]
    if not told:
        return
    starts = [call.start for call in coded] + ([first_at] if first_at else [])
    runs = case.one(RunsAs)
    keys = runs.credential_variables if runs else ()
    kept = f"; it keeps its own in {', '.join(f'`{name}`' for name in keys)}" if keys else ""
    yield case.hypothesis(
        "iam-expired-token",
        f"{case.target.label} calls AWS with credentials that AWS refuses as expired or unknown{kept}",
        proof=told,
        strong=[runs] if runs and keys else (),
        since=min(starts, default=None),
    )
    yield case.advice(
        "Let the SDK take the role's credentials from its default chain, make clients without explicit keys, and do "
        "not keep credentials over invocations",
        *told[:1],
    )


RULES = (role_unusable, network_interfaces_refused, logs_refused, credentials_stale)
