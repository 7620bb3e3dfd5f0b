"""What AWS says of an alarm beside its investigation: how its metric is afterwards, and what stopped reporting."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from aws.errors import CALL_ERRORS, AccountUnusable
from aws.session import ReadSession
from domain.alarm import AlarmReference, AlarmTransition
from domain.gap import GapReason
from orchestrator.alarms import from_alarm, recheck
from orchestrator.alarms.metric import MetricSilence
from orchestrator.investigate import utc_now
from orchestrator.resolve import Where
from orchestrator.store import Store

logger = logging.getLogger(__name__)

THREADS = 4


class Aftercare:
    """Asks AWS in threads of its own, so that no investigation waits for it."""

    def __init__(self, session: ReadSession, store: Store, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._store = store
        self._clock = clock
        self._asking = ThreadPoolExecutor(THREADS, thread_name_prefix="rca-aftercare")
        self._looks = ThreadPoolExecutor(THREADS, thread_name_prefix="rca-aftercare-look")

    async def recheck(self, investigation_id: str, since: datetime) -> str:
        """Say how the metric of an investigation's alarm is after it went back to OK; "" where nothing tells."""
        bundle = await self._store.bundle(investigation_id)
        alarm = bundle.trigger.alarm if bundle else None
        if bundle is None or alarm is None:
            return ""
        seen = (e for e in bundle.loaded() if isinstance(e, AlarmTransition))
        transition = next((e for e in seen if e.name == alarm.name), None)
        return "" if transition is None else await self._ask(lambda: self._recheck(transition, since))

    async def silence(self, alarm: AlarmReference) -> str:
        """Say what stopped reporting, and since when; what cannot be asked is said to be so."""
        return await self._ask(lambda: self._silence(alarm))

    async def close(self) -> None:
        """Let go of the threads."""
        for pool in (self._asking, self._looks):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, ask: Callable[[], str]) -> str:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._asking, ask)
        except (AccountUnusable, *CALL_ERRORS) as error:
            logger.warning("error=<%s> | AWS could not be asked about an alarm", error)
            return ""

    def _recheck(self, transition: AlarmTransition, since: datetime) -> str:
        _, _, _, region, account, *_ = transition.resource.split(":")
        return recheck(self._session.clients(account, region), transition, since)

    def _silence(self, alarm: AlarmReference) -> str:
        account = alarm.account or self._session.home_account()
        where = Where(account, alarm.region or self._session.default_region())
        if not self._session.reachable(account):
            return f"account {account} cannot be read, so that nothing more is known than the message says"
        aws = self._session.clients(account, where.region)
        found = from_alarm(aws, alarm, where, self._clock(), self._looks)
        silences = [e.summary() for e in found.evidence if isinstance(e, MetricSilence)]
        gone = [g.message for g in found.gaps if g.reason is GapReason.NOT_FOUND]
        unseen = [g.message for g in found.gaps if g.reason is GapReason.ACCESS_DENIED]
        return " ".join(f"{said.rstrip('.')}." for said in (*silences[:2], *gone[:1], *unseen[:1]))
