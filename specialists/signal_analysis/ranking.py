"""Which node of a service graph explains the others: the one with most excess of its own.

For every node, excess is what went wrong beyond the usual, weighed by how much of it there was:

    excess(n) = sum over the window's rows of requests x (value - reference), where value - reference > 3 scales

with the value a mean latency in seconds (excess: seconds that callers waited too long) or an error rate (excess: calls
that failed and usually would not). A slow or failing dependency is contained in its caller's own measurement, so that
much is taken off the caller, shared among the callers by their own excess:

    own(n) = excess(n) - sum over its callees c of excess(c) x excess(n) / (excess of all callers of c)

What remains largest explains the others. The method goes by what there is:

- Reference and scale come from the baseline and from the rows before the alarm, from either, or from the window alone
  (see `usual`).
- A node counts only when its excess beats what its own baseline shows in windows as long as this one, and the graph
  only when something in it is large enough to move the alarmed node. Without alarm and baseline nothing says that
  anything is wrong. Otherwise the ranking is empty: it abstains.
- Calls that the graph lost: a dependency whose known callers account for less than half of its excess has a caller
  nobody recorded. It is put below the node that leaves most unexplained, deepest dependencies first.
- Nodes that X-Ray infers (a remote host, a client) repeat what their caller measured: they come last.

The data this is measured on, and how other methods fare on it: Hardt et al., "The PetShop Dataset: Finding Causes of
Performance Issues across Microservices", CLeaR 2024, https://arxiv.org/abs/2311.04806.
"""

from collections.abc import Mapping
from math import fsum
from typing import NamedTuple

from specialists.signal_analysis.picture import Picture, Signal
from specialists.signal_analysis.usual import NONE, excess_of

MATERIAL = 1.0
"""How much excess counts, in scales of the alarmed node over one row: less cannot have moved the alarm."""
FAR = 2.0
"""How many times the most that is usual for a node, and one scale, its excess must be for the graph to be abnormal."""
UNRECORDED = 0.6
"""The part of a node's excess that its known callers must leave unaccounted for to infer another caller."""


class Standing(NamedTuple):
    """Where a node stands: its excess, and how much of it its dependencies leave unexplained, in the same unit.

    The unit is seconds of waiting for latency, failed calls for errors.
    """

    node: str
    signal: Signal
    excess: float
    own: float


def ranked(picture: Picture) -> tuple[Standing, ...]:
    """Return the abnormal nodes, the one that explains the others first; none where the data are normal.

    Where the picture names no signal, the one that moved the front of the graph further is taken.
    """
    if picture.alarmed is None and not any(series.baseline for series in picture.nodes.values()):
        return ()
    signals = (picture.signal,) if picture.signal else tuple(Signal)
    wrong = max((_wrong(picture, signal) for signal in signals), key=lambda wrong: wrong.reach)
    if wrong.reach <= MATERIAL:
        return ()
    explaining = _Explaining(wrong.excess, picture)
    standing = [Standing(name, wrong.signal, wrong.excess[name], own) for name, own in explaining.own.items()]
    inferred = {name for name, series in picture.nodes.items() if series.inferred}
    below = {name: len(explaining.below(name)) for name in wrong.excess}
    return tuple(sorted(standing, key=lambda s: (s.node in inferred, -s.own, -s.excess, below[s.node], s.node)))


class _Wrong(NamedTuple):
    """The excess of the nodes that exceed what is usual for them, and how far it reaches.

    The reach is the largest of what is far from usual, in scales of the graph's front; 0 where nothing is.
    """

    signal: Signal
    excess: Mapping[str, float]
    reach: float


def _wrong(picture: Picture, signal: Signal) -> _Wrong:
    seen = {name: excess_of(series, signal, picture.before) for name, series in picture.nodes.items()}
    far = [one.total for one in seen.values() if one.total > FAR * (one.usual + one.scale)]
    front = seen.get(_front(picture) or "", NONE)
    return _Wrong(
        signal=signal,
        excess={name: one.total for name, one in seen.items() if one.total > one.usual},
        reach=max(far, default=0.0) / (front.scale or 1.0),
    )


def _front(picture: Picture) -> str | None:
    """Return where the graph meets its users: the alarmed node, else the busiest that nobody calls."""
    if picture.alarmed is not None:
        return picture.alarmed
    called = {callee for caller, callee in picture.calls if caller != callee}
    entries = {
        name: fsum(row.requests for row in series.window)
        for name, series in picture.nodes.items()
        if name not in called and not series.inferred
    }
    return max(entries, key=lambda name: (entries[name], name), default=None)


class _Explaining:
    """Takes off every node what its dependencies explain; `own` is what remains."""

    def __init__(
        self,
        excess: Mapping[str, float],
        picture: Picture,
    ) -> None:
        self.own = dict(excess)
        self._excess = excess
        self._inferred = {name for name in excess if picture.nodes[name].inferred}
        self._alarmed = picture.alarmed
        self._callers: dict[str, set[str]] = {}
        self._callees: dict[str, set[str]] = {}
        for caller, callee in picture.calls:
            if caller != callee:
                self._call(caller, callee)
        known = {name: self._accounted(name) for name in excess}
        self._explain_callers(known)
        self._infer_callers(known)

    def _call(self, caller: str, callee: str) -> None:
        self._callers.setdefault(callee, set()).add(caller)
        self._callees.setdefault(caller, set()).add(callee)

    def _accounted(self, name: str) -> float:
        """How much excess its known callers have."""
        return fsum(self._excess.get(caller, 0.0) for caller in self._callers.get(name, ()))

    def _explain_callers(self, known: Mapping[str, float]) -> None:
        taken: dict[str, list[float]] = {}
        for name, accounted in known.items():
            for caller in self._callers.get(name, ()):
                if caller in self._excess:
                    taken.setdefault(caller, []).append(self._excess[name] * self._excess[caller] / accounted)
        for caller, parts in taken.items():
            self.own[caller] -= fsum(parts)

    def _infer_callers(self, known: Mapping[str, float]) -> None:
        """Put nodes whose callers do not account for them below those that leave most unexplained."""
        lost = {
            name: self._excess[name] - accounted
            for name, accounted in known.items()
            if name != self._alarmed
            and name not in self._inferred
            and self._excess[name] - accounted > UNRECORDED * self._excess[name]
        }
        for name in sorted(lost, key=lambda n: (len(self.below(n)), -lost[n], -self._excess[n], n)):
            caller = self._likeliest_caller(name, lost[name])
            if caller is not None:
                self.own[caller] -= lost[name]
                self._call(caller, name)

    def _likeliest_caller(self, name: str, lost: float) -> str | None:
        """Return the node that a caller nobody recorded is most likely to be, if any can be."""
        below = self.below(name)
        fitting = (
            other
            for other, own in self.own.items()
            if own > 0
            and other not in below
            and other not in self._inferred
            and name not in self._callees.get(other, ())
        )
        return max(
            fitting,
            key=lambda n: (min(self.own[n], lost), n != self._alarmed, self.own[n], -len(self.below(n)), n),
            default=None,
        )

    def below(self, name: str) -> set[str]:
        """Return the node and everything it calls, directly or not."""
        seen = {name}
        todo = [name]
        while todo:
            for callee in self._callees.get(todo.pop(), ()):
                if callee not in seen:
                    seen.add(callee)
                    todo.append(callee)
        return seen
