"""The parts of reading alarm posts: Regions, console links, times, states, and what a message holds."""

from typing import Any

import pytest

from bot.alarms.console import alarm_behind
from bot.alarms.flatten import MAX_CHARACTERS, MAX_PARTS, Field, flattened
from bot.alarms.markup import plain, unwrapped
from bot.alarms.regions import ROWS, region_of
from bot.alarms.states import state_of
from bot.alarms.times import moment_of
from bot.alarms.verdict import judged
from bot.alarms.wordings import MAX_LINES, lines_of
from domain.alarm import AlarmState

HOST = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("EU (Ireland)", "eu-west-1"), ("EU - Ireland", "eu-west-1"), ("Europe (Ireland)", "eu-west-1"), ("eu-west-1", "eu-west-1"),
        ("EU-WEST-1", "eu-west-1"), ("Ireland (eu-west-1)", "eu-west-1"), ("the EU (Ireland) region", "eu-west-1"),
        ("US East (N. Virginia)", "us-east-1"), ("US - N. Virginia", "us-east-1"), ("US East (Northern Virginia)", "us-east-1"),
        ("US East (Ohio)", "us-east-2"), ("US West (N. California)", "us-west-1"), ("US West (Oregon)", "us-west-2"),
        ("Asia Pacific (Sydney)", "ap-southeast-2"), ("APAC - Tokyo", "ap-northeast-1"), ("Asia Pacific (Osaka-Local)", "ap-northeast-3"),
        ("South America (São Paulo)", "sa-east-1"), ("South America (Sao Paulo)", "sa-east-1"), ("Canada (Central)", "ca-central-1"),
        ("Mexico (Central)", "mx-central-1"), ("Canada West (Calgary)", "ca-west-1"), ("Europe (Zurich)", "eu-central-2"),
        ("Middle East (UAE)", "me-central-1"), ("Israel (Tel Aviv)", "il-central-1"), ("Africa (Cape Town)", "af-south-1"),
        ("AWS GovCloud (US)", "us-gov-west-1"), ("AWS GovCloud (US-West)", "us-gov-west-1"), ("AWS GovCloud (US-East)", "us-gov-east-1"),
        ("China (Beijing)", "cn-north-1"), ("China (Ningxia)", "cn-northwest-1"),
        ("Central", None), ("prod-api-1", None), ("", None), ("Atlantis", None), ("x" * 500, None),
    ],
)  # fmt: skip
def test_a_region_is_known_by_its_code_and_by_every_spelling_of_its_label(label: str, code: str | None) -> None:
    assert region_of(label) == code


def test_every_region_of_the_table_is_found_by_its_own_labels() -> None:
    labels = {row.code: f"{row.areas.split('|')[0]} ({row.places.split('|')[0]})" for row in ROWS}

    assert {code: region_of(label) for code, label in labels.items()} == {code: code for code in labels}


@pytest.mark.parametrize(
    ("url", "name", "region", "account"),
    [
        (f"{HOST}#alarmsV2:alarm/orders", "orders", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/orders?~(timeRange~300)", "orders", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/team%2Forders%20%7C%205xx%3F", "team/orders | 5xx?", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/team/orders", "team/orders", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/orders$25205xx", "orders 5xx", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/orders%25205xx", "orders 5xx", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/%E6%B3%A8%E6%96%87", "注文", "eu-west-1", None),
        (f"{HOST}#alarmsV2:alarm/CPU%20%3E%2090%25", "CPU > 90%", "eu-west-1", None),
        (f"{HOST}#alarm:alarmFilter=ANY;name=orders%205xx", "orders 5xx", "eu-west-1", None),
        (f"{HOST}#alarm:name=orders", "orders", "eu-west-1", None),
        (f"{HOST}#s=Alarms&alarm=orders", "orders", "eu-west-1", None),
        ("https://us-east-1.console.aws.amazon.com/cloudwatch/deeplink.js?region=us-east-1#alarmsV2:alarm/orders", "orders", "us-east-1", None),
        ("https://ap-south-1.console.aws.amazon.com/cloudwatch/home#alarmsV2:alarm/orders", "orders", "ap-south-1", None),
        ("https://console.aws.amazon.com/cloudwatch/home?region=EU+(Ireland)#alarm:name=orders", "orders", "eu-west-1", None),
        ("https://console.aws.amazon.com/cloudwatch/home#alarmsV2:alarm/orders", "orders", None, None),
        ("https://123456789012.signin.aws.amazon.com/console/cloudwatch?region=us-east-1#alarm:name=orders", "orders", "us-east-1", "123456789012"),
        ("https://123456789012-abcdefgh.us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarmsV2:alarm/orders", "orders", "us-east-1", "123456789012"),
        ("https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#alarmsV2:alarm/orders", "orders", "cn-north-1", None),
        ("https://console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#alarmsV2:alarm/orders", "orders", "us-gov-west-1", None),
        ("https://acme.awsapps.com/start/#/console?account_id=123456789012&role_name=ro&destination=https%3A%2F%2Feu-west-1.console.aws.amazon.com%2Fcloudwatch%2Fhome%3Fregion%3Deu-west-1%23alarmsV2%3Aalarm%2Forders", "orders", "eu-west-1", "123456789012"),
    ],
)  # fmt: skip
def test_a_console_link_of_any_form_names_the_alarm(
    url: str, name: str, region: str | None, account: str | None
) -> None:
    found = alarm_behind(url)

    assert found is not None
    assert (found.name(), found.region, found.account) == (name, region, account)


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}#alarmsV2:", f"{HOST}#alarmsV2:?~(alarmStateFilter~'ALARM)", f"{HOST}#dashboards:name=orders", f"{HOST}#alarmsV2:alarm/",
        "https://evil.example/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/orders",
        "https://console.aws.amazon.com.evil.example/#alarmsV2:alarm/orders", f"{HOST}#alarmsV2:alarm/{'x' * 5000}", "", "https://",
    ],
)  # fmt: skip
def test_other_links_name_no_alarm(url: str) -> None:
    assert alarm_behind(url) is None


def test_a_plus_is_a_space_where_the_post_says_so() -> None:
    found = alarm_behind(f"{HOST}#s=Alarms&alarm=orders+5xx")

    assert found is not None
    assert (found.name(("orders 5xx",)), found.name()) == ("orders 5xx", "orders+5xx")


@pytest.mark.parametrize(
    "text",
    [
        "2020-03-25T11:31:31.000+0000", "2020-03-25T11:31:31Z", "2020-03-25 11:31:31 UTC", "2020-03-25T12:31:31+01:00",
        "2020-03-25 11:31:31 +0000 (UTC)", "2020-03-25 11:31:31", "Wednesday 25 March, 2020 11:31:31 UTC", "Wed, 25 Mar 2020 11:31:31 GMT",
        "Wed, 25 Mar 2020 12:31:31 +0100", "March 25, 2020 11:31:31 UTC", "1585135891", "1585135891.000", "1585135891000",
    ],
)  # fmt: skip
def test_a_time_is_read_in_the_forms_that_leave_no_doubt(text: str) -> None:
    at = moment_of(text)

    assert at is not None
    assert at.isoformat() == "2020-03-25T11:31:31+00:00"


@pytest.mark.parametrize(
    "text",
    ["11/12/26 10:00:00", "2020-03-25 19:31:31 SGT", "2020-03-25 11:31:31 AM", "Wednesday 25 March, 2020 11:31:31", "2020-13-45T11:31:31Z",
     "31 Foo 2020 11:31 UTC", "99999999999999", "²", "", "now", "2020-03-25"],
)  # fmt: skip
def test_a_doubtful_time_is_not_read(text: str) -> None:
    assert moment_of(text) is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("ALARM", "ALARM"), ("`ALARM`", "ALARM"), ("In alarm", "ALARM"), ("IN ALARM :large_red_square:", "ALARM"), ("🔴 *ALARM*", "ALARM"),
        ("OK → ALARM", "ALARM"), ("OK -> ALARM", "ALARM"), ("`OK` to `ALARM`", "ALARM"), ("OK :arrow_right: ALARM", "ALARM"),
        ("ALARM (was OK)", "ALARM"), ("🔴", "ALARM"), (":x:", "ALARM"), ("ALARM → OK", "OK"), ("ok", "OK"), (":white_check_mark:", "OK"),
        ("Insufficient data", "INSUFFICIENT_DATA"), ("OK -> INSUFFICIENT_DATA", "INSUFFICIENT_DATA"),
        ("ALARM OK", None), ("Triggered", None), ("FAILED", None), ("", None), ("no ALARM", None), ("OK -> ALARM -> OK", None), ("⚠️", None),
    ],
)  # fmt: skip
def test_a_value_is_a_state_only_where_it_tells_one(text: str, state: str | None) -> None:
    assert state_of(text) == (AlarmState(state) if state else None)


def test_slacks_escaping_is_undone_once() -> None:
    assert plain("R&amp;D &lt;5xx&gt; &amp;amp; <https://a.example|b> <!date^1585135891^{date}|then>") == (
        "R&D <5xx> &amp; b 2020-03-25T11:31:31+00:00"
    )


@pytest.mark.parametrize(
    ("text", "value"), [("`a`", "a"), ("*a*", "a"), ('"a"', "a"), ('`"a"`', '"a"'), ("*`a`*", "a"), ("`a`b`", "a`b"), ("a_b_", "a_b_")]
)  # fmt: skip
def test_the_marks_around_a_value_are_taken_off_and_those_in_code_are_kept(text: str, value: str) -> None:
    assert unwrapped(text) == value


def test_every_part_of_a_message_is_read_and_buttons_are_not() -> None:
    post = flattened(
        {
            "type": "message",
            "text": "top",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "head"}},
                {"type": "section", "text": {"type": "mrkdwn", "text": "section"}, "accessory": {"type": "button", "text": {"text": "no"}, "url": "https://a.example"}},
                {"type": "context", "elements": [{"type": "mrkdwn", "text": "context"}]},
                {"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "rich", "style": {"bold": True}}]}]}]},
                {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Resolve"}}]},
            ],
            "attachments": [
                {"pretext": "pre", "author_name": "author", "title": "title", "text": "text", "fallback": "fall", "blocks": [{"type": "section", "text": {"text": "nested"}}]},
                {"is_share": True, "text": "quoted"},
            ],
            "files": [{"filetype": "email", "subject": "subject", "plain_text": "mail\n> quoted"}, {"filetype": "text", "plain_text": "no"}],
        }
    )  # fmt: skip

    assert [text for _, text in post.texts] == [
        "top", "head", "section", "context", "*rich*", "pre", "author", "title", "text", "nested", "subject", "mail", "fall",
    ]  # fmt: skip
    assert [link.url for link in post.links] == ["https://a.example"]


@pytest.mark.parametrize(
    ("texts", "fields"),
    [
        (["*Key*\nvalue"], [("Key", "value")]),
        (["*Key:*\nvalue"], [("Key", "value")]),
        (["*Key:* value"], [("Key", "value")]),
        (["*Key:*", "value", "*Other:*", "*Third:* 3"], [("Key", "value"), ("Third", "3")]),
        (["*Key:*", "a: b"], [("Key", "a: b")]),
    ],
)
def test_a_sections_fields_are_named_values(texts: list[str], fields: list[tuple[str, str]]) -> None:
    block = {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in texts]}

    assert flattened({"type": "message", "blocks": [block]}).fields == tuple(Field(*each) for each in fields)


BIG: list[dict[str, Any]] = [
    {"text": "The alarm x is in ALARM " * 5000},
    {"text": "<https://a.example|b>" * 5000},
    {"attachments": [{"text": "y" * 2000, "fields": [{"title": "k", "value": "v"}] * 100}] * 100},
    {"blocks": [{"type": "section", "fields": [{"text": "*k*\nv"}] * 500}] * 500},
    {"blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "z" * 10}] * 10_000}]}]},
    {"files": [{"filetype": "email", "plain_text": "mail\n" * 40_000}]},
]  # fmt: skip


@pytest.mark.parametrize("message", BIG, ids=range(len(BIG)))
def test_of_a_large_post_a_bounded_part_is_read(message: dict[str, Any]) -> None:
    post = flattened({"type": "message", "bot_id": "B1", **message})
    characters = sum(len(text) for _, text in post.texts) + sum(len(key) + len(value) for key, value in post.fields)

    assert 0 < characters <= MAX_CHARACTERS
    assert len(post.texts) + len(post.fields) <= MAX_PARTS
    assert all(len(lines_of(text)) <= MAX_LINES for _, text in post.texts)
    assert judged({"type": "message", "bot_id": "B1", **message}).starts in {True, False}
