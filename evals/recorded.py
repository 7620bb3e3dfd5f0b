"""Read recorded failures as the specialists do, and print what is found in them, one JSON object a line.

    python -m evals.recorded stepfunctions FILE
    python -m evals.recorded errors FILE

`stepfunctions`: FILE holds a JSON array of `{"id", "input": {"events"}}`, each a GetExecutionHistory answer; printed is
`{"id", "status", "error", "failed_state", "cause"}`, the cause a code of the catalogue, or null where none is known.
`errors`: FILE holds a JSON array of `{"service", "code", "message"}`, each one error answer of an AWS API; printed is
`{"index", "service", "code", "cause"}` in the array's order.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.errorcauses import stated_cause
from specialists.stepfunctions.classify import cause_of
from specialists.stepfunctions.history import explain

Record = Mapping[str, Any]


def stepfunctions(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield how each recorded execution ended, in which state, and with which cause."""
    for record in records:
        outcome = explain(record["input"]["events"]).outcome
        yield {
            "id": record["id"],
            "status": outcome.status,
            "error": outcome.error or None,
            "failed_state": outcome.state if outcome.failed else None,
            "cause": cause_of(outcome),
        }


def errors(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield each recorded error's service and code, and the cause it states by itself."""
    for index, record in enumerate(records):
        service, code = str(record.get("service") or ""), str(record.get("code") or "")
        cause = stated_cause(service, code, str(record.get("message") or ""))
        yield {"index": index, "service": service or None, "code": code or None, "cause": cause}


COMMANDS: dict[str, Callable[[Iterable[Record]], Iterator[dict[str, Any]]]] = {
    "stepfunctions": stepfunctions,
    "errors": errors,
}
"""What can be read: a name, and the function from a file's records to what is printed."""


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status, 2 for an unusable command line or file."""
    if len(arguments) != 2 or arguments[0] not in COMMANDS:
        print(f"usage: python -m evals.recorded {'|'.join(COMMANDS)} FILE", file=sys.stderr)
        return 2
    command, file = arguments
    try:
        records = json.loads(Path(file).read_text(encoding="utf-8"))
        lines = [json.dumps(found) for found in COMMANDS[command](records)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"{file} holds no recorded failures of that shape: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
