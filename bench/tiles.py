"""What a deep zoom costs: CPU of all tiles of a JPEG of 24 megapixels, against one full decode and all of their
encodings. The bar is three times that."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from service.engine import pipeline
from service.engine.job import Job, Limits
from service.engine.jpeg import planes
from service.engine.recognise import recognise
from tests import images

WIDTH, HEIGHT, TILE = 6000, 4000, 512
BAR = 3.0
LIMITS = Limits(10**8, 500, 4096, 4096)


def tiles() -> Iterator[dict[str, str]]:
    """The recipes of all tiles, from the largest scale to the one of a single tile."""
    side = TILE
    while True:
        for y in range(0, HEIGHT, side):
            for x in range(0, WIDTH, side):
                width, height, factor = min(side, WIDTH - x), min(side, HEIGHT - y), side // TILE
                recipe = {"crop": f"{x}:{y}:{width}:{height}"} if side < WIDTH else {}
                if factor > 1:
                    recipe |= {"w": str(-(-width // factor)), "h": str(-(-height // factor)), "fit": "fill"}
                yield recipe
        if side >= WIDTH:
            return
        side *= 2


class Clock:
    """CPU seconds of all calls of a function."""

    def __init__(self, timed: Callable[..., Any]) -> None:
        self.seconds = 0.0
        self._timed = timed

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        began = time.process_time()
        try:
            return self._timed(*arguments, **options)
        finally:
            self.seconds += time.process_time() - began


def main() -> int:
    """Print the figures; 1 if the ratio is over its bar."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "source"), Path(folder, "tile")
        small = Image.fromarray(images.photo(WIDTH // 4, HEIGHT // 4))
        small.resize((WIDTH, HEIGHT)).save(source, "JPEG", quality=90)
        header, data = recognise(source), source.read_bytes()
        decode, encode = Clock(planes.read), Clock(planes.write)
        decode(data, (WIDTH, HEIGHT), 8)
        planes.write = encode
        made = Clock(pipeline.derive)
        recipes = list(tiles())
        for recipe in recipes:
            made(Job("derive", str(source), header, LIMITS, recipe, "jpg", str(output)))
    ratio = made.seconds / (decode.seconds + encode.seconds)
    print(
        f"{len(recipes)} tiles: {made.seconds:.2f} s; a decode {decode.seconds:.2f} s, encodings {encode.seconds:.2f} s"
    )
    print(f"ratio {ratio:.2f}, bar {BAR}")
    return int(ratio > BAR)


if __name__ == "__main__":
    sys.exit(main())
