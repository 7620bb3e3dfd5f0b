"""The consuming end of the events' queue: four operations on one queue, and nothing else."""

from collections.abc import Iterator

import pytest

from aws.errors import NotAllowed
from aws.queue import QueueFacts, QueueSession, arn_of, region_of, statement
from sandbox.aws import LocalAws
from tests.support.events import EventsQueue


@pytest.fixture(scope="module")
def running() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


def test_a_message_is_received_hidden_and_deleted(aws: LocalAws) -> None:
    queue = EventsQueue(aws)
    session = queue.session()
    queue.send("one")

    (first,) = session.receive(wait_seconds=0, hidden_seconds=30)
    assert session.receive(wait_seconds=0, hidden_seconds=30) == ()
    session.hide(first, 0)
    (again,) = session.receive(wait_seconds=0, hidden_seconds=30)
    session.delete(again)

    assert (first.body, first.receives, again.receives, again.id) == ("one", 1, 2, first.id)
    assert first.sent_at is not None
    assert queue.count() == 0


def test_the_redrive_policy_is_read_also_where_its_count_is_a_text(aws: LocalAws) -> None:
    with_dlq, without = EventsQueue(aws, most=3), EventsQueue(aws, "bare", most=None)

    assert with_dlq.session().facts() == QueueFacts(3, "rca-events-dlq")
    assert without.session().facts() == QueueFacts()


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("send_message", {"MessageBody": "x"}),
        ("purge_queue", {}),
        ("delete_queue", {}),
        ("set_queue_attributes", {"Attributes": {"VisibilityTimeout": "1"}}),
        ("delete_message_batch", {"Entries": [{"Id": "1", "ReceiptHandle": "r"}]}),
    ],
)
def test_every_other_operation_is_refused_before_any_network(
    aws: LocalAws, method: str, parameters: dict[str, object]
) -> None:
    queue = EventsQueue(aws)
    aws.forget_calls()

    with pytest.raises(NotAllowed):
        getattr(queue.session().client, method)(QueueUrl=queue.url, **parameters)

    assert aws.calls == ()


def test_every_other_queue_is_refused_before_any_network(aws: LocalAws) -> None:
    mine, other = EventsQueue(aws), EventsQueue(aws, "other")
    aws.forget_calls()

    with pytest.raises(NotAllowed):
        mine.session().client.receive_message(QueueUrl=other.url)

    assert aws.calls == ()


URLS = (
    ("https://sqs.eu-west-1.amazonaws.com/123456789012/q", "arn:aws:sqs:eu-west-1:123456789012:q"),
    ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q.fifo", "arn:aws-cn:sqs:cn-north-1:123456789012:q.fifo"),
    ("https://eu-west-1.queue.amazonaws.com/123456789012/q", "arn:aws:sqs:eu-west-1:123456789012:q"),
    ("https://vpce-1a.sqs.us-east-1.vpce.amazonaws.com/123456789012/q", "arn:aws:sqs:us-east-1:123456789012:q"),
    ("http://127.0.0.1:4566/123456789012/q", None),
)


@pytest.mark.parametrize(("url", "arn"), URLS)
def test_the_url_tells_the_region_and_the_arn(url: str, arn: str | None) -> None:
    assert arn_of(url) == arn
    assert region_of(url) == (arn.split(":")[3] if arn else None)


def test_the_statement_allows_the_four_operations_on_that_queue_only() -> None:
    given = statement("https://sqs.eu-west-1.amazonaws.com/123456789012/q")

    assert given["Resource"] == "arn:aws:sqs:eu-west-1:123456789012:q"
    assert given["Action"] == [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ]


def test_the_client_is_made_in_the_queues_own_region(aws: LocalAws) -> None:
    session = QueueSession("https://sqs.us-east-1.amazonaws.com/123456789012/q")

    assert session.client.meta.region_name == "us-east-1"
