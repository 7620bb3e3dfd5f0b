"""What every picture is drawn on and with: size, colours, letters, and text that fits.

A picture is twice as large as Slack shows it, and has a light ground of its own: it reads the same in dark mode.
"""

import unicodedata
from collections.abc import Callable
from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

DPI = 200
WIDTH = 1100
"""Pixels. Slack shows it 360 to 550 wide."""

MARGIN = 36

TITLE, BODY, SMALL = 38, 34, 34
"""Heights of letters in pixels: 11 are shown at the narrowest, 17 at the widest."""

GROUND, FRAME, INK, QUIET, GRID = "#FFFFFF", "#D0D4D9", "#1D1C1D", "#5C6470", "#E6E8EB"
CALM, ALERT, NOTED = "#7C8896", "#C44601", "#0B62A8"
"""Grey, orange and blue: apart in lightness as well, for eyes that do not tell colours apart."""

MISSING = "□"
TRIMMED = " .-"
"""What looks odd beside an ellipsis."""


class Canvas:
    """One picture of a given height in pixels; positions are pixels from the top left."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.figure = Figure(
            figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=GROUND, edgecolor=FRAME, linewidth=2
        )
        self._agg: Any = FigureCanvasAgg(self.figure)

    def png(self) -> bytes:
        """Return it as PNG."""
        out = BytesIO()
        self._agg.print_png(out, metadata={"Software": None})
        return out.getvalue()

    def text(self, x: float, y: float, said: str, *, size: int = BODY, room: float = 0, **style: Any) -> float:
        """Write one line with its middle at y, cut to the room if there is any; return how wide it is."""
        bold = style.get("weight") == "bold"
        shown = cut(said, room, self._measure(size, bold=bold)) if room else drawable(said)
        style = {"color": INK, "va": "center_baseline", **style}
        self.figure.text(
            x / WIDTH,
            1 - y / self.height,
            shown,
            fontsize=points(size),
            parse_math=False,
            family="DejaVu Sans",
            **style,
        )
        return self._measure(size, bold=bold)(shown)

    def width(self, said: str, size: int) -> float:
        """Return how wide a line is."""
        return self._measure(size)(drawable(said))

    def axes(self, left: float, top: float, right: float, bottom: float) -> Any:
        """Return axes that fill the box."""
        box = (left / WIDTH, 1 - bottom / self.height, (right - left) / WIDTH, (bottom - top) / self.height)
        return self.figure.add_axes(box)

    def _measure(self, size: int, *, bold: bool = False) -> Callable[[str], float]:
        font = FontProperties(family="DejaVu Sans", size=points(size), weight="bold" if bold else "normal")
        renderer = self._agg.get_renderer()
        return lambda said: float(renderer.get_text_width_height_descent(said, font, ismath=False)[0])


def points(pixels: float) -> float:
    """Return a size in typographic points, of which matplotlib thinks."""
    return pixels * 72 / DPI


def cut(said: str, room: float, width: Callable[[str], float]) -> str:
    """Return the text with as much left out of its middle as must be to fit: names differ at both ends."""
    whole = drawable(said)
    if width(whole) <= room:
        return whole
    low, high = 0, len(whole)
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if width(_without_middle(whole, kept)) <= room else (low, kept - 1)
    return _without_middle(whole, low)


def _without_middle(said: str, kept: int) -> str:
    front = (kept + 1) // 2
    return f"{said[:front].rstrip(TRIMMED)}…{said[len(said) - (kept - front) :].lstrip(TRIMMED)}"


def drawable(said: str) -> str:
    """Return the text on one line, with a box for each character that the letters do not have."""
    known = get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap()
    return "".join(
        char if ord(char) in known else MISSING
        for char in " ".join(said.split())
        if unicodedata.category(char) not in {"Cc", "Cf", "Mn", "Cs"}
    )
