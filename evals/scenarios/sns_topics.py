"""Topics that pass nothing on, or take nothing in; and a clean-up that took a topic and a queue at once."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
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
from evals.scenarios._runtimes import node, python
from evals.scenarios._sources import letting_in
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow, policy_document
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "sns")
def loyalty_filters_for_the_name_of_the_event_in_the_new_release(world: World) -> Expect:
    """The filter of loyalty's queue was moved to `OrderPlaced` a release too early: the shop still says `order_placed`,
    and no points are booked."""
    topic = world.arn("sns", "shop-orders")
    points = resources.queue(world, "loyalty-orders", Policy=letting_in(topic, world.arn("sqs", "loyalty-orders")))
    resources.topic(world, "shop-orders", subscribers=[("sqs", points)])
    sns = world.client("sns")
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    wanted = {"AttributeName": "FilterPolicy", "AttributeValue": json.dumps({"event": ["OrderPlaced"]})}
    sns.set_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"], **wanted)
    book = deploy(world, "points-book", "nodejs22.x", reading(points))
    read_by(book, points)
    began = whole_minute(world, 64)
    topic_flow(world, "shop-orders", Spread(42, delivered=42), since=began, then=Spread(42, filtered=42))
    quiet = Flow()
    queue_flow(world, "loyalty-orders", Flow(42, 42, 42, 1, 2, 1), since=began, then=quiet)
    filtered = {"attributeName": "FilterPolicy", "attributeValue": wanted["AttributeValue"]}
    request = {"subscriptionArn": subscription["SubscriptionArn"], **filtered}
    kind = [("AWS::SNS::Subscription", subscription["SubscriptionArn"])]
    signals.cloudtrail_event(
        world, "SetSubscriptionAttributes", "sns", kind, who="ci-loyalty", when=began, request=request
    )
    elsewhere(world, CODE, "points-expire", who="ci-loyalty", when=world.ago(minutes=58), publish=False)
    innocent = (points, book.arn, book.role_arn)
    return Expect("topic shop-orders delivers nothing", cause="sns-filter-mismatch", resource=topic, innocent=innocent)


@scenario(Kind.SINGLE, "sns")
def partner_never_confirmed_its_new_endpoint(world: World) -> Expect:
    """The partner moved to a new host and was subscribed there, but never confirmed it. Publishing works."""
    topic = resources.topic(world, "stock-levels")
    endpoint = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://hooks.partner.example/stock"}
    waiting = {**endpoint, "SubscriptionArn": "PendingConfirmation", "Owner": world.account}
    world.aws.serve("sns", "ListSubscriptionsByTopic", {"Subscriptions": [waiting]})
    publish = deploy(world, "stock-publish", "python3.13", allow(["sns:Publish"], topic))
    traffic(publish, 15, 65)
    topic_flow(world, "stock-levels", Spread(15, delivered=15), since=whole_minute(world, 55), then=Spread(15))
    for name, minutes in (("Unsubscribe", 56), ("Subscribe", 55)):
        request = {"topicArn": topic, "protocol": "https", "endpoint": "https://hooks.partner.example/stock"}
        topic_changed(world, name, topic, who="marius", when=world.ago(minutes=minutes), **request)
    changed(publish, CODE, who="ci-stock", when=world.ago(hours=2), publish=False)
    journey = Journey(world, world.ago(minutes=6))
    journey.function(publish, 0.0, 0.07, calls=[journey.sns(topic, 0.02, 0.03)])
    return Expect(
        journey.send(),
        cause="sns-pending-confirmation",
        resource=topic,
        innocent=(publish.arn, publish.role_arn),
    )


@scenario(Kind.CASCADE, "sns")
def alerts_are_denied_outside_the_endpoint(world: World) -> Expect:
    """The topic's new policy denies publishing except over one VPC endpoint; alert-raise does not run in the VPC."""
    topic = world.arn("sns", "ward-alerts")
    only = {"StringNotEquals": {"aws:SourceVpce": "vpce-0a51d2e07c9be4431"}}
    deny = {**allow("sns:Publish", topic, effect="Deny"), "Principal": "*", "Condition": only}
    let = {**allow("sns:Publish", topic), "Principal": {"AWS": f"arn:aws:iam::{world.account}:root"}}
    resources.topic(world, "ward-alerts", Policy=policy_document(let, deny))
    raised = deploy(world, "alert-raise", "nodejs20.x", allow(["sns:Publish"], topic))
    stage = resources.rest_api(world, "wards", [("POST", "/alerts", raised.arn)])
    session = f"arn:aws:sts::{world.account}:assumed-role/{raised.role}/{raised.name}"
    fault = node(
        "AuthorizationErrorException",
        f"User: {session} is not authorized to perform: SNS:Publish on resource: {topic} with an explicit deny in a "
        "resource-based policy",
        ("/var/task/node_modules/@aws-sdk/client-sns/dist-cjs/index.js", 1124, "de_CommandError"),
        ("/var/task/alerts.mjs", 22, "raise"),
    )
    began = whole_minute(world, 18)
    traffic(raised, 5, 90, fault=fault, since=began)
    topic_flow(world, "ward-alerts", Spread(5, delivered=5), since=began, then=Spread(0))
    request = {"topicArn": topic, "attributeName": "Policy", "attributeValue": policy_document(let, deny)}
    topic_changed(world, "SetTopicAttributes", topic, who="security-baseline", when=began, **request)
    changed(raised, CODE, who="ci-wards", when=world.ago(hours=13), publish=False)
    journey = Journey(world, world.ago(minutes=4, seconds=30))
    parent = journey.api(stage, "POST", "/alerts", raised.name, 0.12, status=502)
    call = journey.sns(topic, 0.03, 0.03, status=403, cause=journey.exception(fault, remote=True))
    journey.function(raised, 0.005, 0.1, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="iam-resource-policy-deny",
        resource=topic,
        accept=(("sns-publish-denied", topic),),
        innocent=(raised.arn, raised.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.TWO_FAULTS, "sns")
def clean_up_took_a_topic_and_a_queue(world: World) -> Expect:
    """A clean-up by tags deleted the topic and, eight minutes later, the queue that ship-order tells about a parcel;
    it asks both in one request and fails on both."""
    topic, queue = world.arn("sns", "parcel-shipped"), world.arn("sqs", "carrier-labels")
    stock = resources.table(world, "parcel-stock", key="parcel")
    rights = (allow("sns:Publish", topic), allow("sqs:SendMessage", queue), allow("dynamodb:UpdateItem", stock))
    ship = deploy(world, "ship-order", "python3.12", *rights)
    no_topic = python(
        "NotFoundException",
        "An error occurred (NotFound) when calling the Publish operation: Topic does not exist",
        ("/var/task/app.py", 44, "tell"),
    )
    no_queue = python(
        "QueueDoesNotExist",
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the SendMessage operation: The "
        "specified queue does not exist.",
        ("/var/task/app.py", 51, "label"),
    )
    own = python(
        "ShippingError", "parcel told to 0 of 2 partners", ("/var/task/app.py", 60, "handler"), milliseconds=130
    )
    traffic(ship, 8, 110, fault=own, since=whole_minute(world, 14))
    topic_flow(world, "parcel-shipped", Spread(8, delivered=16), since=whole_minute(world, 22), then=Spread(0))
    topic_changed(world, "DeleteTopic", topic, who="tag-janitor", when=world.ago(minutes=22), topicArn=topic)
    queue_changed(world, "DeleteQueue", "carrier-labels", who="tag-janitor", when=world.ago(minutes=14))
    changed(ship, CODE, who="ci-shipping", when=world.ago(days=1, hours=3), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=40))
    book = journey.dynamodb("UpdateItem", "parcel-stock", 0.02, 0.009)
    tell = journey.sns(topic, 0.04, 0.02, status=404, cause=journey.exception(no_topic, remote=True))
    refused = journey.exception(no_queue, remote=True)
    label = journey.sqs("SendMessage", "carrier-labels", 0.07, 0.02, status=400, cause=refused)
    journey.function(ship, 0.0, 0.14, calls=[book, tell, label], fault=own)
    faults = (("sns-topic-not-found", topic), ("sqs-queue-not-exist", queue))
    innocent = (stock, ship.arn, ship.role_arn)
    cause, resource = faults[0]
    return Expect(journey.send(), cause=cause, resource=resource, accept=faults[1:], also=faults, innocent=innocent)
