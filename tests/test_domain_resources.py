"""The vocabulary: ARNs, resources, graphs, windows, evidence and links."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.arn import Arn, arns_in, partition_of
from domain.evidence import EvidenceBundle, load_evidence
from domain.graph import Edge, ServiceGraph
from domain.links import console_link, trace_link
from domain.resource import SHAPES, ResourceType, resource_from_arn, state_machine_of, unnamed
from domain.window import Window
from tests.support.running import Sign, sign
from tests.support.traces import arn

AT = datetime(2026, 11, 20, 9, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "id", "kind"),
    [
        (arn("lambda", "function:f:7"), arn("lambda", "function:f"), ResourceType.LAMBDA),
        (arn("dynamodb", "table/t/stream/2026"), arn("dynamodb", "table/t"), ResourceType.TABLE),
        (arn("states", "execution:m:run"), arn("states", "execution:m:run"), ResourceType.EXECUTION),
        (arn("sns", "t:8a7c1b2e-0000-0000-0000-000000000000"), arn("sns", "t"), ResourceType.TOPIC),
        ("arn:aws:s3:::b/k/e/y", "arn:aws:s3:::b", ResourceType.BUCKET),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
            ResourceType.OTHER,
        ),
        (
            "arn:aws:sts::123456789012:assumed-role/r/session",
            "arn:aws:sts::123456789012:assumed-role/r/session",
            ResourceType.ASSUMED_ROLE,
        ),
        ("arn:aws:iam::aws:policy/service-role/P", "arn:aws:iam::aws:policy/service-role/P", ResourceType.POLICY),
        (arn("logs", "log-group:/aws/lambda/f:*"), arn("logs", "log-group:/aws/lambda/f"), ResourceType.LOG_GROUP),
        (arn("elasticache", "cluster:c"), arn("elasticache", "cluster:c"), ResourceType.OTHER),
    ],
)
def test_one_thing_has_one_id(text: str, id: str, kind: ResourceType) -> None:
    found = resource_from_arn(text)

    assert (found.id, found.type) == (id, kind)
    assert resource_from_arn(found.id).id == id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn:aws",
        "arn:aws:sqs:eu-west-1:12345:q",
        "arn:aws:sqs:eu-west-1:١٢٣٤٥٦٧٨٩٠١٢:q",
        "arn:gcp:sqs:r:123456789012:q",
        arn("sqs", "a b"),
        arn("sqs", "a\x1bb"),
    ],
)
def test_what_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an ARN"):
        Arn.parse(text)


@given(
    st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]),
    st.sampled_from(sorted({s.service for s in SHAPES})),
    st.from_regex(r"[A-Za-z0-9/_.:$-]{1,40}", fullmatch=True),
)
def test_any_arn_is_a_resource_whose_id_is_stable(partition: str, service: str, rest: str) -> None:
    found = resource_from_arn(f"arn:{partition}:{service}:eu-west-1:123456789012:{rest}")

    assert resource_from_arn(found.id).id == found.id
    assert found.partition == partition
    assert found.name


@given(st.text(max_size=200))
def test_every_arn_found_in_text_stands_there(text: str) -> None:
    assert all(found in text for found in arns_in(text))


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("", "aws"),
    ],
)
def test_a_region_has_a_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


@pytest.mark.parametrize("form", ["execution:m:run", "express:m:run:a1b2"])
def test_an_execution_knows_its_state_machine(form: str) -> None:
    assert state_machine_of(resource_from_arn(arn("states", form))).id == arn("states", "stateMachine:m")


def test_a_resource_without_an_arn_has_a_plain_name() -> None:
    remote = unnamed(ResourceType.REMOTE, "api.stripe.com")

    assert (remote.id, remote.arn, remote.label) == ("remote:api.stripe.com", None, "external service `api.stripe.com`")


def test_a_graph_joins_equal_nodes_and_edges() -> None:
    f, t = arn("lambda", "function:f"), arn("dynamodb", "table/t")
    nodes = [resource_from_arn(n) for n in (f"{f}:live", f"{f}:7", t)]
    graph = ServiceGraph.of(
        nodes,
        [Edge(source=f, target=t, calls=1, seconds=0.1), Edge(source=f, target=t, calls=2, faults=1, seconds=0.2)],
    )

    assert [n.qualifiers for n in graph.nodes if n.id == f] == [("7", "live")]
    assert [(e.calls, e.faults, e.seconds) for e in graph.edges] == [(3, 1, 0.3)]


def test_downstream_follows_failing_edges_and_survives_circles() -> None:
    a, b, c = (unnamed(ResourceType.SERVICE, n).id for n in "abc")
    graph = ServiceGraph.of(
        [], [Edge(source=a, target=b, faults=1), Edge(source=b, target=a, faults=1), Edge(source=b, target=c, calls=1)]
    )

    assert graph.downstream(a) == {b, c}
    assert graph.downstream(a, failing=True) == {b}


def test_a_bundle_is_the_same_in_any_order_and_by_any_way_it_was_filled() -> None:
    signs = [sign(f"s{n}", arn("sqs", f"q{n % 3}")) for n in range(9)]
    whole = EvidenceBundle(signs)
    grown = EvidenceBundle(signs[4:]).including(signs[:6])

    assert [e.id for e in grown] == [e.id for e in whole] == [e.id for e in EvidenceBundle(reversed(signs))]
    assert whole.including(signs[:2]) is whole
    assert all(e.id in grown and grown[e.id] == e for e in signs)
    assert (len(grown), len(whole.of(Sign, arn("sqs", "q1")))) == (9, 3)


def test_evidence_survives_being_stored() -> None:
    one = sign("naïve ☂")

    assert load_evidence(one.dump()) == one
    assert load_evidence(one.dump()).id == one.id
    assert one.model_copy(update={"text": "other"}).id != one.id


def test_a_window_is_utc_ordered_and_closed() -> None:
    berlin = timezone(timedelta(hours=1))
    window = Window.around(AT.astimezone(berlin), AT, before=timedelta(minutes=15), after=timedelta(minutes=5))

    assert (window.start.tzinfo, window.seconds) == (UTC, 1200)
    assert window.contains(window.end.astimezone(berlin))
    assert not window.contains(window.end + timedelta(seconds=1))
    assert window.baseline(timedelta(hours=1)).end == window.start
    with pytest.raises(ValueError, match="must start before it ends"):
        Window(start=AT, end=AT)


@pytest.mark.parametrize(
    ("id", "link"),
    [
        (
            arn("lambda", "function:f"),
            "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/f",
        ),
        (
            "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t",
            "https://cn-north-1.console.amazonaws.cn/dynamodbv2/home?region=cn-north-1#table?name=t",
        ),
        (
            arn("logs", "log-group:/aws/lambda/f"),
            "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Ff",
        ),
        ("arn:aws-iso:lambda:us-iso-east-1:123456789012:function:f", None),
        ("remote:api.stripe.com", None),
        (arn("lambda", "function:f'%22><script>"), None),
    ],
)
def test_a_console_link_is_made_from_the_arn_alone(id: str, link: str | None) -> None:
    assert console_link(id) == link


def test_a_trace_links_to_its_region_or_nowhere() -> None:
    assert (
        trace_link("1-2-3", "eu-west-1", "aws")
        == "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/1-2-3"
    )
    assert trace_link("1-2-3", "", "aws") is None
