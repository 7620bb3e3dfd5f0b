"""Every kind of action that may ever be proposed, with the parameters it takes: an allow-list that fails closed."""

from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from domain.action import ProposedAction
from domain.values import Value
from remediation.parameters import capacity, edges, messaging


class Refused(Exception):
    """An action that is not in the catalogue, or whose parameters do not fit it; nothing may be done with it."""


class Watch(Value):
    """cloudwatch:GetMetricData, one series: changes nothing."""

    MetricDataQueries: tuple[dict[str, Any], ...] = Field(min_length=1, max_length=1)
    StartTime: str
    EndTime: str


class Kind(NamedTuple):
    """One kind of action: the call it makes and the parameters it takes."""

    name: str
    service: str
    operation: str
    parameters: type[Value]


CONFIGURE = "UpdateFunctionConfiguration"
MAPPING = "UpdateEventSourceMapping"

KINDS: tuple[Kind, ...] = (
    Kind("dynamodb.set_capacity", "dynamodb", "UpdateTable", capacity.SetCapacity),
    Kind("dynamodb.set_index_capacity", "dynamodb", "UpdateTable", capacity.SetIndexCapacity),
    Kind("dynamodb.switch_to_on_demand", "dynamodb", "UpdateTable", capacity.SwitchToOnDemand),
    Kind(
        "application-autoscaling.set_bounds",
        "application-autoscaling",
        "RegisterScalableTarget",
        capacity.SetScalingBounds,
    ),
    Kind("lambda.remove_reservation", "lambda", "DeleteFunctionConcurrency", capacity.RemoveReservation),
    Kind("lambda.set_reservation", "lambda", "PutFunctionConcurrency", capacity.SetReservation),
    Kind("lambda.stop", "lambda", "PutFunctionConcurrency", capacity.StopFunction),
    Kind("lambda.set_provisioned", "lambda", "PutProvisionedConcurrencyConfig", capacity.SetProvisioned),
    Kind("lambda.set_timeout", "lambda", CONFIGURE, capacity.SetTimeout),
    Kind("lambda.set_memory", "lambda", CONFIGURE, capacity.SetMemory),
    Kind("lambda.set_handler", "lambda", CONFIGURE, capacity.SetHandler),
    Kind("lambda.set_runtime", "lambda", CONFIGURE, capacity.SetRuntime),
    Kind("lambda.set_storage", "lambda", CONFIGURE, capacity.SetStorage),
    Kind("lambda.point_alias", "lambda", "UpdateAlias", capacity.PointAlias),
    Kind("lambda.enable_mapping", "lambda", MAPPING, messaging.EnableMapping),
    Kind("lambda.cap_mapping", "lambda", MAPPING, messaging.CapMapping),
    Kind("lambda.limit_retries", "lambda", MAPPING, messaging.LimitRetries),
    Kind("lambda.set_parallelization", "lambda", MAPPING, messaging.SetParallelization),
    Kind("lambda.let_in", "lambda", "AddPermission", messaging.LetIn),
    Kind("sqs.set_visibility", "sqs", "SetQueueAttributes", messaging.SetVisibility),
    Kind("sqs.set_retention", "sqs", "SetQueueAttributes", messaging.SetRetention),
    Kind("sqs.set_max_receives", "sqs", "SetQueueAttributes", messaging.SetMaxReceives),
    Kind("sqs.redrive", "sqs", "StartMessageMoveTask", messaging.Redrive),
    Kind("sns.set_subscription", "sns", "SetSubscriptionAttributes", messaging.SetSubscription),
    Kind("events.enable_rule", "events", "EnableRule", messaging.EnableRule),
    Kind("events.restore_rule", "events", "PutRule", messaging.RestoreRule),
    Kind("pipes.start", "pipes", "StartPipe", messaging.StartPipe),
    Kind("stepfunctions.redrive", "stepfunctions", "RedriveExecution", messaging.RedriveExecution),
    Kind("apigateway.set_stage_throttle", "apigateway", "UpdateStage", edges.SetStageThrottle),
    Kind("apigateway.point_stage", "apigateway", "UpdateStage", edges.PointStage),
    Kind("apigateway.deploy", "apigateway", "CreateDeployment", edges.Deploy),
    Kind("apigateway.set_plan_throttle", "apigateway", "UpdateUsagePlan", edges.SetPlanThrottle),
    Kind("apigatewayv2.set_stage_throttle", "apigatewayv2", "UpdateStage", edges.SetHttpThrottle),
    Kind("kms.cancel_deletion", "kms", "CancelKeyDeletion", edges.ReviveKey),
    Kind("kms.enable_key", "kms", "EnableKey", edges.ReviveKey),
    Kind("ec2.authorize_egress", "ec2", "AuthorizeSecurityGroupEgress", edges.Authorize),
    Kind("ec2.authorize_ingress", "ec2", "AuthorizeSecurityGroupIngress", edges.Authorize),
    Kind("ec2.delete_acl_entry", "ec2", "DeleteNetworkAclEntry", edges.DeleteAclEntry),
    Kind("cloudwatch.watch", "cloudwatch", "GetMetricData", Watch),
)


def checked(action: ProposedAction) -> Kind:
    """Return the kind of an action whose parameters fit it; raises Refused with a sentence otherwise."""
    kind = next((kind for kind in KINDS if kind.name == action.kind), None)
    if kind is None:
        raise Refused(f"“{action.kind}” is not an action that this bot knows; nothing can be done with it.")
    try:
        kind.parameters.model_validate(action.parameters)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(f"The parameters of “{action.kind}” do not fit ({where}: {first['msg']}).") from error
    if not action.api_call.startswith(f"{kind.service}:{kind.operation} "):
        raise Refused(f"“{action.kind}” previews another call than it would make.")
    return kind
