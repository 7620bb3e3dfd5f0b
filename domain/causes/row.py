"""The shape of a cause, and how the rows of the catalogue become causes."""

from typing import Literal

from domain.values import Value

DOCS = "https://docs.aws.amazon.com/"
"""Every source is a page of AWS's own documentation; rows give the path below it."""


class Cause(Value):
    """One way in which a system on AWS fails.

    `code` is fixed: reports, scenarios and rules name causes by it. `title` follows the resource in a headline
    ("API `shop` — the authorizer itself fails"). `remedy` says what to do in one or two sentences.
    `source` is the AWS page that describes the behaviour. `generic` is set where the cause has the shape of a symptom,
    so that a cause found beside it or deeper often explains it: a function that raises, a queue that backs up.
    """

    code: str
    service: str
    title: str
    remedy: str
    source: str
    generic: bool = False


Row = tuple[str, str, str, str] | tuple[str, str, str, str, Literal["generic"]]
"""Code, title, remedy, path of the source below DOCS; "generic" last where the cause has the shape of a symptom."""


def rows(service: str, *table: Row) -> tuple[Cause, ...]:
    """Return the causes of one service."""
    return tuple(
        Cause(code=row[0], service=service, title=row[1], remedy=row[2], source=DOCS + row[3], generic=len(row) == 5)
        for row in table
    )
