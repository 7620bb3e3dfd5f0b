"""The waterfall of a trace: a row for each piece of work, the failing path in colour, weight and hatching."""

from collections.abc import Sequence
from datetime import UTC

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from bot.pictures.canvas import ALERT, BODY, CALM, GRID, GROUND, INK, MARGIN, QUIET, SMALL, TITLE, WIDTH, Canvas
from domain.pictures import Span, Waterfall

TOP, ROW, NOTE, BAR = 160, 54, 42, 28
INDENT, DEEPEST = 30, 7
BARS_FROM, BARS_TO = 610, WIDTH - MARGIN - 140
SHORTEST = 6
"""Pixels: what takes next to no time is still seen."""

FAILED_SIGN = "✕"


def draw_waterfall(waterfall: Waterfall) -> bytes:
    """Return the waterfall as PNG."""
    heights = [ROW + (NOTE if span.note else 0) for span in waterfall.spans]
    canvas = Canvas(TOP + sum(heights) + MARGIN)
    room = WIDTH - 2 * MARGIN
    canvas.text(MARGIN, 50, waterfall.title, size=TITLE, room=room, weight="bold")
    when = f"{waterfall.start.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    canvas.text(MARGIN, 104, f"{length(waterfall.seconds)}, began {when}", size=BODY, room=room, color=QUIET)
    tops = [TOP + sum(heights[:number]) for number in range(len(heights))]
    _guides(canvas, tops[-1] + heights[-1])
    _branches(canvas, waterfall.spans, tops)
    for span, top in zip(waterfall.spans, tops, strict=True):
        _row(canvas, span, top, waterfall.seconds)
    return canvas.png()


def length(seconds: float) -> str:
    """Return "318 ms" or "8.03 s"."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0095 else f"{seconds * 1000:.2g} ms"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:,.0f} s"


def _guides(canvas: Canvas, bottom: float) -> None:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = BARS_FROM + share * (BARS_TO - BARS_FROM)
        _line(canvas, [(x, TOP - 14), (x, bottom)], GRID, 1.0, layer=0)


def _branches(canvas: Canvas, spans: tuple[Span, ...], tops: Sequence[float]) -> None:
    """Draw from each row up to the one it was done for; the failing path on top."""
    found: list[tuple[bool, list[tuple[float, float]]]] = []
    for number, span in enumerate(spans):
        above = next((n for n in reversed(range(number)) if spans[n].depth < span.depth), None)
        if above is not None and span.depth <= DEEPEST:
            x, y = _indent(spans[above]) + 10, tops[number] + ROW / 2
            found.append((span.failing_path, [(x, tops[above] + ROW - 6), (x, y), (_indent(span) - 4, y)]))
    for failing, way in sorted(found, key=lambda pair: pair[0]):
        _line(canvas, way, ALERT if failing else CALM, 2.0 if failing else 1.0)


def _indent(span: Span) -> float:
    return MARGIN + min(span.depth, DEEPEST) * INDENT


def _row(canvas: Canvas, span: Span, top: float, whole: float) -> None:
    middle, x = top + ROW / 2, _indent(span) + 4
    if span.failed:
        x += canvas.text(x, middle, FAILED_SIGN, color=ALERT, weight="bold") + 8
    weight = "bold" if span.failed else "normal"
    colour = QUIET if span.left_out else INK
    canvas.text(x, middle, span.name, size=SMALL, room=BARS_FROM - 14 - x, weight=weight, color=colour)
    end = _bar(canvas, span, middle, whole)
    took = "no end" if span.seconds is None else length(span.seconds)
    canvas.text(end + 10, middle, took, size=SMALL, color=ALERT if span.failed else QUIET)
    if span.note:
        colour = ALERT if span.failing_path else QUIET
        canvas.text(x, top + ROW + NOTE / 2 - 6, span.note, size=SMALL, room=WIDTH - MARGIN - x, color=colour)


def _bar(canvas: Canvas, span: Span, middle: float, whole: float) -> float:
    """Draw when it was done: hatched where it failed, open to the right where it has no end; return where it ends."""
    scale = (BARS_TO - BARS_FROM) / whole
    start = min(BARS_FROM + span.start * scale, BARS_TO - SHORTEST)
    end = BARS_TO if span.seconds is None else min(BARS_TO, start + max(SHORTEST, span.seconds * scale))
    colour = ALERT if span.failing_path else CALM
    low = 1 - (middle + BAR / 2) / canvas.height
    box = ((start / WIDTH, low), (end - start) / WIDTH, BAR / canvas.height)
    faint = bool(span.left_out) or span.seconds is None
    canvas.figure.add_artist(Rectangle(*box, facecolor=GROUND if faint else colour, edgecolor=colour, linewidth=1.2))
    if span.failed:
        hatch = Rectangle(*box, facecolor="none", edgecolor=colour if faint else GROUND, hatch="////", linewidth=0)
        canvas.figure.add_artist(hatch)
    if span.seconds is None:
        _line(canvas, [(end, middle - BAR / 2 - 2), (end, middle + BAR / 2 + 2)], GROUND, 3.0)
    return end


def _line(canvas: Canvas, way: list[tuple[float, float]], colour: str, width: float, *, layer: float = 2) -> None:
    xs, ys = [x / WIDTH for x, _ in way], [1 - y / canvas.height for _, y in way]
    canvas.figure.add_artist(Line2D(xs, ys, color=colour, linewidth=width, solid_joinstyle="miter", zorder=layer))
