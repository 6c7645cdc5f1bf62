"""BMP: a file header and one of the DIB headers (Microsoft's BITMAPINFOHEADER to BITMAPV5HEADER, OS/2 1 and 2)."""

from __future__ import annotations

from service.engine.headers.source import Source
from service.engine.job import Header, Undecodable

SIGNATURE = b"BM"
HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
CORE = 12  # OS/2 1: 16-bit sizes
WINDOWS, OS2 = 40, 64  # the first of Windows' headers, and OS/2's second
WITH_ALPHA_MASK = (56, 108, 124)
UNCOMPRESSED = (0, 3, 6)  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS
BITFIELDS = (3, 6)
RUN_LENGTH = (1, 2)
DEPTHS = (1, 2, 4, 8, 16, 24, 32)


def begins(head: bytes, _: Source) -> bool:
    """Whether a file that begins with `head` is a BMP, and not a text that begins with BM."""
    return head.startswith(SIGNATURE) and int.from_bytes(head[14:18], "little") in HEADER_SIZES


def header(source: Source) -> Header:
    width, height, _, _ = _geometry(source)
    return Header("bmp", width, height, alpha=_has_alpha(source))


def missing(source: Source) -> str | None:
    width, height, depth, compression = _geometry(source)
    row = (width * depth + 31) // 32 * 4
    # Of run lengths nothing is known but that there are some.
    needed = row * height if compression in UNCOMPRESSED else 1
    return "the BMP ends before its pixels do" if source.number(10, 4, little=True) + needed > source.size else None


def _geometry(source: Source) -> tuple[int, int, int, int]:
    """Width, height, bits per pixel and compression."""
    size = source.number(14, 4, little=True)
    info = source.read(14, min(size, 20))
    if size == CORE:
        width, height = int.from_bytes(info[4:6], "little"), int.from_bytes(info[6:8], "little")
        depth, compression = int.from_bytes(info[10:12], "little"), 0
    else:
        width = int.from_bytes(info[4:8], "little", signed=True)
        height = abs(int.from_bytes(info[8:12], "little", signed=True))  # negative: the first row is the top one
        depth, compression = int.from_bytes(info[14:16], "little"), int.from_bytes(info[16:20], "little")
    if width <= 0 or depth not in DEPTHS:
        raise Undecodable(f"The BMP is damaged: it is {width} pixels wide, of {depth} bits each")
    if compression not in UNCOMPRESSED + RUN_LENGTH:
        raise Undecodable("The BMP is of a kind that is not taken: another format is wrapped in it")
    return width, height, depth, compression


def _has_alpha(source: Source) -> bool:
    if source.number(14, 4, little=True) not in WITH_ALPHA_MASK:
        return False
    return source.number(30, 4, little=True) in BITFIELDS and source.number(14 + 52, 4, little=True) != 0
