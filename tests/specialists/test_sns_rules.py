"""What the SNS specialist concludes: each cause beside a near miss."""

import json

import pytest

from domain.causes import CAUSES
from domain.findings import Strength
from specialists.kit.overheard import role_of
from specialists.kit.policies import Asked, Policy, Verdict, fits, policy_of
from specialists.kit.policies import said as policy_said
from specialists.sns import SPECIALIST
from specialists.sns.rules import RULES
from specialists.sns.signs import Reading, read_text
from tests.specialists.sns_building import (
    DENIED,
    DLQ,
    FUNCTION,
    KEY,
    PENDING,
    QUEUE,
    ROLE,
    TOPIC,
    USER,
    alarm,
    call,
    change,
    endpoint,
    filtering,
    flow,
    graph,
    judged,
    key,
    key_policy,
    listed,
    log,
    metric,
    minute,
    proven,
    refused,
    said,
    segment,
    subscriber,
    topic,
)

# --- texts of every SDK


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("An error occurred (NotFound) when calling the Publish operation: Topic does not exist", Reading.NO_TOPIC),
        ("SNS.NotFoundException: Topic does not exist (Service: AmazonSNS; Status Code: 404;)", Reading.NO_TOPIC),
        ("InvalidParameter: Invalid parameter: TopicArn", Reading.NO_TOPIC),
        ("AuthorizationErrorException: User: arn:aws:iam::1:user/a is not authorized", Reading.DENIED),
        (f"api error AuthorizationError: {DENIED}", Reading.DENIED),
        ("x is not authorized to perform: sns:publish on resource: y", Reading.DENIED),
        ("KMSAccessDeniedException: The ciphertext refers to a key", Reading.KEY),
        (f"KMSDisabledException: {KEY} is disabled.", Reading.KEY),
        ("null (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException)", Reading.KEY),
        ("CloudWatch Alarms does not have authorization to access the SNS topic encryption key.", Reading.KEY),
        (f"KMSInvalidStateException: {KEY} is pending deletion.", Reading.KEY_GOING),
        ("KMSThrottlingException: You have exceeded the rate at which you may call KMS.", Reading.KEY_RATE),
        ("InvalidParameter: Invalid parameter: Empty message", None),
        ("NotFound: Endpoint does not exist", None),
        ("Rate exceeded", None),
    ],
)
def test_texts_are_read(text: str, reading: Reading | None) -> None:
    assert read_text(text) is reading


@pytest.mark.parametrize("text", ["NotFound NotFound", "NotFoundException 404"])
def test_a_bare_not_found_means_the_topic_only_in_a_call_to_it(text: str) -> None:
    assert read_text(text, of_call=True) is Reading.NO_TOPIC
    assert read_text(text) is None
    assert read_text(f"{text} Endpoint", of_call=True) is None


# --- the topic is not there


def test_publishes_to_a_topic_that_is_gone_prove_it() -> None:
    found = judged(call("NotFound", "Topic does not exist"), topic(exists=False), change("DeleteTopic"))

    assert proven(found) == set(found) == {"sns-topic-not-found"}
    assert found["sns-topic-not-found"].resource == TOPIC
    assert "`deploy-bot` made DeleteTopic at 09:51" in found["sns-topic-not-found"].summary


def test_a_missing_topic_is_named_without_a_trace() -> None:
    assert proven(judged(topic(exists=False))) == {"sns-topic-not-found"}


def test_a_topic_that_answers_is_not_missing() -> None:
    assert judged(topic(), call()) == {}
    assert judged(topic(exists=False), call()) == {}


def test_a_topic_that_exists_now_speaks_against_its_absence() -> None:
    found = judged(call("NotFound", "Topic does not exist"), topic())

    assert found["sns-topic-not-found"].contradicting


def test_a_missing_platform_endpoint_is_no_missing_topic() -> None:
    assert judged(call("NotFound", "Endpoint does not exist"), topic()) == {}


@pytest.mark.parametrize(
    "evidence",
    [
        segment("NotFoundException", "Topic does not exist (Service: AmazonSns, Status Code: 404)"),
        log(
            "[ERROR] NotFoundException: An error occurred (NotFound) when calling the Publish operation: Topic does not exist"
        ),
    ],
    ids=["segment", "log"],
)
def test_a_publishers_own_words_count_when_it_publishes_here_only(evidence) -> None:
    other = graph(TOPIC.replace("order-events", "other"))
    calls_both = other.with_edges(
        [other.edges[0].model_copy(update={"target": TOPIC.replace("order-events", "other")})]
    )

    assert proven(judged(evidence)) == {"sns-topic-not-found"}
    assert judged(evidence, around=calls_both) == {}


# --- the publisher is refused

FOREIGN = DENIED.replace("::123456789012:", "::999988887777:")


def test_words_of_an_identity_policy_leave_the_case_to_iam() -> None:
    text = f"{DENIED} because no identity-based policy allows the SNS:Publish action"
    found = judged(call("AuthorizationError", text), topic())["sns-publish-denied"]

    assert {s.strength for s in found.supports} == {Strength.WEAK}
    assert ROLE in found.defers_to
    assert "on its own side" in found.summary


@pytest.mark.parametrize(
    "words",
    ["explicit deny in an identity-based policy", "no permissions boundary allows", "service control policy"],
)
def test_other_policies_of_the_callers_side_prove_nothing_here(words: str) -> None:
    assert proven(judged(call("AuthorizationError", f"{DENIED} because {words}"))) == set()


def test_words_of_a_resource_policy_prove_it() -> None:
    text = f"{DENIED} because no resource-based policy allows the SNS:Publish action"

    assert proven(judged(call("AuthorizationError", text))) == {"sns-publish-denied"}


def test_a_deny_in_the_topics_policy_proves_it() -> None:
    deny = statement("Deny", "*", "sns:*")
    found = judged(
        call("AuthorizationError", DENIED), topic(deny), change("SetTopicAttributes", attributeName="Policy")
    )

    assert proven(found) == {"sns-publish-denied"}
    assert "explicitly denies" in found["sns-publish-denied"].summary
    assert "SetTopicAttributes" in found["sns-publish-denied"].summary


def test_without_a_reason_and_a_policy_the_role_may_be_why() -> None:
    found = judged(call("AuthorizationError", DENIED), topic())

    assert {s.strength for s in found["sns-publish-denied"].supports} == {Strength.STRONG}


def test_a_publisher_of_another_account_must_be_in_the_policy() -> None:
    named = statement("Allow", {"AWS": "arn:aws:iam::999988887777:root"}, "sns:Publish")

    assert proven(judged(call("AuthorizationError", FOREIGN), topic())) == {"sns-publish-denied"}
    assert proven(judged(call("AuthorizationError", FOREIGN), topic(named))) == set()


def test_a_policy_that_lets_the_publisher_in_speaks_against_it() -> None:
    own = statement("Allow", {"AWS": ROLE}, "SNS:Publish")

    assert judged(call("AuthorizationError", DENIED), topic(own))["sns-publish-denied"].contradicting


def test_an_alarm_without_a_word_in_the_policy_is_refused() -> None:
    text = f"Resource: arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a is not authorized to perform: SNS:Publish on resource: {TOPIC} because no resource-based policy allows the SNS:Publish action"
    found = judged(alarm(text), topic())

    assert proven(found) == set(found) == {"sns-publish-denied"}
    assert "alarm `orders-5xx`" in found["sns-publish-denied"].summary


# --- keys

ALARM_KMS = '"null (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: 4fea)"'


def test_an_alarm_that_may_not_use_the_key_proves_it() -> None:
    closed = key_policy(cloudwatch=Verdict.SILENT)
    found = judged(alarm(ALARM_KMS), topic(key_id=KEY), key(), closed)

    assert proven(found) == set(found) == {"sns-encrypted-topic"}
    assert "does not name cloudwatch" in found["sns-encrypted-topic"].summary


def test_a_closed_key_that_nobody_ran_into_is_advice_only() -> None:
    closed = (topic(key_id=KEY), key(), key_policy(cloudwatch=Verdict.SILENT, s3=Verdict.ALLOWED))

    assert judged(*closed) == {}
    assert any("`cloudwatch.amazonaws.com` publishes" in text for text in said(*closed))
    assert not any("s3.amazonaws.com" in text for text in said(*closed))


def test_alarms_cannot_use_the_aws_managed_key() -> None:
    found = judged(alarm(ALARM_KMS), topic(key_id="alias/aws/sns"))

    assert "nobody can open" in found["sns-encrypted-topic"].summary


def test_a_publisher_whose_role_may_not_use_the_key_is_left_to_iam() -> None:
    text = f"{USER}kms:GenerateDataKey on resource: {KEY} because no identity-based policy allows the action"
    found = judged(call("KMSAccessDenied", text), topic(key_id=KEY), key())

    assert proven(found) == set()
    assert found["sns-encrypted-topic"].defers_to == (ROLE,)


def test_a_disabled_key_proves_it() -> None:
    found = judged(call("KMSDisabled", f"{KEY} is disabled."), topic(key_id=KEY), key("Disabled"))

    assert proven(found) == set(found) == {"sns-encrypted-topic"}
    assert "switched off" in found["sns-encrypted-topic"].summary


def test_a_key_that_waits_for_deletion_is_accused_itself() -> None:
    found = judged(call("KMSInvalidState", f"{KEY} is pending deletion."), topic(key_id=KEY), key("PendingDeletion"))

    assert proven(found) == {"kms-pending-deletion"}
    assert found["kms-pending-deletion"].resource == KEY
    assert KEY in found["sns-encrypted-topic"].defers_to


def test_a_key_named_by_the_text_is_accused_when_it_could_not_be_read() -> None:
    found = judged(call("KMSInvalidState", f"{KEY} is pending deletion."))

    assert found["kms-pending-deletion"].resource == KEY


def test_a_key_going_while_publishes_succeed_is_advice() -> None:
    assert judged(topic(key_id=KEY), key("PendingDeletion"), call()) == {}
    assert any("save its key" in text for text in said(topic(key_id=KEY), key("PendingDeletion"), call()))


def test_a_key_that_does_not_exist_is_named_at_the_topic() -> None:
    found = judged(call("KMSNotFound", f"Key '{KEY}' does not exist"), topic(key_id=KEY), key(exists=False, state=""))

    assert proven(found) == {"kms-key-not-found"}
    assert found["kms-key-not-found"].resource == TOPIC


def test_kms_throttling_is_its_own_cause() -> None:
    text = "You have exceeded the rate at which you may call KMS."

    assert set(judged(call("KMSThrottling", text), topic(key_id=KEY), key())) == {"kms-throttled"}


# --- published and not received


def test_a_topic_whose_only_subscription_is_pending_delivers_nothing() -> None:
    found = judged(listed(PENDING), flow(delivered=0))

    assert proven(found) == set(found) == {"sns-pending-confirmation"}
    assert "https `hooks.example.com`" in found["sns-pending-confirmation"].summary


@pytest.mark.parametrize(
    "evidence",
    [
        [listed(PENDING)],
        [listed(PENDING), *flow(published=0, delivered=0)],
        [listed(subscriber()), *flow()],
    ],
    ids=["nothing published as far as known", "nothing published", "confirmed"],
)
def test_a_pending_subscription_without_messages_is_no_finding(evidence) -> None:
    assert "sns-pending-confirmation" not in judged(evidence)


def test_a_pending_subscription_beside_working_ones_decides_nothing() -> None:
    found = judged(listed(PENDING, subscriber()), flow())

    assert proven(found) == set()
    assert {s.strength for s in found["sns-pending-confirmation"].supports} == {Strength.WEAK}


def test_a_pending_subscription_of_today_is_stronger() -> None:
    found = judged(listed(PENDING, subscriber()), flow(), change("Subscribe", protocol="https"))

    assert {s.strength for s in found["sns-pending-confirmation"].supports} == {Strength.STRONG}


@pytest.mark.parametrize(
    ("delivered", "more", "strength"),
    [(20, [], Strength.WEAK), (8, [], Strength.STRONG), (20, [change("Unsubscribe")], Strength.STRONG)],
    ids=["as much as ever", "less than before", "another was ended"],
)
def test_a_new_pending_subscription_that_nobody_misses_is_weak(delivered, more, strength) -> None:
    every = dict.fromkeys(range(20), delivered)
    counts = [metric("NumberOfMessagesPublished", every), metric("NumberOfNotificationsDelivered", every, usual=20)]
    found = judged(listed(PENDING, subscriber()), *counts, change("Subscribe", protocol="email"), *more)

    assert {s.strength for s in found["sns-pending-confirmation"].supports} == {strength}


def test_a_filter_that_drops_everything_is_proven_by_the_counts() -> None:
    edited = change("SetSubscriptionAttributes", attributeName="FilterPolicy")
    found = judged(listed(subscriber()), filtering("status"), flow(delivered=0, filtered=40), edited)

    assert proven(found) == set(found) == {"sns-filter-mismatch"}
    assert "All 40 notifications were filtered out" in found["sns-filter-mismatch"].summary
    assert "which want `status`" in found["sns-filter-mismatch"].summary
    assert found["sns-filter-mismatch"].since == minute(15)


def test_a_filter_that_drops_as_much_as_ever_is_no_finding() -> None:
    usual = metric("NumberOfNotificationsFilteredOut", {17: 40}, usual=40)

    assert judged(filtering("status"), usual, metric("NumberOfNotificationsDelivered", {17: 9}, usual=9)) == {}


def test_more_filtered_than_usual_without_another_sign_is_weak() -> None:
    more = metric("NumberOfNotificationsFilteredOut", {17: 40}, usual=4)
    found = judged(filtering("status"), more, metric("NumberOfNotificationsDelivered", {17: 9}, usual=9))

    assert {s.strength for s in found["sns-filter-mismatch"].supports} == {Strength.WEAK}


def test_messages_without_attributes_are_said_so() -> None:
    counts = [
        metric("NumberOfNotificationsFilteredOut", {17: 40}, usual=4),
        metric("NumberOfNotificationsFilteredOut-NoMessageAttributes", {17: 40}),
    ]
    found = judged(filtering("status"), counts, metric("NumberOfNotificationsDelivered", {17: 9}, usual=9))

    assert "40 messages carried no attributes" in found["sns-filter-mismatch"].summary
    assert {s.strength for s in found["sns-filter-mismatch"].supports} == {Strength.STRONG}


def test_nothing_delivered_for_failures_is_not_the_filters_fault() -> None:
    found = judged(
        filtering("status"),
        metric("NumberOfNotificationsFilteredOut", {17: 4}, usual=4),
        flow(delivered=0, failed=40)[:2],
        metric("NumberOfNotificationsFailed", {17: 40}),
    )

    assert "sns-filter-mismatch" not in found


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (endpoint(verdict=Verdict.SILENT), "does not let this topic in"),
        (endpoint(verdict=Verdict.DENIED), "explicitly denies"),
        (endpoint(exists=False), "does not exist"),
        (endpoint(key_id="alias/aws/sqs"), "alias/aws/sqs"),
        (endpoint(FUNCTION, Verdict.SILENT), "`mailer` does not let"),
    ],
)
def test_failures_and_an_endpoint_that_refuses_prove_it(broken, why: str) -> None:
    found = judged(flow(delivered=0, failed=40), listed(subscriber()), broken)

    assert proven(found) == set(found) == {"sns-delivery-failed"}
    assert why in found["sns-delivery-failed"].summary


@pytest.mark.parametrize(
    "fine",
    [
        endpoint(),
        endpoint(verdict=Verdict.UNCLEAR),
        endpoint(verdict=Verdict.SILENT, unread="it is in us-east-1"),
        endpoint(key_id=KEY),
    ],
)
def test_failures_alone_prove_nothing(fine) -> None:
    found = judged(flow(delivered=0, failed=40), listed(subscriber()), fine, around=graph(QUEUE))

    assert proven(found) == set()
    assert found["sns-delivery-failed"].defers_to == (QUEUE,)


def test_an_endpoint_that_refuses_and_was_sent_nothing_is_no_finding() -> None:
    assert judged(flow(published=0, delivered=0), endpoint(verdict=Verdict.SILENT)) == {}
    assert judged(flow(), endpoint(verdict=Verdict.SILENT)) == {}


def test_an_endpoint_that_refuses_while_nothing_arrives_is_strong() -> None:
    found = judged(flow(delivered=0), endpoint(verdict=Verdict.SILENT))

    assert {s.strength for s in found["sns-delivery-failed"].supports} == {Strength.STRONG}


def test_the_delivery_log_proves_it_and_points_to_an_endpoint_that_fails_by_itself() -> None:
    denied = refused(403, '{"ErrorCode":"AccessDenied","ErrorMessage":"Access to the resource is denied."}')
    broken = refused(500, "Function error received", FUNCTION)
    listing = listed(subscriber("lambda", FUNCTION))

    assert proven(judged(denied, listing)) == proven(judged(broken, listing)) == {"sns-delivery-failed"}
    assert judged(denied, listing, around=graph(FUNCTION))["sns-delivery-failed"].defers_to == ()
    assert judged(broken, listing, around=graph(FUNCTION))["sns-delivery-failed"].defers_to == (FUNCTION,)


def test_usual_failures_are_no_finding() -> None:
    assert judged(metric("NumberOfNotificationsFailed", {17: 3}, usual=3)) == {}


def test_messages_lost_on_the_way_to_a_closed_dead_letter_queue_prove_it() -> None:
    lost = metric("NumberOfNotificationsFailedToRedriveToDlq", {17: 7})
    closed = endpoint(DLQ, Verdict.SILENT, role="dead-letter queue")
    found = judged(lost, filtering(dlq=DLQ), closed)

    assert proven(found) == set(found) == {"sns-dlq"}
    assert "7 undeliverable messages of `order-events` could not reach `lost-events`" in found["sns-dlq"].summary


def test_a_closed_dead_letter_queue_that_nothing_went_to_is_no_finding() -> None:
    assert judged(flow(), filtering(dlq=DLQ), endpoint(DLQ, Verdict.SILENT, role="dead-letter queue")) == {}


def test_dead_letters_give_way_to_why_the_deliveries_failed() -> None:
    found = judged(
        flow(delivered=0, failed=40),
        metric("NumberOfNotificationsRedrivenToDlq", {17: 40}),
        filtering(dlq=DLQ),
        endpoint(verdict=Verdict.SILENT),
    )

    assert found["sns-dlq"].defers_to == (TOPIC,)
    assert proven(found) == {"sns-delivery-failed", "sns-dlq"}
    assert CAUSES["sns-dlq"].generic


def test_usual_dead_letters_are_weak() -> None:
    found = judged(metric("NumberOfNotificationsRedrivenToDlq", {17: 2}, usual=2))

    assert {s.strength for s in found["sns-dlq"].supports} == {Strength.WEAK}


# --- facts


def test_facts_say_what_is_normal() -> None:
    told = said(topic(), call(), flow(), listed(subscriber()), endpoint(), alarm())

    assert "Topic `order-events` exists and is not encrypted with KMS" in told
    assert "The one call to `order-events` succeeded" in told
    assert "Nothing keeps `order-events` from delivering to `invoices`" in told
    assert any(text.endswith("none failed or was filtered out") for text in told)
    assert "Alarms published 1 times to `order-events`" in told


def test_a_topic_without_subscribers_is_said_so() -> None:
    assert said(listed()) == ["Nobody subscribes to `order-events`: what is published goes nowhere"]


def test_delivery_logging_is_advised_only_where_something_failed() -> None:
    off = refused(0, "", logged=False)

    assert any("delivery status logging" in text for text in said(off, flow(failed=3)))
    assert not any("delivery status logging" in text for text in said(off, flow()))


# --- policies


def statement(effect: str, principal: object, action: object, **more: object) -> str:
    return json.dumps(
        {"Statement": {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*", **more}}
    )


ASKED = Asked("sqs:SendMessage", QUEUE, ("Service:sns.amazonaws.com",), {"aws:sourcearn": TOPIC})


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        (statement("Allow", {"Service": "sns.amazonaws.com"}, "SQS:SendMessage"), Verdict.ALLOWED),
        (statement("Allow", "*", ["sqs:*"], Condition={"ArnEquals": {"aws:SourceArn": TOPIC}}), Verdict.ALLOWED),
        (statement("Allow", "*", "*", Condition={"ArnLike": {"AWS:SourceArn": TOPIC + "-old"}}), Verdict.SILENT),
        (statement("Allow", {"Service": "s3.amazonaws.com"}, "sqs:SendMessage"), Verdict.SILENT),
        (statement("Allow", "*", "sqs:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), Verdict.UNCLEAR),
        (statement("Deny", "*", "sqs:*"), Verdict.DENIED),
        (statement("Deny", "*", "sqs:*", Condition={"ArnNotEquals": {"aws:SourceArn": TOPIC}}), Verdict.SILENT),
        ("", Verdict.SILENT),
        ("{", Verdict.UNCLEAR),
        ("[]", Verdict.UNCLEAR),
        ('{"Statement": [{"Effect": "Perhaps"}]}', Verdict.UNCLEAR),
    ],
)
def test_policies_are_read(policy: str, verdict: Verdict) -> None:
    assert policy_said(policy_of(policy), ASKED) is verdict


def test_not_action_is_everything_else() -> None:
    text = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "NotAction": "sqs:Send*", "Resource": "*"}]})

    assert policy_said(policy_of(text), ASKED) is Verdict.SILENT
    assert policy_said(policy_of(text), ASKED._replace(action="sqs:Purge")) is Verdict.ALLOWED
    assert policy_of(" ") == Policy()


@pytest.mark.parametrize(
    ("pattern", "text", "fit"),
    [
        ("a*c", "abc", True),
        ("a*b*c", "axbyc", True),
        ("a?c", "abc", True),
        ("a*c", "ac", True),
        ("ab*bc", "abc", False),
    ],
)
def test_patterns_fit(pattern: str, text: str, fit: bool) -> None:
    assert fits(pattern, text) is fit


def test_many_stars_cost_little() -> None:
    assert not fits("*a" * 200 + "b", "a" * 2000)


def test_a_session_tells_its_role_and_a_user_none() -> None:
    assert role_of("arn:aws-cn:sts::123456789012:assumed-role/r/s") == "arn:aws-cn:iam::123456789012:role/r"
    assert role_of("arn:aws:iam::123456789012:user/u") == role_of("") == ""


# --- the specialist


def test_every_cause_of_topics_is_named_by_a_rule() -> None:
    declared = {cause for rule in RULES for cause in rule.causes}

    assert {code for code, cause in CAUSES.items() if cause.service == "sns"} <= declared
    assert {"kms-pending-deletion", "kms-key-not-found"} <= declared
    assert all(rule.doc for rule in SPECIALIST.rules)


def test_thousands_of_log_lines_are_judged_in_no_time() -> None:
    line = f"[ERROR] AuthorizationErrorException: {DENIED} " + "x" * 3000

    assert "sns-publish-denied" in judged(log(*[line] * 3000))
