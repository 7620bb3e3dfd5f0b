"""The formats of alarm posts, one row each: its name, how it is recognised, and which of its parts tell what.

Where several parts tell the same fact, the first that is listed is believed: the console link, the title, ARNs, named
values, `ALARM: "name" in Region` and the other sentences, JSON. To add a format, add a row and a sample.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from bot.alarms import amazon_q
from bot.alarms.flatten import Origin, Post, said
from bot.alarms.keys import KEYS, Fact, normal
from bot.alarms.notifications import notification
from bot.alarms.sources import (
    Source,
    Told,
    arns,
    authors,
    fields,
    headlines,
    lines,
    links,
    members,
    reasons,
    relay_words,
    sentences,
    shapes,
    stamps,
    titles,
)
from bot.alarms.states import settled
from bot.alarms.wordings import wording
from domain.alarm import AlarmReference

KNOWN: tuple[Source, ...] = (links, arns, fields, lines, sentences, titles, notification)
LAST: tuple[Source, ...] = (headlines, reasons, authors, shapes, stamps, members)
"""What is asked only for facts that the others left open."""


class Format(NamedTuple):
    """A format. `state`, where set, is the one source that may tell the state: then no other makes it ALARM."""

    name: str
    fits: Callable[[Post], bool]
    sources: tuple[Source, ...] = KNOWN
    last: tuple[Source, ...] = LAST
    state: Source | None = None


class Reading(NamedTuple):
    """What was made of a post: the alarm when its name and state are told, and every fact with its source.

    `doubt` are further states that the post told.
    """

    format: str
    facts: dict[Fact, Told]
    alarm: AlarmReference | None = None
    doubt: tuple[Told, ...] = ()


def _keys(post: Post) -> set[Fact]:
    return {KEYS[key] for item in post.fields if (key := normal(item.key)) in KEYS}


def _has(*names: str) -> Callable[[Post], bool]:
    wanted = {normal(name) for name in names}
    return lambda post: wanted <= {normal(item.key) for item in post.fields}


def _relay(sender: str, incident: str) -> Callable[[Post], bool]:
    """Recognise a relay by its name, or by a link to one of its incidents; a runbook's link does not make one."""
    name, link = re.compile(sender, re.IGNORECASE), re.compile(incident, re.IGNORECASE)
    return lambda post: bool(name.search(post.sender)) or any(link.search(each.url[:300]) for each in post.links)


def _in_words(post: Post) -> bool:
    return any(wording(text) for text in said(post, *Origin))


RELAY: dict[str, Any] = {"sources": (relay_words, links, arns, fields, sentences, notification), "state": relay_words}

FORMATS: tuple[Format, ...] = (
    Format(
        "Amazon Q",
        amazon_q.is_amazon_q,
        (links, amazon_q.title, arns, fields, amazon_q.sections),
        (reasons, shapes, stamps, members),
        amazon_q.title,
    ),
    Format("PagerDuty", _relay(r"\bpager ?duty\b", r"\.pagerduty\.com/incidents/"), **RELAY),
    Format(
        "Opsgenie",
        _relay(r"\bops ?genie\b|\bjira service management\b", r"//(?:[a-z]+\.)?opsg\.in/a/|opsgenie\.com/alert/"),
        **RELAY,
    ),
    Format("mail", lambda post: post.mail),
    Format("JSON", lambda post: any(told.fact is Fact.NAME for told in notification(post))),
    Format("terraform-aws-notify-slack", _has("Alarm Name", "Current State", "Old State")),
    Format("SNS webhook, author style", lambda post: any(said(post, Origin.AUTHOR)) and Fact.STATE in _keys(post)),
    Format("SNS webhook, title style", lambda post: any(said(post, Origin.TITLE)) and Fact.STATE in _keys(post)),
    Format("SNS webhook, fields", lambda post: {Fact.NAME, Fact.STATE} <= _keys(post)),
    Format("SNS webhook, Block Kit", lambda post: any(said(post, Origin.BLOCK)) and Fact.STATE in _keys(post)),
    Format("AWS Lambda blueprint", lambda post: any(" state is now " in text for text in said(post, Origin.TEXT))),
    Format("words", _in_words),
    Format("console link", lambda post: any(links(post))),
    Format("unknown", lambda _: True),
)
"""The first that fits reads the post; the last fits all, and finds a name and a state where there are any."""


def read(post: Post) -> Reading:
    """Return what a post tells of an alarm."""
    row = next(row for row in FORMATS if row.fits(post))
    told = [each for source in row.sources for each in source(post)]
    late = [each for source in row.last for each in source(post)]
    states = _states(row, post, told) or ([] if row.state else [each for each in late if each.fact is Fact.STATE])
    facts: dict[Fact, Told] = {}
    for each in (*told, *late):
        if each.fact is not Fact.STATE:
            facts.setdefault(each.fact, each)
    state = settled(each.value for each in states)
    if state is not None:
        facts[Fact.STATE] = next(each for each in states if each.value is state)
    if Fact.DIMENSIONS in facts:
        facts[Fact.DIMENSIONS] = _merged([each for each in told if each.fact is Fact.DIMENSIONS])
    doubt = tuple(each for each in states if each.value is not state)
    return Reading(row.name, facts, _alarm(row, facts), doubt)


def _states(row: Format, post: Post, told: list[Told]) -> list[Told]:
    """Return the states told, the deciding source's first, and none where that source tells none."""
    deciding = [each for each in row.state(post) if each.fact is Fact.STATE] if row.state else []
    if row.state and not deciding:
        return []
    return [*deciding, *(each for each in told if each.fact is Fact.STATE and each not in deciding)]


def _merged(told: list[Told]) -> Told:
    """Put dimensions together that stand in fields of their own."""
    values = {key: value for each in reversed(told) for key, value in each.value.items()}
    return Told(Fact.DIMENSIONS, dict(sorted(values.items())), told[0].source)


def _alarm(row: Format, facts: dict[Fact, Told]) -> AlarmReference | None:
    if not {Fact.NAME, Fact.STATE} <= facts.keys() or not facts[Fact.NAME].value:
        return None
    values = {fact.value: told.value for fact, told in facts.items()}
    values["name"] = values["name"][:255]
    return AlarmReference(**values, told_by=row.name)
