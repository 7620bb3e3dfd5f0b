"""Networks that may not be looked at: the report says what would decide."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._networks import group, inside, network, network_changed
from evals.scenarios._runtimes import node
from sandbox.aws import resources
from sandbox.aws.faults import ACCESS_DENIED
from sandbox.aws.world import World


@scenario(Kind.DENIED, "vpc")
def route_tables_unreadable(world: World) -> Expect:
    """tax-lookup gets no connection to the tax office any more: the office may be down or the way out gone, and the
    route tables that would tell may not be read."""
    net = network(world, "10.58", routed=False)
    lookup = inside(net, "tax-lookup", "nodejs20.x", group(net, "tax-lookup"), timeout=20)
    stage = resources.rest_api(world, "tax-office", [("GET", "/vat-id", lookup.arn)])
    fault = node(
        "TypeError",
        "fetch failed: ConnectTimeoutError: Connect Timeout Error (attempted address: ec.taxoffice.example:443, "
        "timeout: 10000ms)",
        ("/var/task/index.mjs", 19, "lookup"),
        code="UND_ERR_CONNECT_TIMEOUT",
        milliseconds=10_020,
    )
    traffic(lookup, 5, 410, fault=fault, since=whole_minute(world, 19))
    network_changed(
        world, "DeleteRoute", net.table, who="netops", minutes=20.4,
        routeTableId=net.table, destinationCidrBlock="0.0.0.0/0",
    )  # fmt: skip
    changed(lookup, CODE, who="ci-tax", when=world.ago(days=6), publish=False)
    journey = Journey(world, world.ago(minutes=3, seconds=30))
    parent = journey.api(stage, "GET", "/vat-id", lookup.name, 10.09, status=502)
    url = "https://ec.taxoffice.example/vat/v1/DE811569869"
    call = journey.http("GET", url, 0.03, 10.01, status=None, cause=journey.exception(fault, remote=True))
    journey.function(lookup, 0.006, 10.06, parent=parent, calls=[call], fault=fault)
    world.aws.inject("ec2", "DescribeRouteTables", ACCESS_DENIED)
    return Expect(
        journey.send(),
        status="inconclusive",
        innocent=(lookup.role_arn, resources.rest_api_arn(world, stage)),
        gaps=("ec2:DescribeRouteTables",),
    )
