"""Numbers: ten thousand deliveries to two processes, and a hundred alarms within a minute at Slack's own pace."""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

from bot.pacing import Pace
from domain.progress import Progress
from sandbox.slack import Attempt, Delivery, LocalSlack, Message, Timing
from tests.support.bot import Running, ScriptedInvestigator, running_bot
from tests.support.watching import ALERTS, q_post, rings, shown, utc_now
from tests.support.worker import worker

EVENTS, DELIVERIES, AT_ONCE = 100, 10_000, 60


async def test_ten_thousand_deliveries_of_a_hundred_alarms_to_two_processes_are_a_hundred_investigations(
    tmp_path: Path,
) -> None:
    settings = {"RCA_GROUP_MINUTES": "0", "RCA_MAX_PER_HOUR": "1000", "RCA_MAX_CONCURRENT": "32"}
    async with (
        LocalSlack(rates=None, timing=Timing(retries=(0.2, 0.5, 1.0))) as slack,
        worker(slack, tmp_path, http=False, name="socket", **settings) as (_, by_socket),
        worker(slack, tmp_path, http=True, name="http", **settings) as (port, by_http),
    ):
        slack._requests.url = f"http://127.0.0.1:{port}/slack/events"
        deliveries = [_delivery(slack, number) for number in range(EVENTS)]
        waiting = deliveries * (DELIVERIES // EVENTS)
        random.Random(7).shuffle(waiting)
        attempts = await _sent(slack, waiting)
        await slack.wait_for(lambda: len(_lines(by_socket) + _lines(by_http)) >= EVENTS, timeout=60)
        await asyncio.sleep(0.5)
        asked = _lines(by_socket) + _lines(by_http)

        assert len(attempts) == DELIVERIES
        assert Counter(attempt.error for attempt in attempts) == {None: DELIVERIES}
        assert len(asked) == len(set(asked)) == EVENTS
        assert min(len(_lines(by_socket)), len(_lines(by_http))) > 0, "both processes took part"
        assert _count(tmp_path, "investigations") == EVENTS
        assert _count(tmp_path, "alarms") == EVENTS


def _delivery(slack: LocalSlack, number: int) -> Delivery:
    """An event as Slack delivers it, about a post of its own."""
    slack._events = frozenset()
    post = slack.world.post(slack._room(ALERTS), {"user": "UQ", "bot_id": "BQ", "app_id": "AQ", **_told(number)})
    event = {**post.body, "type": "message", "channel": ALERTS, "channel_type": "channel", "event_ts": post.ts}
    team = slack.world.workspace.team
    body = {
        "type": "event_callback",
        "event_id": f"Ev{number:06}",
        "team_id": team,
        "api_app_id": "A0RCA",
        "event": event,
    }
    return Delivery("events_api", body)


def _told(number: int) -> dict[str, object]:
    return q_post(f"service{number}-errors", at=utc_now())


async def _sent(slack: LocalSlack, waiting: list[Delivery]) -> list[Attempt]:
    """Send all of it, every other one over each of the two ways."""
    done: list[Attempt] = []
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, delivery: Delivery) -> None:
        carrier = slack.sockets if number % 2 else slack._requests
        async with turns:
            attempt = Attempt(number % 4, "http_timeout" if number % 4 else "", time.time())
            await carrier.carry(delivery, attempt, 3.0)
        done.append(attempt)

    await asyncio.gather(*(one(number, delivery) for number, delivery in enumerate(waiting)))
    return done


def _lines(path: Path) -> list[str]:
    return path.read_text().split()


def _count(directory: Path, table: str) -> int:
    with sqlite3.connect(directory / "rca.sqlite3") as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - the names above


SERVICES = ("orders", "billing", "search", "mail", "login", "stock")
ALARMS, OVER_SECONDS = 100, 20.0


class SlowInvestigator(ScriptedInvestigator):
    """Its specialists answer after two seconds."""

    async def investigate(self, investigation_id, trigger, request, listen):
        def late(event: Progress) -> None:
            listen(event)

        await asyncio.sleep(2)
        return await super().investigate(investigation_id, trigger, request, late)


async def test_a_hundred_alarms_are_a_few_investigations_and_every_one_is_acknowledged_at_slacks_pace(
    tmp_path: Path,
) -> None:
    async with (
        LocalSlack() as slack,
        running_bot(slack, tmp_path, drain=0.5, pace=Pace(), investigators=SlowInvestigator) as bot,
    ):
        began = time.monotonic()
        posts = []
        for number in range(ALARMS):
            posts.append(await rings(slack, f"{SERVICES[number % 6]}-alarm-{number}"))
            await asyncio.sleep(OVER_SECONDS / ALARMS)
        firsts = posts[:6]
        await slack.wait_for(lambda: all(_reported(slack, post) for post in firsts), timeout=90 - OVER_SECONDS)
        reported = time.monotonic() - began
        await slack.wait_for(lambda: not _unacknowledged(slack, posts), timeout=60)

        assert len(bot.investigator.asked) == 6
        assert [call.method for call in slack.calls if call.status == 429] == []
        assert reported < 90
        assert _counted(bot, slack, firsts) == ALARMS


def _reported(slack: LocalSlack, post: Message) -> bool:
    return "rca_run_again" in str([m.blocks for m in slack.thread(ALERTS, post.ts)])


def _unacknowledged(slack: LocalSlack, posts: list[Message]) -> list[str]:
    """The alarms that neither their own thread nor a group's list tells of."""
    lists = "\n".join(shown(slack, post) for post in posts[:6])
    return [
        name
        for number, post in enumerate(posts)
        if f"`{(name := f'{SERVICES[number % 6]}-alarm-{number}')}`" not in lists
        and not slack.thread(ALERTS, post.ts)[1:]
    ]


def _counted(bot: Running, slack: LocalSlack, firsts: list[Message]) -> int:
    """The alarms that the groups' lists count in all."""
    heads = (m.text for post in firsts for m in slack.thread(ALERTS, post.ts) if " alarms of " in m.text)
    return sum(int(head.split()[0]) for head in heads)
