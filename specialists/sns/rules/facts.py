"""What is so about the topic, good and bad: what a verdict can argue with, and what it can rule out."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall
from specialists.contract import Case, Rule, rule
from specialists.kit.key import KeyState
from specialists.kit.lastchange import says_changes
from specialists.kit.series import MetricSeries
from specialists.sns.evidence import (
    AlarmAction,
    DeliveryFailures,
    Endpoint,
    KeyPolicy,
    Subscriptions,
    SubscriptionSettings,
    TopicState,
)
from specialists.sns.metrics import DELIVERED, FAILED, FILTERED, PUBLISHED, series


@rule(sees=(TopicState, KeyState))
def says_state(case: Case) -> Iterator[Finding]:
    """States that the topic exists, how it is encrypted, and which of its settings cannot be read."""
    state, key = case.one(TopicState), case.one(KeyState)
    if state is None or not state.exists:
        return
    usable = f" (key {key.state})" if key is not None and key.exists else ""
    encrypted = f"encrypted with `{state.key_id}`{usable}" if state.key_id else "not encrypted with KMS"
    problem = f"; its policy cannot be understood: {state.policy.problem}" if state.policy.problem else ""
    retries = f"; HTTP deliveries are tried {state.http_retries} times more" if state.http_retries is not None else ""
    yield case.fact(
        f"Topic `{state.name}` exists and is {encrypted}{retries}{problem}", state, *([key] if key is not None else [])
    )
    if state.delivery_policy_problem:
        yield case.advice(f"Write the delivery policy of `{state.name}` anew: {state.delivery_policy_problem}.", state)


@rule(sees=(MetricSeries,))
def says_flow(case: Case) -> Iterator[Finding]:
    """States how many messages came in and what became of them."""
    published, delivered = series(case, PUBLISHED), series(case, DELIVERED)
    if published is None or delivered is None:
        return
    others = [one for name in (FAILED, FILTERED) if (one := series(case, name)) is not None]
    lost = ", ".join(
        f"{one.total:g} {'failed' if one.metric == FAILED else 'filtered out'}" for one in others if one.total
    )
    yield case.fact(
        f"{published.total:g} messages were published to `{case.target.name}` and {delivered.total:g} notifications "
        f"delivered{f', {lost}' if lost else '; none failed or was filtered out'}",
        published,
        delivered,
        *others,
    )


@rule(sees=(Subscriptions, SubscriptionSettings))
def says_subscribers(case: Case) -> Iterator[Finding]:
    """States who subscribes, with which filters, and whether anybody does at all."""
    listed = case.one(Subscriptions)
    if listed is None:
        return
    if not listed.subscribers:
        yield case.fact(f"Nobody subscribes to `{case.target.name}`: what is published goes nowhere", listed)
        return
    filtered = [one for one in case.all(SubscriptionSettings) if one.filter_policy]
    broken = [one for one in case.all(SubscriptionSettings) if one.problem]
    names = ", ".join(map(str, listed.subscribers[:5]))
    more = f" and {len(listed.subscribers) - 5} more" if len(listed.subscribers) > 5 else ""
    filters = f"; {len(filtered)} of them filter" if filtered else ""
    yield case.fact(f"`{case.target.name}` delivers to {names}{more}{filters}", listed, *filtered[:3])
    for one in broken[:3]:
        yield case.fact(f"Subscription {one.subscriber} cannot be understood: {one.problem}", one)


@rule(sees=(Endpoint,))
def says_endpoints(case: Case) -> Iterator[Finding]:
    """States which queues and functions let the topic in, and which could not be looked at."""
    known = case.all(Endpoint)
    open_to_us = [one for one in known if not one.unread and not one.refuses]
    unread = [one for one in known if one.unread]
    if open_to_us:
        names = ", ".join(f"`{one.arn.rsplit(':', 1)[-1]}`" for one in open_to_us[:5])
        yield case.fact(f"Nothing keeps `{case.target.name}` from delivering to {names}", *open_to_us[:5])
    if unread:
        names = ", ".join(f"`{one.arn}` ({one.unread})" for one in unread[:3])
        yield case.fact(f"Not looked at from here: {names}", *unread[:3])


@rule(sees=(TraceCall, AlarmAction))
def says_publishes_succeeded(case: Case) -> Iterator[Finding]:
    """States that all of the trace's publishes succeeded, and that alarms could publish."""
    calls = case.calls_to()
    if calls and not any(call.failed or call.pending for call in calls):
        every = f"All {len(calls)} calls" if len(calls) > 1 else "The one call"
        yield case.fact(f"{every} to `{case.target.name}` succeeded", *calls[:5])
    actions = case.all(AlarmAction)
    if actions and all(action.succeeded for action in actions):
        yield case.fact(f"Alarms published {len(actions)} times to `{case.target.name}`", *actions[:3])


@rule(sees=(DeliveryFailures, Endpoint, TopicState, MetricSeries))
def advises_logging(case: Case) -> Iterator[Finding]:
    """Advises delivery status logging where notifications fail and nothing says why."""
    log, failed = case.one(DeliveryFailures), series(case, FAILED)
    known = any(one.refuses for one in case.all(Endpoint))
    if log is not None and not log.logged and failed is not None and failed.total and not known:
        yield case.advice(
            f"Switch on delivery status logging of `{case.target.name}`: it keeps each endpoint's answer.", log, failed
        )


@rule(sees=(KeyPolicy, TopicState))
def advises_key_policy(case: Case) -> Iterator[Finding]:
    """Advises whom the key's policy leaves out, because their publishes fail without a word to the topic."""
    policy = case.one(KeyPolicy)
    if policy is not None and policy.shut_out:
        services = ", ".join(f"`{service}`" for service in policy.shut_out)
        yield case.advice(
            f"If one of {services} publishes to `{case.target.name}`, let it use the key in the key's policy.", policy
        )


RULES: tuple[Rule, ...] = (
    says_state,
    says_flow,
    says_subscribers,
    says_endpoints,
    says_publishes_succeeded,
    advises_logging,
    advises_key_policy,
    says_changes,
)
