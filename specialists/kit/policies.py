"""Resource policies as typed values, and what one says to a request: allowed, denied, silent, or not to be told.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from domain.values import Value


class Condition(Value):
    """One key of a Condition block, as written."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(Value):
    """One statement; principals read "Service:s3.amazonaws.com", "AWS:arn:…" or "*".

    `inverted` names the elements that were written as NotPrincipal, NotAction or NotResource.
    """

    sid: str = ""
    allows: bool
    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    inverted: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Policy(Value):
    """A policy's statements; `problem` says why its text cannot be understood."""

    statements: tuple[Statement, ...] = ()
    problem: str = ""


class Asked(NamedTuple):
    """A request: `who` holds patterns of the principal entries that mean its caller, `context` known condition keys.

    Keys of the context are in lower case. An unknown caller is nobody in particular, and a resource of which only the
    beginning is known ends in `*`.
    """

    action: str
    resource: str
    who: tuple[str, ...]
    context: Mapping[str, str]


class Verdict(StrEnum):
    """What a policy says to a request."""

    ALLOWED = "allowed"
    DENIED = "explicitly denied"
    SILENT = "not allowed"
    UNCLEAR = "unclear"


def policy_of(text: str) -> Policy:
    """Read a policy's JSON text; an empty text is a policy without statements."""
    if not text.strip():
        return Policy()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Policy(problem="it is no JSON")
    listed = document.get("Statement") if isinstance(document, dict) else None
    items: list[Any] = listed if isinstance(listed, list) else [listed]
    if not all(isinstance(item, dict) and item.get("Effect") in {"Allow", "Deny"} for item in items):
        return Policy(problem="it has no readable statements")
    return Policy(statements=tuple(_statement(item) for item in items))


def said(policy: Policy, asked: Asked) -> Verdict:
    """Say what the policy says: a Deny beats an Allow, and what depends on unknown conditions is unclear."""
    if policy.problem:
        return Verdict.UNCLEAR
    denying = {_applies(one, asked) for one in policy.statements if not one.allows}
    allowing = {_applies(one, asked) for one in policy.statements if one.allows}
    if True in denying:
        return Verdict.DENIED
    if not {True, None} & allowing:
        return Verdict.SILENT
    return Verdict.ALLOWED if True in allowing and None not in denying else Verdict.UNCLEAR


def fits(pattern: str, text: str) -> bool:
    """Match `*` (any run) and `?` (one character); each piece between stars is taken where it first fits."""
    first, *rest = pattern.split("*")
    if not rest:
        return _same(first, text)
    *middle, last = rest
    at, end = len(first), len(text) - len(last)
    if end < at or not _same(first, text[:at]) or not _same(last, text[end:]):
        return False
    for piece in middle:
        places = range(at, end - len(piece) + 1)
        at = next((p + len(piece) for p in places if _same(piece, text[p : p + len(piece)])), -1)
        if at < 0:
            return False
    return True


def _same(piece: str, text: str) -> bool:
    return len(piece) == len(text) and all(p in ("?", t) for p, t in zip(piece, text, strict=True))


def _statement(item: Mapping[str, Any]) -> Statement:
    elements = {name: item.get(name, item.get(f"Not{name}")) for name in ("Principal", "Action", "Resource")}
    return Statement(
        sid=str(item.get("Sid", "")),
        allows=item["Effect"] == "Allow",
        principals=tuple(_principals(elements["Principal"])),
        actions=_texts(elements["Action"]),
        resources=_texts(elements["Resource"]),
        inverted=tuple(name for name in elements if f"Not{name}" in item),
        conditions=tuple(_conditions(item.get("Condition"))),
    )


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in items)


def _principals(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for kind, names in value.items():
            yield from ("*" if name == "*" else f"{kind}:{name}" for name in _texts(names))
    else:
        yield from _texts(value)


def _conditions(value: Any) -> Iterator[Condition]:
    for operator, block in value.items() if isinstance(value, Mapping) else ():
        for key, expected in block.items() if isinstance(block, Mapping) else ():
            yield Condition(operator=str(operator), key=str(key), values=_texts(expected))


def _applies(statement: Statement, asked: Asked) -> bool | None:
    """Tell whether a statement is about the request; None when its conditions leave that open."""
    action = asked.action.lower()
    about = {
        "Principal": any(entry == "*" or any(fits(one, entry) for one in asked.who) for entry in statement.principals),
        "Action": any(fits(pattern.lower(), action) for pattern in statement.actions),
        "Resource": any(fits(pattern, asked.resource) for pattern in statement.resources) or not statement.resources,
    }
    if not all(fit is not (name in statement.inverted) for name, fit in about.items()):
        return False
    unknown = {"Principal": not asked.who, "Resource": asked.resource.endswith("*")}
    if any(unknown.get(name) for name in statement.inverted):
        return None  # everybody but some, everything but some: it takes knowing whom and what
    return _all(_met(condition, asked.context) for condition in statement.conditions)


def _all(values: Iterable[bool | None]) -> bool | None:
    seen = set(values)
    return False if False in seen else None if None in seen else True


def _met(condition: Condition, context: Mapping[str, str]) -> bool | None:
    operator = condition.operator.rsplit(":", 1)[-1].lower().removesuffix("ifexists")
    actual = context.get(condition.key.lower())
    positive = operator.replace("not", "")
    if actual is None or positive not in {"stringequals", "stringlike", "arnequals", "arnlike", "bool"}:
        return None
    exact = positive in {"stringequals", "bool"}
    met = any(value.lower() == actual.lower() if exact else fits(value, actual) for value in condition.values)
    return met is ("not" not in operator)
