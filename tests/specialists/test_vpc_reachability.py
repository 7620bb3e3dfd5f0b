"""What is in the way of a packet: one table of networks, destinations and the exact thing that blocks."""

from typing import Any

import pytest

from domain.evidence import EvidenceBundle
from domain.resource import resource_from_arn
from specialists.vpc.destinations import ANYWHERE, Destination, Place, destination, of_service
from specialists.vpc.map import map_of
from specialists.vpc.reachability import Kind, Obstacle, obstacles
from tests.specialists.vpc_building import (
    ANY_OUT,
    DATABASE,
    FUNCTION,
    NAT_ROUTE,
    acls,
    allow,
    attachment,
    called,
    database,
    endpoint,
    endpoints,
    entry,
    gateway,
    healthy,
    internet,
    nat,
    own,
    route,
    s3_list,
    subnets,
    tables,
)

STRIPE = destination("api.stripe.com", "", 443)
PUBLIC = destination("", "176.32.98.189", 443)
SQS = destination("sqs.eu-west-1.amazonaws.com")
S3 = destination("photos.s3.eu-west-1.amazonaws.com")
FAR_SQS = destination("sqs.us-east-1.amazonaws.com")
PRIVATE = destination("", DATABASE, 5432)
SIX = destination("", "2a00:1450:4001::5", 443)
DB_HOST = destination("db.abc.eu-west-1.rds.amazonaws.com", "", 5432)
FROM_FN = allow(5432, groups=("sg-fn",))
INTERFACE = endpoints(endpoint("sqs"))
S3_GATEWAY = endpoints(gateway("s3"))
ANY_SIX: dict[str, Any] = {"own": own(allow(443, "::/0")), "acls": None}
SIXFOLD: dict[str, Any] = {**ANY_SIX, "attachment": attachment(ipv6=True), "subnets": subnets(ipv6=True)}

# what differs from a network that lets everything through, where to, and what is in the way (None: nothing)
ROWS: list[tuple[str, dict[str, Any], Destination, tuple[Kind, str] | None]] = [
    ("NAT to the internet", {}, STRIPE, None),
    ("NAT to a public address", {}, PUBLIC, None),
    ("NAT to an AWS service", {}, SQS, None),
    ("no default route", {"tables": tables()}, STRIPE, (Kind.ROUTE, "rtb-private")),
    ("no default route, AWS service", {"tables": tables()}, SQS, (Kind.ROUTE, "rtb-private")),
    ("no default route, nobody knows where to", {"tables": tables()}, ANYWHERE, (Kind.ROUTE, "rtb-private")),
    ("no default route, inside the VPC", {"tables": tables()}, PRIVATE, None),
    ("straight to an internet gateway", {"tables": tables(route("igw-1"))}, STRIPE, (Kind.ROUTE, "rtb-private")),
    ("blackhole", {"tables": tables(route("nat-1", blackhole=True))}, STRIPE, (Kind.ROUTE, "rtb-private")),
    ("NAT deleted", {"nat": nat("deleted")}, STRIPE, (Kind.ROUTE, "nat-1")),
    ("NAT failed", {"nat": nat("failed", failure="no address")}, PUBLIC, (Kind.ROUTE, "nat-1")),
    ("NAT not listed any more", {"nat": nat(id="nat-2")}, STRIPE, (Kind.ROUTE, "nat-1")),
    ("NAT not read", {"nat": None}, STRIPE, None),
    ("private NAT", {"nat": nat(public=False)}, STRIPE, (Kind.ROUTE, "nat-1")),
    ("NAT in a private subnet", {"nat": nat(subnet_id="subnet-db")}, STRIPE, (Kind.ROUTE, "rtb-private")),
    ("NAT's subnet without a way", {"tables": tables(NAT_ROUTE, public=())}, STRIPE, (Kind.ROUTE, "rtb-public")),
    ("NAT's gateway detached", {"internet": internet("igw-2")}, STRIPE, (Kind.ROUTE, "rtb-public")),
    ("regional NAT", {"nat": nat(subnet_id="")}, STRIPE, None),
    ("NAT's subnet behind a firewall", {"tables": tables(NAT_ROUTE, public=(route("vpce-fw"),))}, STRIPE, None),
    ("central egress", {"tables": tables(route("tgw-1"))}, STRIPE, None),
    ("two half defaults", {"tables": tables(route("eni-1", "0.0.0.0/1"))}, STRIPE, None),
    ("unread prefix list route", {"tables": tables(route("tgw-1", "pl-9"))}, PUBLIC, None),
    ("host that may be on premises", {"tables": tables(route("tgw-1", "10.0.0.0/8"))}, STRIPE, None),
    ("on premises by address", {"tables": tables(route("vgw-1", "10.0.0.0/8"))}, destination("", "10.9.0.4", 80), None),
    ("other VPC, no route", {"tables": tables()}, destination("", "10.9.0.4", 80), (Kind.ROUTE, "rtb-private")),
    (
        "peering gone",
        {"tables": tables(route("pcx-1", "10.9.0.0/16", blackhole=True))},
        destination("", "10.9.0.4", 80),
        (Kind.ROUTE, "rtb-private"),
    ),
    ("IPv6 not allowed", {**ANY_SIX, "attachment": attachment(subnet_ids=("subnet-a",))}, SIX, (Kind.ROUTE, "subnet-a")),
    ("IPv6 without a route", SIXFOLD, SIX, (Kind.ROUTE, "rtb-private")),
    (
        "IPv6 egress-only gateway",
        {**SIXFOLD, "tables": tables(route("eigw-1", "::/0"))},
        SIX,
        None,
    ),
    (
        "IPv6, group for IPv4 only",
        {**SIXFOLD, "tables": tables(route("eigw-1", "::/0")), "own": own(ANY_OUT)},
        SIX,
        (Kind.GROUP, "sg-fn"),
    ),
    # --- security groups
    ("group lets only the database out", {"own": own(allow(5432, "10.0.0.0/16"))}, STRIPE, (Kind.GROUP, "sg-fn")),
    ("group lets the port out", {"own": own(allow(443, "0.0.0.0/0"))}, STRIPE, None),
    ("group without any rule", {"own": own()}, ANYWHERE, (Kind.GROUP, "sg-fn")),
    ("group with some rule, destination unknown", {"own": own(allow(5432, "10.0.3.0/24"))}, ANYWHERE, None),
    ("group for UDP only", {"own": own(allow(443, "0.0.0.0/0").model_copy(update={"protocol": "udp"}))}, STRIPE,
     (Kind.GROUP, "sg-fn")),
    ("group not read", {"own": None}, STRIPE, None),
    ("one of two groups not read", {"own": own(), "attachment": attachment(group_ids=("sg-fn", "sg-2"))}, STRIPE, None),
    ("group to the other group", {"own": own(allow(5432, groups=("sg-db",))), "eni": database(),
                                  "called": called(FROM_FN)}, PRIVATE, None),
    ("group to a group nobody knows", {"own": own(allow(5432, groups=("sg-db",)))}, PRIVATE, None),
    ("group to another group", {"own": own(allow(5432, groups=("sg-x",))), "eni": database()}, PRIVATE,
     (Kind.GROUP, "sg-fn")),
    ("database lets it in", {"eni": database(), "called": called(FROM_FN)}, PRIVATE, None),
    ("database lets the subnets in", {"eni": database(), "called": called(allow(5432, "10.0.0.0/16"))}, PRIVATE, None),
    ("database lets another in", {"eni": database(), "called": called(allow(5432, groups=("sg-x",)))}, PRIVATE,
     (Kind.GROUP, "sg-db")),
    ("database lets another port in", {"eni": database(), "called": called(allow(3306, groups=("sg-fn",)))}, PRIVATE,
     (Kind.GROUP, "sg-db")),
    ("database's groups not read", {"eni": database()}, PRIVATE, None),
    ("database by name, port closed", {"own": own(allow(443, "0.0.0.0/0"))}, DB_HOST, (Kind.GROUP, "sg-fn")),
    ("database by name, port open somewhere", {"own": own(allow(5432, "10.0.3.0/24"))}, DB_HOST, None),
    ("prefix list of S3", {"tables": tables(), "endpoints": S3_GATEWAY, "own": own(allow(443, lists=("pl-s3",))),
                           "lists": s3_list()}, S3, None),
    ("prefix list of another service", {"endpoints": S3_GATEWAY, "own": own(allow(443, lists=("pl-s3",))),
                                        "lists": s3_list()}, SQS, (Kind.GROUP, "sg-fn")),
    ("prefix list not read", {"own": own(allow(443, lists=("pl-1",)))}, SQS, None),
    # --- network ACLs
    ("ACL denies the port out", {"acls": acls(a=(entry(50, "deny out", low=443, high=443), entry(100, "allow out"),
                                                 entry(100, "allow in")))}, STRIPE, (Kind.ACL, "acl-a")),
    ("ACL denies it after allowing it", {"acls": acls(a=(entry(100, "allow out"), entry(200, "deny out"),
                                                         entry(100, "allow in")))}, STRIPE, None),
    ("ACL lets no answers in", {"acls": acls(a=(entry(100, "allow out"), entry(100, "allow in", low=443, high=443)))},
     STRIPE, (Kind.ACL, "acl-a")),
    ("ACL lets some answers in", {"acls": acls(a=(entry(100, "allow out"), entry(100, "allow in", low=32768)))},
     STRIPE, (Kind.ACL, "acl-a")),
    ("ACL lets exactly the answers in", {"acls": acls(a=(entry(100, "allow out"), entry(100, "allow in", low=1024)))},
     STRIPE, None),
    ("ACL of the database denies it in", {"acls": acls(db=(entry(90, "deny in", "10.0.1.0/24"), entry(100, "allow in"),
                                                           entry(100, "allow out")))}, PRIVATE, (Kind.ACL, "acl-db")),
    ("ACL of the database denies others in", {"acls": acls(db=(entry(90, "deny in", "10.0.7.0/24"),
                                                               entry(100, "allow in"), entry(100, "allow out")))},
     PRIVATE, None),
    ("ACL of the NAT's subnet", {"acls": acls(pub=(entry(100, "allow in", low=80, high=80), entry(100, "allow out")))},
     STRIPE, (Kind.ACL, "acl-pub")),
    ("ACL denies some public block", {"acls": acls(a=(entry(50, "deny out", "52.0.0.0/8"), entry(100, "allow out"),
                                                      entry(100, "allow in")))}, STRIPE, None),
    ("ACL denies just that block", {"acls": acls(a=(entry(50, "deny out", "176.32.0.0/16"), entry(100, "allow out"),
                                                    entry(100, "allow in")))}, PUBLIC, (Kind.ACL, "acl-a")),
    ("ACL allows private blocks only", {"acls": acls(a=(entry(50, "allow out", "10.0.0.0/8"),
                                                        entry(100, "allow in")))}, STRIPE, (Kind.ACL, "acl-a")),
    ("ACL within one subnet does not count", {"attachment": attachment(subnet_ids=("subnet-a",)),
                                              "acls": acls(a=(entry(50, "deny out"),))},
     destination("", "10.0.1.77", 80), None),
    # --- endpoints
    ("interface endpoint", {"tables": tables(), "endpoints": INTERFACE,
                            "called": called(allow(443, "10.0.0.0/16"), group="sg-vpce")}, SQS, None),
    ("endpoint's group lets nobody in", {"tables": tables(), "endpoints": INTERFACE,
                                         "called": called(allow(443, "10.9.0.0/16"), group="sg-vpce")}, SQS,
     (Kind.GROUP, "sg-vpce")),
    ("endpoint without private DNS", {"tables": tables(), "endpoints": endpoints(endpoint(private_dns=False))}, SQS,
     (Kind.ROUTE, "rtb-private")),
    ("endpoint rejected", {"endpoints": endpoints(endpoint(state="rejected"))}, SQS, (Kind.ROUTE, "vpce-sqs")),
    ("endpoint in some zones", {"tables": tables(), "endpoints": endpoints(endpoint(state="partial"))}, SQS, None),
    ("endpoint of another service", {"tables": tables(), "endpoints": INTERFACE}, of_service("SNS"),
     (Kind.ROUTE, "rtb-private")),
    ("endpoint of another Region", {"tables": tables(), "endpoints": INTERFACE}, FAR_SQS, (Kind.ROUTE, "rtb-private")),
    ("gateway endpoint", {"tables": tables(), "endpoints": S3_GATEWAY}, S3, None),
    ("gateway endpoint of other tables", {"tables": tables(),
                                          "endpoints": endpoints(gateway("s3", route_table_ids=("rtb-x",)))}, S3,
     (Kind.ROUTE, "rtb-private")),
    ("gateway endpoint by its route", {"tables": tables(route("vpce-s3", "pl-s3")),
                                       "endpoints": endpoints(gateway("s3", route_table_ids=()))}, S3, None),
]  # fmt: skip


def found(parts: dict[str, Any], where: Destination) -> tuple[Obstacle, ...]:
    return obstacles(map_of(EvidenceBundle(healthy(**parts)), resource_from_arn(FUNCTION)), where)


@pytest.mark.parametrize(("parts", "where", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_exactly_what_blocks_is_named(parts, where, expected) -> None:
    stops = found(parts, where)

    assert {(stop.kind, stop.parts[0]) for stop in stops} == ({expected} if expected else set())


def test_what_is_blocked_from_one_subnet_is_told_of_that_one() -> None:
    stops = found({"tables": tables(NAT_ROUTE, b=())}, STRIPE)

    assert [(stop.subnet, stop.parts) for stop in stops] == [("subnet-b", ("rtb-b",))]


def test_a_missing_share_of_answers_is_a_partial_obstacle_and_a_dead_nat_a_broken_one() -> None:
    some = found({"acls": acls(a=(entry(100, "allow out"), entry(100, "allow in", low=32768)))}, STRIPE)
    none = found({"acls": acls(a=(entry(100, "allow out"),))}, STRIPE)
    dead = found({"nat": nat("failed")}, STRIPE)
    isolated = found({"tables": tables()}, STRIPE)

    assert [stop.partial for stop in (*some, *none)] == [True, False]
    assert {stop.broken for stop in dead} == {True}
    assert {stop.broken for stop in isolated} == {False}


def test_two_things_in_the_way_are_both_told() -> None:
    stops = found({"tables": tables(), "own": own()}, STRIPE)

    assert {stop.kind for stop in stops} == {Kind.ROUTE, Kind.GROUP}


def test_a_network_of_which_nothing_was_read_blocks_nothing() -> None:
    seen = EvidenceBundle([attachment()])

    assert obstacles(map_of(seen, resource_from_arn(FUNCTION)), STRIPE) == ()


def test_words_name_the_port_the_entry_and_the_parts() -> None:
    denied = acls(a=(entry(50, "deny out", low=443, high=443), entry(100, "allow out"), entry(100, "allow in")))
    texts = [
        found({"acls": denied}, STRIPE)[0].text,
        found({"own": own(allow(5432, "10.0.0.0/16"))}, STRIPE)[0].text,
        found({"nat": nat("deleted")}, STRIPE)[0].text,
    ]

    assert texts == [
        "network ACL `acl-a`: entry 50 denies outbound port 443 for `api.stripe.com:443`",
        "security group `sg-fn` lets nothing out to `api.stripe.com:443` on port 443",
        "0.0.0.0/0 of route table `rtb-private` leads to NAT gateway `nat-1`, which is deleted",
    ]


def test_a_place_without_an_address_may_be_anywhere() -> None:
    assert STRIPE.place is Place.INTERNET
    assert DB_HOST.place is Place.HOST
    assert found({"own": own(ANY_OUT)}, DB_HOST) == ()
