"""One exchange with a model, which always ends in time and never in an exception."""

import asyncio
import logging

from domain.gap import GapReason
from reasoning.contract import AnswerT, Budget, Question, Reasoner, Reply

logger = logging.getLogger(__name__)

GRACE_SECONDS = 0.5


async def exchange(reasoner: Reasoner, question: Question[AnswerT], budget: Budget) -> Reply[AnswerT]:
    """Ask, and hold the reasoner to its promise to come back in time and to raise nothing."""
    task = asyncio.ensure_future(reasoner.ask(question, budget))
    try:
        done, _ = await asyncio.wait({task}, timeout=question.seconds + GRACE_SECONDS)
    finally:
        task.cancel()
    if not done:
        return Reply(None, problem="the model did not answer in time", reason=GapReason.TIMED_OUT)
    error = task.exception()
    if error is not None:
        logger.error("who=<%s> | the question broke", question.who, exc_info=error)
        return Reply(None, problem=f"the question broke ({type(error).__name__})", reason=GapReason.FAILED)
    return task.result()
