"""Where the knowledge specialist looks: documents and shipped runbooks in the index, a knowledge base on AWS."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from aws.reads import read
from domain.causes import CAUSES
from domain.evidence import Evidence
from domain.graph import ServiceGraph
from domain.library import Passage
from domain.redaction import clean, redact
from domain.resource import Resource, ResourceType
from specialists.contract import Look, Probe, probe
from specialists.kit.passage import KnowledgePassage
from specialists.knowledge_rag.markdown import read_document
from specialists.knowledge_rag.words import Question, excerpt, named_in, question

if TYPE_CHECKING:
    from types_boto3_bedrock_agent_runtime.type_defs import KnowledgeBaseRetrievalResultTypeDef

MAX_HITS = 60
MAX_FITTING, MAX_ABOUT = 6, 8
"""Of the team's own: sections that fit by their words, and documents about a cause that may be found."""

MAX_SHIPPED = 40
"""At least the number of shipped runbooks, so that the one about the root cause is always at hand."""

MAX_RETRIEVED = 5
ENTRY = "Do first"
"""The section of a shipped runbook to cite when no other fits better."""

ANYWHERE = frozenset({"any", "cloudwatch", "iam", "kms", "logs", "secretsmanager", "ssm", "vpc", "xray"})
"""Services of the catalogue whose causes strike any resource."""

SERVICES: dict[ResourceType, tuple[str, ...]] = {
    ResourceType.LAMBDA: ("lambda", "sqs"),
    ResourceType.REST_API: ("apigateway",),
    ResourceType.HTTP_API: ("apigateway",),
    ResourceType.API: ("apigateway",),
    ResourceType.STATE_MACHINE: ("stepfunctions", "lambda"),
    ResourceType.EXECUTION: ("stepfunctions", "lambda"),
    ResourceType.TABLE: ("dynamodb",),
    ResourceType.BUCKET: ("s3",),
    ResourceType.QUEUE: ("sqs", "lambda"),
    ResourceType.TOPIC: ("sns",),
    ResourceType.RULE: ("eventbridge", "lambda"),
    ResourceType.EVENT_BUS: ("eventbridge",),
    ResourceType.SCHEDULE: ("eventbridge", "lambda"),
    ResourceType.PIPE: ("eventbridge", "lambda"),
}
"""Whose causes a resource may turn out to have, by the catalogue's services."""


@probe(yields=(KnowledgePassage,), together=True)
def documents(look: Look) -> Iterator[Evidence]:
    """Searches the team's documents and the shipped runbooks for the errors, the alarm, the names and their causes."""
    yield from look.once(("documents",), lambda: tuple(_documents(look)))


def _documents(look: Look) -> Iterator[KnowledgePassage]:
    asked = question(look.seen, look.graph)
    services = ANYWHERE.union(*(SERVICES.get(node.type, ()) for node in look.graph.nodes))
    codes = [cause.code for cause in CAUSES.values() if cause.service in services]
    # Of what fits by its words only the team's own counts: a resource's name stands in a runbook by chance.
    fitting = look.library.search(asked.words, limit=MAX_HITS)
    about = look.library.search(asked.words, causes=codes, limit=0)
    own = [one for one in fitting if not one.shipped][:MAX_FITTING]
    own += [one for one in _one_each(about) if not one.shipped][:MAX_ABOUT]
    shipped = [one for one in _one_each(about) if one.shipped][:MAX_SHIPPED]
    return (_cited(one, asked, look.graph) for one in _distinct((*own, *shipped)))


def _distinct(passages: Iterable[Passage]) -> list[Passage]:
    """Return each section once, in the order of first mention."""
    unique: dict[tuple[str, str], Passage] = {}
    for one in passages:
        unique.setdefault((one.source, one.heading), one)
    return list(unique.values())


def _one_each(passages: Iterable[Passage]) -> list[Passage]:
    """Return one section of each document: the first that has any of the words, else where it says what to do."""
    best: dict[str, Passage] = {}
    for one in passages:
        known = best.get(one.source)
        if known is None or (not known.score and one.heading.endswith(ENTRY)):
            best[one.source] = one
    return list(best.values())


def _cited(passage: Passage, asked: Question, graph: ServiceGraph) -> KnowledgePassage:
    known = asked.codes if passage.shipped else (*asked.codes, *asked.resources)
    names = named_in(f"{passage.heading}\n{passage.text}", known)
    return KnowledgePassage(
        resource=_subject(passage.causes, names, graph),
        source="library:search",
        document=passage.source,
        heading=passage.heading,
        excerpt=excerpt(passage.text, (*names, *asked.words)),
        causes=passage.causes,
        link=passage.link,
        shipped=passage.shipped,
        names=names,
    )


def _subject(causes: Iterable[str], names: Iterable[str], graph: ServiceGraph) -> str:
    """Return the resource that a section is cited for: one it names, else one whose service it is about, else any."""
    services = {CAUSES[code].service for code in causes}
    named = set(names)

    def far(node: Resource) -> tuple[bool, bool, bool]:
        return not named & {node.name, node.title}, not services & set(SERVICES.get(node.type, ())[:1]), not node.arn

    return min(graph.nodes, key=far).id


@probe(read("bedrock-agent-runtime", "Retrieve"), yields=(KnowledgePassage,), together=True)
def knowledge_base(look: Look) -> Iterator[Evidence]:
    """Searches the team's Bedrock knowledge base in this Region for the same, where RCA_KNOWLEDGE_BASE_ID names one."""
    base = look.library.knowledge_base_id
    asked = question(look.seen, look.graph)
    if not base or not asked.words:
        return
    answer = look.aws.bedrock_agent_runtime.retrieve(
        knowledgeBaseId=base,
        retrievalQuery={"text": asked.sentence},
        retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": MAX_RETRIEVED}},
    )
    for result in answer.get("retrievalResults", [])[:MAX_RETRIEVED]:
        yield from _retrieved(result, asked, look.graph)


def _retrieved(
    result: "KnowledgeBaseRetrievalResultTypeDef", asked: Question, graph: ServiceGraph
) -> Iterator[KnowledgePassage]:
    """Yield a chunk as a passage; a chunk of Markdown is cited under its first heading."""
    place = _address(result)
    parts = read_document(result.get("content", {}).get("text") or "", name="").sections
    for part in parts[:1]:
        text = "\n".join(section.text for section in parts)
        yield _cited(
            Passage(source=place, heading=part.heading, text=text, score=0.0, causes=part.causes), asked, graph
        ).model_copy(update={"source": "bedrock:Retrieve"})


def _address(result: "KnowledgeBaseRetrievalResultTypeDef") -> str:
    """Return where a chunk comes from: the one address in its location, whatever kind of source that is."""
    places = (place for place in result.get("location", {}).values() if isinstance(place, dict))
    found = next(
        (str(place.get("uri") or place.get("url")) for place in places if place.get("uri") or place.get("url")), ""
    )
    return redact(clean(found))[:500] or "knowledge base"


PROBES: tuple[Probe, ...] = (documents, knowledge_base)
