"""The samples of a TIFF's page as libtiff decodes them: one plane for each channel, whatever the layout in the file."""

from __future__ import annotations

import ctypes
import math
import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow

from service.engine.headers.tiff import HEIGHT, STRIPS, TILES, WIDTH, Directory
from service.engine.job import Undecodable
from service.engine.tiff import libtiff

BITS, COMPRESSION, SAMPLES, ROWS, PLANAR, TILE_WIDTH, TILE_HEIGHT, FORMAT = 258, 259, 277, 278, 284, 322, 323, 339
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
APART = 2  # the planar configuration in which every channel has strips or tiles of its own
LARGEST_PART = 256 << 20
"""Bytes of a strip or tile; libtiff's own bound is as large as the file says."""

_TYPES = {
    **{(UNSIGNED, 8): "B", (UNSIGNED, 16): "H", (UNSIGNED, 32): "I"},
    **{(SIGNED, 8): "B", (SIGNED, 16): "H", (SIGNED, 32): "I"},
    **{(FLOATING, 16): "e", (FLOATING, 32): "f", (FLOATING, 64): "d"},
}
"""Sample format and bits to the type of `struct`, in which libtiff gives them: in the byte order of the machine."""

_FROM_SIGNED = bytes(value ^ 0x80 for value in range(256))
"""Of the highest byte of a sample."""

_PLANES = {"B": "L", "H": "I;16" if sys.byteorder == "little" else "I;16B", "I": "I", "e": "F", "f": "F", "d": "F"}
"""By type the mode of a plane in Pillow, which only moves its samples; floats of 16 and 64 bits become 32."""


def code(page: Directory) -> str | None:
    """The type of the samples for `struct`: B, H, I, e, f or d; None where they are of a kind that is not read here."""
    formats, bits = set(page.numbers(FORMAT)) or {UNSIGNED}, set(page.numbers(BITS)) or {1}
    return _TYPES.get((formats.pop(), bits.pop())) if len(formats) == len(bits) == 1 else None


def is_signed(page: Directory) -> bool:
    """Whether the samples are signed. They are given as unsigned ones: the lowest is 0, which is black."""
    return set(page.numbers(FORMAT)) == {SIGNED}


def stated(page: Directory) -> int:
    """How many strips or tiles the page says that it has."""
    return max(page.count(tag) for tag in (STRIPS[0], TILES[0]))


def needed(page: Directory) -> int:
    """How many strips or tiles the size of the page needs."""
    width, height = page.number(WIDTH), page.number(HEIGHT)
    across, down = page.number(TILE_WIDTH) or width, page.number(TILE_HEIGHT) or page.number(ROWS) or height
    channels = (page.number(SAMPLES) or 1) if page.number(PLANAR) == APART else 1
    return math.ceil(width / across) * math.ceil(height / down) * channels


def planes(path: Path, page: Directory, wanted: Sequence[int], *, tolerant: bool) -> list[Pillow.Image]:
    """The `wanted` channels of a page whose samples have a `code`, by their place in a pixel.

    Raises Undecodable where a part of the image is damaged or missing; `tolerant` leaves it black.
    """
    kind = code(page)
    assert kind is not None and libtiff.library is not None
    size = page.number(WIDTH), page.number(HEIGHT)
    found = [Pillow.new(_PLANES[kind], size) for _ in wanted]
    try:
        with libtiff.opened(path, page.offset) as handle:
            _fill(handle, page, kind, dict(zip(wanted, found, strict=True)), tolerant)
    except OSError as error:
        raise Undecodable("the image is damaged: libtiff does not read its directory") from error
    return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """Strips or tiles of `width` by `height` pixels, `length` bytes each, of so many `samples` a pixel."""

    read: Callable[[int, int, object, int], int]
    width: int
    height: int
    length: int
    samples: int
    tiled: bool


def _fill(handle: int, page: Directory, kind: str, found: dict[int, Pillow.Image], tolerant: bool) -> None:
    itemsize = struct.calcsize(kind)
    parts = _parts(handle, page, itemsize)
    buffer = ctypes.create_string_buffer(parts.length)
    width, height = page.number(WIDTH), page.number(HEIGHT)
    columns, lines = math.ceil(width / parts.width), math.ceil(height / parts.height)
    groups = [[channel] for channel in found] if page.number(PLANAR) == APART else [list(found)]
    for group in groups:
        first = group[0] * columns * lines if page.number(PLANAR) == APART else 0
        for number in range(columns * lines):
            left, top = number % columns * parts.width, number // columns * parts.height
            rows = parts.height if parts.tiled else min(parts.height, height - top)
            needed = parts.width * rows * parts.samples * itemsize
            if parts.read(handle, first + number, buffer, parts.length) < needed:
                if not tolerant:
                    raise Undecodable("the image is damaged: a part of it is missing, or is not as its coding demands")
                continue
            data = buffer.raw[:needed]
            values = _values(kind, _unsigned(data, itemsize) if is_signed(page) else data)
            for channel in group:
                own = values if parts.samples == 1 else values[channel :: parts.samples]
                found[channel].paste(_plane(own, found[channel].mode, (parts.width, rows)), (left, top))


def _parts(handle: int, page: Directory, itemsize: int) -> _Parts:
    library = libtiff.library
    assert library is not None
    samples = 1 if page.number(PLANAR) == APART else page.number(SAMPLES) or 1
    width, height = page.number(WIDTH), page.number(HEIGHT)
    if library.TIFFIsTiled(handle):
        size = page.number(TILE_WIDTH), page.number(TILE_HEIGHT)
        parts = _Parts(library.TIFFReadEncodedTile, *size, library.TIFFTileSize(handle), samples, True)
    else:
        size = width, min(page.number(ROWS) or height, height)
        parts = _Parts(library.TIFFReadEncodedStrip, *size, library.TIFFStripSize(handle), samples, False)
    if not 0 < size[0] * size[1] * samples * itemsize <= parts.length <= LARGEST_PART:
        raise Undecodable(f"the image is damaged: parts of {size[0]}x{size[1]} pixels would have {parts.length} bytes")
    return parts


def _unsigned(data: bytes, itemsize: int) -> bytes:
    highest, made = itemsize - 1 if sys.byteorder == "little" else 0, bytearray(data)
    made[highest::itemsize] = made[highest::itemsize].translate(_FROM_SIGNED)
    return bytes(made)


def _values(kind: str, data: bytes) -> array[int] | array[float]:
    if kind == "e":  # of which there are no arrays
        return array("f", struct.unpack(f"{len(data) // 2}e", data))
    return array("f", array("d", data)) if kind == "d" else array(kind, data)


def _plane(values: array[int] | array[float], mode: str, size: tuple[int, int]) -> Pillow.Image:
    return Pillow.frombuffer(mode, size, values.tobytes(), "raw", mode, 0, 1)
