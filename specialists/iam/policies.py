"""Policy documents as values.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from domain.values import Value


class Condition(Value):
    """One key of a Condition block, as written."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(Value):
    """One statement. `principals` are "Service:lambda.amazonaws.com", "AWS:arn:…" or "*", for trust policies."""

    sid: str = ""
    allows: bool
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


def statements_of(document: object) -> tuple[Statement, ...]:
    """Return the statements of a policy document (a mapping, or JSON text); raises ValueError when it is none."""
    if isinstance(document, str):
        document = json.loads(document)
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("not a policy document: it has no Statement")
    listed = document["Statement"]
    return tuple(_statement(item) for item in (listed if isinstance(listed, list) else [listed]))


def _statement(item: Any) -> Statement:
    if not isinstance(item, Mapping) or item.get("Effect") not in {"Allow", "Deny"}:
        raise ValueError("not a policy statement: Effect is neither Allow nor Deny")
    return Statement(
        sid=str(item.get("Sid", "")),
        allows=item["Effect"] == "Allow",
        actions=_texts(item.get("Action")),
        not_actions=_texts(item.get("NotAction")),
        resources=_texts(item.get("Resource")),
        not_resources=_texts(item.get("NotResource")),
        principals=tuple(_principals(item.get("Principal"))),
        not_principals=tuple(_principals(item.get("NotPrincipal"))),
        conditions=tuple(_conditions(item.get("Condition"))),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in items)


def _principals(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for kind, names in value.items():
            yield from ("*" if name == "*" and kind == "AWS" else f"{kind}:{name}" for name in _texts(names))
    else:
        yield from _texts(value)


def _conditions(value: Any) -> Iterator[Condition]:
    for operator, block in value.items() if isinstance(value, Mapping) else ():
        for key, expected in block.items() if isinstance(block, Mapping) else ():
            yield Condition(operator=str(operator), key=str(key), values=_texts(expected))
