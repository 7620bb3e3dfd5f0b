"""Segment documents to a tree of nodes.

What real documents teach: segments arrive unordered; a document may be sent twice (in progress, then complete); a
subsegment may be sent on its own and belongs under its parent; an inferred segment repeats its caller's subsegment.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.awserrors import error_code
from domain.trace import TracedError
from domain.values import from_epoch
from orchestrator.texts import read_json

MAX_DEPTH = 64
MAX_MESSAGE = 2_000
UNNAMED = "unnamed"
FAILED_FROM = 400
FAILED_TRY = "aws.http.error.event"
"""The type that the collector's exporter gives to each failed try of an SDK's call, also where a later one succeeds."""


@dataclass(eq=False)
class Node:
    """One segment or subsegment.

    `server` are the segments that other services sent for this call, `caller` the call that a segment was sent for.
    `failed_below` says that something under it failed, in its own documents or at the other side of its calls.
    """

    id: str
    name: str
    document: dict[str, Any]
    segment: bool
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    server: list["Node"] = field(default_factory=list)
    caller: "Node | None" = None
    failed_below: bool = False

    @property
    def aws(self) -> dict[str, Any]:
        """The aws block."""
        return _block(self.document, "aws")

    @property
    def request(self) -> dict[str, Any]:
        """The http.request block."""
        return _block(_block(self.document, "http"), "request")

    @property
    def http_status(self) -> int | None:
        """The status of the http.response block."""
        status = _block(_block(self.document, "http"), "response").get("status")
        return status if isinstance(status, int) and 100 <= status <= 999 else None

    @property
    def origin(self) -> str:
        """The type of AWS resource that the segment ran on or infers."""
        return _text(self.document.get("origin"))

    @property
    def namespace(self) -> str:
        """aws or remote for a call that leaves the program, else empty or local."""
        return _text(self.document.get("namespace"))

    @property
    def inferred(self) -> bool:
        """Whether X-Ray made this segment up from a caller's subsegment."""
        return self.document.get("inferred") is True

    @property
    def repeats_its_caller(self) -> bool:
        """Whether it only repeats, from the other side, a call that the caller's own subsegment already tells."""
        return self.inferred and self.caller is not None

    @property
    def is_call(self) -> bool:
        """Whether it is a call that leaves the program."""
        return not self.segment and self.namespace in {"aws", "remote"} and not self.carries

    @property
    def carries(self) -> bool:
        """Whether it is the HTTP request of an SDK's call, which OpenTelemetry may tell by itself below the call."""
        if self.segment or self.namespace != "remote":
            return False
        above = self.parent
        while above is not None and not above.segment and above.namespace != "aws":
            above = above.parent
        return above is not None and above.namespace == "aws"

    @property
    def is_lost_call(self) -> bool:
        """Whether it is a call that was sent on its own and whose caller never came."""
        return self.segment and self.document.get("type") == "subsegment" and self.namespace in {"aws", "remote"}

    @property
    def start(self) -> datetime:
        """When it began, UTC; when its parent did if it does not say."""
        at = _number(self.document.get("start_time"))
        if at is None and self.parent is not None:
            return self.parent.start
        return from_epoch(at or 0.0)

    @property
    def seconds(self) -> float | None:
        """How long it took; None when it has no end."""
        start, end = _number(self.document.get("start_time")), _number(self.document.get("end_time"))
        return None if start is None or end is None else round(max(0.0, end - start), 6)

    @property
    def flags(self) -> tuple[bool, bool, bool]:
        """Error, fault, throttle."""
        return (
            self.document.get("error") is True,
            self.document.get("fault") is True,
            self.document.get("throttle") is True,
        )

    @property
    def failed(self) -> bool:
        """Whether it failed, by its own flags, its own exceptions or its HTTP status."""
        return any(self.flags) or bool(self.errors) or (self.http_status or 0) >= 400

    @property
    def errors(self) -> tuple[TracedError, ...]:
        """Its own exceptions. A cause that is a string only points at a child's exception."""
        return tuple(_traced_error(e) for e in self.exceptions)

    @property
    def exceptions(self) -> list[dict[str, Any]]:
        """Its own exceptions, as the document has them; what single tries met only where nothing else is told."""
        final = [e for e in self._raised if e.get("type") != FAILED_TRY]
        return final if final or self._succeeded else self._raised

    @property
    def failed_tries(self) -> int:
        """How many tries of a call failed before one succeeded, as OpenTelemetry tells each of them."""
        return sum(1 for e in self._raised if e.get("type") == FAILED_TRY) if self._succeeded else 0

    @property
    def told(self) -> dict[str, Any]:
        """What a collector keeps of a span's attributes; in annotations it may write an underscore for each dot."""
        found = {**_block(_block(self.document, "metadata"), "default"), **_block(self.document, "annotations")}
        return {key.replace(".", "_"): value for key, value in found.items()}

    @property
    def _raised(self) -> list[dict[str, Any]]:
        found = _block(self.document, "cause").get("exceptions")
        return [e for e in found if isinstance(e, dict)] if isinstance(found, list) else []

    @property
    def _succeeded(self) -> bool:
        return not any(self.flags) and 200 <= (self.http_status or 0) < FAILED_FROM

    def walk(self) -> Iterator["Node"]:
        """Yield this node and everything below it in its own documents, in their order."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo.extend(reversed(node.children))

    @property
    def owner(self) -> "Node":
        """The segment it belongs to."""
        node = self
        while node.parent is not None and not node.segment:
            node = node.parent
        return node


@dataclass(frozen=True)
class TraceTree:
    """All segments of one trace, their ids, and how many documents could not be read."""

    trace_id: str
    segments: tuple[Node, ...]
    by_id: dict[str, Node]
    unreadable: int

    def nodes(self) -> Iterator[Node]:
        """Yield every segment and subsegment."""
        for segment in self.segments:
            yield from segment.walk()


def read_documents(trace_id: str, documents: Iterable[str]) -> TraceTree:
    """Read a trace's documents; what is no segment by X-Ray's schema is counted and left out, never guessed at."""
    best: dict[str, dict[str, Any]] = {}
    unreadable = 0
    for position, text in enumerate(documents):
        document = read_json(text)
        if not isinstance(document, dict) or _number(document.get("start_time")) is None:
            unreadable += 1
            continue
        key = _text(document.get("id")) or f"document-{position}"
        if key not in best or _completeness(document) > _completeness(best[key]):
            best[key] = document
    by_id: dict[str, Node] = {}
    tops = [_node(document, key, None, by_id, 0) for key, document in sorted(best.items())]
    segments = [node for node in tops if not _adopt(node, by_id)]
    _connect(segments, by_id)
    ordered = sorted(segments, key=lambda n: (n.start, n.inferred, n.id))
    return TraceTree(trace_id=trace_id, segments=tuple(ordered), by_id=by_id, unreadable=unreadable)


def _connect(segments: Iterable[Node], by_id: dict[str, Node]) -> None:
    """Join segments to the calls they answer, and tell everything above a failure that it lies below."""
    for segment in segments:
        parent = by_id.get(_text(segment.document.get("parent_id")))
        if parent is not None and parent.owner is not segment:
            parent.server.append(segment)
            segment.caller = parent
    for segment in segments:
        for node in segment.walk():
            counts = node.failed and not node.repeats_its_caller and not node.carries
            above = (node.parent or node.caller) if counts else None
            while above is not None and not above.failed_below:
                above.failed_below = True
                above = above.parent or above.caller


def _completeness(document: dict[str, Any]) -> tuple[bool, int]:
    """A document with an end is newer than one in progress; of two alike the richer one stays."""
    return (_number(document.get("end_time")) is not None, len(document))


def _node(document: dict[str, Any], key: str, parent: Node | None, by_id: dict[str, Node], depth: int) -> Node:
    node = Node(
        id=key,
        name=_text(document.get("name"))[:250] or UNNAMED,
        document=document,
        segment=parent is None,
        parent=parent,
    )
    by_id.setdefault(key, node)
    inner = document.get("subsegments")
    if isinstance(inner, list) and depth < MAX_DEPTH:
        for position, child in enumerate(inner):
            if isinstance(child, dict):
                child_key = _text(child.get("id")) or f"{key}.{position}"
                node.children.append(_node(child, child_key, node, by_id, depth + 1))
    return node


def _adopt(node: Node, by_id: dict[str, Node]) -> bool:
    """Put a subsegment that was sent on its own under its parent; False when the parent never came."""
    parent = by_id.get(_text(node.document.get("parent_id")))
    if node.document.get("type") != "subsegment" or parent is None or not _may_hold(parent, node):
        return False
    if all(child.id != node.id for child in parent.children):
        parent.children.append(node)
    node.parent, node.segment = parent, False
    return True


def _may_hold(parent: Node, node: Node) -> bool:
    """Whether the node can stand there: not under itself, and not deeper than documents go."""
    above: Node | None = parent
    for _ in range(MAX_DEPTH):
        if above is None or above is node:
            return above is None
        above = above.parent
    return False


def _traced_error(exception: dict[str, Any]) -> TracedError:
    kind = _text(exception.get("type")) or "Exception"
    message = _text(exception.get("message"))[:MAX_MESSAGE]
    stack = exception.get("stack")
    first = stack[0] if isinstance(stack, list) and stack and isinstance(stack[0], dict) else None
    line = first.get("line") if first else None
    frame = (
        f"{_text(first.get('path'))}:{line if isinstance(line, int) else '?'} in {_text(first.get('label'))}"
        if first
        else None
    )
    return TracedError(
        type=kind[:250],
        message=message,
        code=error_code(kind, message),
        remote=exception.get("remote") is True,
        frame=frame[:MAX_MESSAGE] if frame else None,
    )


def _block(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11
    return float(value) if usable else None
