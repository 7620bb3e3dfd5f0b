"""AWS's words of a refused call, put shortly: what was not allowed, on what, and which policy says so. Pure.

Texts: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import re

REFUSED = re.compile(
    r"not authorized to perform:? (?P<action>[\w-]{1,60}:\w{1,80})(?: on resource:? (?P<resource>arn:\S{1,512}))?"
    r"(?:.{0,40}?\b(?P<reason>explicit deny in an? [a-z -]{3,60}?(?:policy|boundary)(?:: arn:\S{1,300})?"
    r"|no [a-z -]{3,60}? allows))?"
)
"""Who was refused stands before it, and the request after it."""


def refusal_in(text: str) -> str:
    """Return what the text says was refused; empty where it tells of no refusal."""
    found = REFUSED.search(text)
    if found is None:
        return ""
    on = f" on `{found['resource'].rsplit(':', 1)[-1].rsplit('/', 1)[-1]}`" if found["resource"] else ""
    reason = f": {found['reason']}" if found["reason"] else ""
    return f"not allowed {found['action']}{on}{reason}{' it' if reason.endswith('allows') else ''}"
