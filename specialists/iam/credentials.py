"""What AWS says when credentials are stale or wrong, and when Lambda cannot use its role."""

import re

from domain.trace import TracedError

STALE_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
    }
)
STALE = re.compile(
    r"security token included in the request is (?:expired|invalid)|the provided token has expired"
    r"|AWS Access Key Id you provided does not exist",
    re.IGNORECASE,
)
UNASSUMABLE = re.compile(r"\brole\b[^\n]{0,200}cannot be assumed by Lambda", re.IGNORECASE)
ATTACHES_NOT = re.compile(r"EC2AccessDeniedException|Need additional permissions to configure VPC", re.IGNORECASE)


def stale(text: str) -> bool:
    """Tell whether AWS refused the credentials themselves. An application's own tokens are no concern of AWS's."""
    return STALE.search(text) is not None


def stale_error(error: TracedError) -> bool:
    """Tell the same of a traced error, by its code or its words."""
    return error.code in STALE_CODES or error.type in STALE_CODES or stale(error.message)
