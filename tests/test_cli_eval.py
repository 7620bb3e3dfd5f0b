"""`rca eval`: the scenario corpus from the command line, where there is one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def rca(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("RCA_", "SLACK_"))}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "eval", *arguments],
        env={**ours, "RCA_DATA_DIR": str(home), "RCA_LOG_LEVEL": "ERROR", **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_named_scenario_is_run_and_scored_from_anywhere(tmp_path: Path) -> None:
    done = rca(tmp_path, "--only", "import-of-every-hour", PYTHONPATH=str(ROOT))

    assert done.returncode == 0, done.stderr
    assert "== import-of-every-hour" in done.stdout
    assert "1 scenarios: top-1 1.000" in done.stdout


def test_a_scenario_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    done = rca(tmp_path, "--only", "nope", PYTHONPATH=str(ROOT))

    assert done.returncode == 2
    assert "no scenario is called nope" in done.stderr


def test_an_installation_without_the_corpus_says_so(tmp_path: Path) -> None:
    """What a wheel ships: the rooms without evals."""
    rooms = ("bot", "orchestrator", "remediation", "specialists", "aws", "domain", "reasoning")
    for room in (room for room in rooms if (ROOT / room).is_dir()):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    done = rca(tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        "rca: The scenarios are not part of the installed package: run `rca eval` from a checkout.\n"
    )
