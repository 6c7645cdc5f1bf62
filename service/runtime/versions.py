"""Read the versions of all software that the bytes of derived images depend on."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import metadata
from pathlib import Path

from service.engine.environment import WAND_LIBRARIES
from service.engine.job import EngineError
from service.engine.pool.ending import FROM_OUTSIDE
from service.engine.pool.staff import STARTS
from service.runtime.imagemagick import reason

PACKAGES = ("image-gateway", "wand", "pillow", "pillow-heif", "pyvips", "pyvips-binary")
_HOME = str(Path(__file__).resolve().parents[2])
_ASK = """
from wand.version import MAGICK_VERSION
from service.engine.jpeg import turbo
from service.engine.tiff import libtiff
print(f"{MAGICK_VERSION}; {turbo.version()}; {libtiff.version()}")
"""


async def software() -> str:
    """One line. Libraries are asked in a process of their own, for this one has no use for them. Raises EngineError."""
    for _ in range(STARTS):
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _ASK),
            env={**WAND_LIBRARIES, **os.environ, "PYTHONPATH": _HOME},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours
        )
        out, errors = await asked.communicate()
        status = asked.returncode or 0
        if -status not in FROM_OUTSIDE:
            break
    if status:
        raise EngineError(f"ImageMagick cannot be used: {reason(status, errors.decode(errors='replace'))}")
    return "; ".join([*(f"{name} {metadata.version(name)}" for name in PACKAGES), out.decode().strip()])
