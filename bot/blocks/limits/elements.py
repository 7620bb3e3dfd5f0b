"""The table of interactive elements and composition objects (docs.slack.dev/reference/block-kit/block-elements)."""

from collections.abc import Mapping

from bot.blocks.limits.shapes import Check, anything, count, flag, items, kinds, one_of, plain, record, string, text

BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
URL = string(3_000)
NAME = string(255)  # identifiers: action_id, block_id, callback_id; 255 is also our cap where Slack names none
NAMES = items(NAME, 100)

CONFIRM = record(
    {
        "title": plain(100),
        "text": text(300),
        "confirm": plain(30),
        "deny": plain(30),
        "style": one_of("primary", "danger"),
    },
    "title",
    "text",
    "confirm",
    "deny",
)
OPTION = record({"text": text(75), "value": string(150), "description": text(75), "url": URL}, "text", "value")
GROUP = record({"label": plain(75), "options": items(OPTION, 100)}, "label", "options")
FEEDBACK = record({"text": plain(75), "value": string(2_000), "accessibility_label": string(75)}, "text", "value")
SLACK_FILE = record({"id": NAME, "url": URL}, any_of=("id", "url"))

PRESSED = {"action_id": NAME, "confirm": CONFIRM}
FOCUSED = PRESSED | {"focus_on_load": flag}
ASKED = FOCUSED | {"placeholder": plain(150)}
WRITTEN = ASKED | {"initial_value": string(3_000, 0), "dispatch_action_config": anything}
LABELLED = {"value": string(BUTTON_VALUE), "accessibility_label": string(75), "visible_to_user_ids": items(NAME, 10)}
IMAGE = {"image_url": URL, "alt_text": string(2_000), "slack_file": SLACK_FILE}
CHOICES = items(OPTION, 10)
MENU = ASKED | {"options": items(OPTION, 100), "option_groups": items(GROUP, 100)}
MANY = {"max_selected_items": count(1, 100)}


def _menu(fields: Mapping[str, Check]) -> Check:
    names = ("options", "option_groups")
    return record(MENU | dict(fields), any_of=names, not_both=names)


ELEMENTS: dict[str, Check] = {
    "button": record(
        PRESSED
        | LABELLED
        | {"text": plain(BUTTON_TEXT), "url": URL, "style": one_of("primary", "danger"), "agent_prompt": string(4_000)},
        "text",
    ),
    "icon_button": record(PRESSED | LABELLED | {"icon": NAME, "text": plain(BUTTON_TEXT)}, "icon", "text"),
    "feedback_buttons": record(
        {"action_id": NAME, "positive_button": FEEDBACK, "negative_button": FEEDBACK},
        "positive_button",
        "negative_button",
    ),
    "overflow": record(PRESSED | {"options": items(OPTION, 5)}, "options"),
    "checkboxes": record(FOCUSED | {"options": CHOICES, "initial_options": CHOICES}, "options"),
    "radio_buttons": record(FOCUSED | {"options": CHOICES, "initial_option": OPTION}, "options"),
    "static_select": _menu({"initial_option": OPTION}),
    "multi_static_select": _menu(MANY | {"initial_options": items(OPTION, 100)}),
    "users_select": record(ASKED | {"initial_user": NAME}),
    "multi_users_select": record(ASKED | MANY | {"initial_users": NAMES}),
    "channels_select": record(ASKED | {"initial_channel": NAME, "response_url_enabled": flag}),
    "conversations_select": record(
        ASKED
        | {
            "initial_conversation": NAME,
            "default_to_current_conversation": flag,
            "response_url_enabled": flag,
            "filter": anything,
        }
    ),
    "datepicker": record(ASKED | {"initial_date": string(10)}),
    "timepicker": record(ASKED | {"initial_time": string(5), "timezone": NAME}),
    "datetimepicker": record(FOCUSED | {"initial_date_time": count(0, 9_999_999_999)}),
    "plain_text_input": record(
        WRITTEN | {"multiline": flag, "min_length": count(0, 3_000), "max_length": count(1, 3_000)}
    ),
    "number_input": record(
        WRITTEN | {"is_decimal_allowed": flag, "min_value": NAME, "max_value": NAME}, "is_decimal_allowed"
    ),
    "url_text_input": record(WRITTEN),
    "image": record(IMAGE, "alt_text", any_of=("image_url", "slack_file")),
}

MENUS = (
    "static_select",
    "multi_static_select",
    "users_select",
    "multi_users_select",
    "channels_select",
    "conversations_select",
)
PICKERS = ("datepicker", "timepicker", "checkboxes", "radio_buttons")
BOXES = ("plain_text_input", "number_input", "url_text_input", "datetimepicker")


def elements(*names: str) -> Check:
    """Accept one of the named elements."""
    return kinds({name: ELEMENTS[name] for name in names})
