"""What several probes ask first: which API this is, which stages it has, where its integrations lead."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aws.reads import Read, read
from domain.resource import ResourceType
from specialists.apigateway.evidence import Protocol
from specialists.contract import Look
from specialists.kit.answers import absent

CONTROL = "apigateway:GET"
GET_REST_API: Read = read("apigateway", "GetRestApi", CONTROL)
GET_API: Read = read("apigatewayv2", "GetApi", CONTROL)
GET_REST_STAGES: Read = read("apigateway", "GetStages", CONTROL)
GET_HTTP_STAGES: Read = read("apigatewayv2", "GetStages", CONTROL)
WHICH = (GET_REST_API, GET_API)
STAGES = (*WHICH, GET_REST_STAGES, GET_HTTP_STAGES)

MAX_STAGES = 5
FUNCTION = re.compile(
    r"(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,140})(?::([A-Za-z0-9_$-]{1,128}))?"
)
STAGE_VARIABLE = re.compile(r"\$\{?stageVariables\.([A-Za-z0-9_]{1,64})\}?")


class Api(NamedTuple):
    """An API as AWS describes it; `answer` is GetRestApi's or GetApi's."""

    protocol: Protocol
    name: str
    answer: Mapping[str, Any]

    @property
    def rest(self) -> bool:
        """Whether it is a REST API."""
        return self.protocol is Protocol.REST


def api_of(look: Look) -> Api | None:
    """Return the API, or None when there is none of this id; asked once however many probes need it."""
    return look.once(("apigateway.api", look.target.id), lambda: _find(look))


def _find(look: Look) -> Api | None:
    if look.target.type is not ResourceType.HTTP_API:
        rest = absent(lambda: look.aws.apigateway.get_rest_api(restApiId=look.target.name), "NotFoundException")
        if rest is not None:
            return Api(Protocol.REST, rest.get("name", ""), rest)
    if look.target.type is not ResourceType.REST_API:
        api = absent(lambda: look.aws.apigatewayv2.get_api(ApiId=look.target.name), "NotFoundException")
        if api is not None:
            known = api.get("ProtocolType", "HTTP")
            return Api(Protocol.WEBSOCKET if known == "WEBSOCKET" else Protocol.HTTP, api.get("Name", ""), api)
    return None


def stages_of(look: Look, api: Api) -> list[Mapping[str, Any]]:
    """Return the stages' raw descriptions: those that the trace names, else the first few. Asked once."""
    found = look.once(("apigateway.stages", look.target.id), lambda: _stages(look, api))
    named = [s for s in found if stage_name(s) in look.target.qualifiers]
    return (named or found)[:MAX_STAGES]


def _stages(look: Look, api: Api) -> list[Mapping[str, Any]]:
    if api.rest:
        return list(look.aws.apigateway.get_stages(restApiId=look.target.name).get("item", []))
    pages = look.aws.apigatewayv2.get_paginator("get_stages").paginate(ApiId=look.target.name)
    return [stage for page in pages for stage in page.get("Items", [])]


def stage_name(stage: Mapping[str, Any]) -> str:
    """Return a stage's name in either API's answer."""
    return str(stage.get("stageName") or stage.get("StageName") or "")


def stage_variables(look: Look, api: Api) -> Mapping[str, str]:
    """Return the first stage's variables, to resolve integrations with; they are not kept."""
    stages = stages_of(look, api)
    found = (stages[0].get("variables") or stages[0].get("StageVariables")) if stages else None
    return found or {}


def lambda_in(uri: str, variables: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the function's ARN and the qualifier that an integration's or authorizer's URI leads to, if any."""
    resolved = STAGE_VARIABLE.sub(lambda match: variables.get(match[1], match[0]), uri)
    found = FUNCTION.search(resolved)
    return (found[1], found[2]) if found else (None, None)
