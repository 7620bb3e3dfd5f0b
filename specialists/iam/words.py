"""Sentences about refusals, for people."""

import json
from collections.abc import Iterable
from datetime import datetime

from domain.evidence import EvidenceBundle
from domain.values import utc
from specialists.iam.denials import Denial
from specialists.iam.refusals import Refusal
from specialists.kit.change import Change


def who(denial: Denial, role: str) -> str:
    """Name the refused principal; `role` is the name of its role where that is known otherwise."""
    if role or denial.role:
        return f"role `{role or denial.role}`"
    if ":user/" in denial.principal:
        return f"user `{denial.principal.rsplit('/', 1)[-1]}`"
    return f"`{denial.principal}`" if denial.principal else "the caller's role"


def what(refusal: Refusal) -> str:
    """Name the refused action and its resource: "`sqs:SendMessage` on `payments`"."""
    about = refusal.about
    return f"`{refusal.denial.action}`" + (f" on `{short(about)}`" if about else "")


def short(resource: str) -> str:
    """Return what people call a resource: its ARN without partition, Region, account and kind."""
    if not resource.startswith("arn:"):
        return resource
    name = resource.split(":", 5)[-1]
    return name.removeprefix(next((noun for noun in NOUNS if name.startswith(noun)), ""))


NOUNS = ("table/", "key/", "role/", "function:", "stream/", "rule/", "secret:", "stateMachine:")


def times(refusal: Refusal) -> str:
    """Say how often and since when."""
    often = "once, at" if refusal.count == 1 else f"{refusal.count} times since"
    return f"({often} {clock(refusal.first_at)})"


def capital(sentence: str) -> str:
    """Return the sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def counted(number: int, noun: str) -> str:
    """Return "1 policy" or "3 policies"."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun if number == 1 else plural}"


def clock(moment: datetime) -> str:
    """Return a time of day, UTC."""
    return f"{utc(moment):%H:%M} UTC"


def changed(evidence: EvidenceBundle, role_arn: str, names: Iterable[str]) -> tuple[tuple[datetime, Change], ...]:
    """Return the changes of the role by one of these operations that took effect, with their times, oldest first."""
    wanted = frozenset(names)
    found = (
        (change.observed_at, change)
        for change in evidence.of(Change, role_arn)
        if change.took_effect and change.observed_at is not None and change.event_name in wanted
    )
    return tuple(sorted(found, key=lambda pair: pair[0]))


def last_before(pairs: Iterable[tuple[datetime, Change]], onset: datetime | None) -> Change | None:
    """Return the last of these changes that is not after the onset; the very last without an onset."""
    return next((c for at, c in reversed(tuple(pairs)) if onset is None or at <= onset), None)


def after(change: Change | None) -> str:
    """Tell of a change that came before: "; mia called DetachRolePolicy (`orders-write`) at 09:51 UTC"."""
    if change is None or change.observed_at is None:
        return ""
    named = change.parameters.get("policyName") or change.parameters.get("policyArn", "")
    about = f" (`{named.rsplit('/', 1)[-1]}`)" if named else ""
    return f"; {change.who} called {change.event_name}{about} at {clock(change.observed_at)}"


def grant(action: str, resource: str) -> str:
    """Return the smallest statement that allows the action, as JSON."""
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": resource or "<the ARN it is called on>"})
