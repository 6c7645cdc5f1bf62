"""Which formats do not pay for a whole image: `@smaller`, in the folder of what was derived of it, beside its marker.

One line, `CHOSEN=SMALLER` for each format that `auto` has chosen for the whole image so far: the format that gives
fewer bytes, itself or the original's own. nginx reads it, so that a negotiated hit needs nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SMALLER = "@smaller"


def read_smaller(path: Path) -> dict[str, str]:
    """What is noted; empty where nothing is, or nothing that can be understood."""
    try:
        words = path.read_text("utf-8").split()
    except (OSError, ValueError):
        return {}
    return {chosen: smaller for chosen, equals, smaller in (word.partition("=") for word in words) if equals}


def write_smaller(path: Path, noted: Mapping[str, str]) -> None:
    """Write it to a file that nobody sees yet. Raises OSError."""
    path.write_text(" ".join(f"{chosen}={smaller}" for chosen, smaller in noted.items()) + "\n", "utf-8")
    path.chmod(0o644)
