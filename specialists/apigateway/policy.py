"""Resource policies as typed values, and whether one may let a request in. Pure."""

import json
from typing import Any

from domain.values import Value

OPERATORS_ON_TEXT = ("ArnLike", "ArnEquals", "StringLike", "StringEquals")


class Condition(Value):
    """One condition: operator and key as written, all values as text."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(Value):
    """One statement; principals are ARNs, service names or "*"."""

    effect: str
    principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Policy(Value):
    """A policy document; not `readable` when it was no JSON object with statements."""

    statements: tuple[Statement, ...] = ()
    readable: bool = True


def parse_policy(text: str) -> Policy:
    """Read a policy's JSON text. API Gateway returns its own with escaped quotes; that is read too."""
    for form in (text, text.replace('\\"', '"').replace("\\/", "/")):
        try:
            document = json.loads(form)
        except json.JSONDecodeError:
            continue
        if isinstance(document, dict):
            found = document.get("Statement") or []
            items = found if isinstance(found, list) else [found]
            return Policy(statements=tuple(_statement(item) for item in items if isinstance(item, dict)))
    return Policy(readable=False)


def _statement(data: dict[str, Any]) -> Statement:
    principal = data.get("Principal", ())
    named = [v for value in principal.values() for v in _texts(value)] if isinstance(principal, dict) else principal
    conditions = data.get("Condition")
    return Statement(
        effect=str(data.get("Effect", "")),
        principals=_texts(named),
        actions=_texts(data.get("Action", ())),
        resources=_texts(data.get("Resource", ())),
        conditions=tuple(
            Condition(operator=operator, key=key, values=_texts(values))
            for operator, keys in (conditions if isinstance(conditions, dict) else {}).items()
            if isinstance(keys, dict)
            for key, values in keys.items()
        ),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if isinstance(value, (list, tuple)) else (str(value),)


def lets_api_in(policy: Policy | None, source_arn: str, account: str) -> bool:
    """Tell whether a function's policy may let API Gateway invoke it for the source.

    `source_arn` may hold `*` for what is not known; `account` may be empty. Conditions on other keys are taken as met.
    A policy that cannot be read is taken as letting it in: it proves nothing.
    """
    if policy is None:
        return False
    return not policy.readable or any(_admits(s, source_arn, account) for s in policy.statements)


def _admits(statement: Statement, source_arn: str, account: str) -> bool:
    return (
        statement.effect == "Allow"
        and any(p == "*" or p.startswith("apigateway.amazonaws.com") for p in statement.principals)
        and any(overlap(action.lower(), "lambda:invokefunction") for action in statement.actions)
        and all(_may_hold(c, source_arn, account) for c in statement.conditions)
    )


def _may_hold(condition: Condition, source_arn: str, account: str) -> bool:
    operator = condition.operator.rsplit(":", 1)[-1].removesuffix("IfExists")
    if operator not in OPERATORS_ON_TEXT:
        return True
    match condition.key.lower():
        case "aws:sourcearn":
            return any(_arns_overlap(pattern, source_arn) for pattern in condition.values)
        case "aws:sourceaccount":
            return not account or any(overlap(pattern, account) for pattern in condition.values)
    return True


def _arns_overlap(one: str, other: str) -> bool:
    """Compare ARNs part by part, so that an unknown account cannot swallow the API's id."""
    parts, others = one.split(":", 5), other.split(":", 5)
    if len(parts) != len(others):
        return overlap(one, other)
    return all(overlap(part, counterpart) for part, counterpart in zip(parts, others, strict=True))


def overlap(one: str, other: str) -> bool:
    """Tell whether some text fits both patterns, in each of which `*` is any text and `?` any character."""
    one, other = one[:1024], other[:1024]
    reached = _after_stars(frozenset({0}), other)
    for char in one:
        reached = _step(reached, char, other)
    return len(other) in reached


def _step(reached: frozenset[int], char: str, other: str) -> frozenset[int]:
    """Advance the positions in `other` by one character of the first pattern."""
    if char == "*":
        return frozenset(range(min(reached), len(other) + 1)) if reached else reached
    held = {at for at in reached if at < len(other) and other[at] == "*"}
    moved = {
        at + 1 for at in reached if at < len(other) and other[at] != "*" and (char == "?" or other[at] in {"?", char})
    }
    return _after_stars(frozenset(held | moved), other)


def _after_stars(reached: frozenset[int], other: str) -> frozenset[int]:
    """Add the positions behind stars, which may stand for nothing."""
    more = set(reached)
    for at in sorted(reached):
        place = at
        while place < len(other) and other[place] == "*":
            place += 1
            more.add(place)
    return frozenset(more)
