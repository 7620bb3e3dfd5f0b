"""The reply of a specialist that found something."""

from inline_snapshot import snapshot

from bot.blocks.reply import reply
from domain.findings import Fact
from domain.result import SpecialistStatus
from tests.support import reports
from tests.support.slack import readable, refusals


def test_a_reply_says_each_thing_once():
    message = reply(reports.found_by_dynamodb())

    assert readable(message.blocks) == snapshot("""\
*dynamodb* `orders` uses all of its 5 write units a second and throttles the rest
• Consumed 5.0 of 5 WCU; it was 5 of 500 until 09:51
• PutItem failed with ProvisionedThroughputExceededException in this trace and 214 times since 09:53

~ 6 looks · 1.2 s\
""")
    assert message.text == snapshot("dynamodb: `orders` uses all of its 5 write units a second and throttles the rest")


def test_a_partial_reply_says_what_was_not_seen():
    event = reports.finished(
        "signal-analysis", "errors began at 09:54", SpecialistStatus.PARTIAL, 2.2, (reports.LOGS_DENIED,) * 3
    )

    assert readable(reply(event).blocks) == snapshot("""\
*signal-analysis* errors began at 09:54
:warning: error patterns of create-order: grant logs:StartQuery on the log group /aws/lambda/create-order

~ not everything could be seen · 3 looks · 2.2 s\
""")


def test_a_long_reply_is_cut_by_whole_statements():
    event = reports.found_by_dynamodb()
    facts = tuple(Fact(statement=f"{n} " + "<&>" * 400, evidence=("E-call",)) for n in range(30))
    message = reply(event.model_copy(update={"result": event.result.model_copy(update={"facts": facts})}))

    assert "_and 26 more in the report_" in readable(message.blocks)
    assert refusals(message) == ()
