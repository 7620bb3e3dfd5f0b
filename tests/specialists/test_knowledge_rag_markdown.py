"""Markdown in sections: where a heading begins one, where something only looks like a heading, what front matter says."""

import time

import pytest

from specialists.knowledge_rag.markdown import MAX_SECTION, read_document

DOCUMENT = """\
---
title: Orders
causes: [ddb-hot-partition, no-such-cause]
link: https://wiki.example.com/orders
---
Before any heading.

# Orders service

## Throttling `orders` ##
Call Bob.

Underlined
==========
One.

Two lines make
one heading
---
Two.

### Deeper
Three.
"""


def headings(text: str) -> list[str]:
    return [section.heading for section in read_document(text, name="file").sections]


def test_sections_carry_the_headings_above_them():
    assert headings(DOCUMENT) == [
        "Orders",
        "Orders service > Throttling orders",
        "Underlined",
        "Underlined > Two lines make one heading",
        "Underlined > Two lines make one heading > Deeper",
    ]


def test_front_matter_names_causes_and_a_link_and_is_no_text():
    document = read_document(DOCUMENT, name="file")

    assert document.link == "https://wiki.example.com/orders"
    assert {section.causes for section in document.sections} == {("ddb-hot-partition",)}
    assert "title:" not in "".join(section.text for section in document.sections)


@pytest.mark.parametrize(
    "text",
    [
        "# A\n```\n# not a heading\n```\nend",
        "# A\n~~~ sh\n# not\n```\n# not\n~~~\nend",
        "# A\n````\n```\n# not\n````\nend",
        "# A\n```\n# never closed",
        "# A\n    # indented code",
        "# A\ntext\n#hashtag",
        "# A\n####### seven hashes",
        "# A\n<!--\n# hidden\n-->\nend",
        "# A\n- item\n---\nend",
        "# A\n> quoted\n---\nend",
        "# A\n| a |\n|---|\nend",
        "# A\n\n---\n\nend",
        "# A\n- item\ngoes on\n---\nend",
    ],
)
def test_what_only_looks_like_a_heading_is_text(text):
    assert headings(text) == ["A"]


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("   ### Three spaces\nx", "Three spaces"),
        ("# C# and F#\nx", "C# and F#"),
        ("# Closed ###  \nx", "Closed"),
        ("# [Linked](https://e.org) `code` **bold**\nx", "Linked code bold"),
        ("# a > b\nx", "a › b"),
        ("#\ttab\nx", "tab"),
        ("paragraph\n    continued\n===\nx", "paragraph continued"),
        ("# " + "long " * 100 + "\nx", ("long " * 24)),
        ("no heading at all", "file"),
        ("# \nx", "file"),
    ],
)
def test_a_heading_reads_as_plain_words(text, heading):
    assert headings(text) == [heading]


def test_a_section_is_about_the_causes_whose_codes_it_writes_out():
    sections = read_document("# A\nsee `lambda-timeout`\n# B\nthe alarm lambda-timeout-alarm\n", name="x").sections

    assert [section.causes for section in sections] == [("lambda-timeout",), ()]


@pytest.mark.parametrize(
    "front", ["causes: [", "- a\n- b", "causes: {a: b}\ntitle: [x]", "[" * 4000, "when: 2026-13-45", ""]
)
def test_front_matter_that_cannot_be_read_costs_nothing_but_itself(front):
    document = read_document(f"---\n{front}\n---\n# A\ntext\n", name="x")

    assert [(section.heading, section.text, section.causes) for section in document.sections] == [("A", "text", ())]


def test_a_rule_at_the_top_is_no_front_matter():
    assert "one" in read_document("---\none\n\ntwo", name="x").sections[0].text


def test_secrets_and_unseen_characters_are_not_kept():
    document = read_document("# A\u202e\npassword = hunter2hunter2\x1b[31m red\n", name="x")

    text = document.sections[0].text
    assert "hunter2hunter2" not in text
    assert "[redacted" in text
    assert (document.sections[0].heading, "\x1b" in text) == ("A", False)


def test_a_long_section_is_cut_at_line_ends_and_nothing_is_lost():
    lines = [f"line {number} of a long story" for number in range(1000)]

    sections = read_document("# A\n" + "\n".join(lines), name="x").sections

    assert len(sections) > 1
    assert all(len(section.text) <= MAX_SECTION for section in sections)
    assert [line for section in sections for line in section.text.split("\n")] == lines


@pytest.mark.parametrize("piece", ["# ", "[", "---\n", "```\n", "- ", "<!--", "#" * 6 + " \t", "a\n===\n", "> "])
def test_hostile_documents_are_read_in_a_moment(piece):
    began = time.perf_counter()
    read_document(piece * (200_000 // len(piece)), name="x")

    assert time.perf_counter() - began < 3.0
