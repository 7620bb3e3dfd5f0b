"""Answers to who asked: how to ask, what was not understood, what went wrong, each with what to do."""

from bot.blocks.message import INDENT, Message, context, message, section
from bot.blocks.text import code, prose
from bot.blocks.words import FAILED, UNDECIDED

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "1-6740a1b2-1234567890abcdef12345678",
        "a trace id of X-Ray, also W3C's 32 digits or a whole `X-Amzn-Trace-Id` header",
    ),
    ("arn:aws:lambda:eu-west-1:123456789012:function:create-order", "the ARN of anything"),
    ("function create-order last 30 min", "a kind and a name, with a time if it was not just now"),
)
"""What may follow the command, and what it is."""

ELSEWHERE = (
    "In a thread, mention me with the same words. On a message, use *Investigate this message* from its menu.\n"
    "Alarms that an app posts where I am start me by themselves: `/rca mute orders-* 2h` keeps me quiet about some, "
    "`/rca unmute orders-*` ends that, and `/rca mute list` shows them."
)
PROMISE = "I only read. Nothing is changed without a named person's approval."
SENTENCE = 600


def how_to_ask(command: str = "/rca") -> Message:
    """Return the help."""
    examples = "\n".join(f"{code(f'{command} {example}')}\n{INDENT}{prose(said)}" for example, said in EXAMPLES)
    blocks = [
        section("*Tell me what failed, and I look why.*"),
        section(examples),
        section(ELSEWHERE),
        context(PROMISE),
    ]
    return message(f"Tell me what failed: {command} {EXAMPLES[0][0]}", blocks)


def not_understood(sentence: str, command: str = "/rca") -> Message:
    """Return what was wrong with the words, and an example of right ones."""
    said = prose(sentence, SENTENCE)
    example = f"For example {code(f'{command} {EXAMPLES[0][0]}')}, or {code(f'{command} help')} for more."
    return message(said, [section(f"{UNDECIDED} {said}"), context(example)])


def refused(sentence: str) -> Message:
    """Return an error or a refusal; the sentence says what to do."""
    said = prose(sentence, SENTENCE)
    return message(said, [section(f"{FAILED} {said}")])
