"""Connections that get lost on their way through a VPC: half of them, silently, or behind somebody else's error."""

import json
from datetime import datetime

from evals.scenario import Expect, Kind, scenario
from evals.scenarios._alarms import metric_alarm
from evals.scenarios._apis import ApiJourney, Failing, access_log, api_traffic, guard_route, moments
from evals.scenarios._functions import CODE, changed, deploy, invocation, traffic, whole_minute
from evals.scenarios._journeys import Journey
from evals.scenarios._networks import endpoint, group, inside, network, network_changed, tcp
from evals.scenarios._runtimes import go, node, structured, timed_out
from evals.scenarios.apigateway_cascades import authorizer_of
from sandbox.aws import resources, signals
from sandbox.aws.resources import allow
from sandbox.aws.world import World


@scenario(Kind.CASCADE, "vpc")
def authorizer_cannot_fetch_the_signing_keys(world: World) -> Expect:
    """A cost clean-up deleted the NAT gateway; its route is a black hole. The authorizer waits for the identity
    provider's keys until its time is over, and the whole API answers 500."""
    net = network(world, "10.67")
    check = inside(net, "token-check", "python3.13", group(net, "token-check"), timeout=5)
    files = deploy(world, "file-list", "ruby3.3")
    stage = resources.rest_api(world, "files", [("GET", "/files", files.arn)])
    checker = authorizer_of(world, stage, "tokens", check.arn, ttl=0)
    guard_route(world, stage, "GET", "/files", files.arn, authorizationType="CUSTOM", authorizerId=checker)
    ec2 = world.client("ec2")
    tables = ec2.describe_route_tables(RouteTableIds=[net.table])["RouteTables"]
    for route in tables[0]["Routes"]:
        if route.get("NatGatewayId"):
            route["State"] = "blackhole"
    every = [t for t in ec2.describe_route_tables()["RouteTables"] if t["RouteTableId"] != net.table]
    ec2.delete_nat_gateway(NatGatewayId=net.nat)
    world.aws.serve("ec2", "DescribeRouteTables", {"RouteTables": [*tables, *every]})
    began = whole_minute(world, 13)
    fault = timed_out(5)
    said = structured("token-check", "fetching JWKS", url="https://login.idp.example/.well-known/jwks.json")
    late = fault._replace(lines=(said, *fault.lines))
    traffic(check, 300, 21, fault=late, since=began)
    api_traffic(world, {"ApiName": "files"}, 300, 60, Failing(500, began, 1.0, 5010))
    row = {"httpMethod": "GET", "path": "/files", "status": 500, "errorType": "AUTHORIZER_FAILURE"}
    access_log(world, stage, "/apigw/files", [(at, row) for at in moments(world, began)])
    signals.cloudtrail_event(
        world, "DeleteNatGateway", "ec2", [("AWS::EC2::NatGateway", net.nat)], who="cost-bot",
        when=world.ago(minutes=13, seconds=50), request={"DeleteNatGatewayRequest": {"NatGatewayId": net.nat}},
    )  # fmt: skip
    changed(check, CODE, who="ci-files", when=world.ago(minutes=58), publish=False)
    journey = ApiJourney(world, world.ago(minutes=2))
    ask = journey.invoke(check.name, 0.004, 5.01)
    journey.forwarded(stage, "GET", "/files", 500, 5.02, ask)
    journey.function(check, 0.006, 5.0, parent=ask["id"], fault=late)
    innocent = (files.arn, files.role_arn, check.role_arn, resources.rest_api_arn(world, stage))
    return Expect(
        journey.send(),
        cause="lambda-vpc-no-nat",
        resource=check.arn,
        says=("DeleteNatGateway by cost-bot",),
        omits=("ci-files",),
        innocent=innocent,
    )


@scenario(Kind.ALARM, "vpc")
def answers_of_the_cache_stopped_at_one_subnet(world: World) -> Expect:
    """A network ACL for one of two subnets lets the request to Redis out and its answer not in: half of the
    invocations time out, and an alarm rings. The security group that was changed meanwhile is another's."""
    net = network(world, "10.60")
    ec2 = world.client("ec2")
    data = ec2.create_subnet(VpcId=net.vpc, CidrBlock="10.60.31.0/24", AvailabilityZone=f"{world.region}a")
    ec2.associate_route_table(RouteTableId=net.table, SubnetId=data["Subnet"]["SubnetId"])
    acl = ec2.create_network_acl(VpcId=net.vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "Protocol": "6", "CidrBlock": "0.0.0.0/0", "RuleAction": "allow"}
    ec2.create_network_acl_entry(**entry, RuleNumber=100, Egress=True, PortRange={"From": 0, "To": 65535})
    ec2.create_network_acl_entry(**entry, RuleNumber=100, Egress=False, PortRange={"From": 443, "To": 443})
    for found in ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [net.vpc]}])["NetworkAcls"]:
        for bound in found["Associations"]:
            if bound["SubnetId"] == net.private[1]:
                ec2.replace_network_acl_association(AssociationId=bound["NetworkAclAssociationId"], NetworkAclId=acl)
    rank = inside(net, "rank-read", "provided.al2023", group(net, "rank-read"), Handler="bootstrap", timeout=15)
    other = group(net, "bastion")
    fault = go("OpError", "dial tcp 10.60.31.14:6379: i/o timeout", milliseconds=5010)
    began = whole_minute(world, 17)
    traffic(rank, 120, 9, fault=fault, since=began, share=0.5)
    signals.cloudtrail_event(
        world, "ReplaceNetworkAclEntry", "ec2", [("AWS::EC2::NetworkAcl", acl)], who="hardening",
        when=world.ago(minutes=17, seconds=40),
        request={"networkAclId": acl, "ruleNumber": 100, "egress": False, "ruleAction": "allow",
                 "portRange": {"from": 443, "to": 443}, "aclProtocol": "6", "cidrBlock": "0.0.0.0/0"},
    )  # fmt: skip
    network_changed(world, "AuthorizeSecurityGroupIngress", other, who="lena", minutes=18.5, groupId=other)
    changed(rank, CODE, who="ci-rank", when=world.ago(hours=31), publish=False)
    text = metric_alarm(
        world, "rank-read-errors", ("AWS/Lambda", "Errors"), {"FunctionName": "rank-read"}, began, value=58, threshold=5
    )
    return Expect(text, cause="lambda-vpc-nacl", resource=rank.arn, innocent=(rank.role_arn,))


@scenario(Kind.SINGLE, "vpc")
def database_shut_and_the_error_swallowed(world: World) -> Expect:
    """Somebody took the function's group out of the database's. The C# function catches the failure, logs it deep
    inside a structured line, and answers 200 with an empty list: no error is counted anywhere."""
    net = network(world, "10.61")
    ec2 = world.client("ec2")
    own, theirs = group(net, "stock-read"), group(net, "stock-db")
    ec2.authorize_security_group_ingress(GroupId=theirs, IpPermissions=[tcp(5432, "10.61.40.0/24")])
    data = ec2.create_subnet(VpcId=net.vpc, CidrBlock="10.61.31.0/24", AvailabilityZone=f"{world.region}a")
    ec2.create_network_interface(
        SubnetId=data["Subnet"]["SubnetId"], PrivateIpAddress="10.61.31.20", Groups=[theirs],
        Description="RDSNetworkInterface",
    )  # fmt: skip
    stock = inside(net, "stock-read", "dotnet8", own, memory=512, timeout=30)
    stage = resources.rest_api(world, "stock", [("GET", "/stock", stock.arn)])
    began = whole_minute(world, 12)
    nested = {"Type": "Npgsql.NpgsqlException", "Message": "Failed to connect to 10.61.31.20:5432",
              "Inner": {"Type": "System.TimeoutException", "Message": "The operation has timed out."}}  # fmt: skip
    line = json.dumps(
        {"@t": "{time}", "@l": "Warning", "@mt": "stock lookup failed, answering with nothing", "@x": nested}
    )
    traffic(stock, 140, 50, logged=False)
    where = {"FunctionName": stock.name}
    signals.metric(world, "AWS/Lambda", "Duration", where, [{15_030: 140}] * 12, start=began, unit="Milliseconds")
    events: list[tuple[datetime, str]] = []
    for at in moments(world, whole_minute(world, 44), every=30):
        bad = at >= began
        events += invocation(stock, at, 15_030 if bad else 45, lines=[line] if bad else [])
    signals.log(world, f"/aws/lambda/{stock.name}", events)
    api_traffic(world, {"ApiName": "stock"}, 140, 60)
    network_changed(
        world, "RevokeSecurityGroupIngress", theirs, who="dba-night", minutes=12.6, groupId=theirs,
        ipPermissions={"items": [{"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432,
                                  "groups": {"items": [{"groupId": own}]}}]},
    )  # fmt: skip
    return Expect(
        f"stock is empty since ten minutes {stock.arn}", cause="lambda-vpc-sg-egress", resource=stock.arn,
        innocent=(stock.role_arn, resources.rest_api_arn(world, stage)),
    )  # fmt: skip


@scenario(Kind.SINGLE, "vpc")
def route_to_the_peered_network_deleted(world: World) -> Expect:
    """The route to the peered network of the pricing team was deleted; what is left is the default route to the NAT
    gateway, which leads no private address anywhere."""
    net = network(world, "10.64")
    price = inside(net, "price-fetch", "nodejs22.x", group(net, "price-fetch"), timeout=15)
    fault = node(
        "Error", "connect ETIMEDOUT 10.200.4.8:8443", ("node:net", 1611, "TCPConnectWrap.afterConnect"),
        code="ETIMEDOUT", milliseconds=10_010,
    )  # fmt: skip
    traffic(price, 22, 60, fault=fault, since=whole_minute(world, 14))
    network_changed(
        world, "DeleteRoute", net.table, who="netops", minutes=14.8,
        routeTableId=net.table, destinationCidrBlock="10.200.0.0/16",
    )  # fmt: skip
    changed(price, CODE, who="ci-price", when=world.ago(hours=2), publish=False)
    journey = Journey(world, world.ago(minutes=4))
    call = journey.http(
        "GET", "https://10.200.4.8:8443/prices", 0.02, 10.0, status=None, cause=journey.exception(fault, remote=True)
    )
    journey.function(price, 0.0, 10.02, calls=[call], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-vpc-no-nat",
        resource=price.arn,
        says=("DeleteRoute by netops",),
        innocent=(price.role_arn,),
    )


@scenario(Kind.SINGLE, "vpc")
def route_to_the_bucket_endpoint_removed(world: World) -> Expect:
    """Isolated subnets reached S3 by a gateway endpoint only; a change took its route from their table. SQS, by an
    interface endpoint, still answers. The function is written in Rust and only says `dispatch failure`."""
    net = network(world, "10.97", routed=False)
    jobs = resources.queue(world, "thumb-jobs")
    bucket = resources.bucket(world, "thumbs-4411")
    thumb = inside(
        net, "thumb-make", "provided.al2023", group(net, "thumb-make"), allow(["s3:PutObject"], f"{bucket}/*"),
        allow(["sqs:SendMessage"], jobs), Handler="bootstrap", timeout=20,
    )  # fmt: skip
    endpoint(net, "sqs", group(net, "endpoints"), allow(["sqs:*"]))
    made = world.client("ec2").create_vpc_endpoint(
        VpcId=net.vpc, ServiceName=f"com.amazonaws.{world.region}.s3", VpcEndpointType="Gateway", RouteTableIds=[]
    )["VpcEndpoint"]["VpcEndpointId"]
    fault = go(
        "Error",
        "dispatch failure: timeout: client error (Connect): HTTP connect timeout occurred after 3.1s",
        milliseconds=9450,
    )
    cause = 'ConnectorError { kind: Timeout, source: HttpTimeoutError { kind: "HTTP connect", duration: 3.1s } }'
    told = {"message": "upload failed", "error": f"DispatchFailure(DispatchFailure {{ source: {cause} }})"}
    logged = json.dumps({"timestamp": "{time}", "level": "ERROR", "fields": told, "target": "thumb_make"})
    fault = fault._replace(lines=(logged,))
    traffic(thumb, 33, 140, fault=fault, since=whole_minute(world, 15))
    signals.cloudtrail_event(
        world, "ModifyVpcEndpoint", "ec2", [("AWS::EC2::VPCEndpoint", made)], who="net-tf",
        when=world.ago(minutes=15, seconds=45),
        request={"ModifyVpcEndpointRequest": {"VpcEndpointId": made, "RemoveRouteTableId": {"content": net.table}}},
    )  # fmt: skip
    journey = Journey(world, world.ago(minutes=4))
    lost = journey.exception(fault, remote=True)
    note = journey.sqs("SendMessage", "thumb-jobs", 0.01, 0.012)
    put = journey.s3("PutObject", "thumbs-4411", "a/71.webp", 0.03, 9.4, status=None, retries=2, cause=lost)
    journey.function(thumb, 0.0, 9.46, calls=[note, put], fault=fault)
    return Expect(
        journey.send(),
        cause="lambda-vpc-no-nat",
        resource=thumb.arn,
        says=("ModifyVpcEndpoint by net-tf",),
        innocent=(bucket, jobs, thumb.role_arn),
    )
