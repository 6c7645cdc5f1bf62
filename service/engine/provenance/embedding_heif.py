"""Put a packet of XMP into an AVIF that the engine has written, as an item that describes the picture.

Of a sequence without a still picture it is a box at the end (XMP part 3, 1.2.7.1). Else the `meta` box grows by it, so
that all that lies behind moves: places of items (ISO/IEC 14496-12, 8.11.3), and chunks of tracks (8.7.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from service.engine.provenance.carriers import XMP_IN_HEIF
from service.engine.stripping.heif_writing import box

_TYPE = b"application/rdf+xml"
_HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_FULL = 4  # bytes of version and flags


def into_avif(data: bytes, xmp: bytes, _iptc: bytes) -> bytes:
    """AVIF has no place for IPTC."""
    meta = next((content for kind, content in _boxes(data) if kind == b"meta"), None)
    if meta is None:
        return data + box(b"uuid", XMP_IN_HEIF + xmp)
    parts = dict(_boxes(meta[_FULL:]))
    primary = int.from_bytes(parts[b"pitm"][_FULL:])
    number = max(int.from_bytes(one[_FULL : _FULL + 2]) for _, one in _boxes(parts[b"iinf"][_FULL + 2 :])) + 1
    parts[b"iinf"] = _counted(
        parts[b"iinf"], box(b"infe", b"\2\0\0\1" + struct.pack(">HH", number, 0) + b"mime\0" + _TYPE + b"\0")
    )
    described = box(b"cdsc", struct.pack(">HHH", number, 1, primary))
    parts[b"iref"] = parts.get(b"iref", bytes(_FULL)) + described

    def written(growth: int) -> bytes:
        places = _moved(parts[b"iloc"], growth, number, (len(data) + growth + 8, len(xmp)))
        inside = b"".join(box(kind, places if kind == b"iloc" else content) for kind, content in parts.items())
        return box(b"meta", meta[:_FULL] + inside)

    growth = len(written(0)) - len(meta) - 8
    made = b"".join(
        written(growth) if kind == b"meta" else box(kind, _shifted(content, growth) if kind == b"moov" else content)
        for kind, content in _boxes(data)
    )
    return made + box(b"mdat", xmp)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def _counted(content: bytes, entry: bytes) -> bytes:
    """A box of version 0 that counts its entries, with one more of them."""
    count = int.from_bytes(content[_FULL : _FULL + 2]) + 1
    return content[:_FULL] + count.to_bytes(2) + content[_FULL + 2 :] + entry


def _moved(iloc: bytes, growth: int, number: int, place: tuple[int, int]) -> bytes:
    """`iloc` of version 0 or 1, with all that lies in the file further back, and one more item at `place`."""
    version, sizes = iloc[0], int.from_bytes(iloc[4:6])
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    count = int.from_bytes(iloc[6:8])
    made, at = bytearray(iloc[:6] + (count + 1).to_bytes(2) + iloc[8:]), 8
    for _ in range(count):
        method = int.from_bytes(iloc[at + 2 : at + 4]) & 15 if version else 0
        at += (4 if version else 2) + 2
        base, at = at, at + base_size
        pieces, at = int.from_bytes(iloc[at : at + 2]), at + 2
        for _ in range(pieces):
            if method == 0 and not base_size:
                _add(made, at + index_size, offset_size, growth)
            at += index_size + offset_size + length_size
        if method == 0 and base_size:
            _add(made, base, base_size, growth)
    described = number.to_bytes(2) + bytes(2 * version) + bytes(2 + base_size) + b"\0\1" + bytes(index_size)
    return bytes(made) + described + place[0].to_bytes(offset_size) + place[1].to_bytes(length_size)


def _shifted(content: bytes, growth: int) -> bytes:
    """The boxes inside `moov`, with chunks further back."""
    made = b""
    for kind, inner in _boxes(content):
        changed = bytearray(_shifted(inner, growth) if kind in _HOLDERS else inner)
        if kind == b"stco":
            for at in range(8, len(changed), 4):
                _add(changed, at, 4, growth)
        made += box(kind, bytes(changed))
    return made


def _add(made: bytearray, at: int, size: int, growth: int) -> None:
    made[at : at + size] = (int.from_bytes(made[at : at + size]) + growth).to_bytes(size)
