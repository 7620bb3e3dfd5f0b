"""What the DynamoDB specialist can see of a table: its state, its key, its scaling, its stream's readers, its past."""

from typing import Literal

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value

PROVISIONED = "PROVISIONED"
ON_DEMAND = "PAY_PER_REQUEST"

Side = Literal["read", "write"]
SIDES: tuple[Side, ...] = ("read", "write")


class Throughput(Value):
    """Units a second on each side; None where there is no such limit."""

    read: int | None = None
    write: int | None = None

    def of(self, side: Side) -> int | None:
        """Return one side's units."""
        return self.read if side == "read" else self.write


class KeyAttribute(Value):
    """One attribute of a key schema: its name, `S`, `N` or `B`, and `HASH` or `RANGE`."""

    name: str
    type: str
    role: str

    def __str__(self) -> str:
        return f"{self.name} ({self.type})"


class Index(Value):
    """A global secondary index, as DescribeTable tells."""

    name: str
    status: str = "ACTIVE"
    backfilling: bool = False
    keys: tuple[KeyAttribute, ...] = ()
    provisioned: Throughput = Throughput()
    maximum: Throughput = Throughput()  # of an on-demand index, where one was set


class TableState(Evidence, kind="dynamodb.table"):
    """The table as DescribeTable tells, or that there is none.

    `provisioned` is empty for an on-demand table, `maximum` for one without a maximum of its own. A stream that was
    switched off keeps its `stream_arn` for a day, but is no longer `streaming`.
    """

    exists: bool
    name: str
    status: str = ""
    billing_mode: str = PROVISIONED
    provisioned: Throughput = Throughput()
    maximum: Throughput = Throughput()
    keys: tuple[KeyAttribute, ...] = ()
    indexes: tuple[Index, ...] = ()
    local_indexes: tuple[str, ...] = ()
    items: int = 0
    size_bytes: int = 0
    created_at: AwareDatetime | None = None
    decreased_at: AwareDatetime | None = None
    on_demand_since: AwareDatetime | None = None
    stream_arn: str | None = None
    streaming: bool = False
    key_arn: str | None = None
    key_inaccessible_since: AwareDatetime | None = None

    @property
    def on_demand(self) -> bool:
        """Whether it is billed per request."""
        return self.billing_mode == ON_DEMAND

    def index(self, name: str) -> Index | None:
        """Return the global secondary index of that name."""
        return next((index for index in self.indexes if index.name == name), None)

    def limit(self, side: Side, index: str | None = None) -> int | None:
        """Return the units a second that the table or an index of it may take; None without a known limit."""
        scope = self if index is None else self.index(index)
        return None if scope is None else (scope.maximum if self.on_demand else scope.provisioned).of(side)

    def capacity(self) -> str:
        """Say how its capacity is set."""
        if not self.on_demand:
            return f"provisioned at {self.provisioned.read} RCU and {self.provisioned.write} WCU"
        limits = [f"at most {self.maximum.of(side)} {side} units" for side in SIDES if self.maximum.of(side)]
        return "on-demand" + (f", {' and '.join(limits)} a second" if limits else "")

    def summary(self) -> str:
        """Say its state and capacity."""
        if not self.exists:
            return f"There is no table {self.name}"
        indexes = ", ".join(i.name if i.status == "ACTIVE" else f"{i.name} ({i.status})" for i in self.indexes)
        parts = [f"{self.name} is {self.status}", self.capacity(), f"{self.items} items"]
        return ", ".join(parts) + (f", indexes {indexes}" if indexes else "")


class NearbyTables(Evidence, kind="dynamodb.nearby_tables"):
    """Tables whose names are like the one that does not exist; `searched` is how many names were read."""

    names: tuple[str, ...]
    searched: int

    def summary(self) -> str:
        """Name them."""
        found = ", ".join(self.names) or "none has a similar name"
        return f"Of {self.searched} tables here: {found}"


class ScalingTarget(Value):
    """How far Application Auto Scaling may move one side of the table or an index (None: the table)."""

    index: str | None
    side: Side
    minimum: int
    maximum: int
    suspended: bool = False


class Scaling(Evidence, kind="dynamodb.scaling"):
    """The table's scalable targets; none means that its capacity stays where it was set."""

    targets: tuple[ScalingTarget, ...] = ()

    def target(self, side: Side, index: str | None = None) -> ScalingTarget | None:
        """Return the target of one side of the table or an index."""
        return next((t for t in self.targets if t.side == side and t.index == index), None)

    def summary(self) -> str:
        """Say between which bounds it scales."""
        if not self.targets:
            return "No autoscaling is registered"
        return "Autoscaling: " + ", ".join(
            f"{t.index or 'table'} {t.side} {t.minimum} to {t.maximum}{' (suspended)' if t.suspended else ''}"
            for t in self.targets
        )


class ScalingActivity(Evidence, kind="dynamodb.scaling_activity"):
    """One thing that autoscaling did, tried or declined to do; `observed_at` is when it began."""

    index: str | None
    side: Side
    status: str  # Successful, Failed, Unfulfilled, ...
    description: str = ""
    message: str = ""
    not_scaled: tuple[str, ...] = ()  # codes of reasons, such as AlreadyAtMaxCapacity

    def summary(self) -> str:
        """Say what came of it."""
        why = ", ".join(self.not_scaled) or self.message
        return f"Autoscaling of {self.index or 'the table'} {self.side}: {self.status}, {self.description}" + (
            f" ({why})" if why else ""
        )


class StreamReader(Value):
    """An event source mapping on a stream of the table. `state` is "Enabled", "Disabled", ..."""

    uuid: str
    function: str
    stream_arn: str
    state: str
    last_result: str = ""


class StreamReaders(Evidence, kind="dynamodb.stream_readers"):
    """The event source mappings on any stream, present or past, of the table."""

    readers: tuple[StreamReader, ...] = ()
    truncated: bool = False

    def summary(self) -> str:
        """Count them."""
        enabled = sum(reader.state == "Enabled" for reader in self.readers)
        more = " (not all mappings were read)" if self.truncated else ""
        return f"{len(self.readers)} event source mappings on its streams, {enabled} enabled{more}"
