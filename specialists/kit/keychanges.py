"""Who took away the KMS key that something is encrypted with."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.findings import Finding
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.key import KeyState

TAKING = frozenset({"DisableKey", "ScheduleKeyDeletion"})
"""CloudTrail's names of the changes after which nobody can use a key."""

SLACK = timedelta(minutes=2)


def taken_away(case: Case, since: datetime | None) -> Iterator[Finding]:
    """Name the change after which the target's key could not be used; `since` is when requests began to fail for it.

    A key that waits for its deletion is a cause of its own, one that is off is told at what it encrypts.
    """
    for key in case.all(KeyState):
        done = [
            change
            for change in case.evidence.of(Change, key.key_arn)
            if change.took_effect and change.event_name in TAKING and change.observed_at is not None
        ]
        if not key.unusable or not done:
            continue
        last = max(done, key=lambda change: (change.observed_at, change.id))
        if last.observed_at is None or since is None or last.observed_at > since + SLACK:
            continue
        yield case.hypothesis(
            "deploy-regression",
            f"`{last.who}` made {last.event_name} on the KMS key of `{case.target.name}` at "
            f"{last.observed_at:%H:%M:%S}; it is {key.state}",
            proof=(last,),
            strong=(key,),
            resource=key.key_arn if key.going else None,
            since=last.observed_at,
        )
