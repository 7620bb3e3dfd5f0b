"""The root message: what was asked, then what came of it."""

from functools import reduce

import pytest
from inline_snapshot import snapshot

from bot.blocks.board import Board, advanced
from bot.blocks.root import concluded, looking, queued, recovered
from domain.report import Report
from domain.request import Trigger, TriggerKind
from tests.support import reports
from tests.support.slack import readable, refusals


def test_while_looking_it_says_what_where_and_how_far():
    board = reduce(advanced, reports.course(), Board())

    assert readable(looking(board).blocks) == snapshot("""\
:mag: `/rca 1-6740a1b2-1234567890abcdef12345678` · asked by <@U02MIA7>
API `orders-api` · `eu-west-1` · 20 Nov 09:52–09:56 UTC
_looking: 6 specialists, 4 done_\
""")
    assert looking(board).text == snapshot("Looking: 6 specialists, 4 done")


def test_before_anything_is_known_it_says_what_was_asked():
    assert readable(looking(reduce(advanced, reports.course()[:1], Board())).blocks) == snapshot("""\
:mag: `/rca 1-6740a1b2-1234567890abcdef12345678` · asked by <@U02MIA7>
`eu-west-1`
_looking: the trace_\
""")
    assert readable(looking(Board()).blocks) == snapshot("""\
:mag: looking
_looking: the trace_\
""")


def test_a_queue_is_told():
    assert readable(queued(reports.TRIGGER, 3).blocks) == snapshot("""\
:hourglass_flowing_sand: `/rca 1-6740a1b2-1234567890abcdef12345678` · asked by <@U02MIA7>
_queued, 3 ahead_\
""")
    assert queued(reports.TRIGGER, 0).text == "Investigation queued, next in line"


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        (
            reports.incident(),
            snapshot("""\
:red_circle: *DynamoDB table `orders` — provisioned read or write capacity is exceeded* (92 %)
`orders` uses all of its 5 write units a second and throttles the rest. Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot, 2 min before the first throttle; nothing else changed. `create-order` and `orders-api` are symptoms.
6.1 s · 6 of 6 specialists · report in the thread\
"""),
        ),
        (
            reports.inconclusive(),
            snapshot("""\
:grey_question: *Something is failing in Lambda function `pay-invoice`, but the evidence does not decide*
2 causes fit, none well enough: the subnets have no route to what is called (46 %); invocations run into the function timeout (41 %). Who changed `pay-invoice` in the last hour is unknown: grant cloudtrail:LookupEvents, or check whether Timeout changed.
6.1 s · 4 of 4 specialists · report in the thread\
"""),
        ),
        (
            reports.healthy(),
            snapshot("""\
:large_green_circle: *Nothing wrong found here*
The trace is healthy: 3 segments, 11 subsegments, 212 ms; 8 of 8 calls succeeded. Checked: 4 specialists, 14 looks. Failing traces nearby: `1-6740a0ff-1234567890abcdef12345678`.
2.4 s · 4 of 4 specialists · report in the thread\
"""),
        ),
        (
            reports.failed(),
            snapshot("""\
:x: *The investigation failed: AWS refused the credentials (`ExpiredToken`)*
Renew the bot's role or session, then run it again.
Nothing was lost: `INV-7F3L`\
"""),
        ),
        (
            reports.partial(),
            snapshot("""\
:red_circle: *DynamoDB table `orders` — provisioned read or write capacity is exceeded* (92 %)
`orders` uses all of its 5 write units a second and throttles the rest. Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot, 2 min before the first throttle; nothing else changed. `create-order` and `orders-api` are symptoms.
6.1 s · 6 of 7 specialists · report in the thread\
"""),
        ),
    ],
    ids=["incident", "inconclusive", "healthy", "failed", "partial"],
)
def test_the_verdict_is_read_without_opening_the_thread(report: Report, shown: str):
    assert readable(concluded(report).blocks) == shown


def test_a_recovery_leads_the_headline():
    message = recovered(concluded(reports.incident()), 720, "`orders` WriteThrottleEvents is back at 0 since 10:07")
    shown = readable(message.blocks)

    assert shown.startswith(":white_check_mark: recovered after 12 min · :red_circle: *DynamoDB table `orders`")
    assert shown.endswith("\n`orders` WriteThrottleEvents is back at 0 since 10:07")
    assert message.text.startswith("recovered after 12 min · DynamoDB table")
    assert refusals(message) == ()


@pytest.mark.parametrize(
    ("kind", "user", "shown"),
    [
        (TriggerKind.SLASH_COMMAND, "U02MIA7", "`/rca x` · asked by <@U02MIA7>"),
        (TriggerKind.MENTION, "W02MIA7", "`x` · asked by <@W02MIA7>"),
        (TriggerKind.RERUN, "U02MIA7", "`x` · run again · asked by <@U02MIA7>"),
        (TriggerKind.ALARM_POST, "U02MIA7", "`x` · from the alarm"),
        (TriggerKind.EVENTBRIDGE, "U02MIA7", "`x` · from an event"),
        (TriggerKind.MENTION, "!channel", "`x`"),
        (TriggerKind.MENTION, "U02MIA7> <!here", "`x`"),
        (TriggerKind.CLI, None, "`x` · from the command line"),
    ],
)
def test_only_a_person_known_by_slacks_id_is_named(kind: TriggerKind, user: str | None, shown: str):
    message = queued(Trigger(kind=kind, text="x", user=user), 1)

    assert readable(message.blocks).split("\n")[0] == f":hourglass_flowing_sand: {shown}"


def test_a_trigger_without_words_is_an_investigation():
    assert ":hourglass_flowing_sand: an investigation" in readable(
        queued(Trigger(kind=TriggerKind.MENTION, text=" "), 1).blocks
    )


def test_the_longest_verdict_fits_an_edit():
    assert refusals(concluded(reports.huge())) == ()
