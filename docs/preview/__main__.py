"""Draw Block Kit JSON as PNG: `python -m docs.preview OUT.png < message.json`.

Needs Node 20 or newer, Chromium, and the packages of package.json (npm install here, or in a copy of this file's folder
that PREVIEW_MODULES names). The picture is an approximation: the renderer is not Slack's.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 800


def html(blocks: str) -> str:
    """Return the page for a message's or view's JSON."""
    command = [_found("node"), str(HERE / "page.mjs")]
    return subprocess.run(command, input=blocks, text=True, capture_output=True, check=True).stdout  # noqa: S603


def draw(blocks: str, out: Path) -> None:
    """Write the picture of a message or view, as high as it is."""
    page = html(blocks)
    width = int((re.search(r"main \{ width: (\d+)px", page) or [0, WIDTH])[1])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        measured = "<script>document.title = document.querySelector('main').offsetHeight</script>"
        file.write_text(page + measured, encoding="utf-8")
        dumped = _browse("--dump-dom", f"--window-size={width},600", file=file, profile=folder)
        height = int((re.search(r"<title>(\d+)</title>", dumped) or [0, 900])[1])
        size = f"--window-size={width},{height}"
        _browse(f"--screenshot={out.resolve()}", size, "--hide-scrollbars", file=file, profile=folder)


def _browse(*options: str, file: Path, profile: str) -> str:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None) or _found(BROWSERS[0])
    fixed = ["--headless=new", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}/profile"]
    if os.geteuid() == 0:
        fixed.append("--no-sandbox")  # Chromium's own sandbox refuses to run as root
    command = [browser, *fixed, *options, file.as_uri()]
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout  # noqa: S603


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        sys.exit(f"{program} is missing: install it to draw pictures")
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    draw(sys.stdin.read(), Path(sys.argv[1]))
