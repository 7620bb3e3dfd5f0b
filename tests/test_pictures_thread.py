"""Pictures in the thread: after the report, together, once, and never in the way of anything."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import doctor
from bot.calls import slack_client
from bot.outbox import Outbox
from bot.pacing import Clock
from bot.pictures.render import Renderer
from bot.pictures.sample import SAMPLE
from bot.settings import Settings
from domain.pictures import Pictures
from domain.report import Report
from domain.request import Trigger, TriggerKind
from orchestrator.store import MessageRole
from sandbox.slack import SCOPES, LocalSlack, Message
from tests.support.bot import QUICK, TRACE, Running, ScriptedInvestigator, running_bot, utc_now, verdict

ALERTS, MIA = "C0ALERTS", "U0MIA"
PNG = b"\x89PNG\r\n\x1a\n"
QUICKLY = (sys.executable, "-c", """print('{"chart": "iVBORw0KGgo=", "waterfall": "iVBORw0KGgo="}')""")
"""Draws two PNGs of no size, at once."""


def illustrated(ident: str, trigger: Trigger) -> Report:
    return verdict(ident, trigger).model_copy(update={"pictures": SAMPLE})


def with_pictures(investigator: ScriptedInvestigator) -> None:
    investigator.conclude = illustrated


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack(rates=None) as running:
        yield running
        assert running.violations == []


async def thread_of(slack: LocalSlack, *, pictures: bool) -> list[Message]:
    def ended() -> list[Message] | None:
        for root in slack.messages(ALERTS):
            thread = slack.thread(ALERTS, root.ts)
            report = any("rca_evidence" in str(m.blocks) for m in thread)
            if report and any(m.body.get("files") for m in thread) >= pictures:
                return thread
        return None

    return await slack.wait_for(ended, timeout=30)


class Hasty(Clock):
    """A clock whose pauses are a twentieth as long."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 20)


def outbox_of(slack: LocalSlack, *command: str) -> Outbox:
    client = slack_client(slack.bot_token, slack.api_url)
    client.timeout = 1
    return Outbox(client, clock=Hasty(), pace=QUICK, renderer=Renderer(command or QUICKLY))


async def rooted(slack: LocalSlack) -> str:
    return (await slack.say(MIA, ALERTS, "orders fail")).ts


async def test_both_pictures_come_in_one_message_after_the_report(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path, prepare=with_pictures) as bot:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        thread = await thread_of(slack, pictures=True)
        (ident,) = [asked[0] for asked in bot.investigator.asked]

    assert "rca_evidence" in str(thread[-2].blocks)
    assert [f["alt_txt"] for f in thread[-1].body["files"]] == [p.alt for p in (SAMPLE.chart, SAMPLE.waterfall) if p]
    assert [f.title for f in slack.files] == ["Errors of sample", "Trace of a sample"]
    assert [f.name for f in slack.files] == [f"{ident}-metric.png", f"{ident}-trace.png"]
    assert all(f.data and f.data.startswith(PNG) for f in slack.files)
    assert len(slack.called("files.completeUploadExternal")) == 1


async def test_a_report_without_pictures_uploads_nothing(slack: LocalSlack, tmp_path: Path) -> None:
    async with running_bot(slack, tmp_path):
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await thread_of(slack, pictures=False)

    assert slack.called("files.getUploadURLExternal") == []


TROUBLE = (
    ("files.getUploadURLExternal", {"error": "missing_scope"}),
    ("files.getUploadURLExternal", {"status": 503}),
    ("files.completeUploadExternal", {"error": "internal_error"}),
    ("files.completeUploadExternal", {"drop": "before_accept"}),
)


@pytest.mark.parametrize(("method", "fault"), TROUBLE, ids=str)
async def test_an_upload_that_fails_leaves_the_report_as_it_is(
    slack: LocalSlack, tmp_path: Path, caplog: pytest.LogCaptureFixture, method: str, fault: dict[str, str]
) -> None:
    slack.fail(method, **fault)

    async with running_bot(slack, tmp_path, prepare=with_pictures) as bot:
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        thread = await thread_of(slack, pictures=False)
        await slack.wait_for(lambda: "uploaded" in caplog.text, timeout=30)
        investigation = await bot.store.get(bot.investigator.asked[0][0])

    assert "rca_evidence" in str(thread[-1].blocks)
    assert investigation is not None
    assert MessageRole.REPORT in investigation.messages
    assert [r.levelname for r in caplog.records if "uploaded" in r.getMessage()] == ["WARNING"]


async def test_a_renderer_that_hangs_delays_nothing(slack: LocalSlack, tmp_path: Path) -> None:
    outbox = outbox_of(slack, sys.executable, "-c", "import time; time.sleep(30)")
    showing = asyncio.create_task(outbox.show(SAMPLE, "INV-1", ALERTS, await rooted(slack)))
    async with running_bot(slack, tmp_path):
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await thread_of(slack, pictures=False)

    assert not showing.done()
    showing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await showing


async def test_pictures_that_cannot_be_drawn_are_told_in_the_log_only(
    slack: LocalSlack, caplog: pytest.LogCaptureFixture
) -> None:
    root = await rooted(slack)

    shown = await outbox_of(slack, sys.executable, "-c", "import sys; sys.exit('no font')").show(
        SAMPLE, "INV-1", ALERTS, root
    )

    assert not shown
    assert slack.called("files.getUploadURLExternal") == []
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        "investigation=<INV-1> | no pictures: the drawing process ended with 1: no font"
    ]


async def test_a_missing_scope_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with LocalSlack(rates=None, scopes=SCOPES - {"files:write"}) as slack:
        root, outbox = await rooted(slack), outbox_of(slack)
        shown = [await outbox.show(SAMPLE, f"INV-{n}", ALERTS, root) for n in range(3)]

    assert shown == [False] * 3
    assert len([r for r in caplog.records if "files:write" in r.getMessage()]) == 1


async def test_an_upload_that_slack_limits_is_made_when_slack_says(slack: LocalSlack) -> None:
    slack.fail("files.completeUploadExternal", error="ratelimited", times=2, retry_after=3)
    root = await rooted(slack)

    shown = await outbox_of(slack).show(SAMPLE, "INV-1", ALERTS, root)

    assert shown
    assert [len(m.body.get("files", [])) for m in slack.thread(ALERTS, root)] == [0, 2]


async def test_an_upload_whose_answer_is_lost_is_not_made_twice(slack: LocalSlack) -> None:
    slack.fail("files.completeUploadExternal", drop="after_accept")
    root = await rooted(slack)

    shown = await outbox_of(slack).show(SAMPLE, "INV-1", ALERTS, root)

    assert not shown
    assert [len(m.body.get("files", [])) for m in slack.thread(ALERTS, root)] == [0, 2]


async def test_uploads_take_their_turn_among_the_posts_of_a_channel(slack: LocalSlack) -> None:
    outbox = outbox_of(slack)
    turns: list[str] = []

    async def turn(channel: str) -> None:
        turns.append(channel)

    outbox._gallery._turn = turn
    await outbox.show(Pictures(chart=SAMPLE.chart), "INV-1", ALERTS, await rooted(slack))

    assert turns == [ALERTS]


async def test_flushing_waits_for_pictures(slack: LocalSlack) -> None:
    outbox, root = outbox_of(slack), await rooted(slack)
    showing = asyncio.create_task(outbox.show(SAMPLE, "INV-1", ALERTS, root))
    await asyncio.sleep(0)

    await outbox.flush()

    assert showing.done()
    assert len(slack.files) == 2


async def test_after_a_restart_a_told_report_shows_its_pictures_no_second_time(
    slack: LocalSlack, tmp_path: Path
) -> None:
    async with running_bot(slack, tmp_path, prepare=with_pictures):
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await thread_of(slack, pictures=True)
    async with running_bot(slack, tmp_path, prepare=with_pictures):
        await asyncio.sleep(1.5)

    assert len(slack.called("files.completeUploadExternal")) == 1


async def test_after_a_restart_an_untold_report_is_told_with_its_pictures(slack: LocalSlack, tmp_path: Path) -> None:
    async def accepted(bot: Running) -> str:
        trigger = Trigger(kind=TriggerKind.SLASH_COMMAND, text=TRACE, channel=ALERTS, user=MIA)
        found = await bot.store.accept("k", trigger, now=utc_now())
        assert found is not None
        await bot.store.finish(illustrated(found.id, trigger), None)
        return found.id

    async with running_bot(slack, tmp_path) as bot:
        ident = await accepted(bot)
    async with running_bot(slack, tmp_path):
        await thread_of(slack, pictures=True)

    assert [f.name for f in slack.files] == [f"{ident}-metric.png", f"{ident}-trace.png"]


@pytest.mark.parametrize(
    ("command", "good", "said"),
    [
        ((sys.executable, "-m", "bot.pictures"), True, "chart and waterfall can be drawn"),
        (("/nowhere",), False, "/nowhere does not start"),
    ],
    ids=["drawn", "broken"],
)
async def test_the_doctor_says_whether_pictures_can_be_drawn(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], good: bool, said: str
) -> None:
    monkeypatch.setattr(doctor, "Renderer", lambda: Renderer(command))

    found = [finding async for finding in doctor.CHECKS[-1](Settings.load())]

    assert [(f.good, f.subject, f.words.startswith(said)) for f in found] == [(good, "pictures", True)]


WHOLE_LIFE = """
import asyncio, json, pathlib, re, sys, tempfile
import bot.cli, bot.serve, bot.doctor
from specialists.registry import all_specialists
from tests.test_pictures_thread import ALERTS, MIA, thread_of, with_pictures
from tests.support.bot import TRACE, running_bot
from sandbox.slack import LocalSlack

async def life(home):
    async with LocalSlack(rates=None) as slack, running_bot(slack, home, prepare=with_pictures):
        await slack.command(MIA, ALERTS, "/rca", TRACE)
        await thread_of(slack, pictures=True)
    return len(slack.files)

all_specialists()
with tempfile.TemporaryDirectory() as home:
    files = asyncio.run(life(pathlib.Path(home)))
print(json.dumps({"files": files, "drawing": sorted(n for n in sys.modules if n.split(".")[0] in ("matplotlib", "PIL")),
                  "megabytes": int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024}))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own greatest memory")
def test_the_bot_never_loads_what_draws() -> None:
    done = subprocess.run([sys.executable, "-c", WHOLE_LIFE], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["files"] == 2
    assert seen["drawing"] == []
    assert seen["megabytes"] < 200
