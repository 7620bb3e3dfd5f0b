"""Text from outside, before it is stored, shown or sent to a model: secrets out, unseen characters out.

`clean` first, then `redact`: a zero-width character inside a key would hide it from every pattern.
"""

import re
from typing import Any

from domain.redaction.assignments import is_secret, kind_of, redact_assignments
from domain.redaction.characters import MAX_LINE, capped, clean
from domain.redaction.shape import marker
from domain.redaction.tokens import BLOCKS, CREDENTIALS, LOOSE, TOKENS

_NAME_KEYS = ("name", "key", "parameterkey", "variable")

_RULES = (*CREDENTIALS, *TOKENS, *LOOSE)
_WITHOUT_HINTS = tuple(rule for rule in _RULES if not rule.hints)
_HINT = re.compile("|".join(re.escape(hint) for rule in _RULES for hint in rule.hints))
"""Most texts hold no hint of any rule: one search tells that."""


def redact(text: str) -> str:
    """Return the text with every secret it shows replaced by `[redacted:<kind>]`; the same when done again.

    Lines are cut at MAX_LINE characters first. Ids, digests, ARNs and account numbers stay.
    """
    text = capped(text)
    for rule in BLOCKS:
        text = rule.apply(text, text.lower())
    text = redact_assignments(text, text.lower())
    lowered = text.lower()
    for rule in _RULES if _HINT.search(lowered) else _WITHOUT_HINTS:
        text = rule.apply(text, lowered)
    return capped(text)


def redact_values(value: Any) -> Any:
    """Return JSON values with their secrets replaced: every text by its content, and values by their key's name.

    `{"name": "DB_PASSWORD", "value": …}` counts as a key and its value. Tuples stay tuples; keys are kept.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        named = _named_pair(value)
        return {
            key: _under(named if str(key).lower() == "value" and named else str(key), item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(redact_values(item) for item in value)
    return value


def _named_pair(value: dict[Any, Any]) -> str | None:
    """Return the name that a name/value pair gives to its value."""
    names = (item for key, item in value.items() if str(key).lower() in _NAME_KEYS and isinstance(item, str))
    return next(names, None)


def _under(name: str, value: Any) -> Any:
    """Return a value that stands under a name, replaced where the name says that it is secret."""
    kind = kind_of(name)
    if kind is None or value is None or isinstance(value, bool | dict):
        return redact_values(value)
    if isinstance(value, list | tuple):
        return type(value)(_under(name, item) for item in value)
    return marker(kind) if is_secret(kind, str(value)) else redact_values(value)


__all__ = ["MAX_LINE", "clean", "redact", "redact_values"]
