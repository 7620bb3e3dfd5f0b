"""PetShop: the ranking finds labelled faults, whole and degraded, and leaves normal hours in peace.

The data are a sample (see tests/data/petshop/README.md).
"""

import json
import shutil
from pathlib import Path
from statistics import fmean

import pytest

from evals.petshop.__main__ import main
from evals.petshop.convert import Degradation, convert
from evals.petshop.folder import read_calls, read_issues, read_normal
from evals.petshop.score import measure, rankings, score

SAMPLE = Path(__file__).parent / "data" / "petshop"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def case_files(out: Path) -> dict[str, dict]:
    found = [json.loads(path.read_text()) for path in (out / "cases").glob("*.json")]
    return {case["case"]: case for case in found}


def test_the_bounds_hold_on_the_sample() -> None:
    scores = dict(measure(SAMPLE))
    degraded = [score.top1 for name, score in scores.items() if name != "plain"]

    assert scores["plain"].top1 >= 0.95
    assert fmean(degraded) >= 0.85
    assert scores["plain"].abstention >= 0.90
    assert scores["plain"].issues == 8
    assert scores["plain"].normal == 30


def test_a_ranking_does_not_depend_on_names(out: Path, tmp_path: Path) -> None:
    convert(SAMPLE, out)
    convert(SAMPLE, tmp_path / "anonymous", Degradation(anonymise=7))
    names = json.loads((tmp_path / "anonymous" / "truth.json").read_text())["names"]
    plain = {ranking.case: ranking.nodes for ranking in rankings(out)}
    anonymous = {r.case: tuple(names[node] for node in r.nodes) for r in rankings(tmp_path / "anonymous")}

    assert anonymous == plain
    assert not set(names) & set(names.values())


def test_ranking_needs_nothing_but_cases_and_baseline(out: Path) -> None:
    convert(SAMPLE, out)
    with_truth = list(rankings(out))
    (out / "truth.json").unlink()

    assert list(rankings(out)) == with_truth
    assert '"truth"' not in (out / "cases" / "test-issue_0.json").read_text()


def test_a_folder_that_hides_its_truth_is_ranked_and_not_scored(out: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    shutil.copytree(SAMPLE, hidden)
    for path in hidden.glob("*/issue_*/target.json"):
        path.write_text(json.dumps({"target": json.loads(path.read_text())["target"]}))
    convert(hidden, out)
    found = list(rankings(out))

    assert score(out, found).issues == 0
    assert next(r for r in found if r.case == "test/issue_0").nodes[0] == "petInfo_AWS::DynamoDB::Table"


def test_a_folder_without_alarms_is_ranked(out: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    shutil.copytree(SAMPLE, silent)
    for path in silent.glob("*/issue_*/target.json"):
        path.unlink()
    convert(silent, out, Degradation(before=True, edges=0.1, anonymise=3))

    assert case_files(out)["test/issue_0"]["alarm"] is None
    assert any(ranking.nodes for ranking in rankings(out))


def test_what_is_dropped_is_gone_and_the_alarmed_and_true_nodes_stay(out: Path) -> None:
    convert(SAMPLE, out, Degradation(nodes=0.9, edges=0.5, baseline=True, before=True, seed=4))
    whole_calls = read_calls(SAMPLE)

    for issue in read_issues(SAMPLE):
        case = case_files(out)[issue.name]
        assert {issue.alarm.node, issue.truth} <= set(case["nodes"])
        assert len(case["nodes"]) < 15
        assert {tuple(call) for call in case["calls"]} < whole_calls
        assert case["baseline"] is None
        assert all(at >= issue.alarm.at for at in case["times"])
        assert all(len(rows) == len(case["times"]) for rows in case["nodes"].values())
    assert not (out / "baseline.json").exists()


def test_another_seed_drops_something_else(out: Path) -> None:
    convert(SAMPLE, out, Degradation(edges=0.2, seed=1))
    first = case_files(out)["test/issue_0"]["calls"]
    convert(SAMPLE, out, Degradation(edges=0.2, seed=2))

    assert case_files(out)["test/issue_0"]["calls"] != first


def test_a_normal_window_is_no_part_of_its_own_baseline(out: Path) -> None:
    convert(SAMPLE, out)
    normal = [case for name, case in case_files(out).items() if name.startswith("noissue/")]
    times = read_normal(SAMPLE).times

    assert len(normal) == len(times) // 5
    assert all(case["apart"][0] < min(case["times"]) and max(case["times"]) < case["apart"][1] for case in normal)


def test_converting_again_leaves_nothing_of_the_last_time(out: Path) -> None:
    convert(SAMPLE, out)
    (out / "cases" / "old.json").write_text("{}")
    convert(SAMPLE, out, Degradation(baseline=True))

    assert not (out / "cases" / "old.json").exists()
    assert not (out / "baseline.json").exists()


def test_the_commands_work_on_each_others_output(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--anonymise", "5", "--drop-edges", "0.2", "--drop-nodes", "0.1", "--no-pre", "--seed", "2"]
    assert main(["convert", str(SAMPLE), str(out), *options]) == 0
    capsys.readouterr()
    assert main(["rank", str(out)]) == 0
    printed = capsys.readouterr().out
    rows = [json.loads(line) for line in printed.splitlines()]
    (tmp_path / "rankings.jsonl").write_text(printed)
    assert main(["score", str(out), str(tmp_path / "rankings.jsonl")]) == 0

    assert [set(row) for row in rows] == [{"case", "ranking"}] * 38
    assert "8 issues" in capsys.readouterr().out


def test_a_score_counts_only_what_is_right(out: Path) -> None:
    convert(SAMPLE, out)
    right = list(rankings(out))
    wrong = [ranking._replace(nodes=("PetSite", *ranking.nodes)) for ranking in right]

    assert score(out, wrong).top1 == 0
    assert score(out, wrong).top3 == 1
    assert score(out, wrong).abstention == 0
