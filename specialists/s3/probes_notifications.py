"""Whom the bucket notifies, and whether the functions, queues and topics let it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from aws.reads import read
from domain.arn import Arn
from domain.evidence import Evidence
from domain.resource import ResourceType
from specialists.contract import Look, Probe, probe
from specialists.kit.answers import absent
from specialists.kit.functions import NO_FUNCTION, configuration_of, policy_text_of
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.policies import Asked, Verdict, policy_of, said
from specialists.kit.series import MetricSeries
from specialists.s3.evidence import Destination, Notifications, Receiver

WHO_AM_I = read("sts", "GetCallerIdentity")
GONE = "NoSuchBucket"
NO_QUEUE = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")
S3 = ("Service:s3.amazonaws.com",)
MAX_RECEIVERS = 5
KINDS = (
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
)

Sort = Literal["function", "queue", "topic"]


@probe(
    read("s3", "GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
    yields=(Notifications,),
)
def notifications(look: Look) -> Iterator[Evidence]:
    """Reads whom the bucket notifies, of which events and for which prefix and suffix."""
    answer = absent(lambda: look.aws.s3.get_bucket_notification_configuration(Bucket=look.target.name), GONE)
    if answer is None:
        return  # that there is no bucket is what `bucket` says
    known: Mapping[str, Any] = answer
    yield Notifications(
        resource=look.target.id,
        source="s3:GetBucketNotificationConfiguration",
        destinations=tuple(
            _destination(one, member) for listed, member in KINDS for one in known.get(listed, []) if member in one
        ),
        eventbridge="EventBridgeConfiguration" in known,
    )


@probe(
    read("lambda", "GetPolicy"),
    read("lambda", "GetFunctionConfiguration"),
    WHO_AM_I,
    needs=(Notifications,),
    yields=(Receiver,),
)
def function_receivers(look: Look) -> Iterator[Evidence]:
    """Reads whether the notified functions, and the path's others, exist and let the bucket invoke them."""
    for arn in _functions(look):
        unread = _out_of_reach(look, arn)
        yield _unread(look, arn, "function", unread) if unread else _function(look, arn)


@probe(
    read("sqs", "GetQueueUrl"), read("sqs", "GetQueueAttributes"), WHO_AM_I, needs=(Notifications,), yields=(Receiver,)
)
def queue_receivers(look: Look) -> Iterator[Evidence]:
    """Reads whether the notified queues exist and let the bucket send to them."""
    for text in _notified(look, ":sqs:"):
        unread = _out_of_reach(look, text)
        yield _unread(look, text, "queue", unread) if unread else _queue(look, text)


@probe(read("sns", "GetTopicAttributes"), WHO_AM_I, needs=(Notifications,), yields=(Receiver,))
def topic_receivers(look: Look) -> Iterator[Evidence]:
    """Reads whether the notified topics exist and let the bucket publish to them."""
    for text in _notified(look, ":sns:"):
        unread = _out_of_reach(look, text)
        yield _unread(look, text, "topic", unread) if unread else _topic(look, text)


@probe(GET_METRIC_DATA, needs=(Notifications,), yields=(MetricSeries,))
def receivers_runs(look: Look) -> Iterator[Evidence]:
    """Reads how often the notified functions, and the path's others, ran now and before."""
    names = [arn.split(":function:", 1)[1].split(":", 1)[0] for arn in _functions(look) if ":function:" in arn]
    wanted = [Metric("AWS/Lambda", "Invocations", {"FunctionName": name}) for name in dict.fromkeys(names)]
    yield from metric_series(look, wanted)


def _destination(found: Mapping[str, Any], member: str) -> Destination:
    rules = found.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = {str(rule.get("Name", "")).lower(): str(rule.get("Value", "")) for rule in rules}
    return Destination(
        arn=found[member],
        events=tuple(found.get("Events", [])),
        prefix=filters.get("prefix", ""),
        suffix=filters.get("suffix", ""),
    )


def _functions(look: Look) -> list[str]:
    around = (node.id for node in look.graph.nodes if node.type is ResourceType.LAMBDA and node.arn)
    return _first((*_notified(look, ":lambda:"), *around))


def _notified(look: Look, service: str) -> list[str]:
    known = look.seen.first(Notifications, look.target.id)
    return _first(one.arn for one in (known.destinations if known else ()) if service in one.arn)


def _first(arns: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(arns))[:MAX_RECEIVERS]


def _function(look: Look, arn: str) -> Receiver:
    policy = absent(lambda: policy_text_of(look, arn), NO_FUNCTION)
    exists = policy is not None or absent(lambda: configuration_of(look, arn), NO_FUNCTION) is not None
    return _judged(look, arn, "function", "lambda:GetPolicy", "lambda:InvokeFunction", policy or "", exists=exists)


def _queue(look: Look, text: str) -> Receiver:
    arn, sqs = Arn.parse(text), look.aws.sqs
    url = absent(lambda: sqs.get_queue_url(QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account), *NO_QUEUE)
    found = url and absent(
        lambda: sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["Policy"]), *NO_QUEUE
    )
    policy = found.get("Attributes", {}).get("Policy", "") if found else ""
    exists = found is not None
    return _judged(look, text, "queue", "sqs:GetQueueAttributes", "sqs:SendMessage", policy, exists=exists)


def _topic(look: Look, text: str) -> Receiver:
    found = absent(lambda: look.aws.sns.get_topic_attributes(TopicArn=text), "NotFound", "NotFoundException")
    policy = found["Attributes"].get("Policy", "") if found else ""
    exists = found is not None
    return _judged(look, text, "topic", "sns:GetTopicAttributes", "sns:Publish", policy, exists=exists)


def _judged(look: Look, arn: str, sort: Sort, source: str, action: str, policy: str, *, exists: bool) -> Receiver:
    """Return what the receiver's policy says to the bucket.

    A bucket's ARN does not tell its owner: the receiver's own account is tried, and what depends on another is open.
    """
    account = Arn.parse(arn).account
    context = {"aws:sourcearn": look.target.id, "aws:securetransport": "true", "aws:principalisawsservice": "true"}
    own = {**context, "aws:sourceaccount": account}
    read_policy = policy_of(policy)
    verdicts = [said(read_policy, Asked(action, arn, S3, known)) for known in (own, context)]
    verdict = Verdict.ALLOWED if Verdict.ALLOWED in verdicts else verdicts[1]
    return Receiver(resource=look.target.id, source=source, arn=arn, sort=sort, exists=exists, verdict=verdict)


def _out_of_reach(look: Look, text: str) -> str:
    """Say why a receiver cannot be judged from here."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        return "its ARN cannot be read"
    here = look.aws.lambda_.meta.region_name
    if arn.region != here:
        return f"it is in {arn.region}, and {here} was read"
    # A queue of another account answers like one that does not exist.
    account = look.target.account or look.once(("account",), lambda: look.aws.sts.get_caller_identity()["Account"])
    return f"it is in account {arn.account}" if arn.account != account else ""


def _unread(look: Look, arn: str, sort: Sort, why: str) -> Receiver:
    source = "s3:GetBucketNotificationConfiguration"
    return Receiver(resource=look.target.id, source=source, arn=arn, sort=sort, unread=why)


NOTIFICATION_PROBES: tuple[Probe, ...] = (
    notifications,
    function_receivers,
    queue_receivers,
    topic_receivers,
    receivers_runs,
)
