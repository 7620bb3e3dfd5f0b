"""The change of the queue that set a failure off: policy, key, visibility timeout, redrive policy, deletion."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.evidence import Evidence
from domain.findings import Finding
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.overheard import began, cited
from specialists.sqs.metrics import DURATION
from specialists.sqs.rules.refusals import POLICY_CHANGES
from specialists.sqs.rules.waiting import SEES
from specialists.sqs.signs import Reading, Sign, signs
from specialists.sqs.subject import Subject, first_rise

SOON = timedelta(hours=2)
SLACK = timedelta(minutes=2)
"""Metrics come by the minute, and clocks differ."""


class Effect(NamedTuple):
    """What a change can have done: when it was first seen, and what shows it."""

    at: datetime | None
    shown: tuple[Evidence, ...]


def _of_signs(*readings: Reading) -> Callable[[Subject], Effect]:
    def effect(subject: Subject) -> Effect:
        found: tuple[Sign, ...] = signs(subject.case, *readings)
        return Effect(began(found), cited(found))

    return effect


def _dead_letters(subject: Subject) -> Effect:
    dead = subject.dead_letters
    return Effect(first_rise(dead), (dead,)) if dead else Effect(None, ())


def _runs_over(subject: Subject) -> Effect:
    """Return the first run that took longer than the visibility timeout."""
    state = subject.state
    limit = 1000 * state.visibility_seconds if state else 0
    series = [s for m in subject.mappings if (s := subject.series_of(m.function, DURATION)) is not None]
    over = [(at, s) for s in series if limit and (at := s.first_over(limit)) is not None]
    return Effect(min(at for at, _ in over), tuple(s for _, s in over)) if over else Effect(None, ())


EFFECTS: tuple[tuple[str, str, Callable[[Subject], Effect]], ...] = (
    ("DeleteQueue", "", _of_signs(Reading.NO_QUEUE)),
    *((name, "", _of_signs(Reading.DENIED)) for name in POLICY_CHANGES),
    ("SetQueueAttributes", "policy", _of_signs(Reading.DENIED)),
    ("SetQueueAttributes", "kmsmasterkeyid", _of_signs(Reading.KMS_DENIED, Reading.KMS_STATE)),
    ("SetQueueAttributes", "maximummessagesize", _of_signs(Reading.TOO_LARGE)),
    ("SetQueueAttributes", "redrivepolicy", _dead_letters),
    ("SetQueueAttributes", "visibilitytimeout", _runs_over),
)
"""Which change can have which effect: CloudTrail's event, the attribute it sets, and where the effect is seen."""


@rule("deploy-regression", sees=SEES)
def change_broke_it(case: Case) -> Iterator[Finding]:
    """The queue was changed shortly before a failure of the kind that such a change makes."""
    subject = Subject(case, case.target.id)
    found: dict[str, tuple[Change, str, Effect]] = {}
    for event, attribute, effect_of in EFFECTS:
        for change in subject.changes(event):
            effect = effect_of(subject)
            if _sets(change, attribute) and _just_before(change, effect):
                found[event + attribute] = (change, attribute, effect)
    # One failure has one last change before it.
    last = sorted(found.values(), key=lambda one: str(one[0].observed_at))[-1:]
    for change, attribute, effect in last:
        what = f"`{change.event_name}`" + (f" of {_spelled(change, attribute)}" if attribute else "")
        yield case.hypothesis(
            "deploy-regression",
            f"{what} on `{subject.name}` by `{change.who}` at {change.observed_at:%H:%M} came just before it failed",
            strong=(change, *effect.shown[:2]),
            since=change.observed_at,
        )


def _sets(change: Change, attribute: str) -> bool:
    return not attribute or bool(_spelled(change, attribute))


def _spelled(change: Change, attribute: str) -> str:
    """Return the attribute as the request names it; empty when it does not set it."""
    names = (name.rsplit(".", 1)[-1] for name in change.parameters if name.lower().endswith(f"attributes.{attribute}"))
    return next(names, "")


def _just_before(change: Change, effect: Effect) -> bool:
    if change.observed_at is None or effect.at is None:
        return False
    return change.observed_at - SLACK <= effect.at <= change.observed_at + SOON


RULES = (change_broke_it,)
