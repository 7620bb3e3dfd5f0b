"""Alarms as JSON in a post's text: SNS messages, EventBridge events, an alarm's own call of a function.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.alarms.flatten import Origin, Post, said
from bot.alarms.keys import Fact
from bot.alarms.regions import region_of
from bot.alarms.sources import ALARM_ARN, Told
from bot.alarms.times import moment_of
from domain.alarm import AlarmState
from orchestrator.texts import first_object, read_json

MAX_NESTED = 4
LOOSE = re.compile(
    r"\"(AlarmName|NewStateValue|StateChangeTime|Region|AWSAccountId|AlarmArn|NewStateReason)\"\s{0,3}:\s{0,3}"
    r"(\"(?:[^\"\\]|\\.){1,1500}\")"
)
"""The same, in JSON that was cut off or is otherwise broken: its values are whole JSON strings."""

ESCAPED = re.compile(r"\\([\"\\])")
"""What an envelope's message escapes once more."""


def notification(post: Post) -> Iterator[Told]:
    """Yield what the first text that holds an alarm's JSON tells."""
    for text in said(post, *Origin):
        if "{" in text and '"' in text:
            told = list(_of_text(text))
            if told:
                yield from told
                return


def _of_text(text: str) -> Iterator[Told]:
    found = first_object(text)
    data = _opened(found[0]) if found else {}
    reader = next((read for fits, read in SHAPES if fits(data)), None)
    facts = reader(data) if reader else _sns(_loose(text) or _loose(ESCAPED.sub(r"\1", text)))
    for fact, value in facts.items():
        if value:
            yield Told(fact, value, "JSON")


def _loose(text: str) -> dict[str, Any]:
    return {key: read_json(value) for key, value in LOOSE.findall(text)}


def _opened(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take an alarm out of the envelopes of SNS and of a function that SNS calls."""
    for _ in range(MAX_NESTED):
        records = data.get("Records")
        inner = records[0] if isinstance(records, list) and records else data.get("Sns") or data.get("Message")
        opened = read_json(inner) if isinstance(inner, str) else inner
        if not isinstance(opened, Mapping):
            break
        data = opened
    return data


def _sns(data: Mapping[str, Any]) -> dict[Fact, Any]:
    arn = ALARM_ARN.fullmatch(_text(data.get("AlarmArn")))
    trigger = _map(data.get("Trigger"))
    metric = next((m for m in _metrics(trigger.get("Metrics"), "MetricStat", "Metric") if m), trigger)
    return {
        Fact.NAME: _text(data.get("AlarmName")),
        Fact.STATE: _state(data.get("NewStateValue")),
        Fact.REGION: arn[1] if arn else region_of(_text(data.get("Region"))),
        Fact.ACCOUNT: _account(data.get("AWSAccountId")) or (arn[2] if arn else None),
        Fact.AT: moment_of(_text(data.get("StateChangeTime"))),
        Fact.REASON: _text(data.get("NewStateReason")),
        Fact.DESCRIPTION: _text(data.get("AlarmDescription")),
        Fact.NAMESPACE: _text(metric.get("Namespace")),
        Fact.METRIC: _text(metric.get("MetricName")),
        Fact.DIMENSIONS: _dimensions(metric.get("Dimensions")),
    }


def _event(data: Mapping[str, Any]) -> dict[Fact, Any]:
    """Read EventBridge's `detail`, or the `alarmData` that a function is called with: they have the same form."""
    detail = _map(data.get("detail")) or _map(data.get("alarmData"))
    state, configuration = _map(detail.get("state")), _map(detail.get("configuration"))
    metric = next((m for m in _metrics(configuration.get("metrics"), "metricStat", "metric") if m), {})
    return {
        Fact.NAME: _text(detail.get("alarmName")),
        Fact.STATE: _state(state.get("value")),
        Fact.REGION: region_of(_text(data.get("region"))),
        Fact.ACCOUNT: _account(data.get("account") or data.get("accountId")),
        Fact.AT: moment_of(_text(state.get("timestamp"))) or moment_of(_text(data.get("time"))),
        Fact.REASON: _text(state.get("reason")),
        Fact.DESCRIPTION: _text(configuration.get("description")),
        Fact.NAMESPACE: _text(metric.get("namespace")),
        Fact.METRIC: _text(metric.get("name")),
        Fact.DIMENSIONS: _dimensions(metric.get("dimensions")),
    }


SHAPES: tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], dict[Fact, Any]]], ...] = (
    (lambda d: "AlarmName" in d, _sns),
    (lambda d: "alarmName" in {**_map(d.get("detail")), **_map(d.get("alarmData"))}, _event),
)
"""Which shape an object has, and who reads it."""


def _metrics(value: Any, outer: str, inner: str) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else ():
        yield _map(_map(_map(item).get(outer)).get(inner))


def _dimensions(value: Any) -> dict[str, str]:
    if isinstance(value, list):
        return {
            _text(_map(d).get("name")): _text(_map(d).get("value")) for d in value[:30] if _text(_map(d).get("name"))
        }
    return {_text(key): _text(worth) for key, worth in list(_map(value).items())[:30]}


def _state(value: Any) -> AlarmState | None:
    return next((state for state in AlarmState if state.value == value), None)


def _account(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) else ""
    return text if re.fullmatch(r"[0-9]{12}", text) else None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value.strip()[:2000] if isinstance(value, str) else ""
