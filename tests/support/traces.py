"""Segment documents for tests: compact, with X-Ray's field names."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from domain.trace import TraceCall, TraceSegment
from orchestrator.trace.documents import read_documents
from orchestrator.trace.naming import Home
from orchestrator.trace.reading import TraceReading, read_trace

TRACE = "1-6740a1b2-1234567890abcdef12345678"
ACCOUNT, REGION = "123456789012", "eu-west-1"
HOME = Home(ACCOUNT, REGION)
START = 1795169000.0
REAL = Path(__file__).parent.parent / "data" / "xray"
_ids = itertools.count(1)


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def document(name: str, /, *inside: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A finished segment or subsegment; `inside` are its subsegments."""
    own = {"id": f"{next(_ids):016x}", "name": name, "start_time": START, "end_time": START + 0.5, "trace_id": TRACE}
    return {**own, **({"subsegments": list(inside)} if inside else {}), **fields}


def function(name: str, *inside: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Lambda function's own segment."""
    aws = {"function_arn": arn("lambda", f"function:{name}"), "account_id": ACCOUNT}
    return document(name, *inside, origin="AWS::Lambda::Function", aws=aws, **fields)


def call(service: str, operation: str, *, status: int | None = 200, aws: Any = None, **fields: Any) -> dict[str, Any]:
    """An SDK's subsegment of a call to AWS."""
    http = {} if status is None else {"http": {"response": {"status": status}}}
    return document(
        service, namespace="aws", aws={"operation": operation, "region": REGION, **(aws or {})}, **http, **fields
    )


def put_item(table: str = "orders", **fields: Any) -> dict[str, Any]:
    return call("DynamoDB", "PutItem", aws={"table_name": table}, **fields)


def raised(kind: str, message: str, **fields: Any) -> dict[str, Any]:
    """A cause with one exception."""
    return {"exceptions": [{"id": f"{next(_ids):016x}", "type": kind, "message": message, **fields}]}


def read_all(documents: Iterable[Any], home: Home = HOME) -> TraceReading:
    texts = [d if isinstance(d, str) else json.dumps(d) for d in documents]
    reading = read_trace(read_documents(TRACE, texts), home)

    assert reading is not None
    return reading


def read(*documents: Any) -> TraceReading:
    return read_all(documents)


def read_real(name: str, home: Home = HOME) -> TraceReading:
    (path,) = REAL.glob(f"{name}*.json")
    trace = json.loads(path.read_text())["Trace"]
    return read_all([segment["Document"] for segment in trace["Segments"]], home)


def calls(reading: TraceReading) -> list[TraceCall]:
    return [e for e in reading.evidence if isinstance(e, TraceCall)]


def segments(reading: TraceReading) -> list[TraceSegment]:
    return [e for e in reading.evidence if isinstance(e, TraceSegment)]


def nodes(reading: TraceReading) -> list[str]:
    return [node.id for node in reading.graph.nodes]


def edges(reading: TraceReading) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in reading.graph.edges]


def origins(reading: TraceReading) -> set[str]:
    """The resources where the failure began."""
    return {e.resource for e in reading.evidence if isinstance(e, TraceCall | TraceSegment) and e.failed and e.origin}
