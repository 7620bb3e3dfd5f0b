"""What models cost: one table, as published in October 2026. A model that is not in it has no known price.

Sources: Anthropic's pricing page (platform.claude.com); Amazon Bedrock's documentation of global cross-Region inference
(docs.aws.amazon.com), by which a `global.` profile costs what Anthropic asks and every other way about 10 % more.
Claude 5 on Bedrock is not in the table: its price there was not published when the table was made.
"""

import re
from typing import NamedTuple

AS_OF = "2026-10"
IN_REGION = 1.10
MILLION = 1_000_000


class Price(NamedTuple):
    """US dollars per million tokens in and out, of a model family with these providers."""

    family: str
    input: float
    output: float
    providers: tuple[str, ...]


EVERYWHERE = ("anthropic", "bedrock")
ANTHROPIC = ("anthropic",)

PRICES: tuple[Price, ...] = (
    Price("claude-sonnet-4-6", 3.0, 15.0, EVERYWHERE),
    Price("claude-haiku-4-5", 1.0, 5.0, EVERYWHERE),
    Price("claude-opus-4-1", 15.0, 75.0, EVERYWHERE),
    Price("claude-sonnet-5-5", 2.0, 10.0, ANTHROPIC),
    Price("claude-haiku-5-5", 0.10, 0.50, ANTHROPIC),
    Price("claude-opus-5", 5.0, 25.0, ANTHROPIC),
    Price("claude-opus-5-5", 4.0, 20.0, ANTHROPIC),
    Price("claude-fable-5-1", 10.0, 50.0, ANTHROPIC),
)

FREE = ("llamacpp", "ollama")
"""Providers whose models run on the operator's own machine."""

_PLACE = re.compile(r"^(?:.*/)?(?:(?P<place>[a-z]+(?:-gov)?)\.)?anthropic\.")
_VERSION = r"(?:[-@]\d{8})?(?:-v\d+(?::\d+)?)?(?:-latest)?"


def dollars(provider: str, model_id: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return what that many tokens cost in US dollars; None when the model's price is not known."""
    price = price_of(provider, model_id)
    return None if price is None else (input_tokens * price[0] + output_tokens * price[1]) / MILLION


def price_of(provider: str, model_id: str) -> tuple[float, float] | None:
    """Return the dollars per million tokens in and out, if known; a `:cloud` model of Ollama runs elsewhere."""
    if provider in FREE:
        return None if "cloud" in model_id else (0.0, 0.0)
    place = _PLACE.match(model_id)
    family = model_id[place.end() :] if place else model_id
    premium = IN_REGION if provider == "bedrock" and not (place and place["place"] == "global") else 1.0
    for price in PRICES:
        if provider in price.providers and re.fullmatch(re.escape(price.family) + _VERSION, family):
            return price.input * premium, price.output * premium
    return None
