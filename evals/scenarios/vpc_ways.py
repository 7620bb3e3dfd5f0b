"""Functions in a VPC that cannot get out of it, into it, or through its endpoint."""

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._functions import CODE, changed, deploy, elsewhere, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._networks import endpoint, group, inside, network, network_changed, tcp
from evals.scenarios._runtimes import dotnet, go, java, node, python
from sandbox.aws import resources
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.SINGLE, "vpc")
def way_to_the_nat_gateway_deleted(world: World) -> Expect:
    """A clean-up of route tables deleted the private subnets' default route: parcel-quote gets no more prices from
    its carrier."""
    net = network(world, "10.20", routed=False)
    quote = inside(net, "parcel-quote", "python3.12", group(net, "parcel-quote"), timeout=15)
    stage = resources.rest_api(world, "parcels", [("POST", "/quotes", quote.arn)])
    fault = python(
        "ConnectTimeout",
        "HTTPSConnectionPool(host='rates.swiftcarrier.example', port=443): Max retries exceeded with url: /v3/quote "
        "(Caused by ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at 0x7f2c1c5d9a90>, 'Connection to "
        "rates.swiftcarrier.example timed out. (connect timeout=5)'))",
        ("/var/task/requests/adapters.py", 665, "send"),
        ("/var/task/app.py", 38, "ask"),
        milliseconds=5080,
    )
    traffic(quote, 26, 320, fault=fault, since=whole_minute(world, 11))
    network_changed(
        world, "DeleteRoute", net.table, who="netops", minutes=12.3,
        routeTableId=net.table, destinationCidrBlock="0.0.0.0/0",
    )  # fmt: skip
    elsewhere(world, CODE, "parcel-print", who="ci-parcels", when=world.ago(minutes=13), publish=False)
    journey = Journey(world, world.ago(minutes=3))
    parent = journey.api(stage, "POST", "/quotes", quote.name, 5.12, status=502)
    url = "https://rates.swiftcarrier.example/v3/quote"
    call = journey.http("POST", url, 0.03, 5.01, status=None, cause=journey.exception(fault, remote=True))
    journey.function(quote, 0.006, 5.1, parent=parent, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-vpc-no-nat",
        resource=quote.arn,
        innocent=(quote.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.CASCADE, "vpc")
def egress_to_the_database_revoked(world: World) -> Expect:
    """A tightened security group forgot PostgreSQL: ledger-post cannot reach its database, checkout-book fails with
    it, and so does the API in front."""
    net = network(world, "10.44")
    guard = group(net, "ledger-post", out=[tcp(443, "0.0.0.0/0")])
    ledger = inside(net, "ledger-post", "java21", guard, memory=1024, timeout=30)
    book = deploy(world, "checkout-book", "nodejs22.x", allow(["lambda:InvokeFunction"], ledger.arn), timeout=29)
    stage = resources.rest_api(world, "checkout", [("POST", "/book", book.arn)])
    lost = java(
        "org.postgresql.util.PSQLException",
        "The connection attempt failed. java.net.SocketTimeoutException: Connect timed out to "
        "ledger.cluster-cx1ab2cd3ef4.eu-west-1.rds.amazonaws.com/10.44.31.8:5432",
        ("ConnectionFactoryImpl.java", 364, "org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl"),
        ("Ledger.java", 52, "com.shop.ledger.Ledger.post"),
        milliseconds=10_040,
    )
    own = node("LedgerError", "ledger-post answered with a PSQLException", ("/var/task/index.mjs", 33, "book"))
    traffic(ledger, 14, 88, fault=lost, since=whole_minute(world, 16))
    traffic(book, 14, 130, fault=own._replace(milliseconds=10_120), since=whole_minute(world, 16))
    network_changed(
        world, "RevokeSecurityGroupEgress", guard, who="hardening", minutes=17.2,
        groupId=guard, ipPermissions={"items": [{"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432}]},
    )  # fmt: skip
    changed(book, CODE, who="ci-checkout", when=world.ago(hours=7), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    parent = journey.api(stage, "POST", "/book", book.name, 10.2, status=502)
    call = journey.invoke(ledger.name, 0.03, 10.1)
    journey.function(book, 0.006, 10.18, parent=parent, calls=[call], fault=own)
    journey.function(ledger, 0.04, 10.08, parent=str(call["id"]), fault=lost)
    return Expect(
        journey.send(),
        cause="lambda-vpc-sg-egress",
        resource=ledger.arn,
        innocent=(book.arn, book.role_arn, ledger.role_arn, resources.rest_api_arn(world, stage)),
    )


@scenario(Kind.SINGLE, "vpc")
def no_address_left_in_the_subnet(world: World) -> Expect:
    """seat-hold stands in one /28 that a new cache cluster filled up: Lambda finds no address for its interfaces, and
    the gateway function that asks it is told so."""
    net = network(world, "10.71", private=("16.0/28",))
    for number in range(11):
        world.client("ec2").create_network_interface(SubnetId=net.private[0], Description=f"ElastiCache seats-{number}")
    hold = inside(net, "seat-hold", "provided.al2023", group(net, "seat-hold"), Handler="bootstrap")
    front = deploy(world, "seat-front", "provided.al2023", allow(["lambda:InvokeFunction"], hold.arn))
    told = (
        "Lambda was not able to set up the VPC access for the Lambda function because one or more configured subnets "
        "has no available IP addresses."
    )
    fault = go(
        "OperationError",
        "operation error Lambda: Invoke, https response error StatusCode: 502, RequestID: "
        f"8f1d2c3b-70a5-4a1e-9f60-2f1f3f0b7c11, SubnetIPAddressLimitReachedException: {told}",
        milliseconds=410,
    )
    traffic(hold, 40, 31)
    traffic(front, 40, 55, fault=fault, since=whole_minute(world, 9), share=0.7)
    elsewhere(world, CODE, "seat-map", who="ci-seats", when=world.ago(minutes=10), publish=False)
    journey = Journey(world, world.ago(minutes=2, seconds=40))
    refused = go("SubnetIPAddressLimitReachedException", told)
    call = journey.invoke(hold.name, 0.02, 0.36, status=502, cause=journey.exception(refused, remote=True))
    journey.function(front, 0.0, 0.42, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-subnet-ip-exhausted",
        resource=hold.arn,
        innocent=(front.arn, front.role_arn, hold.role_arn),
    )


@scenario(Kind.SINGLE, "vpc")
def endpoint_policy_forgot_a_queue(world: World) -> Expect:
    """The policy of the VPC's SQS endpoint was narrowed to two queues; label-jobs, the third, was forgotten."""
    net = network(world, "10.93")
    kept = [resources.queue(world, name) for name in ("order-jobs", "mail-jobs")]
    queue = resources.queue(world, "label-jobs")
    label = inside(net, "label-enqueue", "dotnet8", group(net, "label-enqueue"), allow(["sqs:SendMessage"], queue))
    name, arn = endpoint(net, "sqs", group(net, "endpoints"), allow(["sqs:*"], kept))
    session = f"arn:aws:sts::{world.account}:assumed-role/{label.role}/{label.name}"
    fault = dotnet(
        "Amazon.SQS.AmazonSQSException",
        f"User: {session} is not authorized to perform: sqs:sendmessage on resource: {queue} because no VPC endpoint "
        "policy allows the sqs:sendmessage action",
        ("/src/Labels/Enqueue.cs", 41, "Labels.Enqueue.SendAsync(Label label)"),
    )
    traffic(label, 19, 64, fault=fault, since=whole_minute(world, 22))
    network_changed(world, "ModifyVpcEndpoint", name, who="platform-tf", minutes=23.3,
                    ModifyVpcEndpointRequest={"VpcEndpointId": name, "PolicyDocument": "{…}"})  # fmt: skip
    changed(label, CODE, who="ci-labels", when=world.ago(hours=19), publish=False)
    journey = Journey(world, world.ago(minutes=6))
    cause = journey.exception(fault, remote=True)
    call = journey.sqs("SendMessage", "label-jobs", 0.02, 0.013, status=403, cause=cause)
    journey.function(label, 0.0, 0.075, calls=[call], fault=fault)
    return Expect(
        journey.send(), cause="vpc-endpoint-policy", resource=arn, innocent=(queue, label.arn, label.role_arn)
    )
