"""WebP: behind the codes and partitions, in chunks."""

from __future__ import annotations

import struct

from tests import images
from tests.engine.free_bytes import LONG, SMALL


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def content_of(webp: bytes, kind: bytes) -> bytes:
    at = webp.index(kind, 12)
    return webp[at + 8 : at + 8 + int.from_bytes(webp[at + 4 : at + 8], "little")]


def webp_in_first_partition() -> bytes:
    coded = content_of(images.webp(SMALL), b"VP8 ")
    tag = int.from_bytes(coded[:3], "little")
    first = 10 + (tag >> 5)
    tag += len(LONG) << 5
    return riff(chunk(b"VP8 ", tag.to_bytes(3, "little") + coded[3:first] + LONG + coded[first:]))


CLEAR = images.webp_alpha(64, 48)
HEAD = chunk(b"VP8X", b"\x10\0\0\0" + (63).to_bytes(3, "little") + (47).to_bytes(3, "little"))
ALPHA, COLOUR = content_of(CLEAR, b"ALPH"), chunk(b"VP8 ", content_of(CLEAR, b"VP8 "))
WEBPS: dict[str, bytes] = {
    "behind the codes": riff(chunk(b"VP8 ", content_of(images.webp(SMALL), b"VP8 ") + LONG)),
    "behind the modes": webp_in_first_partition(),
    "behind lossless codes": riff(chunk(b"VP8L", content_of(images.webp(SMALL, lossless=True), b"VP8L") + LONG)),
    "behind the alpha": riff(HEAD, chunk(b"ALPH", ALPHA + LONG), COLOUR),
    "in a chunk of its own": riff(HEAD, chunk(b"ALPH", ALPHA), COLOUR, chunk(b"SECR", LONG)),
}
