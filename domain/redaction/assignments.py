"""Secrets that are known by the name they are given: `password=…`, `"api_key": "…"`, `--token …`.

One list of names serves free text and JSON alike.
"""

import re
from functools import lru_cache

from domain.redaction.shape import entropy, inside_arn, marker, mixes_all, random_looking

NAMES: tuple[tuple[str, str], ...] = (
    ("password", "pass words?|pass wd|pwd|pass phrase|pass code|[_-]pass"),
    ("private_key", "private key|ssh key|deploy key"),
    ("secret", "secret access key|secret key|secret string|secret binary|secret|credentials?"),
    ("secret", "signing key|encryption key|master key|account key|storage key|session key"),
    ("api_key", "api key|app key|auth key|access key|service key|subscription key"),
    ("authorization", "authorization"),
    ("token", "token"),
    ("cookie", "cookie"),
    ("connection_string", "connection string|conn string|conn str|dsn"),
)
"""Kind of secret, and what a name that holds one ends in; a space stands for nothing, a space, `_`, `-` or `.`."""

HINTS = ("pass", "pwd", "secret", "token", "key", "authorization", "cookie", "credential", "conn", "dsn")
_QUALIFIER = (
    r"(?:[_-]?(?:value|string|text|plaintext|plain|current|previous|old|new|prod|dev|test|base64|b64|\d{1,2}))?"
)
_SPELLED = tuple((kind, words.replace(" ", "[ _.-]?")) for kind, words in NAMES)
_NAME = "(?:" + "|".join(words for _, words in _SPELLED) + ")" + _QUALIFIER
_KINDS = tuple((kind, re.compile(f"(?i)(?:{words}){_QUALIFIER}$")) for kind, words in _SPELLED)
_ENDS_IN_NAME = re.compile(rf"(?i){_NAME}$")

_PAGE_OR_SYNTAX = re.compile(
    r"(?i)(?:next|continuation|pagination|page|starting|idempotency|client|request|sequence|unexpected|invalid|illegal)"
    r"[ _.-]?(?:request|client)?[ _.-]?$"
)
"""Before "token": a page of results, an idempotent request, or a parser's complaint."""

_SAYS_SOMETHING = re.compile(
    r"(?i)(?:true|false|null|none|nil|undefined|unknown|yes|no|on|off|n/?a|empty|default|required|optional|missing|absent"
    r"|invalid|expired|incorrect|wrong|denied|rejected|revoked|rotated|not|must|is|was|were|has|have|had|the|an?|for|from"
    r"|in|of|to|and|or|but|cannot|failed|failure|mismatch|error|exception|string|str|bytes|object|bearer|basic|jwt"
    r"|oauth2?|aws_iam|iam|enabled|disabled|hidden|masked|redacted|notset|set|[*x•.]{3,}|[*]{1,2}|\$?\{.{0,256}"
    r"|\$\(.{0,256}|\$[A-Z_]{2,64}|%[sdr]|%\(\w{1,64}\)[sd]|<.{0,256}|\(.{0,256}|-?\d{1,3}|-"
    r"|(?:self|this|os|event|config|settings|request|req|process|args|options|props|context)\.[\w.]{1,64}[\[(]?.{0,256}"
    r"|get\w{0,64}\(.{0,256}|arn:aws[a-z-]{0,12}:.{0,1024}|ssm:.{0,256})[.,:!?]{0,2}"
)
"""A value that is no secret but a word about one, a placeholder, source code, an ARN or a small number."""

_REDACTED = re.compile(r"(?i)(?:(?:bearer|basic|token|digest|apikey)\s{1,4})?\[redacted:[a-z_]{1,32}\]?")

_VALUE = (
    r"(?:\\{1,3}[\"'](?P<escaped>[^\"'\\\n]{1,4096}+)"
    r"|\"(?P<double>(?:\\.|[^\"\\\n]){1,4096}+)"
    r"|'(?P<single>(?:\\.|[^'\\\n]){1,4096}+)"
    r"|(?P<bare>(?:(?:bearer|basic|token|digest|apikey)[ \t]{1,4})?"
    r"(?:[^\s\"'<>,;&\\]|,(?=[^\s=:,\"']{1,64}(?:[\s;&]|$))){1,1024}+))"
)
_ASSIGNED = re.compile(
    rf"(?i)(?P<name>{_NAME})(?P<close>\\{{0,3}}[\"'\]`]{{0,2}}|%22)"
    rf"(?P<sep>[ \t]{{0,4}}(?:=>|:=|==|[:=]|%3[ad])[ \t]{{0,4}}){_VALUE}"
)
_PAIRED = re.compile(
    rf"(?i)[\"'](?:name|key)[\"'][ \t]{{0,4}}:[ \t]{{0,4}}[\"'](?P<name>[\w.-]{{0,64}}{_NAME})[\"']"
    rf"[ \t]{{0,4}},\s{{0,40}}[\"']value[\"'](?P<sep>[ \t]{{0,4}}:[ \t]{{0,4}})(?P<close>){_VALUE}"
)
_FLAGGED = re.compile(rf"(?i)(?<!\S)--?(?P<name>[\w-]{{0,40}}{_NAME})(?P<close>[ \t]{{1,4}})(?P<sep>){_VALUE}")
_ELEMENT = re.compile(rf"(?i)<(?P<name>[\w:-]{{0,40}}{_NAME})(?P<close>>)(?P<sep>)(?P<bare>[^<]{{1,2048}}+)</")
_TOLD = re.compile(rf"(?i)(?P<name>{_NAME})(?P<close> (?:is|was) [\"'`]?)(?P<sep>)(?P<told>[^\s\"'`,;]{{6,512}}+)")
_COOKIES = re.compile(
    r"(?i)\b(?P<name>(?:set-)?cookie)(?P<close>[\"']?)(?P<sep>[ \t]{0,4}[:=][ \t]{0,4}[\"']?)"
    r"(?P<line>[^\n\"']{4,4096}+)"
)
_VALUES = ("escaped", "double", "single", "bare", "told", "line")

_SHAPES = (
    (_COOKIES, ("cookie",)),
    (_PAIRED, ("value",)),
    (_ELEMENT, ("</",)),
    (_FLAGGED, ("-",)),
    (_ASSIGNED, ("=", ":", "%3")),
    (_TOLD, (" is ", " was ")),
)

_OTHER_KEY = re.compile(
    r"(?i)(?P<name>key|auth|cred|sign|signature|salt|seed|hmac|webhook)(?P<close>[\"']{0,2})"
    r"[ \t]{0,4}[:=][ \t]{0,4}[\"']?"
    r"(?P<bare>[A-Za-z0-9+/=_-]{20,512}+)"
)
_PLAIN_KEY = re.compile(
    r"(?i)(?:partition|sort|object|s3|cache|idempotency|dedup\w{0,12}|routing|primary|foreign|hash|range|kms|public|group"
    r"|message|item|index|bucket)[ _.-]?$"
)


def kind_of(name: str) -> str | None:
    """Return the kind of secret that something of this name holds, or None; `DB_PASSWORD` and `dbPassword` hold one."""
    return _kind_of_end(name[-128:])


@lru_cache(maxsize=4096)  # the same few field names come with every datapoint of every series
def _kind_of_end(name: str) -> str | None:
    found = _ENDS_IN_NAME.search(name)
    if found is None:
        return None
    kind = next(kind for kind, pattern in _KINDS if pattern.search(name))
    return None if kind == "token" and _PAGE_OR_SYNTAX.search(name[: found.start()]) else kind


def is_secret(kind: str, value: str) -> bool:
    """Tell whether a value under a secret's name is a secret, not a word about one or a placeholder for one."""
    bare = value.strip()
    if not bare or _REDACTED.fullmatch(bare) or _SAYS_SOMETHING.fullmatch(bare):
        return False
    return not (kind == "token" and bare.isdigit() and len(bare) <= 6)


def redact_assignments(text: str, lowered: str) -> str:
    """Return the text with values replaced whose names say that they are secret; `lowered` is it in lower case."""
    if any(hint in lowered for hint in HINTS):
        for pattern, hints in _SHAPES:
            if any(hint in lowered for hint in hints):
                text = pattern.sub(_replaced, text)
    return _OTHER_KEY.sub(_replaced_if_random, text)


def _replaced(match: re.Match[str]) -> str:
    group = next(name for name in _VALUES if match.groupdict().get(name) is not None)
    value = match[group].rstrip(")]}.,:") if group == "bare" else match[group]
    kind = kind_of(match["name"]) if group != "line" else "cookie"
    before = match.string[max(0, match.start() - 32) : match.start()]
    if kind is None or not is_secret(kind, value) or (kind == "token" and _PAGE_OR_SYNTAX.search(before)):
        return match.group()
    if not _plausible(match, group, kind, value):
        return match.group()
    start = match.start(group) - match.start()
    return match.group()[:start] + marker(kind) + match.group()[start + len(value) :]


def _plausible(match: re.Match[str], group: str, kind: str, value: str) -> bool:
    """Tell a value from the next word of a sentence; an equals sign or quotes leave no doubt."""
    if group == "line":
        return "=" in value
    if group == "told":
        return random_looking(value)
    if match["name"].lower() == "pwd" and value.startswith("/"):  # the shell's working directory
        return False
    in_prose = group == "bare" and not match["close"] and match["sep"].strip() == ":"
    if in_prose and inside_arn(match):
        return False
    return not in_prose or kind != "token" or random_looking(value) or len(value) >= 20


def _replaced_if_random(match: re.Match[str]) -> str:
    value = match["bare"]
    words = [part for part in re.split(r"[/_-]", value) if part.isalpha() and part.islower() and len(part) >= 4]
    before = match.string[max(0, match.start() - 32) : match.start()]
    if words or not mixes_all(value) or entropy(value) < 4.0 or _PLAIN_KEY.search(before):
        return match.group()
    start = match.start("bare") - match.start()
    return match.group()[:start] + marker("key")
