"""Why a message started an investigation or did not, in words: for `rca doctor --message`."""

from collections.abc import Collection, Iterator
from typing import Any

from bot.alarms.flatten import Origin
from bot.alarms.keys import Fact
from bot.alarms.verdict import EVERY_APP, AlarmPolicy, Case, case_of, judgement
from domain.alarm import AlarmState
from orchestrator.texts import first_object

MAX_PASTED = 1_000_000
SHOWN: tuple[tuple[Fact, str], ...] = (
    (Fact.NAME, "alarm"),
    (Fact.STATE, "state"),
    (Fact.AT, "since"),
    (Fact.REGION, "Region"),
    (Fact.ACCOUNT, "account"),
    (Fact.REASON, "reason"),
    (Fact.DESCRIPTION, "description"),
    (Fact.NAMESPACE, "namespace"),
    (Fact.METRIC, "metric"),
    (Fact.DIMENSIONS, "dimensions"),
    (Fact.LINK, "link"),
)
EXPECTED = frozenset({Fact.NAME, Fact.STATE, Fact.AT, Fact.REGION, Fact.ACCOUNT})
"""What is said to be missing where a post does not tell it."""


def explain(text: str, policy: AlarmPolicy = EVERY_APP, own_bot: Collection[str] = ()) -> str:
    """Tell what would become of a pasted event or message (JSON), and which part of it told what."""
    event = pasted_event(text)
    if event is None:
        return (
            "This is not the JSON of a message. Paste an event as Slack sends it, or a message as "
            "conversations.history returns it.\n"
        )
    return "".join(f"{line}\n" for line in _lines(case_of(event, own_bot, policy)))


def pasted_event(text: str) -> dict[str, Any] | None:
    """Return the event in a pasted text, None where there is no JSON object in it."""
    found = first_object(text[:MAX_PASTED])
    return _event(found[0]) if found else None


def _event(data: dict[str, Any]) -> dict[str, Any]:
    """Take the event out of a Socket Mode envelope, and the message out of an answer of conversations.history."""
    if isinstance(data.get("payload"), dict):
        data = data["payload"]
    messages = data.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        data = messages[0]
    elif "type" not in data and isinstance(data.get("message"), dict):
        data = data["message"]
    return data if "type" in data else {**data, "type": "message"}


def _lines(case: Case) -> Iterator[str]:
    judged, post, facts = judgement(case), case.post, case.reading.facts
    yield f"{'It starts an investigation' if judged.starts else 'It starts nothing'}: {judged.why}."
    yield f"It was posted by {post.sender or post.app or post.bot or post.user or 'nobody known'}" + (
        f" in {post.channel}." if post.channel else "; it does not say in which channel."
    )
    yield f"Read as: {case.reading.format}; texts from {', '.join(_origins(case)) or 'nowhere'}."
    for fact, name in SHOWN:
        if fact in facts:
            yield f"  {name:<12} {_shown(facts[fact].value)}  ({facts[fact].source})"
        elif fact in EXPECTED:
            yield f"  {name:<12} not told"
    for doubt in case.reading.doubt:
        yield f"  also said    {_shown(doubt.value)}  ({doubt.source})"


def _origins(case: Case) -> list[str]:
    present = {origin.value for origin, _ in case.post.texts}
    return [*(origin.value for origin in Origin if origin.value in present), *(["fields"] if case.post.fields else [])]


def _shown(value: Any) -> str:
    if isinstance(value, AlarmState):
        return value.value
    if isinstance(value, dict):
        return ", ".join(f"{key}={worth}" for key, worth in value.items())
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
