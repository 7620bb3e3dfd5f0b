"""A world: one account and Region of the local AWS at one moment, to put resources and signals into.

`sandbox.aws.resources` makes things in it, `sandbox.aws.signals` what they reported.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.aws.documents import Ids, Place
from sandbox.aws.local import LocalAws
from sandbox.aws.seeds import RegionSeeds


@dataclass(frozen=True)
class World:
    """Where a scenario happens, and its `now`: all times of a scenario are told from there."""

    aws: LocalAws
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    seed: str = "world"
    region: str = ""
    account: str = ""
    ids: Ids = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "region", self.region or self.aws.region)
        object.__setattr__(self, "account", self.account or self.aws.account)
        object.__setattr__(self, "ids", Ids(self.seed))

    def client(self, service: str) -> Any:
        """Return a client that seeds."""
        return self.aws.client(service, region=self.region, account=self.account)

    @property
    def seeds(self) -> RegionSeeds:
        """What is seeded beside moto."""
        return self.aws.seeds(region=self.region, account=self.account)

    def ago(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Return a moment before now."""
        return self.now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this account and Region; IAM has no Region."""
        return f"arn:aws:{service}:{'' if service == 'iam' else self.region}:{self.account}:{resource}"

    def place(self, at: datetime) -> Place:
        """Return a new trace that begins at a moment."""
        return Place(self.ids, self.ids.trace(at.timestamp()), self.region, self.account)
