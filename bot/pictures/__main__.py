"""`python -m bot.pictures`: read `Pictures` as JSON, write each that is there as PNG: {"chart": base64, …}."""

import base64
import json
import os
import sys

from bot.pictures.chart import draw_chart
from bot.pictures.waterfall import draw_waterfall
from domain.pictures import Pictures

POLITENESS = 10
"""Added to our niceness: people who wait for an answer go first."""


def main() -> None:
    """Draw what is asked for on standard input."""
    os.nice(POLITENESS)
    asked = Pictures.model_validate_json(sys.stdin.buffer.read())
    drawn: dict[str, bytes] = {}
    if asked.chart is not None:
        drawn["chart"] = draw_chart(asked.chart)
    if asked.waterfall is not None:
        drawn["waterfall"] = draw_waterfall(asked.waterfall)
    sys.stdout.write(json.dumps({name: base64.b64encode(png).decode() for name, png in drawn.items()}))


if __name__ == "__main__":
    main()
