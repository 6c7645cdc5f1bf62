"""Read the versions of all software that the bytes of derived images depend on."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from importlib import metadata
from pathlib import Path

from service.engine.environment import INHERITED, WAND_LIBRARIES
from service.engine.job import EngineError
from service.engine.pool.ending import FROM_OUTSIDE
from service.engine.pool.staff import STARTS
from service.runtime.imagemagick import reason
from service.runtime.memory import Memory

PACKAGES = (
    "image-gateway",
    "wand",
    "pillow",
    "pillow-heif",
    "pyvips",
    "pyvips-binary",
    "cykooz.resizer",
    "imagecodecs",
)
_HOME = str(Path(__file__).resolve().parents[2])
_ASK = """
from wand.version import MAGICK_VERSION
from service.engine import answering
from service.engine.avif import libavif
from service.engine.jpeg import turbo
from service.engine.jxl import libjxl
from service.engine.png import deflate
from service.engine.tiff import libtiff
libraries = (turbo.version(), libtiff.version(), libavif.version(), libjxl.version(), deflate.version())
answering.answer("; ".join((MAGICK_VERSION, *libraries)))
"""
SOFTWARE = "software.json"  # in the runtime folder: the answer


async def software(memory: Memory) -> str:
    """One line. Libraries are asked in a process of their own, for this one has no use for them, and only where
    `memory` holds no answer. Raises EngineError."""
    variables = {**WAND_LIBRARIES, **os.environ, "PYTHONPATH": _HOME}
    question = json.dumps([_ASK, *(f"{name}={variables[name]}" for name in INHERITED if name in variables)])
    libraries = memory.recall(question) or await _asked(question, variables, memory)
    return "; ".join([*filter(None, map(_version, PACKAGES)), libraries])


def _version(package: str) -> str:
    """Its name and version; empty where it is not installed, for there is no wheel for every processor."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return ""


async def _asked(question: str, variables: dict[str, str], memory: Memory) -> str:
    for _ in range(STARTS):
        asked = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", _ASK),
            env=variables,
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
    said = json.loads(out)
    memory.hold(question, said["answer"], said["loaded"])
    return str(said["answer"])
