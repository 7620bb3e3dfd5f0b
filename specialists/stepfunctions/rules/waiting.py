"""Executions that wait for a task token that nobody sends back."""

from collections.abc import Iterator

from domain.findings import Finding
from specialists.contract import Case, rule
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.stepfunctions.claims import Seen, observed
from specialists.stepfunctions.classify import awaits_token
from specialists.stepfunctions.evidence import Execution, History
from specialists.stepfunctions.refusal import refusal_in
from specialists.stepfunctions.tokens import refusals
from specialists.stepfunctions.words import name_of

TOKEN_CAUSES = (
    "lambda-role-missing-permission",
    "iam-explicit-deny-scp",
    "iam-permission-boundary",
    "iam-explicit-deny-identity",
)
UNUSUAL = 3
SHORTEST_SECONDS = 300.0


@rule("sfn-callback-lost", sees=(History, Execution, MetricSeries))
def token_is_awaited(case: Case) -> Iterator[Finding]:
    """An execution stands, or timed out, in a state that waits for a task token, longer than is usual."""
    for seen in observed(case):
        outcome, history = seen.outcome, seen.history
        if history is None or outcome.status not in {"RUNNING", "TIMED_OUT"} or not awaits_token(outcome.task):
            continue
        waited, usual = _waited(case, seen), _usual(case)
        long = usual is not None and waited > max(UNUSUAL * usual.usual_peak / 1000, SHORTEST_SECONDS)
        if outcome.status == "RUNNING" and waited < SHORTEST_SECONDS:
            continue
        told = outcome.status == "TIMED_OUT" or long
        since = outcome.task.scheduled_at if outcome.task else None
        yield case.hypothesis(
            "sfn-callback-lost",
            f"State `{outcome.state}` of `{name_of(seen.machine)}` has waited {waited:.0f} s for its task token"
            + (f"; executions usually took {usual.usual_peak / 1000:.0f} s at most" if long and usual else ""),
            strong=(history, *([usual] if long and usual else [])) if told else (),
            weak=() if told else (history,),
            resource=seen.machine,
            since=since,
        )
        return


@rule(*TOKEN_CAUSES, sees=(History, Execution, LogLines))
def token_was_refused(case: Case) -> Iterator[Finding]:
    """Whoever holds the task token may not send it back: its function logs the refusal, and the execution waits on."""
    waiting = [s for s in observed(case) if awaits_token(s.outcome.task) and s.outcome.status != "SUCCEEDED"]
    for seen in waiting[:1]:
        found = list(refusals(case, seen.machine))
        for first in {one.role: one for one in reversed(found)}.values():
            holder = first.lines.log_group.rsplit("/", 1)[-1]
            yield case.hypothesis(
                first.cause,
                f"`{holder}` may not send the task token of state `{seen.outcome.state}` back to "
                f"`{name_of(seen.machine)}`: {refusal_in(first.text)}",
                proof=(first.lines,),
                strong=seen.evidence[:1],
                resource=first.role,
                since=first.at,
            )


def _waited(case: Case, seen: Seen) -> float:
    """Return for how many seconds the task waited, until the window's end where it still does."""
    task = seen.outcome.task
    began = task.scheduled_at if task and task.scheduled_at else None
    ended = case.window.end if seen.outcome.status == "RUNNING" else seen.outcome.at
    return max(0.0, (ended - began).total_seconds()) if began and ended else 0.0


def _usual(case: Case) -> MetricSeries | None:
    found = (s for s in case.all(MetricSeries) if s.metric == "ExecutionTime" and s.statistic == "Maximum")
    return next((s for s in found if s.baseline), None)


RULES = (token_is_awaited, token_was_refused)
