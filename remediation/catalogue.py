"""Every kind of action that may ever be proposed, with the parameters it takes: an allow-list that fails closed."""

from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from domain.action import ProposedAction
from domain.values import Value


class Refused(Exception):
    """An action that is not in the catalogue, or whose parameters do not fit it; nothing may be done with it."""


class Throughput(Value):
    """Provisioned capacity units a second."""

    ReadCapacityUnits: int = Field(ge=1)
    WriteCapacityUnits: int = Field(ge=1)


class SetCapacity(Value):
    """dynamodb:UpdateTable, capacity only."""

    TableName: str
    ProvisionedThroughput: Throughput


class SwitchToOnDemand(Value):
    """dynamodb:UpdateTable, billing mode only."""

    TableName: str
    BillingMode: str = Field(pattern="^PAY_PER_REQUEST$")


class RemoveReservation(Value):
    """lambda:DeleteFunctionConcurrency."""

    FunctionName: str


class SetReservation(Value):
    """lambda:PutFunctionConcurrency."""

    FunctionName: str
    ReservedConcurrentExecutions: int = Field(ge=1)


class SetTimeout(Value):
    """lambda:UpdateFunctionConfiguration, the time-out in seconds only."""

    FunctionName: str
    Timeout: int = Field(ge=1, le=900)


class SetMemory(Value):
    """lambda:UpdateFunctionConfiguration, the memory in MB only."""

    FunctionName: str
    MemorySize: int = Field(ge=128, le=10240)


class EnableMapping(Value):
    """lambda:UpdateEventSourceMapping, enabling only."""

    UUID: str
    Enabled: bool


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


KINDS: tuple[Kind, ...] = (
    Kind("dynamodb.set_capacity", "dynamodb", "UpdateTable", SetCapacity),
    Kind("dynamodb.switch_to_on_demand", "dynamodb", "UpdateTable", SwitchToOnDemand),
    Kind("lambda.remove_reservation", "lambda", "DeleteFunctionConcurrency", RemoveReservation),
    Kind("lambda.set_reservation", "lambda", "PutFunctionConcurrency", SetReservation),
    Kind("lambda.set_timeout", "lambda", "UpdateFunctionConfiguration", SetTimeout),
    Kind("lambda.set_memory", "lambda", "UpdateFunctionConfiguration", SetMemory),
    Kind("lambda.enable_mapping", "lambda", "UpdateEventSourceMapping", EnableMapping),
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
