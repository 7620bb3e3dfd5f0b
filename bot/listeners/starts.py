"""What starts investigations: the slash command, a mention, the message shortcut, "Run again".

The intake has already written the investigation down, or found that what was said names nothing to investigate.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.answers import asker_of
from bot.blocks.usage import error_message, usage_message
from bot.intake import Asked
from bot.listeners.asking import by_command, by_mention
from bot.listeners.contract import Bot, Listener
from bot.outbox import Label
from bot.outgoing import content
from domain.values import JsonObject

Ack = Callable[..., Awaitable[Any]]

HELP = frozenset({"", "help", "?", "-h", "--help", "usage", "hello", "hi"})
FORGOTTEN = "I do not know that investigation any more. Ask again with `/rca` and the trace id."
