"""The answer of a program that is asked about the libraries, with the files that it depends on."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def answer(value: object) -> None:
    """Print an answer and the files that this process has loaded, as JSON."""
    json.dump({"answer": value, "loaded": loaded()}, sys.stdout)


def loaded() -> list[str]:
    """Return the libraries and Python modules of this process, as absolute paths."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    mapped = {line.split(maxsplit=5)[5] for line in maps if line.count(" /")}
    modules = {file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    return sorted(file for file in mapped | modules if Path(file).is_file())
