"""An events' queue over HTTP, and the bodies that AWS and the incident platform put into it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from aws.queue import QueueSession
from bot.events.feed import Source
from bot.events.routes import Routes
from bot.events.traits import TagsOf
from bot.service import Service
from bot.tokens import check_bot_token
from orchestrator.rejections import SqliteRejections
from orchestrator.sqlite_store import SqliteStore
from sandbox.aws import LocalAws
from sandbox.slack import LocalSlack
from tests.support.bot import QUICK, ScriptedInvestigator, settings_of, utc_now

ACCOUNT, REGION = "123456789012", "eu-west-1"
RANG = datetime(2026, 11, 20, 9, 53, 12, 345000, tzinfo=UTC)


def alarm_event(
    name: str = "orders-throttled", state: str = "ALARM", *, at: datetime = RANG, **more: Any
) -> dict[str, Any]:
    """EventBridge's event as its documentation shows it."""
    return {
        "version": "0",
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": (at + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"],
        "detail": {
            "alarmName": name,
            "configuration": {
                "description": "writes are throttled",
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {
                            "metric": {
                                "dimensions": {"TableName": "orders"},
                                "name": "WriteThrottleEvents",
                                "namespace": "AWS/DynamoDB",
                            },
                            "period": 60,
                            "stat": "Sum",
                        },
                        "returnData": True,
                    }
                ],
            },
            "previousState": {"reason": "…", "timestamp": "2026-11-20T08:00:00.000+0000", "value": "OK"},
            "state": {
                "reason": "Threshold Crossed: 1 datapoint [214.0] was greater than the threshold (5.0).",
                "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000",
                "value": state,
            },
        },
        **more,
    }


def alarm_notification(name: str = "orders-throttled", state: str = "ALARM") -> dict[str, Any]:
    """CloudWatch's own SNS message."""
    return {
        "AlarmName": name,
        "AlarmDescription": "writes are throttled",
        "AWSAccountId": ACCOUNT,
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2026-11-20T09:53:12.345+0000",
        "Region": "EU (Ireland)",
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "WriteThrottleEvents",
            "Namespace": "AWS/DynamoDB",
            "Dimensions": [{"value": "orders", "name": "TableName"}],
        },
    }


def incident_event(ident: str = "INC-2041", **detail: Any) -> dict[str, Any]:
    """An `opx.incidents / IncidentCreated` event."""
    known = {
        "incidentId": ident,
        "evidenceId": "ev-77",
        "service": "order-service",
        "severity": "HIGH",
        "timeWindow": {"start": "2026-11-20T09:50:00Z", "end": "2026-11-20T10:10:00Z"},
    }
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "IncidentCreated",
        "source": "opx.incidents",
        "account": ACCOUNT,
        "time": "2026-11-20T10:11:00Z",
        "region": REGION,
        "resources": [],
        "detail": known | detail,
    }


def by_sns(message: dict[str, Any]) -> dict[str, Any]:
    """Return SNS's envelope around a message, as a queue gets it without raw delivery."""
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
        "Subject": "ALARM",
        "Message": json.dumps(message),
        "Timestamp": "2026-11-20T09:53:12.845Z",
        "SignatureVersion": "1",
    }


class EventsQueue:
    """A queue, with a dead-letter queue after `most` receives unless that is None."""

    def __init__(self, aws: LocalAws, name: str = "rca-events", *, most: int | None = 3) -> None:
        self.sqs = aws.client("sqs")
        attributes = {}
        if most is not None:
            self.dead_url = self.sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
            arn = f"arn:aws:sqs:{aws.region}:{aws.account}:{name}-dlq"
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(most)})
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def session(self) -> QueueSession:
        return QueueSession(self.url)

    def send(self, *bodies: dict[str, Any] | str) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.url, MessageBody=text)

    def count(self, url: str = "") -> int:
        """How many messages are in it, visible or in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def dead(self) -> list[str]:
        """The bodies in the dead-letter queue."""
        answer = self.sqs.receive_message(QueueUrl=self.dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [message["Body"] for message in answer.get("Messages", [])]


class Taking(NamedTuple):
    """A bot that takes events."""

    service: Service
    store: SqliteStore
    rejections: SqliteRejections
    investigator: ScriptedInvestigator

    @property
    def texts(self) -> list[str]:
        """What was asked so far, in order."""
        return [trigger.text for _, trigger, _ in self.investigator.asked]


@asynccontextmanager
async def taking_bot(
    slack: LocalSlack,
    directory: Path,
    queue: EventsQueue,
    *,
    routes: Sequence[dict[str, Any]] = ({"channel": "C0ALERTS"},),
    wait_seconds: int = 1,
    tags_of: TagsOf | None = None,
) -> AsyncIterator[Taking]:
    """Run a bot that reads the queue, over the store in the directory, until the block ends."""
    settings = settings_of(slack).model_copy(update={"routes": Routes.model_validate(routes)})
    store, rejections = SqliteStore.open(directory), SqliteRejections.open(directory)
    investigator = ScriptedInvestigator(store)
    granted = await check_bot_token(settings)
    source = Source(queue.session(), rejections, tags_of, wait_seconds)
    service = Service(settings, store, investigator, granted.identity, now=utc_now, pace=QUICK, events=source)
    await service.start()
    try:
        yield Taking(service, store, rejections, investigator)
    finally:
        await service.stop(5.0)
        await rejections.close()
        await store.close()
