"""What was checked and is normal, so that it can be ruled out."""

from collections.abc import Iterator

from domain.findings import Fact
from domain.trace import TraceSegment
from specialists.awslambda.evidence import FunctionConfiguration, InvocationReports, LogGroup, Versions
from specialists.awslambda.logformat import read_error
from specialists.awslambda.reading import changed, metric, reporting, reports, running
from specialists.contract import Case, Rule, rule
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.series import MetricSeries

DAY_SECONDS = 86_400


@rule(sees=(FunctionConfiguration, Change))
def when_it_changed(case: Case) -> Iterator[Fact]:
    """When the function was last changed, by whom where that is known."""
    configuration, made = (
        running(case),
        changed(case, "UpdateFunctionConfiguration", "UpdateFunctionCode", "PublishVersion"),
    )
    if made:
        yield case.fact(f"`{case.target.name}` was last changed so: {made[-1].summary()}", made[-1])
    elif configuration and configuration.last_modified:
        days = (case.window.end - configuration.last_modified).total_seconds() / DAY_SECONDS
        age = (
            f"unchanged for {days:.0f} days"
            if days >= 1
            else f"last modified {configuration.last_modified:%Y-%m-%d %H:%M} UTC"
        )
        yield case.fact(f"Code and settings of `{case.target.name}` {age}", configuration)


@rule(sees=(Versions,))
def what_was_published(case: Case) -> Iterator[Fact]:
    """A version that was published within the day before the window's end."""
    found = case.one(Versions)
    for version in found.versions if found else ():
        at = version.last_modified
        if version.version == "$LATEST" or found is None or at is None:
            continue
        if 0 <= (case.window.end - at).total_seconds() <= DAY_SECONDS:
            yield case.fact(
                f"Version {version.version} of `{case.target.name}` was published at {at:%Y-%m-%d %H:%M} UTC", found
            )


@rule(sees=(MetricSeries,))
def how_much_failed(case: Case) -> Iterator[Fact]:
    """The share of failed and throttled invocations, with what is usual."""
    invocations, errors, throttles = (metric(case, name) for name in ("Invocations", "Errors", "Throttles"))
    if invocations and invocations.total and errors:
        usual = f" (usual: {errors.typical:g} a minute)" if errors.baseline else ""
        yield case.fact(
            f"{errors.total:g} of {invocations.total:g} invocations of `{case.target.name}` failed{usual}",
            invocations,
            errors,
            notable=errors.peak > errors.usual_peak,
        )
        if throttles and not throttles.total:
            yield case.fact(f"No invocation of `{case.target.name}` was throttled", throttles, invocations)


@rule(sees=(InvocationReports, FunctionConfiguration))
def memory_and_time_used(case: Case) -> Iterator[Fact]:
    """How near invocations come to the memory and the timeout."""
    done = [r for r in reports(case) if r.phase == "invoke" and r.memory_mb]
    if not done:
        return
    top, slow = max(done, key=lambda r: r.max_memory_mb / r.memory_mb), max(done, key=lambda r: r.duration_ms)
    configuration = running(case)
    limit = f" of {configuration.timeout_seconds} s allowed" if configuration else ""
    yield case.fact(
        f"Of {len(done)} invocations of `{case.target.name}` the largest used"
        f" {top.max_memory_mb} of {top.memory_mb} MB, the slowest took {slow.duration_ms / 1000:.2f} s{limit}",
        *reporting(case, {top, slow}),
    )


@rule(sees=(LogLines, LogGroup))
def logs_are_clean(case: Case) -> Iterator[Fact]:
    """The log was read and holds no error."""
    read = [lines for lines in case.all(LogLines) if lines.filter == "errors"]
    if read and not any(read_error(e.message) for lines in read for e in lines.events):
        yield case.fact(f"No error line in {', '.join(lines.log_group for lines in read)} in the window", *read)


@rule(sees=(TraceSegment, FunctionConfiguration))
def how_it_ran(case: Case) -> Iterator[Fact]:
    """The traced run went well."""
    good = [s for s in case.segments(failed=False) if s.seconds is not None]
    if good and not case.segments(failed=True):
        slowest = max(good, key=lambda s: s.seconds or 0)
        yield case.fact(f"`{case.target.name}` ran without error in this trace ({slowest.seconds:.3f} s)", slowest)


FACT_RULES: tuple[Rule, ...] = (
    when_it_changed,
    what_was_published,
    how_much_failed,
    memory_and_time_used,
    logs_are_clean,
    how_it_ran,
)
