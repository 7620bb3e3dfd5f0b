"""What could be done about a rule or pipe: switch it on, put it as it was, open its target. Schedules stay advice.

UpdateSchedule replaces the whole schedule, and what was not observed of it would be lost.
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
"""

import json
from collections.abc import Iterator

from domain.action import Effect, ProposedAction, Risk
from domain.evidence import Evidence, EvidenceBundle
from domain.report import RankedHypothesis
from domain.resource import ResourceType
from specialists.contract import Proposal, proposal
from specialists.eventbridge.arns import parsed_arn, resource_of
from specialists.eventbridge.evidence import DISABLED, BusRules, Destination, PipeState, RuleState, Targets
from specialists.kit.actions import proposed
from specialists.kit.change import Change
from specialists.kit.proposals import KEPT_AS_CODE, before, cited, let_in, shown

EVENTS = "events.amazonaws.com"
PUT: dict[str, str] = {
    "name": "Name",
    "eventBusName": "EventBusName",
    "eventPattern": "EventPattern",
    "scheduleExpression": "ScheduleExpression",
    "state": "State",
    "description": "Description",
    "roleArn": "RoleArn",
}
"""PutRule's parameters as CloudTrail and as the call spell them: it replaces the rule with exactly what it is given."""


@proposal("eb-rule-disabled")
def enable_rule(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to switch the rule on again."""
    for state in bundle.of(RuleState, accepted.resource):
        if state.exists and state.state == DISABLED and not state.managed_by:
            undone = cited(accepted, bundle, "DisableRule", "PutRule") is not None
            yield _switched_on(accepted, state.name, state.bus, Effect.UNDOES if undone else Effect.MENDS, state)
    for known in bundle.of(BusRules):
        for rule in known.rules:
            node = resource_of(rule.arn)
            if node is not None and node.id == accepted.resource and rule.state == DISABLED:
                yield _switched_on(accepted, rule.name, known.bus, Effect.MENDS, known)


def _switched_on(accepted: RankedHypothesis, name: str, bus: str, effect: Effect, seen: Evidence) -> ProposedAction:
    return proposed(
        "events.enable_rule",
        call=("events", "EnableRule"),
        parameters={"Name": name, "EventBusName": bus},
        resource=accepted.resource,
        title=f"Switch rule `{name}` on again",
        rationale="The rule is disabled: it matches nothing and calls nothing.",
        expected_effect="New events and times set it off again within a minute; those of the meantime stay lost.",
        risk=Risk.LOW,
        undo="Disable it again (DisableRule).",
        verification=f"TriggeredRules of `{name}` rises above 0 again.",
        effect=effect,
        trade_off=f"somebody may have stopped it for a reason: ask who did; {KEPT_AS_CODE}",
        evidence=shown(accepted, seen),
    )


@proposal("eb-rule-disabled")
def start_pipe(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer to start a pipe that somebody stopped; one that AWS stopped would only be stopped again."""
    pipe = bundle.first(PipeState, accepted.resource)
    if pipe is None or not pipe.exists or pipe.state != "STOPPED" or pipe.desired != "STOPPED":
        return
    yield proposed(
        "pipes.start",
        call=("pipes", "StartPipe"),
        parameters={"Name": pipe.name},
        resource=accepted.resource,
        title=f"Start pipe `{pipe.name}` again",
        rationale="The pipe is stopped: its source's records wait.",
        expected_effect="It works off what waits, from where it stood.",
        risk=Risk.LOW,
        undo="Stop it again (StopPipe).",
        verification=f"DescribePipe says RUNNING, and Invocations of `{pipe.name}` rise.",
        effect=Effect.UNDOES if cited(accepted, bundle, "StopPipe", "UpdatePipe") else Effect.MENDS,
        trade_off="what waits comes all at once; somebody may have stopped it for a reason",
        evidence=shown(accepted, pipe),
    )


@proposal("eb-pattern-mismatch", "eb-schedule-wrong")
def restore_rule(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the rule as it was put before the change that the verdict rests on, with all that was put then."""
    state, change = bundle.first(RuleState, accepted.resource), cited(accepted, bundle, "PutRule")
    if state is None or not state.exists or state.managed_by or change is None:
        return
    earlier = before(bundle, change, "PutRule", same=("name",))
    parameters = _put(earlier) if earlier else None
    if earlier is None or parameters is None or parameters == _put(change):
        return
    yield proposed(
        "events.restore_rule",
        call=("events", "PutRule"),
        parameters={**parameters, "Name": state.name, "EventBusName": state.bus},
        resource=accepted.resource,
        title=f"Put rule `{state.name}` as it was before {change.observed_at:%H:%M} UTC",
        rationale=f"`{change.who}` put it differently, and it has not been set off since.",
        expected_effect="New events and times set it off as before, within a minute.",
        risk=Risk.LOW,
        undo=f"Put {state.pattern or state.schedule} again.",
        verification=f"TriggeredRules of `{state.name}` returns to its usual number.",
        effect=Effect.UNDOES,
        trade_off=f"what the change was made for is undone with it; {KEPT_AS_CODE}",
        evidence=shown(accepted, change, earlier, state),
    )


def _put(change: Change) -> dict[str, str] | None:
    """Return the parameters of a PutRule, None where they are not known in full: long texts are kept in part only."""
    if not set(change.parameters) <= set(PUT):
        return None
    given = {PUT[key]: value for key, value in change.parameters.items()}
    try:
        json.loads(given.get("EventPattern", "{}"))
    except ValueError:
        return None
    return given if {"EventPattern", "ScheduleExpression"} & set(given) else None


@proposal("eb-target-no-permission", "lambda-trigger-no-resource-permission")
def open_target(accepted: RankedHypothesis, bundle: EvidenceBundle) -> Iterator[ProposedAction]:
    """Offer the statement in a target function's policy that lets this rule invoke it."""
    for seen in bundle.of(Destination):
        function, rule = resource_of(seen.arn), parsed_arn(seen.resource)
        if function is None or rule is None or function.type is not ResourceType.LAMBDA or seen.admits is not False:
            continue
        is_target = any(t.arn == seen.arn for known in bundle.of(Targets, seen.resource) for t in known.targets)
        if rule.service != "events" or not is_target or accepted.resource not in {seen.resource, function.id}:
            continue
        qualifier = next(iter(seen.arn.split(":")[7:]), None)
        yield let_in(accepted, seen, function=function.id, qualifier=qualifier, principal=EVENTS, source=seen.resource)


PROPOSALS: tuple[Proposal, ...] = (enable_rule, start_pipe, restore_rule, open_target)
