"""What a question is about: resources that it names, and kinds of resources or causes that people have words for."""

import re
from typing import NamedTuple

from domain.report import RankedHypothesis
from domain.resource import Resource, ResourceType
from orchestrator.ask.record import Record
from orchestrator.ask.retrieve import STOP, stem, stems

SHORTEST = 3
"""Characters of a resource's name that is looked for in a question."""


class Topic(NamedTuple):
    """A kind of thing, what people call it, and where it shows: types of resources, codes of causes.

    `by` is the specialist that looks at such things, empty where several may.
    """

    name: str
    by: str
    words: frozenset[str]
    types: frozenset[ResourceType] = frozenset()
    causes: re.Pattern[str] = re.compile("(?!)")


def _topic(name: str, by: str, words: str, *types: ResourceType, causes: str) -> Topic:
    return Topic(name, by, frozenset(stem(word) for word in words.split()), frozenset(types), re.compile(causes))


TOPICS: tuple[Topic, ...] = (
    _topic("the database", "dynamodb", "database db dynamodb dynamo ddb table", ResourceType.TABLE, causes="^ddb-"),
    _topic("the queue", "sqs", "queue sqs dlq backlog", ResourceType.QUEUE, causes="^sqs-|^esm-"),
    _topic("the function", "lambda", "function lambda", ResourceType.LAMBDA, causes="^lambda-"),
    _topic(
        "the API", "apigateway", "api gateway apigateway apigw endpoint",
        ResourceType.REST_API, ResourceType.HTTP_API, ResourceType.API, causes="^apigw-",
    ),
    _topic("the bucket", "s3", "bucket s3 object", ResourceType.BUCKET, causes="^s3-"),
    _topic("the topic", "sns", "topic sns notification", ResourceType.TOPIC, causes="^sns-"),
    _topic(
        "the event rule", "eventbridge", "eventbridge event rule schedule bus",
        ResourceType.RULE, ResourceType.EVENT_BUS, ResourceType.SCHEDULE, causes="^eb-",
    ),
    _topic(
        "the workflow", "stepfunctions", "workflow step machine execution sfn",
        ResourceType.STATE_MACHINE, ResourceType.EXECUTION, causes="^sfn-",
    ),
    _topic("the stream", "lambda", "stream kinesis shard", ResourceType.STREAM, causes="^stream-"),
    _topic(
        "the secret", "lambda", "secret parameter ssm",
        ResourceType.SECRET, ResourceType.PARAMETER, causes="^secret-|^ssm-",
    ),
    _topic("the key", "", "kms encryption encrypted", ResourceType.KEY, causes="kms"),
    _topic(
        "the permissions", "iam", "permission iam role policy access denied rights authorizer",
        ResourceType.ROLE, ResourceType.POLICY, causes="denied|deny|permission|policy|authorizer|unauthorized|assum",
    ),
    _topic(
        "the network", "vpc", "network vpc subnet nat dns firewall routing connection",
        ResourceType.VPC, ResourceType.SUBNET, ResourceType.SECURITY_GROUP, ResourceType.VPC_ENDPOINT,
        causes="^lambda-(?:vpc|eni|subnet|ec2)|^vpc-|private-endpoint",
    ),
    _topic(
        "a deploy", "change-intelligence", "deploy deployment release rollout rollback version change configuration",
        causes="^deploy-",
    ),
    _topic(
        "the code", "lambda", "code bug exception stacktrace",
        causes="unhandled|import|handler|syntax|marshal|class-not",
    ),
    _topic("a timeout", "", "timeout latency slow hang", causes="timeout|latency|slow|cold-start"),
    _topic("the memory", "lambda", "memory oom heap mb", causes="oom|heap"),
    _topic(
        "throttling", "", "throttle throttling capacity concurrency quota limit rate",
        causes="throttl|exceeded|limit|quota|concurrency|reserved|slow-down",
    ),
    _topic(
        "the external service", "lambda", "provider external remote vendor third upstream",
        ResourceType.REMOTE, causes="^downstream-",
    ),
)  # fmt: skip
"""Words for what a specialist can look at."""


class Subject(NamedTuple):
    """What a question is about; all empty when it is about the verdict as a whole."""

    resources: tuple[Resource, ...] = ()
    topics: tuple[Topic, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.resources or self.topics)

    def fits(self, hypothesis: RankedHypothesis) -> bool:
        """Whether the hypothesis is about it: at the resource that was named, else of the kind that was meant."""
        kinds = [topic for topic in self.topics if topic.causes.search(hypothesis.cause)]
        if self.resources:
            here = any(hypothesis.resource == resource.id for resource in self.resources)
            return here and (bool(kinds) or not any(not topic.types for topic in self.topics))
        return bool(kinds)

    def known(self, record: Record) -> tuple[Resource, ...]:
        """Return the resources that it is about: those named, else all of the types that are meant."""
        types = frozenset(kind for topic in self.topics for kind in topic.types)
        return self.resources or tuple(r for r in record.resources.values() if r.type in types)


def subject_of(text: str, record: Record) -> Subject:
    """Return what the question names."""
    words = frozenset(stems(text))
    lowered = text.lower()
    named = [resource for resource in record.resources.values() if any(_holds(lowered, n) for n in _names(resource))]
    topics = tuple(topic for topic in TOPICS if words & topic.words)
    types = frozenset(kind for topic in topics for kind in topic.types)
    return Subject(tuple([r for r in named if r.type in types] or named), topics)


def wanted(text: str, subject: Subject) -> list[str]:
    """Return the stems to look for: the question's own, and what else its subject is called."""
    return list(dict.fromkeys([*stems(text), *(word for topic in subject.topics for word in sorted(topic.words))]))


def _names(resource: Resource) -> set[str]:
    names = {resource.title, resource.name, resource.id}
    return {name.lower() for name in names if len(name) >= SHORTEST and name.lower() not in STOP}


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None
