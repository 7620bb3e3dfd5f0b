"""One call as the proxy saw it: who asked which operation of which service, where, with what."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel

from aws.reads import ACCESS_LEVEL
from sandbox.aws import models

SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
UNKNOWN = "unknown"
NO_CHANGE = frozenset({("sts", "AssumeRole"), ("sts", "GetCallerIdentity")})
"""Operations that change nothing although their names do not begin like a read, and the one every client may make."""


@dataclass(frozen=True)
class Call:
    """One request to AWS.

    `service` is boto3's client name and `operation` the API's ("dynamodb", "DescribeTable"); both are "unknown" for
    a request that no service model describes. `parameters` have the API's names; a REST body that is not JSON is not
    read. `protocol` is the one the client spoke: json, rest-json, query, ec2 or rest-xml.
    """

    service: str
    operation: str
    region: str
    access_key: str
    account: str
    protocol: str
    method: str
    parameters: Mapping[str, Any]
    at: datetime
    model: OperationModel | None = None

    @property
    def name(self) -> str:
        """`dynamodb:DescribeTable`."""
        return f"{self.service}:{self.operation}"

    @property
    def write(self) -> bool:
        """Whether it may change something; a call that cannot be identified counts as a write."""
        return (self.service, self.operation) not in NO_CHANGE and not ACCESS_LEVEL.match(self.operation)

    def asks_for(self, when: Mapping[str, Any]) -> bool:
        """Tell whether the call carries all of these parameters."""
        return all(self.parameters.get(key) == value for key, value in when.items())


def identify(
    method: str, raw_path: str, headers: Mapping[str, str], body: bytes, accounts: Mapping[str, str], home: str
) -> Call:
    """Name a request by its credential scope and X-Amz-Target, Action or path; `accounts` maps access keys."""
    path, _, raw_query = raw_path.partition("?")
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    signed = headers.get("Authorization") or f"Credential={query.get('X-Amz-Credential', '')}"
    scope = SCOPE.search(signed)
    key, region, name = (scope["key"], scope["region"], scope["service"]) if scope else ("", "", "")
    services = models.services_signing_as(name)
    model, protocol, parameters = _operation(method, path, query, headers, body, services)
    return Call(
        service=model.service_model.service_name if model else UNKNOWN,
        operation=model.name if model else UNKNOWN,
        region=region,
        access_key=key,
        account=accounts.get(key, key if re.fullmatch(r"\d{12}", key) else home),
        protocol=protocol,
        method=method,
        parameters=parameters,
        at=datetime.now(UTC),
        model=model,
    )


Named = tuple[OperationModel | None, str, dict[str, Any]]


def _operation(
    method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: bytes, services: tuple[str, ...]
) -> Named:
    if target := headers.get("X-Amz-Target"):
        return _named_by_target(target, body, services)
    if "x-www-form-urlencoded" in headers.get("Content-Type", "") or "Action" in query:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True)) or query
        if "Action" in form:
            return _named_by_action(form, services)
    lowered = frozenset(name.lower() for name in headers)
    route = models.find_route(services, method, path, query, lowered)
    if route is None:
        return None, "rest-json", {}
    parameters: dict[str, Any] = {
        **_json(body),
        **_query_members(route.operation, query),
        **models.labels_of(route, path),
    }
    return route.operation, route.operation.service_model.protocol, parameters


def _named_by_target(target: str, body: bytes, services: tuple[str, ...]) -> Named:
    prefix, _, operation = target.rpartition(".")
    for service in services:
        model = models.service_model(service)
        if model.metadata.get("targetPrefix") == prefix and operation in model.operation_names:
            return model.operation_model(operation), "json", _json(body)
    return None, "json", _json(body)


def _named_by_action(form: dict[str, str], services: tuple[str, ...]) -> Named:
    for service in services:
        model = models.service_model(service)
        if form.get("Version") == model.metadata["apiVersion"] and form["Action"] in model.operation_names:
            protocol = "ec2" if model.protocol == "ec2" else "query"
            return model.operation_model(form["Action"]), protocol, unflattened(form)
    return None, "query", unflattened(form)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _query_members(operation: OperationModel, query: dict[str, str]) -> dict[str, str]:
    shape = operation.input_shape
    members = shape.members.items() if shape else ()
    names = {
        m.serialization.get("name", name): name
        for name, m in members
        if m.serialization.get("location") == "querystring"
    }
    return {names[key]: value for key, value in query.items() if key in names}


def unflattened(form: Mapping[str, str]) -> dict[str, Any]:
    """Turn `Names.member.1=a` into `{"Names": ["a"]}`: the query protocol's lists and structures."""
    tree: dict[str, Any] = {}
    for key, value in form.items():
        *parents, last = key.split(".")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = value
    return {key: _collapsed(value) for key, value in tree.items() if key not in {"Action", "Version"}}


def _collapsed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"}:
        return _collapsed(node["member"])
    if all(key.isdigit() for key in node):
        return [_collapsed(node[key]) for key in sorted(node, key=int)]
    return {key: _collapsed(value) for key, value in node.items()}
