"""SQS: what a model is told where the rules leave the question open, and what it may look at."""

from specialists.contract import Agent
from specialists.sqs.probes import consumer_metrics, dead_letter_metrics, sender_errors

INSTRUCTIONS = (
    "You read one incident's evidence about SQS queues. A queue that grows has more coming in, or a reader that "
    "fails, is throttled, switched off, or slower than before: numbers sent, received and deleted tell which. "
    "Received often and deleted never is a reader that fails; not received at all is a reader that does not poll. "
    "Visibility shorter than the reader's timeout gives duplicates. One blocked group stops a FIFO queue's group "
    "only. Dead letters follow from failing reads."
)

AGENT = Agent(INSTRUCTIONS, tools=(sender_errors, consumer_metrics, dead_letter_metrics))
