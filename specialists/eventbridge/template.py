"""Input transformers: whether a template can become input at all. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"<([^<>\s\"]{1,128})>")
RESERVED = "aws.events."
"""Begins the variables that EventBridge fills in itself."""


def template_problem(paths: Mapping[str, str], template: str) -> str:
    """Say why the template cannot give right input, empty when nothing in its form stands against it."""
    if not template:
        return ""
    unknown = sorted(
        {name for name in PLACEHOLDER.findall(template) if name not in paths and not name.startswith(RESERVED)}
    )
    if unknown:
        return f"its template uses {', '.join(f'<{name}>' for name in unknown)}, which no input path defines"
    if template.lstrip()[:1] not in {"{", "["}:
        return ""  # plain strings, one or several
    try:
        json.loads(_filled(template))
    except ValueError as error:
        return f"its template makes no valid JSON ({error})"
    except RecursionError:
        return ""
    return ""


def _filled(template: str) -> str:
    """Put a value for each placeholder: plain text inside a JSON string, a JSON string elsewhere."""
    parts: list[str] = []
    end, quoted = 0, False
    for found in PLACEHOLDER.finditer(template):
        between = template[end : found.start()]
        quoted ^= _odd_quotes(between)
        parts += (between, "x" if quoted else '"x"')
        end = found.end()
    return "".join((*parts, template[end:]))


def _odd_quotes(text: str) -> bool:
    return len(re.findall(r'(?<!\\)(?:\\\\){0,50}"', text)) % 2 == 1
