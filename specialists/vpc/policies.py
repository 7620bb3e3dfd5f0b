"""The policy of a VPC endpoint: read, and asked whether it lets a call through. Pure.

Endpoint policies: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

import json
from fnmatch import fnmatchcase
from typing import Any

from specialists.vpc.network import Endpoint, Statement


def statements_of(text: str) -> tuple[Statement, ...] | None:
    """Read a policy's JSON; None when it is none. Without a policy an endpoint lets everything through."""
    if not text:
        return (Statement(allows=True, actions=("*",), resources=("*",)),)
    try:
        document = json.loads(text)
    except ValueError:
        return None
    found = document.get("Statement") if isinstance(document, dict) else None
    items = found if isinstance(found, list) else [found]
    read = [_statement(item) for item in items if isinstance(item, dict)]
    return tuple(read) if len(read) == len(items) else None


def _statement(item: dict[str, Any]) -> Statement:
    return Statement(
        allows=item.get("Effect") == "Allow",
        actions=_texts(item.get("Action")),
        not_actions=_texts(item.get("NotAction")),
        resources=_texts(item.get("Resource")),
        not_resources=_texts(item.get("NotResource")),
        conditional=bool(item.get("Condition")) or not _anyone(item.get("Principal", "*")) or "NotPrincipal" in item,
    )


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in items)


def _anyone(principal: Any) -> bool:
    named = principal.values() if isinstance(principal, dict) else [principal]
    return any("*" in _texts(value) for value in named)


def lets_through(endpoint: Endpoint, action: str, resource: str) -> bool | None:
    """Tell whether the endpoint's policy lets a call through; None where that cannot be told.

    `resource` is an ARN, or empty when it is not known.
    """
    if endpoint.statements is None:
        return None
    meant = [(s, _applies(s, action, resource)) for s in endpoint.statements]
    if any(not s.allows and applies for s, applies in meant):
        return False
    allowing = [applies for s, applies in meant if s.allows]
    if all(applies is False for applies in allowing):
        return False
    undecided_deny = any(not s.allows and applies is None for s, applies in meant)
    return True if any(allowing) and not undecided_deny else None


def _applies(statement: Statement, action: str, resource: str) -> bool | None:
    """Tell whether a statement is about the call; None where a condition or an unknown resource decides."""
    if statement.actions:
        acts: bool | None = any(_matches(p.lower(), action.lower()) for p in statement.actions)
    else:
        acts = not any(_matches(p.lower(), action.lower()) for p in statement.not_actions)
    if statement.resources:
        names = _names(statement.resources, resource)
    else:
        excluded = _names(statement.not_resources, resource) if statement.not_resources else False
        names = None if excluded is None else not excluded
    if acts is False or names is False:
        return False
    return None if names is None or statement.conditional else True


def _names(patterns: tuple[str, ...], resource: str) -> bool | None:
    if "*" in patterns:
        return True
    if not resource or any("${" in pattern for pattern in patterns):
        return None
    if any(_matches(pattern, resource) for pattern in patterns):
        return True
    # A call names the bucket only: a pattern of objects in that bucket may or may not fit.
    return None if any(pattern.startswith(f"{resource}/") for pattern in patterns) else False


def _matches(pattern: str, text: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))
