"""Where spans and counters go: over OTLP when OpenTelemetry's standard variables say where, nowhere otherwise.

The SDK is imported only then; it reads its own variables (OTEL_EXPORTER_OTLP_*, OTEL_SERVICE_NAME, OTEL_SDK_DISABLED,
OTEL_TRACES_SAMPLER …): https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import importlib
import os

from opentelemetry import metrics, trace

SPANS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
COUNTERS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")


class ExporterMissing(Exception):
    """An address is set and what sends there is not installed; the message is one line."""


def export() -> None:
    """Send spans and counters where the environment says; raises ExporterMissing."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    os.environ.setdefault("OTEL_SERVICE_NAME", "rca")
    try:
        if any(os.environ.get(name) for name in SPANS):
            _export_spans()
        if any(os.environ.get(name) for name in COUNTERS):
            _export_counters()
    except ImportError as error:
        raise ExporterMissing(f"nothing is installed that sends there ({error.name}); install rca-bot[otel]") from error


def _export_spans() -> None:
    exporter = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    tracing = importlib.import_module("opentelemetry.sdk.trace")
    batches = importlib.import_module("opentelemetry.sdk.trace.export")
    provider = tracing.TracerProvider()
    provider.add_span_processor(batches.BatchSpanProcessor(exporter.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _export_counters() -> None:
    exporter = importlib.import_module("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    counting = importlib.import_module("opentelemetry.sdk.metrics")
    reading = importlib.import_module("opentelemetry.sdk.metrics.export")
    reader = reading.PeriodicExportingMetricReader(exporter.OTLPMetricExporter())
    metrics.set_meter_provider(counting.MeterProvider(metric_readers=[reader]))
