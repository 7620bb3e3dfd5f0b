"""Spans and counters through OpenTelemetry's API alone: without a configured SDK they are no-ops of a microsecond.

Nothing that was asked or observed goes into an attribute: names, numbers and outcomes only. An exception's text is
left out too, because it may quote what was asked.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from domain.usage import Usage

_tracer = trace.get_tracer("rca")
_meter = metrics.get_meter("rca")
_tokens = _meter.create_counter("rca.model.tokens", "{token}", "Tokens that models used, by direction")
_dollars = _meter.create_counter("rca.model.cost", "{USD}", "US dollars that models cost, where prices are known")
_dropped = _meter.create_counter("rca.claims.dropped", "{claim}", "Claims of models without evidence that exists")

OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
REDACTED = "gen_ai_unredacted_attributes="
"""Strands records prompts and answers in its spans unless told which of them it may: here none."""


def redact_prompts() -> None:
    """Keep prompts and answers out of Strands' spans, unless the operator says otherwise; before the first agent.

    Out of its log too, which holds whole requests at DEBUG.
    """
    logging.getLogger("strands").setLevel(logging.WARNING)
    chosen = os.environ.get(OPT_IN, "")
    if REDACTED not in chosen:
        os.environ[OPT_IN] = f"{chosen},{REDACTED}" if chosen else REDACTED


@contextmanager
def span(name: str, **attributes: AttributeValue) -> Iterator[Span]:
    """Do the work inside in a span of that name; an error is its type."""
    with _tracer.start_as_current_span(
        name,
        attributes={f"rca.{key}": value for key, value in attributes.items()},
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def asked(who: str, model: str, usage: Usage) -> None:
    """Count what one question used."""
    about = {"rca.who": who, "rca.model": model}
    _tokens.add(usage.input_tokens, {**about, "rca.direction": "input"})
    _tokens.add(usage.output_tokens, {**about, "rca.direction": "output"})
    if usage.usd:
        _dollars.add(usage.usd, about)


def dropped(who: str, claims: int) -> None:
    """Count claims of a model that were dropped because they cite nothing that exists."""
    if claims:
        _dropped.add(claims, {"rca.who": who})
