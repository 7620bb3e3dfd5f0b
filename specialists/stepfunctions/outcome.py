"""How an execution ended, or where it stands: what histories, logs and descriptions are read into. Pure."""

from typing import Literal, Optional

from pydantic import AwareDatetime

from domain.values import Value

FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
Pattern = Literal["", "sync", "waitForTaskToken"]


class Task(Value):
    """The work that a state asked for, as its Scheduled event tells.

    `service` is Step Functions' own word without `aws-sdk:` ("lambda", "dynamodb", "states"), or "activity";
    `called` is the id of the resource it went to, where the event names one; `seconds` is the time from scheduling
    to the end.
    """

    service: str = ""
    operation: str = ""
    pattern: Pattern = ""
    called: str | None = None
    name: str = ""
    timeout_seconds: int | None = None
    heartbeat_seconds: int | None = None
    seconds: float | None = None
    scheduled_at: AwareDatetime | None = None


class FunctionError(Value):
    """The error that a Lambda function itself returned: its runtime's type and message."""

    type: str = ""
    message: str = ""


class Outcome(Value):
    """One execution's end, or its present state.

    `error` is AWS's error name, or the type of the last event where that has none; `state` is the state that failed,
    or that it waits in; `event` the type of the event that failed ("TaskTimedOut"), empty for a Fail state.
    `attempts` counts how often the task was scheduled. `behind` is the failure that led to this one: what was caught
    before a Fail state, or what failed inside a branch. `fed_by` is the id of the function that gave the last result
    before the state that failed.
    """

    status: str
    error: str = ""
    cause: str = ""
    event: str = ""
    state: str | None = None
    state_type: str | None = None
    task: Task | None = None
    attempts: int = 0
    at: AwareDatetime | None = None
    function_error: FunctionError | None = None
    child: str | None = None
    map_run: str | None = None
    role_arn: str = ""
    behind: Optional["Outcome"] = None
    fed_by: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than well."""
        return self.status in FAILED

    @property
    def called(self) -> str | None:
        """The id of the resource that the failed task called."""
        return self.task.called if self.task else None
