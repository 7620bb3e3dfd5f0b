"""Pictures of nothing in particular: to see whether pictures can be drawn at all."""

from datetime import UTC, datetime, timedelta

from domain.pictures import Limit, MarkedChange, MetricChart, Pictures, Span, Usual, Waterfall

BEGAN = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
ONSET = BEGAN + timedelta(minutes=20)

SAMPLE = Pictures(
    chart=MetricChart(
        title="Errors of sample",
        unit="per minute",
        start=BEGAN,
        period_seconds=60,
        points=(*(1.0, 0.0) * 10, 60.0, 115.0, 112.0, 118.0),
        baseline=Usual(level=0, low=0, high=1),
        threshold=Limit(level=50, label="alarm threshold 50"),
        onset=ONSET,
        changes=(MarkedChange(at=ONSET - timedelta(minutes=2), label="UpdateSample by nobody"),),
        alt="Errors of `sample` rose from 0 to 118 per minute, beginning at 09:50 UTC, 2 minutes after UpdateSample.",
    ),
    waterfall=Waterfall(
        title="Trace of a sample",
        start=ONSET,
        seconds=0.3,
        spans=(
            Span(name="API sample", start=0, seconds=0.3, depth=0, failed=True, failing_path=True, note="HTTP 502"),
            Span(name="GetItem sample", start=0.02, seconds=0.01, depth=1),
            Span(name="PutItem sample", start=0.03, seconds=None, depth=1, failing_path=True),
            Span(name="+7 more calls", start=0.02, seconds=0.02, depth=1, left_out=7),
        ),
        alt="A trace of 300 ms in which 1 of 10 steps failed: API sample → PutItem sample had no end.",
    ),
)
