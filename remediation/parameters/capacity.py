"""What an action may set on a table or a function, and between which bounds. Names are AWS's own."""

from typing import Literal

from pydantic import Field

from domain.values import Value
from remediation.parameters.text import Text


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
    BillingMode: Literal["PAY_PER_REQUEST"]


class IndexCapacity(Value):
    """The capacity of one global secondary index."""

    IndexName: Text
    ProvisionedThroughput: Throughput


class IndexUpdate(Value):
    """An update of an index; none can be made or deleted by it."""

    Update: IndexCapacity


class SetIndexCapacity(Value):
    """dynamodb:UpdateTable, the capacity of one index only."""

    TableName: Text
    GlobalSecondaryIndexUpdates: tuple[IndexUpdate, ...] = Field(min_length=1, max_length=1)


class SetScalingBounds(Value):
    """application-autoscaling:RegisterScalableTarget, the bounds of a DynamoDB table or index."""

    ServiceNamespace: Literal["dynamodb"]
    ResourceId: str = Field(pattern=r"^table/[\w.-]+(?:/index/[\w.-]+)?$")
    ScalableDimension: str = Field(pattern=r"^dynamodb:(?:table|index):(?:Read|Write)CapacityUnits$")
    MinCapacity: int = Field(ge=1)
    MaxCapacity: int = Field(ge=1, le=40_000)


class RemoveReservation(Value):
    """lambda:DeleteFunctionConcurrency."""

    FunctionName: str


class SetReservation(Value):
    """lambda:PutFunctionConcurrency."""

    FunctionName: str
    ReservedConcurrentExecutions: int = Field(ge=1)


class StopFunction(Value):
    """lambda:PutFunctionConcurrency with 0: nothing invokes it any more."""

    FunctionName: Text
    ReservedConcurrentExecutions: int = Field(ge=0, le=0)


class SetProvisioned(Value):
    """lambda:PutProvisionedConcurrencyConfig."""

    FunctionName: Text
    Qualifier: Text
    ProvisionedConcurrentExecutions: int = Field(ge=1)


class SetTimeout(Value):
    """lambda:UpdateFunctionConfiguration, the time-out in seconds only."""

    FunctionName: str
    Timeout: int = Field(ge=1, le=900)


class SetMemory(Value):
    """lambda:UpdateFunctionConfiguration, the memory in MB only."""

    FunctionName: str
    MemorySize: int = Field(ge=128, le=10240)


class SetHandler(Value):
    """lambda:UpdateFunctionConfiguration, the handler only."""

    FunctionName: Text
    Handler: str = Field(pattern=r"^\S{1,128}$")


class SetRuntime(Value):
    """lambda:UpdateFunctionConfiguration, the runtime only."""

    FunctionName: Text
    Runtime: str = Field(pattern=r"^[a-z0-9.]{1,40}$")


class Storage(Value):
    """The size of a function's temporary storage, in MB."""

    Size: int = Field(ge=512, le=10240)


class SetStorage(Value):
    """lambda:UpdateFunctionConfiguration, the size of its temporary storage only."""

    FunctionName: Text
    EphemeralStorage: Storage


class NoRouting(Value):
    """No other version gets a share of an alias' calls."""

    AdditionalVersionWeights: dict[str, float] = Field(max_length=0)


class PointAlias(Value):
    """lambda:UpdateAlias: all of its calls to one published version."""

    FunctionName: Text
    Name: Text
    FunctionVersion: str = Field(pattern=r"^[1-9]\d*$")
    RoutingConfig: NoRouting
