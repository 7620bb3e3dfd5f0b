"""Where a failed connection went: read from error texts of every runtime and driver, and from calls of the trace. Pure.

Names of service endpoints: https://docs.aws.amazon.com/general/latest/gr/rande.html
"""

import re
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from domain.values import Value

HTTPS = 443
MAX_TEXT = 4_000


class Place(StrEnum):
    """What kind of place a destination is."""

    INTERNET = "the internet"
    SERVICE = "an AWS service"
    PRIVATE = "a private address"
    HOST = "a host whose address is not known"
    ANYWHERE = "a destination that no text names"


class Destination(Value):
    """Somewhere to connect to.

    `service` is the endpoint's name for AWS services ("sqs") and `region` the Region in its host's name, `address` an
    IPv4 or IPv6 address, `port` None where it is not told.
    """

    place: Place
    service: str = ""
    region: str = ""
    host: str = ""
    address: str = ""
    port: int | None = None

    @property
    def ipv6(self) -> bool:
        """Whether it has an IPv6 address."""
        return ":" in self.address

    def __str__(self) -> str:
        name = self.host or self.address or (f"AWS service `{self.service}`" if self.service else self.place.value)
        shown = f"[{name}]" if name == self.address and self.ipv6 and self.port else name
        if shown == name and self.service and not (self.host or self.address):
            return name
        return f"`{shown}:{self.port}`" if self.port else f"`{shown}`" if self.host or self.address else name


ANYWHERE = Destination(place=Place.ANYWHERE)


class How(StrEnum):
    """How a connection failed. Only the first says by itself that packets got lost."""

    CONNECT = "no connection"
    READ = "no answer"
    UNTOLD = "ran out of time"


class Attempt(Value):
    """One failed connection of a text."""

    how: How
    destination: Destination


DATA_HOSTS = re.compile(
    r"\.(?:rds|cache|redshift|docdb|neptune|es|aoss|kafka|memorydb|dax-clusters|efs|fsx|elb|mq)\.", re.IGNORECASE
)
"""Clusters and load balancers: AWS's names, but hosts of one's own in some VPC."""

SERVICE_HOST = re.compile(
    r"(?:[\w-]{1,63}\.){0,5}?(?P<service>(?:api|runtime|streams|dkr)\.[a-z][\w-]{1,40}|[a-z][\w-]{1,40}?)"
    r"(?:[.-]dualstack)?[.-](?P<region>[a-z]{2}(?:-[a-z]{2,8}){1,2}-\d)\.(?:amazonaws\.com(?:\.cn)?|api\.aws|vpce\.amazonaws\.com)",
    re.IGNORECASE,
)
GLOBAL_HOST = re.compile(
    r"(?:[\w-]{1,63}\.){0,4}(?P<service>s3|sts|iam|sqs|route53|cloudfront)\.amazonaws\.com", re.IGNORECASE
)
ENDPOINT_NAMES = {
    "queue": "sqs",
    "kinesis": "kinesis-streams",
    "api.ecr": "ecr.api",
    "runtime.sagemaker": "sagemaker.runtime",
    "streams.dynamodb": "dynamodb-streams",
    "ddb": "dynamodb",
    "dkr.ecr": "ecr.dkr",
}
"""Where the service in an endpoint's host name is not the service of the VPC endpoint."""

SDK_NAMES = {
    "dynamodbv2": "dynamodb",
    "stepfunctions": "states",
    "sfn": "states",
    "eventbridge": "events",
    "cloudwatchevents": "events",
    "cloudwatch": "monitoring",
    "cloudwatchlogs": "logs",
    "kinesis": "kinesis-streams",
    "ses": "email",
    "sesv2": "email",
    "simplesystemsmanagement": "ssm",
    "securitytokenservice": "sts",
    "bedrockruntime": "bedrock-runtime",
    "awslambda": "lambda",
    "ecr": "ecr.api",
    "sagemakerruntime": "sagemaker.runtime",
}
"""What SDKs call a service in a trace, lower case without spaces, where the VPC endpoint has another name."""

_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_IPV6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9_-]{0,62}\.){1,8}[A-Za-z][A-Za-z0-9-]{1,62}"

URL = re.compile(r"\bhttps?://[^\s\"'<>\\)]{1,400}", re.IGNORECASE)
POOL = re.compile(rf"host='?(?P<host>{_HOST}|{_IPV4})'?,? port=(?P<port>\d{{1,5}})", re.IGNORECASE)
SERVER_AT = re.compile(
    rf"server at \"(?P<host>[^\"]{{1,253}})\"(?: \((?P<address>{_IPV4}|{_IPV6})\))?,? port (?P<port>\d{{1,5}})",
    re.IGNORECASE,
)
HOST_SLASH_IP = re.compile(rf"(?P<host>{_HOST})/(?P<address>{_IPV4}|\[?{_IPV6}\]?)(?::(?P<port>\d{{1,5}}))?")
BRACKETED = re.compile(rf"(?P<host>{_HOST}|{_IPV4}):(?P<port>\d{{1,5}}) \[[^\]/]{{0,253}}/(?P<address>{_IPV4})[,\]]")
ADDRESS_PORT = re.compile(
    rf"(?<![\w.:])(?:::ffff:)?(?:\[(?:::ffff:)?(?P<mapped>{_IPV4})\]|(?P<four>{_IPV4})|\[(?P<six>{_IPV6})\])"
    rf":(?P<port>\d{{1,5}})\b"
)
BARE_IPV6_PORT = re.compile(rf"E\w{{6,12}} (?P<six>{_IPV6}):(?P<port>\d{{1,5}})(?![\d:])")
HOST_PORT = re.compile(rf"(?<![\w.@/])(?P<host>{_HOST}):(?P<port>\d{{2,5}})\b")
QUOTED_HOST = re.compile(rf"(?:server on|host|to|connecting to|address) '?\"?(?P<host>{_HOST}|{_IPV4})", re.IGNORECASE)

LOST = re.compile(
    r"\bETIMEDOUT\b|\bECONNABORTED\b|\bE(?:NET|HOST)UNREACH\b|UND_ERR_CONNECT_TIMEOUT"
    r"|Connect\w{0,8}[ _-]?Time(?:d[ _-]?)?out|connect(?:ion)?(?: attempt)?(?: to [^\r\n]{1,200})? timed? ?out"
    r"|connect(?:ion)? timeout on endpoint|Connection timed out|connect timed out"
    r"|dial tcp [^\r\n]{1,200}(?:i/o timeout|timed out)"
    r"|Network is unreachable|No route to host|Net::OpenTimeout|OpenTimeout|Could not connect to the endpoint URL"
    r"|Can't connect to [^\r\n]{1,200}timed out|failed to open TCP connection|Failed to establish a new connection"
    r"|ServerSelectionTimeout|server at [^\r\n]{1,300}timeout expired|connected party did not properly respond"
    r"|The connection attempt failed|Communications link failure|Timeout connecting to|\[Errno 1(?:10|01|13)\]"
    r"|Unable to connect to [^\r\n]{1,200}(?:timeout|timed out)|execution expired",
    re.IGNORECASE,
)
UNANSWERED = re.compile(
    r"Read[ _-]?timed? ?out|ReadTimeout|read timeout|SocketTimeout|Client\.Timeout exceeded|deadline exceeded"
    r"|Request timed out|socket hang up|TimeoutError|RequestTimeout|HttpTimeoutException|ApiCallTimeout"
    r"|ApiCallAttemptTimeout|TaskCanceledException",
    re.IGNORECASE,
)
RAN_OUT = re.compile(r"Task timed out after \d{1,4}\.\d{1,3} seconds|Sandbox\.Timedout")
REFUSED = re.compile(r"ECONNREFUSED|Connection refused|actively refused|ConnectionRefused", re.IGNORECASE)

UNRESOLVED = re.compile(
    r"\bENOTFOUND\b|\bEAI_AGAIN\b|getaddrinfo|name resolution|Name or service not known|UnknownHost|no such host"
    r"|nodename nor servname",
    re.IGNORECASE,
)
"""A name that did not resolve: nothing was ever sent."""

MENTIONS = (
    '?"timed out" ?ETIMEDOUT ?EHOSTUNREACH ?ENETUNREACH ?timeout ?Timeout ?TIMEOUT ?unreachable ?"No route to host" '
    '?"Could not connect" ?"Can\'t connect" ?"connection attempt failed" ?"link failure" ?"new connection" '
    '?"execution expired" ?"deadline exceeded" ?EFS ?"endpoint polic" ?"not authorized" ?AccessDenied ?Invalid ?ENI '
    '?EC2 ?Subnet ?ENOTFOUND ?resolution ?getaddrinfo ?"no such host"'
)
"""CloudWatch's filter for lines of a log that `attempt_in` or the rules may understand."""


@lru_cache(maxsize=4096)
def attempt_in(text: str) -> Attempt | None:
    """Return the failed connection that a text speaks of; None where it was refused or had no address to go to."""
    part = text[:MAX_TEXT]
    if REFUSED.search(part) or UNRESOLVED.search(part):
        return None
    for how, pattern in ((How.CONNECT, LOST), (How.READ, UNANSWERED), (How.UNTOLD, RAN_OUT)):
        if pattern.search(part):
            return Attempt(how=how, destination=ANYWHERE if how is How.UNTOLD else _named(part))
    return None


def _named(text: str) -> Destination:
    """Return the destination that a text names, the surest form first."""
    for pattern in (SERVER_AT, BRACKETED, POOL, HOST_SLASH_IP):
        if found := pattern.search(text):
            parts = found.groupdict()
            return destination(parts["host"], parts.get("address") or "", _port(parts.get("port")))
    if found := ADDRESS_PORT.search(text):
        address = found["mapped"] or found["four"] or found["six"]
        url = URL.search(text)
        return destination(host_and_port(url[0])[0] if url else "", address, _port(found["port"]))
    if found := BARE_IPV6_PORT.search(text):
        return destination("", found["six"], _port(found["port"]))
    if found := URL.search(text):
        return destination(*host_and_port(found[0]))
    if found := HOST_PORT.search(text):
        return destination(found["host"], "", _port(found["port"]))
    found = QUOTED_HOST.search(text)
    return destination(found["host"], "", 3306 if "mysql" in text.lower() else None) if found else ANYWHERE


def host_and_port(url: str) -> tuple[str, str, int | None]:
    """Return a URL's host, no address, and its port: what `destination` takes."""
    try:
        split = urlsplit(url)
        host, port = split.hostname or "", split.port
    except ValueError:
        return "", "", None
    return host, "", port or (HTTPS if split.scheme.lower() == "https" else 80)


def _port(text: str | None) -> int | None:
    number = int(text) if text else 0
    return number if 0 < number <= 65535 else None


def destination(host: str, address: str = "", port: int | None = None) -> Destination:
    """Return a destination by what is known of it; a host may be an address."""
    host, address = host.strip().rstrip(".").lower(), address.strip("[]")
    if not address and _is_address(host):
        host, address = "", host
    address = address if _is_address(address) else ""
    service, region = service_of_host(host)
    if service:
        return Destination(
            place=Place.SERVICE, service=service, region=region, host=host, address=address, port=port or HTTPS
        )
    if address:
        place = Place.PRIVATE if is_private(address) else Place.INTERNET
        return Destination(place=place, host=host, address=address, port=port)
    if not host:
        return ANYWHERE
    inside = DATA_HOSTS.search(f".{host}.") or host.endswith((".internal", ".local", ".lan", ".consul"))
    return Destination(place=Place.HOST if inside or "." not in host else Place.INTERNET, host=host, port=port)


def of_service(name: str) -> Destination | None:
    """Return the endpoint of an AWS service by the name that an SDK or an ARN gives it; None without one."""
    plain = re.sub(r"[\s_-]", "", name.lower())
    plain = plain.removeprefix("amazon") if plain != "amazon" else plain
    service = SDK_NAMES.get(plain, plain)
    return Destination(place=Place.SERVICE, service=service, port=HTTPS) if service else None


def service_of_host(host: str) -> tuple[str, str]:
    """Return the service and Region of an AWS endpoint's host name; both empty for any other host."""
    if not host or DATA_HOSTS.search(f".{host}."):
        return "", ""
    regional = SERVICE_HOST.fullmatch(host)
    found = regional or GLOBAL_HOST.fullmatch(host)
    service = found["service"].lower() if found else ""
    return ENDPOINT_NAMES.get(service, service), regional["region"].lower() if regional else ""


def is_private(address: str) -> bool:
    """Tell whether an address leads into a VPC or a network joined to it, and not to the internet."""
    return not ip_address(address).is_global


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
