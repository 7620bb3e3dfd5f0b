"""Change intelligence: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.change_intelligence.probes.functions import function_revisions
from specialists.change_intelligence.probes.stacks import stack_events
from specialists.change_intelligence.probes.trail import resource_changes
from specialists.contract import Agent

INSTRUCTIONS = (
    "You read what changed before one incident. A change is suspect when it precedes the first failure by minutes, "
    "touches a failing resource or what that depends on, and alters what the failure is about (capacity, code, "
    "permission, network). Refused attempts changed nothing. A change after the onset is a reaction. Several "
    "changes in one deployment count as one. Say which change fits, and which fit in time only."
)

AGENT = Agent(INSTRUCTIONS, tools=(resource_changes, function_revisions, stack_events))
