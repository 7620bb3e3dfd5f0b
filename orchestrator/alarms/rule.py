"""A composite alarm's rule: which alarms it listens to, and what each must do for it.

    ALARM("checkout 5xx") AND NOT ALARM(deploying)      AT_LEAST(2, NOT OK, (a, "b c", arn:aws:cloudwatch:…:alarm:d))

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from domain.alarm import AlarmState

LONGEST = 10_240
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[(),]|[^\s(),"]+')
STATES = frozenset(AlarmState)
JOINS = frozenset({"AND", "OR", "TRUE", "FALSE", "AT_LEAST"})
COUNT = re.compile(r"[0-9]+%?")


class Member(NamedTuple):
    """An alarm that a rule names, and the states of it that the rule waits for."""

    name: str
    states: frozenset[AlarmState]

    @property
    def means_trouble(self) -> bool:
        """Whether it helps the composite into ALARM by being in trouble itself, not by being quiet."""
        return bool(self.states) and AlarmState.OK not in self.states


def members(rule: str) -> tuple[Member, ...]:
    """Return the alarms of a rule in their order, each condition once; what is no rule has none."""
    return tuple(dict.fromkeys(_members(rule[:LONGEST])))


def _members(rule: str) -> Iterator[Member]:
    """Walk the words once; each parenthesis remembers whether it stands under a NOT."""
    under_not, negated = [False], False
    state: AlarmState | None = None
    for word, following in pairwise([*WORD.findall(rule), ""]):
        if word == "(":
            under_not.append(under_not[-1] ^ (negated and state is None))
            negated = negated and state is not None
        elif word == ")":
            under_not = under_not[:-1] or [False]
        elif word == "NOT":
            negated = not negated
        elif word in STATES and following in {"(", ","}:
            state = AlarmState(word)
        elif word in JOINS:
            state, negated = None, False
        elif state is not None and word != "," and not COUNT.fullmatch(word):
            yield Member(_name(word), _waited_for(state, unlike=under_not[-1] ^ negated))


def _waited_for(state: AlarmState, *, unlike: bool) -> frozenset[AlarmState]:
    return STATES - {state} if unlike else frozenset({state})


def _name(word: str) -> str:
    """Return a member's name, also where the rule has its ARN."""
    name = re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
    return name.split(":alarm:", 1)[1] if name.startswith("arn:") and ":alarm:" in name else name
