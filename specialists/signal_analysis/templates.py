"""Error lines clustered into templates, so that a thousand lines become the few things that they say.

Drain, an online parser with a tree of fixed depth: He et al., "Drain: An Online Log Parsing Approach with Fixed Depth
Tree", ICWS 2017. Nothing is kept between two calls.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from specialists.kit.loglines import LogEvent

LOOKS_WRONG = re.compile(
    r"\b(?:ERROR|FATAL|CRITICAL|PANIC|Traceback|[Uu]nhandled|[Uu]ncaught|\w*Exception|\w+Error)\b"
    r"|Task timed out|Runtime exited|Process exited before|panic:|\"level\": ?\"(?:error|fatal|critical)\"",
)
"""What tells an error line, whatever the runtime: Lambda's own words, levels, exceptions."""

MASKS = (
    (r"arn:aws[a-z-]*:[^\s\"',]+", "arn"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?", "time"),
    (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "id"),
    (r"\b1-[0-9a-f]{8}-[0-9a-f]{24}\b", "id"),
    (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "address"),
    (r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{12,}\b", "id"),
    (r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])", "number"),
)
"""Variable parts that need no example to be known as such, most telling first: pattern, and the word in its place."""

MAX_LINE = 400
MAX_TEMPLATE = 200
MAX_SAMPLE = 300
MAX_CLUSTERS = 200
DEPTH, SIMILARITY = 4, 0.5


class Template(NamedTuple):
    """Lines that differ in their variable parts only: how many in the window and before it, the window's first."""

    text: str
    lines: int
    before: int
    first_at: datetime
    sample: str


def looks_wrong(message: str) -> bool:
    """Tell an error line."""
    return LOOKS_WRONG.search(message) is not None


def templates(window: Sequence[LogEvent], before: Iterable[LogEvent]) -> list[Template]:
    """Cluster both, and return the window's templates, the most frequent first."""
    from drain3 import TemplateMiner  # type: ignore[import-untyped]  # noqa: PLC0415 - few investigations need it
    from drain3.masking import MaskingInstruction  # type: ignore[import-untyped]  # noqa: PLC0415
    from drain3.template_miner_config import TemplateMinerConfig  # type: ignore[import-untyped]  # noqa: PLC0415

    config = TemplateMinerConfig()
    config.drain_depth, config.drain_sim_th, config.drain_max_clusters = DEPTH, SIMILARITY, MAX_CLUSTERS
    config.masking_instructions = [MaskingInstruction(pattern, word) for pattern, word in MASKS]
    miner = TemplateMiner(config=config)
    known = [int(miner.add_log_message(said(event.message))["cluster_id"]) for event in before]
    found = [int(miner.add_log_message(said(event.message))["cluster_id"]) for event in window]
    texts = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
    grouped: dict[int, list[LogEvent]] = {}
    for number, event in zip(found, window, strict=True):
        grouped.setdefault(number, []).append(event)
    told = (
        Template(
            text=texts.get(number, said(events[0].message))[:MAX_TEMPLATE],
            lines=len(events),
            before=known.count(number),
            first_at=min(event.at for event in events),
            sample=said(events[0].message)[:MAX_SAMPLE],
        )
        for number, events in grouped.items()
    )
    return sorted(told, key=lambda template: (-template.lines, template.first_at, template.text))


def said(message: str) -> str:
    """Return what a log line says in one line: the message of a JSON record, the first lines of a stack trace."""
    text = message.strip()
    if text.startswith("{"):
        text = _of_record(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:1] if len(lines) < 2 or len(lines[0]) > MAX_LINE // 4 else lines[:2])[:MAX_LINE]


def _of_record(text: str) -> str:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(record, dict):
        return text
    words = [str(record[key]) for key in ("level", "errorType", "message", "msg", "errorMessage") if record.get(key)]
    return " ".join(dict.fromkeys(words)) or text
