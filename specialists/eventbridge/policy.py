"""Resource and trust policies: whether one lets a service in for a source. Pure, and says so where it cannot tell.

Evaluation: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
import re
from collections.abc import Mapping
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

MOST_STATEMENTS = 500


class Holds(IntEnum):
    """Whether something holds; all of several hold as much as the least of them."""

    NO = 0
    UNKNOWN = 1
    YES = 2


class Ask(NamedTuple):
    """What is asked of a policy: may this service do this, for this source?"""

    service: str
    action: str
    resource: str
    source_arn: str
    account: str


def statements_in(document: Any) -> list[Mapping[str, Any]] | None:
    """Return the statements of a policy's JSON text or object, None when it cannot be read."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return None
    found = document.get("Statement") if isinstance(document, Mapping) else None
    listed = _listed(found)
    return listed[:MOST_STATEMENTS] if found is not None and all(isinstance(s, Mapping) for s in listed) else None


def lets_in(document: Any, ask: Ask) -> bool | None:
    """Tell whether the policy lets the service in: None where it cannot be read or hangs on what is not known here.

    An empty document is no policy, which lets nobody in.
    """
    if not document:
        return False
    statements = statements_in(document)
    if statements is None:
        return None
    allows = max((_applies(s, ask) for s in statements if s.get("Effect") == "Allow"), default=Holds.NO)
    denies = max((_applies(s, ask) for s in statements if s.get("Effect") == "Deny"), default=Holds.NO)
    if denies is Holds.YES or allows is Holds.NO:
        return False
    return True if allows is Holds.YES and denies is Holds.NO else None


def _applies(statement: Mapping[str, Any], ask: Ask) -> Holds:
    if "NotPrincipal" in statement or "NotAction" in statement or "NotResource" in statement:
        return Holds.UNKNOWN
    parts = (
        _principal(statement.get("Principal"), ask.service),
        _any(_texts(statement.get("Action")), ask.action, ignore_case=True),
        _any(_texts(statement.get("Resource", "*")), ask.resource),
        *(
            _condition(operator, key, _texts(values), ask)
            for operator, tests in _mapping(statement.get("Condition")).items()
            for key, values in _mapping(tests).items()
        ),
    )
    return min(parts)


def _principal(named: Any, service: str) -> Holds:
    if named == "*":
        return Holds.YES
    found = _mapping(named)
    anybody = "*" in _texts(found.get("AWS")) or "*" in _texts(found.get("Service"))
    return Holds.YES if anybody or service in _texts(found.get("Service")) else Holds.NO


def _condition(operator: str, key: str, values: list[str], ask: Ask) -> Holds:
    known = {
        "aws:sourcearn": ask.source_arn,
        "aws:sourceaccount": ask.account,
        "aws:principalservicename": ask.service,
        "aws:principalisawsservice": "true",
        "aws:securetransport": "true",
    }.get(key.lower())
    name = operator.rsplit(":", 1)[-1].removesuffix("IfExists")
    if name == "Null":
        return Holds.UNKNOWN if known is None else _yes("false" in [v.lower() for v in values])
    form = re.fullmatch(r"(Arn|String|Bool)(Not)?(Equals|Like|EqualsIgnoreCase)?", name)
    if known is None or form is None:
        return Holds.UNKNOWN
    exact = form[3] == "Equals" and form[1] == "String"
    fold = form[1] == "Bool" or form[3] == "EqualsIgnoreCase"
    held = known in values if exact else _any(values, known, ignore_case=fold) is Holds.YES
    return _yes(held is not bool(form[2]))


def _yes(held: bool) -> Holds:
    return Holds.YES if held else Holds.NO


def _any(patterns: list[str], value: str, *, ignore_case: bool = False) -> Holds:
    """Tell whether any pattern fits, in which `*` is any text and `?` any character."""
    fold = str.lower if ignore_case else str
    # A policy's brackets are plain characters, fnmatch's are not.
    forms = (fold(pattern).replace("[", "[[]") for pattern in patterns)
    return _yes(any(fnmatchcase(fold(value), form) for form in forms))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value) if item is not None]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
