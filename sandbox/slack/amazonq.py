"""What Amazon Q Developer in chat applications posts for a CloudWatch alarm: no text, everything in an attachment.

Shape: the account and Region in the title, the state in its emoji alone, the metric's dimensions among the fields
(https://docs.aws.amazon.com/chatbot/latest/adminguide/related-services.html, and recorded posts).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

SIGNS = {"ALARM": ":rotating_light:", "OK": ":white_check_mark:", "INSUFFICIENT_DATA": ":warning:"}
COLOURS = {"ALARM": "D13212", "OK": "2EB67D", "INSUFFICIENT_DATA": "DAA038"}


def alarm_post(
    name: str, state: str, *, region: str, account: str, reason: str, at: datetime, dimensions: Mapping[str, str]
) -> dict[str, Any]:
    """Return the fields of the message, for `LocalSlack.app_says`."""
    title = f"CloudWatch Alarm | {name} | {region} | Account: {account}"
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
    told = {"Timestamp": f"{at:%a, %d %b %Y %H:%M:%S} UTC", **dimensions}
    blocks = [
        _section(f"*<{console}|{SIGNS[state]} {title}>*"),
        _section(reason),
        {"type": "section", "fields": [_text(f"*{key}*\n{value}") for key, value in told.items()]},
    ]
    return {"attachments": [{"id": 1, "color": COLOURS[state], "fallback": title, "blocks": blocks}]}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}
