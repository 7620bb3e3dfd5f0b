"""Everything the iam specialist can judge."""

from specialists.iam.rules import called, caller, facts, roles

RULES = (*caller.RULES, *called.RULES, *roles.RULES, *facts.RULES)
