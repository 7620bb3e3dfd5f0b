"""Secrets go, ids stay, and no text makes it slow."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.redaction import MAX_LINE, clean, redact, redact_values
from tests.support import secrets
from tests.support.secrets import Dice, benign, planted
from tests.support.timing import own_seconds

PLANTED = tuple(planted())
BENIGN = tuple(benign())


def test_no_planted_secret_survives():
    leaked = [(kind, text, redact(text)) for kind, secret, text in PLANTED if secret in redact(text)]

    assert len({kind for kind, _, _ in PLANTED}) >= 40
    assert leaked == []


def test_no_tail_of_a_planted_secret_survives():
    tails = [(kind, redact(text)) for kind, secret, text in PLANTED if secret[-8:] in redact(text)]

    assert tails == []


def test_benign_lines_stay_as_they_are():
    damaged = [(line, redact(line)) for line in BENIGN if redact(line) != line]

    assert len(set(BENIGN)) >= 500
    assert damaged == []


def test_redacting_twice_changes_nothing_more():
    unstable = [text for _, _, text in PLANTED if redact(redact(text)) != redact(text)]

    assert unstable == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([text for _, _, text in PLANTED[::17]] + list(BENIGN[::9])), min_size=1, max_size=4),
    st.sampled_from([" ", "\n", ", ", "; "]),
)
def test_redacting_twice_changes_nothing_more_in_mixtures(parts: list[str], between: str):
    once = redact(between.join(parts))

    assert redact(once) == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2x", "password=[redacted:password]"),
        ("Authorization: Bearer abcdef123456", "Authorization: [redacted:authorization]"),
        ("postgres://app:s3cr3t@db:5432/orders", "postgres://[redacted:url_credentials]@db:5432/orders"),
        ("Set-Cookie: sid=abc123; Path=/", "Set-Cookie: [redacted:cookie]"),
        ("order of mia.o+x@example.com", "order of [redacted:email]@example.com"),
        ("paid with 4111 1111 1111 1111.", "paid with [redacted:card]."),
        ("password=P@ss,w0rd!;Encrypt=true", "password=[redacted:password];Encrypt=true"),
    ],
)
def test_the_text_around_a_secret_stays(text: str, shown: str):
    assert redact(text) == shown


def test_a_number_that_fails_the_luhn_check_is_no_card():
    assert redact("order 4111111111111112") == "order 4111111111111112"


def test_values_are_redacted_by_the_name_of_their_key():
    environment = {"Variables": {"DB_PASSWORD": "x", "LOG_LEVEL": "info", "API_KEY": 12345, "PWD": None}}

    assert redact_values(environment) == {
        "Variables": {
            "DB_PASSWORD": "[redacted:password]",
            "LOG_LEVEL": "info",
            "API_KEY": "[redacted:api_key]",
            "PWD": None,
        }
    }


def test_name_and_value_pairs_count_as_a_key_and_its_value():
    pairs = [{"Name": "STRIPE_SECRET", "Value": "abc"}, {"name": "REGION", "value": "eu-west-1"}]

    assert redact_values(pairs) == [
        {"Name": "STRIPE_SECRET", "Value": "[redacted:secret]"},
        {"name": "REGION", "value": "eu-west-1"},
    ]


def test_values_keep_their_shape():
    values = {"a": ("token=abc123def", 5, True), "tokens": 77, "secrets": {"password": ["p1x", "p2x"]}, "token": False}

    assert redact_values(values) == {
        "a": ("token=[redacted:token]", 5, True),
        "tokens": 77,
        "secrets": {"password": ["[redacted:password]", "[redacted:password]"]},
        "token": False,
    }


def test_the_arn_of_a_secret_is_no_secret():
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-password-AbCdEf"

    assert redact_values({"secret": arn, "DB_SECRET": arn}) == {"secret": arn, "DB_SECRET": arn}


def test_unseen_characters_are_removed():
    hidden = "".join(map(chr, (0, 7, 0x9B, 0x200B, 0x202E, 0x2066, 0xFEFF, 0xFE0F, 0xE0041, 0xE0101, 0xD800)))

    assert clean(f"a{hidden}b\x1b[31mred\x1b[0m\tc\r\nd\u2028e") == "abred\tc\nd\ne"


def test_readable_text_of_every_language_stays():
    text = "Überlauf 溢出 переполнение 🔥 café £5 → “quoted”\n\tend"

    assert clean(text) == text


def test_a_long_line_is_cut_before_it_is_looked_through():
    text = "short\n" + "word " * 10_000 + "password=hunter2x\nlast"
    first, cut, last = redact(text).split("\n")

    assert (first, last) == ("short", "last")
    assert len(cut) <= MAX_LINE
    assert cut.endswith("word …[cut]")
    assert redact(redact(text)) == redact(text)


def test_a_line_is_cut_before_its_secrets_are_replaced():
    token = f"eyJ{'a' * 4000}.{'b' * 8000}.{'c' * 8000}"

    assert redact(f"{token} tail") == "[redacted:jwt] …[cut]"


def test_a_secret_at_the_cut_does_not_lose_its_tail_only():
    dice = Dice(5)
    token = secrets.SHAPES["github classic"](dice)
    line = "w " * ((MAX_LINE - 30) // 2) + token + " more" * 20

    assert token[:12] not in redact(line)


PROBES = (
    *(
        "a.",
        "@",
        ":",
        "/",
        "=",
        "-",
        "4",
        "A",
        '"',
        "'",
        "\\",
        "<",
        "\n",
        " ",
        "\x1b[",
        "\x1b]",
        "{",
        "4111 ",
        "Aa1/",
        "a@b.",
    ),
    *(
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJ",
        "eyJaaaaaaaa.",
        "-eyJ",
        "arn:aws:",
        "sk-",
        "SG.",
        "xoxb-",
        "ghp_",
    ),
    *("password=", 'password="', 'password: \\"', "password is ", "password=,a", "token ", "a-secret_=", "<password>"),
    *(
        "a://",
        "a://b:c",
        "postgres://a:@",
        "jdbc:oracle:thin:",
        "bearer ",
        "basic aaaaaaaa",
        "cookie: ",
        " --a-password",
        " -u a:",
    ),
    '"name":"password","value":',
)
SIZE = 200_000


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("line", [SIZE, 300])
def test_hostile_text_takes_less_than_half_a_second(probe: str, line: int):
    row = (probe * (line // len(probe)))[:line]
    text = "\n".join([row] * (SIZE // len(row)))

    assert own_seconds(lambda: redact(clean(text))) < 0.5


def test_every_printable_character_alone_is_harmless():
    assert [c for c in string.printable[:-5] if redact(clean(c)) != c] == []
