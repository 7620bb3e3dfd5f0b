"""APIs of a scenario: their hours of traffic, their logs, the requests they refuse, and people who change them."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from evals.scenarios._functions import HISTORY_MINUTES, LOGGED_MINUTES, whole_minute
from evals.scenarios._journeys import Journey
from sandbox.aws import segments, signals
from sandbox.aws.documents import Document
from sandbox.aws.segments import Stage
from sandbox.aws.signals import counted, outcomes
from sandbox.aws.world import World

EXECUTION = "API-Gateway-Execution-Logs_"
ACCESS_FORMAT = {
    "requestId": "$context.requestId",
    "httpMethod": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "errorType": "$context.error.responseType",
    "errorMessage": "$context.error.message",
    "integrationStatus": "$context.integration.integrationStatus",
}
"""An access log format for REST APIs, as JSON."""


class Failing(NamedTuple):
    """A share of an API's requests that is answered with `status` from `since` on, after so many milliseconds."""

    status: int
    since: datetime
    share: float = 1.0
    milliseconds: float = 12.0
    until: datetime | None = None

    def at(self, moment: datetime) -> float:
        """Return the share at a moment."""
        return self.share if self.since <= moment and not (self.until and moment >= self.until) else 0.0


def api_traffic(
    world: World, where: Mapping[str, str], a_minute: int, milliseconds: float, *failing: Failing, http: bool = False
) -> None:
    """Report four hours of an API's requests; `where` are the dimensions without the stage's."""
    noise = random.Random(f"{world.seed} {sorted(where.items())}")
    start = whole_minute(world, HISTORY_MINUTES)
    total: list[Mapping[float, float]] = []
    errors: dict[str, list[Mapping[float, float]]] = {"4": [], "5": []}
    latency: list[Mapping[float, float]] = []
    for number in range(HISTORY_MINUTES):
        at, count = start + timedelta(minutes=number), max(1, round(a_minute * noise.uniform(0.92, 1.08)))
        bad = {kind: sum(f.at(at) for f in failing if str(f.status)[0] == kind) * count for kind in errors}
        total.append(counted(count))
        for kind, values in errors.items():
            values.append(outcomes(round(bad[kind]), count))
        slow = {f.milliseconds: round(f.at(at) * count) for f in failing if round(f.at(at) * count)}
        good = count - sum(slow.values())
        usual = {milliseconds: round(good * 0.8), milliseconds * 1.7: good - round(good * 0.8)}
        latency.append({value: times for value, times in {**usual, **slow}.items() if times > 0})
    names = ("4xx", "5xx") if http else ("4XXError", "5XXError")
    rows = (("Count", total), (names[0], errors["4"]), (names[1], errors["5"]), ("Latency", latency))
    stage = {"Stage": "$default" if http else "prod"}
    for dimensions in (dict(where), {**where, **stage}):
        for name, values in (*rows, ("IntegrationLatency", latency)):
            unit = "Milliseconds" if name.endswith("Latency") else "Count"
            signals.metric(world, "AWS/ApiGateway", name, dimensions, values, start=start, unit=unit)


def access_log(world: World, stage: Stage, group: str, rows: Iterable[tuple[datetime, Mapping[str, Any]]]) -> None:
    """Let the stage of a REST API write an access log, and write these lines; keys as in ACCESS_FORMAT."""
    arn = signals.log(world, group, [(at, _line(world, row, ACCESS_FORMAT)) for at, row in rows])
    patches = {"destinationArn": arn, "format": json.dumps(ACCESS_FORMAT)}
    patch_stage(world, stage, {f"/accessLogSettings/{key}": value for key, value in patches.items()})


HTTP_ACCESS_FORMAT = {
    "requestId": "$context.requestId",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "authorizerError": "$context.authorizer.error",
    "integrationStatus": "$context.integrationStatus",
    "integrationError": "$context.integrationErrorMessage",
}
"""An access log format for HTTP APIs, as JSON."""


def http_access_log(world: World, api_id: str, group: str, rows: Iterable[tuple[datetime, Mapping[str, Any]]]) -> None:
    """Let an HTTP API write an access log, and write these lines; keys as in HTTP_ACCESS_FORMAT."""
    arn = signals.log(world, group, [(at, _line(world, row, HTTP_ACCESS_FORMAT)) for at, row in rows])
    settings = {"DestinationArn": arn, "Format": json.dumps(HTTP_ACCESS_FORMAT)}
    stage = {"StageName": "$default", "AutoDeploy": True, "AccessLogSettings": settings}
    world.aws.amend("apigatewayv2", "GetStages", {"Items": [stage]}, when={"ApiId": api_id})


def _line(world: World, row: Mapping[str, Any], shape: Mapping[str, str]) -> str:
    given = {key: str(row.get(key, "-")) for key in shape}
    return json.dumps({**given, "requestId": world.ids.request()})


def patch_stage(world: World, stage: Stage, patches: Mapping[str, str]) -> None:
    """Set what a stage is set to; `patches` are patch paths and values."""
    operations = [{"op": "replace", "path": path, "value": value} for path, value in patches.items()]
    world.client("apigateway").update_stage(restApiId=stage.api_id, stageName=stage.stage, patchOperations=operations)


def guard_route(world: World, stage: Stage, method: str, path: str, function: str, **settings: Any) -> None:
    """Make a route of a REST API ask for something, such as `apiKeyRequired`; settings go to PutMethod."""
    client = world.client("apigateway")
    found = client.get_resources(restApiId=stage.api_id)["items"]
    given = {
        "restApiId": stage.api_id,
        "resourceId": next(item["id"] for item in found if item["path"] == path),
        "httpMethod": method,
    }
    client.put_method(**given, **{"authorizationType": "NONE", **settings})
    uri = f"arn:aws:apigateway:{world.region}:lambda:path/2015-03-31/functions/{function}/invocations"
    client.put_integration(**given, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)


def execution_log(
    world: World, stage: Stage, method: str, path: str, status: int, said: Sequence[str], times: Iterable[datetime]
) -> None:
    """Write the execution log of failed requests; `said` are API Gateway's own lines of each.

    Texts: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    events: list[tuple[datetime, str]] = []
    for at in times:
        request = world.ids.request()
        lines = [
            f"Extended Request Id: {world.ids.hex(12)}=",
            f"Starting execution for request: {request}",
            f"HTTP Method: {method}, Resource Path: {path}",
            *said,
            f"Method completed with status: {status}",
        ]
        events += [(at + timedelta(milliseconds=n), f"({request}) {line}") for n, line in enumerate(lines)]
    signals.log(world, f"{EXECUTION}{stage.api_id}/{stage.stage}", events)


def moments(world: World, since: datetime, *, every: int = 30, until: datetime | None = None) -> list[datetime]:
    """Return a moment each so many seconds, but not before the logs begin."""
    first = max(since, whole_minute(world, LOGGED_MINUTES)) + timedelta(seconds=7)
    seconds = ((until or world.now) - first).total_seconds()
    return [first + timedelta(seconds=n) for n in range(0, max(0, int(seconds)), every)]


class ApiJourney(Journey):
    """A traced request whose API does not simply call a function."""

    def refused(
        self, stage: Stage, method: str, path: str, status: int, seconds: float = 0.004, *, call: Document | None = None
    ) -> None:
        """Let API Gateway answer without calling an integration; `call` is the caller's, where it is traced."""
        nothing = segments.lambda_integration(self.place, "none", self._start(0), seconds)
        segment = segments.stage_segment(
            self.place, stage, method, path, self._start(0), seconds, status=status, integration=nothing
        )
        above = {"parent_id": call["id"]} if call else {}
        self.add({key: value for key, value in segment.items() if key != "subsegments"} | above)

    def forwarded(self, stage: Stage, method: str, path: str, status: int, seconds: float, call: Document) -> None:
        """Let a stage pass the request on by this call, such as one of an HTTP endpoint."""
        self.add(
            segments.stage_segment(
                self.place, stage, method, path, self._start(0), seconds, status=status, integration=call
            )
        )


def api_changed(world: World, name: str, *, who: str, when: datetime, **request: Any) -> str:
    """Record a change of an API; CloudTrail names no resource for it. Returns the event's id."""
    return signals.cloudtrail_event(world, name, "apigateway", [], who=who, when=when, request=request)
