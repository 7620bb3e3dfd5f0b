"""What a model writes as the input of its tools, while it is streamed.

Strands takes input that is no JSON for an empty one and only logs it. An answer that may be empty would then be heard
where nothing was said.
"""

import json

from strands.types.streaming import StreamEvent


class Unreadable(Exception):
    """A tool was called with something that is no JSON."""


class Inputs:
    """Listens to one stream."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._broken = False

    def hear(self, event: StreamEvent) -> None:
        """Take note of an event; raises Unreadable at the end of a message with input that is no JSON.

        Not where the model had to stop: that its answer was cut off says more.
        """
        if "contentBlockDelta" in event:
            use = event["contentBlockDelta"]["delta"].get("toolUse")
            self._pieces += [use["input"]] if use else []
        elif "contentBlockStop" in event:
            self._broken = self._broken or not _readable("".join(self._pieces))
            self._pieces = []
        elif "messageStop" in event and self._broken and event["messageStop"]["stopReason"] != "max_tokens":
            raise Unreadable


def _readable(text: str) -> bool:
    if not text.strip():
        return True
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
