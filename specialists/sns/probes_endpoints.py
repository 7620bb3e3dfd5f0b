"""May the topic reach its endpoints? The policies of subscribed queues and functions, and of dead-letter queues."""

from collections.abc import Iterable, Iterator
from typing import Literal

from aws.reads import read
from domain.arn import Arn
from domain.evidence import Evidence
from domain.resource import resource_from_arn
from specialists.contract import Look, Probe, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOKUP_EVENTS, changes, listed_as
from specialists.kit.functions import GET_CONFIGURATION, GET_POLICY, NO_FUNCTION, configuration_of, policy_text_of
from specialists.kit.policies import Asked, Verdict, policy_of, said
from specialists.sns.evidence import Endpoint, Subscriptions, SubscriptionSettings

GET_QUEUE_URL = read("sqs", "GetQueueUrl")
GET_QUEUE_ATTRIBUTES = read("sqs", "GetQueueAttributes")
NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
SNS = ("Service:sns.amazonaws.com", "Service:sns.*.amazonaws.com*")
MAX_ENDPOINTS = 10
MAX_CHANGED = 3
"""Closed endpoints whose changes are looked for: CloudTrail answers twice a second."""

Role = Literal["subscriber", "dead-letter queue"]


@probe(GET_QUEUE_URL, GET_QUEUE_ATTRIBUTES, needs=(Subscriptions,), yields=(Endpoint,))
def queue_endpoints(look: Look) -> Iterator[Evidence]:
    """Reads whether the subscribed queues exist and their policies let this topic send to them."""
    for arn in _subscribed(look, "sqs"):
        yield _queue(look, arn, "subscriber")


@probe(
    GET_QUEUE_URL,
    GET_QUEUE_ATTRIBUTES,
    needs=(SubscriptionSettings,),
    yields=(Endpoint,),
)
def dead_letter_queues(look: Look) -> Iterator[Evidence]:
    """Reads whether the subscriptions' dead-letter queues exist and let this topic send to them."""
    listed = (one.dead_letter_arn for one in look.seen.of(SubscriptionSettings, look.target.id))
    for arn in _first(arn for arn in listed if arn):
        yield _queue(look, arn, "dead-letter queue")


@probe(GET_POLICY, GET_CONFIGURATION, needs=(Subscriptions,), yields=(Endpoint,))
def function_endpoints(look: Look) -> Iterator[Evidence]:
    """Reads whether the subscribed functions exist and their policies let this topic invoke them."""
    for arn in _subscribed(look, "lambda"):
        unread = _out_of_reach(look, arn)
        yield _unread(look, arn, "subscriber", unread) if unread else _function(look, arn)


@probe(LOOKUP_EVENTS, needs=(Endpoint,), yields=(Change,))
def endpoint_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the queues and functions that do not take the topic's messages, in the day before."""
    closed = [one.arn for one in look.seen.of(Endpoint, look.target.id) if one.refuses]
    for arn in list(dict.fromkeys(closed))[:MAX_CHANGED]:
        yield from changes(look, listed_as(resource_from_arn(arn)), resource=arn)


def _function(look: Look, arn: str) -> Endpoint:
    policy = absent(lambda: policy_text_of(look, arn), NO_FUNCTION)
    exists = policy is not None or absent(lambda: configuration_of(look, arn), NO_FUNCTION) is not None
    return Endpoint(
        resource=look.target.id,
        source="lambda:GetPolicy",
        arn=arn,
        exists=exists,
        verdict=_said(look, policy or "", "lambda:InvokeFunction", arn),
    )


def _queue(look: Look, text: str, role: Role) -> Endpoint:
    unread = _out_of_reach(look, text)
    if unread:
        return _unread(look, text, role, unread)
    arn = Arn.parse(text)
    sqs = look.aws.sqs
    url = absent(lambda: sqs.get_queue_url(QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account), *NO_QUEUE)
    found = url and absent(
        lambda: sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["Policy", "KmsMasterKeyId"]),
        *NO_QUEUE,
    )
    attributes = found.get("Attributes", {}) if found else {}
    return Endpoint(
        resource=look.target.id,
        source="sqs:GetQueueAttributes" if found else "sqs:GetQueueUrl",
        arn=text,
        role=role,
        exists=found is not None,
        verdict=_said(look, attributes.get("Policy", ""), "sqs:SendMessage", text),
        key_id=attributes.get("KmsMasterKeyId", ""),
    )


def _said(look: Look, policy: str, action: str, arn: str) -> Verdict:
    account = look.target.account
    context = {
        "aws:sourcearn": look.target.id,
        "aws:sourceaccount": account,
        "aws:sourceowner": account,
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
    }
    return said(policy_of(policy), Asked(action, arn, SNS, context))


def _subscribed(look: Look, protocol: str) -> list[str]:
    known = look.seen.first(Subscriptions, look.target.id)
    listed = known.subscribers if known else ()
    return _first(one.endpoint for one in listed if one.protocol == protocol and one.endpoint)


def _first(arns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(arns))[:MAX_ENDPOINTS]


def _out_of_reach(look: Look, text: str) -> str:
    """Say why an endpoint cannot be judged from here; a queue elsewhere answers like one that does not exist."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        return "its ARN cannot be read"
    if arn.region != look.target.region:
        return f"it is in {arn.region}"
    return f"it is in account {arn.account}" if arn.account != look.target.account else ""


def _unread(look: Look, arn: str, role: Role, why: str) -> Endpoint:
    return Endpoint(resource=look.target.id, source="sns:ListSubscriptionsByTopic", arn=arn, role=role, unread=why)


ENDPOINT_PROBES: tuple[Probe, ...] = (queue_endpoints, dead_letter_queues, function_endpoints, endpoint_changes)
