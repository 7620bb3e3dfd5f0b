"""Running scenarios: each on a local AWS of its own making, several workers side by side."""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from aws.limits import Limits
from aws.session import AccountRole, AwsConfig, ReadSession
from bot.knowledge import open_library
from domain.history import PastInvestigation
from domain.report import Report
from domain.request import Trigger, TriggerKind
from evals.judge import Judgement, judge
from evals.scenario import Scenario, all_scenarios
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.sqlite_past import remember
from orchestrator.sqlite_store import KEEP, SqliteStore
from orchestrator.store import Grade
from reasoning.contract import Mode
from reasoning.load import Wanted, load_reasoner
from sandbox.aws.local import LocalAws
from sandbox.aws.world import World
from sandbox.models.answering import answering
from sandbox.models.bedrock import LocalBedrock
from specialists.registry import all_specialists

WORKERS = 2


def run_all(names: Sequence[str], workers: int = WORKERS, mode: Mode = Mode.NEVER) -> list[tuple[Judgement, Report]]:
    """Run the named scenarios (all of them when none is named) and return how each went, by name.

    In another mode than `never` specialists ask a local model, which does as its prompt says and knows nothing: it
    names causes from the list and doubts what it is shown.
    """
    chosen = [s for s in all_scenarios() if not names or s.name in names]
    shares = [[s.name for s in chosen[offset::workers]] for offset in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        mapped = pool.map(partial(run_share, mode=mode), [s for s in shares if s])
        done = [result for share in mapped for result in share]
    return sorted(done, key=lambda pair: pair[0].name)


def run_share(names: Sequence[str], mode: Mode = Mode.NEVER) -> list[tuple[Judgement, Report]]:
    """Run some scenarios one after another on one local AWS that is emptied in between."""
    scenarios = {s.name: s for s in all_scenarios()}
    with LocalAws() as aws, LocalBedrock(answering) as bedrock:
        os.environ.update({**aws.environment(), **bedrock.environment()})
        return [asyncio.run(run_one(scenarios[name], aws, mode)) for name in names]


async def run_one(scenario: Scenario, aws: LocalAws, mode: Mode = Mode.NEVER) -> tuple[Judgement, Report]:
    """Seed the story, investigate it as the command line would, replay it, and judge."""
    aws.reset()
    aws.clear_faults()
    # On the minute, so that what a story tells in minutes and in seconds stays in its order whenever it is run.
    expect = scenario.seed(World(aws, utc_now().replace(second=0, microsecond=0), scenario.name))
    aws.forget_calls()
    accounts = {account: AccountRole(role_arn=role) for account, role in (expect.accounts or {}).items()}
    session = ReadSession(AwsConfig(accounts=accounts), every_read(), limits=Limits({}))
    with tempfile.TemporaryDirectory(prefix="rca-eval-") as home:
        store = SqliteStore.open(Path(home))
        await _remember(store, expect.past)
        investigator = Investigator(
            session,
            all_specialists(),
            store,
            past=store,
            library=open_library(Path(home)),
            reasoner=load_reasoner(Wanted(mode=mode, model="bedrock"), ()),
            mode=mode,
        )
        trigger = Trigger(kind=TriggerKind.CLI, text=expect.text)
        accepted = await store.accept(scenario.name, trigger, now=utc_now())
        if accepted is None:
            raise RuntimeError(f"{scenario.name} was accepted twice")
        request = parse(expect.text, now=utc_now(), region=expect.region)
        report = await investigator.investigate(accepted.id, trigger, request, lambda _: None)
        replayed = await investigator.replay(accepted.id)
        bundle = await store.bundle(accepted.id)
        await investigator.close()
        await store.close()
    resolved = {e.id for e in bundle.loaded()} if bundle else set()
    return judge(scenario, expect, report, replayed, len(aws.writes()), resolved), report


async def _remember(store: SqliteStore, past: Sequence[PastInvestigation]) -> None:
    """Put earlier investigations into the store, each grade from another person."""
    for one in past:
        await store.write(partial(remember, past=one.model_copy(update={"grades": {}}), keep=KEEP))
        for grade, number in one.grades.items():
            for person in range(number):
                await store.grade(one.investigation_id, f"{grade}-{person}", Grade(grade), now=one.at)
