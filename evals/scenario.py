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
from domain.history import PastInvestigation
from domain.report import SeverityLevel
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
    CHANGE = "a change decides, or there is none"
    SIGNAL = "the signals decide"
    HISTORY = "it has a history"
    ALARM = "an alarm"


@dataclass(frozen=True)
class Expect:
    """The input and the right answer.

    `cause` at `resource` is the root cause (None: the investigation must name none); `also` are further (cause,
    resource) pairs that must be told beside it, as in two faults; `accept` are pairs that are as right as the root;
    `innocent` are ARNs that must not be accused; `gaps` are IAM actions that the report must ask for.
    `status` is the report's; by default completed with a cause, and for none completed (healthy) or inconclusive.

    The rest is asked for where it is set: `trigger` is the resource of the change that set the root cause off ("" for
    none), `severity` the level, `says` are parts of the summary and `omits` must not be in it, `shown` are (cause,
    resource) pairs that must be among the hypotheses in any role but a ruled-out one, `facts` are parts of what any
    specialist states, `runbook` is the title or file of a cited one, `confidence_at_most` bounds what is stated of the
    root cause. `past` are earlier investigations to remember, with their grades.
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
    trigger: str | None = None
    severity: SeverityLevel | None = None
    says: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()
    shown: tuple[tuple[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    runbook: str | None = None
    confidence_at_most: float = 1.0
    past: tuple[PastInvestigation, ...] = ()


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
