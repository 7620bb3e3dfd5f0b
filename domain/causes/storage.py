"""DynamoDB and S3: what makes reads and writes fail or slow."""

from domain.causes.row import rows

TABLE = rows(
    "dynamodb",
    (
        "ddb-provisioned-exceeded",
        "provisioned read or write capacity is exceeded",
        "Raise the capacity or the on-demand maximum, or switch to on-demand, and let clients back off meanwhile.",
        "amazondynamodb/latest/developerguide/Programming.Errors.html",
    ),
    (
        "ddb-gsi-throttle",
        "a global secondary index throttles the table's writes",
        "Raise the index's write capacity, or give it a key that spreads better.",
        "amazondynamodb/latest/developerguide/GSI.html",
    ),
    (
        "ddb-hot-partition",
        "one partition key takes more traffic than it can",
        "Spread the key over several values, or put a cache in front of the hot item.",
        "amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    ),
    (
        "ddb-account-limit",
        "the account's throughput quota is reached",
        "Request a higher quota, and slow the heaviest table down until it is granted.",
        "amazondynamodb/latest/developerguide/Programming.Errors.html",
    ),
    (
        "ddb-control-throttle",
        "table management calls are throttled",
        "Call DescribeTable and its like rarely, cache the answers, and make changes one after another.",
        "amazondynamodb/latest/developerguide/Programming.Errors.html",
    ),
    (
        "ddb-table-not-found",
        "the table or index does not exist",
        "Restore the table from backup, or correct its name and Region in the caller.",
        "amazondynamodb/latest/developerguide/Programming.Errors.html",
    ),
    (
        "ddb-conditional-failed",
        "conditional writes fail",
        "Treat a repeated delivery as done; for a real race, read again and retry.",
        "amazondynamodb/latest/developerguide/Programming.Errors.html",
    ),
    (
        "ddb-transaction-cancelled",
        "transactions are cancelled",
        "Read the cancellation reasons; retry conflicts with jitter, and keep fewer items in a transaction.",
        "amazondynamodb/latest/developerguide/transaction-apis.html",
    ),
    (
        "ddb-validation-key",
        "keys in requests differ from the table's key schema",
        "Compare key names and types in the request with the table's schema, and correct the caller.",
        "amazondynamodb/latest/developerguide/Programming.Errors.html",
    ),
    (
        "ddb-item-too-large",
        "an item or item collection exceeds the size limit",
        "Split the item into several, or keep its large part in S3.",
        "amazondynamodb/latest/developerguide/Limits.html",
    ),
    (
        "ddb-latency-scan",
        "scans or broad queries make requests slow",
        "Add an index that fits the access, query it instead of scanning, and page the results.",
        "amazondynamodb/latest/developerguide/bp-query-scan.html",
    ),
    (
        "ddb-kms",
        "the table's KMS key cannot be used",
        "Enable the key again, or restore the policy that let DynamoDB use it.",
        "amazondynamodb/latest/developerguide/encryption.usagenotes.html",
    ),
    (
        "stream-trimmed-or-missing",
        "the stream that its consumers read no longer exists",
        "Enable the stream if it is off, and recreate the event source mapping with the new stream's ARN.",
        "amazondynamodb/latest/developerguide/Streams.html",
    ),
)

BUCKET = rows(
    "s3",
    (
        "s3-access-denied",
        "access to objects is denied",
        "Find the layer that denies: IAM, bucket policy, KMS key or endpoint. A missing object can look the same.",
        "AmazonS3/latest/userguide/troubleshoot-403-errors.html",
        "generic",
    ),
    (
        "s3-no-such-key",
        "the requested object does not exist",
        "Decode the key of the event before using it; then check prefix, lifecycle rules and who deletes.",
        "AmazonS3/latest/API/ErrorResponses.html",
    ),
    (
        "s3-no-such-bucket",
        "the bucket does not exist",
        "Recreate the bucket, or correct its name in the caller.",
        "AmazonS3/latest/API/ErrorResponses.html",
    ),
    (
        "s3-wrong-region",
        "the bucket is in another Region than the client asks",
        "Set the client's Region to the bucket's.",
        "lambda/latest/dg/troubleshooting-deployment.html",
    ),
    (
        "s3-slow-down",
        "the request rate for a prefix is exceeded",
        "Back off and retry, and spread the objects over more prefixes.",
        "AmazonS3/latest/userguide/optimizing-performance.html",
    ),
    (
        "s3-notification-invalid-dest",
        "a notification's destination cannot be validated",
        "Let S3 send to the destination first; then put the notification configuration.",
        "AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html",
    ),
    (
        "s3-notification-missing",
        "new objects trigger no notification",
        "Restore the configuration, let only one stack own it, and check prefix and suffix filters.",
        "AmazonS3/latest/userguide/NotificationHowTo.html",
    ),
    (
        "s3-kms-denied",
        "the objects' KMS key cannot be used",
        "Grant the reader kms:Decrypt on the key, and enable the key if it is off.",
        "AmazonS3/latest/userguide/troubleshoot-403-errors.html",
    ),
    (
        "s3-block-public-access",
        "anonymous reads are stopped by Block Public Access",
        "Serve the objects through CloudFront with origin access control instead of opening the bucket.",
        "AmazonS3/latest/userguide/troubleshoot-403-errors.html",
    ),
)

CAUSES = TABLE + BUCKET
