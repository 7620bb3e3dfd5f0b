"""botocore's own service models: which services sign under a name, and which operation a request is."""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

import botocore
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

LABEL = re.compile(r"\{(\w+)(\+?)\}")


@cache
def service_model(service: str) -> ServiceModel:
    """Return the model of a service by boto3's client name; raises UnknownServiceError."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def _signing_names() -> dict[str, tuple[str, ...]]:
    """Map every name of a credential scope to the services that sign with it."""
    names: dict[str, set[str]] = {}
    for path in (Path(botocore.__file__).parent / "data").glob("*/*/service-2.json.gz"):
        names.setdefault(_signing_name(path), set()).add(path.parent.parent.name)
    return {name: tuple(sorted(services)) for name, services in names.items()}


def _signing_name(path: Path) -> str:
    """Read the metadata only: nearly all files begin with them, and there are 470."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        head = file.read(3000)
        for key in ("signingName", "endpointPrefix"):
            found = re.search(rf'"{key}":"([^"]+)"', head)
            if found and '"operations"' in head:
                return found.group(1)
        metadata = json.loads(head + file.read())["metadata"]
    return str(metadata.get("signingName") or metadata["endpointPrefix"])


def services_signing_as(name: str) -> tuple[str, ...]:
    """Return the services whose requests carry this name in the credential scope, the one of that name first."""
    return tuple(sorted(_signing_names().get(name, ()), key=lambda service: (service != name, len(service), service)))


class Route(NamedTuple):
    """How the requests of one REST operation look."""

    operation: OperationModel
    method: str
    path: re.Pattern[str]
    literals: int  # characters of the path that are fixed: the more, the more specific
    query: dict[str, str]  # query parameters that the operation itself fixes
    needs_query: frozenset[str]
    needs_headers: frozenset[str]

    def fits(self, method: str, path: str, query: dict[str, str], headers: frozenset[str]) -> bool:
        """Tell whether a request can be this operation."""
        return (
            method == self.method
            and self.path.fullmatch(path) is not None
            and all(query.get(key) == value for key, value in self.query.items())
            and self.needs_query <= query.keys()
            and self.needs_headers <= headers
        )

    @property
    def weight(self) -> tuple[int, int]:
        """More fixed parts win over fewer."""
        return (len(self.query) + len(self.needs_query) + len(self.needs_headers), self.literals)


@cache
def routes(service: str) -> tuple[Route, ...]:
    """Return the routes of a REST service, the most specific first."""
    model = service_model(service)
    made = (_route(model.operation_model(name)) for name in model.operation_names)
    return tuple(sorted(made, key=lambda route: route.weight, reverse=True))


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern, at = "", 0
    for label in LABEL.finditer(path):
        pattern += re.escape(path[at : label.start()]) + f"(?P<{label.group(1)}>{'.+' if label.group(2) else '[^/]+'})"
        at = label.end()
    pattern += re.escape(path[at:])
    shape = operation.input_shape
    needed = {name: shape.members[name].serialization for name in shape.required_members} if shape else {}
    return Route(
        operation=operation,
        method=operation.http["method"],
        path=re.compile(pattern.rstrip("/") + "/?"),
        literals=len(LABEL.sub("", path)),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        needs_query=frozenset(s["name"] for s in needed.values() if s.get("location") == "querystring"),
        needs_headers=frozenset(s["name"].lower() for s in needed.values() if s.get("location") == "header"),
    )


def find_route(
    services: tuple[str, ...], method: str, path: str, query: dict[str, str], headers: frozenset[str]
) -> Route | None:
    """Return the operation a REST request asks for, over all services that may be meant."""
    fitting = (
        route
        for service in services
        if service_model(service).protocol.startswith("rest")
        for route in routes(service)
        if route.fits(method, path, query, headers)
    )
    return max(fitting, key=lambda route: route.weight, default=None)


def labels_of(route: Route, path: str) -> dict[str, str]:
    """Return the values that stand in a request's path, by the input's member names."""
    match = route.path.fullmatch(path)
    found = match.groupdict() if match else {}
    shape = route.operation.input_shape
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()} if shape else {}
    return {names.get(label, label): unquote(value) for label, value in found.items()}
