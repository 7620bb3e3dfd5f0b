"""Execution proposal: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent

INSTRUCTIONS = (
    "You word the trade-offs between actions that are already chosen and ranked. For each pair that competes, say "
    "what one gives up against the other: speed, cost, reversibility, how long it holds, what it leaves unfixed. "
    "Change no order, add no action, repeat no parameter. Name neither causes nor doubts."
)

AGENT = Agent(INSTRUCTIONS)
