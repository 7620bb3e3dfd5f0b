"""Drawing without loading what draws: a short-lived process does it, one at a time, within a limit."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Mapping, Sequence

from domain.pictures import Pictures

LIMIT_SECONDS = 20.0
COMMAND = (sys.executable, "-m", "bot.pictures")

KEPT = ("HOME", "LANG", "MPLCONFIGDIR", "PATH", "PYTHONPATH", "TMPDIR", "XDG_CACHE_HOME")
"""Of our environment the drawing process sees no more than this: it needs no token and no credentials."""


class NotDrawn(Exception):
    """There are no pictures; the message says why."""


class Renderer:
    """Draws for one process of the bot."""

    def __init__(self, command: Sequence[str] = COMMAND, limit: float = LIMIT_SECONDS) -> None:
        self._command = tuple(command)
        self._limit = limit
        self._one = asyncio.Semaphore(1)

    async def draw(self, pictures: Pictures) -> Mapping[str, bytes]:
        """Return the PNGs by name, "chart" and "waterfall"; raises NotDrawn, also when others took all the time."""
        try:
            async with asyncio.timeout(self._limit), self._one:
                return await self._drawn(pictures)
        except TimeoutError:
            raise NotDrawn(f"not drawn within {self._limit:g} s") from None
        except OSError as error:
            raise NotDrawn(f"{self._command[0]} does not start: {error}") from error

    async def _drawn(self, pictures: Pictures) -> Mapping[str, bytes]:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | {"OPENBLAS_NUM_THREADS": "1"},
        )
        try:
            out, err = await process.communicate(pictures.model_dump_json().encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            said = err.decode(errors="replace").strip().splitlines()
            raise NotDrawn(f"the drawing process ended with {process.returncode}: {said[-1] if said else 'no word'}")
        return _read(out)


def _read(out: bytes) -> Mapping[str, bytes]:
    try:
        return {str(name): base64.b64decode(png, validate=True) for name, png in json.loads(out).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise NotDrawn(f"the drawing process answered nonsense: {error}") from error
