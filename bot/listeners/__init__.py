"""Every listener, by what Slack delivers. Each acks, translates and calls."""

from slack_bolt.async_app import AsyncApp

from bot.listeners.actions import ACTIONS, unknown_action
from bot.listeners.commands import COMMAND, on_command
from bot.listeners.contract import Bot
from bot.listeners.events import ignored
from bot.listeners.home import show_home
from bot.listeners.mentions import on_mention
from bot.listeners.shortcuts import INVESTIGATE, on_shortcut

ANY = __import__("re").compile(".*")
