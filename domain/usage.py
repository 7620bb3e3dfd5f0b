"""What an investigation cost in model use and AWS calls."""

from domain.values import Value


class Usage(Value):
    """Tokens, calls and US dollars; `usd` is None when a model's price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0
    usd: float | None = 0.0
    aws_calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        unknown = self.usd is None or other.usd is None
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            model_calls=self.model_calls + other.model_calls,
            usd=None if unknown else (self.usd or 0.0) + (other.usd or 0.0),
            aws_calls=self.aws_calls + other.aws_calls,
        )
