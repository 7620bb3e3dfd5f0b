"""Reading AWS's answers: absence that is an answer, and pages."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

T = TypeVar("T")


def absent(call: Callable[[], T], *codes: str) -> T | None:
    """Return the answer, or None where AWS says by one of these error codes that there is none.

    Some configuration that was never set is answered with an error (ResourceNotFoundException); that is knowledge,
    not a gap. Every other error is raised.
    """
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in codes:
            return None
        raise
