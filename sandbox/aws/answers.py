"""Answers and errors in the wire format of the protocol that was asked in."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from sandbox.aws.calls import Call

REQUEST_ID = "5a4d3c2b-1a09-4f8e-9d7c-6b5a49382716"
"""Of every answer made here."""


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class ApiError(Exception):
    """An error as AWS answers it: HTTP status, code, words."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def not_implemented(call: Call, why: str) -> ApiError:
    """Return the error for what the local AWS cannot answer truthfully; 501 is not retried by botocore."""
    return ApiError("EmulatorNotImplemented", f"the local AWS does not answer {call.name}: {why}", 501)


def error(call: Call, problem: ApiError) -> Answer:
    """Return an error in the shape the caller's protocol has for it."""
    if call.protocol in {"json", "rest-json"}:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-ErrorType": problem.code,
            "x-amzn-RequestId": REQUEST_ID,
        }
        if call.model is not None and "awsQueryCompatible" in call.model.service_model.metadata:
            headers["x-amzn-query-error"] = f"{problem.code};Sender"
        body = json.dumps({"__type": problem.code, "message": problem.message}).encode()
        return Answer(problem.status, headers, body)
    inner = f"<Code>{escape(problem.code)}</Code><Message>{escape(problem.message)}</Message>"
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
    if call.protocol == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
    elif call.service == "s3":
        text = f"<Error>{inner}<RequestId>{REQUEST_ID}</RequestId></Error>"
    return Answer(problem.status, {"Content-Type": "text/xml"}, b"" if call.method == "HEAD" else text.encode())


def success(call: Call, output: Mapping[str, Any]) -> Answer:
    """Return an operation's output as the service would send it; raises KeyError for a member it does not have."""
    if call.model is None:
        raise ValueError("an unknown operation has no output")
    shape = call.model.output_shape
    status = call.model.http.get("responseCode", 200)
    if call.protocol in {"json", "rest-json"}:
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": REQUEST_ID}
        body = json.dumps(to_json(shape, output) if shape else {}).encode()
        return Answer(status, headers, body)
    return Answer(status, {"Content-Type": "text/xml"}, _xml_output(call.model, call.protocol, output).encode())


def to_json(shape: Shape, value: Any) -> Any:
    """Return a value as the JSON protocols write it: times as epoch seconds, bytes as base64, None left out."""
    if isinstance(shape, StructureShape):
        given = {name: item for name, item in value.items() if item is not None}
        return {
            shape.members[name].serialization.get("name", name): to_json(shape.members[name], item)
            for name, item in given.items()
        }
    if isinstance(shape, ListShape):
        return [to_json(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: to_json(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        if shape.serialization.get("timestampFormat") == "iso8601":
            return _iso(value)
        return value.timestamp()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _xml_output(model: OperationModel, protocol: str, output: Mapping[str, Any]) -> str:
    shape = model.output_shape
    inner = "".join(_xml_members(shape, output)) if isinstance(shape, StructureShape) else ""
    if protocol == "query":
        wrapper = shape.serialization.get("resultWrapper") if shape else None
        result = _element(wrapper or f"{model.name}Result", inner)
        return _element(
            f"{model.name}Response", result + _element("ResponseMetadata", _element("RequestId", REQUEST_ID))
        )
    return _element(f"{model.name}Response", inner + (_element("requestId", REQUEST_ID) if protocol == "ec2" else ""))


def _element(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


def _xml_members(shape: StructureShape, value: Mapping[str, Any]) -> list[str]:
    given = ((shape.members[key], key, item) for key, item in value.items() if item is not None)
    return [_xml(member, member.serialization.get("name", key), item) for member, key, item in given]


def _xml(shape: Shape, name: str, value: Any) -> str:
    if isinstance(shape, ListShape):
        flat = shape.serialization.get("flattened")
        member = shape.member.serialization.get("name", name if flat else "member")
        items = "".join(_xml(shape.member, member, item) for item in value)
        return items if flat else _element(name, items)
    if isinstance(shape, StructureShape):
        return _element(name, "".join(_xml_members(shape, value)))
    if isinstance(shape, MapShape):
        pairs = ((_element("key", escape(key)), _xml(shape.value, "value", item)) for key, item in value.items())
        return _element(name, "".join(_element("entry", key + item) for key, item in pairs))
    if isinstance(value, datetime):
        return _element(name, _iso(value))
    return _element(name, escape(str(value).lower() if isinstance(value, bool) else str(value)))
