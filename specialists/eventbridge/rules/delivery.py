"""A target that cannot be called, is not there, or does not take what it is sent; and dead letters that get lost."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding, Hypothesis
from domain.resource import ResourceType
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.arns import resource_of, short
from specialists.eventbridge.evidence import Destination, RoleAccess, RuleState, Target, Targets
from specialists.eventbridge.metrics import FAILED, INVOCATIONS, MATCHED, RETRIED, THROTTLES, TRIGGERED, UNDELIVERABLE
from specialists.eventbridge.signs import Reading, signs
from specialists.eventbridge.symptoms import (
    by_whom,
    changed,
    counted,
    destination,
    failures,
    gone,
    known_fault,
    of_function,
    onset,
    own_series,
    refusal,
    switched_on,
    targets_of,
    total,
)
from specialists.kit.change import Change
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries

SEES = (Targets, Destination, RoleAccess, RuleState, MetricSeries, Change)
TAKEN_AWAY = ("RemovePermission", "SetQueueAttributes", "SetTopicAttributes", "DeleteResourcePolicy", "DeleteRole")
DELETED = (
    *("DeleteFunction", "DeleteAlias", "DeleteQueue", "DeleteTopic"),
    *("DeleteStateMachine", "DeleteEventBus", "DeleteLogGroup"),
)


@rule("eb-target-no-permission", "lambda-trigger-no-resource-permission", sees=SEES)
def target_refuses(case: Case) -> Iterator[Finding]:
    """The target's policy or key keeps the rule out, or the role that delivers may not call it."""
    for target in targets_of(case):
        found = refusal(case, target)
        if found is not None and not gone(case, target.arn) and (failures(case) or switched_on(case)):
            yield from _refused(case, target, *found)


def _refused(case: Case, target: Target, why: str, seen: Destination | RoleAccess) -> Iterator[Hypothesis]:
    failed, known = failures(case), case.all(Targets)[:1]
    removed = _taken_away(case) if isinstance(seen, Destination) else []
    since = removed[0].observed_at if removed else onset(failed)
    lost = f"; {total(failed):g} events were not delivered" if failed else ""
    who = f", taken away{by_whom(removed[0])}" if removed else ""
    node = resource_of(target.arn)
    function = node if node and node.type is ResourceType.LAMBDA and isinstance(seen, Destination) else None
    # Both sides see one failure: the one that was asked about is named first.
    asked = function is not None and case.graph.node(function.id) is not None
    proven = bool(failed or removed)
    yield case.hypothesis(
        "eb-target-no-permission",
        f"`{case.target.name}` may not call its target `{short(target.arn)}`: {why}{lost}{who}",
        proof=[seen] if proven else (),
        strong=(*([] if proven else [seen]), *failed, *removed, *known),
        against=_delivered(case),
        since=since,
        defers_to=[function.id] if asked and function else (),
    )
    if function is not None and proven:
        yield case.hypothesis(
            "lambda-trigger-no-resource-permission",
            f"The policy of `{function.name}` does not let rule `{case.target.name}` invoke it{who}",
            proof=[seen] if asked else (),
            strong=(*([] if asked else [seen]), *failed, *removed),
            against=_delivered(case),
            resource=function.id,
            since=since,
            defers_to=() if asked else [case.target.id],
        )


def _taken_away(case: Case) -> list[Change]:
    """Return the last change that may have closed a target; permissions of the bus itself are others."""
    return [c for c in changed(case, *TAKEN_AWAY) if "events." not in c.event_source][-1:]


def _delivered(case: Case) -> tuple[MetricSeries, ...]:
    """Return the invocations that contradict a closed or missing target: many, and none of them failed."""
    calls, failed = own_series(case, INVOCATIONS), own_series(case, FAILED)
    alone = len(targets_of(case)) == 1
    if case.target.type is not ResourceType.RULE or calls is None or failed is None or not alone:
        return ()
    return (calls,) if calls.total > 0 and not failed.total else ()


@rule("eb-target-no-permission", "eb-target-missing", "eb-retry-exhausted", sees=SEES)
def dead_letters_say_why(case: Case) -> Iterator[Hypothesis]:
    """Dead letters' attributes, where someone logged them, state why events were given up."""
    for reading, code, why in (
        (Reading.NO_PERMISSION, "eb-target-no-permission", "the target's policy or role does not let it in"),
        (Reading.NO_TARGET, "eb-target-missing", "the target does not exist"),
        (Reading.EXHAUSTED, "eb-retry-exhausted", "its retries were used up"),
    ):
        found = signs(case, reading)
        if found:
            yield case.hypothesis(
                code,
                f"Events of `{case.target.name}` were given up: {why}",
                proof=cited(found),
                since=began(found),
                defers_to=_own_targets(case) if code == "eb-retry-exhausted" else (),
            )


@rule("eb-target-missing", sees=SEES)
def target_is_gone(case: Case) -> Iterator[Hypothesis]:
    """A target does not exist, or the rule has none at all."""
    failed = failures(case)
    for target in targets_of(case):
        seen = gone(case, target.arn)
        if seen is None or not (failed or switched_on(case)):
            continue
        deleted = changed(case, *DELETED)[-1:]
        proven = bool(failed) or bool(deleted)
        lost = f"; {total(failed):g} events were not delivered" if failed else ""
        who = f": deleted{by_whom(deleted[0])}" if deleted else ""
        yield case.hypothesis(
            "eb-target-missing",
            f"The target `{short(target.arn)}` of `{case.target.name}` does not exist{who}{lost}",
            proof=[seen] if proven else (),
            strong=(*([] if proven else [seen]), *deleted, *failed, *case.all(Targets)[:1]),
            against=_delivered(case),
            since=deleted[0].observed_at if deleted else onset(failed),
        )


@rule("eb-target-missing", sees=SEES)
def rule_has_no_targets(case: Case) -> Iterator[Hypothesis]:
    """The rule is on, and there is nothing that it sends events to."""
    known, state = case.one(Targets), case.one(RuleState)
    if known is None or known.targets or state is None or not state.enabled:
        return
    removed = changed(case, "RemoveTargets")[-1:]
    matched = counted(case, (MATCHED, TRIGGERED))
    proven = bool(removed or matched)
    who = f": removed{by_whom(removed[0])}" if removed else ""
    lost = f"; {total(matched):g} events went nowhere" if matched else ""
    yield case.hypothesis(
        "eb-target-missing",
        f"Rule `{state.name}` has no targets{who}{lost}",
        proof=[known] if proven else (),
        strong=(*([] if proven else [known]), *removed, *matched),
        since=removed[0].observed_at if removed else onset(matched),
    )


@rule("eb-dlq-undeliverable", sees=SEES)
def dead_letters_are_lost(case: Case) -> Iterator[Finding]:
    """Events that failed could not be put into the dead-letter queue either: it is gone or does not let them in."""
    lost = counted(case, UNDELIVERABLE)
    queues = dict.fromkeys(t.dead_letter_arn for t in targets_of(case) if t.dead_letter_arn)
    closed = [found for arn in queues if (found := _closed_queue(case, arn)) is not None]
    if not lost:
        for why, seen in closed:
            yield case.advice(f"Failed events of `{case.target.name}` would be lost: {why}.", seen)
        return
    why = f": {closed[0][0]}" if closed else ""
    shown: list[Evidence] = [seen for _, seen in closed]
    # Where the failure itself is known, losing its dead letters comes after it.
    proof, strong = ((), (*lost, *shown)) if known_fault(case) else (lost, tuple(shown))
    yield case.hypothesis(
        "eb-dlq-undeliverable",
        f"{total(lost):g} failed events of `{case.target.name}` did not reach the dead-letter queue{why}",
        proof=proof,
        strong=strong,
        since=onset(lost),
    )


def _closed_queue(case: Case, arn: str) -> tuple[str, Evidence] | None:
    seen = destination(case, arn)
    if seen is not None and seen.exists is False:
        return f"dead-letter queue `{short(arn)}` does not exist", seen
    if seen is not None and seen.admits is False:
        return f"dead-letter queue `{short(arn)}` does not let EventBridge send ({seen.why})", seen
    roles = (a for a in case.all(RoleAccess) if a.target_arn == arn and a.refusal)
    return next(((f"for dead-letter queue `{short(arn)}` {a.refusal}", a) for a in roles), None)


@rule("eb-retry-exhausted", sees=SEES)
def retries_were_used_up(case: Case) -> Iterator[Hypothesis]:
    """Events were given up although the target is there and open: it was throttled or failed for too long."""
    failed = failures(case)
    if not failed or known_fault(case) or not switched_on(case) or _unseen_refusal(case):
        return
    retried = counted(case, (RETRIED,))
    open_targets = [d for d in (destination(case, t.arn) for t in targets_of(case)) if d and d.exists]
    limits = [text for target in targets_of(case) if (text := _limit(target))]
    known = case.all(Targets)[:1]
    throttled = [s for target in targets_of(case) for s in of_function(case, target, THROTTLES)]
    sure = bool(retried)
    tried = f" after {retried[0].total:g} retries" if retried else ""
    tried += f"; the target was throttled {throttled[0].total:g} times" if throttled else ""
    yield case.hypothesis(
        "eb-retry-exhausted",
        f"{total(failed):g} events of `{case.target.name}` were not delivered{tried}"
        + (f"; {limits[0]}" if limits else ""),
        # Alone the count is no verdict: it keeps lost events from looking healthy.
        strong=(*failed, *throttled, *([*retried, *open_targets, *(known if limits else ())] if sure else ())),
        since=onset(failed),
        defers_to=_own_targets(case),
    )


@rule("eb-target-no-permission", sees=SEES)
def refused_out_of_sight(case: Case) -> Iterator[Hypothesis]:
    """Events fail for good without another try, which is how a closed or missing target answers, and it is not seen."""
    unseen = _unseen_refusal(case)
    if not unseen or not switched_on(case):
        return
    failed = failures(case)
    seen = destination(case, unseen[0].arn)
    where = f" ({seen.why})" if seen is not None and seen.why else ""
    yield case.hypothesis(
        "eb-target-no-permission",
        f"{total(failed):g} events of `{case.target.name}` were not delivered, and EventBridge did not try again: its "
        f"target `{short(unseen[0].arn)}` refuses them or is gone, which cannot be seen from here{where}",
        strong=failed,
        since=onset(failed),
    )


def _unseen_refusal(case: Case) -> list[Target]:
    """Return the targets that could not be judged, where events failed at once and no known fault explains that.

    A missing permission or target is not retried: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
    """
    retried = own_series(case, RETRIED)
    if not failures(case) or known_fault(case) or retried is None or retried.total:
        return []
    judged = [(target, destination(case, target.arn)) for target in targets_of(case)]
    return [target for target, seen in judged if seen is None or seen.exists is None]


def _limit(target: Target) -> str:
    if target.retries is not None and target.retries < 10:
        return f"its target `{short(target.arn)}` is retried {target.retries} times only"
    if target.max_age_seconds is not None and target.max_age_seconds < 3600:
        return f"its target `{short(target.arn)}` is retried for {target.max_age_seconds} s only"
    return ""


def _own_targets(case: Case) -> list[str]:
    """Return the targets that are looked at themselves: only there could a deeper cause be found."""
    nodes = (resource_of(target.arn) for target in targets_of(case))
    return [node.id for node in nodes if node is not None and case.graph.node(node.id) is not None]


RULES: tuple[Rule, ...] = (
    target_refuses,
    dead_letters_say_why,
    target_is_gone,
    rule_has_no_targets,
    dead_letters_are_lost,
    retries_were_used_up,
    refused_out_of_sight,
)
