"""A model that does as it is told: it calls the output tool and fills its schema from what stands in the prompt.

It knows no project's answer shapes: labels are told from the prompt's text by the names and patterns of the schema's
fields, sentences are taken from its lines.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.models.script import ANY_TOOL, Asked, Script, Text, ToolSpec, ToolUse, compact

Schema = Mapping[str, Any]

LABELS = (
    (re.compile("evidence|cite|citation"), re.compile(r"\bE\d+\b")),
    (re.compile("resource|target|where"), re.compile(r"\bR\d+\b")),
    (re.compile("hypothesis"), re.compile(r"\bH\d+\b")),
    (re.compile("cause|code"), re.compile(r"(?:causes?\b[^\n:]*: |, )([a-z0-9]+(?:-[a-z0-9]+)+)")),
)
"""Which fields name something that the prompt lists, and how it looks there."""

SENTENCE_CHARACTERS = 90
LISTED = 2
"""How many entries a list gets where its schema does not bound it to fewer."""


class _Prompt(NamedTuple):
    """What values are taken from; `turn` is the place in a list that they are for, so that entries differ."""

    text: str
    definitions: Schema
    turn: int = 0


def answering(asked: Asked) -> Script:
    """Call the output tool; without tools, answer in a sentence."""
    if not asked.tools:
        return Script((Text(_sentence(_prompt(asked), SENTENCE_CHARACTERS)),))
    tool = output_tool(asked)
    return Script((ToolUse(tool.name, fill(tool.schema, asked)),))


def in_prose(asked: Asked) -> Script:
    """Answer in words whatever tool is asked for."""
    return Script((Text(f"I think this is why: {_sentence(_prompt(asked), SENTENCE_CHARACTERS)}"),))


def output_tool(asked: Asked) -> ToolSpec:
    """Return the tool that takes the answer: the forced one, else the one with the richest schema."""
    named = [tool for tool in asked.tools if tool.name == asked.forced and asked.forced != ANY_TOOL]
    return named[0] if named else max(asked.tools, key=lambda tool: len(compact(tool.schema)))


def fill(schema: Schema, asked: Asked) -> dict[str, Any]:
    """Return an object that fits a JSON schema, its values taken from what the model was asked."""
    value = _value("", schema, _prompt(asked)._replace(definitions=schema.get("$defs", {})))
    return value if isinstance(value, dict) else {}


def _prompt(asked: Asked) -> _Prompt:
    return _Prompt("\n".join((*asked.said, *asked.results)), {})


def _value(name: str, schema: Schema, prompt: _Prompt) -> Any:
    schema = _resolved(schema, prompt.definitions)
    kind = schema.get("type")
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if kind == "object" or "properties" in schema:
        return _object(schema, prompt)
    if kind == "array":
        return _list(name, schema, prompt)
    if kind == "string":
        labels = _labels(name, schema, prompt.text)
        most = schema.get("maxLength", SENTENCE_CHARACTERS)
        return labels[prompt.turn % len(labels)] if labels else _sentence(prompt, most)
    return {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1), "boolean": True}.get(str(kind))


def _object(schema: Schema, prompt: _Prompt) -> dict[str, Any]:
    """Fill what is required, and what is not as long as nothing else is filled: saying little is a good answer."""
    required = schema.get("required", ())
    filled: dict[str, Any] = {}
    for key, inner in schema.get("properties", {}).items():
        if key in required or not filled:
            filled[key] = _value(key, inner, prompt)
    return filled


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """Follow references, and take the first alternative that is not null."""
    if "$ref" in schema:
        return _resolved(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            others = [choice for choice in schema[key] if choice.get("type") != "null"]
            return _resolved(others[0], definitions)
    return schema


def _list(name: str, schema: Schema, prompt: _Prompt) -> list[Any]:
    most = min(schema.get("maxItems", LISTED), LISTED)
    inner = _resolved(schema.get("items", {}), prompt.definitions)
    if inner.get("type") == "string" and "enum" not in inner and _names_something(name):
        found = _labels(name, inner, prompt.text)
        return list(found[prompt.turn * most :][:most] or found[:most])
    return [_value(name, inner, prompt._replace(turn=turn)) for turn in range(most)]


def _names_something(field: str) -> bool:
    return any(named.search(field) for named, _ in LABELS)


def _labels(name: str, schema: Schema, prompt: str) -> Sequence[str]:
    """Return what the prompt lists that the field may name, in the order of the prompt."""
    looks = next((look for named, look in LABELS if named.search(name)), None)
    if pattern := schema.get("pattern"):
        looks = re.compile(rf"\b{pattern.strip('^$')}\b")
    return () if looks is None else tuple(dict.fromkeys(looks.findall(prompt)))


def _sentence(prompt: _Prompt, characters: int) -> str:
    """Return a line that states something, evidence first, without what only marks it up, in whole words."""
    lines = [line for line in prompt.text.splitlines() if len(_bare(line).split()) >= 4]
    seen = [line for line in lines if LABELS[0][1].match(line)]
    stating = [_bare(line) for line in seen or lines] or ["The evidence shows a failure"]
    chosen, most = stating[prompt.turn % len(stating)], min(characters, SENTENCE_CHARACTERS)
    return chosen if len(chosen) <= most else chosen[:most].rsplit(" ", 1)[0]


def _bare(line: str) -> str:
    return re.sub(r"<[^>]*>|\[[^\]]*\]|\b[ERH]\d+\b", "", line).strip(" :-")
