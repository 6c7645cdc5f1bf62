"""PNG and APNG without metadata: the chunks that pixels, colour and animation need."""

from __future__ import annotations

import zlib

from service.engine.headers import png_colour
from service.engine.headers.png import OVERHEAD, SIGNATURE, Chunk, chunks
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import Pieces, icc

LARGEST = 2**31 - 1
# Kind to the least and the most bytes of its content.
KEPT = {
    b"IHDR": (13, 13),
    b"PLTE": (3, 768),
    b"IDAT": (0, LARGEST),
    b"IEND": (0, 0),
    b"tRNS": (1, 256),
    b"gAMA": (4, 4),
    b"cHRM": (32, 32),
    b"sRGB": (1, 1),
    b"cICP": (4, 4),
    b"mDCV": (24, 24),
    b"cLLI": (8, 8),
    b"acTL": (8, 8),
    b"fcTL": (26, 26),
    b"fdAT": (4, LARGEST),
}
MAX_ICC_CHUNK = 4 * 1024 * 1024
PROFILE_NAME = b"ICC"


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """Kept chunks are copied with their CRC. The profile is compressed anew, under a name that says nothing."""
    yield SIGNATURE
    pixels, silenced = False, _silenced(source)
    for chunk in chunks(source):
        if chunk.kind in silenced:
            continue
        if chunk.kind == b"iCCP" and keep_icc and not pixels:
            yield _profile(source, chunk)
        elif _is_kept(chunk):
            yield source.part(chunk.start - 8, chunk.end - chunk.start + OVERHEAD)
        pixels |= chunk.kind == b"IDAT"
    if not pixels:
        raise Undecodable("The PNG is damaged: there are no pixels in it")


def _silenced(source: Source) -> frozenset[bytes]:
    """The chunks that a profile outranks, where it is left out as sRGB's: they must not begin to count."""
    profile = png_colour.profile(source)
    return png_colour.OUTRANKED if profile and not icc.to_keep(profile) else frozenset()


def _is_kept(chunk: Chunk) -> bool:
    """Raises Undecodable for a critical chunk (a capital first letter) that is unknown or of a wrong size."""
    least, most = KEPT.get(chunk.kind, (1, 0))
    if least <= chunk.end - chunk.start <= most:
        return True
    if chunk.kind[:1].isupper():
        raise Undecodable("The PNG is damaged: it has a critical chunk that is in no standard")
    return False


def _profile(source: Source, chunk: Chunk) -> bytes:
    """The iCCP chunk to keep, or nothing where it is broken, as libpng has it, or sRGB."""
    size = chunk.end - chunk.start
    if size > MAX_ICC_CHUNK:
        return b""
    _, _, packed = source.read(chunk.start, size).partition(b"\0")
    if packed[:1] != b"\0":  # the only compression method
        return b""
    try:
        profile = zlib.decompressobj().decompress(packed[1:], icc.MAX_PROFILE)
    except zlib.error:
        return b""
    kept = icc.to_keep(profile)
    return _chunk(b"iCCP", PROFILE_NAME + b"\0\0" + zlib.compress(kept)) if kept else b""


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
