"""What the SQS specialist concludes from its evidence."""

from specialists.sqs.rules import change, facts, functions, key, readers, refusals, waiting

RULES = (
    *refusals.RULES,
    *key.RULES,
    *readers.RULES,
    *functions.RULES,
    *waiting.RULES,
    *change.RULES,
    *facts.RULES,
)
