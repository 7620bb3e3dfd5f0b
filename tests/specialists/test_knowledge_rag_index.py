"""The index: what is found and in which order, what adding again does, and that nothing in a question is syntax."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from orchestrator.sqlite_file import StoreUnusable, connect
from specialists.knowledge_rag import library
from specialists.knowledge_rag.files import DocumentsUnusable, Found, LeftOut, markdown_files
from specialists.knowledge_rag.index import SCHEMA, Index, Put, match_query
from specialists.knowledge_rag.library import SHIPPED, DocumentLibrary

NOW = datetime(2026, 11, 20, 9, 56, tzinfo=UTC)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with closing(Index(connect(tmp_path / "knowledge.db", SCHEMA))) as opened:
        yield opened


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    write(
        folder / "orders.md", "# Orders\n## Throttling\nThe capacity of the table is set by hand.\n## Owners\nTeam Blue"
    )
    write(folder / "deep" / "pay.md", "# Payments\n## Provider\nThe provider throttles us; capacity is theirs.")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def add(index: Index, path: Path) -> Put:
    return index.put(path, *markdown_files(path), now=NOW)


def cited(index: Index, *words: str, causes: tuple[str, ...] = (), limit: int = 10) -> list[str]:
    return [f"{p.source}: {p.heading}" for p in index.search(words, causes=causes, limit=limit)]


def test_a_citation_is_the_file_from_its_folder_on_and_the_heading(index, docs):
    assert add(index, docs) == Put(new=2, changed=0, gone=0, same=0)

    assert cited(index, "capacity", "provider")[0] == "docs/deep/pay.md: Payments > Provider"


def test_a_word_in_the_heading_counts_more_than_in_the_text(index, tmp_path):
    write(tmp_path / "d" / "a.md", "# Notes\nabout the limits of things, and more words here")
    write(tmp_path / "d" / "b.md", "# Limits\nabout other things, and a few more words here too")
    add(index, tmp_path / "d")

    assert cited(index, "limits") == ["d/b.md: Limits", "d/a.md: Notes"]


def test_words_are_found_in_their_other_forms_and_whatever_their_case(index, docs):
    add(index, docs)

    assert "docs/orders.md: Orders > Throttling" in cited(index, "THROTTLED")


def test_adding_again_renews_what_changed_and_takes_out_what_is_gone(index, docs):
    add(index, docs)
    write(docs / "orders.md", "# Orders\n## Scaling\nNow on demand.")
    (docs / "deep" / "pay.md").unlink()
    write(docs / "new.md", "# New\nfresh")

    assert add(index, docs) == Put(new=1, changed=1, gone=1, same=0)
    assert cited(index, "capacity", "provider", "Throttling") == []
    assert cited(index, "demand", "fresh") == ["docs/new.md: New", "docs/orders.md: Orders > Scaling"]
    assert add(index, docs) == Put(new=0, changed=0, gone=0, same=2)


def test_what_cannot_be_read_any_more_keeps_what_it_had(index, docs):
    add(index, docs)
    (docs / "deep" / "pay.md").write_bytes(b"caf\xe9")

    assert add(index, docs) == Put(new=0, changed=0, gone=0, same=1)
    assert cited(index, "provider") == ["docs/deep/pay.md: Payments > Provider"]


def test_a_folder_that_cannot_be_opened_any_more_keeps_what_it_had(index, docs):
    add(index, docs)
    found = [one for one in markdown_files(docs)[0] if one.path.name == "orders.md"]

    done = index.put(docs, found, [LeftOut(docs / "deep", "cannot be opened")], now=NOW)

    assert done == Put(new=0, changed=0, gone=0, same=1)
    assert cited(index, "provider") == ["docs/deep/pay.md: Payments > Provider"]


def test_a_part_of_a_folder_is_renewed_on_its_own(index, docs):
    add(index, docs)
    (docs / "orders.md").unlink()
    write(docs / "deep" / "pay.md", "# Payments\nnothing more")

    assert add(index, docs / "deep") == Put(new=0, changed=1, gone=0, same=0)
    assert [folder.path for folder in index.folders()] == [str(docs)]
    assert cited(index, "Blue") == ["docs/orders.md: Orders > Owners"]


def test_a_folder_takes_over_the_folders_below_it(index, docs):
    add(index, docs / "deep")
    add(index, docs)

    assert [(folder.path, folder.documents, folder.sections) for folder in index.folders()] == [(str(docs), 2, 3)]
    assert cited(index, "provider") == ["docs/deep/pay.md: Payments > Provider"]


def test_an_add_that_breaks_changes_nothing(index, docs):
    add(index, docs)
    found, _ = markdown_files(docs)
    broken = [found[0]._replace(text="# Other\nwords"), Found(Path("/elsewhere/x.md"), "# X\ny")]

    with pytest.raises(ValueError, match="subpath"):
        index.put(docs, broken, now=NOW)

    assert cited(index, "provider", "Blue") == [
        "docs/deep/pay.md: Payments > Provider",
        "docs/orders.md: Orders > Owners",
    ]


def test_the_teams_own_about_a_cause_stand_before_ours_and_both_before_mere_words(index, docs):
    write(docs / "cause.md", "---\ncauses: [ddb-hot-partition]\n---\n# Hot keys\nAsk Team Blue.")
    ours = Found(SHIPPED / "dynamodb.md", "---\ncauses: [ddb-hot-partition]\n---\n# Ours\ncapacity capacity capacity")
    index.put(SHIPPED, [ours], now=NOW, shipped=True)
    add(index, docs)

    found = index.search(["capacity"], causes=["ddb-hot-partition"], limit=2)

    assert [(p.source, p.shipped) for p in found[:2]] == [("docs/cause.md", False), ("rca-runbooks/dynamodb.md", True)]
    assert found[0].causes == ("ddb-hot-partition",)
    assert {p.source for p in found[2:]} <= {"docs/orders.md", "docs/deep/pay.md"}
    assert len(found) > 2


def test_sections_about_a_cause_come_without_any_word_in_common(index, docs):
    write(docs / "cause.md", "# Hot keys\nAsk about ddb-hot-partition.\n# Other\nNothing.")
    add(index, docs)

    assert cited(index, causes=("ddb-hot-partition",), limit=0) == ["docs/cause.md: Hot keys"]


@pytest.mark.parametrize(
    "words",
    [
        ['"'],
        ['a"b', "NEAR(", "x*"],
        ["AND"],
        ["OR", "NOT"],
        ["heading:", "-body"],
        ["^orders"],
        ["*"],
        ["_"],
        ["\x00"],
        ["\udc80"],
        ["(", ")", "{"],
        ["x" * 100_000],
        ["word"] * 5_000,
        ["；drop table"],
        [""],
        [],
    ],
)
def test_nothing_in_a_question_is_syntax(index, docs, words):
    add(index, docs)

    assert isinstance(index.search(words), tuple)
    assert cited(index, *words, "provider")[0] == "docs/deep/pay.md: Payments > Provider"


def test_a_question_is_bounded():
    assert len(match_query(f"word{number}" for number in range(10_000))) < 1_000


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("latin.md", b"caf\xe9", "is not UTF-8 text"),
        ("binary.md", b"\x00\x01\x02", "is not text"),
        ("huge.md", b"x" * 1_000_001, "is larger than 1 MB"),
        ("notes.txt", b"# hello", "is not Markdown"),
    ],
)
def test_a_file_that_is_no_document_says_why(tmp_path, name, content, why):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(DocumentsUnusable, match=why):
        markdown_files(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")

    with pytest.raises(DocumentsUnusable, match="is not an ordinary file"):
        markdown_files(tmp_path)


def test_hidden_and_foreign_folders_are_not_looked_into(docs):
    for name in (".git", "node_modules", ".hidden"):
        write(docs / name / "x.md", "# X\ny")
    write(docs / ".draft.md", "# X\ny")

    found, left = markdown_files(docs)

    assert ([one.path.name for one in found], left) == (["pay.md", "orders.md"], ())


def test_many_may_add_at_once(tmp_path, docs):
    path = tmp_path / "shared.db"
    for number in range(20):
        write(docs / f"{number}.md", f"# N{number}\nunique{number}")

    def work(_: int) -> Put:
        with closing(Index(connect(path, SCHEMA))) as index:
            return add(index, docs)

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(work, range(6)))

    with closing(Index(connect(path, SCHEMA))) as index:
        assert sorted(put.new for put in done) == [0, 0, 0, 0, 0, 22]
        assert [folder.documents for folder in index.folders()] == [22]
        assert cited(index, "unique7") == ["docs/7.md: N7"]


def test_the_shipped_runbooks_are_there_without_being_added_and_a_new_version_replaces_them(tmp_path, monkeypatch):
    open_index = partial(connect, tmp_path / "knowledge.db", SCHEMA)
    old = Found(SHIPPED / "old.md", "# Old\nancientword")
    monkeypatch.setattr(library, "shipped_runbooks", lambda: (old,))
    before = DocumentLibrary(open_index).search(["ancientword"])
    monkeypatch.undo()

    now = DocumentLibrary(open_index)

    assert [(p.source, p.shipped) for p in before] == [("rca-runbooks/old.md", True)]
    assert now.search(["ancientword"]) == ()
    assert now.search(["ProvisionedThroughputExceededException"])[0].source == "rca-runbooks/dynamodb-throttling.md"


def test_a_current_index_is_not_written_to(tmp_path):
    open_index = partial(connect, tmp_path / "knowledge.db", SCHEMA)
    DocumentLibrary(open_index).search(["x"])
    with closing(open_index()) as other:
        before = other.execute("PRAGMA data_version").fetchone()[0]

        DocumentLibrary(open_index).search(["x"])

        assert other.execute("PRAGMA data_version").fetchone()[0] == before


def test_an_index_that_is_no_database_says_so(tmp_path):
    (tmp_path / "knowledge.db").write_bytes(b"not a database, " * 100)

    with pytest.raises(StoreUnusable, match=r"knowledge\.db"):
        DocumentLibrary(partial(connect, tmp_path / "knowledge.db", SCHEMA)).search(["x"])
