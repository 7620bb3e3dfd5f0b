"""Which changes of a resource took effect, of those that CloudTrail tells."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.findings import Finding
from specialists.contract import Case, rule
from specialists.kit.change import Change, ChangeCount
from specialists.kit.changekinds import plain_name

SOON = timedelta(hours=1)
"""How long before a failure a change may lie that is taken for its cause."""


def effective_changes(case: Case) -> list[Change]:
    """Return the changes of the target that AWS carried out, oldest first."""
    done = [change for change in case.all(Change) if change.took_effect and change.observed_at]
    return sorted(done, key=lambda change: (change.observed_at, change.id))


@rule(sees=(ChangeCount, Change))
def says_changes(case: Case) -> Iterator[Finding]:
    """States that nobody changed the resource, or what the last change was."""
    count, done = case.one(ChangeCount), effective_changes(case)
    if count is None:
        return
    since = f"since {count.searched_from:%Y-%m-%d %H:%M} UTC"
    if not count.events:
        yield case.fact(f"Nobody changed `{case.target.title}` {since}", count)
    elif done:
        often = f"{len(done)} times" if len(done) > 1 else "once"
        last = done[-1]
        yield case.fact(f"`{case.target.title}` was changed {often} {since}; last: {last.summary()}", last, count)


def last_change(case: Case, *names: str, mentioning: str = "", before: datetime | None = None) -> list[Change]:
    """Return the last change by one of these operations that AWS carried out, as a list of one or none.

    With `before`, only one of the hour before that moment.
    `mentioning` is a word that one of its parameters must be or contain, such as "FilterPolicy".
    """
    found = [
        change
        for change in case.all(Change)
        if change.took_effect
        and change.event_name in names
        and (before is None or (change.observed_at is not None and before - SOON <= change.observed_at <= before))
        and any(
            mentioning.lower() in f"{key} {value}".lower() for key, value in change.parameters.items() or [("", "")]
        )
    ]
    return sorted(found, key=lambda c: (c.observed_at.timestamp() if c.observed_at else 0.0, c.id))[-1:]


def by_whom(changes: list[Change]) -> str:
    """Say who made the change and when, to go on after a sentence; empty without one."""
    if not changes:
        return ""
    when = f" at {changes[0].observed_at:%H:%M}" if changes[0].observed_at else ""
    return f"; `{changes[0].who}` made {plain_name(changes[0])}{when}"
