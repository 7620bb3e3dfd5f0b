"""The `rca` command: investigate, replay, serve, demo, doctor, knowledge, eval.

Exit codes of `investigate` and `replay`: 0 completed or inconclusive, 1 failed, 2 unusable input. With `--json`
standard output is exactly one report object; what people should read goes to standard error.
"""

import argparse
import asyncio
import importlib
import json
import logging
import sys
import uuid
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from aws.session import AwsConfig, ReadSession
from bot.doctor import doctor
from bot.events.explain import explain_event
from bot.explained import explain_message
from bot.interpreter import tune
from bot.knowledge import add_parser, knowledge, open_library
from bot.models import open_models
from bot.serve import serve
from bot.settings import Settings, SettingsError
from bot.terminal import render_report
from domain.report import Report, ReportStatus
from domain.request import Trigger, TriggerKind
from orchestrator.errors import UnusableInput
from orchestrator.investigate import Investigator, utc_now
from orchestrator.parse import parse
from orchestrator.reads import every_read
from orchestrator.sqlite_store import SqliteStore, StoreUnusable
from specialists.registry import all_specialists

OK, FAILED, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    tune()
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = Settings.load()
        logging.basicConfig(
            level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
        return asyncio.run(COMMANDS[options.command](options, settings))
    except (SettingsError, StoreUnusable, UnusableInput) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return _refuse("Interrupted.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rca", description="Root-cause analysis for AWS, in Slack and on the command line."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    investigate = commands.add_parser("investigate", help="investigate a trace id, an ARN, a name, or a pasted alarm")
    investigate.add_argument("text", nargs="+", help="anything the bot understands in Slack")
    investigate.add_argument("--since", metavar="ISO", help="start of the window, ISO 8601, UTC without offset")
    investigate.add_argument("--until", metavar="ISO", help="end of the window")
    investigate.add_argument("--region", metavar="REGION", help="AWS Region to look in")
    investigate.add_argument("--json", action="store_true", help="print exactly one report object")
    replay = commands.add_parser("replay", help="conclude again from the stored evidence, without AWS")
    replay.add_argument("id", help="an investigation's id, such as INV-7F3KQ2")
    replay.add_argument("--json", action="store_true", help="print exactly one report object")
    commands.add_parser("serve", help="run the bot")
    demo = commands.add_parser("demo", help="run one investigation in a local Slack and a local AWS")
    demo.add_argument("--serve", action="store_true", help="leave everything running afterwards")
    check = commands.add_parser("doctor", help="check tokens, scopes and permissions, and print what to fix")
    check.add_argument(
        "--message", metavar="FILE", help="explain what becomes of a Slack message, its JSON; - for stdin"
    )
    check.add_argument("--event", metavar="FILE", help="explain what becomes of an event of the queue; - for stdin")
    add_parser(commands)
    scenarios = commands.add_parser("eval", help="run the scenario corpus and print its score (in a checkout only)")
    scenarios.add_argument("--only", nargs="+", default=[], metavar="NAME", help="run these and show the whole reports")
    return parser


async def _investigate(options: argparse.Namespace, settings: Settings) -> int:
    text = " ".join(options.text)
    request = parse(text, now=utc_now(), since=options.since, until=options.until, region=options.region)
    models = open_models(settings)
    store = SqliteStore.open(settings.data_dir)
    investigator = Investigator(
        ReadSession(AwsConfig(accounts=settings.accounts), every_read()),
        all_specialists(),
        store,
        past=store,
        library=open_library(settings.data_dir, settings.knowledge_base_id),
        time_limit=settings.time_limit_seconds,
        reasoner=models.reasoner,
        mode=models.mode,
        budget=models.budget,
    )
    try:
        trigger = Trigger(kind=TriggerKind.CLI, text=request.text)
        accepted = await store.accept(f"cli:{uuid.uuid4()}", trigger, now=utc_now())
        if accepted is None:
            raise UnusableInput("That request was accepted already.")
        report = await investigator.investigate(accepted.id, trigger, request, lambda _: None)
    finally:
        models.close()
        await investigator.close()
        await store.close()
    return _show(report, as_json=options.json)


async def _replay(options: argparse.Namespace, settings: Settings) -> int:
    store = SqliteStore.open(settings.data_dir)
    investigator = Investigator(ReadSession(AwsConfig(accounts=settings.accounts), ()), all_specialists(), store)
    try:
        report = await investigator.replay(options.id)
        known = report or await store.report(options.id)
    finally:
        await investigator.close()
        await store.close()
    if report is None:
        why = (
            "it failed before it had any evidence; run it again"
            if known
            else f"{settings.data_dir} has no such investigation"
        )
        return _refuse(f"{options.id} cannot be replayed: {why}.")
    return _show(report, as_json=options.json)


async def _demo(options: argparse.Namespace, _: Settings) -> int:
    """The sandbox is an optional extra that nothing imports: it is found by name when it is asked for."""
    try:
        sandbox = importlib.import_module("sandbox.demo")
    except ImportError as error:
        return _refuse(f"The demo needs the sandbox extra ({error.name} is missing): run `make setup` in a checkout.")
    return int(await sandbox.demo(leave_running=options.serve))


async def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    if options.event:
        return explain_event(options.event, settings.routes)
    return await (explain_message(options.message, settings) if options.message else doctor(settings))


async def _eval(options: argparse.Namespace, _: Settings) -> int:
    """A process of its own: the corpus starts event loops and processes itself, and nothing of ours may import it."""
    checkout = Path(__file__).parent.parent
    if not (checkout / "evals").is_dir():
        return _refuse("The scenarios are not part of the installed package: run `rca eval` from a checkout.")
    only = ["--only", *options.only] if options.only else []
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", "evals", *only, cwd=checkout)
    return await running.wait()


COMMANDS: dict[str, Callable[[argparse.Namespace, Settings], Coroutine[None, None, int]]] = {
    "investigate": _investigate,
    "replay": _replay,
    "serve": lambda _, settings: serve(settings),
    "demo": _demo,
    "doctor": _doctor,
    "knowledge": knowledge,
    "eval": _eval,
}


def _show(report: Report, *, as_json: bool) -> int:
    failed = report.status is ReportStatus.FAILED
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
    elif not failed:
        sys.stdout.write(render_report(report) + "\n")
    if failed:
        sys.stderr.write(f"rca: {report.summary}\n")
    return FAILED if failed else OK


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"rca: {' '.join(sentence.split())}\n")
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
