"""A scenario: a story told as code. It seeds a world, names the input, and says what a correct investigation finds.

@scenario(Kind.SINGLE, "dynamodb")
def table_capacity_was_cut(world: World) -> Expect:
    \"\"\"deploy-bot cut `orders` to a hundredth of its capacity; every second write is throttled.\"\"\"
    ...
    return Expect(trace_id, cause="ddb-provisioned-exceeded", resource=table_arn, innocent=(neighbour,))
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import evals.scenarios
from sandbox.aws.world import World


class Kind(StrEnum):
    """What a scenario tests; a scenario has one kind."""

    SINGLE = "one fault"
    HEALTHY = "healthy"
    INSUFFICIENT = "insufficient"
    DENIED = "probe denied"
    TWO_FAULTS = "two faults"
    CASCADE = "cascade"
    THROTTLED = "AWS throttled"
    FOREIGN = "cross-account or cross-region"


@dataclass(frozen=True)
class Expect:
    """The input and the right answer.

    `cause` at `resource` is the root cause (None: the investigation must name none); `also` are further (cause,
    resource) pairs that must be told beside it, as in two faults; `accept` are pairs that are as right as the root;
    `innocent` are ARNs that must not be accused; `gaps` are IAM actions that the report must ask for.
    `status` is the report's; by default completed with a cause, and for none completed (healthy) or inconclusive.
    """

    text: str
    cause: str | None = None
    resource: str | None = None
    status: str = "completed"
    also: tuple[tuple[str, str], ...] = ()
    accept: tuple[tuple[str, str], ...] = ()
    innocent: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    accounts: dict[str, str] | None = None  # other accounts and the role to read each with
    region: str | None = None


Seed = Callable[[World], Expect]


@dataclass(frozen=True)
class Scenario:
    """A named story; `service` is the service whose fault it is."""

    name: str
    kind: Kind
    service: str
    story: str
    seed: Seed


_FOUND: dict[str, Scenario] = {}


def scenario(kind: Kind, service: str) -> Callable[[Seed], Seed]:
    """Register a function as a scenario under its own name."""

    def register(seed: Seed) -> Seed:
        name = seed.__name__.replace("_", "-")
        if name in _FOUND and _FOUND[name].seed.__module__ != seed.__module__:
            raise ValueError(f"two scenarios are called {name}")
        _FOUND[name] = Scenario(name, kind, service, inspect.getdoc(seed) or "", seed)
        return seed

    return register


def all_scenarios() -> Sequence[Scenario]:
    """Import every module of evals.scenarios and return what they registered, by name."""
    for module in pkgutil.walk_packages(evals.scenarios.__path__, "evals.scenarios."):
        importlib.import_module(module.name)
    return sorted(_FOUND.values(), key=lambda s: s.name)
