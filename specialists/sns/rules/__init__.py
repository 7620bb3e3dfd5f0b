"""Everything that the SNS specialist can conclude about a topic."""

from specialists.contract import Rule
from specialists.sns.rules import delivering, facts, keys, publishing

RULES: tuple[Rule, ...] = (*publishing.RULES, *keys.RULES, *delivering.RULES, *facts.RULES)
