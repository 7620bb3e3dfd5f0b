"""A failed look in words: what is unknown because of it, and what to do."""

import logging
import re

from aws.errors import classify
from domain.gap import Gap, GapReason
from domain.resource import Resource
from specialists.contract import Probe

logger = logging.getLogger(__name__)


def gap_of(specialist: str, probe: Probe, target: Resource, error: BaseException) -> Gap:
    """Say what could not be seen and what to do about it."""
    failure = classify(error)
    action = _action(probe, error, failure.message)
    denied = failure.reason is GapReason.ACCESS_DENIED
    if failure.reason is GapReason.FAILED:
        logger.warning(
            "specialist=<%s>, probe=<%s>, resource=<%s> | %s: %s",
            specialist,
            probe.name,
            target.id,
            failure.code,
            failure.message,
        )
    return Gap(
        specialist=specialist,
        probe=probe.name,
        resource=target.id,
        reason=failure.reason,
        action=action if denied else None,
        message=GAP_SENTENCES[failure.reason].format(
            what=probe.name.replace("_", " "),
            name=target.name,
            action=action or "the look",
            where=_where(action, target),
            code=failure.code,
            detail=failure.message[:200],
        ),
    )


REFUSED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z]{2,80})")


def _action(probe: Probe, error: BaseException, message: str) -> str:
    """The IAM action that a look needed: the one AWS's refusal names, else the one declared for the operation.

    AWS writes some actions in lower case; a declared one keeps its own writing.
    """
    declared = {action.lower(): action for action in probe.actions}
    named = REFUSED_ACTION.search(message)
    if named:
        return declared.get(named[1].lower(), named[1])
    operation = getattr(error, "operation_name", "")
    return next((r.action for r in probe.reads if r.operation == operation), next(iter(probe.actions), ""))


def _where(action: str, target: Resource) -> str:
    """Return " on <ARN>" where the action is one of the target's own service: a log group has another ARN."""
    service = target.arn.split(":")[2] if target.arn else ""
    return f" on {target.arn}" if service and action.split(":", 1)[0] == service else ""


GAP_SENTENCES = {
    GapReason.ACCESS_DENIED: "{what} of {name}: grant {action}{where}",
    GapReason.NOT_FOUND: "{what} of {name}: AWS knows nothing under that name ({code})",
    GapReason.THROTTLED: "{what} of {name}: AWS throttled {action}; run it again in a minute",
    GapReason.TIMED_OUT: "{what} of {name}: no answer in time from {action}",
    GapReason.FAILED: "{what} of {name}: {action} failed ({code}: {detail})",
    GapReason.NO_DATA: "{what} of {name}: no data",
}


def unreachable(specialist: str, probe: Probe, target: Resource) -> Gap:
    """Say that the target's account cannot be read, and what to set up."""
    return Gap(
        specialist=specialist,
        probe=probe.name,
        resource=target.id,
        reason=GapReason.ACCESS_DENIED,
        action="sts:AssumeRole",
        message=(
            f"{target.name} is in account {target.account}: "
            "add a role for that account to RCA_ACCOUNTS and allow sts:AssumeRole on it"
        ),
    )
