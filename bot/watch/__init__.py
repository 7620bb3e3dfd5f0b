"""Alarms that start investigations, whatever told of them.

`Watch.take_alarm(trigger: Trigger) -> None` takes on the alarm that a trigger tells of, in any state: what it returns
from is durable, deduplicated with Slack's posts, grouped, counted, and told of in the trigger's channel or thread.
"""
