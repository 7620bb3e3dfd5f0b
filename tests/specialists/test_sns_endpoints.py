"""Endpoints that do not take a topic's messages: who closed them, and how they open again."""

import json

import pytest

from domain.evidence import Evidence
from sandbox.aws import signals
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from specialists.kit.change import Change
from specialists.kit.policies import Verdict
from specialists.sns import probes_endpoints
from specialists.sns.describe import delivery_failure
from tests.specialists.sns_building import (
    DLQ,
    FUNCTION,
    QUEUE,
    TOPIC,
    call,
    change,
    endpoint,
    flow,
    judged,
    listed,
    metric,
    minute,
    refused,
    said,
    subscriber,
)
from tests.support.probing import look_with

FAILING = [*flow(delivered=0, failed=40), listed(subscriber())]
CLOSED = endpoint(verdict=Verdict.SILENT)


def closing(name: str, *, at: float = 16, of: str = QUEUE, **parameters: str) -> Change:
    return change(name, at=at, **parameters).model_copy(update={"resource": of})


def test_who_closed_the_endpoint_is_told() -> None:
    policy = closing("SetQueueAttributes", **{"attributes.Policy": "{}"})
    removed = closing("RemovePermission20150331v2", of=FUNCTION, statementId="sns")
    found = judged(FAILING, CLOSED, policy)["sns-delivery-failed"]
    other = judged(FAILING, endpoint(FUNCTION, Verdict.SILENT), removed)["sns-delivery-failed"]

    assert found.summary.endswith("in by its policy; `deploy-bot` made SetQueueAttributes at 09:52")
    assert other.summary.endswith("; `deploy-bot` made RemovePermission at 09:52")
    assert policy.id in found.evidence


@pytest.mark.parametrize(
    "innocent",
    [
        closing("SetQueueAttributes", **{"attributes.VisibilityTimeout": "30"}),
        closing("SetQueueAttributes", at=19.5, **{"attributes.Policy": "{}"}),
        closing("SetQueueAttributes", at=-90, **{"attributes.Policy": "{}"}),
        closing("TagQueue"),
        closing("SetQueueAttributes", of=DLQ, **{"attributes.Policy": "{}"}),
    ],
    ids=["another attribute", "after it failed", "long before", "tags", "another queue"],
)
def test_other_changes_are_not_held_against_it(innocent: Change) -> None:
    assert "deploy-bot" not in judged(FAILING, CLOSED, innocent)["sns-delivery-failed"].summary


@pytest.mark.parametrize(
    ("broken", "advised"),
    [
        (CLOSED, f"call sqs:SendMessage in the policy of `invoices`, on condition that aws:SourceArn is {TOPIC}."),
        (endpoint(FUNCTION, Verdict.SILENT), "call lambda:InvokeFunction in the policy of `mailer`"),
        (endpoint(verdict=Verdict.DENIED), "Take this topic out of the Deny"),
        (endpoint(exists=False), "Recreate `invoices`"),
        (endpoint(key_id="alias/aws/sqs"), "with a key of your own"),
    ],
)
def test_each_closed_endpoint_is_advised_to_open(broken: Evidence, advised: str) -> None:
    texts = said(FAILING, broken)

    assert any(advised in text for text in texts)
    assert not any("Switch on delivery status logging" in text for text in texts)


def test_an_endpoint_that_was_sent_nothing_in_vain_needs_no_advice() -> None:
    assert not any("Allow sns.amazonaws.com" in text for text in said(flow(), CLOSED))


def test_failures_that_began_before_the_window_are_new_all_the_same() -> None:
    failed = metric("NumberOfNotificationsFailed", dict.fromkeys(range(20), 5), usual=0)
    lately = tuple(p.model_copy(update={"value": 5.0}) if n >= 50 else p for n, p in enumerate(failed.baseline))

    assert "sns-delivery-failed" in judged(failed.model_copy(update={"baseline": lately}), CLOSED)


def test_changes_of_closed_endpoints_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalAws() as local:
        for name, value in local.environment().items():
            monkeypatch.setenv(name, value)
        world = World(local)
        resource = [("AWS::SQS::Queue", "invoices")]
        signals.cloudtrail_event(world, "SetQueueAttributes", "sqs", resource, who="terraform", when=minute(5))
        found = look_with(probes_endpoints.endpoint_changes, TOPIC, seen=[CLOSED, endpoint(FUNCTION)])

        assert [(c.resource, c.who) for c in found if isinstance(c, Change)] == [(QUEUE, "terraform")]
        assert look_with(probes_endpoints.endpoint_changes, TOPIC, seen=[endpoint()]) == []


@pytest.mark.parametrize(
    ("destination", "named"),
    [
        (QUEUE, "`invoices` answered"),
        (QUEUE.replace("eu-west-1", "eu-central-1"), "`invoices` in eu-central-1 answered"),
        (QUEUE.replace("123456789012", "210987654321"), "`invoices` in account 210987654321 answered"),
        ("hooks.partner.example", "`hooks.partner.example` answered"),
    ],
)
def test_a_failed_delivery_says_where_the_endpoint_is(destination: str, named: str) -> None:
    assert named in judged(refused(400, "no", destination))["sns-delivery-failed"].summary


def test_an_answer_that_is_json_inside_text_is_told_in_words() -> None:
    answer = {"ErrorCode": "AccessDenied", "ErrorMessage": "Access to the resource is denied.", "sqsRequestId": "x"}

    def response(text: str) -> str:
        return delivery_failure(minute(1), json.dumps({"delivery": {"providerResponse": text}})).response

    assert response(json.dumps(answer)) == "AccessDenied: Access to the resource is denied."
    assert response("Service Unavailable") == "Service Unavailable"
    assert response('{"message": "no"}') == '{"message": "no"}'


def test_a_topic_that_is_gone_is_no_plain_answer_that_its_caller_left_behind() -> None:
    gone, later = call("NotFound", "Topic does not exist", at=10), call("Throttling", "Rate exceeded", at=11)
    elsewhere = gone.model_copy(update={"resource": "arn:aws:s3:::orders", "service": "S3"})

    assert not gone.left_behind([gone, later])
    assert elsewhere.left_behind([elsewhere, later])
