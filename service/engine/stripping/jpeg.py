"""JPEG without its metadata: tables, frames and scans as they are, JFIF and Adobe reduced to what decoding needs."""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers.jpeg import APP0, APP2, APP14, SOS, Segment, segments
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import Pieces, icc

# SOF0..15 with DHT and DAC among them; SOS, DQT, DNL, DRI.
KEPT = (set(range(0xC0, 0xD0)) - {0xC8}) | {0xDA, 0xDB, 0xDC, 0xDD}
JFIF, JFIF_SIZE = b"JFIF\0", 14
ADOBE, ADOBE_SIZE = b"Adobe", 12
ICC, ICC_PREFIX, ICC_PART = b"ICC_PROFILE\0", 14, 65_519


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """JFIF keeps its version and density and loses its thumbnail; Adobe keeps the colour transform alone.

    libjpeg takes the colour space from these two, so neither may be left out or added.
    """
    profile = _profile(source) if keep_icc else b""
    yield b"\xff\xd8"
    scanned = False
    for segment in segments(source):
        if segment.marker == APP0 and not scanned:
            yield _jfif(source, segment)
        if segment.marker == APP14 and not scanned:
            yield _adobe(source, segment)
        if segment.marker not in KEPT:
            continue
        yield from _icc_segments(profile)
        profile = b""
        yield source.part(segment.start - 4, segment.data_end - segment.start + 4)
        scanned |= segment.marker == SOS
    if not scanned:
        raise Undecodable("The JPEG is damaged: there are no pixels in it")
    yield b"\xff\xd9"


def profile_segments(source: Source) -> bytes:
    """The segments with the ICC profile that stays, as they stand before the first scan; empty where none does."""
    return b"".join(_icc_segments(_profile(source)))


def _jfif(source: Source, segment: Segment) -> bytes:
    """Identifier, version, density; a thumbnail of 0 by 0 (JFIF 1.02). Nothing of any other APP0, as JFXX."""
    content = source.read(segment.start, min(JFIF_SIZE, segment.end - segment.start))
    if len(content) < JFIF_SIZE or not content.startswith(JFIF):
        return b""
    return _segment(APP0, content[:12] + b"\0\0")


def _adobe(source: Source, segment: Segment) -> bytes:
    """Version 100 and no flags, which no decoder reads, and the transform, which all decoders read (Adobe TN 5116)."""
    content = source.read(segment.start, min(ADOBE_SIZE, segment.end - segment.start))
    if len(content) < ADOBE_SIZE or not content.startswith(ADOBE):
        return b""
    return _segment(APP14, ADOBE + b"\0\x64\0\0\0\0" + content[11:])


def _profile(source: Source) -> bytes:
    """The ICC profile to keep, put together from its parts (ICC.1:2022, B.4); nothing where a part is missing."""
    parts: dict[int, bytes] = {}
    counts = set()
    for segment in segments(source, scans=False):
        size = segment.end - segment.start
        if segment.marker != APP2 or size < ICC_PREFIX or source.read(segment.start, len(ICC)) != ICC:
            continue
        number, count = source.read(segment.start + len(ICC), 2)
        parts[number] = source.read(segment.start + ICC_PREFIX, size - ICC_PREFIX)
        counts.add(count)
    if counts != {len(parts)} or set(parts) != set(range(1, len(parts) + 1)):
        return b""
    return icc.to_keep(b"".join(parts[number] for number in sorted(parts)))


def _icc_segments(profile: bytes) -> Iterator[bytes]:
    parts = [profile[i : i + ICC_PART] for i in range(0, len(profile), ICC_PART)]
    for number, part in enumerate(parts, 1):
        yield _segment(APP2, ICC + bytes([number, len(parts)]) + part)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content
