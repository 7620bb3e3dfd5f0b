"""Bystanders: something odd stands beside the failure, or there is no failure, and the odd thing is as it should be."""

import json

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._apis import ApiJourney, Failing, api_changed, api_traffic
from evals.scenarios._events import let_in, rule_changed, rule_flow
from evals.scenarios._executions import (
    Run,
    executions,
    lambda_task,
    list_runs,
    task,
    workflow,
)
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, role_changed, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, Spread, queue_flow, read_by, reading, topic_changed, topic_flow
from evals.scenarios._networks import endpoint, group, inside, network, network_changed
from evals.scenarios._runtimes import node, python
from evals.scenarios._sources import WAITING, ran
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.signals import counted
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "stepfunctions")
def two_bad_pictures_and_a_topic_that_may_not_be_told(world: World) -> Expect:
    """album-make makes thumbnails in a Map and sets bad pictures aside by a Catch, some each run. Since the role was
    tightened the last step may not publish: all executions fail there, with every picture long done."""
    thumb = deploy(world, "thumb-make", "python3.12", memory=1024)
    topic = resources.topic(world, "albums-ready")
    aside = [{"ErrorEquals": ["States.ALL"], "Next": "Aside"}]
    each = {"StartAt": "Thumb", "States": {"Thumb": lambda_task(thumb.arn, Catch=aside), "Aside": {"Type": "Succeed"}}}
    states = {
        "Pictures": {"Type": "Map", "ItemsPath": "$.pictures", "Iterator": each, "Next": "Tell"},
        "Tell": task("sns:publish", {"TopicArn": topic, "Message.$": "$"}),
    }
    album = workflow(world, "album-make", states, allow("lambda:InvokeFunction", thumb.arn))
    bad = python(
        "UnidentifiedImageError", "cannot identify image file <_io.BytesIO object at 0x7f21e0c1b9a0>",
        ("/var/task/PIL/Image.py", 3498, "open"), ("/var/task/app.py", 22, "handler"),
    )  # fmt: skip
    traffic(thumb, 60, 310, fault=bad, since=world.ago(hours=9), share=0.04)
    began = whole_minute(world, 19)
    executions(album, 6, 4, since=began, failing=4.2)
    topic_flow(world, "albums-ready", Spread(6, delivered=6), since=began, then=Spread(0))
    role_changed(
        world, "PutRolePolicy", "album-make-role", who="iam-tf", when=whole_minute(world, 20),
        policyName="album-make-role-policy",
    )  # fmt: skip
    changed(thumb, CODE, who="ci-album", when=world.ago(minutes=50), publish=False)
    run = Run(album, "album-771", world.ago(minutes=5), {"pictures": ["a.png", "b.heic"]})
    run.enter("Pictures", "Map").add("MapStateStarted", 0.0, length=2)
    said = json.dumps({"errorMessage": bad.message, "errorType": bad.type, "requestId": world.ids.request()})
    for index in range(2):
        run.add("MapIterationStarted", 0.0, shared="mapIterationStarted", name="Pictures", index=index)
        run.enter("Thumb").invoke(thumb.arn)
        if index:
            run.refuse("UnidentifiedImageError", said).leave("Thumb")
            run.enter("Aside", "Succeed").leave("Aside", "Succeed")
        else:
            run.answer("lambda", "invoke", after=0.4).leave("Thumb")
        run.add("MapIterationSucceeded", 0.0, shared="mapIterationSucceeded", name="Pictures", index=index)
    run.add("MapStateSucceeded", 0.0).leave("Pictures", "Map")
    run.enter("Tell").ask("sns", "publish", parameters={"TopicArn": topic, "Message": "[]"})
    denied = (
        f"User: {album.session} is not authorized to perform: SNS:Publish on resource: {topic} because no "
        "identity-based policy allows the SNS:Publish action (Service: Sns, Status Code: 403, Request ID: "
        f"{world.ids.request()}) (SDK Attempt Count: 1)"
    )
    list_runs(album, run.fail("SNS.AuthorizationErrorException", denied))
    pairs = tuple((c, r) for c in ("sfn-role-denied", "lambda-role-missing-permission") for r in (album.role_arn,))
    return Expect(
        run.arn, cause="sfn-role-denied", resource=album.arn, accept=(*pairs, ("sns-publish-denied", topic)),
        innocent=(thumb.arn, thumb.role_arn),
    )  # fmt: skip


@scenario(Kind.CHANGE, "eventbridge")
def old_rule_rests_and_the_new_one_lost_its_door(world: World) -> Expect:
    """order-mail was once started by rule orders-v1, which was disabled on purpose a quarter ago and tagged today.
    Rule orders-v2, which starts it now, has lost its permission half an hour ago."""
    mail = deploy(world, "order-mail", "nodejs22.x")
    pattern = {"source": ["shop.orders"], "detail-type": ["OrderPlaced"]}
    old = resources.rule(world, "orders-v1", [mail.arn], pattern={"source": ["shop.legacy"]}, enabled=False)
    rule = resources.rule(world, "orders-v2", [mail.arn], pattern=pattern)
    let_in(world, mail.name, old)
    since = whole_minute(world, 31)
    rule_flow(world, "orders-v2", 18, failing_since=since)
    ran(mail, 18, 60.0, since)
    rule_changed(world, "DisableRule", "orders-v1", who="migration", when=world.ago(days=81))
    rule_changed(world, "TagResource", "orders-v1", who="finops", when=world.ago(minutes=34))
    changed(
        mail, "RemovePermission20150331v2", who="orders-tf", when=world.ago(minutes=31, seconds=10),
        statementId="rule-orders-v2",
    )  # fmt: skip
    changed(mail, CODE, who="ci-orders", when=world.ago(hours=5), publish=False)
    return Expect(
        "function order-mail sends no mail any more",
        cause="eb-target-no-permission",
        resource=rule,
        accept=(("lambda-trigger-no-resource-permission", mail.arn),),
        innocent=(old, mail.role_arn),
    )


@scenario(Kind.HEALTHY, "sns")
def topic_that_filters_and_waits_for_a_colleague(world: World) -> Expect:
    """Two of three parcel events are filtered away, as they were all week; a colleague's e-mail address, subscribed
    this morning, waits to be confirmed. Somebody saw that less comes out than goes in."""
    topic = resources.topic(world, "parcel-events")
    lost = deploy(world, "lost-parcel", "python3.12")
    world.client("lambda").add_permission(
        FunctionName=lost.name, StatementId="sns", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com",
        SourceArn=topic,
    )  # fmt: skip
    sns = world.client("sns")
    policy = {"FilterPolicy": json.dumps({"state": ["lost", "late"]})}
    made = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=lost.arn, Attributes=policy)["SubscriptionArn"]
    called = {"TopicArn": topic, "Owner": world.account}
    listed = [
        {**called, "Protocol": "lambda", "Endpoint": lost.arn, "SubscriptionArn": made},
        {**called, "Protocol": "email", "Endpoint": "kim@shop.example", "SubscriptionArn": "PendingConfirmation"},
    ]
    world.aws.serve("sns", "ListSubscriptionsByTopic", {"Subscriptions": listed})
    topic_flow(world, "parcel-events", Spread(60, delivered=20, filtered=40))
    traffic(lost, 20, 55)
    asked = {"topicArn": topic, "protocol": "email"}
    topic_changed(world, "Subscribe", topic, who="kim", when=world.ago(hours=2), **asked)
    changed(lost, CODE, who="ci-parcels", when=world.ago(minutes=52), publish=False)
    return Expect(f"{topic} delivers less than is published", innocent=(topic, lost.arn, lost.role_arn))


@scenario(Kind.INSUFFICIENT, "apigateway")
def backend_has_its_own_idea_of_too_many(world: World) -> Expect:
    """The handler of POST /codes answers 429 itself, once an hour for each phone number. The stage's throttle was
    lowered today to 100 a second, which its four requests a second never reach."""
    codes = deploy(world, "login-code", "nodejs22.x")
    throttle = {"/*/*/throttling/rateLimit": "100", "/*/*/throttling/burstLimit": "200"}
    stage = resources.rest_api(world, "login", [("POST", "/codes", codes.arn)], stage_settings=throttle)
    api_traffic(world, {"ApiName": "login"}, 240, 42, Failing(429, whole_minute(world, 240), 0.05, 20))
    traffic(codes, 240, 36)
    patch = {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "100"}
    api_changed(
        world, "UpdateStage", who="cost-review", when=world.ago(minutes=26), restApiId=stage.api_id, stageName="prod",
        updateStageInput={"patchOperations": [patch]},
    )  # fmt: skip
    line = "{time}\t{request}\tINFO\tcode for +49*****8817 was sent 12 minutes ago, asked to wait"
    journey = ApiJourney(world, world.ago(minutes=4))
    parent = journey.api(stage, "POST", "/codes", codes.name, 0.03, status=429)
    look = journey.dynamodb("GetItem", "login-codes", 0.012, 0.006)
    resources.table(world, "login-codes", key="phone")
    journey.function(codes, 0.005, 0.022, parent=parent, calls=[look], lines=[line])
    innocent = (
        codes.arn,
        codes.role_arn,
        resources.rest_api_arn(world, stage),
        world.arn("dynamodb", "table/login-codes"),
    )
    return Expect(journey.send(), status="inconclusive", innocent=innocent)


@scenario(Kind.CHANGE, "apigateway")
def generous_throttle_and_a_small_reservation(world: World) -> Expect:
    """The stage's throttle was set to 500 a second, far above the traffic, and the API deployed; a tenth is 404 as
    ever. What fails is that availability may run two at once only, since the same hour."""
    free = deploy(world, "availability", "java21", memory=1024, reserved=2)
    throttle = {"/*/*/throttling/rateLimit": "500", "/*/*/throttling/burstLimit": "1000"}
    stage = resources.rest_api(world, "rooms", [("GET", "/free", free.arn)], stage_settings=throttle)
    began = whole_minute(world, 17)
    api_traffic(
        world, {"ApiName": "rooms"}, 400, 800, Failing(404, whole_minute(world, 240), 0.1, 300),
        Failing(500, began, 0.6, 15),
    )  # fmt: skip
    traffic(free, 400, 780)
    name = {"FunctionName": free.name}
    for metric, value in (("Throttles", counted(240)), ("ConcurrentExecutions", 2.0)):
        signals.metric(world, "AWS/Lambda", metric, name, [value] * 17, start=began, unit="Count")
    stage_request = {"restApiId": stage.api_id, "stageName": "prod"}
    patch = {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "500"}
    api_changed(world, "CreateDeployment", who="ci-rooms", when=world.ago(minutes=19), **stage_request)
    api_changed(
        world, "UpdateStage", who="ci-rooms", when=world.ago(minutes=18, seconds=30), **stage_request,
        updateStageInput={"patchOperations": [patch]},
    )  # fmt: skip
    changed(
        free, "PutFunctionConcurrency20171031", who="capacity-bot", when=world.ago(minutes=17, seconds=40),
        reservedConcurrentExecutions=2,
    )  # fmt: skip
    journey = ApiJourney(world, world.ago(minutes=3))
    parent = journey.api(stage, "GET", "/free", free.name, 0.02, status=500, answered=429)
    journey.function(free, 0.006, 0.005, parent=parent, status=429)
    return Expect(
        journey.send(), cause="lambda-throttle-reserved", resource=free.arn, trigger=free.arn, says=("capacity-bot",),
        innocent=(resources.rest_api_arn(world, stage), free.role_arn),
    )  # fmt: skip


@scenario(Kind.SINGLE, "vpc")
def narrow_endpoint_lets_through_what_the_role_does_not(world: World) -> Expect:
    """The policy of the VPC's SQS endpoint was narrowed to this one queue, which is the right one; what is missing is
    the sender's own right, since the same hour."""
    net = network(world, "10.98")
    queue = resources.queue(world, "fax-jobs")
    fax = inside(net, "fax-enqueue", "nodejs22.x", group(net, "fax"), allow(["sqs:GetQueueUrl"], queue))
    name, arn = endpoint(net, "sqs", group(net, "endpoints"), allow(["sqs:SendMessage", "sqs:GetQueueUrl"], queue))
    session = f"arn:aws:sts::{world.account}:assumed-role/{fax.role}/{fax.name}"
    fault = node(
        "AccessDenied",
        f"User: {session} is not authorized to perform: sqs:sendmessage on resource: {queue} because no identity-based "
        "policy allows the sqs:sendmessage action",
        ("/var/task/node_modules/@aws-sdk/client-sqs/dist-cjs/index.js", 1011, "de_CommandError"),
        ("/var/task/fax.mjs", 19, "enqueue"),
    )
    began = whole_minute(world, 14)
    traffic(fax, 9, 55, fault=fault, since=began)
    queue_flow(world, "fax-jobs", Flow(9, 9, 9, 0, 1, 1), since=began, then=Flow())
    network_changed(world, "ModifyVpcEndpoint", name, who="platform-tf", minutes=22,
                    ModifyVpcEndpointRequest={"VpcEndpointId": name, "PolicyDocument": "{…}"})  # fmt: skip
    role_changed(world, "PutRolePolicy", fax.role, who="iam-tf", when=world.ago(minutes=14.5), policyName="fax")
    journey = Journey(world, world.ago(minutes=4))
    call = journey.sqs("SendMessage", "fax-jobs", 0.02, 0.02, status=403, cause=journey.exception(fault, remote=True))
    journey.function(fax, 0.0, 0.06, calls=[call], fault=fault)
    return Expect(
        journey.send(), cause="lambda-role-missing-permission", resource=fax.role_arn,
        omits=("platform-tf",), innocent=(arn, queue, fax.arn),
    )  # fmt: skip


@scenario(Kind.INSUFFICIENT, "sqs")
def fifo_of_a_sale_stays_below_its_limit(world: World) -> Expect:
    """A flash sale sends 14,000 bids a minute to bids.fifo in high throughput mode, its reader keeps pace; the alarm on
    messages sent rang. Its dead-letter queue holds nine bids of last month."""
    dead = resources.queue(world, "bids-dead.fifo", FifoQueue="true", MessageRetentionPeriod="1209600")
    queue = resources.queue(
        world, "bids.fifo", dead_letter=dead, FifoQueue="true", VisibilityTimeout="60",
        ContentBasedDeduplication="true", DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId",
    )  # fmt: skip
    bid = deploy(world, "bid-take", "java21", reading(queue), memory=1024)
    read_by(bid, queue, BatchSize=10)
    sale = whole_minute(world, 24)
    queue_flow(world, "bids.fifo", Flow(900, 900, 900, 2, 5, 1), since=sale, then=Flow(14000, 14000, 14000, 40, 210, 2))
    left, start = {"QueueName": "bids-dead.fifo"}, whole_minute(world, 240)
    signals.metric(world, *WAITING, left, [9.0] * 240, start=start, unit="Count")
    ran(bid, 90, 300.0, sale, 1400)
    elsewhere(world, CODE, "bid-show", who="ci-bids", when=world.ago(minutes=26), publish=False)
    text = metric_alarm(
        world, "bids-many", ("AWS/SQS", "NumberOfMessagesSent"), {"QueueName": "bids.fifo"}, world.ago(minutes=22),
        value=13988, threshold=10000,
    )  # fmt: skip
    return Expect(text, status="inconclusive", innocent=(queue, dead, bid.arn, bid.role_arn))


@scenario(Kind.INSUFFICIENT, "eventbridge")
def rule_rewritten_word_for_word_before_the_shop_closed(world: World) -> Expect:
    """Terraform wrote rule ticket-sold anew with the same pattern; two minutes later the box office closed, and no
    rule of the bus matches anything any more, the archive's neither."""
    sold = deploy(world, "ticket-print", "nodejs22.x")
    pattern = {"source": ["box.office"], "detail-type": ["TicketSold"]}
    rule = resources.rule(world, "ticket-sold", [sold.arn], pattern=pattern)
    resources.queue(world, "box-archive")
    archive = resources.rule(
        world, "box-archive", [world.arn("sqs", "box-archive")], pattern={"source": ["box.office"]}
    )
    let_in(world, sold.name, rule)
    closed = whole_minute(world, 37)
    rule_flow(world, "ticket-sold", 12, until=closed)
    rule_flow(world, "box-archive", 20, until=closed)
    ran(sold, 12, 80.0, closed)
    for when in (world.ago(days=30), world.ago(minutes=39)):
        rule_changed(
            world, "PutRule", "ticket-sold", who="box-tf", when=when, eventPattern=json.dumps(pattern), state="ENABLED"
        )
    return Expect("rule ticket-sold", status="inconclusive", innocent=(rule, archive, sold.arn, sold.role_arn))
