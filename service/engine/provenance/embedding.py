"""Put a packet of XMP, and IPTC where the format has a place for it, into files that the engine has written.

Each function takes a file of its format, XMP and IPTC-IIM (empty for none), and returns the file with them.
"""

from __future__ import annotations

import struct
import zlib

from service.engine.headers import jxl_boxes
from service.engine.headers.webp import ALPHA_FLAG
from service.engine.jpeg.parts import segment
from service.engine.provenance import iim
from service.engine.provenance.carriers import (
    IPTC_IN_TIFF,
    RESOURCES_IN_JPEG,
    XMP_IN_GIF,
    XMP_IN_JPEG,
    XMP_IN_JXL,
    XMP_IN_PNG,
    XMP_IN_TIFF,
)

_FIRST_SEGMENTS = (0xE0, 0xE1)  # JFIF and EXIF, which stand before all others
_XMP_FLAG = 0x04
_BYTE = 1  # a type of TIFF


def into_jpeg(data: bytes, xmp: bytes, iptc: bytes) -> bytes:
    at = 2
    while data[at] == 0xFF and data[at + 1] in _FIRST_SEGMENTS:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    segments = segment(0xE1, XMP_IN_JPEG + xmp)
    if iptc:
        segments += segment(0xED, RESOURCES_IN_JPEG + iim.resource(iptc))
    return data[:at] + segments + data[at:]


def into_png(data: bytes, xmp: bytes, _iptc: bytes) -> bytes:
    """Before the pixels. PNG has no place for IPTC."""
    at = 8
    while data[at + 4 : at + 8] != b"IDAT":
        at += 12 + int.from_bytes(data[at : at + 4])
    chunk = b"iTXt" + XMP_IN_PNG + bytes(5) + xmp
    return data[:at] + (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + data[at:]


def into_webp(data: bytes, xmp: bytes, _iptc: bytes) -> bytes:
    """XMP is the last chunk, and a first one says that it is there (RFC 9649, 2.7)."""
    chunks = data[12:]
    if chunks[:4] == b"VP8X":
        chunks = chunks[:8] + bytes((chunks[8] | _XMP_FLAG,)) + chunks[9:]
    else:
        chunks = _extended(chunks) + chunks
    chunks += b"XMP " + len(xmp).to_bytes(4, "little") + xmp + bytes(len(xmp) % 2)
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _extended(chunks: bytes) -> bytes:
    """The chunk VP8X of a file that has only an image, lossless or not."""
    flags, bits = _XMP_FLAG, int.from_bytes(chunks[9:13], "little")
    if chunks[:4] == b"VP8L":
        width, height = bits & 0x3FFF, bits >> 14 & 0x3FFF
        flags |= ALPHA_FLAG if bits >> 28 & 1 else 0
    else:
        width, height = ((int.from_bytes(chunks[at : at + 2], "little") & 0x3FFF) - 1 for at in (14, 16))
    return struct.pack("<4sII", b"VP8X", 10, flags) + width.to_bytes(3, "little") + height.to_bytes(3, "little")


def into_jxl(data: bytes, xmp: bytes, _iptc: bytes) -> bytes:
    """As the last box; a codestream alone gets a container (ISO/IEC 18181-2)."""
    if data.startswith(jxl_boxes.BARE):
        data = jxl_boxes.SIGNATURE + _box(b"ftyp", b"jxl \0\0\0\0jxl ") + _box(b"jxlc", data)
    return data + _box(XMP_IN_JXL, xmp)


def _box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4) + kind + content


def into_gif(data: bytes, xmp: bytes, _iptc: bytes) -> bytes:
    """Before the trailer. The bytes behind XMP lead a decoder, wherever it is in it, to the end (XMP part 3, 1.1.2)."""
    way_out = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    return b"GIF89a" + data[6:-1] + b"\x21\xff\x0b" + XMP_IN_GIF + xmp + way_out + data[-1:]


def into_tiff(data: bytes, xmp: bytes, iptc: bytes) -> bytes:
    """The directory is written anew at the end, for its entries are in the order of their tags; the old one is zeroed.

    The file is a TIFF of one page.
    """
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    end = at + 2 + 12 * count
    entries = [data[place : place + 12] for place in range(at + 2, end, 12)]
    made = bytearray(data)
    made[at : end + 4] = bytes(end + 4 - at)
    for tag, kind, content in ((XMP_IN_TIFF, _BYTE, xmp), (IPTC_IN_TIFF, _BYTE, iptc)):
        if content:  # longer than the four bytes that an entry holds
            made += bytes(len(made) % 2)
            entries.append(struct.pack(f"{order}HHII", tag, kind, len(content), len(made)))
            made += content
    made += bytes(len(made) % 2)
    struct.pack_into(f"{order}I", made, 4, len(made))
    entries.sort(key=lambda entry: _tag(entry, order))
    return bytes(made) + struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)


def _tag(entry: bytes, order: str) -> int:
    (tag,) = struct.unpack_from(f"{order}H", entry)
    return int(tag)
