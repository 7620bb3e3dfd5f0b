"""What to say of the reach of a failure: facts only, because who is hit does not tell why."""

from collections.abc import Iterator

from domain.findings import Fact, Finding
from domain.trace import TraceCall, TraceOverview, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.kit.services import failing_services, is_healthy
from specialists.risk_blast_radius.evidence import Handover, ServiceTraffic
from specialists.risk_blast_radius.spread import Affected, Spread, measured_failing, spread

SEEN = (ServiceTraffic, Handover, TraceCall, TraceSegment, TraceOverview)
NAMED = 5


@rule(sees=SEEN, together=True)
def says_who_is_affected(case: Case) -> Iterator[Finding]:
    """States which services fail with it, and what share of their traced requests."""
    found = _spread(case).affected
    cited = [e for one in found for e in _evidence(case, one)]
    if not cited:
        return
    count = f"{len(found)} services are" if len(found) > 1 else "1 service is"
    names = ", ".join(map(_described, found[:NAMED]))
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    yield Fact(statement=f"{count} affected: {names}{more}", evidence=tuple(dict.fromkeys(cited)), notable=True)


@rule(sees=SEEN, together=True)
def says_what_follows(case: Case) -> Iterator[Finding]:
    """States whose work waits meanwhile, and which services will or may be next."""
    for follower in [f for f in _spread(case).followers if f.evidence][:NAMED]:
        yield Fact(statement=follower.said, evidence=follower.evidence, notable=True)


def _spread(case: Case) -> Spread:
    """Return how far it spreads; nothing where all is well."""
    origins = frozenset() if is_healthy(case.evidence) else _origins(case)
    return spread(case.graph, case.evidence, origins) if origins else Spread((), ())


def _origins(case: Case) -> frozenset[str]:
    """Where the failure began by the trace; without one, what X-Ray counted to fail."""
    services = failing_services(case.evidence)
    calls = {c.resource for c in case.evidence.of(TraceCall) if c.failed and c.origin and c.caller in services}
    own = {s.resource for s in case.evidence.of(TraceSegment) if s.origin and s.resource in services}
    return frozenset(calls | own) or services or measured_failing(case.graph, case.evidence)


def _described(one: Affected) -> str:
    traffic = one.measured
    if traffic is None or not traffic.counts.failing:
        return f"`{one.name}`"
    return (
        f"`{one.name}` ({traffic.counts.share:.0%} of its {traffic.counts.total:,} traced requests fail, "
        f"about {traffic.a_minute:.0f} a minute)"
    )


def _evidence(case: Case, one: Affected) -> list[str]:
    traced = [s.id for s in case.evidence.of(TraceSegment, one.resource) if s.failed][:1]
    return [*([one.traffic.id] if one.traffic is not None else []), *traced]


RULES: tuple[Rule, ...] = (says_who_is_affected, says_what_follows)
