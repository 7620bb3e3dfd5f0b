"""Sample reports: the incident of the demo, and every other way in which an investigation ends."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.action import ProposedAction, Risk
from domain.causes import cause
from domain.findings import Advice, Fact, Hypothesis, Strength, Support
from domain.gap import Gap, GapReason
from domain.graph import Edge, ServiceGraph
from domain.progress import (
    Assigned,
    Concluded,
    Discovered,
    InvestigationStarted,
    Progress,
    Routed,
    SpecialistFinished,
    SpecialistWorking,
)
from domain.report import (
    CitedEvidence,
    RankedHypothesis,
    Report,
    ReportStatus,
    Role,
    RootCause,
    Severity,
    SeverityLevel,
    SpecialistReport,
    TimelineEntry,
)
from domain.request import Request, Trigger, TriggerKind
from domain.resource import resource_from_arn
from domain.result import SpecialistResult, SpecialistStatus
from domain.usage import Usage
from domain.window import Window

ID = "INV-7F3K"
TRACE = "1-6740a1b2-1234567890abcdef12345678"
REGION = "eu-west-1"
TABLE = f"arn:aws:dynamodb:{REGION}:123456789012:table/orders"
FUNCTION = f"arn:aws:lambda:{REGION}:123456789012:function:create-order"
API = f"arn:aws:apigateway:{REGION}::/restapis/orders-api"
ROLE = "arn:aws:iam::123456789012:role/create-order-role"
CONSOLE = f"https://{REGION}.console.aws.amazon.com"
TRIGGER = Trigger(kind=TriggerKind.SLASH_COMMAND, text=TRACE, user="U02MIA7", channel="C1", team="T1")
SIXTEEN = (
    *("lambda", "apigateway", "stepfunctions", "iam", "dynamodb", "s3", "sqs", "sns", "eventbridge", "vpc"),
    *("signal-analysis", "historical-incident", "change-intelligence", "risk-blast-radius", "knowledge-rag"),
    "execution-proposal",
)
GRAPH = ServiceGraph.of(
    [resource_from_arn(arn) for arn in (API, FUNCTION, TABLE)],
    [Edge(source=API, target=FUNCTION, calls=1, faults=1), Edge(source=FUNCTION, target=TABLE, calls=1, throttles=1)],
)


def at(minute: int, second: int = 0) -> datetime:
    """A moment of the incident: minutes after 09:00 UTC."""
    return datetime(2026, 11, 20, 9, 0, second, tzinfo=UTC) + timedelta(minutes=minute)


WINDOW = Window(start=at(52), end=at(56))


def evidence(
    key: str, resource: str, summary: str, source: str, when: datetime | None = None, link: str | None = None
) -> CitedEvidence:
    return CitedEvidence(id=f"E-{key}", resource=resource, summary=summary, source=source, observed_at=when, link=link)


EVIDENCE = (
    evidence(
        "call",
        TABLE,
        "DynamoDB PutItem failed: ProvisionedThroughputExceededException The level of configured provisioned throughput for the table was exceeded.",
        "xray:BatchGetTraces",
        at(54, 12),
        f"{CONSOLE}/cloudwatch/home?region={REGION}#xray:traces/{TRACE}",
    ),
    evidence(
        "used",
        TABLE,
        "write capacity: 5.0 of 5 units a second used since 09:53",
        "cloudwatch:GetMetricData",
        at(53),
        f"{CONSOLE}/dynamodbv2/home?region={REGION}#table?name=orders",
    ),
    evidence(
        "throttles",
        TABLE,
        "214 throttled writes between 09:53 and 09:56, none in the 3 h before",
        "cloudwatch:GetMetricData",
        at(53),
    ),
    evidence(
        "update",
        TABLE,
        "UpdateTable by deploy-bot: WriteCapacityUnits 500 → 5",
        "cloudtrail:LookupEvents",
        at(51),
        f"{CONSOLE}/cloudtrail/home?region={REGION}#/events?ReadOnly=false",
    ),
    evidence(
        "errors", FUNCTION, "48 % of invocations failed, 0 % in the 3 h before", "cloudwatch:GetMetricData", at(54)
    ),
    evidence("version", FUNCTION, "code and configuration unchanged for 9 days", "lambda:GetFunctionConfiguration"),
    evidence("fivexx", API, "5XXError 54 a minute since 09:55", "cloudwatch:GetMetricData", at(55)),
    evidence(
        "allowed",
        ROLE,
        "dynamodb:PutItem on `orders` is allowed; the same call succeeded 231 times",
        "iam:SimulatePrincipalPolicy",
    ),
)

THROTTLED = RankedHypothesis(
    cause="ddb-provisioned-exceeded",
    resource=TABLE,
    summary="`orders` uses all of its 5 write units a second and throttles the rest",
    confidence=0.92,
    role=Role.ROOT_CAUSE,
    evidence=("E-call", "E-used", "E-throttles"),
    specialist="dynamodb",
    since=at(53),
)
OTHERS = (
    RankedHypothesis(
        cause="deploy-regression",
        resource=TABLE,
        summary="Capacity was cut 500 → 5 WCU at 09:51 by deploy-bot, 2 min before the first throttle; nothing else changed",
        confidence=0.81,
        role=Role.TRIGGER,
        evidence=("E-update",),
        specialist="change-intelligence",
        since=at(51),
        explained_by=f"ddb-provisioned-exceeded@{TABLE}",
    ),
    RankedHypothesis(
        cause="lambda-unhandled-exception",
        resource=FUNCTION,
        summary="`create-order` does not catch the table's throttle",
        confidence=0.6,
        role=Role.SYMPTOM,
        evidence=("E-errors",),
        specialist="lambda",
        since=at(54),
        explained_by=f"ddb-provisioned-exceeded@{TABLE}",
    ),
    RankedHypothesis(
        cause="iam-explicit-deny-identity",
        resource=ROLE,
        summary="A policy of the role denies writing to the table",
        confidence=0.04,
        role=Role.RULED_OUT,
        evidence=("E-call",),
        contradicting=("E-allowed",),
        specialist="iam",
    ),
)
LOGS_DENIED = Gap(
    specialist="signal-analysis",
    probe="error_patterns",
    resource=f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/lambda/create-order",
    reason=GapReason.ACCESS_DENIED,
    action="logs:StartQuery",
    message="error patterns of create-order: grant logs:StartQuery on the log group /aws/lambda/create-order",
)
SPECIALISTS = (
    SpecialistReport(
        name="dynamodb",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=1.2,
        reason="the trace calls it",
        looks=6,
        facts=(
            Fact(statement="Consumed 5.0 of 5 WCU; it was 5 of 500 until 09:51", evidence=("E-used",)),
            Fact(
                statement="PutItem failed with ProvisionedThroughputExceededException in this trace and 214 times since 09:53",
                evidence=("E-call", "E-throttles"),
            ),
        ),
        hypotheses=(THROTTLED,),
    ),
    SpecialistReport(
        name="lambda",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=1.9,
        reason="the trace calls it",
        looks=5,
        facts=(Fact(statement="The code is the same as 9 days ago", evidence=("E-version",)),),
    ),
    SpecialistReport(
        name="apigateway",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=1.1,
        reason="the trace enters there",
        looks=3,
    ),
    SpecialistReport(
        name="iam",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=0.9,
        reason="lambda create-order runs as it",
        looks=3,
    ),
    SpecialistReport(
        name="change-intelligence",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=4.8,
        reason="always asked",
        looks=3,
    ),
    SpecialistReport(
        name="signal-analysis",
        status=SpecialistStatus.PARTIAL,
        duration_seconds=2.2,
        reason="always asked",
        looks=2,
        gaps=(LOGS_DENIED,),
    ),
)
ACTIONS = (
    ProposedAction(
        id="restore-capacity-orders",
        kind="dynamodb.set_capacity",
        title="Restore `orders` to 500 WCU",
        resource=TABLE,
        parameters={
            "TableName": "orders",
            "ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": 500},
        },
        rationale="It ran with 500 until 09:51 without a throttle.",
        expected_effect="ends the throttling in about a minute",
        api_call='dynamodb:UpdateTable {"TableName": "orders", "ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": 500}}',
        cli="aws dynamodb update-table --region eu-west-1 --table-name orders --provisioned-throughput ReadCapacityUnits=50,WriteCapacityUnits=500",
        risk=Risk.LOW,
        reversible=True,
        undo="set WriteCapacityUnits back to 5",
        verification="WriteThrottleEvents of `orders` returns to 0 within 3 min",
        evidence=("E-update", "E-used"),
    ),
    ProposedAction(
        id="on-demand-orders",
        kind="dynamodb.switch_to_on_demand",
        title="Switch `orders` to on-demand",
        resource=TABLE,
        parameters={"TableName": "orders", "BillingMode": "PAY_PER_REQUEST"},
        rationale="Its traffic changes faster than anybody provisions for.",
        expected_effect="ends this throttling and the next one; costs more at steady load",
        api_call='dynamodb:UpdateTable {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST"}',
        cli="aws dynamodb update-table --region eu-west-1 --table-name orders --billing-mode PAY_PER_REQUEST",
        risk=Risk.MEDIUM,
        reversible=True,
        undo="switch back to provisioned after 24 h",
        verification="WriteThrottleEvents of `orders` returns to 0 within 3 min",
        evidence=("E-used",),
    ),
)


def incident(**changes: Any) -> Report:
    """The demo: a table's capacity was cut and its callers fail."""
    report = Report(
        investigation_id=ID,
        status=ReportStatus.COMPLETED,
        trigger=TRIGGER,
        window=WINDOW,
        started_at=at(56),
        completed_at=at(56, 6),
        duration_seconds=6.1,
        headline="DynamoDB table `orders` — provisioned read or write capacity is exceeded",
        summary="`orders` uses all of its 5 write units a second and throttles the rest. Capacity was cut 500 → 5 WCU at 09:51 by "
        "deploy-bot, 2 min before the first throttle; nothing else changed. `create-order` and `orders-api` are symptoms.",
        affected_resources=tuple(resource_from_arn(arn) for arn in (API, FUNCTION, TABLE)),
        service_graph=GRAPH,
        specialists=SPECIALISTS,
        root_cause=RootCause(
            cause=THROTTLED.cause,
            resource=TABLE,
            summary=THROTTLED.summary,
            confidence=0.92,
            evidence=THROTTLED.evidence,
        ),
        contributing_factors=(OTHERS[0],),
        hypotheses=(THROTTLED, *OTHERS),
        evidence=EVIDENCE,
        severity=Severity(
            level=SeverityLevel.HIGH,
            reason="48 % of the requests to API `orders-api` fail (about 54 a minute)",
            failing_share=0.48,
            evidence=("E-fivexx", "E-errors"),
            affected_services=("orders-api", "create-order"),
            spread="`invoice-worker` reads what it writes and will follow",
        ),
        timeline=(
            TimelineEntry(
                at=at(51),
                what="`orders`: UpdateTable 500 → 5 WCU by deploy-bot",
                resource=TABLE,
                evidence=("E-update",),
            ),
            TimelineEntry(
                at=at(53), what="first throttled write of `orders`", resource=TABLE, evidence=("E-throttles",)
            ),
            TimelineEntry(at=at(54), what="`create-order` starts to fail", resource=FUNCTION, evidence=("E-errors",)),
            TimelineEntry(
                at=at(55), what="`orders-api` answers 5xx, the alarm goes off", resource=API, evidence=("E-fivexx",)
            ),
        ),
        gaps=(LOGS_DENIED,),
        proposed_actions=ACTIONS,
        advice=(
            Advice(
                text=cause("ddb-provisioned-exceeded").remedy,
                resource=TABLE,
                evidence=("E-call",),
            ),
        ),
        usage=Usage(aws_calls=31),
    )
    return report.model_copy(update=changes)


def inconclusive() -> Report:
    """Two causes fit, and the look that would tell was denied."""
    function = FUNCTION.replace("create-order", "pay-invoice")
    denied = Gap(
        specialist="change-intelligence",
        probe="recent_changes",
        resource=function,
        reason=GapReason.ACCESS_DENIED,
        action="cloudtrail:LookupEvents",
        message="Who changed `pay-invoice` in the last hour is unknown: grant cloudtrail:LookupEvents, or check whether Timeout changed.",
    )
    seen = (
        evidence(
            "slow",
            "remote:api.stripe.com",
            "api.stripe.com answered in 2.9 s, 4.1 s and not at all",
            "xray:BatchGetTraces",
            at(54),
        ),
        evidence(
            "timeout",
            function,
            "Task timed out after 3.00 seconds (17 times since 09:50)",
            "logs:FilterLogEvents",
            at(50),
        ),
    )
    fits = (
        RankedHypothesis(
            cause="lambda-vpc-no-nat",
            resource=function,
            summary="`pay-invoice` may not reach api.stripe.com from all of its subnets",
            confidence=0.46,
            role=Role.MINORITY,
            evidence=("E-slow",),
            specialist="lambda",
        ),
        RankedHypothesis(
            cause="lambda-timeout",
            resource=function,
            summary="The function's time-out of 3 s is too short for what it calls",
            confidence=0.41,
            role=Role.MINORITY,
            evidence=("E-timeout", "E-slow"),
            specialist="lambda",
        ),
    )
    return incident(
        status=ReportStatus.INCONCLUSIVE,
        investigation_id="INV-7F3M",
        headline="Something is failing in Lambda function `pay-invoice`, but the evidence does not decide",
        summary="2 causes fit, none well enough: the subnets have no route to what is called (46 %); invocations run into the function timeout (41 %).",
        next_look=denied.message,
        root_cause=None,
        contributing_factors=(),
        hypotheses=fits,
        evidence=seen,
        severity=Severity(
            level=SeverityLevel.UNKNOWN, reason="a traced request failed; no metric tells how many others do"
        ),
        timeline=(),
        gaps=(denied,),
        proposed_actions=(),
        advice=(),
        specialists=SPECIALISTS[1:5],
    )


def healthy() -> Report:
    """Nothing is wrong."""
    return incident(
        investigation_id="INV-7F3H",
        duration_seconds=2.4,
        headline="Nothing wrong found here",
        summary="The trace is healthy: 3 segments, 11 subsegments, 212 ms; 8 of 8 calls succeeded. Checked: 4 specialists, 14 looks. "
        "Failing traces nearby: 1-6740a0ff-1234567890abcdef12345678.",
        root_cause=None,
        contributing_factors=(),
        hypotheses=(),
        evidence=(
            evidence(
                "whole",
                API,
                "3 segments, 11 subsegments, 212 ms; 8 of 8 calls succeeded",
                "xray:BatchGetTraces",
                at(54),
            ),
        ),
        severity=Severity(level=SeverityLevel.NONE, reason="nothing wrong was found"),
        timeline=(),
        gaps=(),
        proposed_actions=(),
        advice=(),
        specialists=SPECIALISTS[:4],
        usage=Usage(aws_calls=14),
    )


def failed() -> Report:
    """AWS refused the credentials."""
    return Report(
        investigation_id="INV-7F3L",
        status=ReportStatus.FAILED,
        trigger=TRIGGER,
        window=None,
        started_at=at(56),
        completed_at=at(56, 1),
        duration_seconds=0.42,
        headline="The investigation failed: AWS refused the credentials (`ExpiredToken`)",
        summary="Renew the bot's role or session, then run it again.",
        severity=Severity(level=SeverityLevel.UNKNOWN, reason="nothing could be looked at"),
    )


def partial() -> Report:
    """A verdict, with several looks that failed and a model that was asked."""
    more = (
        Gap(
            specialist="iam",
            probe="role_policies",
            resource=ROLE,
            reason=GapReason.ACCESS_DENIED,
            action="iam:GetRolePolicy",
            message="The inline policies of the role are unknown.",
        ),
        Gap(
            specialist="dynamodb",
            probe="table",
            resource=TABLE,
            reason=GapReason.ACCESS_DENIED,
            action="dynamodb:DescribeContinuousBackups",
            message="Whether `orders` can be restored to a point in time is unknown.",
        ),
        Gap(
            specialist="vpc",
            probe="endpoints",
            resource=FUNCTION,
            reason=GapReason.TIMED_OUT,
            message="Time ran out before the endpoints were read; run it again.",
        ),
        Gap(
            specialist="historical-incident",
            probe="similar",
            resource=TABLE,
            reason=GapReason.NO_DATA,
            message="There is no earlier incident to compare with.",
        ),
        Gap(
            specialist="lambda",
            probe="concurrency",
            resource=FUNCTION,
            reason=GapReason.THROTTLED,
            message="AWS throttled the look at concurrency; run it again in a minute.",
        ),
    )
    late = SpecialistReport(
        name="vpc",
        status=SpecialistStatus.TIMEOUT,
        duration_seconds=25.0,
        reason="create-order is in a VPC",
        looks=1,
        gaps=(more[2],),
    )
    return incident(
        gaps=(LOGS_DENIED, *more),
        specialists=(*SPECIALISTS, late),
        usage=Usage(aws_calls=44, model_calls=2, input_tokens=2900, output_tokens=310, usd=0.0142),
    )


def with_texts(texts: Iterable[str]) -> Report:
    """An incident in which every text from outside is one of these."""
    pool = list(texts)
    count = iter(range(10**6))

    def text() -> str:
        return pool[next(count) % len(pool)]

    seen = tuple(evidence(str(n), TABLE, text(), text(), at(53), text()) for n in range(40))
    ids = tuple(e.id for e in seen)
    ranked = tuple(
        THROTTLED.model_copy(
            update={
                "summary": text(),
                "role": role,
                "evidence": ids[:3],
                "contradicting": ids[3:5],
                "specialist": text(),
                "resource": f"remote:{text()}",
            }
        )
        for role in Role
        for _ in range(3)
    )
    gaps = tuple(
        LOGS_DENIED.model_copy(
            update={
                "message": text(),
                "resource": f"{TABLE}/{text()}",
                "probe": text(),
                "specialist": text(),
                "action": text(),
            }
        )
        for _ in range(8)
    )
    actions = tuple(
        ACTIONS[0].model_copy(
            update={
                name: text()
                for name in ("title", "rationale", "expected_effect", "api_call", "cli", "undo", "verification")
            }
        )
        for _ in range(8)
    )
    facts = tuple(Fact(statement=text(), evidence=(ids[n % 3],)) for n in range(12))
    return incident(
        headline=text(),
        summary=text(),
        next_look=text(),
        trigger=TRIGGER.model_copy(update={"text": text(), "user": text()}),
        root_cause=RootCause(
            cause=THROTTLED.cause, resource=f"remote:{text()}", summary=text(), confidence=0.92, evidence=ids[:3]
        ),
        hypotheses=ranked,
        evidence=seen,
        severity=Severity(level=SeverityLevel.HIGH, reason=text(), evidence=ids[5:7]),
        timeline=tuple(TimelineEntry(at=at(n), what=text(), resource=TABLE, evidence=ids[:6]) for n in range(20)),
        gaps=gaps,
        proposed_actions=actions,
        advice=tuple(Advice(text=text(), evidence=ids[:2]) for _ in range(6)),
        specialists=tuple(s.model_copy(update={"facts": facts, "name": text()}) for s in SPECIALISTS),
    )


def huge() -> Report:
    """Far more of everything than fits: 400 pieces of evidence, 120 hypotheses, 200 gaps, 40 actions, long texts."""
    long = "a very long statement about <something> & its “neighbours” that does not come to an end " * 40
    base = with_texts([long, "W" * 5000, "&" * 5000, "🔥" * 3000])
    times = 10
    return base.model_copy(
        update={
            "evidence": tuple(e.model_copy(update={"id": f"{e.id}-{n}"}) for n in range(times) for e in base.evidence),
            "hypotheses": base.hypotheses * times,
            "gaps": base.gaps * 25,
            "proposed_actions": base.proposed_actions * 5,
            "timeline": base.timeline * times,
        }
    )


def finished(
    name: str,
    headline: str,
    status: SpecialistStatus = SpecialistStatus.SUCCESS,
    seconds: float = 1.2,
    gaps: tuple[Gap, ...] = (),
) -> SpecialistFinished:
    """A specialist that is done."""
    result = SpecialistResult(name=name, status=status, duration_seconds=seconds, looks=3, gaps=gaps)
    return SpecialistFinished(investigation_id=ID, result=result, headline=headline, found=False)


def found_by_dynamodb() -> SpecialistFinished:
    """A specialist that found something."""
    throttled = Hypothesis(
        cause=THROTTLED.cause,
        resource=TABLE,
        summary=THROTTLED.summary,
        supports=(Support(evidence="E-call", strength=Strength.PROOF),),
        specialist="dynamodb",
    )
    result = SpecialistResult(
        name="dynamodb",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=1.2,
        looks=6,
        hypotheses=(throttled,),
        facts=SPECIALISTS[0].facts,
    )
    return SpecialistFinished(investigation_id=ID, result=result, headline=THROTTLED.summary, found=True)


def course() -> tuple[Progress, ...]:
    """The demo's progress until the last specialist but one is done."""
    names = [s.name for s in SPECIALISTS]
    return (
        InvestigationStarted(
            investigation_id=ID,
            trigger=TRIGGER,
            request=Request(text=TRACE, trace_ids=(TRACE,), region=REGION),
            at=at(56),
        ),
        Discovered(
            investigation_id=ID,
            window=WINDOW,
            graph=GRAPH,
            summary="3 segments, 11 subsegments, first fault in `PutItem`",
            seconds=0.4,
        ),
        Routed(
            investigation_id=ID,
            specialists=tuple(Assigned(name=name, reason="it is on the failing path") for name in names),
        ),
        finished("dynamodb", "`orders` throttled, capacity changed"),
        finished("lambda", "`create-order` fails on the throttle, configuration unchanged", seconds=1.9),
        SpecialistWorking(investigation_id=ID, name="change-intelligence", message="reading CloudTrail, 2 of 3 looks"),
        finished("iam", "nothing wrong", seconds=0.9),
        finished(
            "signal-analysis",
            "`logs:StartQuery` denied, used metrics only",
            SpecialistStatus.PARTIAL,
            2.2,
            (LOGS_DENIED,),
        ),
    )


def concluded(report: Report) -> Concluded:
    """The last event."""
    return Concluded(investigation_id=report.investigation_id, report=report)
