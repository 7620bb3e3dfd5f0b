"""The Lambda specialist's judgements."""

from specialists.awslambda.rules.capacity import CAPACITY_RULES
from specialists.awslambda.rules.code import CODE_RULES
from specialists.awslambda.rules.events import EVENT_RULES
from specialists.awslambda.rules.facts import FACT_RULES
from specialists.awslambda.rules.process import PROCESS_RULES
from specialists.awslambda.rules.sources import SOURCE_RULES
from specialists.awslambda.rules.state import STATE_RULES
from specialists.awslambda.rules.stated import STATED_RULES

RULES = (
    *STATED_RULES,
    *PROCESS_RULES,
    *CODE_RULES,
    *CAPACITY_RULES,
    *STATE_RULES,
    *EVENT_RULES,
    *SOURCE_RULES,
    *FACT_RULES,
)
