"""Alarms: from what a message tells of one to evidence, and how its metric is after it is over."""

from orchestrator.alarms.asked import from_alarms
from orchestrator.alarms.look import READS, FromAlarm, from_alarm
from orchestrator.alarms.metric import recheck

__all__ = ["READS", "FromAlarm", "from_alarm", "from_alarms", "recheck"]
