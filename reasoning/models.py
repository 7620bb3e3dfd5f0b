"""Which models there are to ask: `provider:id` as an operator writes it, and how each provider's model is made.

Neither Strands nor any provider's library is imported here before a model is made.
"""

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from strands.models import Model

DEFAULT_BEDROCK = "global.anthropic.claude-sonnet-4-6"
"""Does not think unless asked to and can be made to answer in a shape: the quickest kind for short questions."""

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS, CONNECTIONS = 2.0, 10.0, 2, 32


class ModelUnusable(Exception):
    """The operator must name another model or install something; the message is one line."""


class Spec(NamedTuple):
    """One model of one provider."""

    provider: str
    model_id: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model_id}"

    @property
    def label(self) -> str:
        """The provider's name, as people know it."""
        return PROVIDERS[self.provider].label


@dataclass(frozen=True)
class Provider:
    """One row: its name for people, where Strands keeps it, what it imports, and how it is made.

    `extra` is the extra of strands-agents that brings `imports`; `arguments` takes the model's id, the most tokens it
    may write, and the AWS Region.
    """

    label: str
    module: str
    kind: str
    arguments: Callable[[str, int, str | None], dict[str, Any]]
    extra: str = ""
    imports: str = ""


def parse_chain(text: str) -> tuple[Spec, ...]:
    """Read models in the order to try them, separated by commas; raises ModelUnusable with one line."""
    specs = tuple(parse_spec(part) for part in text.split(",") if part.strip())
    if not specs:
        raise ModelUnusable("it names no model; write for example bedrock")
    return tuple(dict.fromkeys(specs))


def parse_spec(text: str) -> Spec:
    """Read `provider:id`; an id alone is one of Bedrock's. Raises ModelUnusable with one line."""
    head, colon, rest = text.strip().partition(":")
    if head in PROVIDERS and (colon or head == "bedrock"):
        provider, model_id = head, rest.strip() or (DEFAULT_BEDROCK if head == "bedrock" else "")
    elif not colon or "." in head or head == "arn":  # Bedrock's own ids hold colons: …-v1:0, and ARNs
        provider, model_id = "bedrock", text.strip()
    else:
        raise ModelUnusable(f"{head!r} is not a provider; there are {', '.join(sorted(PROVIDERS))}")
    if not model_id or any(c.isspace() for c in model_id):
        raise ModelUnusable(f"{text.strip()!r} does not name a model; write {provider}: and the model's id")
    return Spec(provider, model_id)


def check(spec: Spec, region: str | None) -> None:
    """Tell before the first question what is missing to ask this model; raises ModelUnusable with one line."""
    provider = PROVIDERS[spec.provider]
    if provider.imports and not _installed(provider.imports):
        raise ModelUnusable(f"{spec.label} is not installed; run pip install 'strands-agents[{provider.extra}]'")
    if spec.provider == "bedrock" and not (region or aws_region()):
        raise ModelUnusable("no AWS Region is set for Bedrock; set RCA_MODEL_REGION or AWS_REGION")


def build(spec: Spec, tokens: int, region: str | None = None) -> "Model":
    """Make the model that writes at most `tokens` an answer. Blocking: it may import a provider's library."""
    provider = PROVIDERS[spec.provider]
    try:
        module = importlib.import_module(f"strands.models.{provider.module}")
    except ImportError as error:
        raise ModelUnusable(f"{spec.label} is not installed: {error.name} is missing") from error
    model: Model = getattr(module, provider.kind)(**provider.arguments(spec.model_id, tokens, region))
    return model


def aws_region() -> str | None:
    """Return the Region of AWS's own environment, boto3's profiles included."""
    return os.environ.get("AWS_REGION") or _session(None).region_name


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that should hold it
        return False


@cache
def _session(region: str | None) -> boto3.Session:
    return boto3.Session(region_name=region)


def _bedrock(model_id: str, tokens: int, region: str | None) -> dict[str, Any]:
    """Own time-outs: the library's keep a thread for minutes. Endpoints come from boto3's environment."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        user_agent_extra="rca-bot/reasoning",
    )
    session = _session(region or aws_region())
    return {"boto_session": session, "boto_client_config": config, "model_id": model_id, "max_tokens": tokens}


def _openai(model_id: str, tokens: int, _: str | None) -> dict[str, Any]:
    """One client for all questions: the library would otherwise connect anew for each."""
    client = importlib.import_module("openai").AsyncOpenAI(timeout=READ_SECONDS, max_retries=ATTEMPTS - 1)
    return {"client": client, "model_id": model_id, "params": {"max_completion_tokens": tokens}}


def _hasty(model_id: str, tokens: int, _: str | None) -> dict[str, Any]:
    client = {"timeout": READ_SECONDS, "max_retries": ATTEMPTS - 1}
    return {"client_args": client, "model_id": model_id, "max_tokens": tokens}


def _llama_api(model_id: str, tokens: int, _: str | None) -> dict[str, Any]:
    client = {"timeout": READ_SECONDS, "max_retries": ATTEMPTS - 1}
    return {"client_args": client, "model_id": model_id, "max_completion_tokens": tokens}


def _ollama(model_id: str, tokens: int, _: str | None) -> dict[str, Any]:
    """OLLAMA_HOST says where it runs, as for the `ollama` command."""
    return {"host": None, "model_id": model_id, "max_tokens": tokens}


def _params(name: str) -> Callable[[str, int, str | None], dict[str, Any]]:
    return lambda model_id, tokens, _: {"model_id": model_id, "params": {name: tokens}}


def _plain(model_id: str, tokens: int, _: str | None) -> dict[str, Any]:
    return {"model_id": model_id, "max_tokens": tokens}


PROVIDERS: dict[str, Provider] = {
    "bedrock": Provider("Bedrock", "bedrock", "BedrockModel", _bedrock),
    "anthropic": Provider("Anthropic", "anthropic", "AnthropicModel", _hasty, "anthropic", "anthropic"),
    "openai": Provider("OpenAI", "openai", "OpenAIModel", _openai, "openai", "openai"),
    "gemini": Provider("Gemini", "gemini", "GeminiModel", _params("max_output_tokens"), "gemini", "google.genai"),
    "litellm": Provider("LiteLLM", "litellm", "LiteLLMModel", _params("max_tokens"), "litellm", "litellm"),
    "llamaapi": Provider("Llama API", "llamaapi", "LlamaAPIModel", _llama_api, "llamaapi", "llama_api_client"),
    "llamacpp": Provider("llama.cpp", "llamacpp", "LlamaCppModel", _params("max_tokens")),
    "mistral": Provider("Mistral", "mistral", "MistralModel", _plain, "mistral", "mistralai"),
    "ollama": Provider("Ollama", "ollama", "OllamaModel", _ollama, "ollama", "ollama"),
    "writer": Provider("Writer", "writer", "WriterModel", _hasty, "writer", "writerai"),
}
"""By prefix. Keys and addresses come from each provider's own environment (ANTHROPIC_API_KEY, OPENAI_API_KEY …)."""
