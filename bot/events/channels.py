"""Whether we may write in a channel, asked before an event is taken on: what cannot be shown must not be accepted."""

import logging
import time
from collections.abc import Callable
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import Refused, outcome_of

logger = logging.getLogger(__name__)

CLOSED = frozenset({"not_in_channel", "channel_not_found", "is_archived", "access_denied"})
TRUSTED_SECONDS = 300.0
DOUBTED_SECONDS = 20.0
"""How long an answer is believed; somebody who invites the bot shall not wait for long."""


class Channels:
    """What is known of the channels of one workspace; `clock` is monotonic."""

    def __init__(self, client: AsyncWebClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, tuple[bool, float]] = {}

    async def open(self, channel: str) -> bool:
        """Tell whether we may write there. Where Slack does not say, we try: the post itself will tell.

        Reading is asked for in place of writing, which leaves a trace; both take that we are a member.
        https://docs.slack.dev/reference/methods/conversations.history
        """
        known, until = self._known.get(channel, (False, 0.0))
        if self._clock() < until:
            return known
        outcome = await outcome_of(partial(self._client.conversations_history, channel=channel, limit=1))
        answer = not (isinstance(outcome, Refused) and outcome.code in CLOSED)
        if not answer:
            logger.warning("channel=<%s> | events cannot be posted there: the bot is not in it", channel)
        self._known[channel] = answer, self._clock() + (TRUSTED_SECONDS if answer else DOUBTED_SECONDS)
        return answer
