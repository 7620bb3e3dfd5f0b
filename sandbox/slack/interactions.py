"""What people can do with the elements of a message or view, and how Slack tells the app (pure)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]
Choice = str | int | Sequence[str]


class Answer(NamedTuple):
    """How an element reports what was chosen: under which name, and where its first value is written."""

    name: str
    initial: str = ""
    options: bool = False  # chosen among its options, by value
    many: bool = False


ANSWERS: dict[str, Answer] = {
    "static_select": Answer("selected_option", "initial_option", options=True),
    "external_select": Answer("selected_option", "initial_option", options=True),
    "radio_buttons": Answer("selected_option", "initial_option", options=True),
    "overflow": Answer("selected_option", options=True),
    "multi_static_select": Answer("selected_options", "initial_options", options=True, many=True),
    "checkboxes": Answer("selected_options", "initial_options", options=True, many=True),
    "users_select": Answer("selected_user", "initial_user"),
    "multi_users_select": Answer("selected_users", "initial_users", many=True),
    "channels_select": Answer("selected_channel", "initial_channel"),
    "conversations_select": Answer("selected_conversation", "initial_conversation"),
    "datepicker": Answer("selected_date", "initial_date"),
    "timepicker": Answer("selected_time", "initial_time"),
    "datetimepicker": Answer("selected_date_time", "initial_date_time"),
    "plain_text_input": Answer("value", "initial_value"),
    "number_input": Answer("value", "initial_value"),
    "url_text_input": Answer("value", "initial_value"),
}
STATELESS = frozenset({"overflow"})
ACTED_ON = frozenset({*ANSWERS, "button", "icon_button"})


def held(block: Mapping[str, Any]) -> Iterator[Json]:
    """Yield the elements right in a block that one can act on."""
    places = [*block.get("elements", []), block.get("accessory"), block.get("element"), *block.get("actions", [])]
    return (place for place in places if isinstance(place, dict) and place.get("type") in ACTED_ON)


def inner(block: Mapping[str, Any]) -> list[Json]:
    """Return the blocks within a block: a container's children, a carousel's cards."""
    cards = [part for part in block.get("elements", []) if part.get("type") == "card"]
    return [*block.get("child_blocks", []), *cards]


def elements(blocks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Json]]:
    """Yield every element one can act on with the id of its block, inner blocks included."""
    for block in blocks:
        yield from ((str(block["block_id"]), element) for element in held(block))
        yield from elements(inner(block))


def find(blocks: Sequence[Mapping[str, Any]], wanted: str | Mapping[str, Any]) -> tuple[str, Json]:
    """Return the element with that action_id, or the one with all the given fields, and its block's id.

    Raises LookupError when nothing or more than one thing on the screen fits.
    """
    fields = {"action_id": wanted} if isinstance(wanted, str) else wanted
    fit = [
        (block_id, element)
        for block_id, element in elements(blocks)
        if all({"block_id": block_id, **element}.get(name) == value for name, value in fields.items())
    ]
    if len(fit) != 1:
        there = ", ".join(element.get("action_id", "?") for _, element in elements(blocks)) or "nothing"
        raise LookupError(f"{len(fit)} elements fit {dict(fields)}; one can act on: {there}")
    return fit[0]


def chosen(element: Mapping[str, Any], choice: Choice) -> Json:
    """Return what the element reports for the choice; raises LookupError for an option it does not offer."""
    answer = ANSWERS[element["type"]]
    if not answer.options:
        return {answer.name: choice}
    groups = element.get("option_groups", [])
    offered = [*element.get("options", []), *(option for group in groups for option in group["options"])]
    wanted = [choice] if isinstance(choice, str | int) else list(choice)
    picked = [option for value in wanted for option in offered if option["value"] == value]
    if len(picked) != len(wanted):
        raise LookupError(f"{wanted} is not among {[option['value'] for option in offered]}")
    return {answer.name: picked if answer.many else picked[0]}


def action(block_id: str, element: Mapping[str, Any], reported: Mapping[str, Any]) -> Json:
    """Return the entry of `actions` in block_actions."""
    kept = ("type", "action_id", "text", "value", "style", "confirm", "placeholder")
    own = {name: element[name] for name in kept if name in element}
    return {**own, "block_id": block_id, **reported, "action_ts": f"{time.time():.6f}"}


def state_of(blocks: Sequence[Mapping[str, Any]], chosen_so_far: Mapping[str, Any]) -> Json:
    """Return `state.values`: every element that keeps a value, with what was chosen, else its first value."""
    values: Json = {}
    for block_id, element in elements(blocks):
        kind = element["type"]
        if kind not in ANSWERS or kind in STATELESS:
            continue
        answer = ANSWERS[kind]
        empty: Any = [] if answer.many else None
        first = {answer.name: element.get(answer.initial, empty)}
        picked = chosen_so_far.get(block_id, {}).get(element["action_id"], first)
        values.setdefault(block_id, {})[element["action_id"]] = {"type": kind, **picked}
    return values


def unanswered(blocks: Sequence[Mapping[str, Any]], chosen_so_far: Mapping[str, Any]) -> list[str]:
    """Return the block ids of required inputs without a value, which Slack does not let people submit."""
    values = state_of(blocks, chosen_so_far)
    required = [b for b in blocks if b.get("type") == "input" and not b.get("optional", False)]
    return [b["block_id"] for b in required if not _filled(b["element"], values[b["block_id"]])]


def _filled(element: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return bool(values[element["action_id"]].get(ANSWERS[element["type"]].name))
