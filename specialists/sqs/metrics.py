"""The names of the metrics that tell about a queue and about the functions that read it.

Queue metrics: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
Function metrics: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

SQS, LAMBDA = "AWS/SQS", "AWS/Lambda"

VISIBLE, IN_FLIGHT, AGE, GROUPS = (
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfGroupsWithInflightMessages",
)
SENT, RECEIVED, DELETED, DEDUPLICATED, SIZE = (
    "NumberOfMessagesSent",
    "NumberOfMessagesReceived",
    "NumberOfMessagesDeleted",
    "NumberOfDeduplicatedSentMessages",
    "SentMessageSize",
)
GAUGES = (VISIBLE, IN_FLIGHT, AGE)
COUNTS = (SENT, RECEIVED, DELETED)

INVOCATIONS, ERRORS, THROTTLES, DURATION, LOOPS = (
    "Invocations",
    "Errors",
    "Throttles",
    "Duration",
    "RecursiveInvocationsDropped",
)
