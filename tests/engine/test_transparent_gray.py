"""A level of gray that a PNG names as transparent, at each depth of samples (PNG, third edition, 11.3.2.1)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from service.engine.job import Overlay
from tests import images
from tests.engine.deriving import derive

SIZE = 16


def striped(depth: int, clear: int, frames: int) -> bytes:
    """Gray: the upper half transparent, of level `clear`, the lower one of another; a PNG, or an APNG of frames."""
    most = (1 << depth) - 1
    levels = [clear] * (SIZE // 2) + [most - clear] * (SIZE // 2)
    rows = [int(f"{level:0{depth}b}" * SIZE, 2).to_bytes(SIZE * depth // 8) for level in levels]
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    data = b"\x89PNG\r\n\x1a\n"
    data += images.png_chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, depth, 0, 0, 0, 0))
    if frames:
        data += images.png_chunk(b"acTL", struct.pack(">II", frames, 0))
    data += images.png_chunk(b"tRNS", clear.to_bytes(2))
    for frame in range(max(1, frames)):
        if frames:
            control = struct.pack(">IIIIIHHBB", max(0, 2 * frame - 1), SIZE, SIZE, 0, 0, 1, 10, 0, 0)
            data += images.png_chunk(b"fcTL", control)
        numbered = (2 * frame).to_bytes(4) + pixels
        data += images.png_chunk(b"fdAT", numbered) if frame else images.png_chunk(b"IDAT", pixels)
    return data + images.png_chunk(b"IEND", b"")


@pytest.mark.parametrize("tolerant", [False, True])
@pytest.mark.parametrize("frames", [0, 2])
@pytest.mark.parametrize(
    ("depth", "clear"), [(1, 0), (1, 1), (2, 0), (2, 2), (2, 3), (4, 0), (4, 9), (4, 15), (8, 15), (8, 200), (16, 4000)]
)
def test_the_level_is_transparent_and_no_other(depth: int, clear: int, frames: int, tolerant: bool) -> None:
    recipes = ["frame=0", "frame=1"] if frames else [""]
    for recipe in recipes:
        pixels = derive(striped(depth, clear, frames), recipe, "webp", tolerant=tolerant).pixels("RGBA")
        assert pixels[2, 8, 3] == 0
        level = round(255 * ((1 << depth) - 1 - clear) / ((1 << depth) - 1))
        assert np.abs(pixels[13, 8].astype(int) - (level, level, level, 255)).max() <= 2


@pytest.mark.parametrize(("depth", "clear"), [(1, 1), (2, 2), (4, 9), (8, 200), (16, 40_000)])
def test_so_it_is_in_an_overlay(depth: int, clear: int, tmp_path: Path) -> None:
    path = tmp_path / "mark.png"
    path.write_bytes(striped(depth, clear, 0))
    ground = images.png(images.flat(SIZE, SIZE, (10, 120, 60)))
    pixels = derive(ground, "over=mark.0:nw", "png", overlays={"mark": Overlay(file=str(path))}).pixels()
    assert tuple(pixels[2, 8]) == (10, 120, 60)
    most = (1 << depth) - 1
    assert np.abs(pixels[13, 8].astype(int) - round(255 * (most - clear) / most)).max() <= 2
