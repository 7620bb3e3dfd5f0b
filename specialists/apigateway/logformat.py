"""What API Gateway's own logs say, line by line. Pure.

Access log variables: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
and https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

CONTEXT = re.compile(r"\$\{?context\.([A-Za-z0-9_.-]{1,80})\}?")
SIMPLE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
COMMON = re.compile(r'"(?P<method>[A-Z]{3,7}) (?P<path>\S{1,2000})[^"]{0,40}" (?P<status>[1-5]\d\d)\b')
"""The common log format's request and status."""

ALIASES = {
    "integration.error": "integrationErrorMessage",
    "integration.integrationStatus": "integrationStatus",
    "integration.latency": "integrationLatency",
    "resourcePath": "path",
    "http.path": "path",
}
GUESSES = {
    "status": "status",
    "statuscode": "status",
    "httpstatus": "status",
    "responsestatus": "status",
    "responsetype": "error.responseType",
    "errorresponsetype": "error.responseType",
    "gatewayresponsetype": "error.responseType",
    "error": "error.message",
    "errormessage": "error.message",
    "validationerror": "error.validationErrorString",
    "integrationerror": "integrationErrorMessage",
    "integrationerrormessage": "integrationErrorMessage",
    "integrationstatus": "integrationStatus",
    "integrationlatency": "integrationLatency",
    "authorizererror": "authorizer.error",
    "authorizererrormessage": "authorizer.error",
    "wafresponsecode": "wafResponseCode",
    "wafstatus": "waf.status",
    "httpmethod": "httpMethod",
    "method": "httpMethod",
    "path": "path",
    "resourcepath": "path",
    "requestid": "requestId",
    "routekey": "routeKey",
}
"""What a key probably holds when the stage's format is not known: letters only, lower case."""

OWN_WORDS = ("error.", "authorize", "authenticate", "waf", "integrationErrorMessage")
"""Variables that API Gateway fills with its own words; the others may repeat what a client sent."""


def format_fields(text: str) -> dict[str, str]:
    """Return a JSON access log format's keys with the `$context` variable that each holds; {} for other formats."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return {}
    found: dict[str, str] = {}
    for key, value in _flat(document).items():
        match = CONTEXT.search(value)
        if match:
            found[key] = ALIASES.get(match[1], match[1])
    return found


def failing_pattern(fields: Mapping[str, str]) -> str:
    """Return CloudWatch's filter for lines with a status of 400 and above; "" where the format does not allow one."""
    key = next((key for key, variable in fields.items() if variable == "status" and SIMPLE_KEY.fullmatch(key)), None)
    return f'{{ ($.{key} = "4*") || ($.{key} = "5*") || ($.{key} >= 400) }}' if key else ""


def read_access_line(line: str, fields: Mapping[str, str]) -> dict[str, str]:
    """Return an access log line as variables ("status", "error.responseType"); "-" and empty values are left out."""
    try:
        document = json.loads(line)
    except json.JSONDecodeError:
        match = COMMON.search(line)
        if match is None:
            return {}
        rest = (line[: match.start()] + line[match.end() :]).strip()
        return {
            "status": match["status"],
            "httpMethod": match["method"],
            "path": match["path"],
            "error.message": rest,
        }
    read: dict[str, str] = {}
    for key, value in _flat(document).items():
        letters = "".join(c for c in key.lower() if c.isalpha())
        variable = fields.get(key) or GUESSES.get(letters)
        if variable and value not in {"", "-", "null"}:
            read.setdefault(variable, value)
    return read


def own_words(variables: Mapping[str, str]) -> str:
    """Return what API Gateway itself said in the line."""
    return " | ".join(value for name, value in sorted(variables.items()) if name.startswith(OWN_WORDS))


def is_failure(line: str, fields: Mapping[str, str]) -> bool:
    """Tell whether an access log line is about a request that was answered with 400 or above."""
    status = read_access_line(line, fields).get("status", "")
    return status.isdigit() and int(status) >= 400


def _flat(value: Any, prefix: str = "", depth: int = 4) -> dict[str, str]:
    if depth and isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{prefix}{key}.", depth - 1).items()}
    if not prefix:
        return {}
    return {prefix.rstrip("."): value if isinstance(value, str) else json.dumps(value)}


REQUEST_ID = re.compile(r"^\W{0,2}\(?([0-9A-Za-z-]{8,64})\)?\s")
EXECUTION_FAILURE = re.compile(
    r"execution failed|function error|not authorized|unauthorized request|limit exceeded|exceeded (?:throttle|quota)"
    r"|(?:completed with status|status code): [45]\d\d|gateway response type: |invalid request body|request validation",
    re.IGNORECASE,
)
"""Lines of an execution log that say that a request failed."""

EXECUTION_FILTER = " ".join(
    f'?"{term}"'
    for term in (
        "xecution failed",
        "function error",
        "not authorized",
        "Unauthorized request",
        "imit exceeded",
        "xceeded throttle",
        "xceeded quota",
        "completed with status: 4",
        "completed with status: 5",
        "status code: 4",
        "status code: 5",
        "ateway response type",
        "Invalid request body",
        "Request validation",
    )
)
"""The same for CloudWatch, whose terms are case-sensitive."""

CLIENT_TEXT = re.compile(
    r"\b(?:method|endpoint|authorizer)\b.{0,24}\b(?:body|headers|query string|request path|parameters|result)\b",
    re.IGNORECASE,
)
"""Lines that repeat a client's or a backend's words."""

COMPLETED = re.compile(r"(?:completed with status|status code): (\d{3})", re.IGNORECASE)
STARTED = re.compile(r"HTTP Method: ([A-Z]{3,7}), Resource Path: (\S{1,500})", re.IGNORECASE)


def request_id(line: str) -> str:
    """Return the request id an execution log line begins with, or ""."""
    match = REQUEST_ID.match(line)
    return match[1] if match else ""
