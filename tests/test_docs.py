"""The generated pages are what the code declares."""

import re
from pathlib import Path

import pytest

from docs.generate import PAGES, UNDECIDED
from domain.causes import CAUSES
from specialists.registry import all_specialists

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_says_what_the_code_declares(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"


def test_pages_link_only_to_known_places() -> None:
    root = DOCS.parent
    pages = [*DOCS.rglob("*.md"), *root.glob("*.md"), root / "Makefile", root / "Dockerfile"]
    hosts = {(p.name, host) for p in pages for host in re.findall(r"https?://([^/\s)\"'`:]+)", p.read_text())}

    assert {host for _, host in hosts} <= {"docs.aws.amazon.com", "api.slack.com", "127.0.0.1"}, hosts


def test_a_cause_without_a_rule_says_why() -> None:
    named = {code for s in all_specialists() for rule in s.rules for code in rule.causes}

    assert set(UNDECIDED) == set(CAUSES) - named
