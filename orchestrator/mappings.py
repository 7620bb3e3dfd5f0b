"""Event source mappings: the queues and streams that feed functions, which no trace shows as calls.

Lambda's own poller reads the source, so that the trace of the run begins at the function. Where the graph shows who
called a function, its mappings cannot have brought this request, and it is not asked about: a request that came
through an API costs no look here. All looks are made at once, so that they take the time of one:
https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html

Nobody reads most dead-letter queues. What fails is whoever reads the queues that the messages came from:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListDeadLetterSourceQueues.html
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextvars import copy_context
from typing import TYPE_CHECKING, NamedTuple

from aws.clients import Clients
from aws.errors import CALL_ERRORS, classify, unusable
from aws.reads import read
from aws.session import ReadSession
from domain.gap import Gap, GapReason
from domain.graph import Edge, ServiceGraph
from domain.resource import Resource, ResourceType, resource_from_arn
from orchestrator.fetch import gap_of

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        EventSourceMappingConfigurationTypeDef,
        ListEventSourceMappingsResponseTypeDef,
    )

LIST = read("lambda", "ListEventSourceMappings")
READS = (LIST, read("sqs", "GetQueueUrl"), read("sqs", "ListDeadLetterSourceQueues"))
MAX_LOOKS = 12
MAX_SOURCES = 3
"""How many queues are followed whose failed messages one dead-letter queue keeps."""

MAX_NEW = 5
"""How many resources one look may add: each of them is looked at by specialists."""

MAX_QUALIFIERS = 2
POLLED = frozenset({ResourceType.QUEUE, ResourceType.STREAM})
"""What is asked for its readers by its own ARN; a table's stream has an ARN that the table's does not tell."""


class Fed(NamedTuple):
    """The graph with what feeds its functions; an edge without calls is such a feed."""

    graph: ServiceGraph
    gaps: tuple[Gap, ...]


class _Question(NamedTuple):
    """One look: the node it is about, what Lambda is asked for, and whether the node may be a dead-letter queue."""

    node: Resource
    asked: dict[str, str]
    dead_letters: bool = False


class _Answer(NamedTuple):
    """The mappings of a node, and of the queues that it keeps the failed messages of."""

    of: Resource
    mappings: "ListEventSourceMappingsResponseTypeDef"


def ask(graph: ServiceGraph, session: ReadSession, pool: Executor) -> Callable[[], Fed]:
    """Begin all looks in the pool; return what waits for them.

    Waiting raises botocore's errors where nothing at all can be read.
    """
    questions = [q for q in _questions(graph) if session.reachable(q.node.account)][:MAX_LOOKS]
    asking = [(q, pool.submit(copy_context().run, _answer, session, q)) for q in questions]

    def answers() -> Fed:
        more, gaps = graph, []
        for question, future in asking:
            try:
                # A full pool never gets to it: every thread of it may be a discovery that waits here.
                found = _answer(session, question) if future.cancel() else future.result()
            except CALL_ERRORS as error:
                gaps += _gap(question.node, error)
                continue
            for answer in found:
                more, left_out = _with(more, answer.of, answer.mappings)
                gaps += left_out
        return Fed(more, tuple(gaps))

    return answers


def _questions(graph: ServiceGraph) -> Iterator[_Question]:
    for node in graph.nodes:
        if node.type is ResourceType.LAMBDA and not graph.callers(node.id):
            # Lambda lists the mappings of an alias or version only under its own name.
            called = [f"{node.name}:{q}" for q in node.qualifiers if q != "$LATEST"][:MAX_QUALIFIERS]
            yield from (_Question(node, {"FunctionName": name}) for name in (node.name, *called))
        elif node.type in POLLED and not graph.callees(node.id):
            asked_about = node.type is ResourceType.QUEUE and not graph.callers(node.id)
            yield _Question(node, {"EventSourceArn": node.id}, dead_letters=asked_about)


def _answer(session: ReadSession, question: _Question) -> list[_Answer]:
    clients = session.clients(question.node.account, question.node.region)
    own = clients.lambda_.list_event_source_mappings(**question.asked)  # type: ignore[arg-type]
    if own.get("EventSourceMappings") or not question.dead_letters:
        return [_Answer(question.node, own)]
    sources = _sources(clients, question.node)
    return [_Answer(s, clients.lambda_.list_event_source_mappings(EventSourceArn=s.id)) for s in sources]


def _sources(clients: Clients, queue: Resource) -> list[Resource]:
    """Return the queues of the same account and Region whose failed messages come to this one."""
    url = clients.sqs.get_queue_url(QueueName=queue.name, QueueOwnerAWSAccountId=queue.account)["QueueUrl"]
    urls = clients.sqs.list_dead_letter_source_queues(QueueUrl=url).get("queueUrls", [])
    names = sorted(found.rstrip("/").rsplit("/", 1)[-1] for found in urls)
    return [resource_from_arn(f"{queue.id.rsplit(':', 1)[0]}:{name}") for name in names[:MAX_SOURCES]]


def _gap(node: Resource, error: Exception) -> list[Gap]:
    """Say what stays unknown; that the node does not exist, the specialists tell."""
    if unusable(error):
        raise error
    if classify(error).reason is GapReason.NOT_FOUND:
        return []
    operation = getattr(error, "operation_name", "")
    action = next((known.action for known in READS if known.operation == operation), LIST.action)
    return [gap_of("mappings", node.id, error, action)]


def _with(
    graph: ServiceGraph, node: Resource, answer: "ListEventSourceMappingsResponseTypeDef"
) -> tuple[ServiceGraph, list[Gap]]:
    """Add the mappings' other ends: those that the graph knows, and a few new ones."""
    pairs = {pair for mapping in answer.get("EventSourceMappings", []) for pair in _ends(mapping)}
    own = sorted((pair for pair in pairs if node.id in {end.id for end in pair}), key=lambda p: (p[0].id, p[1].id))
    new = [pair for pair in own if any(graph.node(end.id) is None for end in pair)]
    kept = [pair for pair in own if pair not in new[MAX_NEW:]]
    larger = graph.with_nodes(end for pair in kept for end in pair)
    fed = larger.with_edges(Edge(source=source.id, target=function.id) for source, function in kept)
    unread = answer.get("NextMarker")
    if len(new) <= MAX_NEW and not unread:
        return fed, []
    total = f"{'more than ' if unread else ''}{len(own)}"
    message = f"{node.name} has {total} event source mappings: only {len(kept)} of them were followed; name the others"
    return fed, [Gap(specialist="trace", probe="mappings", resource=node.id, reason=GapReason.NO_DATA, message=message)]


def _ends(mapping: "EventSourceMappingConfigurationTypeDef") -> Iterator[tuple[Resource, Resource]]:
    """Yield (source, function); a Kafka of one's own has no ARN and is left to the function's specialist."""
    try:
        source = resource_from_arn(mapping.get("EventSourceArn", ""))
        function = resource_from_arn(mapping.get("FunctionArn", ""))
    except ValueError:
        return
    # A stream's label is no version of its table.
    yield source.model_copy(update={"qualifiers": ()}), function
