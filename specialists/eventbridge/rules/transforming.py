"""An input transformer that gives the target nothing that it can use."""

from collections.abc import Iterator

from domain.evidence import Evidence
from domain.findings import Finding
from domain.trace import TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.arns import resource_of, short
from specialists.eventbridge.evidence import Target, Targets
from specialists.eventbridge.metrics import ERRORS
from specialists.eventbridge.signs import Reading, signs
from specialists.eventbridge.symptoms import (
    by_whom,
    changed,
    failures,
    known_fault,
    of_function,
    onset,
    parameter,
    targets_of,
)
from specialists.eventbridge.template import template_problem
from specialists.kit.change import Change
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries

SEES = (Targets, MetricSeries, Change, TraceSegment)


@rule("eb-input-transformer", sees=SEES)
def template_was_refused(case: Case) -> Iterator[Finding]:
    """AWS refused an input template, so the target kept its old one or was not set."""
    found = signs(case, Reading.BAD_TEMPLATE)
    if found:
        yield case.hypothesis(
            "eb-input-transformer",
            f"AWS refused an input template for `{case.target.name}`: {found[0].text.strip()[:200]}",
            proof=cited(found),
            since=began(found),
        )


@rule("eb-input-transformer", sees=SEES)
def template_is_broken(case: Case) -> Iterator[Finding]:
    """A template uses what no path defines or makes no JSON, and its target fails or is not reached."""
    known = case.one(Targets)
    for target in targets_of(case):
        problem = template_problem(target.paths, target.template)
        if not problem or known is None:
            continue
        sentence = f"The input transformer for `{short(target.arn)}` on `{case.target.name}` is broken: {problem}"
        shown = [*([] if known_fault(case) else failures(case)), *_failing(case, target)]
        edits = _edits(case)[-1:]
        if shown:
            yield case.hypothesis(
                "eb-input-transformer",
                sentence,
                proof=[known],
                strong=(*shown, *edits),
                since=edits[0].observed_at if edits else onset(failures(case)),
            )
        else:
            yield case.advice(f"{sentence}.", known)


@rule("eb-input-transformer", sees=SEES)
def transformer_was_changed(case: Case) -> Iterator[Finding]:
    """A target began to fail right after its input transformer was changed; its form is in order."""
    edits = _edits(case)[-1:]
    for target in targets_of(case) if edits else ():
        errors = [s for s in _failing(case, target) if isinstance(s, MetricSeries) and not s.usual_peak]
        began_at, at = onset(errors), edits[0].observed_at
        after = began_at is not None and at is not None and at.replace(second=0, microsecond=0) <= began_at
        if not after or not target.template or template_problem(target.paths, target.template):
            continue
        yield case.hypothesis(
            "eb-input-transformer",
            f"`{short(target.arn)}` fails since the input transformer of `{case.target.name}` was changed"
            f"{by_whom(edits[0])}: {errors[0].total:g} errors, none before",
            strong=(*edits, *errors),
            since=at,
        )


def _edits(case: Case) -> list[Change]:
    return [
        c
        for c in changed(case, "PutTargets")
        if parameter(c, "inputTemplate") or "inputTransformer" in str(c.parameters)
    ]


def _failing(case: Case, target: Target) -> list[Evidence]:
    """Return what shows that the target fails by itself."""
    resource = resource_of(target.arn)
    if resource is None:
        return []
    segments = [s for s in case.evidence.of(TraceSegment, resource.id) if s.failed and s.errors]
    return [*of_function(case, target, ERRORS), *segments]


RULES: tuple[Rule, ...] = (template_was_refused, template_is_broken, transformer_was_changed)
