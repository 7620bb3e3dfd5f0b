"""`rca knowledge`: what it prints, and one clear line for what it cannot use."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.cli import main
from tests import test_cli


class Done(NamedTuple):
    code: int
    out: str
    err: str


Rca = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def rca(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Rca]:
    """The command, in this process: it asks neither AWS nor Slack."""
    monkeypatch.setenv("RCA_DATA_DIR", str(home))
    interval = sys.getswitchinterval()

    def run(*arguments: str) -> Done:
        code = main(["knowledge", *arguments])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    yield run
    sys.setswitchinterval(interval)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "orders.md").write_text("# Orders\n## Throttling\nCall Team Blue about `orders`.\n")
    return folder


def test_what_was_added_is_listed_and_found_with_file_and_heading(rca, docs):
    added = rca("add", str(docs))
    listed = rca("list")
    found = rca("search", "team blue")

    assert (added.code, added.out) == (0, f"{docs}: 1 new, 0 changed, 0 gone, 0 as before\n")
    assert listed.out.startswith(f"{docs}: 1 document, 1 section, added ")
    assert "rca-runbooks: 37 documents, 148 sections, shipped with the bot" in listed.out
    assert found.out.startswith("docs/orders.md: Orders > Throttling\n    Call Team Blue about `orders`.\n")


def test_each_speaks_json(rca, docs):
    (docs / "latin.md").write_bytes(b"caf\xe9")

    added = json.loads(rca("add", str(docs), "--json").out)
    listed = json.loads(rca("list", "--json").out)
    found = json.loads(rca("search", "blue", "--json").out)

    left = [{"path": str(docs / "latin.md"), "why": "is not UTF-8 text"}]
    assert added == [{"path": str(docs), "new": 1, "changed": 0, "gone": 0, "same": 0, "left_out": left}]
    assert (listed[0]["path"], listed[0]["documents"], listed[0]["shipped"]) == (str(docs), 1, False)
    assert (found[0]["source"], found[0]["heading"]) == ("docs/orders.md", "Orders > Throttling")


def test_a_shipped_runbook_is_found_without_adding_anything(rca):
    found = rca("search", "ProvisionedThroughputExceededException")

    assert found.out.startswith("rca-runbooks/dynamodb-throttling.md: DynamoDB throttling > What it looks like\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "{docs}/none"), "cannot be opened (No such file or directory)"),
        (("add", "{docs}/empty"), "has no Markdown files"),
        (("add", "{docs}/latin.md"), "is not UTF-8 text"),
        (("add", "{docs}/binary.md"), "is not text"),
        (("add", "{docs}/huge.md"), "is larger than 1 MB"),
        (("add", "{docs}/notes.txt"), "is not Markdown"),
        (("add", "{docs}", "{docs}/none"), "cannot be opened (No such file or directory)"),
        (("add", "x\n" * 300), "cannot be opened"),
        (("add", "~nobody-of-this-name/x"), "cannot be opened"),
        (("search", "***", '"'), "Tell me which words"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_unusable_input_is_one_line_and_exit_2_and_loses_nothing(rca, docs, arguments, sentence):
    rca("add", str(docs))
    (docs / "empty").mkdir()
    for name, content in (
        ("latin.md", b"caf\xe9"),
        ("binary.md", b"\x00"),
        ("huge.md", b"x" * 1_000_001),
        ("notes.txt", b"x"),
    ):
        (docs / name).write_bytes(content)

    done = rca(*(text.format(docs=docs) for text in arguments))

    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert rca("search", "blue").out.startswith("docs/orders.md: Orders > Throttling")


@pytest.mark.parametrize("words", ["AND NEAR( *", 'a "b', "heading:orders", "orders OR", "-orders", "(orders"])
def test_what_looks_like_a_query_language_is_just_words(rca, docs, words):
    rca("add", str(docs))

    done = rca("search", "--", words)

    assert (done.code, done.err) == (0, "")


def test_nothing_found_is_said(rca):
    assert rca("search", "xylophone").out == "Nothing has these words.\n"


def test_a_broken_index_is_one_line_that_names_it(rca, home):
    home.mkdir()
    (home / "knowledge.db").write_bytes(b"garbage, " * 1000)

    done = rca("list")

    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
    assert "knowledge.db" in done.err


def test_two_processes_may_add_at_once(rca, home, docs, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for number in range(30):
        (other / f"{number}.md").write_text(f"# N{number}\nwords")

    def process(path: Path) -> subprocess.CompletedProcess[str]:
        ours = {**os.environ, "RCA_DATA_DIR": str(home)}
        command = [sys.executable, "-m", "bot.cli", "knowledge", "add", str(path)]
        return subprocess.run(command, env=ours, capture_output=True, text=True, timeout=60, check=False)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(process, (docs, other)))

    assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * 2
    listed = rca("list").out
    assert f"{docs}: 1 document, 1 section" in listed
    assert f"{other}: 30 documents, 30 sections" in listed


def test_an_investigation_offers_what_was_added_and_the_shipped_runbook(rca, home, docs, moto_url):
    (docs / "tables.md").write_text("# Tables\n## Gone\nRestore it: see ddb-table-not-found.\n")
    rca("add", str(docs))

    report = json.loads(test_cli.rca(home, "investigate", test_cli.send_trace(failing=True), "--json").stdout)

    assert report["root_cause"]["cause"] == "ddb-table-not-found"
    assert [(each["source"], each["heading"]) for each in report["runbooks"]][:2] == [
        ("docs/tables.md", "Tables > Gone"),
        ("docs/orders.md", "Orders > Throttling"),
    ]
    assert report["runbooks"][2]["source"] == "rca-runbooks/dynamodb-rejected-requests.md"
    (ours,) = [each for each in report["specialists"] if each["name"] == "knowledge-rag"]
    assert (ours["status"], ours["hypotheses"]) == ("success", [])
    assert "Your document docs/orders.md: Orders > Throttling writes about `orders`" in [
        f["statement"] for f in ours["facts"]
    ]
    cited = {item["id"] for item in report["evidence"]}
    assert {each["evidence"] for each in report["runbooks"]} <= cited
