"""The media type of an original by its first bytes: its name promises nothing. Twin of media_types.lua."""

from __future__ import annotations

HEAD = 64
"""How many bytes of a file are looked at."""

UNKNOWN = "application/octet-stream"

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"\0\0\1\0", "image/vnd.microsoft.icon"),
)
_BRANDS = (  # of a file type box, ISO/IEC 14496-12
    (("avif", "avis"), "image/avif"),
    (("heic", "heix", "heim", "heis", "hevc", "hevx"), "image/heic"),
)
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # sizes; other files begin with "BM" too


def media_type(head: bytes) -> str:
    """The media type of a file that begins with `head`, at most HEAD bytes; UNKNOWN where it is none of the formats."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    is_bmp = head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    return "image/bmp" if is_bmp else UNKNOWN


def _of_brands(head: bytes) -> str:
    box = head[: min(int.from_bytes(head[:4], "big"), HEAD)]
    brands = {box[place : place + 4].decode("latin-1") for place in (8, *range(16, len(box), 4))}
    return next((kind for known, kind in _BRANDS if not brands.isdisjoint(known)), UNKNOWN)
