"""TIFF: between strips and inside of them, in tags and tables, in tiles beyond the image, in other pages."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from PIL import Image

from tests import images
from tests.engine.free_bytes import LONG, PLANTED, SMALL
from tests.engine.free_bytes.jpegs import before_scan, segment

BYTE, ASCII, SHORT, UNDEFINED, RATIONAL, LONG_TYPE = 1, 2, 3, 7, 5, 4
_SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, UNDEFINED: 1, RATIONAL: 8, LONG_TYPE: 4}
NONE, LZW, JPEG, DEFLATE, PACKBITS = 1, 5, 7, 8, 32773

Tag = tuple[int, bytes]


def short(*values: int) -> Tag:
    return SHORT, struct.pack(f"<{len(values)}H", *values)


def long(*values: int) -> Tag:
    return LONG_TYPE, struct.pack(f"<{len(values)}I", *values)


def page(
    width: int, height: int, samples: int, compression: int, photometric: int, *, bits: int = 8, tile: int = 0
) -> dict[int, Tag]:
    tags = {
        256: short(width),
        257: short(height),
        258: short(*[bits] * samples),
        259: short(compression),
        262: short(photometric),
        277: short(samples),
    }
    if tile:
        return {**tags, 322: short(tile), 323: short(tile)}
    return {**tags, 278: short(height)}


def built(
    tags: Mapping[int, Tag],
    parts: Sequence[bytes],
    *,
    gap: bytes = b"",
    next_page: bool = False,
    nested: bool = False,
) -> bytes:
    """A file of one picture; `gap` stands where nothing points to. Another page may follow it, or be nested in it."""
    out = bytearray(b"II*\0\0\0\0\0" + gap)
    offsets = []
    for part in parts:
        offsets.append(len(out))
        out += part + gap
    other = 0
    if next_page or nested:
        other = _directory(out, page(len(LONG), 1, 1, NONE, 1), [len(out)], [len(LONG)], behind=LONG)
    nesting = {330: long(other)} if nested else {}
    at = _directory(out, {**tags, **nesting}, offsets, [len(part) for part in parts], following=other * next_page)
    out[4:8] = struct.pack("<I", at)
    return bytes(out + gap)


def _directory(
    out: bytearray,
    tags: Mapping[int, Tag],
    offsets: Sequence[int],
    counts: Sequence[int],
    *,
    behind: bytes = b"",
    following: int = 0,
) -> int:
    places = (324, 325) if 322 in tags else (273, 279)
    out += behind
    entries = []
    for tag, (kind, content) in sorted({**tags, places[0]: long(*offsets), places[1]: long(*counts)}.items()):
        inline = content
        if len(content) > 4:
            inline = struct.pack("<I", len(out))
            out += content + bytes(len(content) % 2)
        entries.append(struct.pack("<HHI", tag, kind, len(content) // _SIZES[kind]) + inline.ljust(4, b"\0"))
    at = len(out)
    out += struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)
    return at


def parts(data: bytes) -> list[bytes]:
    """The strips or tiles of the first page, as Pillow finds them."""
    with Image.open(io.BytesIO(data)) as image:
        tags = image.tag_v2  # type: ignore[attr-defined]
        offsets, counts = (tags[324], tags[325]) if 324 in tags else (tags[273], tags[279])
    return [data[offset : offset + count] for offset, count in zip(offsets, counts, strict=True)]


def samples(data: bytes) -> list[bytes]:
    """Of every strip or tile what deflate holds, where it is deflate, and what stands behind it."""
    with Image.open(io.BytesIO(data)) as image:
        compression = image.tag_v2[259]  # type: ignore[attr-defined]
    streams = [(zlib.decompressobj(), part) for part in parts(data)]
    if compression != DEFLATE:
        return [part for _, part in streams]
    return [stream.decompress(part) + stream.unused_data for stream, part in streams]


def strip(image: Image.Image, compression: str) -> bytes:
    """What libtiff makes of a picture in one strip."""
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", compression=compression, strip_size=1 << 20)
    (found,) = parts(buffer.getvalue())
    return found


def packed_bits(data: bytes, row: int) -> bytes:
    """Every run a literal one, with the code between them that means nothing (TIFF 6.0, section 9)."""
    made = b""
    for at in range(0, len(data), row):
        for start, end in pairwise((*range(at, at + row, 100), at + row)):
            made += bytes((end - start - 1,)) + data[start:end] + b"\x80"
    return made


def tiles_of(size: int) -> list[bytes]:
    """The photograph in uncompressed tiles, of which each has the secret wherever there is no pixel."""
    made = []
    for top in range(0, SMALL.shape[0], size):
        for left in range(0, SMALL.shape[1], size):
            part = SMALL[top : top + size, left : left + size]
            tile = np.resize(np.frombuffer(LONG, np.uint8), (size, size, 3)).copy()
            tile[: part.shape[0], : part.shape[1]] = part
            made.append(tile.tobytes())
    return made


def jpeg_tile(width: int, height: int, *, chroma: str = "4:4:4") -> bytes:
    """A JPEG of noise that is as large as a tile, `width` by `height` of the photograph in its corner."""
    noise = np.random.default_rng(7).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    noise[:height, :width] = images.photo(64, 64)[:height, :width]
    return images.jpeg(noise, subsampling=chroma, quality=90)


def one_bit() -> bytes:
    """41 rows of 41 white pixels, with ones behind them."""
    return b"\xff" * 6 * 41


def planes() -> list[bytes]:
    return [SMALL[..., channel].tobytes() for channel in range(3)]


def palette() -> dict[int, Tag]:
    """Two colours are used, of 16 bits of which readers take 8; the secret is in the others."""
    secret = struct.unpack("<254H", (LONG * 2)[:508])
    return {320: short(*(0x1234, 0xFEDC, *secret) * 3)}


def data_units() -> bytes:
    """Gray pixels of an image of one column, with ones where the second column would be."""
    return bytes((90, 0xFF, 90, 0xFF, 128, 128)) * 24


PIXELS = SMALL.tobytes()
DEEP = (SMALL.astype("<u2") * 257).tobytes()
PHOTO = Image.fromarray(SMALL)
RGB = (64, 48, 3)
JPEG_FILE = images.jpeg(SMALL)
TABLES = b"\xff\xd8" + JPEG_FILE[JPEG_FILE.index(b"\xff\xdb") : JPEG_FILE.index(b"\xff\xc0")] + b"\xff\xd9"
ABBREVIATED = b"\xff\xd8" + JPEG_FILE[JPEG_FILE.index(b"\xff\xc0") :]
UNUSED = segment(0xDB, b"\x03" + LONG[:64]) + segment(0xFE, LONG) + segment(0xE5, LONG)

_FIELDS: dict[int, Tag] = {
    **dict.fromkeys((269, 270, 271, 272, 285, 305, 315, 316, 337, 33432), (ASCII, PLANTED + b"\0")),
    306: (ASCII, PLANTED[:12].ljust(20, b"\0")),
    700: (BYTE, LONG),
    33723: (UNDEFINED, LONG),
    34377: (BYTE, LONG),
    37724: (UNDEFINED, LONG),
    42112: (ASCII, LONG),
    50341: (UNDEFINED, LONG),
    65000: (UNDEFINED, LONG),
    282: (RATIONAL, PLANTED[:8]),
    301: (SHORT, (LONG * 4)[:1536]),
    318: (RATIONAL, PLANTED[:12].ljust(16, b"\0")),
}
_YCBCR: dict[int, Tag] = {530: short(2, 2)}

TIFFS: dict[str, bytes] = {
    "between strips": built(page(*RGB, NONE, 2), [PIXELS], gap=LONG),
    "in tags": built({**page(*RGB, NONE, 2), **_FIELDS}, [PIXELS]),
    "in a second page": built(page(*RGB, NONE, 2), [PIXELS], next_page=True),
    "in a nested page": built(page(*RGB, NONE, 2), [PIXELS], nested=True),
    "behind the pixels": built(page(*RGB, NONE, 2), [PIXELS + LONG]),
    "behind those of 16 bits": built(page(*RGB, NONE, 2, bits=16), [DEEP + LONG], gap=LONG),
    "behind the end of deflate": built(page(*RGB, DEFLATE, 2), [zlib.compress(PIXELS) + LONG]),
    "inside of deflate": built(page(*RGB, DEFLATE, 2), [zlib.compress(PIXELS + LONG, 0)]),
    "behind the end of LZW": built(page(*RGB, LZW, 2), [strip(PHOTO, "tiff_lzw") + LONG]),
    "behind the end of PackBits": built(page(*RGB, PACKBITS, 2), [packed_bits(PIXELS, 192) + LONG]),
    "behind the end of a telefax": built(
        page(64, 48, 1, 4, 0, bits=1), [strip(PHOTO.convert("1"), "group4") + LONG], gap=LONG
    ),
    "in tiles beyond the image": built(page(*RGB, NONE, 2, tile=32), tiles_of(32)),
    "in packed tiles beyond the image": built(
        page(*RGB, DEFLATE, 2, tile=48), [zlib.compress(tile) for tile in tiles_of(48)]
    ),
    "in colours that are not used": built({**page(64, 48, 1, NONE, 3), **palette()}, [bytes([0, 1]) * (32 * 48)]),
    "in a JPEG": built({**page(*RGB, JPEG, 6), **_YCBCR}, [before_scan(JPEG_FILE, UNUSED) + LONG], gap=LONG),
    "in tables of JPEG": built(
        {**page(*RGB, JPEG, 6), **_YCBCR, 347: (UNDEFINED, TABLES[:-2] + UNUSED + TABLES[-2:] + LONG)}, [ABBREVIATED]
    ),
}

ROWS = built(page(41, 41, 1, DEFLATE, 1, bits=1), [zlib.compress(one_bit())])
UNITS = built({**page(1, 48, 3, NONE, 6), **_YCBCR}, [data_units()])
NOT_SHOWN = built({**page(64, 48, 4, NONE, 2), 284: short(2), 338: short(0)}, [*planes(), (LONG * 7)[: 64 * 48]])
"""A fourth plane that no tag calls an alpha is the secret."""
