"""What keeps the functions that read a queue from working it off: settings of queue, mapping and function."""

from collections.abc import Iterator

from domain.findings import Finding
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries
from specialists.sqs.evidence import (
    ConsumerAccess,
    ConsumerConcurrency,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    QueueState,
)
from specialists.sqs.metrics import DELETED, RECEIVED
from specialists.sqs.signs import Reading, began, cited, poller_reading, signs
from specialists.sqs.subject import (
    Function,
    Subject,
    earliest,
    first_rise,
    present,
    stopped,
    subjects,
)

SEES = (TraceCall, TraceSegment, LogLines, QueueState, Consumers, ConsumerFunction, MetricSeries, DeadLetterSources, Change)

ENOUGH_RECEIVES = 5
"""AWS's advice for maxReceiveCount with Lambda: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

MARGIN = 6
"""How many times the function's timeout AWS advises for the visibility timeout, on the same page."""


@rule("esm-visibility-lt-timeout", sees=SEES)
def messages_reappear_while_processed(case: Case) -> Iterator[Finding]:
    """The visibility timeout is shorter than the function may run, and messages come back or fail for it."""
    told = signs(case, Reading.TIMEOUTS)
    for subject in subjects(case):
        state = subject.state
        refused = [sign for sign in told if sign.evidence.resource == subject.id]
        for function in subject.functions:
            timeout = function.settings.timeout_seconds if function.settings and function.settings.exists else None
            below = state is not None and state.exists and timeout is not None and state.visibility_seconds < timeout
            if not below or state is None:
                if timeout is not None and state is not None and state.exists and state.visibility_seconds < MARGIN * timeout:
                    yield case.advice(
                        f"`{subject.name}` hides messages for {state.visibility_seconds} s; AWS advises"
                        f" {MARGIN * timeout} s for `{function.mapping.name}` ({MARGIN} times its timeout).",
                        *present(state, function.settings),
                    )
                continue
            longest = function.duration
            runs_over = longest is not None and longest.peak > 1000 * state.visibility_seconds
            runs_short = longest is not None and bool(longest.points) and not runs_over
            pair = present(state, function.settings)
            sentence = (
                f"`{subject.name}` hides messages for {state.visibility_seconds} s, but `{function.mapping.name}`"
                f" may work on them for {timeout} s"
            )
            if not (refused or runs_over or (subject.symptom and not runs_short)):
                yield case.advice(f"{sentence}: raise the visibility timeout to {MARGIN * (timeout or 0)} s.", *pair)
                continue
            over = f" and took up to {longest.peak / 1000:.0f} s" if runs_over and longest else ""
            changed = subject.set_attribute("VisibilityTimeout")
            yield case.hypothesis(
                "esm-visibility-lt-timeout",
                f"{sentence}{over}: they come back meanwhile",
                proof=(*cited(refused), *(pair if runs_over or refused else ())),
                strong=(
                    *(() if runs_over or refused else pair),
                    *present(longest if runs_over else None, changed, subject.dead_letters),
                ),
                weak=subject.traffic if subject.reappearing else (),
                resource=subject.id,
                since=earliest(
                    [changed.observed_at if changed else None]
                    if changed
                    else [longest.first_over(1000 * state.visibility_seconds) if longest else None, began(refused)]
                ),
            )
            break
        else:
            yield from _refused_setting(case, subject)


def _refused_setting(case: Case, subject: Subject) -> Iterator[Finding]:
    """Name what Lambda answered when it refused a mapping, where the present settings do not show it."""
    refused = [sign for sign in signs(case, Reading.TIMEOUTS) if subject.id == case.target.id]
    if refused:
        yield case.hypothesis(
            "esm-visibility-lt-timeout",
            f"Lambda refused `{subject.name}` as a source: {refused[0].text[:160]}",
            proof=cited(refused),
            resource=subject.id,
            since=began(refused),
        )
