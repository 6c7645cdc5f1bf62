"""AVIF: in boxes, behind and between the units of its coded data."""

from __future__ import annotations

import struct

from service.engine.headers.heif_items import Box
from tests import images
from tests.engine.free_bytes import LONG, SMALL


def avif_box(data: bytes, *path: bytes) -> Box:
    """The first box of each kind on the way."""
    start, end, found = 0, len(data), Box(b"", 0, len(data))
    for kind in path:
        at = start
        while at < end:
            size = int.from_bytes(data[at : at + 4])
            if data[at + 4 : at + 8] == kind:
                found = Box(kind, at + 8, at + size)
                break
            at += size
        start, end = found.start + (4 if kind == b"meta" else 0), found.end
    return found


def with_units(units: bytes) -> bytes:
    """An AVIF of one picture whose coded data have more units in them."""
    data = images.avif(SMALL)
    media = avif_box(data, b"mdat")
    return with_coded(data, data[media.start : media.end] + units)


def unit(kind: int, content: bytes) -> bytes:
    """An OBU (AV1 specification, 5.3) with its length."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([kind << 3 | 2]) + length + bytes([size]) + content


def behind_the_tile() -> bytes:
    """The frame's unit is the last of three; its length is made that of more bytes."""
    data = images.avif(SMALL)
    media = avif_box(data, b"mdat")
    coded, at = data[media.start : media.end], 0
    while True:
        size, shift, end = 0, 0, at + 1
        while True:
            size, shift, end = size | (coded[end] & 127) << shift, shift + 7, end + 1
            if not coded[end - 1] & 128:
                break
        if end + size == len(coded):
            break
        at = end + size
    return with_coded(data, coded[:at] + unit(coded[at] >> 3 & 15, coded[end:] + LONG))


def with_coded(data: bytes, coded: bytes) -> bytes:
    media, iloc = avif_box(data, b"mdat"), avif_box(data, b"meta", b"iloc")
    location = data[iloc.start : iloc.end].replace(
        struct.pack(">I", media.end - media.start), struct.pack(">I", len(coded))
    )
    start = data[: iloc.start] + location + data[iloc.end : media.start - 8]
    return start + struct.pack(">I", len(coded) + 8) + b"mdat" + coded


AVIFS: dict[str, bytes] = {
    "Exif and XMP": images.avif(SMALL, exif=images.exif() + LONG, xmp=b"<x>" + LONG + b"</x>"),
    "free": images.avif(SMALL) + struct.pack(">I", 8 + len(LONG)) + b"free" + LONG,
    "uuid": images.avif(SMALL) + struct.pack(">I", 24 + len(LONG)) + b"uuid" + bytes(16) + LONG,
    "bytes of no item": images.avif(SMALL) + struct.pack(">I", 8 + len(LONG)) + b"mdat" + LONG,
    "a unit of metadata": with_units(unit(5, b"\4\xb5" + LONG)),
    "a unit of padding": with_units(unit(15, LONG)),
    "behind the codes of a tile": behind_the_tile(),
}
