"""The generated pages are what the code declares."""

from pathlib import Path

import pytest

from docs.generate import PAGES, UNDECIDED
from domain.causes import CAUSES
from specialists.registry import all_specialists

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_says_what_the_code_declares(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"


def test_no_page_names_a_machine_path_or_a_registry_host() -> None:
    root = DOCS.parent
    pages = [*DOCS.rglob("*.md"), *root.glob("*.md"), root / "Makefile", root / "Dockerfile"]
    bad = ("/work/", "/root/", "pypi.org", "registry.npmjs")

    assert [(p.name, word) for p in pages for word in bad if word in p.read_text()] == []


def test_a_cause_without_a_rule_says_why() -> None:
    named = {code for s in all_specialists() for rule in s.rules for code in rule.causes}

    assert set(UNDECIDED) == set(CAUSES) - named
