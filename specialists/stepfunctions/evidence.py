"""What the Step Functions specialist can see: the machine, its executions, why they ended, its Map runs, its past."""

from pydantic import AwareDatetime

from domain.evidence import Evidence
from specialists.stepfunctions.definition import StateDefinition
from specialists.stepfunctions.outcome import FAILED, Outcome
from specialists.stepfunctions.refusal import refusal_in

EXPRESS = "EXPRESS"


class Machine(Evidence, kind="stepfunctions.machine"):
    """The state machine as DescribeStateMachine tells, or that there is none."""

    exists: bool
    machine_arn: str
    name: str
    type: str = "STANDARD"
    status: str = ""
    role_arn: str = ""
    start_at: str = ""
    timeout_seconds: int | None = None
    states: tuple[StateDefinition, ...] = ()
    definition_problem: str = ""
    log_level: str = "OFF"
    log_group: str = ""
    created_at: AwareDatetime | None = None

    @property
    def express(self) -> bool:
        """Whether AWS keeps no history of its executions."""
        return self.type == EXPRESS

    def state(self, name: str | None) -> StateDefinition | None:
        """Return the state of that name."""
        return next((state for state in self.states if state.name == name), None)

    def summary(self) -> str:
        """Say what it is."""
        if not self.exists:
            return f"There is no state machine {self.name}"
        if self.definition_problem:
            return (
                f"{self.name} is {self.status}, {self.type}; its definition cannot be read: {self.definition_problem}"
            )
        limit = f"time limit {self.timeout_seconds} s" if self.timeout_seconds else "no time limit of its own"
        return (
            f"{self.name} is {self.status}, {self.type}, {len(self.states)} states, {limit}, logging {self.log_level}"
        )


class Execution(Evidence, kind="stepfunctions.execution"):
    """One execution as DescribeExecution tells, or that there is none (AWS keeps Standard ones for 90 days).

    `parent` is the execution that started it, where the probe came from there; `redrivable` means that it can go on
    from the failed state.
    """

    exists: bool
    execution_arn: str
    machine_arn: str
    name: str
    status: str = ""
    error: str = ""
    cause: str = ""
    started_at: AwareDatetime | None = None
    stopped_at: AwareDatetime | None = None
    redrives: int = 0
    redrivable: bool = False
    parent: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than well."""
        return self.status in FAILED

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.stopped_at - self.started_at).total_seconds() if self.started_at and self.stopped_at else None

    def summary(self) -> str:
        """Say how it ended."""
        if not self.exists:
            return f"There is no execution {self.name}"
        took = f" after {self.seconds:.1f} s" if self.seconds is not None else ""
        why = f": {self.error} {_line(self.cause)}".rstrip() if self.error or self.cause else ""
        return f"Execution {self.name} is {self.status}{took}{why}"


class History(Evidence, kind="stepfunctions.history"):
    """Why one execution ended as it did, from its events; `complete` is false when older ones could have told more."""

    execution_arn: str
    machine_arn: str
    outcome: Outcome
    events: int
    complete: bool = True
    parent: str | None = None

    def summary(self) -> str:
        """Say where and with what it ended."""
        found = self.outcome
        where = f" in state {found.state}" if found.state else ""
        tries = f" after {found.attempts} attempts" if found.attempts > 1 else ""
        why = f": {found.error} {_line(found.cause)}".rstrip() if found.failed else ""
        return f"{found.status}{where}{tries}{why}{_behind(found)} ({self.events} events read)"


class ExecutionsSearched(Evidence, kind="stepfunctions.executions_searched"):
    """How many executions of the window ended badly or still run, as far as a page of each status tells."""

    failed: int = 0
    timed_out: int = 0
    aborted: int = 0
    running: int = 0
    truncated: bool = False

    def summary(self) -> str:
        """Count them."""
        more = "at least " if self.truncated else ""
        return (
            f"In the window {more}{self.failed} executions failed, {self.timed_out} timed out, {self.aborted} were "
            f"aborted, {self.running} run"
        )


class ExpressLog(Evidence, kind="stepfunctions.express_log"):
    """What the log of an Express workflow holds; `executions` is how many failed ones were found in it."""

    log_group: str
    exists: bool = True
    executions: int = 0

    def summary(self) -> str:
        """Say whether it helps."""
        if not self.exists:
            return f"The log group {self.log_group} does not exist"
        return f"{self.executions} failed executions in {self.log_group}"


class MapRun(Evidence, kind="stepfunctions.map_run"):
    """One Map Run of a Distributed Map, as DescribeMapRun tells."""

    map_run_arn: str
    execution_arn: str
    status: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    aborted: int = 0
    tolerated_percentage: float = 0.0
    tolerated_count: int = 0

    def summary(self) -> str:
        """Count its items."""
        bad = self.failed + self.timed_out
        return f"Map Run {self.status}: {bad} of {self.total} items failed, {self.aborted} were aborted"


class FunctionConcurrency(Evidence, kind="stepfunctions.function_concurrency"):
    """The reserved concurrency of a function whose invocation was throttled; None: it shares the account's."""

    function: str
    reserved: int | None = None

    def summary(self) -> str:
        """Say what is reserved."""
        name = self.function.rsplit(":", 1)[-1]
        return (
            f"{name} has no reserved concurrency" if self.reserved is None else f"{name} has {self.reserved} reserved"
        )


def _behind(outcome: Outcome) -> str:
    """Say what failed before it and led to it: that is what a verdict rests on."""
    first = outcome.behind
    if first is None:
        return ""
    where = f"in state {first.state}: " if first.state else ""
    said = f"{first.error} {_line(refusal_in(first.cause).replace('`', '') or first.cause)}"
    return f"; behind it, {where}{said}".rstrip()


def _line(text: str) -> str:
    """Return the first words of a cause."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else flat[:199] + "…"
