"""The design this project replaced: a lead agent that decides whom to ask, with specialists' agents as its tools.

Built with Strands as one would build it: a lead with 45 AWS tools and ten specialists, each specialist an agent with
ten AWS tools of its own. Tools of one turn run at once, and so do the specialists.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import boto3
from botocore.config import Config
from strands import Agent, tool
from strands.agent.conversation_manager import NullConversationManager
from strands.models import BedrockModel
from strands.types.tools import AgentTool

from benchmarks.nested_script import LEAD_PROMPT, SPECIALIST_PROMPT, Incident, Writer
from benchmarks.nested_tools import LEAN, OPERATIONS, REALISTIC, AwsTools, Wording, lead_operations
from sandbox.models.bedrock import LocalBedrock
from sandbox.models.served import AT_ONCE, USUAL, Latency

MODEL = "global.anthropic.claude-sonnet-4-6"
THREADS = 32
REACHED_ALL = 0.70
"""The share of its investigations in which the nested design was said to reach every specialist it should have."""

TASK = """Investigate {name} issue:
Resource: {resource}
Errors: {context}
Trace IDs: {trace_id}

Investigation steps:
1. Get resource configuration
2. Check logs for errors
3. Review metrics
4. Analyze patterns
5. Generate hypotheses with evidence"""


class Variant(NamedTuple):
    """One way to build it: how tools are worded, and how many rounds of three tools a specialist needs."""

    name: str
    wording: Wording
    rounds: int


VARIANTS = (Variant("realistic", REALISTIC, rounds=2), Variant("lean", LEAN, rounds=1))


class Ran(NamedTuple):
    """One nested investigation: whom it reached, seconds, model calls, tokens in and out."""

    reached: tuple[str, ...]
    seconds: float
    calls: int
    input_tokens: int
    output_tokens: int


async def investigate(
    incident: Incident,
    variant: Variant,
    *,
    aws_seconds: float,
    latency: Latency = USUAL,
    omits: Callable[[str], bool] = lambda _: False,
) -> Ran:
    """Run the lead to its report, every AWS call taking `aws_seconds`; `omits` tells whom the lead forgets to ask."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    with LocalBedrock(Writer(incident, variant.rounds, omits).respond, latency=latency) as bedrock:
        model, aws = _model(bedrock.endpoint), AwsTools(incident.evidence, variant.wording, aws_seconds)
        reached: list[str] = []
        specialists = [_specialist(name, incident.trace_id, model, aws, reached) for name in OPERATIONS]
        lead = _agent(model, LEAD_PROMPT, [*aws.make(lead_operations()), *specialists])
        began = time.perf_counter()
        await lead.invoke_async(f"Investigate the failing request of trace {incident.trace_id}.")
        return Ran(tuple(reached), time.perf_counter() - began, len(bedrock.asked), *bedrock.tokens)


async def coverage(incident: Incident, variant: Variant, runs: int, seed: int = 7) -> float:
    """Return the share of specialists reached where the lead omits each with the probability of REACHED_ALL."""
    chance = 1 - REACHED_ALL ** (1 / len(incident.resources))
    dice = random.Random(seed)
    reached = 0
    for _ in range(runs):
        forgotten = {name for name in incident.resources if dice.random() < chance}
        ran = await investigate(incident, variant, aws_seconds=0, latency=AT_ONCE, omits=forgotten.__contains__)
        reached += len(ran.reached)
    return reached / (runs * len(incident.resources))


def _specialist(name: str, trace_id: str, model: BedrockModel, aws: AwsTools, reached: list[str]) -> AgentTool:
    async def investigate(resource: str, context: str) -> str:
        """Investigate a resource.

        Args:
            resource: Name of the resource to look at.
            context: What is known about the failure: errors, times, the trace.
        """
        agent = _agent(model, SPECIALIST_PROMPT.format(name=name), aws.make(OPERATIONS[name]))
        result = await agent.invoke_async(TASK.format(name=name, resource=resource, context=context, trace_id=trace_id))
        reached.append(name)
        return str(result)

    described = f"Ask the {name} specialist to investigate a resource; answers with facts, hypotheses and advice."
    return tool(name=f"investigate_{name}", description=described)(investigate)


def _model(endpoint: str) -> BedrockModel:
    return BedrockModel(
        boto_session=boto3.Session("local", "local", region_name="eu-west-1"),
        endpoint_url=endpoint,
        boto_client_config=Config(read_timeout=60, max_pool_connections=THREADS),
        model_id=MODEL,
    )


def _agent(model: BedrockModel, prompt: str, tools: Sequence[AgentTool]) -> Agent:
    return Agent(
        model=model,
        system_prompt=prompt,
        tools=list(tools),
        callback_handler=None,
        conversation_manager=NullConversationManager(),
        retry_strategy=None,
    )
