"""What the bot answers to who asks: each answer says what to do."""

from inline_snapshot import snapshot

from bot.blocks.usage import EXAMPLES, how_to_ask, not_understood, refused
from tests.support.slack import readable, refusals


def test_the_help_is_examples():
    assert readable(how_to_ask().blocks) == snapshot("""\
*Tell me what failed, and I look why.*

`/rca 1-6740a1b2-1234567890abcdef12345678`
     a trace id of X-Ray, also W3C's 32 digits or a whole `X-Amzn-Trace-Id` header
`/rca arn:aws:lambda:eu-west-1:123456789012:function:create-order`
     the ARN of anything
`/rca function create-order last 30 min`
     a kind and a name, with a time if it was not just now

In a thread, mention me with the same words. On a message, use *Investigate this message* from its menu.
Alarms that an app posts where I am start me by themselves: `/rca mute orders-* 2h` keeps me quiet about some, `/rca unmute orders-*` ends that, and `/rca mute list` shows them.

~ I only read. Nothing is changed without a named person's approval.\
""")


def test_nonsense_is_answered_with_what_was_wrong_and_an_example():
    message = not_understood("“1-67x” is not a trace id: it takes 1-, 8 hex digits, -, and 24 hex digits", "/why")

    assert readable(message.blocks) == snapshot("""\
:grey_question: “1-67x” is not a trace id: it takes 1-, 8 hex digits, -, and 24 hex digits

~ For example `/why 1-6740a1b2-1234567890abcdef12345678`, or `/why help` for more.\
""")


def test_an_error_is_one_sentence():
    message = refused("You may not approve this: ask somebody of `RCA_APPROVERS`.")

    assert readable(message.blocks) == ":x: You may not approve this: ask somebody of `RCA_APPROVERS`."
    assert message.text == "You may not approve this: ask somebody of `RCA_APPROVERS`."


def test_what_people_typed_comes_back_dead():
    assert "&lt;!channel&gt; hxxps://evil.example" in not_understood("no id in <!channel> https://evil.example").text


def test_every_answer_fits():
    answers = (how_to_ask("/a-command-of-32-letters-at-most"), not_understood("&" * 9000), refused("<" * 9000))

    assert [refusals(answer) for answer in answers] == [(), (), ()]
    assert len(EXAMPLES) == 3
