"""How many bytes JPEG XL of 640 pixels has for each of WebP's at equal SSIMULACRA2, on photographs.

These are all of smart.json that are at least 1200 pixels wide, so that scaling takes away what their own JPEG coding
has left. Each format is encoded at the effort that is the default.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

from PIL import Image

from bench import smart
from bench.curve import bytes_at

WIDTH, WIDEST = 640, 1200
SCORES = (65, 72, 78)
LADDERS = {
    "jxl": (15, 30, 40, 50, 60, 64, 68, 72, 76, 80, 84, 85, 90),
    "webp": (30, 45, 60, 65, 70, 74, 78, 81, 84, 87, 90, 95),
}
"""Qualities that score from below 65 to above 78 on every one of the photographs."""

FEWER = 0.85
"""The bar: the mean over the photographs at each score."""

Measure = Callable[[str, Image.Image, int, Path], tuple[float, int]]
"""Encodes a picture in a format at a quality, and gives its score and its bytes; takes a folder for files."""


def main(measure: Measure) -> int:
    """Print the table; return at how many scores the mean misses the bar."""
    shares: dict[int, list[float]] = {score: [] for score in SCORES}
    print("\n| photograph | " + " | ".join(f"JPEG XL to WebP at {score}" for score in SCORES) + " |")
    print("| --- |" + " --- |" * len(SCORES))
    with tempfile.TemporaryDirectory() as name:
        for photograph in smart.read(smart.DATA):
            if photograph.size[0] >= WIDEST:
                image = _scaled(smart.load(photograph))
                found = _shares(image, measure, Path(name))
                for score, share in found.items():
                    shares[score].append(share)
                _print(f"{photograph.package}, {Path(photograph.path).name}", list(found.values()))
    means = {score: fmean(each) for score, each in shares.items()}
    _print("mean", list(means.values()))
    print(f"\nat most {FEWER:.2f}\n")
    return sum(mean > FEWER for mean in means.values())


def _scaled(photo: Image.Image) -> Image.Image:
    return photo.resize((WIDTH, round(WIDTH * photo.height / photo.width)), Image.Resampling.LANCZOS)


def _shares(image: Image.Image, measure: Measure, folder: Path) -> dict[int, float]:
    """By score. Raises ValueError where the ladder of a format does not reach it."""
    made = {format: [measure(format, image, value, folder) for value in ladder] for format, ladder in LADDERS.items()}
    found = {}
    for score in SCORES:
        ours, theirs = (bytes_at(made[format], score) for format in LADDERS)
        if ours is None or theirs is None:
            reached = {format: (min(curve)[0], max(curve)[0]) for format, curve in made.items()}
            raise ValueError(f"no quality of LADDERS scores {score}: {reached}")
        found[score] = ours / theirs
    return found


def _print(name: str, shares: list[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{share:.3f}" for share in shares) + " |", flush=True)
