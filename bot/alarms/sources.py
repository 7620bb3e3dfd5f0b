"""What the parts of a post tell of an alarm. Each source yields facts; their order is the formats'."""

import re
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Any, NamedTuple

from bot.alarms.console import ConsoleAlarm, alarm_behind
from bot.alarms.flatten import Origin, Post, said
from bot.alarms.keys import DIMENSIONS, KEYS, Fact, normal
from bot.alarms.markup import BARE_URL, Link, unwrapped
from bot.alarms.regions import region_of
from bot.alarms.states import WORD, handled, marked, relayed, settled, state_of, told_in, unmarked
from bot.alarms.times import from_epoch_text, moment_of
from bot.alarms.wordings import JSON, MAX_LINE, REASON, lines_of, wording
from domain.alarm import AlarmState
from orchestrator.parse import REGION

OWN = tuple(origin for origin in Origin if origin is not Origin.FALLBACK)
STATED = frozenset({Fact.NAME, Fact.STATE, Fact.ARN})
"""What the named values of a format that has any tell."""
HEADS, RELAY_HEADS = 4, 2
"""How many texts are looked at for a headline; a relay's third may be the alarm's description."""


class Told(NamedTuple):
    """A fact with its value and where it was found."""

    fact: Fact
    value: Any
    source: str


Source = Callable[[Post], Iterator[Told]]

LINE_FIELD = re.compile(
    r"[\s•▪●·>*_-]{0,12}(?P<key>[^:：=*`\n\"{}\[\]]{1,48}?)[*_`\s]{0,6}(?:[:：]|\s=)"
    r"(?![*_\s]*$)[*_\s]{0,60}(?P<value>\S.{0,2000})"
)
"""A line that names a value: "- Alarm Arn:   arn:…", "*Region:* EU (Ireland)"."""
HEAD_ACCOUNT = re.compile(r"(?:\baccount\W{0,6}(?:id\W{0,3})?|\| )([0-9]{12})(?![0-9])", re.IGNORECASE)
SHORT = 60
"""Characters of a value that is a Region or an account and little else."""
BOLD_LINE = re.compile(r"[\s•▪●·>-]{0,8}\*[^*]{1,2000}\*")
LINE_KEY = re.compile(r"[\s•▪●·>-]{0,8}[*_](?P<key>[^:：*_`\n]{1,48}?)[:：]?[*_]")
"""A line that is but a name in bold; its value is the line below."""
ALARM_ARN = re.compile(r"arn:aws[a-z-]{0,12}:cloudwatch:([a-z0-9-]{4,24}):([0-9]{12}):alarm:([^\n\"`<>|]{1,255})")
GENERIC = frozenset({
    "a", "an", "the", "aws", "amazon", "cloudwatch", "alarm", "alarms", "alert", "alerts", "metric", "monitoring",
    "notification", "notifications", "state", "status", "change", "changed", "update", "triggered", "details", "new",
    "in", "is", "ok", "insufficient_data", "insufficient", "data",
})  # fmt: skip
"""Words of titles that name no alarm."""
FORMER = re.compile(
    r"old|prev|prior|former|before|\bfrom\b|\bwas\b|last|anter|ancien|vorher|alte?r|preced|以前|旧|前|이전|之前|прежн",
    re.IGNORECASE,
)
"""What the names of old values have in them."""


def links(post: Post) -> Iterator[Told]:
    """Yield what the console links tell; of several, the one that the post's own words name."""
    found = [(link, alarm) for link in post.links if (alarm := alarm_behind(link.url)) is not None]
    if not found:
        return
    chosen, name = _chosen(found, _spoken(post))
    source = "console link"
    yield Told(Fact.NAME, name, source)
    yield Told(Fact.LINK, chosen.url, source)
    for fact, value in ((Fact.REGION, chosen.region), (Fact.ACCOUNT, chosen.account)):
        if value:
            yield Told(fact, value, source)


def _spoken(post: Post) -> tuple[str, ...]:
    """Return the names that the words of a post give the alarm."""
    told = (t for source in (fields, lines, sentences, titles) for t in source(post))
    return tuple(dict.fromkeys(t.value for t in told if t.fact is Fact.NAME))


def _chosen(found: list[tuple[Link, ConsoleAlarm]], spoken: tuple[str, ...]) -> tuple[ConsoleAlarm, str]:
    """Return the link and the name in it; Slack ends a bare link at the name's first space, then the words have it."""
    for link, alarm in found:
        if (name := alarm.name(spoken)) in spoken:
            return alarm, name
        if not link.label:
            cut = next((s for s in spoken if s.startswith(tuple(f"{part} " for part in alarm.spellings))), None)
            if cut is not None:
                return alarm, cut
    return found[0][1], found[0][1].name()


def arns(post: Post) -> Iterator[Told]:
    """Yield what an alarm ARN tells that is named as such; those in a reason are a composite's members."""
    for key, value in _named_values(post):
        if KEYS.get(normal(key)) is Fact.ARN and (found := ALARM_ARN.search(value)):
            yield from _of_arn(found, "alarm ARN")


def members(post: Post) -> Iterator[Told]:
    """Yield the Region and account of any alarm ARN: a composite's members share them."""
    for text in said(post, *Origin):
        for found in ALARM_ARN.finditer(text):
            yield from (t for t in _of_arn(found, "ARN in the text") if t.fact is not Fact.NAME)


def _of_arn(found: re.Match[str], source: str) -> Iterator[Told]:
    yield Told(Fact.NAME, unwrapped(found[3]), source)
    yield Told(Fact.REGION, found[1], source)
    yield Told(Fact.ACCOUNT, found[2], source)


def fields(post: Post) -> Iterator[Told]:
    """Yield what attachments', sections' and tables' named values tell."""
    for key, value in post.fields:
        yield from named(key, value, "field")


def lines(post: Post) -> Iterator[Told]:
    """Yield what lines of the form "key: value" tell, and lines in bold with their value below."""
    for key, value in _line_values(post):
        yield from named(key, value, "line")


def _named_values(post: Post) -> Iterator[tuple[str, str]]:
    yield from post.fields
    yield from _line_values(post)


def _line_values(post: Post) -> Iterator[tuple[str, str]]:
    for text in said(post, *OWN):
        for row, below in pairwise([*lines_of(text), ""]):
            beside, bold = LINE_FIELD.fullmatch(row), LINE_KEY.fullmatch(row)
            if beside and not re.fullmatch(WORD, beside["key"].strip()):
                yield beside["key"], beside["value"].rstrip("*" if BOLD_LINE.fullmatch(row) else "")
            elif bold and below and not LINE_FIELD.fullmatch(below):
                yield bold["key"], below


def named(key: str, value: str, source: str) -> Iterator[Told]:
    """Yield what one named value tells, when its name is a known one and its value reads as such."""
    fact, value = KEYS.get(normal(key)), value.strip()
    if key.strip(" *_`") in DIMENSIONS and value:
        yield Told(Fact.DIMENSIONS, {key.strip(" *_`"): unwrapped(value)}, source)
    elif fact is not None and value and (read := READERS[fact](value)):
        yield from (Told(told, what, f"{source} {key.strip(' *_`')!r}") for told, what in read.items() if what)


def _pairs(value: str) -> dict[str, str]:
    """Read "[InstanceId = i-1] [Stage = prod]", "FunctionName=orders, Resource: orders"."""
    found = re.findall(r"([A-Za-z][\w .-]{0,60}?)\s?[:=]\s?([^\[\],;\n]{1,255})", value[:2000])
    return {key.strip(): unwrapped(worth) for key, worth in found[:30]}


def _metric(value: str) -> dict[Fact, Any]:
    both = re.fullmatch(r"(AWS/\w{1,40})[\s/:>|-]{1,4}(\w{1,120})", unwrapped(value))
    return {Fact.NAMESPACE: both[1], Fact.METRIC: both[2]} if both else {Fact.METRIC: unwrapped(value)[:255]}


def _account(value: str) -> str | None:
    found = re.search(r"(?<![0-9])([0-9]{12})(?![0-9])", value[:200])
    return found[1] if found else None


READERS: dict[Fact, Callable[[str], dict[Fact, Any]]] = {
    Fact.NAME: lambda v: {Fact.NAME: None if len(v) > 300 or state_of(v) else unwrapped(v.splitlines()[0])},
    Fact.STATE: lambda v: {Fact.STATE: state_of(v)},
    Fact.REGION: lambda v: {Fact.REGION: region_of(unwrapped(v))},
    Fact.ACCOUNT: lambda v: {Fact.ACCOUNT: _account(v)},
    Fact.AT: lambda v: {Fact.AT: moment_of(unwrapped(v))},
    Fact.REASON: lambda v: {Fact.REASON: unwrapped(v)[:MAX_LINE]},
    Fact.DESCRIPTION: lambda v: {Fact.DESCRIPTION: unwrapped(v)[:MAX_LINE]},
    Fact.NAMESPACE: lambda v: {Fact.NAMESPACE: unwrapped(v)[:255]},
    Fact.METRIC: _metric,
    Fact.DIMENSIONS: lambda v: {Fact.DIMENSIONS: _pairs(v)},
    Fact.LINK: lambda _: {},
    Fact.ARN: lambda _: {},
}
"""How the value of each fact is read; a link and an ARN are read as what they are, wherever they stand."""


def sentences(post: Post) -> Iterator[Told]:
    """Yield what a line in one of the known wordings tells, also where a mail broke it into several lines."""
    for text in said(post, *OWN):
        found = wording(text)
        if found is not None:
            yield from _of_sentence(found)


def _of_sentence(found: re.Match[str]) -> Iterator[Told]:
    groups = found.groupdict()
    name = unwrapped(next(text for text in (groups.get(part) for part in ("name", "after", "quoted")) if text))
    reads: dict[str, tuple[Fact, Callable[[str], Any]]] = {
        "state": (Fact.STATE, state_of),
        "region": (Fact.REGION, lambda text: region_of(unwrapped(text.rstrip(".,;)") if "(" not in text else text))),
        "reason": (Fact.REASON, lambda text: BARE_URL.sub("", text).strip()),
        "at": (Fact.AT, moment_of),
    }
    yield Told(Fact.NAME, name, "sentence")
    for group, (fact, read) in reads.items():
        if (text := groups.get(group)) and (value := read(text)):
            yield Told(fact, value, "sentence")


def titles(post: Post) -> Iterator[Told]:
    """Yield the alarm that an attachment's title names beside a field with its state (author_name and plain styles)."""
    stated = any(KEYS.get(normal(key)) is Fact.STATE and state_of(value) for key, value in post.fields)
    for title in said(post, Origin.TITLE) if stated else ():
        bare = unwrapped(unmarked(title.splitlines()[0])) if title else ""
        if bare and not set(re.findall(r"\w+", bare.lower())) <= GENERIC:
            yield Told(Fact.NAME, bare[:255], "attachment title")


NAMERS: tuple[Source, ...] = (links, arns, fields, lines, sentences, titles)
"""What names an alarm in words."""


def authors(post: Post) -> Iterator[Told]:
    """Yield the account that stands beside the author of an attachment: "AWS CloudWatch Alarm (123456789012)"."""
    for author in said(post, Origin.AUTHOR):
        if account := _account(author):
            yield Told(Fact.ACCOUNT, account, "attachment author")


def reasons(post: Post) -> Iterator[Told]:
    """Yield a line that begins as CloudWatch's reasons do."""
    for text in said(post, *OWN):
        for line in lines_of(text):
            if REASON.match(unwrapped(line)):
                yield Told(Fact.REASON, unwrapped(line)[:MAX_LINE], "text")


def shapes(post: Post) -> Iterator[Told]:
    """Yield a Region or account that a value of any name is, or that stands in the first lines of the post."""
    for key, value in _named_values(post):
        if normal(key) not in KEYS and len(value) <= SHORT:
            yield from _shaped(unwrapped(value), f"value of {key!r}")
    for head in _heads(post, HEADS, NAMERS):
        code, account = REGION.search(head), HEAD_ACCOUNT.search(head)
        if code:
            yield Told(Fact.REGION, code[1].lower(), "headline")
        if account:
            yield Told(Fact.ACCOUNT, account[1], "headline")


def _shaped(value: str, source: str) -> Iterator[Told]:
    if region := region_of(value):
        yield Told(Fact.REGION, region, source)
    if account := _account(value):
        yield Told(Fact.ACCOUNT, account, source)


def stamps(post: Post) -> Iterator[Told]:
    """Yield an attachment's own time."""
    if post.stamp and (at := from_epoch_text(post.stamp)):
        yield Told(Fact.AT, at, "attachment time")


def headlines(post: Post) -> Iterator[Told]:
    """Yield the one state that the first lines of the post tell, in words or by the emoji that they begin with.

    An emoji makes ALARM only where a link alone names the alarm: a post that has named values has the state in one,
    and then the emoji above it may be there in every state.
    """
    heads = _heads(post, HEADS, NAMERS)
    words = [state for head in heads if _is_prose(head) and (state := told_in(head))]
    pictured = any(links(post)) and not any(KEYS.get(normal(key)) in STATED for key, _ in _named_values(post))
    marks = [s for head in heads if (s := marked(head)) and (pictured or s is not AlarmState.ALARM)]
    state = settled([*words, *marks])
    if state is not None:
        yield Told(Fact.STATE, state, "headline" if words else "headline's emoji")


def _heads(post: Post, count: int, namers: tuple[Source, ...]) -> list[str]:
    """Return the first lines of the first texts, without the alarm's name, whose words tell nothing."""
    names = [told.value for source in namers for told in source(post) if told.fact is Fact.NAME]
    return [_without(text.split("\n", 1)[0][:MAX_LINE], names) for text in islice(said(post, *OWN), count)]


def relay_words(post: Post) -> Iterator[Told]:
    """Yield what PagerDuty or Opsgenie says became of its alert; an acknowledged one is in no state of an alarm."""
    heads = _heads(post, RELAY_HEADS, (links, sentences))
    status = [value[:MAX_LINE] for key, value in _named_values(post) if KEYS.get(normal(key)) is Fact.STATE]
    spoken = [head for head in (*status, *heads) if head]
    if any(handled(line) for line in spoken):
        return
    state = settled(state for line in spoken if (state := relayed(line)))
    if state is not None:
        yield Told(Fact.STATE, state, "relay's words")


def _is_prose(line: str) -> bool:
    """Whether a line is neither JSON, nor a reason, nor a named value: their states are read elsewhere, or are old."""
    if JSON.search(line) or REASON.match(unmarked(line)):
        return False
    field = LINE_FIELD.fullmatch(line)
    return field is None or not (normal(field["key"]) in KEYS or FORMER.search(field["key"]))


def _without(line: str, names: list[str]) -> str:
    for name in sorted(set(names), key=len, reverse=True):
        if state_of(name) is None:
            line = line.replace(name, "…")
    return BARE_URL.sub(" ", line)
