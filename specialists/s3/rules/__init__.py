"""Everything that the S3 specialist can conclude about a bucket."""

from specialists.contract import Rule
from specialists.s3.rules import access, facts, keys, notifying, requested

RULES: tuple[Rule, ...] = (*requested.RULES, *access.RULES, *keys.RULES, *notifying.RULES, *facts.RULES)
