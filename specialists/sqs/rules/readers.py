"""What keeps the functions that read a queue from working it off: settings of queue, mapping, function and role."""

from collections.abc import Iterator, Sequence

from domain.findings import Finding, Hypothesis
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries
from specialists.kit.standstill import standstill
from specialists.sqs.evidence import (
    ConsumerAccess,
    ConsumerConcurrency,
    ConsumerFunction,
    Consumers,
    DeadLetterSources,
    QueueState,
)
from specialists.sqs.metrics import RECEIVED
from specialists.sqs.signs import Reading, Sign, poller_reading, signs
from specialists.sqs.subject import Function, Subject, first_rise, present, subjects

SEES = (
    TraceCall,
    TraceSegment,
    LogLines,
    QueueState,
    Consumers,
    ConsumerFunction,
    ConsumerConcurrency,
    MetricSeries,
    DeadLetterSources,
    Change,
)

ENOUGH_RECEIVES = 5
"""AWS's advice for maxReceiveCount: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

MARGIN = 6
"""How many times the function's timeout AWS advises for the visibility timeout, on the same page."""

FEW_ERRORS = 0.5
"""Up to this share of failed invocations the function itself works, and single messages fail."""


@rule("esm-visibility-lt-timeout", sees=SEES)
def messages_reappear_while_processed(case: Case) -> Iterator[Finding]:
    """The visibility timeout is shorter than the function may run, and messages come back for it."""
    for subject in subjects(case):
        refused = signs(case, Reading.TIMEOUTS) if subject.id == case.target.id else ()
        found = next((f for f in subject.functions if _runs_over(subject, f) is not None), None)
        if found is not None and _reappears(subject, found, refused):
            yield _reappearing(subject, found, refused)
        elif refused:
            yield case.hypothesis(
                "esm-visibility-lt-timeout",
                f"Lambda refused `{subject.name}` as a source: {refused[0].text[:160]}",
                proof=cited(refused),
                since=began(refused),
            )


def _runs_over(subject: Subject, function: Function) -> int | None:
    """Return by how many seconds the function's timeout exceeds the visibility timeout; None where it does not."""
    state, settings = subject.state, function.settings
    if state is None or settings is None or not state.exists or not settings.exists:
        return None
    over = settings.timeout_seconds - state.visibility_seconds
    return over if over > 0 else None


def _ran_over(subject: Subject, function: Function) -> bool | None:
    """Tell whether a run took longer than the visibility timeout; None where durations were not seen."""
    state, longest = subject.state, function.duration
    if state is None or longest is None or not longest.points:
        return None
    return longest.peak > 1000 * state.visibility_seconds


def _reappears(subject: Subject, function: Function, refused: Sequence[Sign]) -> bool:
    """Tell whether messages come back for it: where runs were measured they decide, and failures come back as well."""
    ran_over = _ran_over(subject, function)
    come_back = subject.reappearing or subject.dead_letters is not None
    return bool(refused) or bool(ran_over) or (come_back and ran_over is None and not function.failing)


def _reappearing(subject: Subject, function: Function, refused: Sequence[Sign]) -> Hypothesis:
    state, settings, longest = subject.state, function.settings, function.duration
    ran_over = bool(_ran_over(subject, function))
    changed = subject.set_attribute("VisibilityTimeout")
    hidden, timeout = (state.visibility_seconds if state else 0), (settings.timeout_seconds if settings else 0)
    took = f" and took up to {longest.peak / 1000:.0f} s" if ran_over and longest else ""
    pair = present(state, settings)
    over_at = longest.first_over(1000 * hidden) if ran_over and longest else None
    return subject.case.hypothesis(
        "esm-visibility-lt-timeout",
        f"`{subject.name}` hides messages for {hidden} s, but `{function.mapping.name}` may work on them for"
        f" {timeout} s{took}: they come back meanwhile",
        proof=(*cited(refused), *(pair if ran_over or refused else ())),
        strong=(
            *(() if ran_over or refused else pair),
            *present(longest if ran_over else None, changed, subject.dead_letters),
        ),
        weak=subject.traffic if subject.reappearing else (),
        resource=subject.id,
        since=(changed.observed_at if changed else None) or over_at or began(refused),
    )


@rule("esm-role-cannot-read-queue", sees=(*SEES, ConsumerAccess))
def role_may_not_read(case: Case) -> Iterator[Finding]:
    """The poller is told that the function's role may not read the queue, or IAM says so and nothing is read."""
    for subject in subjects(case):
        received = subject.series(RECEIVED)
        unread = bool(subject.waiting) or (subject.totals is not None and subject.totals.sent > 0)
        unserved = received is not None and not received.total
        idle = unread and (unserved or standstill(received, case.window.end) is not None)
        for mapping in (m for m in subject.mappings if m.enabled):
            said = poller_reading(f"{mapping.last_result} {mapping.state_reason}") is Reading.POLLER_DENIED
            settings = subject.function(mapping).settings
            access = _access(subject, settings)
            lacking = access is not None and bool(access.denied) and not _let_in_by_queue(subject, access)
            if not said and not (lacking and idle):
                continue
            missing = f": {', '.join(f'`{a}`' for a in access.denied)}" if lacking and access else ""
            role = f"The role `{settings.role.rsplit('/', 1)[-1]}`" if settings and settings.role else "The role"
            yield case.hypothesis(
                "esm-role-cannot-read-queue",
                f"{role} of `{mapping.name}` may not read `{subject.name}`{missing}",
                proof=present(subject.consumers if said else None, access if lacking else None),
                strong=present(received if idle else None),
                against=present(access if said and access and not lacking else None),
                resource=settings.role if settings and settings.role else mapping.function,
                since=first_rise(subject.waiting[0]) if subject.waiting else None,
            )
    refused = [s for s in signs(case, Reading.POLLER_DENIED) if not isinstance(s.evidence, Consumers)]
    if refused:
        yield case.hypothesis(
            "esm-role-cannot-read-queue",
            f"Lambda refused to read `{case.target.name}`: {refused[0].text[:160]}",
            proof=cited(refused),
            since=began(refused),
        )


def _access(subject: Subject, settings: ConsumerFunction | None) -> ConsumerAccess | None:
    if settings is None or not settings.role:
        return None
    found = subject.case.evidence.of(ConsumerAccess, settings.role)
    return next((access for access in found if access.queue == subject.id), None)


def _let_in_by_queue(subject: Subject, access: ConsumerAccess) -> bool:
    """Tell whether the queue's own policy may let the role read, which IAM's simulation leaves out."""
    account = access.resource.split(":")[4]
    known = {"*", f"AWS:{access.resource}", f"AWS:{account}", f"AWS:{access.resource.rsplit(':', 1)[0]}:root"}
    statements = (subject.state.statements if subject.state else None) or ()
    reads = ("*", "sqs:*", "sqs:receive")
    return any(
        s.allows
        and (s.negated or known & set(s.principals))
        and any(action in reads[:2] or action.startswith(reads[2]) for action in s.actions)
        for s in statements
    )


@rule("esm-partial-batch-not-reported", sees=SEES)
def whole_batches_run_again(case: Case) -> Iterator[Finding]:
    """Some invocations fail, and good messages of their batches come back, because failures are not reported singly."""
    for subject in subjects(case):
        for function in subject.functions:
            share, mapping = function.error_share, function.mapping
            if mapping.reports_item_failures or mapping.batch_size < 2 or function.errors is None:
                continue
            partly = share is not None and 0 < share <= FEW_ERRORS and function.failing
            # A single failing message comes back once for each failed run; more come back only as its batch.
            if not partly or subject.redelivered < max(3.0, 1.5 * function.errors.total):
                continue
            yield case.hypothesis(
                "esm-partial-batch-not-reported",
                f"{function.errors.total:g} failed runs of `{mapping.name}` brought {subject.redelivered:g} messages of"
                f" `{subject.name}` back: its mapping does not report single failures of batches of"
                f" {mapping.batch_size}",
                strong=dict.fromkeys(present(subject.consumers, function.errors, *subject.traffic)),
                resource=subject.id,
                since=function.errors.first_over(0),
            )


@rule("esm-concurrency-starved", sees=SEES)
def throttles_use_up_receives(case: Case) -> Iterator[Finding]:
    """Messages become dead letters because the function is throttled, not because it fails."""
    for subject in subjects(case):
        dead = subject.dead_letters
        for function in subject.functions:
            throttles = function.throttles
            if throttles is None or not function.throttled or function.switched_off or dead is None:
                continue
            if function.errors is not None and function.errors.total > 0.1 * throttles.total:
                continue  # its own failures use up the receives as well
            state = subject.state
            few = state is not None and state.redrive is not None and state.redrive.max_receives < ENOUGH_RECEIVES
            capped = function.mapping.max_concurrency is not None
            receives = f" after {state.redrive.attempts}" if state and state.redrive else ""
            yield case.hypothesis(
                "esm-concurrency-starved",
                f"`{function.mapping.name}` was throttled {throttles.total:g} times without failing, and"
                f" {subject.dead_letter_count:g} messages of `{subject.name}` became dead letters{receives}",
                strong=present(throttles, dead, state if few else None, function.concurrency),
                weak=present(subject.consumers if not capped else None),
                against=present(subject.sent_to_dead_letters),
                resource=subject.id,
                since=throttles.first_over(0),
            )


@rule(sees=SEES)
def advises_settings(case: Case) -> Iterator[Finding]:
    """Advises on settings that make the next failure worse: timeouts too near, too few receives, no dead letters."""
    for subject in subjects(case):
        state = subject.state
        if state is None or not state.exists:
            continue
        for function in subject.functions:
            yield from _advise_timeouts(case, subject, function)
        redrive = state.redrive
        dead = case.evidence.first(QueueState, redrive.target) if redrive else None
        if redrive and dead is not None and not dead.exists:
            text = f"The dead-letter queue `{dead.name}` of `{subject.name}` does not exist: recreate it."
            yield case.advice(text, state, dead)
        elif redrive and subject.mappings and 1 < redrive.max_receives < ENOUGH_RECEIVES:
            yield case.advice(
                f"`{subject.name}` sets messages aside after {redrive.max_receives} receives; AWS advises"
                f" {ENOUGH_RECEIVES} or more with Lambda.",
                state,
            )
        elif redrive is None and subject.mappings and "RedrivePolicy" not in state.unreadable:
            text = f"`{subject.name}` has no dead-letter queue: messages that keep failing are tried until they expire."
            yield case.advice(text, state)


def _advise_timeouts(case: Case, subject: Subject, function: Function) -> Iterator[Finding]:
    state, settings = subject.state, function.settings
    if state is None or settings is None or not settings.exists:
        return
    wanted = MARGIN * settings.timeout_seconds + function.mapping.window_seconds
    if state.visibility_seconds < wanted:
        yield case.advice(
            f"`{subject.name}` hides messages for {state.visibility_seconds} s; AWS advises {wanted} s for"
            f" `{function.mapping.name}`, whose timeout is {settings.timeout_seconds} s.",
            state,
            settings,
        )


RULES = (
    messages_reappear_while_processed,
    role_may_not_read,
    whole_batches_run_again,
    throttles_use_up_receives,
    advises_settings,
)
