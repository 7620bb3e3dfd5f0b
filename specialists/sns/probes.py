"""What the SNS specialist looks at: the topic, its subscriptions and their endpoints, its key, metrics and changes."""

from collections.abc import Iterator

from aws.reads import read
from domain.evidence import Evidence
from domain.values import utc
from specialists.contract import Look, Probe, probe
from specialists.kit.answers import absent
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changes import LOOKUP_EVENTS, counted_changes
from specialists.kit.key import KeyState
from specialists.kit.keys import DESCRIBE_KEY, key_state
from specialists.kit.loglines import LogLines
from specialists.kit.logs import FILTER_LOG_EVENTS, callers_logs, log_lines
from specialists.kit.metrics import GET_METRIC_DATA, Metric, metric_series
from specialists.kit.overheard import failed_calls
from specialists.kit.policies import Asked, policy_of, said
from specialists.kit.series import MetricSeries
from specialists.sns.describe import delivery_failure, settings, subscriber, topic_state
from specialists.sns.evidence import (
    AlarmAction,
    DeliveryFailures,
    KeyPolicy,
    Subscriptions,
    SubscriptionSettings,
    TopicState,
)
from specialists.sns.metrics import NAMES, NAMESPACE
from specialists.sns.probes_endpoints import ENDPOINT_PROBES
from specialists.sns.signs import MENTIONS

NO_TOPIC = ("NotFound", "NotFoundException")
AWS_MANAGED = "alias/aws/"
PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com")
"""Services that publish with their own principal, and so need a word in the key's policy."""

MAX_SUBSCRIPTIONS = 100
MAX_SETTINGS = 10
MAX_ALARMS = 5
MAX_HISTORY = 20
MAX_TEXT = 1_000


@probe(read("sns", "GetTopicAttributes"), yields=(TopicState,))
def topic(look: Look) -> Iterator[Evidence]:
    """Reads the topic's policy, encryption and delivery logging, or finds that the topic does not exist."""
    answer = absent(lambda: look.aws.sns.get_topic_attributes(TopicArn=look.target.id), *NO_TOPIC)
    yield topic_state(look.target, None if answer is None else answer["Attributes"])


@probe(read("sns", "ListSubscriptionsByTopic"), yields=(Subscriptions,))
def subscriptions(look: Look) -> Iterator[Evidence]:
    """Lists who subscribes to the topic and which subscriptions were never confirmed, at most 100."""
    pages = look.aws.sns.get_paginator("list_subscriptions_by_topic").paginate(
        TopicArn=look.target.id, PaginationConfig={"MaxItems": MAX_SUBSCRIPTIONS + 1}
    )
    found = absent(lambda: [one for page in pages for one in page.get("Subscriptions", [])], *NO_TOPIC)
    if found is None:
        return  # that there is no topic is what `topic` says
    yield Subscriptions(
        resource=look.target.id,
        source="sns:ListSubscriptionsByTopic",
        subscribers=tuple(subscriber(one) for one in found[:MAX_SUBSCRIPTIONS]),
        truncated=len(found) > MAX_SUBSCRIPTIONS,
    )


@probe(read("sns", "GetSubscriptionAttributes"), needs=(Subscriptions,), yields=(SubscriptionSettings,))
def subscription_settings(look: Look) -> Iterator[Evidence]:
    """Reads the filter policy, its scope and the dead-letter queue of the topic's first ten subscriptions."""
    known = look.seen.first(Subscriptions, look.target.id)
    confirmed = [one for one in known.subscribers if one.arn] if known else []
    for one in confirmed[:MAX_SETTINGS]:
        arn = one.arn
        answer = absent(lambda arn=arn: look.aws.sns.get_subscription_attributes(SubscriptionArn=arn), *NO_TOPIC)  # type: ignore[misc]  # the default binds this turn's value
        if answer is not None:
            yield settings(look.target, one, answer["Attributes"])


@probe(GET_METRIC_DATA, yields=(MetricSeries,))
def flow(look: Look) -> Iterator[Evidence]:
    """Reads how many messages were published, delivered, filtered out, failed and redriven, a minute each."""
    yield from metric_series(look, [Metric(NAMESPACE, name, {"TopicName": look.target.name}) for name in NAMES])


@probe(DESCRIBE_KEY, needs=(TopicState,), yields=(KeyState,))
def key(look: Look) -> Iterator[Evidence]:
    """Reads whether the KMS key that encrypts the topic can be used; nothing to look at with SNS's own key."""
    state = look.seen.first(TopicState, look.target.id)
    key_id = state.key_id if state else ""
    if not key_id or AWS_MANAGED in key_id:
        return
    yield key_state(look, key_id)


@probe(read("kms", "GetKeyPolicy"), needs=(KeyState,), yields=(KeyPolicy,))
def key_policy(look: Look) -> Iterator[Evidence]:
    """Reads whether alarms, EventBridge and S3 may use the topic's key, without which they cannot publish to it."""
    known = look.seen.first(KeyState, look.target.id)
    if known is None or not known.exists or known.aws_managed:
        return
    arn = known.key_arn
    answer = absent(lambda: look.aws.kms.get_key_policy(KeyId=arn, PolicyName="default"), "NotFoundException")
    if answer is None:
        return  # the key went between two looks: `key` says so the next time
    policy = policy_of(answer.get("Policy", ""))
    context = {"aws:sourceaccount": look.target.account}
    yield KeyPolicy(
        resource=look.target.id,
        source="kms:GetKeyPolicy",
        key_arn=arn,
        verdicts={
            service: said(policy, Asked("kms:GenerateDataKey", arn, (f"Service:{service}",), context))
            for service in PUBLISHERS
        },
    )


@probe(read("cloudwatch", "DescribeAlarms"), read("cloudwatch", "DescribeAlarmHistory"), yields=(AlarmAction,))
def alarm_actions(look: Look) -> Iterator[Evidence]:
    """Reads whether the CloudWatch alarms that notify this topic could publish to it: only their history tells."""
    alarms = look.aws.cloudwatch.describe_alarms(ActionPrefix=look.target.id, MaxRecords=MAX_ALARMS)
    names = [alarm.get("AlarmName", "") for alarm in alarms.get("MetricAlarms", [])]
    for name in names[:MAX_ALARMS]:
        history = look.aws.cloudwatch.describe_alarm_history(
            AlarmName=name,
            HistoryItemType="Action",
            StartDate=look.window.start,
            EndDate=look.window.end,
            MaxRecords=MAX_HISTORY,
        )
        for item in history.get("AlarmHistoryItems", []):
            text = f"{item.get('HistorySummary', '')} {item.get('HistoryData', '')}"
            if look.target.id in text:
                yield AlarmAction(
                    resource=look.target.id,
                    source="cloudwatch:DescribeAlarmHistory",
                    observed_at=utc(item["Timestamp"]),
                    alarm=name,
                    succeeded="failed to execute" not in text.lower(),
                    text=" ".join(text.split())[:MAX_TEXT],
                )


@probe(FILTER_LOG_EVENTS, yields=(DeliveryFailures,))
def delivery_failures(look: Look) -> Iterator[Evidence]:
    """Reads SNS's own log of failed deliveries, which holds the endpoint's answer, where that logging is on."""
    target = look.target
    group = f"sns/{target.region}/{target.account}/{target.name}/Failure"
    lines = absent(
        lambda: log_lines(look, group, "", named="failed deliveries", keep=lambda line: bool(line.strip()), limit=50),
        "ResourceNotFoundException",
    )
    events = lines.events if lines else ()
    yield DeliveryFailures(
        resource=target.id,
        source="logs:FilterLogEvents",
        observed_at=events[0].at if events else None,
        log_group=group,
        logged=lines is not None,
        failures=tuple(delivery_failure(event.at, event.message) for event in events),
        truncated=lines is not None and lines.truncated,
    )


@probe(LOOKUP_EVENTS, yields=(Change, ChangeCount))
def topic_changes(look: Look) -> Iterator[Evidence]:
    """Reads who changed the topic in the day before: its policy, key, subscriptions, deletion."""
    # CloudTrail lists topics by ARN, not by name.
    yield from counted_changes(look, look.target.id)


@probe(FILTER_LOG_EVENTS, yields=(LogLines,))
def publisher_errors(look: Look) -> Iterator[Evidence]:
    """Reads SNS's errors in the logs of the functions that publish, where the trace does not hold them."""
    if any(call.errors for call in failed_calls(look.seen, look.target.id)):
        return
    yield from callers_logs(look, "?sns ?SNS ?Sns ?Publish ?Topic", "SNS", MENTIONS)


PROBES: tuple[Probe, ...] = (
    topic,
    subscriptions,
    subscription_settings,
    *ENDPOINT_PROBES,
    flow,
    key,
    key_policy,
    alarm_actions,
    delivery_failures,
    topic_changes,
    publisher_errors,
)
