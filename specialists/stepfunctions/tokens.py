"""What those who hold a task token say about sending it back: refusals that keep an execution waiting. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.arn import arns_in
from specialists.contract import Case
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import refused_principal, role_of
from specialists.stepfunctions.called import REFUSALS
from specialists.stepfunctions.history import described
from specialists.stepfunctions.rows import first

LOG_PATTERN = "?SendTask ?sendTask ?send_task"
SENDING = re.compile(r"send_?task_?(?:success|failure|heartbeat)", re.IGNORECASE)
DENIED = re.compile(r"not authorized to perform:? states:SendTask(?:Success|Failure|Heartbeat)\b")

NAMED_AT_ROLE = "lambda-role-missing-permission"


class Refused(NamedTuple):
    """One refusal: the cause that AWS's words state, the role that it is mended at, when, in AWS's words."""

    cause: str
    role: str
    at: datetime
    text: str
    lines: LogLines


def speaks_of_token(line: str) -> bool:
    """Whether a log line is about sending a task token back."""
    return SENDING.search(line) is not None


def refusals(case: Case, machine: str) -> Iterator[Refused]:
    """Yield the refused answers to a machine's tokens; a refusal that names another machine is none of its own."""
    for lines in case.all(LogLines):
        for event in lines.events:
            found = DENIED.search(event.message)
            role = role_of(refused_principal(event.message)) if found else ""
            said = event.message[found.start() :] if found else ""
            machines = {arn for arn in arns_in(said) if ":stateMachine:" in arn}
            if role and (not machines or machine in machines):
                code = first(REFUSALS, described("FAILED", "", event.message))
                yield Refused(code if code and code.startswith("iam-") else NAMED_AT_ROLE, role, event.at, said, lines)
