"""The list of a group's alarms in its thread: one message, posted with the second alarm and edited as more come."""

import asyncio
import logging

from bot.blocks import alarms as lines
from bot.blocks.message import Message
from bot.outbox import Label, Outbox
from orchestrator.alarm_store import Alarms, Handling, Taken
from orchestrator.store import Investigation, MessageRole, Store

logger = logging.getLogger(__name__)

BETWEEN_SECONDS = 2.0
"""How often a list is edited at most, and looked for when another process posts it."""
LOOKS = 45
ALONE_AFTER = 15
"""Looks after which a list that another process should have posted is posted here, unless it is found in Slack."""


class GroupLists:
    """The lists, as far as this process shows them."""

    def __init__(self, alarms: Alarms, store: Store, outbox: Outbox) -> None:
        self._alarms = alarms
        self._store = store
        self._outbox = outbox
        self._due: set[str] = set()

    async def show(self, ident: str, *, first: bool = False) -> None:
        """Bring an investigation's list up to date soon; `first`: posting it is this process' turn."""
        if ident in self._due and not first:
            return
        for look in range(LOOKS):
            if look or not first:
                self._due.add(ident)
                await asyncio.sleep(BETWEEN_SECONDS)
                self._due.discard(ident)
            known, group = await self._store.get(ident), await self._alarms.of(ident)
            if known is None or len(group) < 2 or await self._shown(known, group, post=first or look >= ALONE_AFTER):
                return
        logger.error("investigation=<%s> | the list of its alarms could not be shown", ident)

    async def _shown(self, known: Investigation, group: tuple[Taken, ...], *, post: bool) -> bool:
        """Show the list; False when it has no place yet."""
        label = Label(investigation=known.id, role=MessageRole.ALARMS)
        where, root = known.messages.get(MessageRole.ALARMS), known.messages.get(MessageRole.ROOT)
        thread = known.trigger.thread or (root.ts if root else None)
        if where is not None:
            self._outbox.update(where, listed(group), label)
            return True
        if thread is None or not post:
            return False
        posted = await self._outbox.post(
            known.trigger.channel or "", listed(group), label, thread_ts=thread, maybe_since=known.accepted_at
        )
        await self._store.place(known.id, MessageRole.ALARMS, posted)
        return True


def name_of(taken: Taken) -> str:
    """Return what people call the group of an alarm: "lambda in eu-west-1"."""
    region = taken.notice.alarm.region
    return f"{taken.notice.service} in {region}" if region else taken.notice.service


def listed(group: tuple[Taken, ...]) -> Message:
    """Return the list; an alarm of a caller is told as such, because it is of another service."""
    first = group[0]
    members = [
        lines.Member(
            name=taken.notice.alarm.name,
            at=taken.notice.at,
            seconds=(taken.recovered_at - taken.notice.at).total_seconds() if taken.recovered_at else None,
            caller_of_root=taken.handling is Handling.ADOPTED,
        )
        for taken in group
    ]
    return lines.members(name_of(first), members, first.since or first.notice.at)
