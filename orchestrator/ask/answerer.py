"""Answers questions about stored investigations: by rules, and in a model's words where there is one."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from domain.inquiry import Answer, Inquiry
from domain.report import Report, ReportStatus
from domain.usage import Usage
from orchestrator.ask.about import About
from orchestrator.ask.advised import advised
from orchestrator.ask.answer import told
from orchestrator.ask.further import Further, LookAgain
from orchestrator.ask.record import Record
from orchestrator.reason import Asking
from orchestrator.store import Store, StoredBundle
from specialists.contract import Specialist

logger = logging.getLogger(__name__)


def nobody(_: Usage) -> Asking | None:
    """Ask no model."""
    return None


class Answerer:
    """Answers from what the store has of an investigation.

    `asking` gives whom to ask, with the budget that is left after what the investigation has used; `look_again` makes
    further looks of the `specialists`, None where none may be made.
    """

    def __init__(
        self,
        store: Store,
        asking: Callable[[Usage], Asking | None] = nobody,
        specialists: Sequence[Specialist] = (),
        look_again: LookAgain | None = None,
    ) -> None:
        self._store = store
        self._asking = asking
        self._specialists = tuple(specialists)
        self._look_again = look_again

    async def answer(self, inquiry: Inquiry) -> tuple[Report, Answer] | None:
        """Return the report and the answer; None while there is no report."""
        report = await self._store.report(inquiry.investigation_id)
        if report is None:
            return None
        bundle = await self._store.bundle(inquiry.investigation_id)
        record = await asyncio.to_thread(_record, report, bundle)
        answer = await self._answered(inquiry.text, record, bundle)
        logger.info(
            "investigation=<%s>, lines=<%d>, looks=<%d>, by=<%s> | question answered",
            inquiry.investigation_id,
            len(answer.lines),
            answer.looks,
            answer.origin,
        )
        return report, answer

    async def _answered(self, question: str, record: Record, bundle: StoredBundle | None) -> Answer:
        plain = Answer(lines=await asyncio.to_thread(told, question, record))
        report = record.report
        used = report.usage + await self._store.spent_on_answers(report.investigation_id)
        asking = self._asking(used) if report.status is not ReportStatus.FAILED else None
        if asking is None:
            return plain
        about, further = await asyncio.to_thread(About.of, question, record), None
        if bundle is not None and self._look_again is not None:
            further = Further(bundle, self._specialists, self._look_again)
        return await advised(about, plain, asking, further)


def _record(report: Report, bundle: StoredBundle | None) -> Record:
    return Record(report, None if bundle is None else bundle.loaded())
