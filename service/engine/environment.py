"""The environment variables of engine processes, and of every other process that loads ImageMagick."""

from __future__ import annotations

import os
from pathlib import Path

from service.engine.memory import BOUND

INHERITED = (
    *("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TZ"),
    *("MAGICK_HOME", "WAND_MAGICK_LIBRARY_SUFFIX", "MAGICK_CODER_MODULE_PATH"),
)
"""The variables of the service's environment that engine processes get. None holds a credential."""

WAND_LIBRARIES = {"WAND_MAGICK_LIBRARY_SUFFIX": "-6.Q16;-7.Q16"}
"""Debian's suffixes of ImageMagick's libraries, unless the environment sets others. Without them Wand tries twenty
other names first, and asks the linker and the compiler for each: a quarter of a second of each start."""


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
        "VIPS_CONCURRENCY": "1",
        "MALLOC_ARENA_MAX": "1",
        # Memory that one image frees stays in the process for the next. Otherwise each 4 KiB cost a page fault: 2 of
        # 23 ms for a JPEG of 640 pixels, 8 of 78 for a PNG. Larger blocks go back to the kernel at once,
        # and so does more than the bound: with half of it one process in eight took page faults for every JPEG XL.
        "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(BOUND),
    }
