"""How an invocation's process ended: out of time, out of memory, or by itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.evidence import Evidence
from domain.findings import Hypothesis
from domain.trace import TraceCall
from specialists.awslambda.evidence import FunctionConfiguration, InvocationReports
from specialists.awslambda.reading import changed, errors_metric, metric, reporting, reports, running
from specialists.awslambda.reports import Report
from specialists.awslambda.rules.claims import claim, weakened
from specialists.awslambda.rules.stated import EVIDENCE
from specialists.awslambda.symptoms import Diagnosis, diagnoses
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.series import MetricSeries

INIT_LIMIT_SECONDS = 9.9
"""Initialisation is cut off at 10 s."""

JUST_BEFORE = timedelta(hours=1)
"""How long before the first timeout a change may be, when nothing shows what it changed."""

PLUMBING = ("Invocation", "Overhead", "Initialization", "Dwell Time", "Attempt #")
SHARPER_THAN_EXIT = (
    "lambda-oom",
    "lambda-oom-node-heap",
    "lambda-oom-python-memoryerror",
    "lambda-wrapper-not-found",
    "lambda-bootstrap-missing",
)


class Lowering(NamedTuple):
    """A change that cut the time or the power of every invocation; `shown_by` shows the earlier value, if anything."""

    change: Change
    what: str
    shown_by: tuple[Evidence, ...]


def _timeouts(case: Case) -> Diagnosis | None:
    """Return what shows that invocations ran out of time: texts, platform reports, durations at the limit."""
    stated = diagnoses(case).get("lambda-timeout")
    ended = {r for r in reports(case) if r.phase == "invoke" and r.status == "timeout"}
    proof = (*(stated.proof if stated else ()), *reporting(case, ended))
    symptoms = stated.symptoms if stated else ()
    if stated or ended:
        strong, weak = (stated.strong, stated.weak) if stated else ((), ())
        return Diagnosis("lambda-timeout", symptoms, proof, strong, weak)
    at_limit = _at_the_limit(case)
    return Diagnosis("lambda-timeout", (), (), at_limit) if at_limit else None


def _at_the_limit(case: Case) -> tuple[Evidence, ...]:
    """Return durations that reach the configured timeout, where something failed."""
    configuration = running(case)
    if configuration is None:
        return ()
    limit = configuration.timeout_seconds
    segments = tuple(s for s in case.segments(failed=True) if (s.seconds or 0) >= 0.99 * limit and not s.errors)
    duration, errors = metric(case, "Duration", "Maximum"), errors_metric(case)
    measured = (duration, errors) if duration and errors and duration.peak >= 990 * limit else ()
    return (*segments, *measured, configuration) if segments or measured else ()


def _first(case: Case, timeouts: Diagnosis) -> datetime | None:
    errors = errors_metric(case)
    ended = [r.at for r in reports(case) if r.status == "timeout"]
    moments = [m for m in (timeouts.since, *ended, errors.first_over(0) if errors else None) if m]
    return min(moments, default=None)


def _waiting_for(case: Case) -> tuple[TraceCall, ...]:
    """Return the calls that were pending when time ran out, else those that took nearly all of it."""
    calls = case.calls_from()
    pending = tuple(c for c in calls if c.pending)
    whole = max((s.seconds or 0.0 for s in case.segments()), default=0.0)
    return pending or tuple(c for c in calls if whole and c.seconds >= 0.8 * whole)


def _waiting_words(case: Case, calls: tuple[TraceCall, ...]) -> str:
    if calls:
        names = dict.fromkeys(f"{c.service} {c.operation or ''}".strip() + _callee(case, c) for c in calls)
        return " while waiting for " + ", ".join(names)
    names = dict.fromkeys(
        name for s in case.segments() for name in s.pending if not name.startswith((*PLUMBING, "##")) and name != s.name
    )
    return " while waiting for " + ", ".join(names) if names else ""


def _callee(case: Case, call: TraceCall) -> str:
    node = case.graph.node(call.resource)
    return f" on `{node.name}`" if node and not call.service.endswith(node.name) else ""


POWERS = {"timeout": ("timeout", "s"), "memorySize": ("memory", "MB")}
"""The settings that bound an invocation: what people call them, and their units. Memory brings processor time."""


def _lowering(case: Case, first: datetime | None, *parameters: str) -> Lowering | None:
    """Return the change before the timeouts that lowered Timeout or MemorySize, or only those named.

    The last change of each counts: one that is seen to lower it, or one within the hour before whose earlier value
    nothing shows.
    """
    made = changed(case, "UpdateFunctionConfiguration", before=first)
    for parameter in parameters or POWERS:
        word, unit = POWERS[parameter]
        setting = [c for c in made if c.parameters.get(parameter, "").isdigit()]
        if not setting:
            continue
        change, value = setting[-1], int(setting[-1].parameters[parameter])
        earlier, shown_by = _earlier(case, change, parameter)
        recent = first is not None and change.observed_at is not None and first - change.observed_at <= JUST_BEFORE
        if earlier is not None and earlier > value:
            return Lowering(change, f"{word} from {earlier:g} to {value} {unit}", shown_by)
        if earlier is None and recent:
            return Lowering(change, f"{word} to {value} {unit}", ())
    return None


def _earlier(case: Case, change: Change, parameter: str) -> tuple[float | None, tuple[Evidence, ...]]:
    """Return the value before a change, from an earlier change or from what ran then, and what shows it."""
    before = changed(case, "UpdateFunctionConfiguration", "CreateFunction", before=change.observed_at)
    values = [c for c in before if c is not change and c.parameters.get(parameter, "").isdigit()]
    if values:
        return float(values[-1].parameters[parameter]), (values[-1],)
    if parameter == "memorySize":
        ran = [r for r in reports(case) if r.memory_mb and change.observed_at and r.at < change.observed_at]
        return (float(ran[-1].memory_mb), reporting(case, {ran[-1]})) if ran else (None, ())
    duration = metric(case, "Duration", "Maximum")
    longest = (duration.usual_peak / 1000) if duration else 0.0
    return (longest, (duration,)) if duration and longest > float(change.parameters[parameter]) else (None, ())


@rule("lambda-timeout", sees=(*EVIDENCE, InvocationReports, MetricSeries))
def invocations_time_out(case: Case) -> Iterator[Hypothesis]:
    """Invocations run into the function's timeout, and no sharper cause of that is known."""
    timeouts = _timeouts(case)
    if timeouts is None or _slow_init(case):
        return
    first = _first(case, timeouts)
    calls = _waiting_for(case)
    configuration = running(case)
    limit = f" of {configuration.timeout_seconds} s" if configuration else ""
    yield claim(
        case,
        weakened(timeouts) if _lowering(case, first) else timeouts,
        f"`{case.target.name}` ran into its timeout{limit}{_waiting_words(case, calls)}{timeouts.often}",
        strong=calls if timeouts.proof else (),
        since=first,
        defers_to=(c.resource for c in calls),
    )


@rule("lambda-timeout-all-invocations-after-change", sees=(*EVIDENCE, InvocationReports, MetricSeries))
def timeouts_since_a_change(case: Case) -> Iterator[Hypothesis]:
    """Timeouts began after a change lowered Timeout or MemorySize."""
    timeouts = _timeouts(case)
    first = _first(case, timeouts) if timeouts else None
    settings = ("timeout",) if _slow_init(case) else ()  # less memory is then told with the start that it slowed down
    lowering = _lowering(case, first, *settings) if first else None
    if timeouts is None or lowering is None:
        return
    change = lowering.change
    at = f" at {change.observed_at:%H:%M} UTC" if change.observed_at else ""
    shown = (change,) if lowering.shown_by else ()
    yield case.hypothesis(
        "lambda-timeout-all-invocations-after-change",
        f"`{case.target.name}` times out since {change.who} set its {lowering.what}{at}",
        proof=shown,
        strong=dict.fromkeys((*lowering.shown_by, *(() if shown else (change,)), *timeouts.proof, *timeouts.strong)),
        weak=timeouts.weak,
        since=change.observed_at,
    )


def _slow_init(case: Case) -> Diagnosis | None:
    """Return what shows that initialisation was cut off."""
    stated = diagnoses(case).get("lambda-timeout-in-init")
    cut = {r for r in reports(case) if r.phase == "init" and r.status == "timeout"}
    long = tuple(s for s in case.segments(failed=True) if (s.init_seconds or 0) >= INIT_LIMIT_SECONDS)
    proof = dict.fromkeys((*(stated.proof if stated else ()), *reporting(case, cut)))
    strong = (*(stated.strong if stated else ()), *long)
    symptoms = stated.symptoms if stated else ()
    return Diagnosis("lambda-timeout-in-init", symptoms, tuple(proof), strong) if proof or strong else None


@rule("lambda-timeout-in-init", sees=(*EVIDENCE, InvocationReports, MetricSeries))
def initialisation_times_out(case: Case) -> Iterator[Hypothesis]:
    """Imports and global code take longer than the 10 s that initialisation may take."""
    slow = _slow_init(case)
    if slow is None:
        return
    cut = [r for r in reports(case) if r.phase == "init" and r.status == "timeout" and r.during != "invoke"]
    times = f" {len(cut)} times" if len(cut) > 1 else ""
    first = min((r.at for r in cut), default=None)
    lowering = _lowering(case, first, "memorySize") if first else None
    since = f", since {lowering.change.who} set its {lowering.what}" if lowering and lowering.shown_by else ""
    yield claim(
        case,
        slow,
        f"Initialisation of `{case.target.name}` was cut off after 10 s{times} and begins again within the timeout"
        f"{since}",
        strong=(lowering.change, *lowering.shown_by) if lowering and lowering.shown_by else (),
        since=first,
    )


def _ended(case: Case) -> list[Report]:
    """Return the reports of the invocations that did not end well, else all of them."""
    done = [r for r in reports(case) if r.phase == "invoke" and r.memory_mb]
    traced = {s.attributes.get("request_id") for s in case.segments(failed=True)} - {None}
    return [r for r in done if r.request_id in traced] or [r for r in done if r.failed] or done


@rule("lambda-oom", sees=(*EVIDENCE, InvocationReports))
def memory_is_exhausted(case: Case) -> Iterator[Hypothesis]:
    """The sandbox killed the process for using all of its memory."""
    found = diagnoses(case)
    if {"lambda-oom-node-heap", "lambda-oom-python-memoryerror"} & set(found):
        return
    ended = _ended(case)
    full = {r for r in ended if r.memory_full and (r.failed or not r.status)}
    said = {r for r in ended if r.error_type == "Runtime.OutOfMemory"}
    stated = found.get("lambda-oom")
    exited = found.get("lambda-runtime-exit")
    if stated is not None and not _room_left(stated, ended):
        oom = Diagnosis(
            "lambda-oom", stated.symptoms, (*stated.proof, *reporting(case, full | said)), stated.strong, stated.weak
        )
    elif said or (exited is not None and full):
        grades = (reporting(case, said), (*reporting(case, full), *(exited.proof + exited.strong if exited else ())))
        oom = Diagnosis("lambda-oom", exited.symptoms if exited else (), *grades)
    else:
        return
    top = max(full | said or set(ended), key=lambda r: r.max_memory_mb, default=None)
    memory = f" with {top.max_memory_mb} of {top.memory_mb} MB in use" if top else ""
    yield claim(
        case, oom, f"`{case.target.name}` was killed{memory}{oom.often}", since=oom.since or (top.at if top else None)
    )


def _room_left(stated: Diagnosis, ended: list[Report]) -> bool:
    """Tell whether reports contradict a kill for memory: the process was killed with plenty left."""
    only_killed = all("OutOfMemory" not in s.text and "out of memory" not in s.text for s in stated.symptoms)
    return only_killed and bool(ended) and all(r.max_memory_mb < 0.9 * r.memory_mb for r in ended)


@rule("lambda-runtime-exit", sees=(*EVIDENCE, InvocationReports))
def runtime_exits(case: Case) -> Iterator[Hypothesis]:
    """The runtime process ended by itself: an exit call, or a crash in native code."""
    found = diagnoses(case)
    ended = _ended(case)
    killed = found.get("lambda-oom")
    with_room = killed if killed and _room_left(killed, ended) else None
    stated = with_room or found.get("lambda-runtime-exit")
    sharper = [cause for cause in SHARPER_THAN_EXIT if cause in found and not (cause == "lambda-oom" and with_room)]
    if stated is None or sharper or any(r.memory_full for r in ended):
        return
    exit_of = Diagnosis("lambda-runtime-exit", stated.symptoms, stated.proof, stated.strong, stated.weak)
    yield claim(
        case,
        exit_of,
        f"The runtime process of `{case.target.name}` ended during the invocation: {stated.headline}{stated.often}",
    )


@rule("lambda-wrapper-not-found", sees=(*EVIDENCE, FunctionConfiguration))
def wrapper_script_is_missing(case: Case) -> Iterator[Hypothesis]:
    """The start script does not exist: the shell's exit status 127."""
    stated = diagnoses(case).get("lambda-wrapper-not-found")
    if stated is None:
        return
    configuration = running(case)
    wrapped = configuration is not None and "AWS_LAMBDA_EXEC_WRAPPER" in configuration.env_names
    layers = f" and has {len(configuration.layers)} layers" if configuration else ""
    how = f"; it starts through AWS_LAMBDA_EXEC_WRAPPER{layers}" if wrapped else ""
    graded = (
        stated
        if wrapped
        else Diagnosis(stated.cause, stated.symptoms, (), (*stated.proof, *stated.strong), stated.weak)
    )
    yield claim(
        case,
        graded,
        f"`{case.target.name}` starts with a script that does not exist: {stated.headline}{stated.often}{how}",
        strong=[configuration] if configuration and wrapped else (),
    )


PROCESS_RULES: tuple[Rule, ...] = (
    invocations_time_out,
    timeouts_since_a_change,
    initialisation_times_out,
    memory_is_exhausted,
    runtime_exits,
    wrapper_script_is_missing,
)
