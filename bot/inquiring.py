"""Which words are a question about a report, and which ask for an investigation. The intake asks before the ack."""

import re
from collections.abc import Callable
from datetime import datetime

from bot.asking import Asked
from bot.blocks.ids import QUESTION_INPUT, QUESTION_VIEW, referred
from bot.blocks.views import said_in
from bot.payloads import id_of
from domain.inquiry import Inquiry
from domain.redaction import clean, redact
from domain.report import Report
from domain.request import Request, Trigger, TriggerKind
from domain.values import JsonObject
from orchestrator.ask.answer import LONGEST
from orchestrator.store import Investigation, MessageRef, MessageRole, State, Store
from orchestrator.texts import plain

FORGOTTEN = "I do not know that investigation any more. Ask again with `/rca` and the trace id."
NOTHING_ASKED = "Ask in words, for example “why not the database?” or “what did you check?”."

BEGINS_AS_QUESTION = re.compile(
    r"^\W*(?:but\s+|and\s+|so\s+|ok\s+)?(?:why|who|when|what|how|where|which|since|explain"
    r"|(?:is|isn['’]?t|was|wasn['’]?t|could|couldn['’]?t|can|might)\s+(?:it|this|that)|(?:did|do|are|were)\s+you)\b",
    re.IGNORECASE,
)
IN_WORDS = re.compile(r"^[^\s{\[]\S*\s+\S|\?$")
"""More than one word, or one with a question mark: what is neither and names nothing is a slip of the keyboard."""


class Inquiries:
    """Finds what a question is about, and writes it down. `now` returns UTC."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def mentioned(self, key: str, body: JsonObject, trigger: Trigger, request: Request | None) -> Asked | None:
        """Take on what a mention in an investigation's thread asks; None when it asks for an investigation.

        `request` is what the words would have investigated, None where they name nothing.
        """
        if trigger.kind is not TriggerKind.MENTION or not trigger.thread or (body.get("event") or {}).get("bot_id"):
            return None
        if request is not None and not _may_be_question(request, trigger.text):
            return None
        about = await self._about(MessageRef(channel=trigger.channel or "", ts=trigger.thread))
        if about is None or not await self._is_question(request, trigger.text, about):
            return None
        return await self._take(key, trigger, about)

    async def submitted(self, key: str, body: JsonObject) -> Asked | None:
        """Take on what was written into the form of the [Ask] button; None for any other delivery."""
        if not is_question_form(body):
            return None
        view, user = body["view"], id_of(body.get("user"))
        pointed = referred(str(view.get("private_metadata") or ""))
        about = await self._store.get(pointed.investigation_id) if pointed else None
        text = said_in(view, QUESTION_INPUT)
        root = about.messages.get(MessageRole.ROOT) if about else None
        trigger = Trigger(
            kind=TriggerKind.MENTION,
            text=text,
            user=user,
            channel=about.trigger.channel if about else None,
            thread=(about.trigger.thread or (root.ts if root else None)) if about else None,
        )
        if about is None or not (trigger.channel and trigger.thread):
            return Asked(trigger, unusable=FORGOTTEN)
        return await self._take(key, trigger, about, named=True) if text else Asked(trigger, unusable=NOTHING_ASKED)

    async def _about(self, thread: MessageRef) -> Investigation | None:
        """Return the newest investigation of a thread that is concluded, else the newest."""
        there = await self._store.in_thread(thread)
        return next((each for each in there if each.state is State.FINISHED), there[0] if there else None)

    async def _is_question(self, request: Request | None, text: str, about: Investigation) -> bool:
        if BEGINS_AS_QUESTION.search(text):
            return True
        if request is None:
            return bool(IN_WORDS.search(text.strip()))
        report = await self._store.report(about.id)
        return report is not None and {target.name.lower() for target in request.targets} <= _names(report)

    async def _take(self, key: str, trigger: Trigger, about: Investigation, *, named: bool = False) -> Asked:
        inquiry = Inquiry(
            key=key,
            investigation_id=about.id,
            text=redact(clean(plain(trigger.text)))[:LONGEST],
            user=trigger.user or "",
            channel=trigger.channel or "",
            thread=trigger.thread or "",
            named=named,
            asked_at=self._now(),
        )
        return Asked(trigger, inquiry=inquiry if await self._store.inquire(inquiry) else None)


def is_question_form(body: JsonObject) -> bool:
    """Whether the delivery is the submitted form of the [Ask] button."""
    return body.get("type") == "view_submission" and (body.get("view") or {}).get("callback_id") == QUESTION_VIEW


def _may_be_question(request: Request, text: str) -> bool:
    """Names alone may be part of a question; an id, an ARN, an alarm or a time asks for an investigation."""
    exact = request.trace_ids or request.resources or request.alarm or request.window
    return not exact and bool(BEGINS_AS_QUESTION.search(text) or text.rstrip().endswith("?"))


def _names(report: Report) -> set[str]:
    """Return what the resources of a report are called, lower case."""
    known = (*report.service_graph.nodes, *report.affected_resources)
    return {name.lower() for resource in known for name in (resource.name, resource.title)}
