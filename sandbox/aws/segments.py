"""Segments: what each AWS service of a trace sends about its own part in it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sandbox.aws.documents import Document, Ids, Place, flags, timed


def inferred_segment(place: Place, call: Document, origin: str, name: str = "") -> Document:
    """Return the segment that X-Ray makes up for the far end of a call, such as a DynamoDB table."""
    shared = ("http", "aws", "error", "fault", "throttle", "in_progress", "end_time")
    return {
        "id": place.ids.segment(),
        "name": name or call["name"],
        "start_time": call["start_time"],
        "parent_id": call["id"],
        "inferred": True,
        "trace_id": place.trace_id,
        "origin": origin,
        **{key: value for key, value in call.items() if key in shared},
    }


class Stage(NamedTuple):
    """A deployed REST API's stage, as its segment names it."""

    api_id: str
    api_name: str
    stage: str


def stage_segment(
    place: Place,
    stage: Stage,
    method: str,
    path: str,
    start: float,
    seconds: float,
    *,
    status: int,
    integration: Document,
) -> Document:
    """Return API Gateway's segment of a request, with the call of its integration in it."""
    url = f"https://{stage.api_id}.execute-api.{place.region}.amazonaws.com/{stage.stage}{path}"
    request = {
        "url": url,
        "method": method,
        "client_ip": "192.0.2.10",
        "user_agent": "okhttp/4.12.0",
        "x_forwarded_for": True,
    }
    gateway = {
        "account_id": place.account,
        "rest_api_id": stage.api_id,
        "stage": stage.stage,
        "request_id": place.ids.request(),
    }
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
    return timed(
        "Lambda",
        place.ids,
        start,
        seconds,
        namespace="aws",
        http=http,
        aws=block,
        **flags(error=400 <= status < 500, throttle=status == 429, fault=status >= 500),
    )


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
) -> tuple[Document, ...]:
    """Return a function's two segments: the service's, and the function's own with its phases.

    `cause` is the exception that the handler let out; `calls` happened in the handler; `init_seconds` make it a cold
    start. An invocation that was throttled (429) never reached the function: it has the service's segment only.
    """
    ids, arn = place.ids, f"arn:aws:lambda:{place.region}:{place.account}:function:{function}"
    failed = flags(fault=cause is not None or status >= 500)
    service = timed(
        function,
        ids,
        start,
        seconds,
        trace_id=place.trace_id,
        parent_id=parent,
        origin="AWS::Lambda",
        resource_arn=arn,
        http={"response": {"status": status}},
        aws={"request_id": ids.request()},
        **failed,
        **flags(throttle=status == 429, error=status == 429),
    )
    if status == 429:
        return (service,)
    own = timed(
        function,
        ids,
        start + 0.011,
        seconds - 0.012,
        trace_id=place.trace_id,
        parent_id=service["id"],
        origin="AWS::Lambda::Function",
        aws={"account_id": place.account, "function_arn": arn, "resource_names": [function]},
        cause=cause["exceptions"][-1]["id"] if cause else None,
        subsegments=_phases(
            ids, arn, start, seconds, init_seconds, cause=cause, subsegments=list(calls) or None, **failed
        ),
        **failed,
    )
    return service, own


def _phases(ids: Ids, arn: str, start: float, seconds: float, init: float | None, **invocation: Any) -> list[Document]:
    """Return what Lambda did within an invocation, one after the other."""
    block, ended = {"function_arn": arn}, start + seconds - 0.004
    began = start + 0.012 + (init or 0.0)
    cold = [] if init is None else [timed("Initialization", ids, start + 0.010, init, aws=block)]
    invoked = timed("Invocation", ids, began, ended - began, aws=block, **invocation)
    return [*cold, invoked, timed("Overhead", ids, ended, 0.003, aws=block)]


def state_machine_segment(
    place: Place,
    machine: str,
    execution: str,
    start: float,
    seconds: float,
    *,
    states: Sequence[Document],
    failed: bool = False,
    parent: str | None = None,
) -> Document:
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
