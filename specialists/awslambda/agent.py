"""Lambda: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.awslambda.probes.telemetry import error_lines, invocation_reports, request_lines
from specialists.contract import Agent

INSTRUCTIONS = (
    "You read one incident's evidence about AWS Lambda functions. Tell apart: a function that is slow itself from "
    "one that waits for a dependency until its timeout; a crash in initialisation from one in the handler; memory "
    "exhausted from time exhausted (look at the reports' memory); reserved from account concurrency when it is "
    "throttled. An error that began with a deployment differs from one that began with load. An exception that only "
    "passes on a called service's refusal is a symptom."
)

AGENT = Agent(INSTRUCTIONS, tools=(error_lines, request_lines, invocation_reports))
