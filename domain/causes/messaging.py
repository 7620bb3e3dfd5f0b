"""SQS, SNS and EventBridge: what keeps messages and events from arriving or from being worked off."""

from domain.causes.row import rows

CONSUMER = rows(
    "sqs",
    (
        "esm-visibility-lt-timeout",
        "messages reappear while they are still being processed",
        "Set the visibility timeout to at least six times the function's timeout, plus the batch window.",
        "lambda/latest/dg/with-sqs.html",
    ),
    (
        "esm-role-cannot-read-queue",
        "the consumer's role is not allowed to read the queue",
        "Let the role receive, delete and read attributes on the queue, and decrypt if the queue is encrypted.",
        "lambda/latest/dg/with-sqs.html",
    ),
    (
        "esm-queue-gone",
        "the queue behind the event source was deleted",
        "Recreate the queue under the same name, or point the mapping to the one that replaced it.",
        "lambda/latest/dg/with-sqs.html",
    ),
    (
        "esm-partial-batch-not-reported",
        "one bad message makes whole batches run again",
        "Turn on ReportBatchItemFailures and return just the ids of the messages that failed.",
        "lambda/latest/dg/with-sqs.html",
    ),
    (
        "esm-concurrency-starved",
        "throttled polls use up the messages' receives",
        "Limit the mapping's concurrency to what the function has, and allow at least five receives.",
        "lambda/latest/dg/with-sqs.html",
    ),
    (
        "sqs-dlq-filling",
        "messages move to the dead-letter queue",
        "Mend the consumer first; then redrive the messages to their source queue.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        "generic",
    ),
    (
        "sqs-maxreceive-1",
        "messages get too few attempts before they are set aside",
        "Raise maxReceiveCount to five or more, so that a passing failure is tried again.",
        "lambda/latest/dg/with-sqs.html",
    ),
    (
        "sqs-backlog",
        "messages wait longer than they should",
        "See whether the consumer stopped, fails or is too slow; mend it or give it more concurrency.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
        "generic",
    ),
    (
        "sqs-retention-expired",
        "messages expire before anyone reads them",
        "Bring the consumer back, and raise the retention to outlast its longest outage.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
        "generic",
    ),
    (
        "sqs-inflight-limit",
        "the limit of messages in flight is reached",
        "Delete messages once they are processed, and shorten the visibility timeout if consumers give up early.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html",
    ),
    (
        "sqs-fifo-group-blocked",
        "a message group waits behind a message that keeps failing",
        "Add a dead-letter queue so that the message gives way, then fix what makes it fail.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html",
    ),
)

SENDER = rows(
    "sqs",
    (
        "sqs-queue-not-exist",
        "the queue does not exist",
        "Recreate the queue, or correct its URL, account and Region in the caller.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-error-handling.html",
    ),
    (
        "sqs-access-denied",
        "the sender is not allowed to send messages",
        "Allow sqs:SendMessage to the sender in the queue's policy or in the sender's role.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-basic-examples-of-sqs-policies.html",
    ),
    (
        "sqs-kms",
        "a sender cannot use the queue's KMS key",
        "Encrypt with a customer managed key whose policy lets the sending service generate data keys and decrypt.",
        "eventbridge/latest/userguide/eb-troubleshooting.html",
    ),
    (
        "sqs-message-too-large",
        "messages exceed the size limit",
        "Send fewer messages in a batch where all together are too large, or put the body into S3 and send its key.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
    ),
    (
        "sqs-fifo-dedup",
        "new messages are discarded as duplicates",
        "Give every message that counts a deduplication id of its own.",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html",
    ),
)

TOPIC = rows(
    "sns",
    (
        "sns-filter-mismatch",
        "the subscription's filter does not match what is published",
        "Compare the filter policy and its scope with a published message, and correct the one that changed.",
        "sns/latest/dg/sns-subscription-filter-policies.html",
    ),
    (
        "sns-delivery-failed",
        "deliveries to a subscriber fail",
        "Check that the endpoint exists, accepts the topic and is not throttled; keep failures in a dead-letter queue.",
        "sns/latest/dg/sns-monitoring-using-cloudwatch.html",
        "generic",
    ),
    (
        "sns-dlq",
        "undeliverable messages go to the dead-letter queue",
        "Mend the endpoint, check that the topic may write to the queue, and send the messages again.",
        "sns/latest/dg/sns-dead-letter-queues.html",
        "generic",
    ),
    (
        "sns-topic-not-found",
        "the topic does not exist",
        "Recreate the topic with its subscriptions, or correct the ARN in the publisher.",
        "sns/latest/api/API_Publish.html",
    ),
    (
        "sns-publish-denied",
        "the publisher is not allowed to publish",
        "Allow sns:Publish on the topic to the publisher's role, or in the topic's policy.",
        "sns/latest/api/API_Publish.html",
    ),
    (
        "sns-encrypted-topic",
        "a publishing service cannot use the topic's KMS key",
        "Allow the publishing service to generate data keys and decrypt in the key's policy.",
        "sns/latest/dg/sns-key-management.html",
    ),
    (
        "sns-pending-confirmation",
        "the subscription still waits to be confirmed",
        "Have the endpoint confirm the subscription; request it anew if the link has expired.",
        "sns/latest/dg/sns-message-delivery.html",
    ),
)

EVENT = rows(
    "eventbridge",
    (
        "eb-target-no-permission",
        "it is not allowed to call the rule's target",
        "Allow events.amazonaws.com from this rule's ARN in the target's policy, or mend the target's role.",
        "eventbridge/latest/userguide/eb-rule-dlq.html",
    ),
    (
        "eb-target-missing",
        "the rule's target does not exist",
        "Recreate the target, or point the rule to its successor.",
        "eventbridge/latest/userguide/eb-rule-dlq.html",
    ),
    (
        "eb-rule-disabled",
        "the rule is switched off",
        "Enable the rule, after asking whoever disabled it.",
        "eventbridge/latest/userguide/eb-troubleshooting.html",
    ),
    (
        "eb-pattern-mismatch",
        "the rule's pattern does not match the events",
        "Test the pattern against a real event: case, field names, detail-type and bus must all fit.",
        "eventbridge/latest/userguide/eb-troubleshooting.html",
    ),
    (
        "eb-put-failed-entries",
        "some entries are rejected though the call succeeds",
        "Read FailedEntryCount after every call, mend the entries that its error codes name, and send them again.",
        "eventbridge/latest/userguide/eb-putevents.html",
    ),
    (
        "eb-retry-exhausted",
        "delivery to the target is given up after its retries",
        "Mend the target or give it capacity, then replay the events from the archive or the dead-letter queue.",
        "eventbridge/latest/userguide/eb-rule-dlq.html",
        "generic",
    ),
    (
        "eb-dlq-undeliverable",
        "failed events cannot reach the dead-letter queue",
        "Allow events.amazonaws.com to send to the queue in the queue's policy.",
        "eventbridge/latest/userguide/eb-monitoring.html",
    ),
    (
        "eb-input-transformer",
        "the input transformer gives the target wrong input",
        "Compare the input paths with a real event, and make the template produce valid JSON.",
        "eventbridge/latest/userguide/eb-transform-target-input.html",
    ),
    (
        "eb-bus-not-found",
        "the event bus does not exist",
        "Recreate the bus, or correct its name and Region in the publisher.",
        "eventbridge/latest/userguide/eb-event-bus.html",
    ),
    (
        "eb-schedule-wrong",
        "the schedule does not run when it should",
        "Check the expression, its time zone (rules use UTC) and whether the schedule is enabled.",
        "eventbridge/latest/userguide/eb-troubleshooting.html",
    ),
)

CAUSES = CONSUMER + SENDER + TOPIC + EVENT
