"""Everything that the VPC specialist can conclude."""

from specialists.contract import Rule
from specialists.vpc.rules import blocked, endpoint, facts, stated

RULES: tuple[Rule, ...] = (*blocked.RULES, *stated.RULES, *endpoint.RULES, *facts.RULES)
