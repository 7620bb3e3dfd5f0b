"""Showing an investigation's pictures in its thread: drawn, and uploaded together in one message, at most once.

Pictures are worth less than the report, so nothing here raises: what goes wrong is in the log.

Slack has no idempotency key for files.completeUploadExternal, and shows a completed upload only some time later, so a
search could miss it. An upload whose end nobody knows is therefore not tried again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import Done, Limited, Outcome, Refused, outcome_of
from bot.pacing import Clock
from bot.pictures.render import NotDrawn, Renderer
from domain.pictures import Pictures

logger = logging.getLogger(__name__)

UPLOAD_SECONDS = 60.0
MISSING_SCOPE = "missing_scope"


class Gallery:
    """The pictures of one workspace; `turn` waits until one more message may go into a channel."""

    def __init__(
        self,
        client: AsyncWebClient,
        turn: Callable[[str], Awaitable[None]],
        clock: Clock,
        renderer: Renderer | None = None,
    ) -> None:
        self._client = client
        self._turn = turn
        self._clock = clock
        self._renderer = renderer or Renderer()
        self._told_of_scope = False
        self.under_way = 0

    async def show(self, pictures: Pictures, investigation_id: str, channel: str, thread_ts: str | None) -> bool:
        """Draw and upload; return whether the thread has them. The channel is an id."""
        self.under_way += 1
        try:
            drawn = await self._renderer.draw(pictures)
            async with asyncio.timeout(UPLOAD_SECONDS):
                outcome = await self._upload(_uploads(pictures, drawn, investigation_id), channel, thread_ts)
        except NotDrawn as error:
            logger.warning("investigation=<%s> | no pictures: %s", investigation_id, error)
            return False
        except TimeoutError:
            logger.warning("investigation=<%s> | pictures not uploaded in time", investigation_id)
            return False
        except (KeyError, TypeError) as error:  # files_upload_v2 reads its answers without a look at them
            logger.warning("investigation=<%s> | Slack's answer to an upload is odd: %r", investigation_id, error)
            return False
        finally:
            self.under_way -= 1
        if not isinstance(outcome, Done):
            self._log(investigation_id, outcome)
        return isinstance(outcome, Done)

    async def _upload(self, files: list[dict[str, Any]], channel: str, thread_ts: str | None) -> Outcome:
        """Upload, waiting as long as Slack asks for: a call that was limited was not carried out."""
        while True:
            await self._turn(channel)
            outcome = await outcome_of(
                partial(self._client.files_upload_v2, file_uploads=files, channel=channel, thread_ts=thread_ts)
            )
            if not isinstance(outcome, Limited):
                return outcome
            await self._clock.sleep(outcome.seconds)

    def _log(self, investigation_id: str, outcome: Outcome) -> None:
        if outcome != Refused(MISSING_SCOPE):
            logger.warning("investigation=<%s>, outcome=<%s> | pictures not uploaded", investigation_id, outcome)
        elif not self._told_of_scope:
            self._told_of_scope = True
            logger.warning("scope=<files:write> | pictures cannot be uploaded: add the scope, install the app again")


def _uploads(pictures: Pictures, drawn: Mapping[str, bytes], investigation_id: str) -> list[dict[str, Any]]:
    """Return the files as files_upload_v2 takes them, the chart first."""
    shown = (("chart", "metric", pictures.chart), ("waterfall", "trace", pictures.waterfall))
    return [
        {
            "filename": f"{investigation_id}-{name}.png",
            "content": drawn[kind],
            "title": picture.title,
            "alt_txt": picture.alt,
        }
        for kind, name, picture in shown
        if picture is not None and kind in drawn
    ]
