"""Slack's limits: what is at the edge passes, what is one past it is refused with Slack's code and place."""

from typing import Any

import pytest

from bot.blocks.limits import BLOCKS_CHARACTERS, Surface, Violation, blocks_size, violations


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(**fields: Any) -> dict[str, Any]:
    return {"type": "section", **fields}


def button(**fields: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Go"), **fields}


def actions(*elements: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **fields}


def option(number: int = 0, text: int = 10, value: int = 10) -> dict[str, Any]:
    return {"text": plain("t" * text), "value": f"{number}".ljust(value, "v")}


def menu(kind: str, count: int, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "options": [option(n) for n in range(count)], **fields}


def table(rows: int, columns: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def confirm(**lengths: int) -> dict[str, Any]:
    most = {"title": 100, "text": 300, "confirm": 30, "deny": 30} | lengths
    return {name: plain("c" * length) for name, length in most.items()}


def task(**fields: Any) -> dict[str, Any]:
    return {"type": "task_card", "task_id": "t", "title": "Look", "status": "complete", **fields}


def rich(*inline: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(inline)}]}


def message(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"text": "fallback", "blocks": list(blocks)}


def modal(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Title"), "blocks": list(blocks), **fields}


def text_input(**fields: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain("Why"), "element": {"type": "plain_text_input"}, **fields}


EDGES = [
    (section(text=mrkdwn("x" * 3000)), section(text=mrkdwn("x" * 3001)), "/text/text"),
    (section(fields=[mrkdwn("x")] * 10), section(fields=[mrkdwn("x")] * 11), "/fields"),
    (section(fields=[mrkdwn("x" * 2000)]), section(fields=[mrkdwn("x" * 2001)]), "/fields/0/text"),
    ({"type": "header", "text": plain("x" * 150)}, {"type": "header", "text": plain("x" * 151)}, "/text/text"),
    ({"type": "header", "text": plain("x")}, {"type": "header", "text": mrkdwn("x")}, "/text/type"),
    (
        {"type": "context", "elements": [plain("x")] * 10},
        {"type": "context", "elements": [plain("x")] * 11},
        "/elements",
    ),
    (actions(*[button()] * 25), actions(*[button()] * 26), "/elements"),
    (actions(button(text=plain("x" * 75))), actions(button(text=plain("x" * 76))), "/elements/0/text/text"),
    (actions(button(value="x" * 2000)), actions(button(value="x" * 2001)), "/elements/0/value"),
    (actions(button(url="x" * 3000)), actions(button(url="x" * 3001)), "/elements/0/url"),
    (actions(button(action_id="x" * 255)), actions(button(action_id="x" * 256)), "/elements/0/action_id"),
    (actions(button(style="danger")), actions(button(style="red")), "/elements/0/style"),
    (actions(button(confirm=confirm())), actions(button(confirm=confirm(title=101))), "/elements/0/confirm/title/text"),
    (actions(button(confirm=confirm())), actions(button(confirm=confirm(text=301))), "/elements/0/confirm/text/text"),
    (actions(button(confirm=confirm())), actions(button(confirm=confirm(deny=31))), "/elements/0/confirm/deny/text"),
    (actions(menu("overflow", 5)), actions(menu("overflow", 6)), "/elements/0/options"),
    (actions(menu("static_select", 100)), actions(menu("static_select", 101)), "/elements/0/options"),
    (actions(menu("checkboxes", 10)), actions(menu("checkboxes", 11)), "/elements/0/options"),
    (
        actions({"type": "overflow", "options": [option(text=75)]}),
        actions({"type": "overflow", "options": [option(text=76)]}),
        "/elements/0/options/0/text/text",
    ),
    (
        actions({"type": "overflow", "options": [option(value=150)]}),
        actions({"type": "overflow", "options": [option(value=151)]}),
        "/elements/0/options/0/value",
    ),
    (
        actions(menu("static_select", 1, placeholder=plain("x" * 150))),
        actions(menu("static_select", 1, placeholder=plain("x" * 151))),
        "/elements/0/placeholder/text",
    ),
    (section(text=mrkdwn("x"), block_id="x" * 255), section(text=mrkdwn("x"), block_id="x" * 256), "/block_id"),
    (table(100, 1), table(101, 1), "/rows"),
    (table(1, 20), table(1, 21), "/rows/0"),
    ({"type": "markdown", "text": "x" * 12_000}, {"type": "markdown", "text": "x" * 12_001}, "/text"),
    (
        {"type": "image", "image_url": "u", "alt_text": "x" * 2000},
        {"type": "image", "image_url": "u", "alt_text": "x" * 2001},
        "/alt_text",
    ),
    (
        {"type": "image", "image_url": "u" * 3000, "alt_text": "x"},
        {"type": "image", "image_url": "u" * 3001, "alt_text": "x"},
        "/image_url",
    ),
    (task(), task(status="done"), "/status"),
    (
        task(details=rich({"type": "text", "text": "x"})),
        task(details=rich({"type": "word"})),
        "/details/elements/0/elements/0/type",
    ),
    ({"type": "alert", "text": plain("x")}, {"type": "alert", "text": plain("x"), "level": "bad"}, "/level"),
    ({"type": "card", "body": plain("x" * 200)}, {"type": "card", "body": plain("x" * 201)}, "/body/text"),
]


@pytest.mark.parametrize(("at_the_edge", "past_it", "place"), EDGES)
def test_block_at_its_limit_passes_and_one_past_it_is_refused_in_place(
    at_the_edge: dict[str, Any], past_it: dict[str, Any], place: str
):
    refused = violations(message({"type": "divider"}, past_it))

    assert violations(message({"type": "divider"}, at_the_edge)) == ()
    assert [(v.pointer, v.error) for v in refused] == [(f"/blocks/1{place}", "invalid_blocks")]


SHAPELESS = [
    ({"type": "banner"}, "/blocks/0/type", "unsupported type: banner"),
    ({"type": ["section"]}, "/blocks/0/type", "unsupported type: ['section']"),
    ({}, "/blocks/0/type", "unsupported type: None"),
    ("section", "/blocks/0", "must be an object"),
    ({"type": "header"}, "/blocks/0", "missing required field: text"),
    ({"type": "header", "text": None}, "/blocks/0", "missing required field: text"),
    (section(), "/blocks/0", "missing required field: one of text, fields"),
    (section(text="plain string"), "/blocks/0/text", "must be an object"),
    (section(text=mrkdwn("")), "/blocks/0/text/text", "must be more than 0 characters"),
    (section(text=mrkdwn(5)), "/blocks/0/text/text", "must be a string"),  # type: ignore[arg-type]
    (section(text={**mrkdwn("x"), "emoji": True}), "/blocks/0/text", "invalid additional property: emoji"),
    (section(text=mrkdwn("x"), colour="red"), "/blocks/0", "invalid additional property: colour"),
    (actions(), "/blocks/0/elements", "no fewer than 1 items allowed (has 0)"),
    (actions(section(text=mrkdwn("x"))), "/blocks/0/elements/0/type", "unsupported type: section"),
    (actions(button(action_id="a"), button(action_id="a")), "/blocks/0", "action_id is not unique in its block: a"),
    (
        actions(menu("static_select", 1, option_groups=[])),
        "/blocks/0/elements/0",
        "only one of options and option_groups is allowed",
    ),
    (text_input(), "/blocks/0/type", "unsupported type: input"),
]


@pytest.mark.parametrize(("block", "pointer", "sentence"), SHAPELESS)
def test_malformed_block_is_refused_with_the_reason(block: Any, pointer: str, sentence: str):
    found = violations(message(block))

    assert Violation(pointer=pointer, error="invalid_blocks", sentence=sentence) in found


def test_fifty_blocks_fit_a_message_and_a_hundred_a_modal():
    divider = {"type": "divider"}

    assert violations(message(*[divider] * 50)) == ()
    assert [str(v) for v in violations(message(*[divider] * 51))] == [
        "no more than 50 items allowed (has 51) [json-pointer:/blocks]"
    ]
    assert violations(modal(*[divider] * 100), Surface.MODAL) == ()
    assert [v.pointer for v in violations(modal(*[divider] * 101), Surface.MODAL)] == ["/view/blocks"]


def test_block_ids_of_one_message_are_unique():
    twice = message({"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"})

    assert [v.pointer for v in violations(twice)] == ["/blocks/0/block_id", "/blocks/1/block_id"]


def test_second_table_is_refused_even_inside_a_container():
    boxed = {"type": "container", "title": plain("Box"), "child_blocks": [table(1, 1)]}

    assert violations(message(table(1, 1))) == ()
    assert violations(message(boxed)) == ()
    assert [v.sentence for v in violations(message(table(1, 1), boxed))] == ["no more than 1 table allowed"]


def test_blocks_too_large_together_are_msg_blocks_too_long():
    blocks = [section(text=mrkdwn("x" * 2900)) for _ in range(4)]
    room = BLOCKS_CHARACTERS - blocks_size([*blocks, section(text=mrkdwn(""))])
    full = [*blocks, section(text=mrkdwn("y" * room))]
    over = [*blocks, section(text=mrkdwn("y" * (room + 1)))]

    assert blocks_size(full) == BLOCKS_CHARACTERS
    assert violations(message(*full)) == ()
    assert [v.error for v in violations(message(*over))] == ["msg_blocks_too_long"]


def test_markdown_counts_together():
    half = {"type": "markdown", "text": "x" * 6_000}
    more = {"type": "markdown", "text": "x" * 6_001}

    assert violations(message(half, half)) == ()
    assert [v.error for v in violations(message(half, more))] == ["msg_blocks_too_long"]


@pytest.mark.parametrize(("surface", "most"), [(Surface.MESSAGE, 40_000), (Surface.UPDATE, 4_000)])
def test_text_too_long_is_msg_too_long_and_an_edit_takes_less(surface: Surface, most: int):
    assert violations({"text": "x" * most}, surface) == ()
    assert [v.error for v in violations({"text": "x" * (most + 1)}, surface)] == ["msg_too_long"]


def test_message_that_says_nothing_is_no_text():
    assert [v.error for v in violations({"text": "", "blocks": []})] == ["no_text"]


def test_markdown_text_goes_with_nothing_else():
    assert violations({"markdown_text": "# Hi"}) == ()
    assert [v.error for v in violations({"markdown_text": "# Hi", "text": "Hi"})] == ["markdown_text_conflict"]


def test_metadata_needs_a_type_and_a_payload():
    whole = {"event_type": "rca", "event_payload": {"id": "INV-1"}}

    assert violations({"text": "x", "metadata": whole}) == ()
    assert [(v.pointer, v.error) for v in violations({"text": "x", "metadata": {"event_type": "rca"}})] == [
        ("/metadata", "invalid_metadata_schema")
    ]


def test_attachments_are_a_hundred_and_their_blocks_are_looked_at():
    bad = {"blocks": [{"type": "header", "text": plain("x" * 151)}]}

    assert [v.error for v in violations({"attachments": [{"text": "x"}] * 101})] == ["too_many_attachments"]
    assert [v.pointer for v in violations({"attachments": [bad]})] == ["/attachments/0/blocks/0/text/text"]


VIEW_EDGES = [
    ({"title": plain("x" * 24)}, {"title": plain("x" * 25)}, "/view/title/text"),
    ({"close": plain("x" * 24)}, {"close": plain("x" * 25)}, "/view/close/text"),
    ({"submit": plain("x" * 24)}, {"submit": plain("x" * 25)}, "/view/submit/text"),
    ({"private_metadata": "x" * 3000}, {"private_metadata": "x" * 3001}, "/view/private_metadata"),
    ({"callback_id": "x" * 255}, {"callback_id": "x" * 256}, "/view/callback_id"),
]


@pytest.mark.parametrize(("at_the_edge", "past_it", "pointer"), VIEW_EDGES)
def test_view_at_its_limit_passes_and_one_past_it_is_refused(
    at_the_edge: dict[str, Any], past_it: dict[str, Any], pointer: str
):
    refused = violations(modal(**past_it), Surface.MODAL)

    assert violations(modal(**at_the_edge), Surface.MODAL) == ()
    assert [(v.pointer, v.error) for v in refused] == [(pointer, "invalid_arguments")]


def test_modal_with_an_input_needs_a_submit_button():
    assert violations(modal(text_input(), submit=plain("Send")), Surface.MODAL) == ()
    assert [v.pointer for v in violations(modal(text_input()), Surface.MODAL)] == ["/view"]


def test_home_has_no_title():
    home = {"type": "home", "blocks": [{"type": "divider"}]}

    assert violations(home, Surface.HOME) == ()
    assert [v.sentence for v in violations({**home, "title": plain("x")}, Surface.HOME)] == [
        "invalid additional property: title"
    ]


@pytest.mark.parametrize("block", [table(1, 1), {"type": "markdown", "text": "x"}, task()])
def test_blocks_of_messages_are_refused_in_views(block: dict[str, Any]):
    assert violations(message(block)) == ()
    assert [v.pointer for v in violations(modal(block), Surface.MODAL)] == ["/view/blocks/0/type"]


def test_board_of_all_kinds_of_blocks_we_use_passes():
    link = {"type": "link", "url": "https://example.com", "text": "log", "style": {"bold": True}}
    board = message(
        {
            "type": "plan",
            "title": "Looking",
            "tasks": [task(output=rich(link)), task(sources=[{"type": "url", "url": "u", "text": "t"}])],
        },
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain("y"), "value": "y"},
                    "negative_button": {"text": plain("n"), "value": "n"},
                }
            ],
        },
        {"type": "carousel", "elements": [{"type": "card", "title": mrkdwn("x"), "actions": [button()]}]},
        {
            "type": "table",
            "rows": [[{"type": "raw_number", "value": 5}, rich(link)]],
            "column_settings": [{"align": "right"}, None],
        },
        section(
            text=mrkdwn("x"), accessory={"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x"}, expand=True
        ),
    )

    assert violations(board) == ()
