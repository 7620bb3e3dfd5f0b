"""The shipped runbooks: every cause in exactly one, short, with commands and AWS's own page; and which one is offered."""

import re
from collections import Counter

import pytest
import yaml

from domain.causes import CAUSES
from domain.evidence import EvidenceBundle
from domain.graph import ServiceGraph
from domain.report import RootCause, RunbookRef
from domain.resource import resource_from_arn
from orchestrator.runbooks import runbooks
from specialists.contract import SpecialistKind
from specialists.kit.passage import KnowledgePassage
from specialists.knowledge_rag.files import Found
from specialists.knowledge_rag.library import shipped_runbooks
from specialists.knowledge_rag.markdown import read_document
from specialists.knowledge_rag.probes import MAX_SHIPPED
from specialists.registry import all_specialists
from tests.support.concluding import (
    FUNCTION,
    TABLE,
    THROTTLED,
    THROTTLED_TRACE,
    hypothesis,
    looks,
    reported,
    result,
    traced,
)

SHIPPED = shipped_runbooks()
EACH = pytest.mark.parametrize("runbook", SHIPPED, ids=lambda runbook: runbook.path.stem)
SECTIONS = ["What it looks like", "Check", "Do first", "Prevent"]
PAGES = {cause.source for cause in CAUSES.values()}
ADDRESS = re.compile(r"https?://[^\s)>\"'`]+")
COMMAND = re.compile(r"^(?:aws|curl) ", re.MULTILINE)


def front(runbook: Found) -> dict[str, object]:
    return dict(yaml.safe_load(runbook.text.split("---\n")[1]))


def test_every_cause_is_covered_by_exactly_one_runbook():
    covered = Counter(code for runbook in SHIPPED for code in front(runbook)["causes"])  # type: ignore[attr-defined]

    assert covered == Counter(dict.fromkeys(CAUSES, 1))


@EACH
def test_a_runbook_has_the_four_sections_under_its_title(runbook: Found):
    title = str(front(runbook)["title"])

    headings = [section.heading for section in read_document(runbook.text, name="x").sections]

    assert headings == [f"{title} > {section}" for section in SECTIONS]


@EACH
def test_a_runbook_is_short_enough_for_the_night(runbook: Found):
    assert len(runbook.text.splitlines()) <= 60
    assert all(len(section.text) <= 900 for section in read_document(runbook.text, name="x").sections)


@EACH
def test_a_runbook_reads_on_at_a_page_of_the_catalogue_and_links_nothing_but_aws(runbook: Found):
    hosts = {address.split("/")[2] for address in ADDRESS.findall(runbook.text)}

    assert front(runbook)["link"] in PAGES
    assert hosts <= {"docs.aws.amazon.com", "repost.aws", "$API_ID.execute-api.$REGION.amazonaws.com"}


@EACH
def test_a_runbook_gives_commands_and_loses_nothing_to_redaction(runbook: Found):
    sections = read_document(runbook.text, name="x").sections

    assert COMMAND.search(sections[1].text)
    assert "[redacted" not in "".join(section.text for section in sections)
    assert {section.causes for section in sections} == {tuple(front(runbook)["causes"])}  # type: ignore[arg-type]


def test_all_runbooks_fit_into_one_look():
    assert len(SHIPPED) <= MAX_SHIPPED


def test_documents_are_asked_about_only_where_a_service_specialist_looks_too():
    """Documents are always there: alone they must never make a system look well."""
    (ours,) = (s for s in all_specialists() if s.name == "knowledge-rag")
    looked_at = {kind for s in all_specialists() if s.kind is SpecialistKind.SERVICE for kind in s.handles}

    assert set(ours.handles) <= looked_at


def passage(document: str, heading: str, *, resource: str = TABLE, **fields: object) -> KnowledgePassage:
    return KnowledgePassage.model_validate(
        {"resource": resource, "source": "library:search", "document": document, "heading": heading, "excerpt": "Call Bob.", **fields}
    )  # fmt: skip


OURS = passage(
    "rca-runbooks/dynamodb-throttling.md", "DynamoDB throttling > Do first", causes=(THROTTLED,), shipped=True,
    link=CAUSES[THROTTLED].source,
)  # fmt: skip
OWN = passage("docs/ddb.md", "Tables > Too slow", causes=(THROTTLED,))
NAMED = passage("docs/orders.md", "Orders > Capacity", names=("orders",))
MENTIONED = passage("docs/party.md", "Summer party", names=("orders",))
OTHER = passage("rca-runbooks/lambda-timeouts.md", "Lambda timeouts > Check", causes=("lambda-timeout",), shipped=True)
OTHER_OWN = passage("docs/lambda.md", "Functions", causes=("lambda-timeout",))
ROOT = RootCause(cause=THROTTLED, resource=TABLE, summary="it throttles", confidence=0.9, evidence=("E-1",))
GRAPH = ServiceGraph.of([resource_from_arn(TABLE), resource_from_arn(FUNCTION)])


def offered(*passages: KnowledgePassage, root: RootCause | None = ROOT) -> list[str]:
    return [each.source for each in runbooks(root, EvidenceBundle(passages), GRAPH)]


def test_the_teams_own_about_the_cause_come_first_then_its_own_about_the_resource_then_ours():
    assert offered(OURS, NAMED, OWN, OTHER) == ["docs/ddb.md", "docs/orders.md", "rca-runbooks/dynamodb-throttling.md"]


@pytest.mark.parametrize(
    "passages", [(OTHER,), (OTHER_OWN,), (MENTIONED,), ()], ids=["ours", "own", "mentioned", "none"]
)
def test_what_is_about_another_cause_or_only_mentions_the_resource_is_not_offered(passages):
    assert offered(*passages) == []


def test_without_a_root_cause_no_runbook_is_offered():
    assert offered(OURS, OWN, NAMED, root=None) == []


def test_a_document_is_offered_once_and_few_are():
    many = [passage(f"docs/{number}.md", heading, causes=(THROTTLED,)) for number in range(9) for heading in "AB"]

    assert offered(*many, OURS) == ["docs/0.md", "docs/1.md", "rca-runbooks/dynamodb-throttling.md"]


def test_the_report_cites_the_runbook_and_links_it_to_its_page():
    evidence = (*traced(*THROTTLED_TRACE), *looks(TABLE, "a", "b"), OURS)
    found = hypothesis(THROTTLED, TABLE, proof=looks(TABLE, "a", "b"))

    report = reported(evidence, [result(found)])

    assert report.runbooks == (
        RunbookRef(
            title="DynamoDB throttling", source="rca-runbooks/dynamodb-throttling.md", heading="DynamoDB throttling > Do first",
            link=CAUSES[THROTTLED].source, evidence=OURS.id,
        ),
    )  # fmt: skip
    assert [item.link for item in report.evidence if item.id == OURS.id] == [CAUSES[THROTTLED].source]
