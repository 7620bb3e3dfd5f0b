"""Questions about a report, answered by rules: what is meant, and what is known of it, with its evidence."""

import time

import pytest

from domain.evidence import EvidenceBundle
from domain.report import CitedEvidence, Report, ReportStatus, Severity, SeverityLevel
from domain.result import SpecialistStatus
from orchestrator.ask.answer import LONGEST, MOST_LINES, told
from orchestrator.ask.kinds import kind_of
from orchestrator.ask.record import Line, Record, Said
from orchestrator.ask.retrieve import found, stems
from orchestrator.ask.subject import subject_of
from specialists.kit.change import Change
from tests.support import reports
from tests.support.running import sign


def answered(question: str, report: Report, evidence: EvidenceBundle | None = None) -> tuple[Said, ...]:
    return told(question, Record(report, evidence))


MEANT = (
    ("why not the database?", "why not"),
    ("why isn't it the database", "why not"),
    ("why is it not the queue?", "why not"),
    ("why do you rule out permissions", "why not"),
    ("is it the deploy?", "why not"),
    ("could it be a timeout?", "why not"),
    ("what about the network?", "why not"),
    ("did you check the logs?", "why not"),
    ("who changed it?", "who changed"),
    ("what changed?", "who changed"),
    ("any recent deploys?", "who changed"),
    ("since when?", "when"),
    ("when did it start", "when"),
    ("how long has this been going on?", "when"),
    ("how sure are you?", "how sure"),
    ("can I trust this?", "how sure"),
    ("what did you check?", "what was checked"),
    ("which specialists looked?", "what was checked"),
    ("what could you not see?", "what was checked"),
    ("what next?", "what next"),
    ("what should we do now?", "what next"),
    ("how do I fix this", "what next"),
    ("how bad is it?", "impact"),
    ("who is affected?", "who changed"),
    ("why?", "why"),
    ("why is create-order failing?", "why"),
    ("what happened?", "why"),
    ("orders capacity", "other"),
)


@pytest.mark.parametrize(("asked", "kind"), MEANT)
def test_each_kind_of_question_is_known_by_its_words(asked: str, kind: str) -> None:
    assert kind_of(asked).name == kind


ANSWERS = (
    ("why not the database?", "It is the verdict: DynamoDB table `orders`", "E-call"),
    ("why not permissions?", "IAM role `create-order-role` — an identity policy explicitly denies the call: ruled out", "E-call"),
    ("why not IAM?", "Against it: dynamodb:PutItem on `orders` is allowed", "E-allowed"),
    ("is it the deploy?", "It set the root cause off (81 %): Capacity was cut", "E-update"),
    ("isn't it a bug in the code?", "that was seen, and is a symptom of DynamoDB table `orders`", "E-errors"),
    ("why is create-order failing?", "that was seen, and is a symptom of DynamoDB table `orders`", "E-errors"),
    ("was it not the API?", "No rule found a cause in API `orders-api`: apigateway looked.", None),
    ("was it not the API?", "5XXError 54 a minute since 09:55", "E-fivexx"),
    ("why not the queue?", "Nobody looked at the queue", None),
    ("why not the queue?", "Looked at: API `orders-api`, DynamoDB table `orders`, Lambda function `create-order`.", None),
    ("why not redis?", "Nobody looked at “redis”", None),
    ("could it be a timeout?", "Nothing points to a timeout.", None),
    ("who changed it?", "Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot", "E-update"),
    ("who deployed create-order?", "No change of Lambda function `create-order` was seen.", None),
    ("who deployed create-order?", "Elsewhere: Capacity was cut", "E-update"),
    ("since when?", "It began at 09:53 UTC: DynamoDB table `orders`", "E-call"),
    ("since when does create-order fail?", "09:54 `create-order` starts to fail", "E-errors"),
    ("how sure are you?", "92 %. 3 observations speak for it, nothing against it.", "E-used"),
    ("what did you check?", "22 looks between 20 Nov 09:52 and 09:56 UTC: dynamodb 6", None),
    ("what did you check?", "Not seen: error patterns of create-order: grant logs:StartQuery", None),
    ("what next?", "Restore `orders` to 500 WCU: ends the throttling in about a minute (low risk, reversible)", "E-update"),
    ("why?", "Consumed 5.0 of 5 WCU; it was 5 of 500 until 09:51", "E-used"),
    ("how many units a second are used?", "write capacity: 5.0 of 5 units a second used", "E-used"),
    ("how bad is it?", "High: ", "E-errors"),
    ("write units used", "write capacity: 5.0 of 5 units a second used since 09:53", "E-used"),
)  # fmt: skip


@pytest.mark.parametrize(("asked", "said", "cited"), ANSWERS)
def test_an_answer_says_it_and_cites_it(asked: str, said: str, cited: str | None) -> None:
    lines = answered(asked, reports.incident())

    (line,) = [line for line in lines if said in line.text]
    assert cited in line.evidence if cited else line.evidence == ()


@pytest.mark.parametrize("asked", [asked for asked, *_ in MEANT])
@pytest.mark.parametrize("report", [reports.incident(), reports.inconclusive(), reports.healthy(), reports.failed()])
def test_every_question_has_an_answer_of_few_lines_about_every_report(asked: str, report: Report) -> None:
    lines = answered(asked, report)

    assert 1 <= len(lines) <= MOST_LINES
    assert all(line.text.strip() for line in lines)
    assert len({line.text for line in lines}) == len(lines)


def test_the_same_question_has_the_same_answer() -> None:
    asked = "what was the write capacity of orders?"

    assert answered(asked, reports.incident()) == answered(asked, reports.incident())


def test_an_investigation_that_failed_says_why_it_did() -> None:
    (first, *_) = answered("why not the database?", reports.failed())

    assert first.text.startswith("That investigation failed, so nothing was seen. ")
    assert reports.failed().status is ReportStatus.FAILED


def test_what_the_report_does_not_cite_is_found_in_what_was_kept() -> None:
    kept = sign("pool of connections is exhausted", reports.FUNCTION, source="logs:StartQuery")
    lines = answered("connections exhausted", reports.incident(), EvidenceBundle([kept]))

    assert (lines[0].text, lines[0].evidence, lines[0].source) == (
        "pool of connections is exhausted",
        (kept.id,),
        "logs:StartQuery",
    )


def test_every_change_that_was_kept_is_told_the_latest_first() -> None:
    def change(minute: int, name: str) -> Change:
        return Change(
            resource=reports.FUNCTION, source="cloudtrail:LookupEvents", observed_at=reports.at(minute),
            event_id=name, event_name=name, event_source="lambda.amazonaws.com", who="tom",
        )  # fmt: skip

    kept = EvidenceBundle([change(10, "PublishVersion"), change(40, "UpdateFunctionCode")])
    lines = answered("who changed create-order?", reports.incident(), kept)

    assert [line.text.split(" at ")[0] for line in lines[:2]] == [
        "Lambda function `create-order`: UpdateFunctionCode by tom",
        "Lambda function `create-order`: PublishVersion by tom",
    ]


LOOKED = (
    (SpecialistStatus.SUCCESS, "No rule found a cause in API `orders-api`: apigateway looked."),
    (SpecialistStatus.PARTIAL, "No rule found a cause in API `orders-api`: apigateway looked."),
    (SpecialistStatus.FAILED, "apigateway could not look at API `orders-api`."),
    (SpecialistStatus.SKIPPED, "apigateway could not look at API `orders-api`."),
    (None, "Nobody looked into API `orders-api`: it was not in question."),
)


@pytest.mark.parametrize(("status", "said"), LOOKED)
def test_who_could_not_look_has_not_looked(status: SpecialistStatus | None, said: str) -> None:
    report = reports.incident()
    others = tuple(s for s in report.specialists if s.name != "apigateway")
    gateway = next(s for s in report.specialists if s.name == "apigateway")
    own = () if status is None else (gateway.model_copy(update={"status": status}),)

    (first, *_) = answered("why not the API?", report.model_copy(update={"specialists": (*others, *own)}))

    assert first.text == said


def test_a_named_resource_narrows_what_is_meant() -> None:
    record = Record(reports.incident())
    subject = subject_of("why not the role create-order-role?", record)

    assert [resource.name for resource in subject.resources] == ["create-order-role"]
    assert [h.cause for h in record.report.hypotheses if subject.fits(h)] == ["iam-explicit-deny-identity"]


def test_a_name_inside_a_longer_one_is_not_meant() -> None:
    subject = subject_of("what about create-order-role-2?", Record(reports.incident()))

    assert subject.resources == ()


def test_a_healthy_report_says_that_nothing_is_wrong() -> None:
    lines = answered("how bad is it?", reports.healthy())

    assert lines[0].text.startswith("Nothing wrong found here")


def test_what_is_unmeasured_is_not_called_harmless() -> None:
    report = reports.incident().model_copy(
        update={"severity": Severity(level=SeverityLevel.UNKNOWN, reason="nothing measured it")}
    )

    assert answered("how bad is it?", report)[0].text == "Unknown: nothing measured it"


def test_words_are_compared_without_their_endings() -> None:
    assert stems("throttled, throttling and throttles") == ["throttl"] * 3


def test_the_rarer_word_decides() -> None:
    lines = [Line(Said(text=text)) for text in ("table orders", "table carts", "table users", "queue orders")]

    assert [line.said.text for line in found(stems("table orders"), lines, most=1)] == ["table orders"]
    assert [line.said.text for line in found(stems("queue table"), lines, most=1)] == ["queue orders"]


def test_no_match_is_no_line() -> None:
    assert found(stems("lunch"), [Line(Said(text="table orders"))], most=3) == []


def test_ten_thousand_characters_and_ten_thousand_observations_are_answered_soon() -> None:
    many = tuple(
        CitedEvidence(id=f"E-{n}", resource=reports.TABLE, summary=f"look {n} saw `part-{n}` throttled " * 5, source="x:Y")
        for n in range(10_000)
    )  # fmt: skip
    report = reports.incident().model_copy(update={"evidence": many})
    began = time.monotonic()

    assert answered("part-77 " + "a" * 10_000 + "?" * LONGEST, report)
    assert time.monotonic() - began < 10
