"""PNG to pixels: Deflate by libdeflate, filters by libspng, in 4.3 ms of CPU for a screenshot of 1920x1200 pixels where
libvips takes 8.1. All that is not of the usual kind, or too large, libvips reads."""

from __future__ import annotations

import zlib
from pathlib import Path

from PIL import Image as Pillow

from service.engine.blocks import block, unwritten
from service.engine.geometry import Size
from service.engine.headers.png import chunks
from service.engine.headers.source import OpenedFile
from service.engine.job import Undecodable
from service.engine.memory import BOUND, has_room
from service.engine.packed import Packed
from service.engine.png import deflate, spng
from service.engine.vips import reading as others

_KINDS = {"L": (0, 1, 1), "RGB": (2, 3, 3), "LA": (4, 2, 4), "RGBA": (6, 4, 4)}
"""By mode: colour type, samples of a pixel in the file, and bytes of one here."""

_MOST = BOUND
"""Bytes of the file, its rows and its pixels together, which are held whole where libvips holds a few rows: as many as
a process keeps from image to image. Beyond that every page is a fault."""


def decoded(path: Path, mode: str, size: Size, n: int) -> Pillow.Image | Packed | None:
    """Return the pixels of a still PNG of `size`, palette and transparent colour worked in; `mode` is Pillow's for it.
    None where Pillow has to try instead: what is damaged, and samples of 16 bits."""
    return _usual(path, mode, size) or others.png(path, mode, size, n)


def _usual(path: Path, mode: str, size: Size) -> Pillow.Image | Packed | None:
    """Return the pixels of a PNG without flaws, interlacing and a transparent colour, of 8 bits a sample."""
    if deflate.library is None or spng.library is None or mode not in _KINDS:
        return None
    (width, height), (colour_type, samples, depth) = size, _KINDS[mode]
    length, pixels = (1 + width * samples) * height, width * height * depth
    coded = path.stat().st_size
    if coded + length + pixels > _MOST or not has_room(length + max(coded, pixels)):
        return None
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([8, colour_type, 0, 0, 0])
    data = _data(path, header)
    if data is None:
        return None
    rows = spng.Rows(header, length)
    if not deflate.decompress(data, rows.place, rows.length):
        return None
    del data
    if mode == "RGB":
        packed, start = unwritten(pixels)
        return Packed(size, packed) if rows.unfilter(start, depth) else None
    image, start = block(mode, size)
    return image if rows.unfilter(start, depth) else None


def _data(path: Path, header: bytes) -> bytearray | None:
    """Return the content of all IDAT together; None where the file is damaged, has another `header` in IHDR, or a chunk
    that is not of the usual ones."""
    kinds = list[bytes]()
    try:
        with OpenedFile(path) as source:
            data, filled = bytearray(source.size), 0
            with memoryview(data) as room:
                for chunk in chunks(source):
                    if not _is_usual(chunk.kind, kinds):
                        return None
                    kinds.append(chunk.kind)
                    with room[filled : filled + chunk.end - chunk.start] as content:
                        source.read_into(chunk.start, content)
                        if zlib.crc32(content, zlib.crc32(chunk.kind)) != source.number(chunk.end, 4):
                            return None
                        if chunk.kind == b"IHDR" and content != header:
                            return None
                    if chunk.kind == b"IDAT":
                        filled += chunk.end - chunk.start
    except Undecodable:
        return None
    del data[filled:]
    return data


def _is_usual(kind: bytes, before: list[bytes]) -> bool:
    """Return whether libpng makes nothing else of a chunk than is made here: IHDR is the first of all, all IDAT follow
    each other, and others change no pixels. The third letter of all kinds that there are is a capital (PNG
    specification, 5.4)."""
    if kind == b"IDAT":
        return before[-1:] == [kind] or kind not in before
    if kind == b"IHDR":
        return not before
    return kind == b"IEND" or (kind != b"tRNS" and kind[:1].islower() and kind[2:3].isupper())
