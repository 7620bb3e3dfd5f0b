"""The looks that a model may ask for, as Strands' tools: one argument, whose values are known beforehand."""

from typing import Any

from strands.tools.tools import PythonAgentTool
from strands.types.tools import ToolResult, ToolSpec, ToolUse

from reasoning.contract import Tool
from reasoning.prompt import Prompt

ARGUMENT = "of"


def strands_tool(tool: Tool, prompt: Prompt) -> PythonAgentTool:
    """Return the tool for one question; what it brings goes between the question's own tags."""
    spec: ToolSpec = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": {
            "json": {
                "type": "object",
                "properties": {ARGUMENT: {"type": "string", "description": "a label", "enum": list(tool.choices)}},
                "required": [ARGUMENT],
            }
        },
    }

    async def run(use: ToolUse, **_: Any) -> ToolResult:
        asked = (use.get("input") or {}).get(ARGUMENT)
        if asked not in tool.choices:
            known = f"{ARGUMENT} must be one of {', '.join(tool.choices)}"
            return {"toolUseId": use["toolUseId"], "status": "error", "content": [{"text": known}]}
        seen = prompt.enclose(await tool.look(asked))
        return {"toolUseId": use["toolUseId"], "status": "success", "content": [{"text": seen}]}

    return PythonAgentTool(tool.name, spec, run)
