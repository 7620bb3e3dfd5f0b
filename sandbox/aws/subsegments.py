"""Subsegments: the calls and steps of a program, as the X-Ray SDKs record them under its segment."""

from collections.abc import Sequence
from typing import Any

from sandbox.aws.documents import Document, Ids, flags, timed
from sandbox.aws.fixtures.trace_summary import nodes_of


def subsegment(
    ids: Ids,
    name: str,
    start: float,
    seconds: float | None,
    *,
    calls: Sequence[Document] = (),
    cause: Document | None = None,
    **rest: Any,
) -> Document:
    """Return a subsegment of a program's own, such as `## handler` or a state; it fails with what it contains."""
    failed = cause is not None or any(node.get("fault") for node in nodes_of(list(calls)))
    return timed(name, ids, start, seconds, subsegments=list(calls) or None, cause=cause, **flags(fault=failed), **rest)


def sdk_call(
    ids: Ids,
    service: str,
    operation: str,
    start: float,
    seconds: float | None,
    *,
    region: str,
    status: int | None = 200,
    retries: int = 0,
    cause: Document | None = None,
    **aws: Any,
) -> Document:
    """Return a call of an AWS SDK, flagged as the Python SDK does: a failure is error and fault, 429 a throttle too.

    DynamoDB's throttle is HTTP 400 without the flag: its type stands in `cause` only. A timeout has no `status`.
    """
    block = {"operation": operation, "region": region, "request_id": ids.request().upper(), "retries": retries, **aws}
    failed = cause is not None or (status or 0) >= 400
    http = None if status is None else {"response": {"status": status}}
    return timed(
        service,
        ids,
        start,
        seconds,
        namespace="aws",
        http=http,
        aws=block,
        cause=cause,
        **flags(error=failed, fault=failed, throttle=status == 429),
    )


def dynamodb_call(
    ids: Ids, operation: str, table: str, start: float, seconds: float | None, *, region: str, **rest: Any
) -> Document:
    """Return a call of DynamoDB on one table."""
    return sdk_call(
        ids, "DynamoDB", operation, start, seconds, region=region, table_name=table, resource_names=[table], **rest
    )


def sqs_call(
    ids: Ids, operation: str, queue: str, start: float, seconds: float | None, *, region: str, account: str, **rest: Any
) -> Document:
    """Return a call of SQS on one queue."""
    return sdk_call(
        ids,
        "SQS",
        operation,
        start,
        seconds,
        region=region,
        queue_url=f"https://sqs.{region}.amazonaws.com/{account}/{queue}",
        **rest,
    )


def sns_call(ids: Ids, topic_arn: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return a Publish to a topic."""
    return sdk_call(ids, "SNS", "Publish", start, seconds, region=region, topic_arn=topic_arn, **rest)


def s3_call(
    ids: Ids, operation: str, bucket: str, key: str, start: float, seconds: float | None, *, region: str, **rest: Any
) -> Document:
    """Return a call of S3 on one object."""
    return sdk_call(
        ids,
        "S3",
        operation,
        start,
        seconds,
        region=region,
        bucket_name=bucket,
        key=key,
        resource_names=[bucket],
        **rest,
    )


def stepfunctions_call(
    ids: Ids, operation: str, machine_arn: str, start: float, seconds: float | None, *, region: str, **rest: Any
) -> Document:
    """Return a call of Step Functions on one state machine."""
    return sdk_call(
        ids, "StepFunctions", operation, start, seconds, region=region, state_machine_arn=machine_arn, **rest
    )


def lambda_call(ids: Ids, function: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return an Invoke of a function; the function's service segment hangs below it."""
    return sdk_call(
        ids,
        "Lambda",
        "Invoke",
        start,
        seconds,
        region=region,
        function_name=function,
        invocation_type="RequestResponse",
        resource_names=[function],
        **rest,
    )


def http_call(
    ids: Ids,
    method: str,
    url: str,
    start: float,
    seconds: float | None,
    *,
    status: int | None = 200,
    cause: Document | None = None,
) -> Document:
    """Return a call of a host outside AWS; 4xx is an error, 5xx or no answer a fault."""
    host = url.split("/")[2]
    http: Document = {"request": {"method": method, "url": url}}
    if status is not None:
        http["response"] = {"status": status}
    code = status or 0
    marks = flags(
        error=400 <= code < 500, throttle=code == 429, fault=code >= 500 or (cause is not None and code < 400)
    )
    return timed(host, ids, start, seconds, namespace="remote", http=http, cause=cause, **marks)
