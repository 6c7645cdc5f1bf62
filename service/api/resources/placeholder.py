"""Show a ThumbHash as a PNG of some 32 pixels in a data URL, as its reference implementation decodes it
(https://evanw.github.io/thumbhash/, MIT): the inverse of `service.engine.thumbhash`."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from math import cos, pi

LONGEST = 32  # pixels of the longer side
Waves = list[list[float]]
Plane = list[list[float]]


@lru_cache(maxsize=256)
def data_url(hash_base64: str) -> str:
    """The picture of a hash in base64, as `@meta.json` has it."""
    width, height, rows = decode(base64.b64decode(hash_base64))
    return "data:image/png;base64," + base64.b64encode(_png(width, height, rows)).decode("ascii")


def decode(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height, and the rows of RGBA samples of 8 bits."""
    first, second = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    has_alpha, is_landscape = bool(first >> 23), bool(second >> 15)
    most, other = (5 if has_alpha else 7), second & 7
    across, down = (most, other) if is_landscape else (other, most)
    nibbles = _nibbles(data[6 if has_alpha else 5 :])
    ratio = across / down
    width, height = max(1, _round(LONGEST * min(ratio, 1))), max(1, _round(LONGEST / max(ratio, 1)))
    columns, lines = _waves(width), _waves(height)

    def plane(constant: float, nx: int, ny: int, scale: float) -> Plane:
        return _plane(constant, _terms(nx, ny, scale, nibbles), columns, lines)

    light = plane((first & 63) / 63, max(3, across), max(3, down), (first >> 18 & 31) / 31)
    yellow = plane((first >> 6 & 63) / 31.5 - 1, 3, 3, (second >> 3 & 63) / 63 * 1.25)
    red = plane((first >> 12 & 63) / 31.5 - 1, 3, 3, (second >> 9 & 63) / 63 * 1.25)
    alpha = plane((data[5] & 15) / 15, 5, 5, (data[5] >> 4) / 15) if has_alpha else [[1.0] * width] * height
    rows = [bytes(chain.from_iterable(map(_pixel, *row))) for row in zip(light, yellow, red, alpha, strict=True)]
    return width, height, rows


def _pixel(light: float, yellow: float, red: float, alpha: float) -> tuple[int, int, int, int]:
    b = light - 2 / 3 * yellow
    r = (3 * light - b + red) / 2
    return _sample(r), _sample(r - red), _sample(b), _sample(alpha)


def _sample(value: float) -> int:
    return int(255 * max(0.0, min(1.0, value)))


def _nibbles(data: bytes) -> Iterator[int]:
    for byte in data:
        yield byte & 15
        yield byte >> 4


def _terms(nx: int, ny: int, scale: float, nibbles: Iterator[int]) -> list[tuple[int, int, float]]:
    """The terms of a channel but the constant one: across, down, and the factor; some hashes end before the last."""
    return [
        (cx, cy, 2 * (next(nibbles, 0) / 7.5 - 1) * scale)
        for cy in range(ny)
        for cx in range(0 if cy else 1, nx)
        if cx * ny < nx * (ny - cy)
    ]


def _waves(length: int) -> Waves:
    """The cosines of all terms at each place of a side."""
    return [[cos(pi / length * (at + 0.5) * n) for at in range(length)] for n in range(8)]


def _plane(constant: float, terms: list[tuple[int, int, float]], columns: Waves, lines: Waves) -> Plane:
    rows = [[constant] * len(columns[0]) for _ in lines[0]]
    for cx, cy, factor in terms:
        for row, down in zip(rows, lines[cy], strict=True):
            part = factor * down
            for x, across in enumerate(columns[cx]):
                row[x] += part * across
    return rows


def _png(width: int, height: int, rows: list[bytes]) -> bytes:
    """An RGBA image as PNG (W3C PNG, third edition): the signature, IHDR, IDAT, IEND."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _round(value: float) -> int:
    """Halves up, as JavaScript rounds."""
    return int(value + 0.5)
