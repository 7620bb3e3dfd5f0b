"""The chart of a metric: what was usual, the threshold, when it began, and what was changed before."""

from datetime import UTC, datetime, timedelta
from typing import Any

from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.pictures.canvas import (
    ALERT,
    BODY,
    CALM,
    GRID,
    GROUND,
    MARGIN,
    NOTED,
    QUIET,
    SMALL,
    TITLE,
    WIDTH,
    Canvas,
    drawable,
    points,
)
from domain.pictures import MetricChart

PLOT_TOP, PLOT_HEIGHT, AXIS_HEIGHT, KEY_LINE = 180, 330, 72, 50
HEADROOM = 1.18

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
"""Minutes between two times on the axis."""

TICKS = 5
EDGE = 0.05

CHANGE_MARK, ONSET_MARK = "D", "v"
CHANGE_SIGN, ONSET_SIGN = "◆", "▼"


def draw_chart(chart: MetricChart) -> bytes:
    """Return the chart as PNG."""
    keys = 1 + len(chart.changes)
    canvas = Canvas(PLOT_TOP + PLOT_HEIGHT + AXIS_HEIGHT + keys * KEY_LINE + MARGIN)
    room = WIDTH - 2 * MARGIN
    canvas.text(MARGIN, 50, chart.title, size=TITLE, room=room, weight="bold")
    usual = f"usual {amount(chart.baseline.level)}"
    what = ", ".join(part for part in (chart.unit, usual, days(chart)) if part)
    canvas.text(MARGIN, 104, what, size=BODY, room=room, color=QUIET)
    top = _top(chart)
    left = MARGIN + max(canvas.width(amount(top), SMALL), canvas.width("0", SMALL)) + 16
    axes = canvas.axes(left, PLOT_TOP, WIDTH - MARGIN, PLOT_TOP + PLOT_HEIGHT)
    _frame(axes, chart, top)
    _curve(axes, chart)
    _levels(axes, chart, top)
    _marks(axes, chart, top)
    _key(canvas, chart, PLOT_TOP + PLOT_HEIGHT + AXIS_HEIGHT + KEY_LINE / 2 + 6)
    return canvas.png()


def days(chart: MetricChart) -> str:
    """Return "2026-11-20, times in UTC", or both days where it spans two."""
    first, last = (f"{moment.astimezone(UTC):%Y-%m-%d}" for moment in (chart.times[0], chart.times[-1]))
    return f"{first if first == last else f'{first} to {last}'} UTC"


def amount(value: float) -> str:
    """Return "1,023", "17.9k" or "0.25"."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:.4g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _top(chart: MetricChart) -> float:
    """Return the upper end of the scale: the highest value, and a threshold unless that would flatten the curve."""
    highest = max((value for value in chart.points if value is not None), default=0.0)
    limit = chart.threshold.level if chart.threshold else 0.0
    shown = max(highest, chart.baseline.high, 0.0)
    return (max(shown, limit) if limit <= 4 * shown else shown) * HEADROOM or 1.0


def _frame(axes: Any, chart: MetricChart, top: float) -> None:
    axes.set_xlim(chart.times[0].timestamp(), chart.times[-1].timestamp())
    axes.set_ylim(min([0.0, *(value for value in chart.points if value is not None)]), top)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=GRID, linewidth=1)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(CALM)
    axes.tick_params(labelsize=points(SMALL), labelcolor=QUIET, color=CALM, length=4, pad=4)
    axes.tick_params(axis="y", length=0)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=top > 8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
    ticks = _ticks(chart)
    axes.set_xticks([at.timestamp() for at in ticks], [f"{at:%H:%M}" for at in ticks])
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_family("DejaVu Sans")


def _ticks(chart: MetricChart) -> list[datetime]:
    """Return round times, few enough to stand beside each other and not at the very ends."""
    start, end = chart.times[0].astimezone(UTC), chart.times[-1].astimezone(UTC)
    whole = end - start
    step = next((s for s in map(_minutes, STEPS) if whole <= TICKS * s), _minutes(STEPS[-1]))
    step = max(step, -(-whole // (TICKS * step)) * step)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + -(-(start - midnight) // step) * step
    found = []
    while at <= end:
        found.append(at)
        at += step
    return [at for at in found if EDGE * whole <= at - start <= (1 - EDGE) * whole]


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def _curve(axes: Any, chart: MetricChart) -> None:
    """Draw each period as a step: grey before the onset, thick and filled from it on."""
    times, values = [at.timestamp() for at in chart.times], [*chart.points, chart.points[-1]]
    numbers = [float("nan") if value is None else value for value in values]
    begin = max((n for n, at in enumerate(chart.times[:-1]) if at <= chart.onset), default=0)
    axes.plot(times[: begin + 1], numbers[: begin + 1], drawstyle="steps-post", color=CALM, linewidth=1.6)
    axes.plot(times[begin:], numbers[begin:], drawstyle="steps-post", color=ALERT, linewidth=2.6)
    axes.fill_between(times[begin:], numbers[begin:], step="post", color=ALERT, alpha=0.18, linewidth=0)


def _levels(axes: Any, chart: MetricChart, top: float) -> None:
    """Draw what was usual as a band with its middle, and the threshold as a dashed line, each with its name."""
    usual = chart.baseline
    if usual.high > 0:
        axes.axhspan(usual.low, usual.high, color=CALM, alpha=0.16, linewidth=0)
        axes.axhline(usual.level, color=CALM, linewidth=1.2, linestyle=(0, (1, 2)))
    if chart.threshold is None:
        return
    inside = chart.threshold.level <= top
    level = chart.threshold.level if inside else top
    if inside:
        axes.axhline(level, color=NOTED, linewidth=1.6, linestyle=(0, (6, 3)), zorder=3)
    said = chart.threshold.label if inside else f"{chart.threshold.label} (above the scale)"
    axes.annotate(
        drawable(said), (0.0, level), xycoords=axes.get_yaxis_transform(), xytext=(6, 4 if inside else -4),
        textcoords="offset points", va="bottom" if inside else "top", color=NOTED, fontsize=points(SMALL),
        family="DejaVu Sans", parse_math=False, zorder=6,
        bbox={"facecolor": GROUND, "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
    )  # fmt: skip


def _marks(axes: Any, chart: MetricChart, top: float) -> None:
    """Draw the moments as lines with a sign of their own at the top; the key below says what they are."""
    moments = [(change.at, NOTED, CHANGE_MARK, (0, (4, 2)), top) for change in chart.changes]
    for at, colour, mark, dashes, height in [*moments, (chart.onset, ALERT, ONSET_MARK, "solid", 0.9 * top)]:
        where = at.timestamp()
        axes.axvline(where, color=colour, linewidth=1.4, linestyle=dashes)
        axes.plot([where], [height], marker=mark, markersize=7, color=colour, clip_on=False, zorder=5)


def _key(canvas: Canvas, chart: MetricChart, top: float) -> None:
    rows = sorted([(change.at, NOTED, CHANGE_SIGN, change.label) for change in chart.changes] + [_began(chart)])
    for number, (at, colour, sign, said) in enumerate(rows):
        y = top + number * KEY_LINE
        canvas.text(MARGIN, y, sign, color=colour)
        canvas.text(MARGIN + 44, y, f"{at.astimezone(UTC):%H:%M}", weight="bold")
        canvas.text(MARGIN + 170, y, said, room=WIDTH - 2 * MARGIN - 170)


def _began(chart: MetricChart) -> tuple[datetime, str, str, str]:
    return (chart.onset, ALERT, ONSET_SIGN, "onset")
