"""PNG and APNG: behind the compressed data and in it, in palettes, in chunks that stand twice."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests import images
from tests.engine.free_bytes import LONG, PLANTED, SMALL
from tests.images import png_chunk


def chunked(data: bytes, kind: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A PNG with the content of its chunks of a kind changed, all of it in one chunk, CRC and all."""
    at, parts, content = 8, [data[:8]], b""
    while at < len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name == kind:
            content += data[at + 8 : at + 8 + size]
        else:
            if content:
                parts.append(png_chunk(kind, change(content)))
                content = b""
            parts.append(data[at : at + 12 + size])
        at += 12 + size
    return b"".join(parts)


def inside(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda packed: zlib.compress(change(zlib.decompress(packed)), 0)


def one_bit() -> bytes:
    """9 pixels a row, so that the seven bits behind them are free: a letter in each row, interlaced with nothing."""
    rows = b"".join(b"\0\xa5" + bytes([0x80 | letter]) for letter in PLANTED)
    header = struct.pack(">IIBBBBB", 9, len(PLANTED), 1, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def twice(data: bytes) -> bytes:
    """gAMA as it should be, and again with other values."""
    values = (b"\0\0\xb1\x8f", *(LONG[i : i + 4] for i in range(0, 24, 4)))
    return data[:33] + b"".join(png_chunk(b"gAMA", value) for value in values) + data[33:]


PNG = images.png(SMALL)
FRAME = png_chunk(b"fcTL", LONG[:26]) + png_chunk(b"fdAT", LONG)
PALETTE = images.png_palette(64, 48, 16, transparent=True)
PNGS: dict[str, bytes] = {
    "behind the zlib stream": chunked(PNG, b"IDAT", lambda packed: packed + LONG),
    "in rows below the image": chunked(PNG, b"IDAT", inside(lambda rows: rows + LONG)),
    "IDAT behind the stream": PNG[:-12] + png_chunk(b"IDAT", LONG) + PNG[-12:],
    "in colours that are not used": chunked(PALETTE, b"PLTE", lambda colours: (colours + LONG)[:768]),
    "in alpha that is not used": chunked(PALETTE, b"tRNS", lambda alpha: (alpha + bytes(14) + LONG)[:256]),
    "in a palette without use": PNG[:33] + png_chunk(b"PLTE", LONG[:480]) + PNG[33:],
    "in colour that stands twice": twice(PNG),
    "in frames behind the last": images.apng()[:-12] + FRAME + images.apng()[-12:],
    "behind the stream of a frame": chunked(images.apng(2), b"fdAT", lambda packed: packed + LONG),
}
