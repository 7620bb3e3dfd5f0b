"""What is asked of the documents, what comes back as evidence, and what is said about it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from aws.session import AwsConfig, ReadSession
from domain.alarm import AlarmKind, AlarmState, AlarmTransition
from domain.evidence import Evidence, EvidenceBundle, redacted
from domain.findings import Fact
from domain.gap import GapReason
from domain.graph import ServiceGraph
from domain.library import NO_LIBRARY, Library, Passage
from domain.resource import ResourceType, resource_from_arn, unnamed
from domain.trace import TraceCall, TracedError
from orchestrator.sqlite_file import connect
from sandbox.aws import LocalAws
from sandbox.aws.faults import ACCESS_DENIED
from specialists.contract import Look, Probe
from specialists.kit.gaps import gap_of
from specialists.kit.passage import KnowledgePassage
from specialists.knowledge_rag.files import markdown_files
from specialists.knowledge_rag.index import SCHEMA
from specialists.knowledge_rag.library import DocumentLibrary
from specialists.knowledge_rag.probes import MAX_ABOUT, MAX_FITTING, MAX_SHIPPED, documents, knowledge_base
from specialists.knowledge_rag.rules import RULES
from specialists.knowledge_rag.words import excerpt, named_in, question
from specialists.once import Once
from tests.support.probing import NOW, WINDOW, case_of, findings

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/loyalty-points"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:add-points"
GRAPH = ServiceGraph.of(
    [resource_from_arn(TABLE), resource_from_arn(FUNCTION), unnamed(ResourceType.AWS_SERVICE, "logs")]
)
THROTTLE = "The level of configured provisioned throughput for the table was exceeded. token=abc123SECRETabc123SECRET"


def failed_call(code: str = "ProvisionedThroughputExceededException", message: str = THROTTLE) -> TraceCall:
    return TraceCall(
        resource=TABLE, source="xray:BatchGetTraces", trace_id="1-6740a1b2-1234567890abcdef12345678", segment_id="c1", caller=FUNCTION, service="DynamoDB",
        operation="PutItem", start=NOW - timedelta(minutes=3), seconds=0.1, fault=True, errors=(TracedError(type=code, code=code, message=message),),
    )  # fmt: skip


def look(library: Library = NO_LIBRARY, *seen: Evidence, graph: ServiceGraph = GRAPH, once: Once | None = None) -> Look:
    session = ReadSession(AwsConfig(region="eu-west-1"), knowledge_base.reads)
    return Look(
        aws=session.clients("", "eu-west-1"), target=graph.nodes[0], window=WINDOW, seen=EvidenceBundle(seen), graph=graph, now=NOW,
        once=once or Once(), targets=graph.nodes, library=library,
    )  # fmt: skip


def passages(probe: Probe, with_what: Look) -> list[KnowledgePassage]:
    brought = [redacted(item) for item in probe.run(with_what)]
    return [item for item in brought if isinstance(item, KnowledgePassage)]


@pytest.fixture
def library(tmp_path: Path) -> DocumentLibrary:
    """The shipped runbooks and three documents of a team."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "points.md").write_text("# Loyalty\n## Table loyalty-points\nCapacity is set by hand; ask Team Blue.")
    (docs / "post-mortem.md").write_text("# May outage\nWe met ddb-gsi-throttle on the index by-day.")
    (docs / "cake.md").write_text("# Cake\nFlour and sugar.")
    made = DocumentLibrary(partial(connect, tmp_path / "knowledge.db", SCHEMA))
    made.open().put(docs, *markdown_files(docs), now=NOW)
    return made


def test_the_question_has_codes_names_and_words_and_no_secrets():
    asked = question(EvidenceBundle([failed_call()]), GRAPH)

    assert asked.codes == ("ProvisionedThroughputExceededException",)
    assert asked.resources == ("loyalty-points", "add-points")
    assert "Provisioned Throughput Exceeded Exception" in asked.words
    assert "configured" in asked.words
    assert "SECRET" not in asked.sentence
    assert "logs" not in asked.words


@pytest.mark.parametrize("name", ["Exception", "ClientError", "KeyError", "botocore.exceptions.ClientError"])
def test_what_any_error_may_be_called_singles_nothing_out(name):
    call = failed_call().model_copy(update={"errors": (TracedError(type=name, message="it broke"),)})

    assert question(EvidenceBundle([call]), GRAPH).codes == ()


def test_an_alarm_is_asked_about_by_its_name_and_metric():
    alarm = AlarmTransition(
        resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:points-late", source="cloudwatch:DescribeAlarms", name="points-late",
        alarm_kind=AlarmKind.METRIC, state=AlarmState.ALARM, metric="IteratorAge", reason="Threshold Crossed",
    )  # fmt: skip

    asked = question(EvidenceBundle([alarm]), GRAPH)

    assert "points-late" in asked.resources
    assert {"IteratorAge", "Crossed"} <= set(asked.words)


def test_a_flood_of_errors_is_asked_in_bounds():
    calls = [failed_call(f"Odd{number}Exception", f"words{number} " * 5_000) for number in range(50)]

    asked = question(EvidenceBundle(calls), GRAPH)

    assert len(asked.words) <= 40
    assert len(asked.sentence) <= 900


def test_documents_that_name_the_resource_and_runbooks_of_its_causes_are_brought(library):
    found = {p.document: p for p in passages(documents, look(library, failed_call()))}

    assert found["docs/points.md"].names == ("loyalty-points",)
    assert found["docs/points.md"].heading == "Loyalty > Table loyalty-points"
    assert found["docs/points.md"].resource == TABLE
    assert found["docs/post-mortem.md"].causes == ("ddb-gsi-throttle",)
    assert "ddb-provisioned-exceeded" in found["rca-runbooks/dynamodb-throttling.md"].causes
    assert found["rca-runbooks/dynamodb-throttling.md"].names == ("ProvisionedThroughputExceededException",)
    assert found["rca-runbooks/dynamodb-throttling.md"].resource == TABLE
    assert "docs/cake.md" not in found


def test_only_runbooks_of_services_on_the_way_are_brought_each_once(library):
    found = [p.document for p in passages(documents, look(library, failed_call())) if p.shipped]

    assert len(found) == len(set(found))
    assert {"rca-runbooks/lambda-timeouts.md", "rca-runbooks/iam-denied-calls.md"} <= set(found)
    assert not {"rca-runbooks/s3-requests.md", "rca-runbooks/eventbridge-rules.md"} & set(found)


def test_a_resource_called_like_a_word_of_a_runbook_is_not_named_by_it(library):
    graph = ServiceGraph.of([resource_from_arn("arn:aws:dynamodb:eu-west-1:123456789012:table/capacity")])

    found = passages(documents, look(library, graph=graph))

    assert [p.names for p in found if p.shipped and p.names] == []


def test_what_is_brought_is_bounded_however_much_the_team_has_written(tmp_path, library):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(60):
        (many / f"{number}.md").write_text(f"# About {number}\nloyalty-points lambda-timeout " + "words " * 3_000)
    library.open().put(many, *markdown_files(many), now=NOW)

    found = passages(documents, look(library, failed_call()))

    assert MAX_FITTING <= len([p for p in found if not p.shipped]) <= MAX_FITTING + MAX_ABOUT
    assert len(found) <= MAX_FITTING + MAX_ABOUT + MAX_SHIPPED
    assert all(len(p.excerpt) <= 600 for p in found)


def test_many_documents_that_share_words_do_not_crowd_out_the_one_about_a_cause(tmp_path, library):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(30):
        (many / f"{number}.md").write_text(f"# loyalty-points {number}\nloyalty-points throughput exceeded")
    library.open().put(many, *markdown_files(many), now=NOW)

    assert "docs/post-mortem.md" in {p.document for p in passages(documents, look(library, failed_call()))}


def test_two_regions_ask_the_documents_once():
    asked: list[Sequence[str]] = []

    class Counting:
        knowledge_base_id = None

        def search(self, words: Sequence[str], *, causes: Sequence[str] = (), limit: int = 10) -> tuple[Passage, ...]:
            asked.append(causes)
            return (Passage(source="a.md", heading="A", text="t", score=1.0),)

    once = Once()
    first = passages(documents, look(Counting(), once=once))
    second = passages(documents, look(Counting(), once=once))

    assert first == second
    assert len(asked) == 2  # by words, and by causes


def test_a_team_without_documents_gets_no_evidence_and_no_error():
    assert passages(documents, look(NO_LIBRARY, failed_call())) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the orders table", ("orders",)),
        ("`Orders`.", ("orders",)),
        ("orders-archive and preorders and orders_2", ()),
        ("reorders, then orders", ("orders",)),
        ("", ()),
    ],
)
def test_a_name_counts_as_a_whole_word(text, found):
    assert named_in(text, ["orders"]) == found


def test_an_excerpt_is_where_the_words_are():
    text = "\n".join(["filler line"] * 100 + ["capacity of orders is cut here"] + ["more"] * 100)

    part = excerpt(text, ["orders", "capacity"])

    assert "capacity of orders" in part
    assert (part[0], part[-1], len(part) <= 600) == ("…", "…", True)


def passage(document: str, *names: str, shipped: bool = False, heading: str = "H") -> KnowledgePassage:
    return KnowledgePassage(
        resource=TABLE, source="library:search", document=document, heading=heading, excerpt="text", shipped=shipped, names=names
    )  # fmt: skip


def said(*evidence: KnowledgePassage) -> list[str]:
    found = list(findings(RULES, case_of(TABLE, *evidence)))

    assert all(isinstance(one, Fact) and one.evidence for one in found), "documents never name a cause"
    return [one.statement for one in found if isinstance(one, Fact)]


def test_documents_that_write_out_names_are_facts_the_teams_own_first():
    assert said(passage("ours.md", "SlowDown", shipped=True), passage("own.md", "loyalty-points", "SlowDown")) == [
        "Your document own.md: H writes about `loyalty-points`, `SlowDown`",
        "The shipped runbook ours.md: H writes about `SlowDown`",
    ]


def test_documents_that_only_might_fit_are_no_facts():
    assert said(passage("own.md"), passage("ours.md", shipped=True)) == []


def test_facts_about_documents_are_few():
    assert len(said(*(passage(f"{number}.md", "loyalty-points") for number in range(30)))) == 4


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def local(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    aws.reset()
    aws.clear_faults()
    aws.forget_calls()
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return aws


def chunk(text: str, **location: object) -> dict[str, object]:
    return {"content": {"text": text, "type": "TEXT"}, "location": location, "score": 0.7}


BASE = "KB12345678"


def with_base(tmp_path: Path) -> DocumentLibrary:
    return DocumentLibrary(partial(connect, tmp_path / "knowledge.db", SCHEMA), knowledge_base_id=BASE)


def test_a_knowledge_base_is_asked_in_words_and_its_chunks_are_cited(local, tmp_path):
    local.serve(
        "bedrock-agent-runtime",
        "Retrieve",
        {
            "retrievalResults": [
                chunk("## Loyalty\nloyalty-points is run by Team Blue; password=hunter2hunter2", type="S3", s3Location={"uri": "s3://wiki/points.md"}),
                chunk("ddb-hot-partition, see the page", type="WEB", webLocation={"url": "https://wiki.example.com/p"}),
                chunk("   ", type="S3", s3Location={"uri": "s3://wiki/empty.md"}),
                chunk("no place", type="SQL"),
            ]
        },
    )  # fmt: skip

    found = passages(knowledge_base, look(with_base(tmp_path), failed_call()))

    assert [(p.document, p.heading, p.source) for p in found] == [
        ("s3://wiki/points.md", "Loyalty", "bedrock:Retrieve"),
        ("https://wiki.example.com/p", "", "bedrock:Retrieve"),
        ("knowledge base", "", "bedrock:Retrieve"),
    ]
    assert found[0].names == ("loyalty-points",)
    assert "hunter2" not in found[0].excerpt
    assert found[1].causes == ("ddb-hot-partition",)
    (call,) = local.calls
    assert (call.service, call.operation) == ("bedrock-agent-runtime", "Retrieve")
    assert "ProvisionedThroughputExceededException" in call.parameters["retrievalQuery"]["text"]
    assert "SECRET" not in call.parameters["retrievalQuery"]["text"]


def test_without_a_knowledge_base_nothing_is_asked(local):
    assert passages(knowledge_base, look(NO_LIBRARY, failed_call())) == []
    assert local.calls == ()


def test_a_denied_knowledge_base_is_a_gap_with_the_action_to_grant(local, tmp_path):
    local.inject("bedrock-agent-runtime", "Retrieve", ACCESS_DENIED)

    with pytest.raises(Exception, match="AccessDenied") as refused:
        passages(knowledge_base, look(with_base(tmp_path), failed_call()))

    gap = gap_of("knowledge-rag", knowledge_base, resource_from_arn(TABLE), refused.value)
    assert (gap.reason, gap.action) == (GapReason.ACCESS_DENIED, "bedrock:Retrieve")


def test_names_are_asked_without_secrets_and_unseen_characters():
    function = resource_from_arn("arn:aws:lambda:eu-west-1:123456789012:function:pay\u202eload-AKIAIOSFODNN7EXAMPLE")

    asked = question(EvidenceBundle(), ServiceGraph.of([function]))

    assert "\u202e" not in asked.sentence
    assert "AKIAIOSFODNN7EXAMPLE" not in asked.sentence
