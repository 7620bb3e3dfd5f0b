"""Step Functions: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.stepfunctions.probes import child_executions, express_log, histories

INSTRUCTIONS = (
    "You read one incident's evidence about Step Functions. Name the state that failed first, not the one that gave "
    "up. Tell apart: a task whose service refused, a task that never answered (heartbeat, callback, timeout), data "
    "that did not fit a path, a choice without a match, and an execution that somebody or a limit ended. A Catch "
    "or Retry may hide the first error; a Map or Parallel only passes on an item's."
)

AGENT = Agent(INSTRUCTIONS, tools=(histories, express_log, child_executions))
