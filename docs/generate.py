"""Writes the generated pages: permissions and causes, from what probes and rules declare. `make docs` runs it."""

import json
from collections.abc import Iterator
from pathlib import Path

from domain.causes import CAUSES
from orchestrator.discover import READS
from orchestrator.reads import policy
from specialists.contract import Rule, Specialist
from specialists.registry import all_specialists

HERE = Path(__file__).parent
UNDECIDED = {
    "secret-rotation-lambda-denied": "only the caller who sets rotation up is told; no resource keeps it",
    "lambda-traces-missing": "an investigation begins with a trace; without one there is no symptom to explain",
    "alarm-insufficient-data": "no resource's fault: what stopped reporting is told in the alarm's thread",
    "cw-logs-throttled": "it is the bot's own look that was throttled, which the report tells as a gap",
}
"""Why a cause has no rule."""

NOTE = "<!-- Made by `make docs` from the probes' and rules' own declarations. Edit those, not this page. -->"


def permissions() -> str:
    """Return the page of permissions: the policy, and what each look needs it for."""
    lines = [
        NOTE,
        "# What the bot reads",
        "",
        "The role needs these actions and no more. A look that is denied becomes a line in the report that names the",
        "action to grant; everything else goes on working.",
        "",
        "```json",
        json.dumps(policy(), indent=2),
        "```",
        "",
        "| specialist | look | what it reads | IAM actions |",
        "|---|---|---|---|",
        f"| trace | discovery | The trace, its links, and names given without an ARN. | {_code(_discovery())} |",
    ]
    for specialist in all_specialists():
        for probe in specialist.probes:
            doc = " ".join(probe.doc.split())
            lines.append(f"| {specialist.name} | {probe.name.replace('_', ' ')} | {doc} | {_code(probe.actions)} |")
    return "\n".join(lines) + "\n"


def causes() -> str:
    """Return the page of causes: which rule names each, from what evidence, with which permissions."""
    rules = {code: list(_rules_for(code)) for code in CAUSES}
    decided = sum(1 for found in rules.values() if found)
    lines = [
        NOTE,
        "# Causes",
        "",
        f"{decided} of {len(CAUSES)} causes have a rule. A cause without one is never named.",
        "",
        "| cause | service | what it is | rules | evidence | IAM actions |",
        "|---|---|---|---|---|---|",
    ]
    for code, cause in CAUSES.items():
        found = rules[code]
        names = (
            ", ".join(dict.fromkeys(f"{s.name}: {r.name.replace('_', ' ')}" for s, r in found))
            or f"none: {UNDECIDED[code]}"
        )
        seen = _code(kind.kind for _, r in found for kind in r.sees)
        lines.append(
            f"| [`{code}`]({cause.source}) | {cause.service} | {cause.title} | {names} | {seen} "
            f"| {_code(_actions(found))} |"
        )
    return "\n".join(lines) + "\n"


def _discovery() -> Iterator[str]:
    return (read.action for read in READS)


def _rules_for(code: str) -> Iterator[tuple[Specialist, Rule]]:
    return ((s, r) for s in all_specialists() for r in s.rules if code in r.causes)


def _actions(found: list[tuple[Specialist, Rule]]) -> Iterator[str]:
    return (
        action
        for specialist, rule in found
        for probe in specialist.probes
        if set(probe.yields) & set(rule.sees)
        for action in probe.actions
    )


def _code(names: Iterator[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(set(names)))


PAGES = {"permissions.md": permissions, "causes.md": causes}


def main() -> None:
    """Write every generated page."""
    for name, page in PAGES.items():
        (HERE / name).write_text(page())


if __name__ == "__main__":
    main()
