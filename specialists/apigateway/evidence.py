"""What can be seen of an API: how it is set up, where it leads; what guards it is in `guards`.

REST: https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
HTTP: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/resources.html
"""

import re
from enum import StrEnum
from functools import lru_cache

from pydantic import AwareDatetime

from domain.evidence import Evidence
from domain.values import Value
from specialists.apigateway.policy import Policy


class Protocol(StrEnum):
    """What kind of API it is."""

    REST = "REST"
    HTTP = "HTTP"
    WEBSOCKET = "WEBSOCKET"


class ApiConfig(Evidence, kind="apigateway.api"):
    """The API itself. `cors` is None where nothing is configured on the API (REST APIs configure it per method)."""

    exists: bool = True
    protocol: Protocol | None = None
    name: str = ""
    endpoint_types: tuple[str, ...] = ()  # EDGE, REGIONAL, PRIVATE
    vpc_endpoint_ids: tuple[str, ...] = ()
    default_endpoint_disabled: bool = False
    cors: tuple[str, ...] | None = None  # allowed origins
    policy: Policy | None = None

    @property
    def private(self) -> bool:
        """Whether it answers only inside a VPC."""
        return "PRIVATE" in self.endpoint_types

    def summary(self) -> str:
        """Say what kind of API it is, or that there is none."""
        if not self.exists:
            return "No REST, HTTP or WebSocket API has this id in this account and Region"
        where = f", {' and '.join(self.endpoint_types)} endpoint" if self.endpoint_types else ""
        policy = "" if self.policy is None else f", resource policy with {len(self.policy.statements)} statements"
        return f"{self.protocol} API `{self.name}`{where}{policy}"


class Throttle(Value):
    """A limit of a stage: `method` as API Gateway names it ("*/*", "/orders/POST"); requests a second, and burst."""

    method: str
    rate: float | None = None
    burst: int | None = None


class StageConfig(Evidence, kind="apigateway.stage"):
    """One stage. `access_log_fields` maps the keys of a JSON access log to API Gateway's `$context` variables."""

    stage: str
    deployment_id: str | None = None
    last_updated_at: AwareDatetime | None = None
    auto_deploy: bool = False
    canary_deployment_id: str | None = None
    execution_logging: str = "OFF"  # the most verbose level of any method: OFF, ERROR, INFO
    access_log_group: str | None = None
    access_log_fields: dict[str, str] = {}
    throttles: tuple[Throttle, ...] = ()
    variable_names: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say what the stage runs, its limits and its logs."""
        limits = (
            ", ".join(f"{t.method} {t.rate:g}/s" for t in self.throttles if t.rate is not None) or "none of its own"
        )
        logs = f"execution log {self.execution_logging}, access log {'on' if self.access_log_group else 'off'}"
        return f"Stage `{self.stage}` runs deployment {self.deployment_id or 'unknown'}; throttles {limits}; {logs}"


class Deployment(Evidence, kind="apigateway.deployment"):
    """The snapshot that a stage serves. `methods` are "POST /orders"; None where AWS did not list them."""

    stage: str
    deployment_id: str
    created_at: AwareDatetime
    methods: tuple[str, ...] | None = None

    def summary(self) -> str:
        """Say when the snapshot was made."""
        size = "" if self.methods is None else f" with {len(self.methods)} methods"
        made = f"{self.created_at:%Y-%m-%d %H:%M} UTC"
        return f"Stage `{self.stage}` serves deployment {self.deployment_id}{size}, made {made}"


class Route(Value):
    """A method of a REST API or a route of an HTTP API, with its integration.

    `function` is the Lambda function's ARN without qualifier, stage variables resolved; `timeout_ms` the
    integration's; `has_default_response` tells whether an unmatched answer of a non-proxy integration is mapped.
    """

    method: str  # "ANY" for all
    path: str  # "/orders/{id}", "/{proxy+}", "$default"
    authorization: str = "NONE"  # NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS, JWT
    authorizer_id: str | None = None
    api_key_required: bool = False
    validated: bool = False
    integration: str = ""  # AWS_PROXY, AWS, HTTP_PROXY, HTTP, MOCK
    endpoint: str = ""  # host of an HTTP integration, or the AWS service's path
    function: str | None = None
    qualifier: str | None = None
    timeout_ms: int | None = None
    vpc_link_id: str | None = None
    credentials: str | None = None

    @property
    def label(self) -> str:
        """How people call it: "POST /orders"."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"

    def takes(self, method: str, path: str) -> bool:
        """Tell whether a request of that method and path (without stage) comes here."""
        if self.path == "$default":
            return True
        return self.method in {"ANY", method.upper()} and _template(self.path).fullmatch(path) is not None


@lru_cache(maxsize=2048)
def _template(path: str) -> re.Pattern[str]:
    """Return what a path template matches: `{id}` one part, `{proxy+}` the rest."""
    parts = re.split(r"(\{[^{}]*\})", path.rstrip("/") or "/")
    text = "".join((".+" if p.endswith("+}") else "[^/]+") if p.startswith("{") else re.escape(p) for p in parts)
    return re.compile(text + ("" if text.endswith("/") else "/?"))


class Routes(Evidence, kind="apigateway.routes"):
    """What the API's configuration routes where, as it stands now; a stage may serve an older deployment."""

    routes: tuple[Route, ...] = ()
    truncated: bool = False

    def route_for(self, method: str, path: str) -> Route | None:
        """Return the most specific route that takes the request, or None."""
        fits = [route for route in self.routes if route.takes(method, path)]
        exact = sorted(fits, key=lambda r: (r.path == "$default", "+}" in r.path, r.path.count("{"), r.method == "ANY"))
        return exact[0] if exact else None

    def summary(self) -> str:
        """Say how many routes there are and name the first."""
        shown = ", ".join(route.label for route in self.routes[:4])
        return f"{'at least ' if self.truncated else ''}{len(self.routes)} routes{': ' if shown else ''}{shown}"


class Authorizer(Evidence, kind="apigateway.authorizer"):
    """One authorizer that a route uses. `ttl_seconds` is how long its answers are cached; 0: not at all."""

    authorizer_id: str
    exists: bool = True
    name: str = ""
    type: str = ""  # TOKEN, REQUEST, COGNITO_USER_POOLS, JWT
    function: str | None = None
    qualifier: str | None = None
    identity_sources: tuple[str, ...] = ()
    ttl_seconds: int | None = None
    issuer: str | None = None
    audience: tuple[str, ...] = ()
    user_pools: tuple[str, ...] = ()
    credentials: str | None = None

    def summary(self) -> str:
        """Say what checks the requests."""
        if not self.exists:
            return f"Authorizer {self.authorizer_id} does not exist, though a route names it"
        by = f" by `{self.function.rsplit(':', 1)[-1]}`" if self.function else ""
        cached = f", answers cached {self.ttl_seconds} s" if self.ttl_seconds else ""
        return (
            f"Authorizer `{self.name}` ({self.type}){by}, reads {', '.join(self.identity_sources) or 'nothing'}{cached}"
        )


class GatewayResponses(Evidence, kind="apigateway.gateway_responses"):
    """The gateway responses that were customised, and those of them that send CORS headers."""

    customised: tuple[str, ...] = ()
    with_cors: tuple[str, ...] = ()

    def summary(self) -> str:
        """Name the customised ones."""
        own, cors = ", ".join(self.customised) or "none", ", ".join(self.with_cors) or "none"
        return f"Customised gateway responses: {own}; with CORS headers: {cors}"


class VpcLink(Evidence, kind="apigateway.vpc_link"):
    """A way into a VPC that an integration uses."""

    link_id: str
    exists: bool = True
    status: str = ""  # AVAILABLE, PENDING, DELETING, FAILED, INACTIVE
    message: str = ""

    @property
    def usable(self) -> bool:
        """Whether requests can go through."""
        return self.exists and self.status in {"AVAILABLE", ""}

    def summary(self) -> str:
        """Say what state it is in."""
        if not self.exists:
            return f"VPC link {self.link_id} does not exist"
        return f"VPC link {self.link_id} is {self.status}{': ' if self.message else ''}{self.message}"


class PathMapping(Value):
    """One path of a custom domain and where it leads; "" is the root."""

    path: str
    api_id: str
    stage: str


class DomainMappings(Evidence, kind="apigateway.domain_mappings"):
    """Where a custom domain's paths lead."""

    domain: str
    exists: bool = True
    mappings: tuple[PathMapping, ...] = ()

    def mapping_for(self, path: str) -> PathMapping | None:
        """Return the longest mapping that takes the path, or None: then API Gateway refuses the request."""
        fits = [m for m in self.mappings if not m.path or f"{path}/".startswith(f"/{m.path}/")]
        return max(fits, key=lambda m: len(m.path), default=None)

    def summary(self) -> str:
        """Name the mapped paths."""
        if not self.exists:
            return f"{self.domain} is not a custom domain of API Gateway in this account and Region"
        shown = ", ".join(f"/{m.path} → {m.api_id}/{m.stage}" for m in self.mappings[:6])
        return f"Custom domain {self.domain} maps {shown or 'no path at all'}"


class MissingLogGroup(Evidence, kind="apigateway.missing_log_group"):
    """A log group that API Gateway would write to and that is not there: nothing was logged."""

    log_group: str

    def summary(self) -> str:
        """Name it."""
        return f"Log group {self.log_group} does not exist"
