"""The environment variables of engine processes, and of every other process that loads ImageMagick."""

from __future__ import annotations

import os
from pathlib import Path

INHERITED = (
    *("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TZ"),
    *("MAGICK_HOME", "WAND_MAGICK_LIBRARY_SUFFIX", "MAGICK_CODER_MODULE_PATH"),
)
"""All that an engine process is given of the service's environment: no credential is among it."""

WAND_LIBRARIES = {"WAND_MAGICK_LIBRARY_SUFFIX": "-6.Q16;-7.Q16"}
"""Debian's names for ImageMagick, where the environment says nothing else. Wand looks for these first, and would look
for twenty others before: a quarter of a second of each start, for it asks the linker and the compiler for each."""


def environment(configuration: Path) -> dict[str, str]:
    """Returns all variables of an engine process, with ImageMagick configured from the folder `configuration`."""
    given = {name: os.environ[name] for name in INHERITED if name in os.environ}
    root = str(Path(__file__).resolve().parents[2])
    return {
        **WAND_LIBRARIES,
        **given,
        "PYTHONPATH": os.pathsep.join(filter(None, [root, given.get("PYTHONPATH")])),
        "MAGICK_CONFIGURE_PATH": str(configuration),
        "MAGICK_THREAD_LIMIT": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        # What one image frees is there for the next, and need not be had of the kernel anew, a page fault for every
        # 4 KiB: 2 of 23 ms for a JPEG of 640 pixels, 8 of 78 for a PNG. What is larger goes back at once.
        "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(16 << 20),
    }
