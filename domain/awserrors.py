"""AWS error codes in the words of every SDK.

Shapes (each SDK's own wording of one error answer):
  Python   An error occurred (Code) when calling the Operation operation: message
  Java 1   message (Service: AmazonX; Status Code: 400; Error Code: Code; Request ID: …)
  Java 2   message (Service: X, Status Code: 400, Request ID: …)          with the code as the exception's class
  Go       operation error X: Operation, https response error StatusCode: 400, RequestID: …, Code: message
  Node     Code: message                                                   with the code as the error's name
"""

import re

PYTHON = re.compile(r"An error occurred \(([A-Za-z0-9.]{2,80})\) when calling the (\w{1,80}) operation")
JAVA1 = re.compile(r"Error Code: ([A-Za-z0-9.]{2,80})[;)]")
GO = re.compile(
    r"https? response error StatusCode: \d{3}, (?:HostID: [^,]{0,200}, )?RequestID: [^,]{0,80}, "
    r"(?:api error )?([A-Za-z0-9.]{2,80}):"
)
GO_API = re.compile(r"api error ([A-Za-z0-9.]{2,80}):")
LEADING = re.compile(
    r"\s*([A-Z][A-Za-z0-9.]{2,80}(?:Exception|Error|Denied|Exceeded|Throttling|NotFound)|NoSuch[A-Za-z]{2,40}|AccessDenied|SlowDown)(?:\b|:)"
)
AWS_LIKE = re.compile(r"(?:[A-Za-z0-9]{1,60}\.){0,6}([A-Z][A-Za-z0-9]{2,80})")

NOT_CODES = frozenset({
    "ClientError", "AmazonServiceException", "AmazonClientException", "SdkClientException", "SdkServiceException",
    "AwsServiceException", "BotoCoreError", "Error", "Exception", "RuntimeError", "OperationError", "ResponseError",
    "ServiceException", "APIError", "GenericAPIError", "AmazonDynamoDBException", "AmazonSQSException",
    "AmazonSNSException", "AmazonS3Exception", "DynamoDbException", "SqsException", "SnsException", "S3Exception",
    "TypeError", "KeyError", "ValueError",
})  # fmt: skip
"""Exception types that wrap any error: the code stands in their message."""


def error_code(kind: str, message: str) -> str | None:
    """Return AWS's error code from an exception's type and message, or None when it is not an AWS error by its form."""
    for pattern in (PYTHON, JAVA1, GO, GO_API):
        found = pattern.search(message)
        if found:
            return found[1]
    name = AWS_LIKE.fullmatch(kind.strip())
    if name and name[1] not in NOT_CODES:
        return name[1]
    leading = LEADING.match(message)
    return leading[1] if leading and leading[1] not in NOT_CODES else None
