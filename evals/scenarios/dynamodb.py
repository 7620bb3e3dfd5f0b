"""Faults of DynamoDB tables."""

from evals.scenario import Expect, Kind, scenario
from sandbox.aws.world import World
from sandbox.incidents import healthy, orders_throttling


@scenario(Kind.CASCADE, "dynamodb")
def capacity_cut_behind_api_and_function(world: World) -> Expect:
    """deploy-bot cut `orders` to a hundredth of its write capacity: API and function fail on the throttle."""
    incident = orders_throttling.seed(world.aws, world.now)
    return Expect(
        incident.trace_id,
        cause=incident.expected.cause,
        resource=incident.expected.resource,
        innocent=incident.innocents,
    )


@scenario(Kind.HEALTHY, "dynamodb")
def healthy_order(world: World) -> Expect:
    """The orders system on a good day; the trace is a successful order."""
    incident = healthy.seed(world.aws, world.now)
    return Expect(incident.trace_id, innocent=tuple(incident.arns.values()))
