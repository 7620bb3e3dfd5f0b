"""Switched off or deleted: a rule, the rules of a bus, a pipe."""

import re
from collections.abc import Iterator, Sequence

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.arns import resource_of, short
from specialists.eventbridge.evidence import DISABLED, BusRules, PipeState, RuleState
from specialists.eventbridge.metrics import MATCHED, Place, of_rule
from specialists.eventbridge.symptoms import by_whom, changed, fell_silent, parameter, silent_since
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries

REFUSED = re.compile(
    r"not authorized|access ?denied|permission|cannot assume|not able to assume|forbidden", re.IGNORECASE
)
MISSING = re.compile(r"not found|does not exist|doesn't exist|no longer exists|NonExistent", re.IGNORECASE)


@rule("eb-rule-disabled", sees=(RuleState, MetricSeries, Change))
def rule_is_off(case: Case) -> Iterator[Hypothesis]:
    """The rule is switched off or was deleted, so nothing sets it off."""
    state = case.one(RuleState)
    if state is None or state.enabled or not state.bus_exists:
        return
    done = _switching_off(case, deleted=not state.exists)
    silent = fell_silent(case, done[-1].observed_at if done else None)
    who = by_whom(done[-1]) if done else ""
    what = "is switched off" if state.exists else "does not exist"
    verb = "disabled" if state.exists else "deleted"
    quiet = ", and no longer runs" if silent else ""
    yield case.hypothesis(
        "eb-rule-disabled",
        f"Rule `{state.name}` on event bus `{state.bus}` {what}" + (f": {verb}{who}" if done else "") + quiet,
        # That a rule which never was is not there may be a slip in its name.
        proof=[state] if state.exists or done else (),
        strong=(*([] if state.exists or done else [state]), *done[-1:], *silent),
        since=done[-1].observed_at if done else silent_since(silent),
    )


def _switching_off(case: Case, *, deleted: bool) -> Sequence[Change]:
    if deleted:
        return changed(case, "DeleteRule")
    return [
        change
        for change in changed(case, "DisableRule", "PutRule")
        if change.event_name == "DisableRule" or parameter(change, "state") == DISABLED
    ]


@rule("eb-rule-disabled", sees=(BusRules, MetricSeries))
def rules_of_the_bus_are_off(case: Case) -> Iterator[Finding]:
    """Events reach the bus, and a rule of it that matched until lately is switched off."""
    known = case.one(BusRules)
    if known is None or case.one(RuleState) is not None:
        return
    for off in (r for r in known.rules if r.state == DISABLED):
        where = of_rule(Place(known.bus, off.name))
        matched = [s for s in case.all(MetricSeries) if s.metric == MATCHED and s.dimensions == where]
        before = [s for s in matched if sum(p.value for p in s.baseline) + s.total > 0]
        found = resource_of(off.arn)
        if not before or found is None:
            continue
        yield case.hypothesis(
            "eb-rule-disabled",
            f"Rule `{off.name}` on event bus `{known.bus}` is switched off; it matched events until lately",
            proof=[known],
            strong=before,
            resource=found.id,
            since=silent_since(before),
        )


@rule("eb-rule-disabled", "eb-target-no-permission", "eb-target-missing", sees=(PipeState, MetricSeries, Change))
def pipe_is_stopped(case: Case) -> Iterator[Hypothesis]:
    """The pipe does not run; AWS's reason tells whether someone stopped it or its target turned it away."""
    pipe = case.one(PipeState)
    if pipe is None or (pipe.exists and pipe.state in {"RUNNING", "CREATING", "UPDATING", "STARTING"}):
        return
    done = changed(case, "StopPipe", "UpdatePipe") if pipe.exists else changed(case, "DeletePipe")
    who = by_whom(done[-1]) if done else ""
    if not pipe.exists:
        code, sentence = "eb-rule-disabled", f"Pipe `{pipe.name}` does not exist" + (f": deleted{who}" if who else "")
    elif pipe.reason and (REFUSED.search(pipe.reason) or MISSING.search(pipe.reason)):
        code = "eb-target-no-permission" if REFUSED.search(pipe.reason) else "eb-target-missing"
        sentence = f"AWS stopped pipe `{pipe.name}` to `{short(pipe.target_arn)}`: {pipe.reason}"
    else:
        why = f": {pipe.reason}" if pipe.reason else f"{who}" if done else ""
        code, sentence = "eb-rule-disabled", f"Pipe `{pipe.name}` is {pipe.state}{why}"
    shown: list[Evidence] = [*done[-1:], *fell_silent(case)]
    certain = pipe.exists or bool(done)
    yield case.hypothesis(
        code,
        sentence,
        proof=[pipe] if certain else (),
        strong=shown if certain else [pipe, *shown],
        since=done[-1].observed_at if done else pipe.modified_at,
    )


RULES: tuple[Rule, ...] = (rule_is_off, rules_of_the_bus_are_off, pipe_is_stopped)
