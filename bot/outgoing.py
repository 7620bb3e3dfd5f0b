"""What leaves for Slack: the label each message carries, and the check that Slack will take it."""

import logging
from typing import Any

from bot.blocks.limits import Surface, violations
from bot.blocks.message import Message
from domain.values import Value

logger = logging.getLogger(__name__)

METADATA_TYPE = "rca_message"
TOO_MUCH = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "block_mismatch"}
)
"""Slack's error codes for what is said, not for where: a shorter message may pass."""
SHORT_CHARACTERS = 3000
SHORTENED = "\n_(The full message did not fit into Slack; this is its summary.)_"


class Label(Value):
    """What a message is, as its metadata says: of which investigation, in which role, and which one of that role."""

    investigation: str
    role: str
    key: str = ""

    def metadata(self) -> dict[str, Any]:
        """Return the message metadata: https://docs.slack.dev/messaging/message-metadata."""
        return {"event_type": METADATA_TYPE, "event_payload": self.model_dump()}


def fitting(message: Message, surface: Surface = Surface.MESSAGE) -> Message:
    """Return the message if Slack will take it, otherwise its shorter form; what was wrong is logged."""
    found = violations(content(message), surface)
    if not found:
        return message
    logger.error("error=<%s>, count=<%d> | message shortened: %s", found[0].error, len(found), found[0])
    return shorter(message)


def shorter(message: Message) -> Message:
    """Return the message as its plain text, cut, saying that it is a summary."""
    text = message.text or "There is more to say than fits into a Slack message."
    return Message(text=text[:SHORT_CHARACTERS] + SHORTENED, blocks=())


def content(message: Message) -> dict[str, Any]:
    """Return the arguments of chat.postMessage and chat.update that say it."""
    return {"text": message.text, "blocks": list(message.blocks)}
