"""Queues that take nothing in: gone, elsewhere, too small for a message."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._messages import Flow, queue_changed, queue_flow, read_by, reading
from evals.scenarios._runtimes import dotnet, go
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.FOREIGN, "sqs")
def audit_queue_of_virginia_was_torn_down(world: World) -> Expect:
    """Terraform destroyed audit-trail in us-east-1, taken for a leftover; seat-sell in Ireland still writes its audit
    there, and fails behind its API. The queue of that name in Ireland is well."""
    there = World(world.aws, world.now, f"{world.seed} virginia", region="us-east-1")
    gone, here = there.arn("sqs", "audit-trail"), resources.queue(world, "audit-trail")
    seats = resources.table(world, "seat-sales", key="seat")
    rights = (allow("sqs:SendMessage", [gone, here]), allow("dynamodb:PutItem", seats))
    sell = deploy(world, "seat-sell", "provided.al2023", *rights, Handler="bootstrap")
    stage = resources.rest_api(world, "box-office", [("POST", "/seats", sell.arn)])
    fault = go(
        "OperationError",
        f"operation error SQS: SendMessage, https response error StatusCode: 400, RequestID: {world.ids.request()}, "
        "AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.",
        milliseconds=190,
    )
    traffic(sell, 33, 60, fault=fault, since=whole_minute(world, 19))
    queue_flow(world, "audit-trail", Flow(5, 5, 5, 1, 1, 1))
    queue_changed(there, "DeleteQueue", "audit-trail", who="terraform", when=world.ago(minutes=19, seconds=30))
    changed(sell, CODE, who="ci-box-office", when=world.ago(hours=2), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/seats", sell.name, 0.21, status=502)
    put = journey.dynamodb("PutItem", "seat-sales", 0.02, 0.008)
    call = journey.sqs(
        "SendMessage", "audit-trail", 0.04, 0.14, status=400, cause=journey.exception(fault, remote=True)
    )
    call["aws"] |= {
        "region": "us-east-1",
        "queue_url": f"https://sqs.us-east-1.amazonaws.com/{world.account}/audit-trail",
    }
    journey.function(sell, 0.006, 0.2, parent=parent, calls=[put, call], fault=fault)
    innocent = (here, seats, sell.arn, sell.role_arn, resources.rest_api_arn(world, stage))
    return Expect(journey.send(), cause="sqs-queue-not-exist", resource=gone, innocent=innocent)


@scenario(Kind.SINGLE, "sqs")
def maps_outgrow_a_message(world: World) -> Expect:
    """tour-plan sends whole routes in a message; those of the new ferry tours are larger than the queue takes."""
    tours = resources.queue(world, "tours", MaximumMessageSize="262144", VisibilityTimeout="120")
    draw = deploy(world, "tour-draw", "nodejs22.x", reading(tours), timeout=20)
    read_by(draw, tours)
    plan = deploy(world, "tour-plan", "dotnet8", allow(["sqs:SendMessage"], tours), memory=1024)
    fault = dotnet(
        "Amazon.SQS.AmazonSQSException",
        "One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.",
        ("/src/Tours/TourQueue.cs", 52, "Tours.TourQueue.SendAsync(Tour tour)"),
        ("/src/Tours/Function.cs", 27, "Tours.Function.Handler(TourRequest request)"),
        milliseconds=160,
    )
    traffic(plan, 11, 210, fault=fault, since=whole_minute(world, 26), share=0.2)
    traffic(draw, 9, 1400)
    queue_flow(world, "tours", Flow(11, 11, 11, 1, 2, 2))
    changed(plan, CODE, who="ci-tours", when=world.ago(days=4), publish=False)
    elsewhere(world, CODE, "tour-price", who="ci-tours", when=world.ago(minutes=31), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=50))
    cause = journey.exception(fault, remote=True)
    call = journey.sqs("SendMessage", "tours", 0.06, 0.07, status=400, cause=cause)
    journey.function(plan, 0.0, 0.17, calls=[call], fault=fault)
    innocent = (plan.arn, plan.role_arn, draw.arn)
    return Expect(journey.send(), cause="sqs-message-too-large", resource=tours, innocent=innocent)
