"""What the Step Functions specialist concludes."""

from specialists.stepfunctions.rules import change, facts, failures, load, waiting

RULES = (*failures.RULES, *waiting.RULES, *load.RULES, *change.RULES, *facts.RULES)
