"""The Web API methods the local Slack knows; apps.connections.open is beside the sockets it opens."""

from sandbox.slack.methods import basics, chat, conversations, files, views
from sandbox.slack.methods.contract import Method

METHODS: dict[str, Method] = {
    **basics.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **views.METHODS,
}
