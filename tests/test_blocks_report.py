"""The report as people read it, in every way an investigation ends, and within Slack's limits by construction."""

import pytest
from inline_snapshot import snapshot

from bot.blocks.limits import BLOCKS_BUDGET, blocks_size
from bot.blocks.report import model_use, report_messages
from domain.causes import cause
from domain.report import Report, Role, RunbookRef
from domain.usage import Usage
from tests.support import reports
from tests.support.slack import live, readable, refusals
from tests.test_blocks_hostile import BAITS


def shown(report: Report) -> str:
    """The report's messages as text."""
    return "\n\n==== next message\n\n".join(readable(message.blocks) for message in report_messages(report))


def test_the_incident_reads_from_verdict_to_buttons():
    assert shown(reports.incident()) == snapshot("""\
:red_circle: *DynamoDB table `orders` — provisioned read or write capacity is exceeded*
root cause, 92 % · severity high

*Why we think so*
1. `orders` uses all of its 5 write units a second and throttles the rest [E1, E2, E3]
2. Consumed 5.0 of 5 WCU; it was 5 of 500 until 09:51 [E2]
3. PutItem failed with ProvisionedThroughputExceededException in this trace and 214 times since 09:53 [E1, E3]
4. Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot, 2 min before the first throttle; nothing else changed [E4]

*Impact* 48 % of the requests to API `orders-api` fail (about 54 a minute) [E5, E7]; failing with it: `orders-api` and `create-order`; `invoice-worker` reads what it writes and will follow

*Timeline* (UTC)
09:51 `orders`: UpdateTable 500 → 5 WCU by deploy-bot [E4]
09:53 first throttled write of `orders` [E3]
09:54 `create-order` starts to fail [E5]
09:55 `orders-api` answers 5xx, the alarm goes off [E7]

*Symptoms*
• Lambda function `create-order` — the code raises an exception that nothing handles, explained by `orders` [E5]

*Ruled out*
• IAM role `create-order-role` — an identity policy explicitly denies the call, but dynamodb:PutItem on `orders` is allowed; the same call succeeded 231 times [E8]

*Could not check*
• error patterns of create-order: grant `logs:StartQuery` on the log group /aws/lambda/create-order

----

*What to do*

1. *Restore `orders` to 500 WCU* — ends the throttling in about a minute [E2, E4]
     low risk · reversible

[Review -> rca_action_review=INV-7F3K:0] [Dismiss -> rca_action_dismiss=INV-7F3K:0]

2. *Switch `orders` to on-demand* — ends this throttling and the next one; costs more at steady load [E2]
     medium risk · reversible

[Review -> rca_action_review=INV-7F3K:1] [Dismiss -> rca_action_dismiss=INV-7F3K:1]

----

[Evidence -> rca_evidence=INV-7F3K] [Why this verdict -> rca_why=INV-7F3K] [Could not check -> rca_gaps=INV-7F3K] [Ask -> rca_question=INV-7F3K] [Run again -> rca_run_again=INV-7F3K]

~ Was this right?

[Exact -> rca_grade_exact=INV-7F3K] [One hop short -> rca_grade_one_hop_short=INV-7F3K] [Right area -> rca_grade_right_area=INV-7F3K] [Wrong -> rca_grade_wrong=INV-7F3K]

~ `INV-7F3K` · 6.1 s · 22 looks by 6 specialists · 31 AWS calls · no model used · <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html|what AWS says about it>\
""")


def test_the_notification_says_the_verdict():
    assert [message.text for message in report_messages(reports.incident())] == snapshot(
        [
            "DynamoDB table `orders` — provisioned read or write capacity is exceeded (92 %). `orders` uses all of its 5 write units a second and throttles the rest. Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot, 2 min before the first throttle; nothing else changed. `create-order` and `orders-api` are symptoms."
        ]
    )


def test_an_inconclusive_report_names_what_fits_and_the_look_that_would_tell():
    assert shown(reports.inconclusive()) == snapshot("""\
:grey_question: *Something is failing in Lambda function `pay-invoice`, but the evidence does not decide*
2 causes fit, none well enough: the subnets have no route to what is called (46 %); invocations run into the function timeout (41 %).
*The look that would tell* Who changed `pay-invoice` in the last hour is unknown: grant `cloudtrail:LookupEvents`, or check whether Timeout changed.

*What fits*
1. Lambda function `pay-invoice` — the subnets have no route to what is called (46 %)
     `pay-invoice` may not reach api.stripe.com from all of its subnets [E1]
2. Lambda function `pay-invoice` — invocations run into the function timeout (41 %)
     The function's time-out of 3 s is too short for what it calls [E1, E2]

*Impact* a traced request failed; no metric tells how many others do

----

[Evidence -> rca_evidence=INV-7F3M] [Why this verdict -> rca_why=INV-7F3M] [Could not check -> rca_gaps=INV-7F3M] [Ask -> rca_question=INV-7F3M] [Run again -> rca_run_again=INV-7F3M]

~ Was this right?

[Exact -> rca_grade_exact=INV-7F3M] [One hop short -> rca_grade_one_hop_short=INV-7F3M] [Right area -> rca_grade_right_area=INV-7F3M] [Wrong -> rca_grade_wrong=INV-7F3M]

~ `INV-7F3M` · 6.1 s · 14 looks by 4 specialists · 31 AWS calls · no model used\
""")


def test_a_healthy_report_is_short():
    assert shown(reports.healthy()) == snapshot("""\
:large_green_circle: *Nothing wrong found here*
The trace is healthy: 3 segments, 11 subsegments, 212 ms; 8 of 8 calls succeeded. Checked: 4 specialists, 14 looks. Failing traces nearby: `1-6740a0ff-1234567890abcdef12345678`.

----

[Evidence -> rca_evidence=INV-7F3H] [Ask -> rca_question=INV-7F3H] [Run again -> rca_run_again=INV-7F3H]

~ Was this right?

[Exact -> rca_grade_exact=INV-7F3H] [One hop short -> rca_grade_one_hop_short=INV-7F3H] [Right area -> rca_grade_right_area=INV-7F3H] [Wrong -> rca_grade_wrong=INV-7F3H]

~ `INV-7F3H` · 2.4 s · 17 looks by 4 specialists · 14 AWS calls · no model used\
""")


def test_a_failed_report_says_what_to_do_and_asks_for_no_grade():
    assert shown(reports.failed()) == snapshot("""\
:x: *The investigation failed: AWS refused the credentials (`ExpiredToken`)*
Renew the bot's role or session, then run it again.

----

[Run again -> rca_run_again=INV-7F3L]

~ `INV-7F3L` · 0.4 s\
""")


def test_a_partial_report_says_what_to_grant():
    text = shown(reports.partial())

    assert text[text.index("*Could not check*") : text.index("\n\n----")] == snapshot("""\
*Could not check*
• error patterns of create-order: grant `logs:StartQuery` on the log group /aws/lambda/create-order
• The inline policies of the role are unknown. Grant `iam:GetRolePolicy` for IAM role `create-order-role`.
• Whether `orders` can be restored to a point in time is unknown. Grant `dynamodb:DescribeContinuousBackups` for DynamoDB table `orders`.
• Time ran out before the endpoints were read; run it again.
_+2 more in Could not check_\
""")
    assert text.rsplit("\n\n", 1)[1] == snapshot(
        "~ `INV-7F3K` · 6.1 s · 23 looks by 7 specialists · 44 AWS calls · 2 model calls, 3,210 tokens, $0.01 · <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html|what AWS says about it>"
    )


def test_every_statement_of_the_verdict_cites_evidence():
    reasons = shown(reports.incident()).split("*Why we think so*\n")[1].split("\n\n")[0].split("\n")

    assert [line for line in reasons if not line.endswith("]")] == []


def test_evidence_that_no_fact_states_is_shown_itself():
    bare = tuple(s.model_copy(update={"facts": ()}) for s in reports.SPECIALISTS)

    assert "\n3. write capacity: 5.0 of 5 units a second used since 09:53 [E2]\n" in shown(
        reports.incident(specialists=bare)
    )


def test_two_roots_of_about_equal_weight_are_both_named():
    rival = reports.OTHERS[1].model_copy(update={"role": Role.CONTRIBUTING, "explained_by": None})
    text = shown(reports.incident(hypotheses=(reports.THROTTLED, rival)))

    assert "root cause, 92 % · severity high · 1 contributing factor" in text
    assert (
        "*Contributing*\n• Lambda function `create-order` — the code raises an exception that nothing handles (60 %)"
        in text
    )


def test_without_actions_the_advice_is_what_to_do():
    text = shown(reports.incident(proposed_actions=()))

    assert f"*What to do*\n• {cause('ddb-provisioned-exceeded').remedy} [E1]" in text


def test_a_cause_that_this_version_does_not_know_is_shown_by_its_code():
    unknown = reports.OTHERS[1].model_copy(update={"cause": "from-a-later-version", "resource": "service:checkout"})

    assert "• service `checkout` — from-a-later-version" in shown(
        reports.incident(hypotheses=(reports.THROTTLED, unknown))
    )


@pytest.mark.parametrize(
    "make", [reports.incident, reports.inconclusive, reports.healthy, reports.failed, reports.partial, reports.huge]
)
def test_slack_takes_every_report(make):
    messages = report_messages(make())

    assert [refusals(message) for message in messages if refusals(message)] == []
    assert max(blocks_size(message.blocks) for message in messages) <= BLOCKS_BUDGET


def test_usual_reports_are_one_message():
    made = (reports.incident(), reports.inconclusive(), reports.healthy(), reports.failed(), reports.partial())

    assert [len(report_messages(report)) for report in made] == [1, 1, 1, 1, 1]


def test_a_huge_report_goes_on_in_few_messages_and_counts_what_it_leaves_out():
    messages = report_messages(reports.huge())
    text = shown(reports.huge())

    assert 1 < len(messages) <= 3
    assert messages[1].text.endswith("(continued)")
    assert [line for line in text.split("\n") if line.startswith("_+")] == snapshot(
        [
            "_+1 more in Evidence_",
            "_+194 more in Evidence_",
            "_+27 more in Why this verdict_",
            "_+27 more in Why this verdict_",
            "_+27 more in Why this verdict_",
            "_+27 more in Why this verdict_",
            "_+146 more in Could not check_",
            "_+34 more of lower rank_",
        ]
    )


def test_the_buttons_stand_at_the_end():
    last = report_messages(reports.huge())[-1]

    assert [block["type"] for block in last.blocks[-5:]] == ["divider", "actions", "context", "actions", "context"]


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (Usage(), "no model used"),
        (
            Usage(model_calls=1, input_tokens=900, output_tokens=100, usd=0.002),
            "1 model call, 1,000 tokens, under $0.01",
        ),
        (Usage(model_calls=2, input_tokens=3000, output_tokens=210, usd=0.0142), "2 model calls, 3,210 tokens, $0.01"),
        (Usage(model_calls=2, input_tokens=10, usd=None), "2 model calls, 10 tokens, price unknown"),
    ],
)
def test_what_models_took_is_told(usage: Usage, said: str):
    assert model_use(usage) == said


def test_a_dismissed_step_is_struck_out_and_has_no_buttons_left() -> None:
    report = reports.incident()

    (shown,) = report_messages(report, frozenset({report.proposed_actions[0].id}))

    assert "· dismissed" in str(shown.blocks)
    assert str(shown.blocks).count("rca_action_dismiss") == len(report.proposed_actions) - 1


DOCS = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html"


def small_print(*runbooks: RunbookRef) -> str:
    (shown,) = report_messages(reports.incident().model_copy(update={"runbooks": runbooks}))
    return readable(shown.blocks[-1:])


def test_the_small_print_ends_with_the_runbooks():
    own = RunbookRef(title="Orders", source="docs/orders.md", heading="Orders > Capacity", evidence="E-1")
    ours = RunbookRef(
        title="DynamoDB throttling", source="x.md", heading="DynamoDB throttling", link=DOCS, evidence="E-2"
    )

    assert small_print(own, ours) == snapshot(
        "~ `INV-7F3K` · 6.1 s · 22 looks by 6 specialists · 31 AWS calls · no model used · runbook: docs/orders.md: Orders &gt; Capacity · runbook: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html|DynamoDB throttling>"
    )


@pytest.mark.parametrize(
    "link", ["https://wiki.example.com/orders", "javascript:alert(1)", "https://docs.aws.amazon.com@evil.example/"]
)
def test_a_runbooks_link_to_anywhere_else_is_not_live(link: str):
    shown = small_print(
        RunbookRef(title="Orders", source="docs/orders.md", heading="Orders", link=link, evidence="E-1")
    )

    assert shown.endswith("runbook: docs/orders.md: Orders")


@pytest.mark.parametrize("bait", BAITS)
def test_nothing_that_a_document_says_comes_alive(bait: str):
    runbook = RunbookRef(title=bait, source=bait, heading=f"{bait} > {bait}", link=bait, evidence="E-1")

    assert live(small_print(runbook)) == []
    assert live(small_print(runbook.model_copy(update={"link": DOCS}))) == []
