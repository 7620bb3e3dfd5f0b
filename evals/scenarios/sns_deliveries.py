"""Topics whose messages do not arrive: closed or missing endpoints, keys, a topic that went under a swallowed error."""

import json
from datetime import timedelta

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._functions import (
    CODE,
    CONFIGURATION,
    HISTORY_MINUTES,
    changed,
    deploy,
    traffic,
    whole_minute,
)
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import (
    Flow,
    Spread,
    queue_changed,
    queue_flow,
    read_by,
    reading,
    topic_changed,
    topic_flow,
)
from evals.scenarios._runtimes import dotnet
from evals.scenarios._sources import OLDEST, letting_in, ran
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.seeds import AlarmTransition
from sandbox.aws.signals import Reported
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "sns")
def terraform_took_the_topics_right_to_the_queue(world: World) -> Expect:
    """Terraform applied a queue policy that knows only the account's own senders; what order-events publishes is
    refused by the queue of the warehouse. The warehouse's function was deployed minutes before: it is innocent."""
    topic, name = world.arn("sns", "order-events"), "warehouse-orders"
    queue = world.arn("sqs", name)
    own = {**allow("sqs:SendMessage", queue), "Principal": {"AWS": world.arn("iam", "role/batch-import")}}
    resources.queue(world, name, Policy=policy_document(own), VisibilityTimeout="180")
    mail = resources.queue(world, "mail-orders", Policy=letting_in(topic, world.arn("sqs", "mail-orders")))
    resources.topic(world, "order-events", subscribers=[("sqs", queue), ("sqs", mail)])
    pick = deploy(world, "pick-list", "python3.12", reading(queue), timeout=30)
    read_by(pick, queue, BatchSize=10)
    began = whole_minute(world, 34)
    topic_flow(world, "order-events", Spread(60, delivered=120), since=began, then=Spread(60, delivered=60, failed=60))
    queue_flow(world, name, Flow(60, 60, 60, 2, 3, 1), since=began, then=Flow())
    queue_flow(world, "mail-orders", Flow(60, 60, 60, 2, 3, 1))
    ran(pick, 12, 300.0, began)
    policy = {"attributes": {"Policy": policy_document(own)}}
    queue_changed(world, "SetQueueAttributes", name, who="terraform", when=began, **policy)
    changed(pick, CODE, who="ci-warehouse", when=began - timedelta(minutes=4), publish=False)
    return Expect(
        "since half an hour warehouse-orders gets no orders from topic order-events",
        cause="sns-delivery-failed",
        resource=topic,
        accept=(("sqs-access-denied", queue), ("sns-delivery-failed", queue)),
        says=("terraform",),
        innocent=(pick.arn, pick.role_arn, mail),
    )


@scenario(Kind.SINGLE, "sns")
def swallowed_refusals_of_a_renamed_topic(world: World) -> Expect:
    """CloudFormation replaced the topic under a new name; the C# code of checkout still has the old ARN, catches what
    SNS answers and logs it as JSON. The shop answers 200, and no receipt is mailed."""
    gone = world.arn("sns", "receipts")
    new = resources.topic(world, "receipts-v2")
    orders = resources.table(world, "checkout-orders", key="order")
    rights = (allow("sns:Publish", world.arn("sns", "receipts*")), allow("dynamodb:PutItem", orders))
    checkout = deploy(world, "checkout", "dotnet8", *rights, memory=512, env={"RECEIPTS_TOPIC": gone})
    stage = resources.rest_api(world, "shop", [("POST", "/checkout", checkout.arn)])
    fault = dotnet(
        "Amazon.SimpleNotificationService.Model.NotFoundException",
        "Topic does not exist",
        ("/src/Shop/Receipts.cs", 48, "Shop.Receipts.SendAsync(Order order)"),
    )
    inner = {"Type": "NotFoundException", "Message": "Topic does not exist", "StatusCode": 404}
    line = json.dumps(
        {
            "Timestamp": "2026-11-21T09:14:02.118Z",
            "LogLevel": "Warning",
            "Category": "Shop.Receipts",
            "Message": "receipt not sent, order is kept",
            "Exception": {"Type": "Shop.ReceiptException", "Message": "could not publish", "InnerException": inner},
        }
    )
    began = whole_minute(world, 28)
    traffic(checkout, 70, 120, lines=[line])
    topic_flow(world, "receipts", Spread(70, delivered=70), since=began, then=Spread(0))
    topic_changed(world, "DeleteTopic", gone, who="cloudformation", when=began, topicArn=gone)
    topic_changed(
        world, "CreateTopic", new, who="cloudformation", when=began - timedelta(seconds=40), name="receipts-v2"
    )
    changed(checkout, CONFIGURATION, who="ci-shop", when=world.ago(hours=8), memorySize=512)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/checkout", checkout.name, 0.19, status=200)
    put = journey.dynamodb("PutItem", "checkout-orders", 0.02, 0.008)
    call = journey.sns(gone, 0.05, 0.03, status=404, cause=journey.exception(fault, remote=True))
    journey.function(checkout, 0.005, 0.18, parent=parent, calls=[put, call], lines=[line])
    return Expect(
        journey.send(),
        cause="sns-topic-not-found",
        resource=gone,
        innocent=(orders, checkout.role_arn, new, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "sns")
def webhook_of_the_partner_says_503_and_its_dead_letters_are_lost(world: World) -> Expect:
    """The partner's webhook answers 503 since its maintenance. The subscription has a dead-letter queue, whose policy
    names another topic: what failed is lost too."""
    topic = world.arn("sns", "shipment-news")
    dead_name = "shipment-news-dead"
    dead = world.arn("sqs", dead_name)
    resources.queue(world, dead_name, Policy=letting_in(world.arn("sns", "shipment-news-old"), dead))
    resources.topic(world, "shipment-news")
    url, subscription = "https://hooks.partner.example/shipments", f"{topic}:4b5ff0b3-2f7b-44d8-9a2e-0c7c2d0c7f11"
    listed = {"TopicArn": topic, "Protocol": "https", "Endpoint": url, "SubscriptionArn": subscription}
    world.aws.serve("sns", "ListSubscriptionsByTopic", {"Subscriptions": [{**listed, "Owner": world.account}]})
    attributes = {
        **listed,
        "Owner": world.account,
        "PendingConfirmation": "false",
        "ConfirmationWasAuthenticated": "false",
        "RawMessageDelivery": "false",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead}),
    }
    world.aws.serve("sns", "GetSubscriptionAttributes", {"Attributes": attributes})
    role = resources.role(world, "sns-feedback", allow("logs:PutLogEvents"), assumed_by="sns.amazonaws.com")
    for kind in ("HTTPSuccessFeedbackRoleArn", "HTTPFailureFeedbackRoleArn"):
        world.client("sns").set_topic_attributes(TopicArn=topic, AttributeName=kind, AttributeValue=role)
    began = whole_minute(world, 33)
    topic_flow(world, "shipment-news", Spread(25, delivered=25), since=began, then=Spread(25, failed=25))
    start, where = whole_minute(world, HISTORY_MINUTES), {"TopicName": "shipment-news"}
    lost: list[Reported] = [
        {1.0: 25} if start + timedelta(minutes=n) >= began else None for n in range(HISTORY_MINUTES)
    ]
    signals.metric(world, "AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq", where, lost, start=start)
    events = []
    for minute in range(33):
        at = began + timedelta(minutes=minute, seconds=11)
        delivery = {
            "deliveryId": world.ids.request(),
            "destination": url,
            "providerResponse": "Service Unavailable",
            "dwellTimeMs": 61023,
            "attempts": 4,
            "statusCode": 503,
        }
        notification = {"messageId": world.ids.request(), "topicArn": topic, "timestamp": f"{at:%Y-%m-%d %H:%M:%S}.000"}
        events.append((at, json.dumps({"notification": notification, "delivery": delivery, "status": "FAILURE"})))
    signals.log(world, f"sns/{world.region}/{world.account}/shipment-news/Failure", events)
    queue_flow(world, dead_name, Flow())
    return Expect(
        "topic shipment-news: the partner gets no shipments",
        cause="sns-delivery-failed",
        resource=topic,
        accept=(("sns-delivery-failed", subscription),),
        shown=(("sns-dlq", topic),),
        says=("503",),
    )


@scenario(Kind.SINGLE, "sns")
def topic_may_not_call_its_function_any_more(world: World) -> Expect:
    """badge-events filters two thirds of its events away, as it should. A stack update took the permission by which SNS
    calls badge-door; the filter is as innocent as ever."""
    door = deploy(world, "badge-door", "python3.13", timeout=10)
    topic = resources.topic(world, "badge-events", subscribers=[("lambda", door.arn)])
    sns = world.client("sns")
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    wanted = {"AttributeName": "FilterPolicy", "AttributeValue": json.dumps({"kind": ["enter"]})}
    sns.set_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"], **wanted)
    began = whole_minute(world, 21)
    topic_flow(
        world,
        "badge-events",
        Spread(90, delivered=30, filtered=60),
        since=began,
        then=Spread(90, failed=30, filtered=60),
    )
    ran(door, 30, 70.0, began)
    request = {"statementId": "sns-badge-events"}
    changed(door, "RemovePermission20150331v2", who="cloudformation", when=began, **request)
    return Expect(
        "doors do not open: topic badge-events",
        cause="sns-delivery-failed",
        resource=topic,
        accept=(("lambda-trigger-no-resource-permission", door.arn),),
        says=("cloudformation",),
        innocent=(door.role_arn,),
    )


@scenario(Kind.SINGLE, "sns")
def pages_of_alarms_stop_at_the_topics_key(world: World) -> Expect:
    """The pager's topic was encrypted with a key of the company whose policy does not know CloudWatch. Alarms ring, and
    nobody is paged."""
    kms = world.client("kms")
    key = kms.create_key(Description="pages")["KeyMetadata"]["Arn"]
    root = {**allow(["kms:*"]), "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy_document(root))
    topic = resources.topic(world, "pager", KmsMasterKeyId=key)
    began = whole_minute(world, 49)
    request = {"topicArn": topic, "attributeName": "KmsMasterKeyId", "attributeValue": key}
    topic_changed(world, "SetTopicAttributes", topic, who="sec-sweep", when=began, **request)
    topic_flow(world, "pager", Spread(2, delivered=2), since=began, then=Spread(0))
    where = {"QueueName": "boilers"}
    at = world.ago(minutes=17)
    metric_alarm(world, "boilers-old", OLDEST, where, at, value=940, threshold=900, statistic="Maximum")
    world.client("cloudwatch").put_metric_alarm(
        AlarmName="boilers-old",
        Namespace=OLDEST[0],
        MetricName=OLDEST[1],
        Dimensions=[{"Name": "QueueName", "Value": "boilers"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=900,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    error = "CloudWatch Alarms does not have authorization to access the SNS topic encryption key."
    record = {"actionState": "Failed", "notificationResource": topic, "error": error}
    summary = f'Failed to execute action {topic}. Received error: "{error}"'
    world.seeds.alarm_history.append(
        AlarmTransition("boilers-old", at + timedelta(seconds=1), "Action", summary, record, "MetricAlarm")
    )
    return Expect(
        "nobody is paged, topic pager",
        cause="sns-encrypted-topic",
        resource=topic,
        accept=(("sns-encrypted-topic", key),),
    )


@scenario(Kind.FOREIGN, "sns")
def queue_in_frankfurt_that_a_topic_in_dublin_fed(world: World) -> Expect:
    """The topic in eu-west-1 fed a queue in eu-central-1, which was deleted there. Nothing of that Region is looked at
    from here: the topic's own log of failed deliveries says it."""
    topic = resources.topic(world, "fare-changes")
    there = f"arn:aws:sqs:eu-central-1:{world.account}:fares-frankfurt"
    here = resources.queue(world, "fares-dublin", Policy=letting_in(topic, world.arn("sqs", "fares-dublin")))
    listed = [
        {
            "TopicArn": topic,
            "Protocol": "sqs",
            "Endpoint": end,
            "SubscriptionArn": f"{topic}:{number}",
            "Owner": world.account,
        }
        for number, end in (("8a1f", there), ("9b2e", here))
    ]
    world.aws.serve("sns", "ListSubscriptionsByTopic", {"Subscriptions": listed})
    began = whole_minute(world, 25)
    topic_flow(world, "fare-changes", Spread(30, delivered=60), since=began, then=Spread(30, delivered=30, failed=30))
    events = []
    for minute in range(25):
        at = began + timedelta(minutes=minute, seconds=21)
        delivery = {
            "deliveryId": world.ids.request(),
            "destination": there,
            "providerResponse": json.dumps(
                {
                    "ErrorCode": "AWS.SimpleQueueService.NonExistentQueue",
                    "ErrorMessage": "The specified queue does not exist for this wsdl version.",
                    "sqsRequestId": "Unrecoverable",
                }
            ),
            "dwellTimeMs": 74,
            "attempts": 1,
            "statusCode": 400,
        }
        notification = {"messageId": world.ids.request(), "topicArn": topic, "timestamp": f"{at:%Y-%m-%d %H:%M:%S}.000"}
        events.append((at, json.dumps({"notification": notification, "delivery": delivery, "status": "FAILURE"})))
    signals.log(world, f"sns/{world.region}/{world.account}/fare-changes/Failure", events)
    queue_flow(world, "fares-dublin", Flow(30, 30, 30, 1, 1, 1))
    return Expect(
        "topic fare-changes: Frankfurt gets no fares",
        cause="sns-delivery-failed",
        resource=topic,
        accept=(("sqs-queue-not-exist", there),),
        says=("fares-frankfurt",),
        innocent=(here,),
    )
