"""Everything that the DynamoDB specialist can conclude about a table."""

from specialists.contract import Rule
from specialists.dynamodb.rules import capacity, change, facts, latency, refusals, state

RULES: tuple[Rule, ...] = (
    *capacity.RULES,
    *change.RULES,
    *refusals.RULES,
    *state.RULES,
    *latency.RULES,
    *facts.RULES,
)
