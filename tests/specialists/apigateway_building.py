"""Short builders of evidence about one API, so that a test shows its situation in a line or two."""

import json
from datetime import timedelta

from domain.evidence import Evidence
from domain.graph import Edge, ServiceGraph
from domain.resource import Resource, ResourceType, resource_from_arn
from domain.trace import TraceCall, TracedError, TraceSegment
from specialists.apigateway.evidence import (
    ApiConfig,
    Authorizer,
    Deployment,
    Protocol,
    Route,
    Routes,
    StageConfig,
)
from specialists.apigateway.guards import InvokePermission
from specialists.apigateway.policy import parse_policy
from specialists.contract import Case
from specialists.kit.change import Change
from specialists.kit.loglines import LogEvent, LogLines
from specialists.kit.series import MetricSeries, Point
from tests.support.probing import NOW, WINDOW, case_of

REST_ARN = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/prod"
API = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5"
ID = "a1b2c3d4e5"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:create-order"
CHECKER = "arn:aws:lambda:eu-west-1:123456789012:function:check-token"
AT = NOW - timedelta(minutes=3)
EXECUTION_GROUP = f"API-Gateway-Execution-Logs_{ID}/prod"
ACCESS_GROUP = "/access/orders"


def about(*evidence: Evidence, called: str | None = FUNCTION, arn: str = REST_ARN) -> Case:
    """A case about the API, which calls `called` in the service graph."""
    api = resource_from_arn(arn)
    nodes: list[Resource] = [api]
    edges: list[Edge] = []
    if called:
        nodes.append(Resource(id=called, type=ResourceType.LAMBDA, name=called.rsplit(":", 1)[-1]))
        edges.append(Edge(source=api.id, target=called, calls=1))
    return case_of(api, *evidence, graph=ServiceGraph.of(nodes, edges), specialist="apigateway")


def segment(
    status: int,
    *,
    seconds: float = 0.2,
    method: str = "POST",
    path: str = "/prod/orders",
    host: str = f"{ID}.execute-api.eu-west-1.amazonaws.com",
    said: str = "",
) -> TraceSegment:
    """The API's own segment."""
    return TraceSegment(
        resource=API,
        source="xray:BatchGetTraces",
        trace_id="1-6740a1b2-0123456789abcdef01234567",
        segment_id="0123456789abcdef",
        origin_type="AWS::ApiGateway::Stage",
        name="orders/prod",
        start=AT,
        seconds=seconds,
        http_status=status,
        error=400 <= status < 500,
        fault=status >= 500,
        throttle=status == 429,
        errors=(TracedError(type="", message=said),) if said else (),
        attributes={"http.method": method, "http.url": f"https://{host}{path}"},
    )


def call(
    to: str = FUNCTION,
    *,
    failed: bool = False,
    caller: str = API,
    said: str = "",
    status: int | None = None,
    url: str = "",
) -> TraceCall:
    """A call in the trace; by default the API's to its function."""
    return TraceCall(
        resource=to,
        source="xray:BatchGetTraces",
        trace_id="1-6740a1b2-0123456789abcdef01234567",
        segment_id=f"call-{to[-8:]}-{said[:8]}",
        caller=caller,
        service="Lambda",
        start=AT,
        seconds=0.1,
        http_status=status,
        fault=failed,
        errors=(TracedError(type=said.partition(":")[0], message=said.partition(":")[2] or said),) if said else (),
        attributes={"http.url": url, "http.method": "POST"} if url else {},
    )


def answered(status: int, said: str) -> TraceCall:
    """What a caller saw: the API's status and words."""
    return call(API, failed=True, caller="service:shop", said=said, status=status)


def execution(*lines: str, request: str = "3f1c2c9e-5d5e-4c1b-9f10-2a9b8c7d6e5f") -> LogLines:
    """Lines of the execution log, all of one request."""
    events = tuple(LogEvent(at=AT, message=f"({request}) {line}") for line in lines)
    return LogLines(
        resource=API, source="logs:FilterLogEvents", log_group=EXECUTION_GROUP, filter="failures", events=events
    )


def access(line: str | dict[str, object]) -> LogLines:
    """One line of the access log."""
    text = line if isinstance(line, str) else json.dumps(line)
    events = (LogEvent(at=AT, message=text),)
    return LogLines(
        resource=API, source="logs:FilterLogEvents", log_group=ACCESS_GROUP, filter="failures", events=events
    )


def stage(*, fields: dict[str, str] | None = None, **more: object) -> StageConfig:
    return StageConfig(
        resource=API,
        source="apigateway:GetStages",
        stage="prod",
        access_log_group=ACCESS_GROUP,
        access_log_fields=fields or {},
        **more,  # type: ignore[arg-type]
    )


def routes(*found: Route) -> Routes:
    return Routes(resource=API, source="apigateway:GetResources", routes=found)


def route(method: str = "POST", path: str = "/orders", **more: object) -> Route:
    given = {"integration": "AWS_PROXY", "function": FUNCTION, **more}
    return Route(method=method, path=path, **given)  # type: ignore[arg-type]


def config(protocol: Protocol = Protocol.REST, **more: object) -> ApiConfig:
    return ApiConfig(resource=API, source="apigateway:GetRestApi", protocol=protocol, name="orders", **more)  # type: ignore[arg-type]


def authorizer(**more: object) -> Authorizer:
    given = {"authorizer_id": "auth01", "name": "tokens", "type": "TOKEN", "function": CHECKER, **more}
    return Authorizer(resource=API, source="apigateway:GetAuthorizer", **given)  # type: ignore[arg-type]


def deployment(*methods: str, age: timedelta = timedelta(days=2)) -> Deployment:
    return Deployment(
        resource=API,
        source="apigateway:GetDeployment",
        stage="prod",
        deployment_id="dep001",
        created_at=NOW - age,
        methods=methods or None,
    )


def permission(
    source: str | None, *, function: str = FUNCTION, of_authorizer: str | None = None, exists: bool = True
) -> InvokePermission:
    """A function's policy that lets API Gateway in for the source ARN; None: it has no policy."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    }
    policy = parse_policy(json.dumps({"Statement": [statement]})) if source else None
    return InvokePermission(
        resource=API,
        source="lambda:GetPolicy",
        function=function,
        authorizer_id=of_authorizer,
        function_exists=exists,
        policy=policy,
    )


def metric(
    name: str, *values: float, usual: float = 0.0, namespace: str = "AWS/ApiGateway", **dimensions: str
) -> MetricSeries:
    points = tuple(Point(at=WINDOW.start + timedelta(minutes=i), value=v) for i, v in enumerate(values))
    return MetricSeries(
        resource=API,
        source="cloudwatch:GetMetricData",
        namespace=namespace,
        metric=name,
        dimensions=dimensions or {"ApiName": "orders", "Stage": "prod"},
        statistic="Sum",
        period_seconds=60,
        points=points,
        baseline=(Point(at=WINDOW.start - timedelta(hours=1), value=usual),),
    )


def change(name: str, *, before: timedelta = timedelta(minutes=30), **parameters: str) -> Change:
    return Change(
        resource=API,
        source="cloudtrail:LookupEvents",
        observed_at=NOW - before,
        event_id=f"event-{name}",
        event_name=name,
        event_source="apigateway.amazonaws.com",
        who="mia",
        parameters=parameters,
    )
