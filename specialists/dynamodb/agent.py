"""DynamoDB: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.dynamodb.probes import caller_errors, operation_metrics, scaling_activities

INSTRUCTIONS = (
    "You read one incident's evidence about DynamoDB tables. Throttling has different owners: consumption at the "
    "provisioned level is capacity; throttles far below it are one hot key or partition; only an index's throttles "
    "are that index; an on-demand table that doubles within minutes is its ramp; many tables at once are the "
    "account. Conditional failures and conflicts are the application's contention, never a lack of capacity. "
    "Latency without throttles suggests scans or large items."
)

AGENT = Agent(INSTRUCTIONS, tools=(caller_errors, scaling_activities, operation_metrics))
