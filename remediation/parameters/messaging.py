# ruff: noqa: N815 - the names are AWS's
"""What an action may set on what hands messages on: mappings, queues, topics, rules, pipes, executions."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from domain.values import Value
from remediation.parameters.text import Text

QueueArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]+(?:\.fifo)?$")]
QueueUrl = Annotated[str, StringConstraints(pattern=r"^https://[\w.-]+/\d{12}/[\w-]+(?:\.fifo)?$")]


class EnableMapping(Value):
    """lambda:UpdateEventSourceMapping, enabling only."""

    UUID: str
    Enabled: Literal[True]


class MappingScaling(Value):
    """How many invocations a queue's mapping may have at once."""

    MaximumConcurrency: int = Field(ge=2, le=1000)


class CapMapping(Value):
    """lambda:UpdateEventSourceMapping, the concurrency of a queue's mapping only."""

    UUID: Text
    ScalingConfig: MappingScaling


class LimitRetries(Value):
    """lambda:UpdateEventSourceMapping: a failing batch is split, and given up after some retries."""

    UUID: Text
    BisectBatchOnFunctionError: Literal[True]
    MaximumRetryAttempts: int = Field(ge=1, le=10_000)


class SetParallelization(Value):
    """lambda:UpdateEventSourceMapping, the batches of one shard that are worked on at once."""

    UUID: Text
    ParallelizationFactor: int = Field(ge=1, le=10)


class LetIn(Value):
    """lambda:AddPermission for one named source of one AWS service."""

    FunctionName: str = Field(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+$")
    Qualifier: str | None = Field(default=None, pattern=r"^[\w$-]{1,128}$")
    StatementId: str = Field(pattern=r"^rca-[0-9a-f]{10}$")
    Action: Literal["lambda:InvokeFunction"]
    Principal: Literal["events.amazonaws.com", "apigateway.amazonaws.com"]
    SourceArn: str = Field(
        pattern=r"^arn:aws[a-z-]*:(?:events|execute-api):[a-z0-9-]+:\d{12}:[\w/.${}+-][\w/.${}+*-]*$"
    )


def _within(low: int, high: int) -> AfterValidator:
    def checked(text: str) -> str:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"not between {low} and {high} seconds")
        return text

    return AfterValidator(checked)


class Visibility(Value):
    """How long a queue hides a message that was handed out, seconds as text."""

    VisibilityTimeout: Annotated[str, _within(0, 43_200)]


class SetVisibility(Value):
    """sqs:SetQueueAttributes, the visibility timeout only."""

    QueueUrl: QueueUrl
    Attributes: Visibility


class Retention(Value):
    """How long a queue keeps a message, seconds as text."""

    MessageRetentionPeriod: Annotated[str, _within(60, 1_209_600)]


class SetRetention(Value):
    """sqs:SetQueueAttributes, the retention period only."""

    QueueUrl: QueueUrl
    Attributes: Retention


class RedrivePolicy(Value):
    """Where messages go that nobody could work on, as JSON text: 2 to 1000 receives."""

    RedrivePolicy: str = Field(
        pattern=r'^\{"deadLetterTargetArn":"arn:aws[a-z-]*:sqs:[\w:.-]+","maxReceiveCount":(?:[2-9]|[1-9]\d{1,2}|1000)\}$'
    )


class SetMaxReceives(Value):
    """sqs:SetQueueAttributes, the redrive policy only."""

    QueueUrl: QueueUrl
    Attributes: RedrivePolicy


class Redrive(Value):
    """sqs:StartMessageMoveTask: back to the queues that the messages came from."""

    SourceArn: QueueArn


class SetSubscription(Value):
    """sns:SetSubscriptionAttributes, the filter policy or where failures go."""

    SubscriptionArn: str = Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+:[0-9a-f-]+$")
    AttributeName: Literal["FilterPolicy", "RedrivePolicy"]
    AttributeValue: str = Field(min_length=2)


class EnableRule(Value):
    """events:EnableRule."""

    Name: Text
    EventBusName: Text


class RestoreRule(Value):
    """events:PutRule, as it was put before."""

    Name: Text
    EventBusName: Text
    EventPattern: str | None = None
    ScheduleExpression: str | None = None
    State: Literal["ENABLED", "DISABLED"] | None = None
    Description: str | None = None
    RoleArn: str | None = None


class StartPipe(Value):
    """pipes:StartPipe."""

    Name: Text


class RedriveExecution(Value):
    """states:RedriveExecution: a failed Standard execution goes on from the state that failed."""

    executionArn: str = Field(pattern=r"^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:execution:[^:\s]+:[^:\s]+$")
