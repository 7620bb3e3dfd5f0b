"""From what Slack delivers to a notice of an alarm's transition; nothing where a rule says so. Pure.

What starts something is `bot.alarms.verdict`'s to say. OK and INSUFFICIENT_DATA belong to what has started, so these
count in threads and edits too, where Amazon Q tells them.
"""

from collections.abc import Collection
from datetime import datetime

from bot.alarms.verdict import AlarmPolicy, judged
from bot.payloads import id_of
from bot.watch.grouping import service_of, watches_of
from domain.alarm import AlarmReference, AlarmState
from domain.redaction import clean, redact
from domain.request import Trigger, TriggerKind
from domain.values import JsonObject, from_epoch
from orchestrator.alarm_store import Notice

HEARD = frozenset({"message", "app_mention"})
"""Events that may hold an alarm; an app whose post names us sends both."""


def heard(key: str, body: JsonObject, own: Collection[str], policy: AlarmPolicy, *, now: datetime) -> Notice | None:
    """Return the transition that an event tells of; None for everything else."""
    event = body.get("event")
    if body.get("type") != "event_callback" or not isinstance(event, dict) or event.get("type") not in HEARD:
        return None
    said = judged({**event, "type": "message"}, own_bot=own, policy=policy)
    alarm = said.alarm
    if alarm is None or (alarm.state is AlarmState.ALARM and not said.starts):
        return None
    post = event.get("message") if event.get("subtype") == "message_changed" else event
    thread = str(post.get("thread_ts") or post.get("ts") or "") if isinstance(post, dict) else ""
    trigger = Trigger(
        kind=TriggerKind.ALARM_POST,
        text=redact(clean(alarm.name)),
        channel=id_of(event.get("channel")),
        thread=thread or None,
        team=id_of(body.get("team_id")) or None,
    )
    return notice(key, alarm, trigger, at=alarm.at or moment(str(event.get("event_ts") or event.get("ts") or ""), now))


def notice(key: str, alarm: AlarmReference, trigger: Trigger, *, at: datetime) -> Notice:
    """Return the notice of an alarm, without the secrets that its words may hold."""
    told = redacted(alarm)
    return Notice(
        key=key,
        alarm=told,
        at=at,
        service=service_of(told),
        watches=watches_of(told),
        trigger=trigger.model_copy(update={"alarm": told}),
    )


def redacted(alarm: AlarmReference) -> AlarmReference:
    """Return the alarm without the secrets that people wrote into its words."""
    return alarm.model_copy(
        update={"reason": redact(clean(alarm.reason)), "description": redact(clean(alarm.description))}
    )


def moment(ts: str, now: datetime) -> datetime:
    """Return when a message was written, by Slack's clock; `now` where that is not told."""
    return from_epoch(float(ts)) if ts.replace(".", "", 1).isdecimal() and len(ts) <= 20 else now
