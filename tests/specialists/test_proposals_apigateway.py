"""What is offered for an API, and what is not where a parameter is unknown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.action import Effect
from specialists.apigateway import proposals as of
from specialists.apigateway.evidence import ApiConfig, Deployment, Protocol, Route, Routes, StageConfig, Throttle
from specialists.apigateway.guards import InvokePermission
from specialists.apigateway.policy import Condition, Policy, Statement
from specialists.kit.change import Change
from specialists.kit.changes import flatten
from specialists.kit.series import MetricSeries
from tests.specialists.proposals_building import Scene, change, label, offers, series

API = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5"
HTTP_API = "arn:aws:apigateway:eu-west-1::/apis/f6g7h8i9j0"
ENDPOINT = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
THROTTLED, CLOSED, REGRESSED = "apigw-throttled", "apigw-invalid-lambda-permission", "deploy-regression"
RATE, BURST, DEPLOYED = "/*/*/throttling/rateLimit", "/*/*/throttling/burstLimit", "/deploymentId"


def updated(at: float, stage: str = "prod", **values: str) -> Change:
    patches = [
        {"op": "replace", "path": {"rate": RATE, "burst": BURST, "deployment": DEPLOYED}[key], "value": value}
        for key, value in values.items()
    ]
    asked = {"restApiId": "a1b2c3d4e5", "stageName": stage, "updateStageInput": {"patchOperations": patches}}
    return change(API, "UpdateStage", at, flatten(asked))


def planned(at: float, rate: str, plan: str = "pl4n") -> Change:
    patches = [{"op": "replace", "path": "/throttle/rateLimit", "value": rate}]
    return change(
        API, "UpdateUsagePlan", at, flatten({"usagePlanId": plan, "updateUsagePlanInput": {"patchOperations": patches}})
    )


def config(protocol: Protocol = Protocol.REST, api: str = API) -> ApiConfig:
    return ApiConfig(resource=api, source="apigateway:GetRestApi", protocol=protocol, name="orders")


def stage(api: str = API, rate: float | None = 10, burst: int | None = 20, deployment: str = "new456") -> StageConfig:
    limits = (Throttle(method="*/*", rate=rate, burst=burst),)
    return StageConfig(
        resource=api, source="apigateway:GetStages", stage="prod", deployment_id=deployment, throttles=limits
    )


def count(peak: float, api: str = API) -> MetricSeries:
    return series(api, "Count", {"ApiName": "orders", "Stage": "prod"}, 60, peak, namespace="AWS/ApiGateway")


def deployment() -> Deployment:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return Deployment(
        resource=API, source="apigateway:GetDeployment", stage="prod", deployment_id="old123", created_at=at
    )


def permission(api: str, *statements: Statement, **fields: Any) -> InvokePermission:
    given = {
        "resource": api,
        "source": "lambda:GetPolicy",
        "function": FUNCTION,
        "policy": Policy(statements=statements),
    }
    return InvokePermission.model_validate({**given, **fields})


def routes(api: str, path: str = "/orders/{id}", method: str = "POST", qualifier: str | None = None) -> Routes:
    route = Route(method=method, path=path, function=FUNCTION, qualifier=qualifier)
    return Routes(resource=api, source="apigateway:GetResources", routes=(route,))


def patches(**values: str) -> list[dict[str, str]]:
    paths = {"burst": BURST, "rate": RATE, "deployment": DEPLOYED, "plan": "/throttle/rateLimit"}
    return [{"op": "replace", "path": paths[key], "value": value} for key, value in values.items()]


def limited(effect: Effect, **values: str) -> tuple[tuple[str, Effect, dict[str, Any]], ...]:
    asked = {"restApiId": "a1b2c3d4e5", "stageName": "prod", "patchOperations": patches(**values)}
    return (("apigateway.set_stage_throttle", effect, asked),)


def let_in(sid: str, path: str, **more: str) -> tuple[tuple[str, Effect, dict[str, Any]], ...]:
    statement = {"StatementId": sid, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    asked = {"FunctionName": FUNCTION, **more, **statement, "SourceArn": f"{ENDPOINT}/*/{path}"}
    return (("lambda.let_in", Effect.MENDS, asked),)


OTHER_ROUTE = Statement(
    effect="Allow",
    conditions=(Condition(operator="ArnLike", key="aws:SourceArn", values=(f"{ENDPOINT}/*/GET/orders",)),),
)
DENY = Statement(effect="Deny", principals=("*",))
LOWERED = (updated(-90, rate="100", burst="200"), updated(5, rate="10"))
MOVED = (updated(-90, deployment="old123"), updated(5, deployment="new456"))
PLAN = (
    ("apigateway.set_plan_throttle", Effect.UNDOES, {"usagePlanId": "pl4n", "patchOperations": patches(plan="50")}),
)
HTTP_LIMIT = {
    "ApiId": "f6g7h8i9j0",
    "StageName": "prod",
    "DefaultRouteSettings": {"ThrottlingRateLimit": 24.0, "ThrottlingBurstLimit": 24},
}
POINTED = {"restApiId": "a1b2c3d4e5", "stageName": "prod", "patchOperations": patches(deployment="old123")}
DEPLOY = (("apigateway.deploy", Effect.MENDS, {"restApiId": "a1b2c3d4e5", "stageName": "prod"}),)

SCENES = (
    Scene("limit it had", of.restore_limits, THROTTLED, API, LOWERED, limited(Effect.UNDOES, rate="100")),
    Scene("limit before unknown", of.restore_limits, THROTTLED, API, LOWERED[1:]),
    Scene("limit raised", of.restore_limits, THROTTLED, API, (updated(-90, rate="5"), updated(5, rate="10"))),
    Scene("another stage's", of.restore_limits, THROTTLED, API, (updated(-90, "test", rate="100"), LOWERED[1])),
    Scene("limit change not cited", of.restore_limits, THROTTLED, API, LOWERED, cites=()),
    Scene("plan's limit it had", of.restore_limits, THROTTLED, API, (planned(-90, "50"), planned(5, "1")), PLAN),
    Scene("another plan's", of.restore_limits, THROTTLED, API, (planned(-90, "50", "other"), planned(5, "1"))),
    Scene(
        "more than the limit came",
        of.raise_limit,
        THROTTLED,
        API,
        (config(), stage(), count(1200)),
        limited(Effect.RELIEVES, burst="24", rate="24"),
    ),
    Scene(
        "more than an HTTP API's limit came",
        of.raise_limit,
        THROTTLED,
        HTTP_API,
        (config(Protocol.HTTP, HTTP_API), stage(HTTP_API), count(1200, HTTP_API)),
        (("apigatewayv2.set_stage_throttle", Effect.RELIEVES, HTTP_LIMIT),),
    ),
    Scene("requests not counted", of.raise_limit, THROTTLED, API, (config(), stage())),
    Scene("fewer than the limit came", of.raise_limit, THROTTLED, API, (config(), stage(), count(590))),
    Scene("no limit of its own", of.raise_limit, THROTTLED, API, (config(), stage(rate=None), count(1200))),
    Scene(
        "deployment it had",
        of.restore_deployment,
        REGRESSED,
        API,
        (stage(), *MOVED),
        (("apigateway.point_stage", Effect.UNDOES, POINTED),),
    ),
    Scene("deployment before unknown", of.restore_deployment, REGRESSED, API, (stage(), MOVED[1])),
    Scene("moved on since", of.restore_deployment, REGRESSED, API, (stage(deployment="newer7"), *MOVED)),
    Scene("stage not seen", of.restore_deployment, REGRESSED, API, MOVED),
    Scene("not deployed", of.deploy, "apigw-not-deployed", API, (config(), deployment()), DEPLOY),
    Scene("protocol unknown", of.deploy, "apigw-not-deployed", API, (deployment(),)),
    Scene("deployment not cited", of.deploy, "apigw-not-deployed", API, (config(), deployment()), cites=(0,)),
    Scene(
        "function closed",
        of.open_function,
        CLOSED,
        ENDPOINT,
        (permission(ENDPOINT), routes(ENDPOINT)),
        let_in("rca-c1a65a191b", "POST/orders/*"),
    ),
    Scene(
        "function closed, account told by another statement",
        of.open_function,
        CLOSED,
        API,
        (permission(API, OTHER_ROUTE, qualifier="live"), routes(API, "/", "ANY", "live")),
        let_in("rca-140bfaaff7", "*/", Qualifier="live"),
    ),
    Scene("account not known", of.open_function, CLOSED, API, (permission(API), routes(API))),
    Scene("route not known", of.open_function, CLOSED, ENDPOINT, (permission(ENDPOINT),)),
    Scene("denied by name", of.open_function, CLOSED, ENDPOINT, (permission(ENDPOINT, DENY), routes(ENDPOINT))),
    Scene(
        "function gone",
        of.open_function,
        CLOSED,
        ENDPOINT,
        (permission(ENDPOINT, function_exists=False), routes(ENDPOINT)),
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=label)
def test_an_action_is_offered_only_with_what_was_observed(scene: Scene) -> None:
    assert offers(scene) == scene.expected
