"""Asynchronous events: dropped, undeliverable, or going round in a loop."""

from collections.abc import Iterator

from domain.findings import Hypothesis
from specialists.awslambda.evidence import AsyncSettings, FunctionConfiguration
from specialists.awslambda.reading import failing, metric, running
from specialists.awslambda.rules.stated import EVIDENCE
from specialists.awslambda.symptoms import Diagnosis, diagnoses
from specialists.contract import Case, Rule, rule
from specialists.kit.rising import risen
from specialists.kit.series import MetricSeries

SEES = (*EVIDENCE, MetricSeries, AsyncSettings)
NOTHING = Diagnosis("", ())


def _risen(case: Case, name: str) -> MetricSeries | None:
    series = metric(case, name)
    return series if risen(series) else None


@rule("lambda-recursive-loop", sees=SEES)
def triggers_itself(case: Case) -> Iterator[Hypothesis]:
    """Lambda dropped invocations because the function triggers itself."""
    stated, dropped = diagnoses(case).get("lambda-recursive-loop", NOTHING), _risen(case, "RecursiveInvocationsDropped")
    if not stated.symptoms and dropped is None:
        return
    count = f": {dropped.total:g} invocations were dropped" if dropped else f": {stated.headline}"
    yield case.hypothesis(
        "lambda-recursive-loop",
        f"`{case.target.name}` triggers itself in a loop{count}",
        proof=(*stated.proof, *([dropped] if dropped else ())),
        strong=stated.strong,
        weak=stated.weak,
        since=dropped.first_over(0) if dropped else stated.since,
    )


@rule("lambda-async-event-expired", sees=SEES)
def events_are_dropped(case: Case) -> Iterator[Hypothesis]:
    """Asynchronous events ran out of retries or of time; what makes the function fail is the deeper cause."""
    stated, dropped = diagnoses(case).get("lambda-async-event-expired", NOTHING), _risen(case, "AsyncEventsDropped")
    if not stated.symptoms and dropped is None:
        return
    settings, age = case.one(AsyncSettings), metric(case, "AsyncEventAge", "Maximum")
    old = [age] if age and settings and age.peak >= 900 * settings.max_age_seconds else []
    kept = f" after {settings.retries} retries or {settings.max_age_seconds} s" if settings else ""
    count = f"{dropped.total:g} asynchronous events" if dropped else "Asynchronous events"
    symptom = bool(failing(case))
    yield case.hypothesis(
        "lambda-async-event-expired",
        f"{count} of `{case.target.name}` were dropped{kept}",
        proof=() if symptom else (*stated.proof, *([dropped] if dropped else ())),
        strong=dict.fromkeys(
            (*stated.strong, *old, *((*stated.proof, *([dropped] if dropped else ())) if symptom else ()))
        ),
        weak=dict.fromkeys((*stated.weak, *([settings] if settings else ()))),
        since=dropped.first_over(0) if dropped else stated.since,
    )


@rule("lambda-dlq-delivery-error", sees=(*SEES, FunctionConfiguration))
def failed_events_are_lost(case: Case) -> Iterator[Hypothesis]:
    """Failed events could not be written to the dead-letter queue or destination."""
    queue, sink = _risen(case, "DeadLetterErrors"), _risen(case, "DestinationDeliveryFailures")
    found = [series for series in (queue, sink) if series]
    if not found:
        return
    configuration, settings = running(case), case.one(AsyncSettings)
    targets = [
        configuration.dlq_arn if configuration and queue else "",
        settings.on_failure if settings and sink else "",
    ]
    named = ", ".join(f"`{t}`" for t in targets if t) or "the dead-letter queue or destination"
    cited = [configuration] if configuration and targets[0] else []
    yield case.hypothesis(
        "lambda-dlq-delivery-error",
        f"{sum(s.total for s in found):g} failed events of `{case.target.name}` could not be delivered to {named}",
        proof=found,
        strong=[*cited, *([settings] if settings and targets[1] else ())],
        since=min((at for s in found if (at := s.first_over(0))), default=None),
        defers_to=[t for t in targets if t.startswith("arn:")],
    )


EVENT_RULES: tuple[Rule, ...] = (triggers_itself, events_are_dropped, failed_events_are_lost)
