"""What counts as an alarm's post, from the settings and from who we are."""

from collections.abc import Iterable
from datetime import timedelta

from bot.alarms.verdict import AlarmPolicy
from bot.settings import Settings
from bot.watch.watch import WatchPolicy
from orchestrator.alarm_store import Rules


def policy_of(settings: Settings, own: Iterable[str], home: str) -> WatchPolicy:
    """Return the policy; `own` are our user's and bot's ids, `home` is the workspace's address."""
    return WatchPolicy(
        on=settings.alarms == "on",
        own=frozenset(own) - {""},
        posts=posts_of(settings),
        rules=rules_of(settings),
        home=home,
    )


def posts_of(settings: Settings) -> AlarmPolicy:
    """Return whose posts where count."""
    return AlarmPolicy(apps=settings.alarm_apps, channels=settings.alarm_channels)


def rules_of(settings: Settings) -> Rules:
    """Return how transitions are handled."""
    return Rules(group=timedelta(minutes=settings.group_minutes), recheck=timedelta(hours=settings.recheck_hours))
