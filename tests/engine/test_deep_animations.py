"""Animations of 16 bits a sample become animations of 8."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests import images, jxls
from tests.engine.deriving import derive


def test_an_animation_of_16_bits_keeps_its_frames_and_delays_in_8() -> None:
    scale = np.linspace(0, 65_535, 40 * 30 * 3).reshape(30, 40, 3)
    frames = [(scale * share).astype(np.uint16) for share in (0.5, 0.75, 1)]
    made = derive(jxls.animated(frames), "", "png")
    image = made.pillow()
    assert made.result.frames == 3
    for number, frame in enumerate(frames):
        image.seek(number)
        assert image.info["duration"] == 10 * (3 + 2 * number)
        assert np.array_equal(np.asarray(image.convert("RGB")), np.rint(frame / 257).astype(np.uint8))


def test_an_apng_of_16_bits_keeps_its_frames() -> None:
    """Pillow drops the lower half of each sample."""
    frames = [np.full((30, 40, 3), value, np.uint16) for value in (1000, 30_000, 65_535)]
    image = derive(_apng(frames), "", "webp").pillow()
    for number, frame in enumerate(frames):
        image.seek(number)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - (frame >> 8)).max() <= 2


def _apng(frames: Sequence[NDArray[np.uint16]]) -> bytes:
    height, width, _ = frames[0].shape
    parts = [b"\x89PNG\r\n\x1a\n", images.png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))]
    parts.append(images.png_chunk(b"acTL", struct.pack(">II", len(frames), 0)))
    for number, frame in enumerate(frames):
        first = max(0, 2 * number - 1)  # of all chunks of the animation, in their order
        control = struct.pack(">IIIIIHHBB", first, width, height, 0, 0, 5, 100, 0, 0)
        coded = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in frame))
        parts.append(images.png_chunk(b"fcTL", control))
        parts.append(images.png_chunk(b"fdAT", (first + 1).to_bytes(4) + coded) if number else
                     images.png_chunk(b"IDAT", coded))  # fmt: skip
    return b"".join([*parts, images.png_chunk(b"IEND", b"")])
