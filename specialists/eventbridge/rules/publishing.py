"""Putting events fails: the bus is not there, or entries are rejected inside a call that succeeds."""

import re
from collections.abc import Iterator

from domain.arn import Arn
from domain.findings import Finding
from domain.resource import ResourceType
from domain.trace import TraceCall, TraceSegment
from specialists.contract import Case, Rule, rule
from specialists.eventbridge.evidence import BusState, NearbyBuses, RuleState
from specialists.eventbridge.metrics import PUT, PUT_FAILED
from specialists.eventbridge.signs import Reading, signs
from specialists.eventbridge.symptoms import by_whom, changed, onset
from specialists.kit.change import Change
from specialists.kit.loglines import LogLines
from specialists.kit.overheard import began, cited
from specialists.kit.series import MetricSeries

NAME = re.compile(r"event.?bus:? (\S{1,300}) (?:does|not|doesn)", re.IGNORECASE)
UNUSUAL = 3
CODES = re.compile(r"Error_?Code\W{1,8}([A-Za-z]{3,60})|\b(MalformedDetail)\b", re.IGNORECASE)


@rule("eb-bus-not-found", sees=(BusState, NearbyBuses, RuleState, TraceCall, TraceSegment, LogLines, Change))
def bus_does_not_exist(case: Case) -> Iterator[Finding]:
    """The event bus is not there: publishers are told so, or the rule's or the bus's own look finds none."""
    bus, hung = case.one(BusState), case.one(RuleState)
    missing = [state for state in (bus,) if state and not state.exists]
    orphan = [state for state in (hung,) if state and not state.bus_exists]
    found = [sign for sign in signs(case, Reading.NO_BUS) if _named(sign.text) == case.target.name]
    there = [bus] if bus and bus.exists else []
    if not (missing or orphan or found):
        return
    name = hung.bus if orphan and hung else case.target.name
    deleted = changed(case, "DeleteEventBus")[-1:]
    who = f": deleted{by_whom(deleted[0])}" if deleted else ""
    yield case.hypothesis(
        "eb-bus-not-found",
        f"Event bus `{name}` does not exist{who}",
        proof=(*missing, *orphan, *cited(found)),
        strong=deleted,
        against=there,
        resource=_bus_arn(case, name) if orphan else None,
        since=deleted[0].observed_at if deleted else began(found),
    )
    nearby = case.one(NearbyBuses)
    if nearby is not None and nearby.names and missing:
        names = ", ".join(f"`{each}`" for each in nearby.names)
        yield case.advice(f"There is no event bus `{name}` here, but {names}: check the publisher's setting.", nearby)


def _named(text: str) -> str:
    """Return the name of the bus that the text says is missing; it may be given as ARN."""
    found = NAME.search(text)
    return found[1].rsplit("/", 1)[-1].strip("'\"`") if found else ""


def _bus_arn(case: Case, name: str) -> str:
    return str(Arn.parse(case.target.id).model_copy(update={"resource": f"event-bus/{name}"}))


@rule("eb-put-failed-entries", sees=(BusState, MetricSeries, TraceCall, TraceSegment, LogLines))
def entries_are_rejected(case: Case) -> Iterator[Finding]:
    """PutEvents answers 200, and its answer says that some entries were not taken."""
    if case.target.type is not ResourceType.EVENT_BUS:
        return
    found = signs(case, Reading.FAILED_ENTRIES)
    failed = _account(case, PUT_FAILED)
    if not found and failed is None:
        return
    codes = sorted({code for sign in found for pair in CODES.findall(sign.text) for code in pair if code})
    why = f" ({', '.join(codes[:4])})" if codes else ""
    put = _account(case, PUT)
    of = f" of {put.total:g}" if put else ""
    number = f"{failed.total:g}{of} entries put in this Region were rejected" if failed else "Entries were rejected"
    yield case.hypothesis(
        "eb-put-failed-entries",
        f"{number}{why} "
        + (f"though the calls to `{case.target.name}` succeeded" if found else "inside calls that succeed"),
        proof=cited(found),
        # The count is of all buses together: alone it is no verdict, and as ever it says little of this one.
        strong=[failed] if failed and (found or failed.peak > UNUSUAL * failed.usual_peak) else (),
        weak=[failed] if failed and not found and failed.peak <= UNUSUAL * failed.usual_peak else (),
        since=began(found) or (onset([failed]) if failed else None),
    )


def _account(case: Case, name: str) -> MetricSeries | None:
    """Return the Region's own series above zero."""
    return next((s for s in case.all(MetricSeries) if s.metric == name and not s.dimensions and s.total > 0), None)


RULES: tuple[Rule, ...] = (bus_does_not_exist, entries_are_rejected)
