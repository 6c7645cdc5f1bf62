"""How near results come to the original: SSIMULACRA2, after alignment. Runs in the environment of score.txt.

    python score.py    {"ORIGINAL": ["RESULT", ...], ...} on standard input, {"RESULT": SCORE, ...} on standard output

The reference is the original, resized by Lanczos to the size of the result. A result that is shifted or stretched by a
fraction of a pixel, as a scaled decode leaves it, looks no worse and would lose 30 points: so shift and stretch are
estimated first, along each side, and the reference resized likewise. Transparent pictures are compared on black and on
white; the lower score counts.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from ssimulacra2.ssimulacra2 import compute_ssimulacra2

MARGIN = 8  # pixels around the original, its edges repeated, so that a reference may begin outside
ROUNDS = 3
GROUNDS = ((0, 0, 0), (255, 255, 255))


def main() -> None:
    asked = json.load(sys.stdin)
    scores = {result: score(original, result) for original, results in asked.items() for result in results}
    json.dump(scores, sys.stdout)


def score(original: str, result: str) -> float:
    with Image.open(original) as source, Image.open(result) as made:
        clear = "A" in source.getbands()
        grounds = GROUNDS if clear else GROUNDS[:1]
        return min(_score(_laid(source, ground), _laid(made, ground)) for ground in grounds)


def _laid(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    if "A" not in image.getbands():
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, (*ground, 255)), image.convert("RGBA")).convert("RGB")


def _score(source: Image.Image, made: Image.Image) -> float:
    wide = Image.fromarray(np.pad(np.asarray(source), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "edge"))
    box = np.array([0.0, 0.0, *source.size])  # of the original, what the result shows
    for _ in range(ROUNDS):
        reference = _resized(wide, box, made.size)
        shift = misplacement(_luma(reference), _luma(made))
        scale = np.array([box[2] - box[0], box[3] - box[1]] * 2) / np.array([*made.size] * 2)
        box = np.clip(box + shift * scale, -MARGIN, np.array([*source.size] * 2) + MARGIN)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, "reference.png"), Path(folder, "made.png")]
        _resized(wide, box, made.size).save(paths[0])
        made.save(paths[1])
        return float(compute_ssimulacra2(*paths))


def _resized(wide: Image.Image, box: np.ndarray, size: tuple[int, int]) -> Image.Image:
    return wide.resize(size, Image.Resampling.LANCZOS, tuple(box + MARGIN))


def _luma(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L"), dtype=np.float64)


def misplacement(reference: np.ndarray, made: np.ndarray) -> np.ndarray:
    """By how many of its pixels the result's left, top, right and bottom edge lie further right or down.

    One step of Lucas and Kanade, 1981: least squares of the difference over the gradients, where a pixel moves by a
    share of what the two edges of its axis do.
    """
    dy, dx = np.gradient(reference)
    down, across = np.linspace(0, 1, made.shape[0])[:, None], np.linspace(0, 1, made.shape[1])
    basis = np.stack([dx * (1 - across), dy * (1 - down), dx * across, dy * down])
    moments = np.einsum("iyx,jyx->ij", basis, basis)
    return np.linalg.solve(moments, np.einsum("iyx,yx->i", basis, made - reference))


if __name__ == "__main__":
    main()
