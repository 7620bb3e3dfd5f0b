"""Declarations of read-only operations: what the guard lets through and what the role policy must allow."""

import re
from typing import NamedTuple

IAM_PREFIX = {
    "apigatewayv2": "apigateway",
    "bedrock-agent-runtime": "bedrock",
    "stepfunctions": "states",
}
"""Where IAM's service prefix differs from boto3's client name."""


class Read(NamedTuple):
    """One read-only operation.

    `service` is boto3's client name, `operation` the API's name ("GetFunctionConfiguration"), `action` the IAM action
    that permits it ("lambda:GetFunctionConfiguration").
    """

    service: str
    operation: str
    action: str


ACCESS_LEVEL = re.compile(
    r"(Get|List|Describe|Lookup|Filter|BatchGet|Head|Search|StartQuery|StopQuery|TestMetricFilter|Simulate|Retrieve|Query|StartTraceRetrieval)"
)

NEVER = frozenset({
    ("sqs", "ReceiveMessage"),
    ("secretsmanager", "GetSecretValue"),
    ("secretsmanager", "BatchGetSecretValue"),
    ("ssm", "GetParameter"),
    ("ssm", "GetParameters"),
    ("ssm", "GetParametersByPath"),
    ("s3", "GetObject"),
    ("s3", "SelectObjectContent"),
    ("lambda", "GetFunction"),
    ("lambda", "Invoke"),
    ("dynamodb", "GetItem"),
    ("dynamodb", "BatchGetItem"),
    ("dynamodb", "Query"),
    ("dynamodb", "Scan"),
    ("kinesis", "GetRecords"),
    ("sts", "GetSessionToken"),
    ("sts", "GetFederationToken"),
})  # fmt: skip
"""Reads by IAM's count that show data, code or secrets, or hide messages: no probe may declare them."""


def read(service: str, operation: str, action: str | None = None) -> Read:
    """Declare a read; `action` defaults to the operation's own name under IAM's prefix of the service.

    Raises ValueError for an operation that is no read by its name, or that reads what is nobody's business.
    """
    if (service, operation) in NEVER or not ACCESS_LEVEL.match(operation):
        raise ValueError(f"{service}:{operation} is not an operation that a probe may use")
    return Read(service, operation, action or f"{IAM_PREFIX.get(service, service)}:{operation}")
