"""Secrets that are known by the name they are given: `password=…`, `"api_key": "…"`, `--token …`.

One list of names serves free text and JSON alike.
"""

import re

NAMES: tuple[tuple[str, str], ...] = (
    ("password", "pass word|pass wd|pwd|pass phrase|pass code|db pass|user pass|mysql pass|pg pass"),
    ("private_key", "private key|ssh key|deploy key"),
    (
        "secret",
        "secret access key|secret key|client secret|app secret|shared secret|signing secret|webhook secret|secret string"
        "|secret binary|secret|signing key|encryption key|master key|account key|shared access key|storage key|credentials?",
    ),
    ("api_key", "api key|app key|auth key|access key|service key|subscription key|api secret"),
    ("authorization", "authorization|x auth"),
    (
        "token",
        "access token|refresh token|id token|session token|security token|auth token|bot token|task token|csrf token|token",
    ),
    ("cookie", "set cookie|cookie|session id|session key"),
    ("connection_string", "connection string|conn string|conn str|dsn"),
)
"""Kind, and the names that end in it; a space stands for nothing, `_`, `-` or `.`."""

OF_NAME = {
    word.replace(" ", "").replace("?", suffix): kind
    for kind, words in NAMES
    for word in words.split("|")
    for suffix in ("", "s")
    if suffix == "" or word.endswith("s?")
} | {"credential": "secret", "credentials": "secret"}
QUALIFIER = (
    r"(?:[_-]?(?:value|string|text|plaintext|plain|current|previous|old|new|prod|dev|test|staging|base64|b64|\d{1,2}))"
)
NAME = "(?:" + "|".join(words.replace(" ", "[_.-]?") for _, words in NAMES) + ")" + QUALIFIER + "?"
HINTS = "pass pwd secret token key authorization x-auth x_auth xauth cookie session credential conn dsn"

NOT_SECRET_BEFORE = re.compile(
    r"(?i)(?:next|continuation|pagination|page|starting|idempotency|client|request|sequence|unexpected|invalid|illegal|public)[ _.-]?(?:request|client)?[ _.-]?$"
)
NOT_SECRET = re.compile(
    r"(?i)(?:true|false|null|none|nil|undefined|unknown|yes|no|on|off|n/?a|empty|default|required|optional|missing|absent|invalid|expired"
    r"|incorrect|wrong|denied|rejected|revoked|rotated|not|must|is|was|were|has|have|had|the|a|an|for|from|in|of|to|and|or|but|cannot|failed|failure"
    r"|mismatch|error|exception|string|str|bytes|object|bearer|basic|jwt|oauth2?|aws_iam|iam|enabled|disabled|hidden|masked|redacted|notset|set"
    r"|[*x•.]{3,}|[*]{1,2}|\$?\{.{0,128}|\$\(.{0,128}|\$[A-Z_]{2,64}|%[a-z(].{0,64}|<.{0,128}|\(.{0,128}|-?\d{1,3}|-)[.,;:!?)]{0,2}"
)
"""Values that say something about a secret and are none: words, placeholders, small numbers."""

ARN_OR_PATH = re.compile(r"arn:aws[a-z-]{0,12}:|/(?:[\w.-]{1,64}/?){1,16}$")
KEYED = re.compile(r"(?i)" + NAME + r"$")

QUOTED = r"\"(?P<secret>(?:\\.|[^\"\\\n]){1,4096}+)"
VALUE = (
    r"(?:\\{1,3}[\"'](?P<escaped>[^\"'\\\n]{1,4096}+)"
    r"|\"(?P<double>(?:\\.|[^\"\\\n]){1,4096}+)"
    r"|'(?P<single>(?:\\.|[^'\\\n]){1,4096}+)"
    r"|(?P<bare>(?:(?:bearer|basic|token|digest|apikey)[ \t]{1,4})?[^\s\"'<>,;&)}\]\\]{1,1024}+))"
)
ASSIGNED = re.compile(
    r"(?i)(?P<name>"
    + NAME
    + r")(?P<close>\\{0,3}[\"'\]]{0,2})(?P<sep>[ \t]{0,4}(?:=>|:=|==|[:=]|%3[ad])[ \t]{0,4})"
    + VALUE
)


def kind_of(name: str) -> str | None:
    """Return the kind of secret that something of this name holds, or None; `DB_PASSWORD` and `dbPassword` hold one."""
    found = KEYED.search(name)
    if found is None or NOT_SECRET_BEFORE.search(name[: found.start()]):
        return None
    return _kind(found.group())
