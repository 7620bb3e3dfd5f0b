"""Segment documents as AWS's services and the X-Ray SDKs send them.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

Times are epoch seconds. Builders of subsegments return what goes under a parent's `subsegments`; builders of segments
need the trace's `Place`. Ids come from one seeded source, so that a scenario is the same in every run.
"""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from sandbox.aws.fixtures.trace_summary import nodes_of

Document = dict[str, Any]


class Ids:
    """Ids of a scenario: random, and the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def hex(self, digits: int) -> str:
        """Return so many hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def trace(self, at: float) -> str:
        """Return a trace id that began at an epoch second."""
        return f"1-{int(at):08x}-{self.hex(24)}"

    def segment(self) -> str:
        """Return a segment id."""
        return self.hex(16)

    def request(self) -> str:
        """Return an AWS request id."""
        return "-".join(self.hex(digits) for digits in (8, 4, 4, 4, 12))


class Place(NamedTuple):
    """Where and in which trace segments are made."""

    ids: Ids
    trace_id: str
    region: str
    account: str


def timed(name: str, ids: Ids, start: float, seconds: float | None, **rest: Any) -> Document:
    """Return a node; without `seconds` it is in progress. None values are left out."""
    end = {"in_progress": True} if seconds is None else {"end_time": round(start + seconds, 3)}
    return {"id": ids.segment(), "name": name, "start_time": round(start, 3), **end, **{key: value for key, value in rest.items() if value is not None}}


def exception(ids: Ids, kind: str, message: str, *, remote: bool = False, stack: Sequence[tuple[str, int, str]] = ()) -> Document:
    """Return a `cause` with one exception; `stack` holds (path, line, function), the innermost first."""
    frames = [{"path": path, "line": line, "label": label} for path, line, label in stack]
    return {"working_directory": "/var/task", "exceptions": [{"id": ids.segment(), "type": kind, "message": message, "remote": remote, "stack": frames}]}


def flags(**given: bool) -> Document:
    """Return only the flags that are set: absent is how AWS writes false."""
    return {key: True for key, value in given.items() if value}


def sdk_call(ids: Ids, service: str, operation: str, start: float, seconds: float | None, *, region: str, status: int | None = 200, retries: int = 0, cause: Document | None = None, **aws: Any) -> Document:
    """Return a call of an AWS SDK, flagged as the Python SDK does: every failure is error and fault, 429 a throttle too.

    DynamoDB's throttle is HTTP 400 without the flag: its type stands in `cause` only. A timeout has no `status`.
    """
    block = {"operation": operation, "region": region, "request_id": ids.request().upper(), "retries": retries, **aws}
    failed = cause is not None or (status or 0) >= 400
    http = None if status is None else {"response": {"status": status}}
    return timed(service, ids, start, seconds, namespace="aws", http=http, aws=block, cause=cause, **flags(error=failed, fault=failed, throttle=status == 429))


def dynamodb_call(ids: Ids, operation: str, table: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return a call of DynamoDB on one table."""
    return sdk_call(ids, "DynamoDB", operation, start, seconds, region=region, table_name=table, resource_names=[table], **rest)


def sqs_call(ids: Ids, operation: str, queue: str, start: float, seconds: float | None, *, region: str, account: str, **rest: Any) -> Document:
    """Return a call of SQS on one queue."""
    return sdk_call(ids, "SQS", operation, start, seconds, region=region, queue_url=f"https://sqs.{region}.amazonaws.com/{account}/{queue}", **rest)


def sns_call(ids: Ids, topic_arn: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return a Publish to a topic."""
    return sdk_call(ids, "SNS", "Publish", start, seconds, region=region, topic_arn=topic_arn, **rest)


def s3_call(ids: Ids, operation: str, bucket: str, key: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return a call of S3 on one object."""
    return sdk_call(ids, "S3", operation, start, seconds, region=region, bucket_name=bucket, key=key, resource_names=[bucket], **rest)


def stepfunctions_call(ids: Ids, operation: str, machine_arn: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return a call of Step Functions on one state machine."""
    return sdk_call(ids, "StepFunctions", operation, start, seconds, region=region, state_machine_arn=machine_arn, **rest)


def lambda_call(ids: Ids, function: str, start: float, seconds: float | None, *, region: str, **rest: Any) -> Document:
    """Return an Invoke of a function; the function's service segment hangs below it."""
    return sdk_call(ids, "Lambda", "Invoke", start, seconds, region=region, function_name=function, invocation_type="RequestResponse", resource_names=[function], **rest)


def http_call(ids: Ids, method: str, url: str, start: float, seconds: float | None, *, status: int | None = 200, cause: Document | None = None) -> Document:
    """Return a call of a host outside AWS; 4xx is an error, 5xx or no answer a fault."""
    host = url.split("/")[2]
    http: Document = {"request": {"method": method, "url": url}}
    if status is not None:
        http["response"] = {"status": status}
    code = status or 0
    marks = flags(error=400 <= code < 500, throttle=code == 429, fault=code >= 500 or (cause is not None and code < 400))
    return timed(host, ids, start, seconds, namespace="remote", http=http, cause=cause, **marks)


def inferred_segment(place: Place, call: Document, origin: str, name: str = "") -> Document:
    """Return the segment that X-Ray makes up for the far end of a call, such as a DynamoDB table."""
    copied = {key: call[key] for key in ("http", "aws", "cause", "error", "fault", "throttle", "in_progress", "end_time") if key in call and key != "cause"}
    return {
        "id": place.ids.segment(),
        "name": name or call["name"],
        "start_time": call["start_time"],
        "parent_id": call["id"],
        "inferred": True,
        "trace_id": place.trace_id,
        "origin": origin,
        **copied,
    }


class Stage(NamedTuple):
    """A deployed REST API's stage, as its segment names it."""

    api_id: str
    api_name: str
    stage: str


def stage_segment(place: Place, stage: Stage, method: str, path: str, start: float, seconds: float, *, status: int, integration: Document) -> Document:
    """Return API Gateway's segment of a request, with the call of its integration in it."""
    url = f"https://{stage.api_id}.execute-api.{place.region}.amazonaws.com/{stage.stage}{path}"
    request = {"url": url, "method": method, "client_ip": "192.0.2.10", "user_agent": "okhttp/4.12.0", "x_forwarded_for": True}
    gateway = {"account_id": place.account, "rest_api_id": stage.api_id, "stage": stage.stage, "request_id": place.ids.request()}
    return timed(
        f"{stage.api_name}/{stage.stage}",
        place.ids,
        start,
        seconds,
        trace_id=place.trace_id,
        origin="AWS::ApiGateway::Stage",
        resource_arn=f"arn:aws:apigateway:{place.region}::/restapis/{stage.api_id}/stages/{stage.stage}",
        http={"request": request, "response": {"status": status, "content_length": 0 if status >= 500 else 187}},
        aws={"api_gateway": gateway},
        subsegments=[integration],
        **flags(error=400 <= status < 500, throttle=status == 429, fault=status >= 500),
    )


def lambda_integration(place: Place, function: str, start: float, seconds: float, *, status: int = 200) -> Document:
    """Return a stage's call of a Lambda function; an error in the function's own code still answers 200 here."""
    arn = f"arn:aws:lambda:{place.region}:{place.account}:function:{function}"
    url = f"https://lambda.{place.region}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
    block = {"function_name": function, "region": place.region, "operation": "Invoke", "resource_names": [function]}
    http = {"request": {"url": url, "method": "POST"}, "response": {"status": status}}
    return timed("Lambda", place.ids, start, seconds, namespace="aws", http=http, aws=block, **flags(error=400 <= status < 500, throttle=status == 429, fault=status >= 500))


def lambda_segments(
    place: Place,
    function: str,
    parent: str | None,
    start: float,
    seconds: float,
    *,
    calls: Sequence[Document] = (),
    cause: Document | None = None,
    init_seconds: float | None = None,
    status: int = 200,
    request_id: str = "",
) -> tuple[Document, Document]:
    """Return a function's two segments: the service's, and the function's own with its phases.

    `cause` is the exception that the handler let out; `calls` happened in the handler; `init_seconds` make it a cold
    start. Of a call that is still in progress the function's timeout is the reason.
    """
    ids, arn = place.ids, f"arn:aws:lambda:{place.region}:{place.account}:function:{function}"
    failed = cause is not None or status >= 500
    began = start + 0.012 + (init_seconds or 0.0)
    marks = flags(fault=failed, throttle=status == 429, error=status == 429)
    service = timed(
        function, ids, start, seconds, trace_id=place.trace_id, parent_id=parent, origin="AWS::Lambda", resource_arn=arn, http={"response": {"status": status}}, aws={"request_id": request_id or ids.request()}, **marks
    )
    invocation = timed("Invocation", ids, began, start + seconds - 0.004 - began, aws={"function_arn": arn}, cause=cause, subsegments=list(calls) or None, **flags(fault=failed))
    phases = [invocation, timed("Overhead", ids, start + seconds - 0.004, 0.003, aws={"function_arn": arn})]
    if init_seconds is not None:
        phases.insert(0, timed("Initialization", ids, start + 0.010, init_seconds, aws={"function_arn": arn}))
    inherited = cause["exceptions"][-1]["id"] if cause else None
    own = timed(
        function,
        ids,
        start + 0.011,
        seconds - 0.012,
        trace_id=place.trace_id,
        parent_id=service["id"],
        origin="AWS::Lambda::Function",
        aws={"account_id": place.account, "function_arn": arn, "resource_names": [function]},
        cause=inherited,
        subsegments=phases,
        **flags(fault=failed),
    )
    return service, own


def state_machine_segment(place: Place, machine: str, execution: str, start: float, seconds: float, *, states: Sequence[Document], failed: bool = False, parent: str | None = None) -> Document:
    """Return Step Functions' segment of an execution; `states` are its steps with their calls below."""
    arn = f"arn:aws:states:{place.region}:{place.account}"
    return timed(
        machine,
        place.ids,
        start,
        seconds,
        trace_id=place.trace_id,
        parent_id=parent,
        origin="AWS::StepFunctions::StateMachine",
        resource_arn=f"{arn}:stateMachine:{machine}",
        aws={"resource_arn": f"{arn}:execution:{machine}:{execution}"},
        subsegments=list(states),
        **flags(fault=failed),
    )


def subsegment(ids: Ids, name: str, start: float, seconds: float | None, *, calls: Sequence[Document] = (), cause: Document | None = None, **rest: Any) -> Document:
    """Return a subsegment of a program's own, such as `## handler` or a state; it fails with what it contains."""
    failed = cause is not None or any(node.get("fault") for node in nodes_of(list(calls)))
    return timed(name, ids, start, seconds, subsegments=list(calls) or None, cause=cause, **flags(fault=failed), **rest)
