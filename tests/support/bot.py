"""A running bot between a local Slack and an investigator that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.pacing import Pace
from bot.service import Service
from bot.settings import Settings
from bot.tokens import check_bot_token
from bot.watch.watch import Aftercare
from domain.action import ProposedAction, Risk
from domain.findings import Fact, Hypothesis, Strength, Support
from domain.gap import Gap, GapReason
from domain.graph import ServiceGraph
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
)
from domain.request import Request, Trigger
from domain.resource import resource_from_arn
from domain.result import SpecialistResult, SpecialistStatus
from domain.window import Window
from orchestrator.ask.answerer import Answerer
from orchestrator.sqlite_store import SqliteStore
from orchestrator.store import Store
from sandbox.slack import LocalSlack

TRACE = "1-6740a1b2-1234567890abcdef12345678"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
BEGAN = datetime(2026, 11, 20, 9, 52, tzinfo=UTC)
WINDOW = Window(start=BEGAN, end=BEGAN + timedelta(minutes=4))
QUICK = Pace(
    posts_per_second=100,
    post_burst=100,
    progress_per_minute=3000,
    progress_burst=50,
    between_updates_seconds=0.05,
    updates_per_minute=1000,
)


def utc_now() -> datetime:
    return datetime.now(UTC)


def verdict(ident: str, trigger: Trigger) -> Report:
    """A table whose capacity was cut."""
    root = {
        "cause": "ddb-provisioned-exceeded",
        "resource": TABLE,
        "summary": "Consumed 5 of 5 WCU",
        "confidence": 0.92,
    }
    return Report(
        investigation_id=ident,
        status=ReportStatus.COMPLETED,
        trigger=trigger,
        window=WINDOW,
        started_at=utc_now(),
        completed_at=utc_now(),
        duration_seconds=6.1,
        headline="DynamoDB table `orders` is throttling writes",
        summary="Capacity was cut 500 → 5 WCU at 09:51.",
        root_cause=RootCause(**root, evidence=("e-1",)),
        hypotheses=(RankedHypothesis(**root, role=Role.ROOT_CAUSE, evidence=("e-1",), specialist="dynamodb"),),
        evidence=tuple(
            CitedEvidence(id=f"e-{n}", resource=TABLE, summary=f"look {n}", source="dynamodb:DescribeTable")
            for n in range(1, 21)
        ),
        severity=Severity(level=SeverityLevel.HIGH, reason="half of the writes fail"),
        gaps=(
            Gap(
                specialist="lambda",
                probe="logs",
                resource=TABLE,
                reason=GapReason.ACCESS_DENIED,
                action="logs:StartQuery",
                message="error logs are unknown",
            ),
        ),
        proposed_actions=(
            ProposedAction(
                id="act-1",
                kind="dynamodb.set_capacity",
                title="Restore `orders` to 500 WCU",
                resource=TABLE,
                parameters={
                    "TableName": "orders",
                    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 500},
                },
                rationale="it was 500 an hour ago",
                expected_effect="writes succeed again",
                api_call='dynamodb:UpdateTable {"TableName": "orders"}',
                cli="aws dynamodb update-table --table-name orders",
                risk=Risk.LOW,
                reversible=True,
                undo="set it back to 5",
                verification="WriteThrottleEvents is 0",
            ),
        ),
    )


def script(ident: str, trigger: Trigger, request: Request) -> list[Progress]:
    """What is heard of an investigation of two specialists, one of which finds something."""
    hypothesis = Hypothesis(
        cause="ddb-provisioned-exceeded",
        resource=TABLE,
        summary="`orders` throttled, capacity changed",
        supports=(Support(evidence="e-1", strength=Strength.PROOF),),
        specialist="dynamodb",
    )
    found = SpecialistResult(
        name="dynamodb",
        status=SpecialistStatus.SUCCESS,
        duration_seconds=1.2,
        hypotheses=(hypothesis,),
        facts=(Fact(statement="5 of 5 WCU consumed", evidence=("e-1",)),),
        looks=4,
    )
    nothing = SpecialistResult(name="iam", status=SpecialistStatus.SUCCESS, duration_seconds=0.9, looks=2)
    table = resource_from_arn(TABLE)
    return [
        InvestigationStarted(investigation_id=ident, trigger=trigger, request=request, at=utc_now()),
        Discovered(
            investigation_id=ident,
            window=WINDOW,
            graph=ServiceGraph(nodes=(table,)),
            summary="3 segments, first fault in `PutItem`",
            seconds=0.4,
        ),
        Routed(
            investigation_id=ident,
            specialists=(Assigned(name="dynamodb", reason="the trace calls it"), Assigned(name="iam", reason="role")),
        ),
        SpecialistWorking(investigation_id=ident, name="dynamodb", message="2 of 4 looks"),
        SpecialistFinished(investigation_id=ident, result=nothing, headline="nothing wrong", found=False),
        SpecialistFinished(investigation_id=ident, result=found, headline="`orders` throttled", found=True),
    ]


class ScriptedInvestigator:
    """Investigates by a script. `hold` an event to make it wait for that, `breaks` to make it raise."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[tuple[str, Trigger, Request]] = []
        self.hold: asyncio.Event | None = None
        self.breaks: BaseException | None = None
        self.conclude: Callable[[str, Trigger], Report] = verdict
        self.at_once = 0
        self.most_at_once = 0

    async def investigate(
        self, investigation_id: str, trigger: Trigger, request: Request, listen: Callable[[Progress], None]
    ) -> Report:
        self.asked.append((investigation_id, trigger, request))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.store.start(investigation_id, now=utc_now())
        for event in script(investigation_id, trigger, request):
            listen(event)
            await asyncio.sleep(0.002)
        if self.hold is not None:
            await self.hold.wait()
        self.at_once -= 1
        if self.breaks is not None:
            raise self.breaks
        report = self.conclude(investigation_id, trigger)
        await self.store.finish(report, None)
        listen(Concluded(investigation_id=investigation_id, report=report))
        return report


class Running:
    """What a test looks at."""

    def __init__(
        self, slack: LocalSlack, service: Service, store: SqliteStore, investigator: ScriptedInvestigator
    ) -> None:
        self.slack = slack
        self.service = service
        self.store = store
        self.investigator = investigator

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.http.port}"


def settings_of(slack: LocalSlack, *, http: bool = False, most: int = 8) -> Settings:
    way = {"SLACK_SIGNING_SECRET": slack.signing_secret} if http else {"SLACK_APP_TOKEN": slack.app_token}
    return Settings.load(
        SLACK_BOT_TOKEN=slack.bot_token, SLACK_API_URL=slack.api_url, RCA_HTTP_PORT=0, RCA_MAX_CONCURRENT=most, **way
    )


@asynccontextmanager
async def running_bot(
    slack: LocalSlack,
    directory: Path,
    *,
    http: bool = False,
    most: int = 8,
    prepare: Callable[[ScriptedInvestigator], None] = lambda _: None,
    drain: float = 5.0,
    aftercare: Aftercare | None = None,
    pace: Pace = QUICK,
    investigators: type[ScriptedInvestigator] = ScriptedInvestigator,
    answerer: Callable[[Store], Answerer] = Answerer,
) -> AsyncIterator[Running]:
    """Run the bot over the store in the directory until the block ends; then what runs is drained for so long."""
    settings = settings_of(slack, http=http, most=most)
    store = SqliteStore.open(directory)
    investigator = investigators(store)
    prepare(investigator)
    granted = await check_bot_token(settings)
    service = Service(
        settings, store, investigator, granted.identity,
        now=utc_now, pace=pace, aftercare=aftercare, answerer=answerer(store),
    )  # fmt: skip
    await service.start()
    slack.request_url = f"http://127.0.0.1:{service.http.port}/slack/events" if http else ""
    try:
        yield Running(slack, service, store, investigator)
    finally:
        await service.stop(drain)
        await store.close()
