"""Files that are made of very many very small things, to keep a parser busy; each of about `size` bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.images import png_chunk

GIF = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0)
FRAME = b"," + struct.pack("<HHHHB", 0, 0, 10, 10, 0) + b"\x02\x02\x4c\x01\0"
EMPTY_FRAME = FRAME[:10] + b"\x02\0"
JPEG = b"\xff\xd8\xff\xe0\0\x04ab"
SCAN = b"\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0\xff\xda\0\2ab"
PNG = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0))
END = png_chunk(b"IEND", b"")
EXTENDED = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0\x09\0\0\x09\0\0"


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    """An entry of a TIFF's directory."""
    return struct.pack("<HHII", tag, kind, count, value)


def directory(entries: list[bytes], following: int = 0) -> bytes:
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)


PAGE = [entry(256, 3, 1, 10), entry(257, 3, 1, 10), entry(262, 3, 1, 1), entry(273, 4, 1, 8), entry(279, 4, 1, 1)]
DESCRIBED = b"II*\0\x08\0\0\0" + directory([entry(1000 + i % 7, 3, 1, 1) for i in range(5400)])


def tiff_pages(size: int) -> bytes:
    long = len(directory(PAGE))
    pages = [directory(PAGE, 8 + long * (number + 1)) for number in range(size // long)]
    return b"II*\0\x08\0\0\0" + b"".join(pages) + directory(PAGE)


def tiff_empty_pages(size: int) -> bytes:
    pages = [struct.pack("<HI", 0, 8 + 6 * (number + 1)) for number in range(size // 6)]
    return b"II*\0\x08\0\0\0" + b"".join(pages) + directory(PAGE)


def tiff_one_table_of_all(size: int) -> bytes:
    """Directories of a thousand entries, each of which begins twelve bytes behind the one before."""
    count = size // 12
    table = b"".join(struct.pack("<HHII", 1000, 1, 0x0001_0001, 20 + 12 * number) for number in range(count))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 1000) + table


def tiff_strips(size: int) -> bytes:
    count = size // 8
    entries = [*PAGE[:3], entry(273, 4, count, 200), entry(279, 4, count, 200 + 4 * count)]
    return (b"II*\0\x08\0\0\0" + directory(entries)).ljust(200, b"\0") + b"\1\0\0\0" * 2 * count


def webp(chunk: bytes, size: int) -> bytes:
    body = b"WEBP" + EXTENDED + chunk * (size // len(chunk))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def avif_properties(size: int) -> bytes:
    """Every item has 255 properties, all of them the same size."""
    count = min(size, 400_000) // 260
    kinds = b"".join(box(b"infe", b"\2\0\0\0" + struct.pack(">HH", i + 1, 0) + b"av01\0") for i in range(count))
    held = box(b"ipco", box(b"ispe", b"\0\0\0\0" + struct.pack(">II", 64, 64)))
    use = b"".join(struct.pack(">HB", i + 1, 255) + b"\1" * 255 for i in range(count))
    properties = box(b"iprp", held + box(b"ipma", b"\0\0\0\0" + struct.pack(">I", count) + use))
    meta = box(b"pitm", b"\0\0\0\0\0\1") + box(b"iinf", b"\0\0\0\0" + struct.pack(">H", count) + kinds) + properties
    return FTYP + box(b"meta", b"\0\0\0\0" + meta) + box(b"mdat", b"x")


FTYP = box(b"ftyp", b"avif\0\0\0\0avifmif1")


def icon(size: int) -> bytes:
    count = min(size // 16, 1024)
    place = struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, 60, 6 + 16 * count)
    return b"\0\0\1\0" + struct.pack("<H", count) + place * count + struct.pack("<III", 40, 16, 32) + b"\0" * 100


LABORIOUS: dict[str, Callable[[int], bytes]] = {
    "gif of stray bytes": lambda size: GIF + FRAME + b"x" * size + b";",
    "gif of stray bytes between extensions": lambda size: GIF + FRAME + b"x!\xf9\0" * (size // 4) + b";",
    "gif of extensions": lambda size: GIF + FRAME + b"!\xf9\0" * (size // 3) + b";",
    "gif of empty frames": lambda size: GIF + EMPTY_FRAME * (size // 12) + b";",
    "gif of blocks of a byte": lambda size: GIF + FRAME[:-1] + b"\1\1" * (size // 2) + b"\0;",
    "jpeg of bytes between segments": lambda size: JPEG + b"xx\xff\xe1\0\2" * (size // 6) + SCAN,
    "jpeg of restarts": lambda size: JPEG + SCAN + b"\xff\xd0" * (size // 2),
    "jpeg of scans": lambda size: JPEG + SCAN + b"\xff\xda\0\2ab" * (size // 6),
    "jpeg of exif": lambda size: (
        JPEG
        + (b"\xff\xe1" + struct.pack(">H", len(DESCRIBED) + 8) + b"Exif\0\0" + DESCRIBED) * (size // 65_000 + 1)
        + SCAN
    ),
    "png of chunks": lambda size: PNG + png_chunk(b"tEXt", b"") * (size // 12) + END,
    "png of exif": lambda size: PNG + png_chunk(b"eXIf", DESCRIBED[:10]) * (size // 22) + END,
    "webp of frames": lambda size: webp(b"ANMF\0\0\0\0", size),
    "webp of chunks": lambda size: webp(b"XXXX\0\0\0\0", size),
    "tiff of pages": tiff_pages,
    "tiff of empty pages": tiff_empty_pages,
    "tiff of one table": tiff_one_table_of_all,
    "tiff of strips": tiff_strips,
    "avif of boxes": lambda size: FTYP + box(b"free", b"") * (size // 8),
    "avif of properties": avif_properties,
    "ico of pictures": icon,
}
"""By name, what makes such a file."""
