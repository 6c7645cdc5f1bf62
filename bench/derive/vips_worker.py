"""The process of `vips`: reads a JSON object a line, writes an image, and answers with the path of its file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyvips

TALL = 1 << 20  # pixels, where only the width counts

SAVES: dict[str, dict[str, Any]] = {
    "jpg": {"optimize_coding": True},
    "avif": {"effort": 1},  # libaom's speed is 9 less that
    "webp": {},
    "png": {},
}
"""What the gateway sets too, by format; else libvips' defaults."""


def main() -> None:
    pyvips.cache_set_max(0)
    for line in sys.stdin:
        asked = json.loads(line)
        make(**asked)
        print(asked["output"], flush=True)


def make(image: str, width: int, height: int | None, format: str, quality: int | None, output: str) -> None:
    """Write the thumbnail of a file. With `height` it is cut to that box around what stands out."""
    source = f"{image}[n=-1]" if Path(image).suffix == ".gif" else image
    box = {"height": height, "crop": "attention"} if height else {"height": TALL, "size": "down"}
    small = pyvips.Image.thumbnail(source, width, **box)
    small.write_to_file(output, **SAVES[format], **({"Q": quality} if quality else {}))


if __name__ == "__main__":
    main()
