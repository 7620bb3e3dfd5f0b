"""What was checked and is normal, so that permissions can be ruled out as well as blamed."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, rule
from specialists.iam.diagnosis import diagnoses
from specialists.iam.evidence import ChangesSearched, PolicyList, RolePolicy, RoleState, RunsAs
from specialists.iam.refusals import refusals
from specialists.iam.rules.caller import SEEN
from specialists.iam.rules.roles import SERVICES, own_standing, trusts_service, unusable
from specialists.iam.words import clock, counted
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines


@rule(sees=(RunsAs, RoleState))
def role_in_use(case: Case) -> Iterator[Finding]:
    """Which role the target runs as, and that it can be assumed."""
    standing = own_standing(case)
    state = standing.state if standing else None
    runs = case.one(RunsAs)
    gone = state if state and not state.exists else next((s for s in case.all(RoleState) if not s.exists), None)
    if gone:
        yield case.fact(f"Role `{gone.name}` does not exist", gone)
    if runs is None or state is None or gone:
        return
    service = SERVICES.get(case.target.type)
    trusted = f", which trusts {service}.amazonaws.com" if service and trusts_service(state, service) else ""
    boundary = "a permissions boundary" if state.boundary_arn else "no permissions boundary"
    subject = case.target.label if runs.role_arn != case.target.id else "The trace"
    yield case.fact(f"{subject} uses role `{runs.role}`{trusted}, with {boundary}", runs, state)


@rule(sees=(RunsAs, PolicyList, RolePolicy))
def policies_read(case: Case) -> Iterator[Finding]:
    """How many policies the role has, and whether all of them were understood."""
    standing = own_standing(case)
    if standing is None:
        return
    for policy in (policy for policy in standing.identity if policy.problem):
        yield case.fact(
            f"What policy `{policy.name}` of role `{standing.name}` allows is unknown: {policy.problem}", policy
        )
    if not standing.complete:
        return
    names = ", ".join(f"`{policy.name}`" for policy in standing.identity[:5])
    more = f" and {len(standing.identity) - 5} more" if len(standing.identity) > 5 else ""
    yield case.fact(
        f"Role `{standing.name}` has {counted(len(standing.identity), 'policy')}"
        + (f": {names}{more}" if names else ""),
        *standing.lists,
        *standing.identity,
    )


@rule(sees=(TraceCall, LogLines))
def nothing_refused(case: Case) -> Iterator[Finding]:
    """That no call of the target was refused, where calls and log lines were seen."""
    seen: list[Evidence] = [*case.calls_from(), *case.all(LogLines)]
    if not seen or refusals(case.target, case.evidence, case.graph):
        return
    calls, lines = len(case.calls_from()), case.all(LogLines)
    where = [counted(calls, "traced call")] * bool(calls) + ["the function's log"] * bool(lines)
    yield case.fact(f"No refusal in {' or in '.join(where)} of {case.target.label}", *seen)


@rule(sees=(*SEEN, ChangesSearched))
def role_history(case: Case) -> Iterator[Finding]:
    """What CloudTrail shows of the target's roles and of those that were refused something."""
    standing, suspected = own_standing(case), _suspected(case)
    for searched in case.evidence.of(ChangesSearched):
        if searched.resource not in suspected and (standing is None or searched.resource != standing.role_arn):
            continue
        name = searched.resource.rsplit("/", 1)[-1]
        changes = [c for c in case.evidence.of(Change, searched.resource) if c.took_effect]
        for change in sorted(changes, key=lambda c: (c.observed_at or case.window.end, c.event_id))[-3:]:
            when = clock(change.observed_at) if change.observed_at else "an unknown time"
            yield case.fact(f"{change.who} called {change.event_name} on role `{name}` at {when}", change)
        if not changes:
            yield case.fact(f"Role `{name}` was not changed in the 24 h before", searched)


def _suspected(case: Case) -> set[str]:
    """Return the roles that were refused a call or cannot be assumed: what changed about them matters."""
    standing, service = own_standing(case), SERVICES.get(case.target.type)
    broken = standing is not None and standing.state is not None and service and unusable(standing.state, service)
    own = {standing.role_arn} if standing and broken else set()
    return own | {d.standing.role_arn for d in diagnoses(case) if d.standing and not d.refusal.lived_with}


RULES = (role_in_use, policies_read, nothing_refused, role_history)
