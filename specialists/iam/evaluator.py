"""Would these policies allow this request? A small, honest evaluator: what it cannot know, it says.

Logic: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
Throughout, None stands for "the evidence does not tell".
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from specialists.iam.policies import Condition, Statement


class Outcome(StrEnum):
    """What a set of policies says to a request."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicit deny"
    EXPLICIT_DENY = "explicit deny"
    UNDECIDED = "undecided"


class Verdict(NamedTuple):
    """The outcome, and the statement that decided it: a policy's name and a Sid or "statement 2"."""

    outcome: Outcome
    policy: str = ""
    statement: str = ""

    @property
    def by(self) -> str:
        """The deciding statement in words."""
        return f"`{self.policy}` ({self.statement})"


class Request(NamedTuple):
    """What was asked for.

    `resource` is empty when unknown, and may end in `*` when only its beginning is known. `context` holds the
    condition keys that are known, in lower case.
    """

    action: str
    resource: str = ""
    context: Mapping[str, str] = {}


class Policy(NamedTuple):
    """A named policy's statements."""

    name: str
    statements: tuple[Statement, ...]


def decide(policies: Iterable[Policy], request: Request) -> Verdict:
    """Say what the policies together say: Deny beats Allow, and without an Allow it is denied."""
    named = [
        (applies(statement, request), statement, policy.name, statement.sid or f"statement {index}")
        for policy in policies
        for index, statement in enumerate(policy.statements, start=1)
    ]
    ranked: tuple[tuple[Outcome, bool, bool | None], ...] = (
        (Outcome.EXPLICIT_DENY, False, True),
        (Outcome.UNDECIDED, False, None),
        (Outcome.ALLOWED, True, True),
        (Outcome.UNDECIDED, True, None),
    )
    allowed = any(applied is not False and statement.allows for applied, statement, _, _ in named)
    for outcome, allows, certainty in ranked:
        if outcome is Outcome.UNDECIDED and not allowed:
            continue  # nothing allows it, so whether a conditional Deny holds makes no difference
        for applied, statement, policy_name, label in named:
            if statement.allows is allows and applied is certainty:
                return Verdict(outcome, policy_name, label)
    return Verdict(Outcome.IMPLICIT_DENY)


def applies(statement: Statement, request: Request) -> bool | None:
    """Tell whether a statement is about the request."""
    return _all((
        _action_matches(statement, request.action),
        _resource_matches(statement, request.resource),
        *(_met(condition, request.context) for condition in statement.conditions),
    ))  # fmt: skip


def matches(pattern: str, text: str) -> bool:
    """Match `*` (any run) and `?` (one character), in time bounded by the product of the lengths."""
    at = star = resume = 0
    starred = False
    for_pattern = 0
    while at < len(text):
        if for_pattern < len(pattern) and pattern[for_pattern] == "*":
            starred, star, resume = True, for_pattern, at
            for_pattern += 1
        elif for_pattern < len(pattern) and pattern[for_pattern] in ("?", text[at]):
            for_pattern += 1
            at += 1
        elif starred:
            resume += 1
            for_pattern, at = star + 1, resume
        else:
            return False
    return not pattern[for_pattern:].strip("*")


def _action_matches(statement: Statement, action: str) -> bool:
    wanted = action.lower()
    if statement.actions:
        return any(matches(pattern.lower(), wanted) for pattern in statement.actions)
    return not any(matches(pattern.lower(), wanted) for pattern in statement.not_actions)


def _resource_matches(statement: Statement, resource: str) -> bool | None:
    if statement.resources:
        return _any(_one_resource(pattern, resource) for pattern in statement.resources)
    if statement.not_resources:
        return _not(_any(_one_resource(pattern, resource) for pattern in statement.not_resources))
    return True  # a trust policy has no Resource: it is about its own role


def _one_resource(pattern: str, resource: str) -> bool | None:
    if pattern == "*":
        return True
    if not resource or "${" in pattern:
        return None
    if matches(pattern, resource):
        return True
    if not resource.endswith("*"):
        return False
    known, fixed = resource.rstrip("*"), pattern.split("*", 1)[0].split("?", 1)[0]
    return None if fixed.startswith(known) or (known.startswith(fixed) and fixed != pattern) else False


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "stringequals": lambda wanted, actual: wanted == actual,
    "stringequalsignorecase": lambda wanted, actual: wanted.lower() == actual.lower(),
    "stringlike": matches,
    "arnequals": matches,
    "arnlike": matches,
    "bool": lambda wanted, actual: wanted.lower() == actual.lower(),
}
NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}


def _met(condition: Condition, context: Mapping[str, str]) -> bool | None:
    actual = context.get(condition.key.lower())
    operator = condition.operator.lower().removesuffix("ifexists")
    positive = NEGATED.get(operator, operator)
    if actual is None or positive not in OPERATORS or any("${" in value for value in condition.values):
        return None
    met = any(OPERATORS[positive](value, actual) for value in condition.values)
    return met if positive == operator else not met


def trusts(statements: Iterable[Statement], names: Callable[[str], bool]) -> bool | None:
    """Tell whether a trust policy lets a principal assume its role; `names` says which entries mean that principal."""
    asked = Request("sts:AssumeRole")
    allowed: bool | None = False
    for statement in statements:
        about = any(names(entry) for entry in statement.principals) or (
            bool(statement.not_principals) and not any(names(entry) for entry in statement.not_principals)
        )
        applied = applies(statement, asked) if about else False
        if not statement.allows and applied is not False:
            return False if applied else None
        if statement.allows:
            allowed = _any((allowed, applied))
    return allowed


def _all(values: Iterable[bool | None]) -> bool | None:
    seen = set(values)
    return False if False in seen else None if None in seen else True


def _any(values: Iterable[bool | None]) -> bool | None:
    seen = set(values)
    return True if True in seen else None if None in seen else False


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
