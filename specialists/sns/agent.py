"""SNS: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.sns.probes import delivery_failures, flow, publisher_errors

INSTRUCTIONS = (
    "You read one incident's evidence about SNS topics. Follow one message: published or refused (policy, key), "
    "filtered out or delivered, delivered or failed (endpoint's policy, function's permission, an HTTP answer), "
    "then dead-lettered or lost. Equal numbers of filtered and published messages mean a filter, not a failure. An "
    "unconfirmed subscription receives nothing and reports no error. With an encrypted topic, AWS's own publishers "
    "need the key as well."
)

AGENT = Agent(INSTRUCTIONS, tools=(delivery_failures, publisher_errors, flow))
