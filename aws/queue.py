"""The one queue that events come from: received and deleted there, which are writes, so not by the read-only session.

`QueueSession` allows four operations on one queue and refuses everything else before any network, whatever its
credentials may do. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

import json
import os
import re
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from aws.errors import NotAllowed
from domain.arn import partition_of
from domain.values import from_epoch

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

OPERATIONS = frozenset({"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"})
MOST_AT_ONCE = 10
LONGEST_WAIT_SECONDS = 20
LONGEST_HIDDEN_SECONDS = 43_200
REGION_IN_HOST = re.compile(r"(?:^|\.)sqs\.([a-z0-9-]{5,30})\.|^([a-z0-9-]{5,30})\.queue\.")


class QueueMessage(NamedTuple):
    """One message as it was received; `receives` counts this time too, `sent_at` is UTC."""

    id: str
    receipt: str
    body: str
    receives: int = 1
    sent_at: datetime | None = None


class QueueFacts(NamedTuple):
    """The queue's attributes: `most_receives` and `dead_letters` (a queue's name) are None where it has no DLQ."""

    most_receives: int | None = None
    dead_letters: str | None = None


class QueueSession:
    """The consuming end of one queue. Thread-safe; its methods raise `aws.errors.CALL_ERRORS`.

    No call is repeated here: whoever reads the queue backs off itself.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._made: SQSClient | None = None

    def receive(self, *, wait_seconds: int, hidden_seconds: int) -> tuple[QueueMessage, ...]:
        """Wait so long for messages, and return ten at most, which stay hidden from others for so long."""
        answer = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=MOST_AT_ONCE,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=hidden_seconds,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return tuple(map(_message, answer.get("Messages", [])))

    def delete(self, message: QueueMessage) -> None:
        """Take a message out of the queue for good."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt)

    def hide(self, message: QueueMessage, seconds: int) -> None:
        """Let a received message be seen again after so many seconds from now; 0 for at once."""
        self.client.change_message_visibility(
            QueueUrl=self.url,
            ReceiptHandle=message.receipt,
            VisibilityTimeout=min(seconds, LONGEST_HIDDEN_SECONDS),
        )

    def facts(self) -> QueueFacts:
        """Ask for the queue's redrive policy."""
        answer = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["RedrivePolicy"])
        return _facts(answer.get("Attributes", {}).get("RedrivePolicy", ""))

    @property
    def client(self) -> "SQSClient":
        """The guarded client, made when first used; making one raises what `aws.errors.unusable` explains."""
        with self._lock:
            if self._made is None:
                config = Config(
                    retries={"mode": "standard", "total_max_attempts": 1},
                    connect_timeout=3.0,
                    read_timeout=LONGEST_WAIT_SECONDS + 10.0,
                    user_agent_extra="rca-bot/events",
                )
                region = region_of(self.url) or os.environ.get("AWS_REGION")
                client: SQSClient = boto3.Session().client("sqs", region_name=region, config=config)
                client.meta.events.register_first("before-parameter-build.*.*", self._guard)
                self._made = client
            return self._made

    def _guard(self, params: dict[str, Any], model: "OperationModel", **_: Any) -> None:
        if model.name not in OPERATIONS:
            raise NotAllowed(f"sqs:{model.name} is not among what the reader of events may do")
        if params.get("QueueUrl") != self.url:
            raise NotAllowed(f"sqs:{model.name} is allowed on {self.url} only")


def _message(received: "MessageTypeDef") -> QueueMessage:
    attributes = received.get("Attributes", {})
    sent = attributes.get("SentTimestamp", "")
    return QueueMessage(
        id=received.get("MessageId", ""),
        receipt=received.get("ReceiptHandle", ""),
        body=received.get("Body", ""),
        receives=int(attributes.get("ApproximateReceiveCount", "1")),
        sent_at=from_epoch(int(sent) / 1000) if sent.isdecimal() else None,
    )


def _facts(redrive_policy: str) -> QueueFacts:
    """Read a RedrivePolicy, which is JSON in a text; its count is a number or a text of one."""
    try:
        policy = json.loads(redrive_policy or "{}")
        return QueueFacts(int(policy["maxReceiveCount"]), str(policy["deadLetterTargetArn"]).rpartition(":")[2])
    except (ValueError, KeyError, TypeError):
        return QueueFacts()


def region_of(url: str) -> str | None:
    """Return the Region that a queue's URL names; None for hosts that are not AWS's."""
    found = REGION_IN_HOST.search(urlsplit(url).hostname or "")
    return (found[1] or found[2]) if found else None


def arn_of(url: str) -> str | None:
    """Return the ARN of the queue with this URL; None when the URL does not tell it."""
    region, parts = region_of(url), urlsplit(url).path.strip("/").split("/")
    if region is None or len(parts) != 2:
        return None
    return f"arn:{partition_of(region)}:sqs:{region}:{parts[0]}:{parts[1]}"


def statement(url: str) -> dict[str, object]:
    """Return the statement that the bot's role needs for this queue, beside the policy of what it reads."""
    return {
        "Sid": "RcaBotTakesEvents",
        "Effect": "Allow",
        "Action": sorted(f"sqs:{operation}" for operation in OPERATIONS),
        "Resource": arn_of(url) or "arn:aws:sqs:REGION:ACCOUNT:QUEUE",
    }
