"""Published and not received: never confirmed, filtered out, refused by the endpoint, lost on the way to the DLQ."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from domain.arn import Arn
from domain.evidence import Evidence
from domain.findings import Finding
from domain.resource import Resource
from domain.trace import TraceCall
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.lastchange import SOON, by_whom, last_change
from specialists.kit.series import MetricSeries
from specialists.sns.evidence import DeliveryFailures, Endpoint, Subscriptions, SubscriptionSettings
from specialists.sns.metrics import (
    DELIVERED,
    FAILED,
    FILTERED,
    INVALID_ATTRIBUTES,
    NO_ATTRIBUTES,
    NOT_REDRIVEN,
    PUBLISHED,
    REDRIVEN,
    as_ever,
    counted,
    nothing,
    risen,
)

SEES = (TraceCall, MetricSeries, Subscriptions, SubscriptionSettings, Endpoint, DeliveryFailures, Change)
SUBSCRIBER, DEAD_LETTERS = "subscriber", "dead-letter queue"

CLOSES = re.compile(
    r"(?:AddPermission|RemovePermission|DeleteFunction)(?:\d{8}(?:v\d)?)?$|SetQueueAttributes$|DeleteQueue$"
)
SHUTS = re.compile(r"attributes\.(?:policy|kmsmasterkeyid)$", re.IGNORECASE)
"""The changes that can close a queue or function to a topic, and the attributes of a queue that do."""

SLACK = timedelta(minutes=2)
"""Metrics come by the minute, and clocks differ."""

REFUSED = re.compile(r"AccessDenied|not authorized|\bKMS\b|does not exist|NonExistent|NotFound", re.IGNORECASE)
"""Answers by which an endpoint refuses the topic, rather than failing by itself."""


@rule("sns-pending-confirmation", sees=SEES)
def subscription_waits_for_confirmation(case: Case) -> Iterator[Finding]:
    """Messages are published, and a subscription that was never confirmed receives none of them.

    Where as much is delivered as ever and none was ended, nobody lost anything by it: it is new, and hardly what
    failed.
    """
    listed, published = case.one(Subscriptions), counted(case, PUBLISHED)
    if listed is None or not listed.pending or not (published or case.calls_to(failed=False)):
        return
    waiting = ", ".join(dict.fromkeys(map(str, listed.pending[:3])))
    unserved = nothing(case, DELIVERED)
    alone = len(listed.pending) == len(listed.subscribers) and not listed.truncated and not counted(case, DELIVERED)
    subscribed = last_change(case, "Subscribe")
    flowing: list[Evidence] = [item for item in (published, unserved) if item is not None]
    moved = bool(last_change(case, "Unsubscribe"))
    told = bool(subscribed) and (moved or not as_ever(case, DELIVERED))
    others = "" if alone else f"; {len(listed.subscribers) - len(listed.pending)} others are confirmed"
    yield case.hypothesis(
        "sns-pending-confirmation",
        f"{_numbered(len(listed.pending), 'subscription')} of `{case.target.name}` never confirmed, and nothing "
        f"delivered to: {waiting}{others}{by_whom(subscribed)}",
        proof=[listed] if alone else (),
        strong=(*flowing, *subscribed) if alone else [listed, *subscribed] if told else (),
        weak=[listed] if not alone and not told else (),
        since=subscribed[0].observed_at if subscribed else None,
    )


@rule("sns-filter-mismatch", sees=SEES)
def filter_lets_nothing_through(case: Case) -> Iterator[Finding]:
    """Messages are filtered out that used to be delivered, or all of them: the policy and the messages do not match."""
    filtered = counted(case, FILTERED)
    if filtered is None:
        return
    policies = [one for one in case.all(SubscriptionSettings) if one.filter_policy]
    lacking = [one for name in (NO_ATTRIBUTES, INVALID_ATTRIBUTES) if (one := risen(case, name))]
    unserved, more = nothing(case, DELIVERED), risen(case, FILTERED)
    if counted(case, FAILED) and unserved is not None:
        unserved = None  # then failures are why nothing arrives
    changed = last_change(case, "SetSubscriptionAttributes", "Subscribe", mentioning="FilterPolicy")
    if unserved is None and not more and not lacking:
        return  # as much as ever: that is what the filter is for
    began = filtered.first_over(filtered.usual_peak)
    flow = [item for item in (unserved, counted(case, PUBLISHED)) if item is not None]
    decides = unserved is not None and bool(more or changed or not filtered.baseline)
    backed = bool(lacking or changed or unserved)
    yield case.hypothesis(
        "sns-filter-mismatch",
        f"{_filtered(filtered, unserved)} of `{case.target.name}`{_expects(policies, lacking)}{by_whom(changed)}",
        proof=[filtered] if decides else (),
        strong=(*(() if decides or not backed else [filtered]), *flow, *lacking, *policies[:3], *changed)
        if backed
        else (),
        weak=() if backed else [filtered, *policies[:3]],
        since=changed[0].observed_at if changed else began,
    )


@rule("sns-delivery-failed", sees=SEES)
def deliveries_fail(case: Case) -> Iterator[Finding]:
    """Notifications fail, and the endpoint's answer or its policy says why."""
    failed, log = risen(case, FAILED), case.one(DeliveryFailures)
    told = [log] if log is not None and log.failures else []
    refusing = [one for one in case.all(Endpoint) if one.role == SUBSCRIBER and one.refuses]
    symptoms: list[Evidence] = [item for item in (failed, *told) if item is not None]
    flowing = counted(case, PUBLISHED) is not None or bool(case.calls_to(failed=False))
    if not symptoms and not (refusing and flowing and nothing(case, DELIVERED)):
        return
    decides = bool(symptoms) and bool(told or refusing)
    since = failed.first_over(failed.usual_peak) if failed else log.failures[0].at if log and told else None
    closed = [change for one in refusing[:1] for change in _closed_by(case, one, since)]
    yield case.hypothesis(
        "sns-delivery-failed",
        _failure_sentence(case, failed, log, refusing) + by_whom(closed),
        proof=(*told, *refusing) if decides else (),
        strong=(*([failed] if failed else ()), *closed) if decides else (*symptoms, *refusing, *closed),
        since=since,
        defers_to=_deeper(case, log, refusing),
    )


def _closed_by(case: Case, endpoint: Endpoint, since: datetime | None) -> list[Change]:
    """Return the last change of the hour before that can have closed an endpoint to the topic: one or none."""
    found = [
        change
        for change in case.evidence.of(Change, endpoint.arn)
        if change.took_effect
        and CLOSES.match(change.event_name)
        and change.observed_at is not None
        and (since is None or since - SOON <= change.observed_at <= since + SLACK)
        and (change.event_name != "SetQueueAttributes" or any(SHUTS.search(name) for name in change.parameters))
    ]
    return sorted(found, key=lambda c: (str(c.observed_at), c.id))[-1:]


@rule(sees=SEES)
def advises_endpoints(case: Case) -> Iterator[Finding]:
    """Says how each endpoint that cannot take the topic's messages would take them, where any failed."""
    if not (counted(case, FAILED) or counted(case, NOT_REDRIVEN)):
        return
    for one in [known for known in case.all(Endpoint) if known.refuses][:3]:
        yield case.advice(one.remedy(case.target.id), one)


@rule("sns-dlq", sees=SEES)
def failures_reach_the_dead_letter_queue_or_not(case: Case) -> Iterator[Finding]:
    """Undeliverable messages go to the dead-letter queue, or cannot reach it and are lost."""
    redriven, lost = counted(case, REDRIVEN), counted(case, NOT_REDRIVEN)
    if redriven is None and lost is None:
        return
    closed = [one for one in case.all(Endpoint) if one.role == DEAD_LETTERS and one.refuses] if lost else []
    settings = [one for one in case.all(SubscriptionSettings) if one.dead_letter_arn]
    queues = sorted({one.dead_letter_arn for one in settings})
    names = ", ".join(f"`{arn.rsplit(':', 1)[-1]}`" for arn in queues) or "the dead-letter queue"
    counters = [item for item in (lost, redriven) if item is not None]
    new = [one for one in counters if risen(case, one.metric)]
    yield case.hypothesis(
        "sns-dlq",
        _dead_letters(case, names, redriven, lost) + (f": it {closed[0].why}" if closed else ""),
        proof=(*new, *closed),
        strong=settings[:3] if new else (),
        weak=[one for one in counters if one not in new],
        since=counters[0].first_over(counters[0].usual_peak if new else 0),
        # Why the deliveries failed in the first place is the deeper cause.
        defers_to=(case.target.id, *_looked_at(case)),
    )


def _dead_letters(case: Case, names: str, redriven: MetricSeries | None, lost: MetricSeries | None) -> str:
    topic = f"`{case.target.name}`"
    if lost is None:
        return f"{redriven.total if redriven else 0:g} undeliverable messages of {topic} went to {names}"
    kept = f"{redriven.total:g} undeliverable messages of {topic} went to {names}, " if redriven else ""
    of = "" if redriven else f" undeliverable messages of {topic}"
    return f"{kept}{lost.total:g}{of} could not reach {names} and are lost"


def _filtered(filtered: MetricSeries, unserved: MetricSeries | None) -> str:
    count = f"{filtered.total:g} notifications"
    if unserved is not None:
        return f"All {count} were filtered out and none delivered by the subscriptions"
    usual = f", usually at most {filtered.usual_peak:g} a minute" if filtered.baseline else ""
    return f"{count} were filtered out (up to {filtered.peak:g} a minute{usual}) by the subscriptions"


def _expects(policies: Sequence[SubscriptionSettings], lacking: Sequence[MetricSeries]) -> str:
    body = " in the body" if policies and policies[0].scope == "MessageBody" else ""
    keys = f", which want {', '.join(f'`{key}`' for key in policies[0].filter_keys[:5])}{body}" if policies else ""
    missing = ""
    if lacking:
        carry = "no attributes" if lacking[0].metric == NO_ATTRIBUTES else "invalid attributes"
        missing = f"; {lacking[0].total:g} messages carried {carry}"
    return keys + missing


def _failure_sentence(
    case: Case, failed: MetricSeries | None, log: DeliveryFailures | None, refusing: Sequence[Endpoint]
) -> str:
    count = f"{failed.total:g} notifications" if failed else "Notifications"
    if refusing:
        return f"{count} of `{case.target.name}` failed: `{refusing[0].arn.rsplit(':', 1)[-1]}` {refusing[0].why}"
    if log is not None and log.failures:
        first = log.failures[0]
        answered = f" with {first.status}" if first.status else ""
        where = _named(first.destination, case.target) if first.destination else "the endpoint"
        return f"{count} of `{case.target.name}` failed: {where} answered{answered} {first.response[:160]}".rstrip()
    usual = f", usually {failed.usual_peak:g} a minute at most" if failed and failed.baseline else ""
    return f"{count} of `{case.target.name}` could not be delivered{usual}"


def _named(destination: str, topic: Resource) -> str:
    """Return an endpoint's name, and its Region or account where that is not the topic's."""
    name = f"`{destination.rsplit(':', 1)[-1]}`"
    try:
        arn = Arn.parse(destination)
    except ValueError:
        return name
    elsewhere = [f"account {arn.account}"] if arn.account != topic.account else []
    elsewhere += [arn.region] if arn.region != topic.region else []
    return f"{name} in {' in '.join(elsewhere)}" if elsewhere else name


def _deeper(case: Case, log: DeliveryFailures | None, refusing: Sequence[Endpoint]) -> tuple[str, ...]:
    """Return the endpoints whose own failure would explain it, of those that are looked at in this investigation."""
    stated = refusing or any(REFUSED.search(one.response) for one in (log.failures if log else ()))
    return () if stated else _looked_at(case)


def _looked_at(case: Case) -> tuple[str, ...]:
    listed = case.one(Subscriptions)
    endpoints = (one.endpoint for one in (listed.subscribers if listed else ()))
    return tuple(endpoint for endpoint in endpoints if case.graph.node(endpoint) is not None)


def _numbered(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


RULES: tuple[Rule, ...] = (
    subscription_waits_for_confirmation,
    filter_lets_nothing_through,
    deliveries_fail,
    advises_endpoints,
    failures_reach_the_dead_letter_queue_or_not,
)
