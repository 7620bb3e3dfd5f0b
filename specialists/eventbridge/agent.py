"""EventBridge: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.eventbridge.probes.telemetry import caller_errors, own_changes, target_errors

INSTRUCTIONS = (
    "You read one incident's evidence about EventBridge. Find the step at which an event was lost: never put, put "
    "with failed entries behind HTTP 200, put on another bus, not matched by the pattern, matched by a rule that is "
    "off, or invoked and failed at the target (permission, queue policy, dead letters, role). Invocations without "
    "failures clear the rule. For schedules check time zone, window and end date before blaming the target."
)

AGENT = Agent(INSTRUCTIONS, tools=(caller_errors, target_errors, own_changes))
