"""What is so about the bucket, good and bad: what a verdict can argue with, and what it can rule out."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, Rule, rule
from specialists.kit.key import KeyState
from specialists.kit.lastchange import says_changes
from specialists.kit.series import MetricSeries, plain
from specialists.s3.evidence import (
    BucketPolicy,
    BucketState,
    Encryption,
    MetricsConfiguration,
    Notifications,
    Ownership,
    PolicyStatus,
    PublicAccess,
    Receiver,
)


@rule(sees=(BucketState,))
def says_place(case: Case) -> Iterator[Finding]:
    """States in which Region the bucket is, and what could not be read from another one."""
    state = case.one(BucketState)
    if state is None or not state.exists:
        return
    yield case.fact(f"Bucket `{state.name}` exists in {state.region}", state)
    if state.elsewhere:
        yield case.advice(
            f"Ask again for Region {state.region}: the metrics, changes, key and notified functions of "
            f"`{state.name}` were looked for in {state.from_region} only.",
            state,
        )


@rule(sees=(BucketPolicy, PolicyStatus, PublicAccess, Ownership))
def says_openness(case: Case) -> Iterator[Finding]:
    """States who the bucket is open to: its policy, Block Public Access and ACLs."""
    policy, status, block, owner = (case.one(k) for k in (BucketPolicy, PolicyStatus, PublicAccess, Ownership))
    seen: list[Evidence] = [item for item in (policy, status, block, owner) if item is not None]
    if seen:
        yield case.fact(f"`{case.target.name}`: {'; '.join(item.summary() for item in seen)}", *seen)


@rule(sees=(Encryption, KeyState))
def says_encryption(case: Case) -> Iterator[Finding]:
    """States how new objects are encrypted and whether that key works."""
    default, keys = case.one(Encryption), case.all(KeyState)
    if default is not None:
        states = "".join(f"; {key.summary()}" for key in keys)
        yield case.fact(f"`{case.target.name}`: {default.summary()}{states}", default, *keys)


@rule(sees=(Notifications, Receiver))
def says_notifications(case: Case) -> Iterator[Finding]:
    """States whom the bucket notifies, who lets it, and who could not be looked at."""
    configured = case.one(Notifications)
    if configured is None:
        return
    known = {one.arn: one for one in case.all(Receiver)}
    ready = [known[one.arn] for one in configured.destinations if one.arn in known and not known[one.arn].unread]
    ready = [one for one in ready if not one.refuses]
    letting = f"; nothing keeps it from {', '.join(f'`{one.name}`' for one in ready)}" if ready else ""
    yield case.fact(f"`{case.target.name}`: {configured.summary()}{letting}", configured, *ready)
    unread = [one for one in known.values() if one.unread]
    if unread:
        names = ", ".join(f"`{one.arn}` ({one.unread})" for one in unread[:3])
        yield case.fact(f"Not looked at from here: {names}", *unread[:3])


@rule(sees=(MetricsConfiguration, MetricSeries))
def says_requests(case: Case) -> Iterator[Finding]:
    """States how many requests failed, or that the bucket keeps no request metrics."""
    kept = case.one(MetricsConfiguration)
    if kept is None:
        return
    if not kept.filters:
        yield case.fact(f"`{case.target.name}` keeps no request metrics: its error rates are unknown", kept)
    for one in case.all(MetricSeries):
        if one.metric in {"4xxErrors", "5xxErrors"} and (one.points or one.baseline):
            yield case.fact(
                f"`{case.target.name}` answered {plain(one.total)} requests with {one.metric[:3]}, "
                f"usually {plain(one.usual_peak)} a minute at most",
                one,
            )


@rule(sees=(TraceCall,))
def says_calls_succeeded(case: Case) -> Iterator[Finding]:
    """States that all of the trace's calls to the bucket succeeded, when they did."""
    calls = case.calls_to()
    if calls and not any(call.failed or call.pending for call in calls):
        every = f"All {len(calls)} calls" if len(calls) > 1 else "The one call"
        yield case.fact(f"{every} to `{case.target.name}` succeeded", *calls[:5])


@rule(sees=(*says_changes.sees, BucketState))
def says_changes_here(case: Case) -> Iterator[Finding]:
    """States the same of the bucket, where this Region's record tells."""
    state = case.one(BucketState)
    if state is None or not state.elsewhere:
        yield from says_changes.judge(case)


RULES: tuple[Rule, ...] = (
    says_place,
    says_openness,
    says_encryption,
    says_notifications,
    says_requests,
    says_calls_succeeded,
    says_changes_here,
)
