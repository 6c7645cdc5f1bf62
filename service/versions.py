"""The versions of all software that an image's bytes depend on."""

from __future__ import annotations

import asyncio
import sys
from importlib import metadata

from service.engine.job import EngineError

PACKAGES = ("image-gateway", "wand", "pillow")
_ASK = "from wand.version import MAGICK_VERSION; print(MAGICK_VERSION)"


async def software() -> str:
    """One line. ImageMagick is asked in a process of its own, since this one has no use for it. Raises EngineError."""
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", _ASK), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await asked.communicate()
    if asked.returncode:
        raise EngineError(f"ImageMagick cannot be used: {errors.decode(errors='replace').strip().splitlines()[-1]}")
    return "; ".join([*(f"{name} {metadata.version(name)}" for name in PACKAGES), out.decode().strip()])
