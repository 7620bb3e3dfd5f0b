"""Everything that the EventBridge specialist can conclude."""

from specialists.contract import Rule
from specialists.eventbridge.rules import delivery, facts, matching, publishing, scheduling, switches, transforming

RULES: tuple[Rule, ...] = (
    *switches.RULES,
    *matching.RULES,
    *scheduling.RULES,
    *delivery.RULES,
    *transforming.RULES,
    *publishing.RULES,
    *facts.RULES,
)
