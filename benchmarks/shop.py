"""The system that the overhead is measured on: one failing request through all ten services.

shop-api/prod → place-order (in a VPC, with its role) → orders (throttled), receipts (bucket), parcels (queue), news
(topic); beside it the state machine `refund` and the rule `nightly`, which are asked about too.
"""

from datetime import UTC, datetime

from evals.scenarios._functions import traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._networks import group, inside, network
from evals.scenarios._runtimes import python
from sandbox.aws import resources
from sandbox.aws.local import LocalAws
from sandbox.aws.resources import allow
from sandbox.aws.world import World


def seed(aws: LocalAws) -> str:
    """Build it with four hours of traffic, and return what is asked: a trace id and two ARNs."""
    world = World(aws, datetime.now(UTC), seed="shop")
    orders = resources.table(world, "orders", write_capacity=5)
    receipts = resources.bucket(world, "receipts")
    parcels = resources.queue(world, "parcels", dead_letter=resources.queue(world, "parcels-dead"))
    news = resources.topic(world, "news")
    net = network(world, "10.20")
    rights = (
        allow(["dynamodb:PutItem"], orders),
        allow(["s3:PutObject"], f"{receipts}/*"),
        allow(["sqs:SendMessage"], parcels),
        allow(["sns:Publish"], news),
    )
    place = inside(net, "place-order", "python3.12", group(net, "place-order"), *rights)
    invoking = allow("lambda:InvokeFunction", place.arn)
    runner = resources.role(world, "refund-role", invoking, assumed_by="states.amazonaws.com")
    steps = {"StartAt": "Place", "States": {"Place": {"Type": "Task", "Resource": place.arn, "End": True}}}
    machine = resources.state_machine(world, "refund", steps, role=runner)
    rule = resources.rule(world, "nightly", [place.arn], schedule="rate(1 day)")
    stage = resources.rest_api(world, "shop-api", [("POST", "/orders", place.arn)])
    fault = python(
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    )
    traffic(place, 40, 90, fault=fault, since=whole_minute(world, 6), share=0.5)
    journey = Journey(world, world.ago(minutes=3))
    cause = journey.exception(fault, remote=True)
    calls = [
        journey.s3("PutObject", "receipts", "a.pdf", 0.02, 0.01),
        journey.sqs("SendMessage", "parcels", 0.04, 0.01),
        journey.sns(news, 0.06, 0.01),
        journey.dynamodb("PutItem", "orders", 0.08, 0.1, status=400, throttle=True, cause=cause),
    ]
    parent = journey.api(stage, "POST", "/orders", "place-order", 0.2, status=502)
    journey.function(place, 0.01, 0.18, parent=parent, calls=calls, fault=fault)
    return f"{journey.send()} {machine} {rule}"
