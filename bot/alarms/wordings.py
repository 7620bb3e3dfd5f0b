"""Sentences that tell an alarm: CloudWatch's own, those of AWS's Lambda blueprint, and of the common SNS forwarders."""

import re
from collections.abc import Iterator

from bot.alarms.states import WORD, unmarked

MAX_LINES, MAX_LINE = 150, 2_000
"""How much of one text is read: lines, and characters of a line."""

_QUOTE, _UNQUOTE = "[\"“”„'`*]{1,3}", "[\"“”'`*]{1,3}"
_MARKS = '[*_`"]{0,3}'
_STATE = rf"(?P<state>{WORD})\b"
_ALARM = r"(?:The |Your )?(?:Amazon |AWS )?(?:CloudWatch )?[Aa]larm"
_REST = (
    rf"{_MARKS}(?: state)?(?: at (?P<at>[0-9TZ:.+-]{{16,32}}))?"
    r"(?:[:;,.!]{1,3} ?(?P<reason>.{0,1500})|[^\w].{0,1500})?$"
)
_VERB = (
    rf"(?:has |is |was |just ){{0,2}}(?:(?:changed|transitioned|moved|switched|went|gone|entered|is|now|fell)"
    rf"(?: (?:back|now))?(?: from \W?{WORD}\W?)?(?: in)?(?: ?to)?(?: the)?|in)"
)

MAIL = re.compile(
    rf"\bAlarm {_QUOTE}(?P<name>.{{1,255}}?){_UNQUOTE} in the (?P<region>.{{3,50}}?) region "
    rf"has entered the {_STATE} state"
    rf"(?:, because {_QUOTE}(?P<reason>.{{1,1500}}?){_UNQUOTE} at {_QUOTE}(?P<at>.{{8,60}}?){_UNQUOTE})?"
)
"""CloudWatch's mail, whose sentence the line ends of a mail may break."""
SUBJECT = re.compile(
    rf"\b{_STATE}: {{1,3}}\\?[\"“](?P<name>.{{0,254}}[^\\])\\?[\"”] in (?P<region>[^\n\\\"”>|]{{3,60}})"
)
"""CloudWatch's subject; relays make it their title: `ALARM: "orders 5xx" in EU (Ireland)`."""
BLUEPRINT = re.compile(
    rf"^(?:{_ALARM} )?(?P<name>\S.{{0,255}}?) (?:has )?"
    rf"(?:state is(?: now)?|changed (?:its )?state(?: from \W?{WORD}\W?)? to|state (?:has )?changed to) "
    rf"{_MARKS}{_STATE}{_REST}"
)
"""The blueprint's line: "orders 5xx state is now ALARM: Threshold Crossed"; "The alarm x changed state to ALARM"."""
WENT = re.compile(
    rf"^(?:{_ALARM}:? (?P<after>\S.{{0,255}}?)|{_QUOTE}(?P<quoted>.{{1,255}}?){_UNQUOTE}|(?P<name>\S{{1,255}})) "
    rf"{_VERB} {_MARKS}{_STATE}{_REST}"
)
"""Any other verb; then a name of several words must be quoted or called an alarm."""
STATE_FIRST = re.compile(
    rf"^\W{{0,4}}{_STATE}(?:\W{{0,3}}[:|–-]|\]) {{0,3}}{_MARKS}(?P<name>[^\s*`\"|\[\]]{{1,255}}){_MARKS}"
    r"(?:$| (?:[-–|:(]|in (?P<region>.{3,60}$)))"
)
STATE_LAST = re.compile(rf"^CloudWatch [Aa]larm ?[:–-] {{0,3}}(?P<name>\S.{{0,250}}?) ?(?:\(|[:–-] ?){_STATE}\)?$")
NAMED = re.compile(
    r"^(?:\[CloudWatch\]|(?:AWS )?CloudWatch [Aa]larm(?: [Nn]otification)?(?::| [-–])|"
    r"AWS CloudWatch [Nn]otification -)"
    r" {0,3}(?P<name>\S.{0,254})$"
)
"""A title that says which alarm, and leaves the state to a field."""

WORDINGS: tuple[re.Pattern[str], ...] = (SUBJECT, BLUEPRINT, WENT, STATE_FIRST, STATE_LAST, NAMED)
"""The first that a line has is taken. To add a wording, add a pattern with the groups that it has."""

REASON = re.compile(
    r"(?:Threshold Crossed|Insufficient Data|Unchecked|[0-9]{1,3} datapoints? |[0-9]{1,3} out of the last |"
    r"no datapoints |arn:aws[a-z-]{0,12}:cloudwatch:\S{1,300} transitioned to)",
    re.IGNORECASE,
)
"""How CloudWatch begins a state's reason; what stands in one is no state and no name."""

BOLD = re.compile(r"(?<![\w*])\*([^*\n]{1,300})\*(?![\w*])")
JSON = re.compile(r"\{\s{0,4}\"|\"\s{0,2}:\s{0,2}[\"\[{0-9tfn]")
"""What a line of JSON holds: its states are read by their keys, or are old."""


def lines_of(text: str) -> list[str]:
    """Return the lines that are read, without the space around them, and without the empty ones."""
    return [line for raw in text.split("\n")[:MAX_LINES] if (line := raw.strip()[:MAX_LINE])]


def wording(text: str) -> re.Match[str] | None:
    """Return the first sentence of a text that tells an alarm."""
    mail = MAIL.search(" ".join(text[:MAX_LINE].split()))
    return mail or next((found for line in lines_of(text) for found in _in_line(line)), None)


def _in_line(line: str) -> Iterator[re.Match[str]]:
    bare = unmarked(BOLD.sub(r"\1", line))
    if not (REASON.match(bare) or JSON.search(bare)):
        yield from (found for pattern in WORDINGS if (found := pattern.search(bare)))
