"""Alarm posts as Amazon Q writes them, said in the local Slack."""

from datetime import UTC, datetime
from typing import Any

from sandbox.slack import LocalSlack, Message

ALERTS = "C0ALERTS"
MARKS = {"ALARM": ":rotating_light:", "OK": ":white_check_mark:", "INSUFFICIENT_DATA": ":warning:"}


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def q_post(
    name: str,
    state: str = "ALARM",
    *,
    at: datetime | None = None,
    region: str = "eu-west-1",
    account: str = "123456789012",
    reason: str = "Threshold Crossed: 1 datapoint [12.0] was greater than the threshold (5.0).",
    **dimensions: str,
) -> dict[str, Any]:
    """The fields of a post: its text is empty, and its state is in the title's emoji."""
    home = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
    title = f"*<{home}|{MARKS[state]} CloudWatch Alarm | {name} | {region} | Account: {account}>*"
    told = {"Timestamp": f"{at:%a, %d %b %Y %H:%M:%S} UTC", **dimensions} if at else dimensions
    fields = [{"type": "mrkdwn", "text": f"*{key}*\n{value}"} for key, value in told.items()]
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": title}},
        {"type": "section", "text": {"type": "mrkdwn", "text": reason}},
        *([{"type": "section", "fields": fields}] if fields else []),
    ]
    return {"text": "", "attachments": [{"color": "D13212", "fallback": "CloudWatch Alarm", "blocks": blocks}]}


async def rings(slack: LocalSlack, name: str, state: str = "ALARM", *, channel: str = ALERTS, **told: Any) -> Message:
    """Let Amazon Q post about an alarm."""
    return await slack.app_says(channel, **q_post(name, state, **({"at": utc_now()} | told)))


def said(slack: LocalSlack, post: Message, channel: str = ALERTS) -> list[str]:
    """What is said in the thread of a post, as the text of each message."""
    return [m.text for m in slack.thread(channel, post.ts)[1:]]


def shown(slack: LocalSlack, post: Message, channel: str = ALERTS) -> str:
    """All blocks of the thread of a post."""
    return "\n".join(
        str(block.get("text", {}).get("text", "")) if isinstance(block.get("text"), dict) else ""
        for m in slack.thread(channel, post.ts)[1:]
        for block in m.blocks
    )
