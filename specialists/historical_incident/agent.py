"""Historical incidents: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent

INSTRUCTIONS = (
    "You compare one incident with earlier investigations of the same team. Likeness is a hint: say what is the "
    "same (error template, resource, sequence) and what differs now. An earlier verdict that people graded as wrong "
    "teaches what to avoid. Recurrence after a fix suggests that the fix was undone or only treated a symptom. "
    "Never conclude from the past alone."
)

AGENT = Agent(INSTRUCTIONS)
