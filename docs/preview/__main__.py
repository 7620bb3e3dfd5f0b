"""Draw Block Kit JSON as PNG: `python -m docs.preview OUT.png < message.json`.

Needs Node 20.11 or newer, Chromium, and the packages of package.json: npm install here, or in a copy of this folder
that PREVIEW_MODULES names. The picture is an approximation: the renderer is not Slack's.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 800
WINDOW_FRAME = 200
"""Pixels added below: a headless window is higher than the page that it shows."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples a pixel by PNG's colour type."""


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
        size = f"--window-size={width},{height + WINDOW_FRAME}"
        _browse(f"--screenshot={out.resolve()}", size, "--hide-scrollbars", file=file, profile=folder)
    out.write_bytes(cropped(out.read_bytes(), height))


def cropped(png: bytes, height: int) -> bytes:
    """Return a PNG's first rows: rows follow each other in its data, and a row's filter looks only back."""
    chunks, at = [], 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += size + 12
    header = next(data for kind, data in chunks if kind == b"IHDR")
    width, had, depth, colour = struct.unpack(">IIBB", header[:10])
    row = 1 + (width * depth * CHANNELS[colour] + 7) // 8
    pixels = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    kept = min(height, had)
    written = (
        (b"IHDR", struct.pack(">II", width, kept) + header[8:]),
        (b"IDAT", zlib.compress(pixels[: row * kept], 9)),
        (b"IEND", b""),
    )
    return png[:8] + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in written
    )


def _browse(*options: str, file: Path, profile: str) -> str:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None) or _found(BROWSERS[0])
    fixed = ["--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}/profile"]
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
