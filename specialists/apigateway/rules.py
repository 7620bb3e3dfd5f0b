"""All judgements about an API, by where the request failed."""

from specialists.apigateway import rules_facts, rules_integration, rules_limits, rules_refusals
from specialists.contract import Rule

RULES: tuple[Rule, ...] = (
    *rules_integration.RULES,
    *rules_refusals.RULES,
    *rules_limits.RULES,
    *rules_facts.RULES,
)
