"""The shape of a rule: where it may apply, what it matches, and what a match must look like to count."""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

Judge = Callable[[re.Match[str]], bool]


class Rule(NamedTuple):
    """One kind of secret.

    `hints` are lower-case substrings, one of which is in every text that can match: they make the rule free where it
    does not apply. The group `secret` of `pattern`, else the whole match, is replaced when `judge` agrees. Every
    quantifier of `pattern` is bounded, and it cannot start anew inside a run that it has already refused.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    judge: Judge | None = None

    def apply(self, text: str, lowered: str) -> str:
        """Return the text with this kind of secret replaced; `lowered` is the text in lower case."""
        if self.hints and not any(hint in lowered for hint in self.hints):
            return text
        return self.pattern.sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        if self.judge is not None and not self.judge(match):
            return match.group()
        start, end = match.span("secret" if "secret" in self.pattern.groupindex else 0)
        offset = match.start()
        whole = match.group()
        return f"{whole[: start - offset]}{marker(self.kind)}{whole[end - offset :]}"


def rule(kind: str, hints: str, pattern: str, judge: Judge | None = None) -> Rule:
    """Return a rule; `hints` are separated by spaces."""
    return Rule(kind, tuple(hints.split()), re.compile(pattern), judge)


def marker(kind: str) -> str:
    """Return what stands in place of a secret."""
    return f"[redacted:{kind}]"


def secret_of(match: re.Match[str]) -> str:
    """Return the part of a match that would be replaced."""
    return match["secret"] if "secret" in match.re.groupindex else match.group()


def entropy(text: str) -> float:
    """Return Shannon's entropy of the characters in bits per character; about 4.7 for 40 random base64 ones."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


def random_looking(text: str) -> bool:
    """Tell whether letters and digits are mixed as no word is."""
    has_digit = any(c.isdigit() for c in text)
    has_lower = any(c.islower() for c in text)
    has_upper = any(c.isupper() for c in text)
    return (has_digit and (has_lower or has_upper)) or (
        len(text) >= 20 and has_lower and has_upper and entropy(text) > 3.8
    )


def mixes_all(text: str) -> bool:
    """Tell whether upper case, lower case and digits all occur: hex digests and UUIDs never mix them."""
    return any(c.isdigit() for c in text) and any(c.islower() for c in text) and any(c.isupper() for c in text)


def inside_arn(match: re.Match[str]) -> bool:
    """Tell whether the match is a part of an ARN."""
    before = match.string[max(0, match.start() - 256) : match.start()].split()
    starts_word = match.start() > 0 and match.string[match.start() - 1].isspace()
    return bool(before) and not starts_word and "arn:aws" in before[-1]
