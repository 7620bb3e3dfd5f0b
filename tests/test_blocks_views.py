"""What the buttons open."""

import json

import pytest
from inline_snapshot import snapshot

from bot.blocks import ids
from bot.blocks.limits import Surface, violations
from bot.blocks.views import ask_view, evidence_view, gaps_view, graded_view, review_view, said_in, why_view
from bot.blocks.views.gaps import policies
from domain.gap import GapReason
from tests.support import reports
from tests.support.slack import readable


def test_evidence_is_numbered_as_cited_and_linked():
    assert readable(evidence_view(reports.incident())["blocks"]) == snapshot("""\
*E1* DynamoDB PutItem failed: ProvisionedThroughputExceededException The level of configured provisioned throughput for the table was exceeded.

~ DynamoDB table `orders` · `xray:BatchGetTraces` · 20 Nov 09:54 UTC · <https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/1-6740a1b2-1234567890abcdef12345678|open in the console> · *decisive*

*E2* write capacity: 5.0 of 5 units a second used since 09:53

~ DynamoDB table `orders` · `cloudwatch:GetMetricData` · 20 Nov 09:53 UTC · <https://eu-west-1.console.aws.amazon.com/dynamodbv2/home?region=eu-west-1#table?name=orders|open in the console> · *decisive*

*E3* 214 throttled writes between 09:53 and 09:56, none in the 3 h before

~ DynamoDB table `orders` · `cloudwatch:GetMetricData` · 20 Nov 09:53 UTC · *decisive*

*E4* UpdateTable by deploy-bot: WriteCapacityUnits 500 → 5

~ DynamoDB table `orders` · `cloudtrail:LookupEvents` · 20 Nov 09:51 UTC · <https://eu-west-1.console.aws.amazon.com/cloudtrail/home?region=eu-west-1#/events?ReadOnly=false|open in the console>

*E5* 48 % of invocations failed, 0 % in the 3 h before

~ Lambda function `create-order` · `cloudwatch:GetMetricData` · 20 Nov 09:54 UTC

*E6* code and configuration unchanged for 9 days

~ Lambda function `create-order` · `lambda:GetFunctionConfiguration` · at the time of the look

*E7* 5XXError 54 a minute since 09:55

~ API `orders-api` · `cloudwatch:GetMetricData` · 20 Nov 09:55 UTC

*E8* dynamodb:PutItem on `orders` is allowed; the same call succeeded 231 times

~ IAM role `create-order-role` · `iam:SimulatePrincipalPolicy` · at the time of the look

----

~ 8 observations · page 1 of 1 · `INV-7F3K`\
""")


def test_evidence_is_paged():
    report = reports.huge()
    first, second, beyond = (evidence_view(report, page) for page in (0, 1, 999))

    assert readable(first["blocks"]).endswith("[Next -> rca_evidence_next=INV-7F3K:1]")
    assert readable(second["blocks"][:1]).startswith("*E16* ")
    assert "[Previous -> rca_evidence_previous=INV-7F3K:0] [Next -> rca_evidence_next=INV-7F3K:2]" in readable(
        second["blocks"]
    )
    assert beyond["private_metadata"] == "INV-7F3K:26"


def test_without_evidence_the_modal_says_so():
    assert readable(evidence_view(reports.failed())["blocks"]) == snapshot("""\
This investigation brought no evidence. *Could not check* says what was in the way.

----

~ 0 observations · page 1 of 1 · `INV-7F3L`\
""")


def test_why_shows_each_hypothesis_with_what_speaks_for_and_against_it():
    assert readable(why_view(reports.incident())["blocks"]) == snapshot("""\
*DynamoDB table `orders` — provisioned read or write capacity is exceeded*

----

:dart: *root cause*, 92 % — DynamoDB table `orders` — provisioned read or write capacity is exceeded
`orders` uses all of its 5 write units a second and throttles the rest
*for* [E1, E2, E3]   *against* –

~ by dynamodb · since 20 Nov 09:53 UTC · `ddb-provisioned-exceeded`

----

:zap: *trigger*, 81 % — DynamoDB table `orders` — a recent change broke it
Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot, 2 min before the first throttle; nothing else changed
*for* [E4]   *against* –

~ by change-intelligence · since 20 Nov 09:51 UTC · set off `ddb-provisioned-exceeded` at `orders` · `deploy-regression`

----

:arrow_heading_up: *symptom*, 60 % — Lambda function `create-order` — the code raises an exception that nothing handles
`create-order` does not catch the table's throttle
*for* [E5]   *against* –

~ by lambda · since 20 Nov 09:54 UTC · explained by `ddb-provisioned-exceeded` at `orders` · `lambda-unhandled-exception`

----

:heavy_multiplication_x: *ruled out*, 4 % — IAM role `create-order-role` — an identity policy explicitly denies the call
A policy of the role denies writing to the table
*for* [E1]   *against* [E8]

~ by iam · `iam-explicit-deny-identity`

----

~ Confidence is computed: from how strong the evidence is, from where the resource stands in the failing path (a fault further down explains the one above it), from the order in time, and from a change shortly before.\
""")


def test_gaps_come_with_a_policy_to_copy():
    assert readable(gaps_view(reports.partial())["blocks"]) == snapshot("""\
error patterns of create-order: grant `logs:StartQuery` on the log group /aws/lambda/create-order

~ signal-analysis · error_patterns · :lock: access denied

The inline policies of the role are unknown. Grant `iam:GetRolePolicy` for IAM role `create-order-role`.

~ iam · role_policies · :lock: access denied

Whether `orders` can be restored to a point in time is unknown. Grant `dynamodb:DescribeContinuousBackups` for DynamoDB table `orders`.

~ dynamodb · table · :lock: access denied

Time ran out before the endpoints were read; run it again.

~ vpc · endpoints · :stopwatch: timed out

There is no earlier incident to compare with.

~ historical-incident · similar · :white_circle: no data

AWS throttled the look at concurrency; run it again in a minute.

~ lambda · concurrency · :snail: throttled by AWS

----

*To close the denied ones*, add this to the policy of the bot's role. All of it only reads; `*` stands where the permission is not one on the resource that was looked at.

```
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "logs:StartQuery",
      "Resource": "*"
    },
    {
      "Effect": "Allow",
      "Action": "dynamodb:DescribeContinuousBackups",
      "Resource": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
    },
    {
      "Effect": "Allow",
      "Action": "iam:GetRolePolicy",
      "Resource": "arn:aws:iam::123456789012:role/create-order-role"
    }
  ]
}
```\
""")


def test_without_gaps_the_modal_says_so():
    assert readable(gaps_view(reports.healthy())["blocks"]) == "Everything that was asked for was seen."


@pytest.mark.parametrize(
    ("action", "resource", "granted_on"),
    [
        ("dynamodb:DescribeTable", reports.TABLE, reports.TABLE),
        ("dynamodb:DescribeLimits", reports.TABLE, "*"),
        ("lambda:GetFunctionConfiguration", reports.FUNCTION, reports.FUNCTION),
        ("lambda:ListEventSourceMappings", reports.FUNCTION, "*"),
        ("logs:StartQuery", reports.FUNCTION, "*"),
        ("cloudwatch:GetMetricData", reports.TABLE, "*"),
        ("ec2:DescribeSubnets", "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-1", "*"),
        ("dynamodb:DescribeTable", "remote:api.stripe.com", "*"),
    ],
)
def test_a_permission_is_limited_where_iam_can_limit_it(action: str, resource: str, granted_on: str):
    gap = reports.LOGS_DENIED.model_copy(update={"action": action, "resource": resource})
    (document,) = policies([gap])

    assert json.loads(document) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": granted_on}],
    }


@pytest.mark.parametrize("action", ["sts:AssumeRole", "dynamodb:UpdateTable", "iam:PassRole", "*", "s3:*", ""])
def test_nothing_but_reads_is_offered_to_copy(action: str):
    gap = reports.LOGS_DENIED.model_copy(update={"action": action, "message": "unreachable"})

    assert "Version" not in readable(gaps_view(reports.incident(gaps=(gap,)))["blocks"])


def test_a_long_policy_is_whole_documents():
    tables = [f"{reports.TABLE}-{n}" for n in range(60)]
    denied = [
        reports.LOGS_DENIED.model_copy(update={"action": "dynamodb:DescribeTable", "resource": t}) for t in tables
    ]
    documents = [json.loads(document) for document in policies(denied)]

    assert len(documents) > 1
    assert sorted(s["Resource"] for d in documents for s in d["Statement"]) == sorted(tables)


def test_a_review_shows_the_exact_call_and_runs_nothing():
    view = review_view(reports.incident(), 0)

    assert readable(view["blocks"]) == snapshot("""\
*Restore `orders` to 500 WCU*
on DynamoDB table `orders`

*Why* It ran with 500 until 09:51 without a throttle. [E2, E4]
*Effect* ends the throttling in about a minute

*Risk* :large_green_circle: low; can be undone: set WriteCapacityUnits back to 5
*To see that it worked* WriteThrottleEvents of `orders` returns to 0 within 3 min

----

*The call*

```
dynamodb:UpdateTable {"TableName": "orders", "ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": 500}}
```

*The same on the command line*

```
aws dynamodb update-table --region eu-west-1 --table-name orders --provisioned-throughput ReadCapacityUnits=50,WriteCapacityUnits=500
```

~ :lock: Nothing is executed from here. To do it, run the command yourself.\
""")
    assert "submit" not in view


@pytest.mark.parametrize("position", [-1, 2])
def test_an_action_that_is_not_there_cannot_be_reviewed(position: int):
    with pytest.raises(IndexError):
        review_view(reports.incident(), position)


def test_what_cannot_be_undone_is_said():
    final = reports.ACTIONS[0].model_copy(update={"reversible": False})

    assert "low; cannot be undone" in readable(review_view(reports.incident(proposed_actions=(final,)), 0)["blocks"])


def test_asking_begins_with_the_text_that_is_there():
    view = ask_view("C1", "alarm\u202e text\nline 2")

    assert readable(view["blocks"]) == snapshot("""\
What failed? (rca_ask_text): alarm text
line 2____

~ A trace id, an ARN, a name, or the text of an alarm or an error. I only read.\
""")
    assert (view["private_metadata"], view["callback_id"]) == ("C1", ids.ASK_VIEW)


def test_a_grade_is_thanked_for_and_asks_what_it_really_was():
    exact, wrong = (graded_view(reports.ID, grade) for grade in (ids.GRADES[0], ids.GRADES[3]))

    assert readable(exact["blocks"]) == snapshot(":dart: Thank you. Noted as exact.")
    assert readable(wrong["blocks"]) == snapshot("""\
:x: Thank you. Noted as wrong.

What was the real cause? (rca_grade_text): ____\
""")
    assert ("submit" in exact, "submit" in wrong) == (False, True)
    assert ids.referred(wrong["private_metadata"]) == ids.Reference(reports.ID, 3)


def test_what_was_written_is_read_back():
    submitted = {"state": {"values": {ids.GRADE_INPUT: {ids.INPUT: {"type": "plain_text_input", "value": " a role "}}}}}
    empty = {"state": {"values": {ids.GRADE_INPUT: {ids.INPUT: {"value": None}}}}}

    assert [said_in(view, ids.GRADE_INPUT) for view in (submitted, empty, {})] == ["a role", "", ""]


@pytest.mark.parametrize(
    "report",
    [reports.incident(), reports.partial(), reports.failed(), reports.huge()],
    ids=["incident", "partial", "failed", "huge"],
)
def test_slack_takes_every_modal(report):
    views = [
        evidence_view(report),
        evidence_view(report, 3),
        why_view(report),
        gaps_view(report),
        ask_view("x" * 100, "y" * 9000),
    ]
    views += [review_view(report, n) for n in range(len(report.proposed_actions[:3]))]
    views += [graded_view(report.investigation_id, grade) for grade in ids.GRADES]

    assert [found for view in views for found in violations(view, Surface.MODAL)] == []


def test_every_reason_for_a_gap_has_its_sign():
    gaps = tuple(reports.LOGS_DENIED.model_copy(update={"reason": reason}) for reason in GapReason)

    assert readable(gaps_view(reports.incident(gaps=gaps))["blocks"]).count("error_patterns · :") == len(GapReason)
