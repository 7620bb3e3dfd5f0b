"""The local Bedrock, asked by boto3 itself: what a client sees of answers, faults and pace."""

import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError, HTTPClientError
from httpx import HTTPStatusError
from pydantic import BaseModel
from strands import Agent
from strands.models.llamacpp import LlamaCppModel
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from sandbox.models.answering import answering, in_prose
from sandbox.models.bedrock import LocalBedrock, frame, refused, refusing_to_be_forced
from sandbox.models.openai import LocalOpenAI
from sandbox.models.script import Asked, Broken, CutOff, Refused, Respond, Script, Stall, Text, ToolUse
from sandbox.models.served import Latency
from sandbox.models.tokens import count

MODEL = "global.anthropic.claude-sonnet-4-6"
ANSWER = {
    "toolSpec": {
        "name": "Judgement",
        "description": "The answer.",
        "inputSchema": {
            "json": {
                "type": "object",
                "$defs": {
                    "Claim": {
                        "type": "object",
                        "required": ["say", "evidence"],
                        "properties": {
                            "say": {"type": "string", "maxLength": 40},
                            "evidence": {"type": "array", "items": {"type": "string"}},
                        },
                    }
                },
                "required": ["claims", "resource", "sure"],
                "properties": {
                    "claims": {"type": "array", "items": {"$ref": "#/$defs/Claim"}, "maxItems": 3},
                    "resource": {"type": "string", "pattern": r"^R\d+$"},
                    "sure": {"anyOf": [{"enum": ["yes", "no"]}, {"type": "null"}]},
                    "doubts": {"type": "array", "items": {"type": "string"}},
                },
            }
        },
    }
}
FORCED = {"tools": [ANSWER], "toolChoice": {"tool": {"name": "Judgement"}}}
DATA = "[R1 Lambda function create-order]\nE4 09:53 Errors 54 in all, usual 0\nE7 09:53 PutItem was throttled"


def client_of(bedrock: LocalBedrock, read_timeout: float = 5) -> Any:
    return boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=bedrock.endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout, max_pool_connections=32),
    )


@pytest.fixture
def bedrock() -> Iterator[LocalBedrock]:
    with LocalBedrock() as local:
        yield local


def request(**more: Any) -> dict[str, Any]:
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": DATA}]}], **more}


def streamed(bedrock: LocalBedrock, *, read_timeout: float = 5, **more: Any) -> list[dict[str, Any]]:
    client = client_of(bedrock, read_timeout)
    with closing(client), closing(client.converse_stream(**request(**more))["stream"]) as stream:
        return list(stream)


def saying(text: str, **more: Any) -> Respond:
    return lambda _: Script((Text(text),), **more)


def written(events: list[dict[str, Any]]) -> str:
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    return "".join(d["text"] if "text" in d else d["toolUse"]["input"] for d in deltas)


def test_words_come_in_pieces_in_boto3s_own_events(bedrock):
    bedrock.respond = saying("the table was throttled because its capacity was cut")
    events = streamed(bedrock)

    assert [next(iter(e)) for e in events] == [
        "messageStart",
        *["contentBlockDelta"] * 3,
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert written(events) == "the table was throttled because its capacity was cut"
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"


def test_usage_is_what_the_one_tokenizer_counts(bedrock):
    bedrock.respond = saying("it was throttled")
    usage = streamed(bedrock, system=[{"text": "Judge."}])[-1]["metadata"]["usage"]

    assert usage["inputTokens"] == count(DATA) + count("Judge.")
    assert usage["outputTokens"] == count("it was throttled")
    assert bedrock.tokens == (usage["inputTokens"], usage["outputTokens"])


def test_tools_cost_input_tokens(bedrock):
    streamed(bedrock)
    streamed(bedrock, toolConfig=FORCED)
    without, with_tools = bedrock.asked

    assert with_tools.input_tokens > without.input_tokens + 60
    assert with_tools.forced == "Judgement"


def test_an_obedient_model_fills_the_shape_from_the_prompt(bedrock):
    events = streamed(bedrock, toolConfig=FORCED)

    assert json.loads(written(events)) == {
        "claims": [
            {"say": "09:53 Errors 54 in all, usual 0", "evidence": ["E4", "E7"]},
            {"say": "09:53 PutItem was throttled", "evidence": ["E4", "E7"]},
        ],
        "resource": "R1",
        "sure": "yes",
    }
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"


def test_converse_answers_in_one_piece(bedrock):
    with closing(client_of(bedrock)) as client:
        answer = client.converse(**request(toolConfig=FORCED))

    assert answer["output"]["message"]["content"][0]["toolUse"]["input"]["resource"] == "R1"
    assert answer["stopReason"] == "tool_use"


def test_a_prosaic_model_calls_no_tool(bedrock):
    bedrock.respond = in_prose

    assert written(streamed(bedrock, toolConfig=FORCED)).startswith("I think this is why: ")


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 429), ("AccessDeniedException", 403), ("ServiceUnavailableException", 503)],
)
def test_an_error_before_the_stream_has_awss_code_and_status(bedrock, code, status):
    bedrock.respond = lambda _: Script(fault=refused(code, "not now"))
    with pytest.raises(ClientError) as caught:
        streamed(bedrock)

    assert caught.value.response["Error"] == {"Code": code, "Message": "not now"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_throttle_in_the_middle_of_a_stream_ends_it_with_an_exception(bedrock):
    bedrock.respond = saying("the table " * 10, fault=Broken(3, "ThrottlingException", "Too many requests"))
    with pytest.raises(EventStreamError, match=r"\(throttlingException\).*Too many requests"):
        streamed(bedrock)


def test_a_stream_that_is_cut_off_is_an_error_and_no_answer(bedrock):
    bedrock.respond = saying("the table " * 10, fault=CutOff(3))
    with pytest.raises((ProtocolError, HTTPClientError)):
        streamed(bedrock)


def test_a_stall_is_longer_than_a_clients_patience(bedrock):
    bedrock.respond = saying("the table", fault=Stall(1, 30.0))
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        streamed(bedrock, read_timeout=0.3)

    assert time.monotonic() - began < 5


def test_closing_ends_a_stall():
    with LocalBedrock(saying("the table", fault=Stall(1, 600.0))) as bedrock, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(streamed, bedrock)
        while not bedrock.asked:
            time.sleep(0.01)
        bedrock.closing.set()

        assert written(waiting.result(timeout=5)) == "the table"


def test_broken_json_of_a_tool_goes_out_as_it_is(bedrock):
    bedrock.respond = lambda _: Script((ToolUse("Judgement", '{"claims": [{"say": "thro'),))

    assert written(streamed(bedrock, toolConfig=FORCED)) == '{"claims": [{"say": "thro'


def test_an_answer_longer_than_allowed_is_cut_and_says_so(bedrock):
    bedrock.respond = saying("the table was throttled " * 20)
    events = streamed(bedrock, inferenceConfig={"maxTokens": 10})

    assert events[-2]["messageStop"]["stopReason"] == "max_tokens"
    assert count(written(events)) <= 11


def test_a_model_that_refuses_to_be_forced_answers_when_it_is_not(bedrock):
    bedrock.respond = refusing_to_be_forced(answering)
    with pytest.raises(ClientError, match="tool_choice forces tool use"):
        streamed(bedrock, toolConfig=FORCED)

    assert '"resource":"R1"' in written(streamed(bedrock, toolConfig={"tools": [ANSWER]}))


@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "assistant", "content": [{"text": "hello"}]}]},
        {"toolConfig": {"tools": [ANSWER], "toolChoice": {"tool": {"name": "Other"}}}},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"toolResult": {"toolUseId": "never-called", "content": [{"text": "1"}]}}],
                }
            ]
        },
    ],
    ids=["begins with the assistant", "forces what was not offered", "answers what was not called"],
)
def test_what_bedrock_would_not_accept_is_refused(bedrock, more):
    with pytest.raises(ClientError) as caught:
        streamed(bedrock, **more)

    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert bedrock.asked == []


@pytest.mark.parametrize(
    "latency",
    [Latency(begin=0.5), Latency(input_token=0.5 / count(DATA)), Latency(output_token=0.5 / count("one two three"))],
    ids=["to begin", "for what it reads", "for what it writes"],
)
def test_a_model_takes_its_time(latency):
    with LocalBedrock(saying("one two three"), latency=latency) as bedrock, closing(client_of(bedrock)) as client:
        began = time.monotonic()
        with closing(client.converse_stream(**request())["stream"]) as stream:
            events = list(stream)
        took = time.monotonic() - began

    assert written(events) == "one two three"
    assert took > 0.49


def test_many_answers_are_given_at_once():
    together = threading.Barrier(32)

    def once_all_are_here(_: Asked) -> Script:
        together.wait(timeout=10)
        return Script((Text("all here"),))

    with LocalBedrock(once_all_are_here) as bedrock, ThreadPoolExecutor(32) as pool:
        asking = [pool.submit(streamed, bedrock) for _ in range(32)]

        assert {written(a.result()) for a in asking} == {"all here"}


def test_a_frame_holds_its_lengths_and_checksums():
    buffer = EventStreamBuffer()
    buffer.add_data(frame({":event-type": "metadata", ":message-type": "event"}, {"usage": {}}))

    assert [(e.headers[":event-type"], e.payload) for e in buffer] == [("metadata", b'{"usage":{}}')]


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("DynamoDB table orders is throttling writes because its capacity was cut from 500 to 5.", 21),
        ('{"resource":"arn:aws:dynamodb:eu-west-1:123456789012:table/orders","Sum":54.0,"unit":"Count"}', 32),
        ("[R1 Lambda function create-order]\nE3 09:53 Errors Sum 54 in all, usual 0", 23),
        ("Returns information about the table, including the current status of the table, when it was created", 18),
    ],
)
def test_the_tokenizer_is_near_o200k(text, true):
    assert count(text) == pytest.approx(true, rel=0.12)


class Judgement(BaseModel):
    resource: str
    evidence: list[str]


@asynccontextmanager
async def openai_agent(local: LocalOpenAI, **settings: Any) -> AsyncIterator[Agent]:
    """Strands' client for OpenAI-compatible servers that needs no further library."""
    model = LlamaCppModel(base_url=local.endpoint, model_id="local")
    yield Agent(model=model, callback_handler=None, retry_strategy=None, **settings)
    await model.client.aclose()


async def test_an_openai_compatible_model_answers_in_the_shape_it_was_asked_for():
    with LocalOpenAI() as local:
        async with openai_agent(local, structured_output_model=Judgement) as agent:
            result = await agent.invoke_async(DATA)
        used = result.metrics.accumulated_usage

    assert result.structured_output == Judgement(resource="R1", evidence=["E4", "E7"])
    assert (used["inputTokens"], used["outputTokens"]) == local.tokens


async def test_an_openai_compatible_model_that_is_throttled_says_so():
    refusal = Script(fault=Refused(429, "rate_limit_exceeded", "Rate limit reached"))
    with LocalOpenAI(lambda _: refusal) as local:
        async with openai_agent(local) as agent:
            with pytest.raises(HTTPStatusError, match="429 Too Many Requests"):
                await agent.invoke_async(DATA)
