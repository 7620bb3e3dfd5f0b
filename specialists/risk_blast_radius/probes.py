"""What the risk specialist looks at: X-Ray's service graph, and what hands work on without a call in any trace."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

from aws.reads import Read, read
from domain.evidence import Evidence
from domain.resource import ResourceType, resource_from_arn
from specialists.contract import Look, Probe, probe
from specialists.kit.answers import absent
from specialists.risk_blast_radius.evidence import Handover, ServiceTraffic
from specialists.risk_blast_radius.traffic import queues_beside, traffic

WITH_TRAFFIC = frozenset(
    {
        ResourceType.LAMBDA,
        ResourceType.REST_API,
        ResourceType.HTTP_API,
        ResourceType.API,
        ResourceType.STATE_MACHINE,
        ResourceType.TABLE,
        ResourceType.QUEUE,
        ResourceType.TOPIC,
        ResourceType.RULE,
        ResourceType.EVENT_BUS,
        ResourceType.STREAM,
        ResourceType.SERVICE,
    }
)
MOST = timedelta(hours=6)
"""How long an interval GetServiceGraph takes."""

MAX_ANSWERS = 1_000
MAX_MAPPINGS = 100
MAX_SUBSCRIPTIONS = 100
MAX_LISTED = 500
MAX_RULES = 20
MAX_BESIDE = 5
GONE = ("ResourceNotFoundException", "NotFound", "NotFoundException")

LIST_MAPPINGS = read("lambda", "ListEventSourceMappings")
LIST_SUBSCRIBERS = read("sns", "ListSubscriptionsByTopic")
LIST_SUBSCRIPTIONS = read("sns", "ListSubscriptions")
LIST_TARGETS = read("events", "ListTargetsByRule")
LIST_RULES = read("events", "ListRuleNamesByTarget")

BY: dict[str, Literal["event source mapping", "subscription", "rule"]] = {
    "lambda": "event source mapping",
    "sns": "subscription",
    "events": "rule",
}
"""What a service hands events on by."""


@probe(read("xray", "GetServiceGraph"), yields=(ServiceTraffic,), only=WITH_TRAFFIC, together=True)
def service_graph(look: Look) -> Iterator[Evidence]:
    """Reads who calls these resources in all of X-Ray's traces of the window, and how many of those calls fail."""
    places = [(node.account, node.region) for node in look.graph.nodes if node.account and node.region]
    account = look.target.account or next((a for a, region in places if region == look.target.region), "")
    start = max(look.window.start, look.window.end - MOST)

    def ask() -> list[Any]:
        pages = look.aws.xray.get_paginator("get_service_graph").paginate(
            StartTime=start, EndTime=look.window.end, PaginationConfig={"MaxItems": MAX_ANSWERS}
        )
        return [service for page in pages for service in page.get("Services", [])]

    answers = look.once(("service graph", account, look.target.region), ask)
    yield from traffic(answers, look.graph, look.target.region, (look.window.end - start).total_seconds())


@probe(LIST_MAPPINGS, yields=(Handover,), only=(ResourceType.LAMBDA,))
def what_feeds_the_function(look: Look) -> Iterator[Evidence]:
    """Reads which queues and streams feed the function: they back up while it fails."""
    name = look.target.name
    answer = absent(lambda: look.aws.lambda_.list_event_source_mappings(FunctionName=name), *GONE)
    for mapping in answer.get("EventSourceMappings", []) if answer else []:
        yield from _handover(look, LIST_MAPPINGS, mapping.get("EventSourceArn"), look.target.id, active=_on(mapping))


@probe(LIST_MAPPINGS, yields=(Handover,), only=(ResourceType.QUEUE, ResourceType.STREAM))
def who_reads_it(look: Look) -> Iterator[Evidence]:
    """Reads which functions read the queue or stream: they wait or starve when its other end fails."""
    yield from _readers(look, look.target.id)


@probe(LIST_MAPPINGS, needs=(ServiceTraffic,), yields=(Handover,), only=WITH_TRAFFIC, together=True)
def who_reads_what_they_feed(look: Look) -> Iterator[Evidence]:
    """Reads who reads the queues that these resources feed in other requests, at most five of them."""
    for queue in queues_beside(look.seen.of(ServiceTraffic), look.graph)[:MAX_BESIDE]:
        yield from _readers(look, queue)


def _readers(look: Look, source: str) -> Iterator[Handover]:
    def ask() -> list[Any]:
        pages = look.aws.lambda_.get_paginator("list_event_source_mappings").paginate(
            EventSourceArn=source, PaginationConfig={"MaxItems": MAX_MAPPINGS}
        )
        return [mapping for page in pages for mapping in page.get("EventSourceMappings", [])]

    # The SQS specialist asks the same question in the same words, and one answer serves both.
    for mapping in look.once(("event source mappings of", source), ask):
        if mapping.get("EventSourceArn", source) == source:
            yield from _handover(
                look, LIST_MAPPINGS, source, mapping.get("FunctionArn"), active=_on(mapping), about=source
            )


@probe(LIST_SUBSCRIBERS, yields=(Handover,), only=(ResourceType.TOPIC,))
def who_subscribes(look: Look) -> Iterator[Evidence]:
    """Reads which queues and functions the topic delivers to, at most a hundred."""
    pages = look.aws.sns.get_paginator("list_subscriptions_by_topic").paginate(
        TopicArn=look.target.id, PaginationConfig={"MaxItems": MAX_SUBSCRIPTIONS}
    )
    for one in absent(lambda: [s for page in pages for s in page.get("Subscriptions", [])], *GONE) or []:
        yield from _handover(look, LIST_SUBSCRIBERS, look.target.id, one.get("Endpoint"), active=_confirmed(one))


@probe(LIST_SUBSCRIPTIONS, yields=(Handover,), only=(ResourceType.LAMBDA, ResourceType.QUEUE), together=True)
def subscribed_to(look: Look) -> Iterator[Evidence]:
    """Reads which topics deliver to these functions and queues, among the first 500 subscriptions of the Region."""
    targets = {target.id: target for target in look.targets}
    pages = look.aws.sns.get_paginator("list_subscriptions").paginate(PaginationConfig={"MaxItems": MAX_LISTED})
    for one in (s for page in pages for s in page.get("Subscriptions", [])):
        target = targets.get(_identity(one.get("Endpoint")) or "")
        if target is not None:
            topic, active = one.get("TopicArn"), _confirmed(one)
            yield from _handover(look, LIST_SUBSCRIPTIONS, topic, target.id, active=active, about=target.id)


@probe(LIST_TARGETS, yields=(Handover,), only=(ResourceType.RULE,))
def what_the_rule_starts(look: Look) -> Iterator[Evidence]:
    """Reads what the rule sends its events to."""
    bus, _, name = look.target.id.split(":", 5)[-1].removeprefix("rule/").rpartition("/")
    where = {"EventBusName": bus} if bus else {}
    answer = absent(lambda: look.aws.events.list_targets_by_rule(Rule=name, **where), *GONE)  # type: ignore[arg-type]
    for target in answer.get("Targets", []) if answer else []:
        yield from _handover(look, LIST_TARGETS, look.target.id, target.get("Arn"))


STARTED = (ResourceType.LAMBDA, ResourceType.QUEUE, ResourceType.TOPIC, ResourceType.STATE_MACHINE)


@probe(LIST_RULES, yields=(Handover,), only=STARTED)
def what_rules_start_it(look: Look) -> Iterator[Evidence]:
    """Reads which rules of the default bus send events here; a schedule of EventBridge Scheduler is none."""
    target = look.target
    answer = look.aws.events.list_rule_names_by_target(TargetArn=target.id, Limit=MAX_RULES)
    for name in answer.get("RuleNames", []):
        rule = f"arn:{target.partition}:events:{target.region}:{target.account}:rule/{name}"
        yield from _handover(look, LIST_RULES, rule, target.id)


def _handover(
    look: Look, call: Read, upstream: str | None, downstream: str | None, *, active: bool = True, about: str = ""
) -> Iterator[Handover]:
    """Yield the handover when both ends are resources: a person's address or a URL is nobody's business."""
    giver, taker = _identity(upstream), _identity(downstream)
    if giver and taker:
        yield Handover(
            resource=about or look.target.id,
            source=f"{call.service}:{call.operation}",
            upstream=giver,
            downstream=taker,
            by=BY[call.service],
            active=active,
        )


def _identity(arn: str | None) -> str | None:
    try:
        return resource_from_arn(arn or "").id
    except ValueError:
        return None


def _confirmed(subscription: Any) -> bool:
    """Whether it delivers: SNS gives a subscription its ARN when it is confirmed, and a word before."""
    return str(subscription.get("SubscriptionArn", "")).startswith("arn:")


def _on(mapping: Any) -> bool:
    """Whether the mapping takes events: it may still be on its way to being switched on."""
    return mapping.get("State", "Enabled") in {"Enabled", "Enabling", "Creating", "Updating"}


PROBES: tuple[Probe, ...] = (
    service_graph,
    what_feeds_the_function,
    who_reads_it,
    who_reads_what_they_feed,
    who_subscribes,
    subscribed_to,
    what_the_rule_starts,
    what_rules_start_it,
)
