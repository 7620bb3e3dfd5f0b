"""Drawing: PNGs that can be read in a thread, whatever names hold; by a process of its own that may fail."""

import asyncio
import io
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from bot.pictures.canvas import ALERT, CALM, FRAME, GROUND, NOTED, SMALL, WIDTH, cut, drawable
from bot.pictures.chart import amount, days, draw_chart
from bot.pictures.render import NotDrawn, Renderer
from bot.pictures.sample import SAMPLE
from bot.pictures.waterfall import draw_waterfall, length
from domain.pictures import Limit, MetricChart, Pictures, Span, Waterfall

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOSTILE = "$LATEST $x_1$ \\frac{a}{b} 注文 🛒 \u202eevil\u202c\x00 a\nb `x` " + "very-long-name-" * 20
NARROWEST = 360
assert SAMPLE.chart is not None
assert SAMPLE.waterfall is not None
CHART, WATERFALL = SAMPLE.chart, SAMPLE.waterfall


def pixels(png: bytes) -> dict[str, int]:
    """How many pixels there are of each exact colour that pictures are made with."""
    image = (imread(io.BytesIO(png))[:, :, :3] * 255).round().astype(int)
    named = {"alert": ALERT, "calm": CALM, "noted": NOTED, "ground": GROUND, "frame": FRAME}
    wanted = {name: [int(colour[n : n + 2], 16) for n in (1, 3, 5)] for name, colour in named.items()}
    return {name: int((image == rgb).all(axis=2).sum()) for name, rgb in wanted.items()}


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def test_letters_are_at_least_eleven_pixels_where_slack_shows_pictures_narrowest() -> None:
    assert SMALL * NARROWEST / WIDTH >= 11


def test_a_picture_has_a_light_ground_of_its_own_and_a_frame() -> None:
    for png in (draw_chart(CHART), draw_waterfall(WATERFALL)):
        seen = pixels(png)

        assert size(png)[0] == WIDTH
        assert seen["ground"] > 0.6 * WIDTH * size(png)[1]
        assert seen["frame"] > 2 * WIDTH


def test_changes_and_threshold_are_marked_apart_from_the_departure() -> None:
    bare = CHART.model_copy(update={"changes": (), "threshold": None})

    marked, plain = pixels(draw_chart(CHART)), pixels(draw_chart(bare))

    assert marked["noted"] > 1000
    assert plain["noted"] == 0
    assert plain["alert"] > 1000


def test_a_threshold_far_above_does_not_flatten_the_curve() -> None:
    assert CHART.threshold is not None
    far = CHART.model_copy(update={"threshold": CHART.threshold.model_copy(update={"level": 1e6})})

    assert pixels(draw_chart(far))["alert"] > 0.8 * pixels(draw_chart(CHART))["alert"]


def test_the_failing_path_is_marked_by_colour_and_failure_also_by_hatching() -> None:
    def drawn(**marks: bool) -> dict[str, int]:
        spans = (Span(name="a", start=0, seconds=1, depth=0, **marks),)
        return pixels(draw_waterfall(Waterfall(title="t", start=AT, seconds=1, spans=spans, alt="")))

    well, path, failed = drawn(), drawn(failing_path=True), drawn(failing_path=True, failed=True)

    assert (well["alert"], path["calm"]) == (0, 0)
    assert path["alert"] > well["calm"] * 0.9 > 1000
    assert failed["alert"] < 0.9 * path["alert"]


def spans(count: int, name: str = "x", **fields: object) -> tuple[Span, ...]:
    return tuple(
        Span.model_validate({"name": name, "start": n / 100, "seconds": 0.1, "depth": n, **fields})
        for n in range(count)
    )


@pytest.mark.parametrize("text", ["", " ", HOSTILE, r"$\frac$", "\u0301", "🛒"], ids=ascii)
def test_whatever_a_name_holds_the_picture_keeps_its_shape(text: str) -> None:
    chart = CHART.model_copy(
        update={
            "title": text,
            "unit": text,
            "threshold": Limit(level=50, label=text),
            "changes": tuple(change.model_copy(update={"label": text}) for change in CHART.changes),
        }
    )
    rows = spans(5, text, note=text, failed=True)
    waterfall = Waterfall(title=text, start=AT, seconds=1, spans=rows, alt=text)
    named = waterfall.model_copy(update={"spans": spans(5, "x", note="x" if text else "", failed=True)})

    assert size(draw_chart(chart)) == size(draw_chart(CHART))
    assert size(draw_waterfall(waterfall)) == size(draw_waterfall(named))


def test_a_name_is_cut_in_its_middle_to_the_room_there_is() -> None:
    def width(said: str) -> float:
        return len(said) * 10.0

    assert cut("short", 100, width) == "short"
    assert cut("orders-service-production", 120, width) == "orders…ction"
    assert cut("anything", 10, width) == "…"


def test_what_the_letters_do_not_have_is_a_box_and_what_cannot_be_seen_is_left_out() -> None:
    assert drawable("órdenes 注文\u202e\x00\n → x") == "órdenes □□ → x"


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.25, "0.25"), (115.0, "115"), (1023, "1,023"), (17900, "17.9k"), (2.5e6, "2.5M"), (3e9, "3G")]
)  # fmt: skip
def test_amounts_are_short(value: float, shown: str) -> None:
    assert amount(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0004, "0.4 ms"), (0.318, "318 ms"), (8.03, "8.03 s"), (0.9999, "1 s"), (4000, "4,000 s")]
)
def test_lengths_are_short(seconds: float, shown: str) -> None:
    assert length(seconds) == shown


def test_the_date_is_told_in_utc_and_both_when_there_are_two() -> None:
    late = CHART.model_copy(update={"start": AT + timedelta(hours=14, minutes=20)})

    assert days(CHART) == "2026-01-01 UTC"
    assert days(late) == "2026-11-20 to 2026-11-21 UTC"


points = st.lists(st.none() | st.floats(-1e9, 1e12), min_size=2, max_size=240)


@settings(max_examples=10, deadline=None)
@given(points, st.integers(1, 86400), st.integers(-10, 300))
def test_any_series_can_be_drawn(values: Sequence[float | None], period: int, onset: int) -> None:
    chart = MetricChart(
        title="t", unit="", start=AT, period_seconds=period, points=tuple(values), baseline=CHART.baseline,
        onset=AT + timedelta(seconds=onset * period), alt="",
    )  # fmt: skip

    assert size(draw_chart(chart))[0] == WIDTH


# --- the process that draws


async def test_a_process_of_its_own_draws_both_pictures() -> None:
    drawn = await Renderer().draw(SAMPLE)

    assert drawn["chart"] == draw_chart(CHART)
    assert drawn["waterfall"] == draw_waterfall(WATERFALL)


async def test_only_what_is_there_is_drawn() -> None:
    assert list(await Renderer().draw(Pictures(chart=CHART))) == ["chart"]


BROKEN = (
    ("import sys; sys.exit('no such font')", "ended with 1: no such font"),
    ("import os; os.kill(os.getpid(), 9)", "ended with -9: no word"),
    ("print('[]')", "answered nonsense"),
    ('print(\'{"chart": "%%"}\')', "answered nonsense"),
    ("print('half')", "answered nonsense"),
)


@pytest.mark.parametrize(("script", "why"), BROKEN)
async def test_a_process_that_breaks_says_why_there_are_no_pictures(script: str, why: str) -> None:
    with pytest.raises(NotDrawn, match=why):
        await Renderer((sys.executable, "-c", script)).draw(SAMPLE)


async def test_a_program_that_is_not_there_says_so() -> None:
    with pytest.raises(NotDrawn, match="does not start"):
        await Renderer(("/nowhere/python",)).draw(SAMPLE)


async def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    script = f"import time, pathlib; time.sleep(1); pathlib.Path({str(mark)!r}).touch()"
    began = time.monotonic()

    with pytest.raises(NotDrawn, match=r"not drawn within 0\.3 s"):
        await Renderer((sys.executable, "-c", script), limit=0.3).draw(SAMPLE)

    assert time.monotonic() - began < 0.9
    await asyncio.sleep(1.2)
    assert not mark.exists()


async def test_pictures_are_drawn_one_after_another(tmp_path: Path) -> None:
    script = (
        f"import os, pathlib, time; d = pathlib.Path({str(tmp_path)!r}); m = d / str(os.getpid()); m.touch(); time.sleep(0.1);"
        "n = len(list(d.iterdir())); m.unlink(); print('{}' if n == 1 else n)"
    )
    renderer = Renderer((sys.executable, "-c", script))

    assert await asyncio.gather(*(renderer.draw(SAMPLE) for _ in range(4))) == [{}] * 4


async def test_the_drawing_process_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "RCA_MODEL"):
        monkeypatch.setenv(name, "c2VjcmV0")
    script = "import os, base64, json; print(json.dumps({n: base64.b64encode(v.encode()).decode() for n, v in os.environ.items()}))"

    seen = await Renderer((sys.executable, "-c", script)).draw(SAMPLE)

    assert "PATH" in seen
    assert not [name for name in seen if name.startswith(("SLACK_", "AWS_", "RCA_"))]
