"""Calls of the target that were denied, and which VPC endpoint's policy did or may have done it. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.evidence import Evidence, EvidenceBundle
from domain.resource import Resource
from domain.trace import TraceCall, TraceSegment
from specialists.kit.loglines import LogLines
from specialists.vpc.attempts import called_by
from specialists.vpc.destinations import ANYWHERE, Destination, of_service
from specialists.vpc.map import Map
from specialists.vpc.network import Endpoint
from specialists.vpc.policies import lets_through
from specialists.vpc.reachability import endpoint_for
from specialists.vpc.texts import DENIED, ENDPOINT_DENIAL, ON, OTHER_POLICY

FORBIDDEN = 403

S3_ACTIONS = {
    "HeadObject": "s3:GetObject",
    "CopyObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
}
"""Where S3's operation is permitted by an action of another name."""

CALLED = re.compile(r"\((?:AccessDenied\w{0,20}|403|Forbidden)\) when calling the (?P<operation>\w{2,60}) operation")


class Refusal(NamedTuple):
    """One denied call. `by_endpoint`: AWS says itself that an endpoint's policy denied it."""

    action: str
    resource: str
    destination: Destination
    by_endpoint: bool
    evidence: Evidence
    at: datetime | None


def refusals(seen: EvidenceBundle, target: Resource) -> tuple[Refusal, ...]:
    """Return the target's denied calls that an endpoint's policy denied or may have denied, oldest first."""
    found = [
        refusal
        for item, text, at in _texts(seen, target)
        if (refusal := _read(item, text, at)) is not None and (refusal.by_endpoint or not OTHER_POLICY.search(text))
    ]
    return tuple(sorted(found, key=lambda refusal: (str(refusal.at), refusal.action, refusal.resource)))


def refusing_endpoints(network: Map, refusal: Refusal) -> tuple[Endpoint, ...]:
    """Return the endpoints whose policies deny the call: all that serve it if AWS blames one, else those on its way."""
    if refusal.by_endpoint:
        serving = [e for e in network.endpoints if e.service == refusal.destination.service]
    else:
        ways = (endpoint_for(network, subnet, refusal.destination) for subnet in network.own_subnets)
        serving = [e for e in ways if e is not None]
    denying = {e.id: e for e in serving if lets_through(e, refusal.action, refusal.resource) is False}
    return tuple(denying[name] for name in sorted(denying))


def _texts(seen: EvidenceBundle, target: Resource) -> Iterator[tuple[Evidence, str, datetime]]:
    for call in seen.of(TraceCall):
        if call.caller == target.id and call.failed:
            said = " ".join(f"{error.code or error.type}: {error.message}" for error in call.errors)
            yield call, said or ("AccessDenied" if call.http_status == FORBIDDEN else ""), call.start
    for segment in seen.of(TraceSegment, target.id):
        yield from ((segment, f"{error.type}: {error.message}", segment.start) for error in segment.errors)
    for lines in seen.of(LogLines, target.id):
        yield from ((lines, event.message, event.at) for event in lines.events)


def _read(item: Evidence, text: str, at: datetime) -> Refusal | None:
    if not DENIED.search(text):
        return None
    named, by_endpoint = ON.search(text), ENDPOINT_DENIAL.search(text) is not None
    if named is not None:
        action, resource = named["action"], named["resource"] or ""
        return Refusal(action, resource.rstrip(".,;"), _of_action(action), by_endpoint, item, at)
    if isinstance(item, TraceCall) and item.operation:
        where = called_by(item)
        resource = item.resource if item.resource.startswith("arn:") else ""
        return Refusal(_action(where.service, item.operation), resource, where, by_endpoint, item, at)
    # botocore's short form names no service; S3 alone refuses so tersely.
    terse = CALLED.search(text)
    if terse is None:
        return Refusal("", "", ANYWHERE, by_endpoint, item, at) if by_endpoint else None
    action = _action("s3", terse["operation"])
    return Refusal(action, "", _of_action(action), by_endpoint, item, at)


def _of_action(action: str) -> Destination:
    return of_service(action.split(":", maxsplit=1)[0]) or ANYWHERE


def _action(service: str, operation: str) -> str:
    if service == "s3":
        return S3_ACTIONS.get(operation, f"s3:{operation}")
    return "lambda:InvokeFunction" if (service, operation) == ("lambda", "Invoke") else f"{service}:{operation}"


EXECUTE_API = "execute-api"


def swallowed(seen: EvidenceBundle, target: Resource, network: Map) -> tuple[tuple[TraceCall, ...], Endpoint | None]:
    """Return the target's calls of APIs that were refused, and the endpoint with private names that they went through.

    https://repost.aws/knowledge-center/api-gateway-vpc-connections
    """
    refused = [c for c in seen.of(TraceCall) if c.caller == target.id and c.http_status == FORBIDDEN]
    calls = tuple(c for c in refused if called_by(c).service == EXECUTE_API)
    ways = (endpoint_for(network, subnet, called_by(calls[0])) for subnet in network.own_subnets) if calls else ()
    return calls, next((way for way in ways if way is not None and not way.gateway), None)
