"""Everything the iam specialist can judge."""

from specialists.iam.rules import denied, facts, roles

RULES = (*denied.RULES, *roles.RULES, *facts.RULES)
