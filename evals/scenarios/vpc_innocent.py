"""Networks that are not to blame: the other side answered, a name is not known, or nothing is wrong."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._apis import ApiJourney, Failing, api_traffic
from evals.scenarios._functions import CODE, changed, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._networks import group, inside, network, network_changed, tcp
from evals.scenarios._runtimes import node, python
from sandbox.aws import resources
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "vpc")
def query_canceled_while_a_group_was_changed(world: World) -> Expect:
    """The database was reached and canceled a slow query; ten minutes before somebody revoked SMTP from the
    function's security group. The network is innocent."""
    net = network(world, "10.88")
    guard = group(net, "report-sum", out=[tcp(443, "0.0.0.0/0"), tcp(5432, "10.88.0.0/16")])
    sums = inside(net, "report-sum", "python3.12", guard, timeout=30)
    fault = python(
        "QueryCanceled",
        "canceling statement due to statement timeout",
        ("/var/task/psycopg/cursor.py", 97, "execute"),
        ("/var/task/app.py", 61, "sum_up"),
        milliseconds=8020,
    )
    traffic(sums, 15, 420, fault=fault, since=whole_minute(world, 10), share=0.4)
    network_changed(
        world, "RevokeSecurityGroupEgress", guard, who="hardening", minutes=11,
        groupId=guard, ipPermissions={"items": [{"ipProtocol": "tcp", "fromPort": 25, "toPort": 25}]},
    )  # fmt: skip
    journey = Journey(world, world.ago(minutes=3))
    journey.function(sums, 0.0, 8.02, fault=fault)
    return Expect(
        journey.send(), cause="lambda-unhandled-exception", resource=sums.arn, trigger="", omits=("hardening",),
        innocent=(sums.role_arn, world.arn("ec2", f"security-group/{guard}")),
    )  # fmt: skip


@scenario(Kind.HEALTHY, "vpc")
def one_connection_lost_and_made_again(world: World) -> Expect:
    """One in some hundred connections is reset and made again by the client; every request is answered. Somebody
    asks because of the warnings, on the day the subnets were tagged."""
    net = network(world, "10.90")
    seat = inside(net, "seat-map", "nodejs22.x", group(net, "seat-map"))
    stage = resources.rest_api(world, "seats", [("GET", "/seats", seat.arn)])
    api_traffic(world, {"ApiName": "seats"}, 230, 50, Failing(404, whole_minute(world, 240), 0.03, 20))
    warned = "{time}\t{request}\tWARN\tretry 1 after Error: read ECONNRESET (10.90.31.7:6379), ok on second attempt"
    traffic(seat, 225, 40, lines=[warned])
    network_changed(world, "CreateTags", net.private[0], who="cost-tags", minutes=40, tagSet={"items": []})
    network_changed(world, "ModifySubnetAttribute", net.private[1], who="net-tf", minutes=36)
    changed(seat, CODE, who="ci-seats", when=world.ago(hours=3), publish=False)
    journey = ApiJourney(world, world.ago(minutes=4))
    parent = journey.api(stage, "GET", "/seats", seat.name, 0.06, status=200)
    journey.function(seat, 0.005, 0.05, parent=parent, lines=[warned])
    innocent = (seat.arn, seat.role_arn, resources.rest_api_arn(world, stage))
    return Expect(f"is anything wrong with {journey.send()}", innocent=innocent)


@scenario(Kind.INSUFFICIENT, "vpc")
def name_of_the_vault_not_resolved(world: World) -> Expect:
    """The company's resolver does not know the vault's name at times. The subnets have no way to the internet, by
    design, which is not the cause."""
    net = network(world, "10.95", routed=False)
    key = inside(net, "key-rotate", "nodejs20.x", group(net, "key-rotate"), timeout=20)
    fault = node(
        "Error", "getaddrinfo EAI_AGAIN vault.corp.internal", ("node:dns", 118, "GetAddrInfoReqWrap.onlookupall"),
        code="EAI_AGAIN", milliseconds=5030,
    )  # fmt: skip
    traffic(key, 6, 60, fault=fault, since=whole_minute(world, 21), share=0.7)
    changed(key, CODE, who="ci-keys", when=world.ago(days=3), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    call = journey.http(
        "GET", "https://vault.corp.internal/v1/keys", 0.02, 5.0, status=None,
        cause=journey.exception(fault, remote=True),
    )  # fmt: skip
    journey.function(key, 0.0, 5.04, calls=[call], fault=fault)
    return Expect(journey.send(), status="inconclusive", innocent=(key.role_arn, key.arn))
