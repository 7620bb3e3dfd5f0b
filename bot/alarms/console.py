"""CloudWatch console links, of every form that the console has had: which alarm they open, in which Region and account.

  #alarmsV2:alarm/NAME?~(…)         today; also behind /cloudwatch/deeplink.js
  #alarm:alarmFilter=ANY;name=NAME  until 2020; also #alarm:name=NAME
  #s=Alarms&alarm=NAME              in mails of those years
The host is REGION.console.aws.amazon.com, console.aws.amazon.com?region=REGION, ACCOUNT-x.REGION.console… for several
sessions, ACCOUNT.signin.aws.amazon.com, or an access portal that has the page as its destination; amazonaws.cn and
amazonaws-us-gov.com are the other partitions'.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from bot.alarms.regions import region_of

LONGEST = 4000
HOST = re.compile(
    r"https?://(?P<host>(?:[a-z0-9-]{1,80}\.){0,4}"
    r"(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com|amazonaws-eusc\.eu))(?::443)?(?P<rest>[/?#].{0,4000})",
    re.IGNORECASE | re.DOTALL,
)
PORTAL = re.compile(
    r"https?://[a-z0-9.-]{1,120}(?:awsapps\.com|app\.aws|amazonaws\.com)/[^ ]{0,400}?[?&]destination=([^&]{1,3000})",
    re.IGNORECASE,
)
PAGES = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"#alarmsV2:!?alarm/([^?]{1,1200})",
        r"#alarm:(?:[^#]{0,200}?;)?name=([^;&]{1,1200})",
        r"#s=Alarms(?:&[^#]{0,200}?)?&alarm=([^&]{1,1200})",
    )
)
"""Where the name stands in each form of the fragment."""
QUERY_REGION = re.compile(r"[?&]region=([^&#]{1,80})")
ACCOUNT = re.compile(r"(?:^|[./])([0-9]{12})(?=[-.])")
PORTAL_ACCOUNT = re.compile(r"[?&]account_id=([0-9]{12})\b")
DOLLAR = re.compile(r"\$(?=[0-9A-Fa-f]{2})")
ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


class ConsoleAlarm(NamedTuple):
    """What a link opens. `spellings` are the names that it can stand for, the likeliest first: `+` may be a space."""

    url: str
    spellings: tuple[str, ...]
    region: str | None
    account: str | None

    def name(self, others: tuple[str, ...] = ()) -> str:
        """Return the alarm's name: of the spellings the one that the post also has in `others`, else the first."""
        return next((name for name in self.spellings if name in others), self.spellings[0])


def alarm_behind(url: str) -> ConsoleAlarm | None:
    """Return the alarm that a console link opens; None for every other link, also to the list of alarms."""
    if len(url) > LONGEST:
        return None
    portal = PORTAL.match(url)
    page = HOST.match(unquote(portal[1]) if portal else url)
    if page is None:
        return None
    found = next((match for pattern in PAGES if (match := pattern.search(page["rest"]))), None)
    spellings = _spellings(found[1]) if found else ()
    if not spellings:
        return None
    told = PORTAL_ACCOUNT.search(url) or ACCOUNT.search(page["host"])
    return ConsoleAlarm(url, spellings, _region(page["host"], page["rest"]), told[1] if told else None)


def _spellings(encoded: str) -> tuple[str, ...]:
    """Decode a name as it stands: once, then again where it was encoded twice; `$25` is the console's own `%`."""
    decoded = unquote(DOLLAR.sub("%", encoded))
    if ENCODED.search(decoded):
        decoded = unquote(decoded)
    spaced = unquote(DOLLAR.sub("%", encoded).replace("+", " "))
    names = (name.strip() for name in (decoded, spaced, encoded))
    return tuple(dict.fromkeys(name for name in names if 0 < len(name) <= 255))


def _region(host: str, rest: str) -> str | None:
    """Return the Region of the query, where a label may stand in place of a code, or of the host's prefix."""
    asked = QUERY_REGION.search(rest)
    told = region_of(unquote(asked[1]).replace("+", " ")) if asked else None
    return told or next((code for part in host.split(".") if (code := region_of(part))), None)
