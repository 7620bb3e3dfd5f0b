"""Looks at targets from their own side: whether they are there, and who may call them."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from aws.reads import read
from domain.arn import Arn
from domain.evidence import Evidence
from domain.resource import ResourceType, resource_from_arn
from specialists.contract import Look, probe
from specialists.eventbridge.arns import parsed_arn
from specialists.eventbridge.evidence import Destination, Targets
from specialists.eventbridge.policy import Ask, lets_in
from specialists.kit.answers import absent
from specialists.kit.change import Change
from specialists.kit.changes import LOOKUP_EVENTS, changes, listed_as
from specialists.kit.functions import NO_FUNCTION, configuration_of, policy_text_of

MAX_DESTINATIONS = 10
"""Of one kind; a rule has five targets unless its quota was raised."""

NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NonExistentQueue")
NO_TOPIC = ("NotFound", "NotFoundException")
NO_BUS = "ResourceNotFoundException"
NO_MACHINE = "StateMachineDoesNotExist"

ELSEWHERE = "it is in another account or Region"

Judge = Callable[[Look, Arn], Destination]


@probe(
    read("lambda", "GetFunctionConfiguration"),
    read("lambda", "GetPolicy"),
    LOOKUP_EVENTS,
    needs=(Targets,),
    yields=(Destination, Change),
)
def target_functions(look: Look) -> Iterator[Evidence]:
    """Looks whether the functions that are targets exist, and whether their policy lets EventBridge invoke them."""
    yield from _each(look, "lambda", "function:", _function)


@probe(
    read("sqs", "GetQueueUrl"),
    read("sqs", "GetQueueAttributes"),
    LOOKUP_EVENTS,
    needs=(Targets,),
    yields=(Destination, Change),
)
def target_queues(look: Look) -> Iterator[Evidence]:
    """Looks whether target and dead-letter queues exist, and whether their policy and key let EventBridge send."""
    yield from _each(look, "sqs", "", _queue)


@probe(read("sns", "GetTopicAttributes"), LOOKUP_EVENTS, needs=(Targets,), yields=(Destination, Change))
def target_topics(look: Look) -> Iterator[Evidence]:
    """Looks whether the topics that are targets exist, and whether their policy lets EventBridge publish."""
    yield from _each(look, "sns", "", _topic)


@probe(
    read("stepfunctions", "DescribeStateMachine"),
    read("events", "DescribeEventBus"),
    LOOKUP_EVENTS,
    needs=(Targets,),
    yields=(Destination, Change),
)
def target_machines_and_buses(look: Look) -> Iterator[Evidence]:
    """Looks whether the state machines and event buses that are targets exist."""
    yield from _each(look, "states", "stateMachine:", _state_machine)
    yield from _each(look, "events", "event-bus/", _bus)


@probe(
    read("logs", "DescribeLogGroups"),
    read("logs", "DescribeResourcePolicies"),
    LOOKUP_EVENTS,
    needs=(Targets,),
    yields=(Destination, Change),
)
def target_log_groups(look: Look) -> Iterator[Evidence]:
    """Looks whether the log groups that are targets exist, and whether a log policy lets EventBridge write."""
    yield from _each(look, "logs", "log-group:", _log_group)


def _each(look: Look, service: str, prefix: str, judge: Judge) -> Iterator[Evidence]:
    """Judge all destinations of a kind, and read who changed the first that is wrong.

    What one look cannot read does not hide the others: the error is raised at the end.
    """
    failure: ClientError | None = None
    wrong = ""
    for arn in _destinations(look, service, prefix)[:MAX_DESTINATIONS]:
        if (arn.account, arn.region) not in {(look.target.account, look.target.region), ("", "")}:
            source = f"{service}:elsewhere"
            yield Destination(resource=look.target.id, source=source, arn=str(arn), exists=None, why=ELSEWHERE)
            continue
        try:
            judged = judge(look, arn)
        except ClientError as error:
            failure = error
            continue
        yield judged
        wrong = wrong or (judged.arn if judged.exists is False or judged.admits is False else "")
    if wrong:
        yield from changes(look, listed_as(resource_from_arn(wrong)))
    if failure is not None:
        raise failure


def _destinations(look: Look, service: str, prefix: str) -> list[Arn]:
    known = look.seen.first(Targets, look.target.id)
    named = [arn for target in (known.targets if known else ()) for arn in (target.arn, target.dead_letter_arn)]
    arns = (arn for text in dict.fromkeys(named) if (arn := parsed_arn(text)) is not None)
    return [arn for arn in arns if arn.service == service and arn.resource.startswith(prefix)]


def _function(look: Look, arn: Arn) -> Destination:
    _, name, *rest = arn.resource.split(":")
    called = (look, name, rest[0] if rest else "")
    if absent(lambda: configuration_of(*called), NO_FUNCTION) is None:
        return _gone(look, arn, "lambda:GetFunctionConfiguration")
    policy = absent(lambda: policy_text_of(*called), NO_FUNCTION) or ""
    return _judged(look, arn, "lambda:GetPolicy", "lambda:InvokeFunction", policy)


def _queue(look: Look, arn: Arn) -> Destination:
    attributes = _queue_attributes(look, arn)
    if attributes is None:
        return _gone(look, arn, "sqs:GetQueueUrl")
    key = attributes.get("KmsMasterKeyId", "")
    return _judged(look, arn, "sqs:GetQueueAttributes", "sqs:SendMessage", attributes.get("Policy", ""), key)


def _queue_attributes(look: Look, arn: Arn) -> dict[str, str] | None:
    """Return all attributes; whoever asks for the same queue in this investigation shares the answers."""
    owner = {"QueueOwnerAWSAccountId": arn.account} if arn.account else {}

    def find() -> Any:
        return absent(lambda: look.aws.sqs.get_queue_url(QueueName=arn.resource, **owner), *NO_QUEUE)

    found = look.once(("queue url", str(arn)), find)

    def attributes() -> dict[str, str] | None:
        url = found["QueueUrl"]
        answer = absent(lambda: look.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]), *NO_QUEUE)
        return None if answer is None else {str(k): v for k, v in answer.get("Attributes", {}).items()}

    return look.once(("queue attributes", str(arn)), attributes) if found else None


def _topic(look: Look, arn: Arn) -> Destination:
    answer = absent(lambda: look.aws.sns.get_topic_attributes(TopicArn=str(arn)), *NO_TOPIC)
    if answer is None:
        return _gone(look, arn, "sns:GetTopicAttributes")
    attributes = answer["Attributes"]
    key = attributes.get("KmsMasterKeyId", "")
    return _judged(look, arn, "sns:GetTopicAttributes", "sns:Publish", attributes.get("Policy", ""), key)


def _state_machine(look: Look, arn: Arn) -> Destination:
    source = "stepfunctions:DescribeStateMachine"
    found = absent(lambda: look.aws.stepfunctions.describe_state_machine(stateMachineArn=str(arn)), NO_MACHINE)
    return _gone(look, arn, source) if found is None else _there(look, arn, source)


def _bus(look: Look, arn: Arn) -> Destination:
    found = absent(lambda: look.aws.events.describe_event_bus(Name=str(arn)), NO_BUS)
    source = "events:DescribeEventBus"
    return _gone(look, arn, source) if found is None else _there(look, arn, source)


def _log_group(look: Look, arn: Arn) -> Destination:
    name = arn.resource.removeprefix("log-group:").removesuffix(":*")
    groups = look.aws.logs.describe_log_groups(logGroupNamePrefix=name, limit=50).get("logGroups", [])
    if name not in {group.get("logGroupName") for group in groups}:
        return _gone(look, arn, "logs:DescribeLogGroups")
    policies = look.aws.logs.describe_resource_policies(limit=50).get("resourcePolicies", [])
    stream = arn.model_copy(update={"resource": f"log-group:{name}:log-stream:any"})
    verdicts = [_verdict(look, stream, "logs:PutLogEvents", p.get("policyDocument", "")) for p in policies]
    admits = True if True in verdicts else None if None in verdicts else False
    why = "no log policy names it" if admits is False else ""
    return _destination(look, arn, "logs:DescribeResourcePolicies", exists=True, admits=_if_rule(look, admits), why=why)


def _gone(look: Look, arn: Arn, source: str) -> Destination:
    return _destination(look, arn, source, exists=False)


def _there(look: Look, arn: Arn, source: str) -> Destination:
    return _destination(look, arn, source, exists=True)


def _judged(look: Look, arn: Arn, source: str, action: str, policy: str, key: str = "") -> Destination:
    admits = _if_rule(look, _verdict(look, arn, action, policy))
    why = "it has no policy" if not policy else "no statement lets events.amazonaws.com in from this rule"
    if admits is not False and key.endswith("alias/aws/" + arn.service) and look.target.type is ResourceType.RULE:
        # The policy of AWS's own key cannot be changed, and names no service but its own.
        admits, why = False, f"it is encrypted with the key {key}, which EventBridge cannot use"
    return _destination(look, arn, source, exists=True, admits=admits, why=why if admits is False else "", key=key)


def _if_rule(look: Look, admits: bool | None) -> bool | None:
    """Only rules deliver under a resource policy; schedules and pipes deliver under their role."""
    return admits if look.target.type is ResourceType.RULE else None


def _verdict(look: Look, arn: Arn, action: str, policy: str) -> bool | None:
    ask = Ask("events.amazonaws.com", action, str(arn), look.target.id, look.target.account)
    return lets_in(policy, ask)


def _destination(look: Look, arn: Arn, source: str, **fields: Any) -> Destination:
    return Destination(resource=look.target.id, source=source, arn=str(arn), **fields)


ACCESS_PROBES = (
    target_functions,
    target_queues,
    target_topics,
    target_machines_and_buses,
    target_log_groups,
)
