"""The tags of an alarm, which its event does not carry: asked of CloudWatch where the routing table needs them."""

import asyncio
import logging
from collections.abc import Mapping

from aws.errors import CALL_ERRORS, AwsError, classify
from aws.reads import read
from aws.session import ReadSession
from domain.alarm import AlarmReference
from domain.arn import partition_of

logger = logging.getLogger(__name__)

TAGS = read("cloudwatch", "ListTagsForResource")


class AlarmTags:
    """Asks through a read-only session that allows `TAGS`."""

    def __init__(self, session: ReadSession) -> None:
        self._session = session

    async def __call__(self, alarm: AlarmReference) -> Mapping[str, str]:
        """Return the alarm's tags; none, and a line in the log, where they cannot be read."""
        return await asyncio.to_thread(self._read, alarm)

    def _read(self, alarm: AlarmReference) -> Mapping[str, str]:
        try:
            region = alarm.region or self._session.default_region()
            account = alarm.account or self._session.home_account()
            arn = f"arn:{partition_of(region)}:cloudwatch:{region}:{account}:alarm:{alarm.name}"
            found = self._session.clients(account, region).cloudwatch.list_tags_for_resource(ResourceARN=arn)
        except (*CALL_ERRORS, AwsError) as error:
            logger.warning("alarm=<%s> | routed without its tags: %s", alarm.name, classify(error).message)
            return {}
        return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
