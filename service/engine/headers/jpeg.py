"""Headers of JPEG: a chain of marker segments (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from service.engine.headers import exif
from service.engine.headers.source import CHUNK, Cut, Source
from service.engine.job import Header, Undecodable

SIGNATURE = b"\xff\xd8\xff"
SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
MAX_SEGMENTS = 10_000
MAX_COMPONENTS = 4

_DECODABLE = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # what libjpeg takes: sequential and progressive, Huffman or arithmetic
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SEQUENTIAL = {0xC0, 0xC1, 0xC9}
# Inside entropy-coded data 0xFF is followed by 0 (a stuffed byte) or by RST0..7; fill bytes repeat 0xFF.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")


class Segment(NamedTuple):
    """A marker and where its content lies: the bytes `start`..`end`, without the marker and the length.

    Behind SOS, entropy-coded data goes on to `data_end`.
    """

    marker: int
    start: int
    end: int
    data_end: int


def begins(head: bytes, _: Source) -> bool:
    return head.startswith(SIGNATURE)


def header(source: Source) -> Header:
    orientation: int | None = None
    for segment in segments(source):
        if segment.marker == APP1 and orientation is None:
            orientation = exif.orientation_behind_prefix(source.part(segment.start, segment.end - segment.start))
        if segment.marker in _FRAMES:
            break
        if segment.marker in (SOS, EOI):
            raise Undecodable("The JPEG is damaged: there is no frame header before its data")
    if segment.marker not in _DECODABLE:
        raise Undecodable("The JPEG is of a kind that is not taken: lossless, differential or hierarchical")
    frame = source.read(segment.start, 6)
    if frame[0] != 8:
        raise Undecodable(f"The JPEG is of a kind that is not taken: it has {frame[0]} bits a sample, and 8 are read")
    height, width, components = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5]), frame[5]
    if components not in range(1, MAX_COMPONENTS + 1) or segment.end - segment.start != 6 + 3 * components:
        raise Undecodable("The JPEG is damaged: its frame header is malformed")
    return Header("jpg", width, height, orientation=orientation or 1)


def components(source: Source) -> int:
    """How many there are, 0 where no frame header says so. Raises Undecodable."""
    frame = next((segment for segment in segments(source) if segment.marker in _FRAMES), None)
    return source.number(frame.start + 5, 1) if frame else 0


def is_halved(source: Source) -> bool:
    """Whether it holds luma alone, or chroma at half the width and height. Raises Undecodable."""
    frame = next((segment for segment in segments(source) if segment.marker in _FRAMES), None)
    if frame is None:
        return False
    samplings = source.read(frame.start, frame.end - frame.start)[7::3]
    return len(samplings) == 1 or samplings == b"\x22\x11\x11"


def missing(source: Source) -> str | None:
    # 0xFFD9 cannot be entropy-coded data, so a file that ends with it was not cut. Most files end here.
    if source.size >= 4 and source.read(source.size - 2, 2) == b"\xff\xd9":
        return None
    try:
        complete = any(segment.marker == EOI for segment in segments(source))
    except Undecodable:
        complete = False
    return None if complete else "the JPEG has no end marker"


def segments(source: Source, *, scans: bool = True) -> Iterator[Segment]:
    """Every segment after SOI, EOI included and last; without `scans` those before the first scan. Raises Undecodable.

    Bytes between segments that belong to none are passed over, as libjpeg does.
    """
    offset = 2
    for _ in range(MAX_SEGMENTS):
        offset = _find_marker(source, offset)
        marker = source.number(offset + 1, 1)
        if marker == EOI:
            yield Segment(marker, offset + 2, offset + 2, offset + 2)
            return
        if marker == SOS and not scans:
            return
        if marker == SOI:
            raise Undecodable("The JPEG is damaged: an image begins inside the image")
        length = source.number(offset + 2, 2)
        if length < 2:
            raise Undecodable("The JPEG is damaged: a segment has no length")
        end = offset + 2 + length
        data_end = _find_marker(source, end) if marker == SOS else end
        yield Segment(marker, offset + 4, end, data_end)
        offset = data_end
    raise Undecodable(f"The JPEG is damaged: it has more than {MAX_SEGMENTS} segments")


def _find_marker(source: Source, offset: int) -> int:
    """Where the next marker begins, at or after `offset`, over entropy-coded data and restarts. Raises Cut."""
    if offset + 2 <= source.size and _MARKER.match(source.read(offset, 2)):
        return offset
    window = 64  # gaps are mostly short: read at most a few times their length
    while offset + 2 <= source.size:
        chunk = source.read(offset, min(window, source.size - offset))
        found = _MARKER.search(chunk)
        if found:
            return offset + found.start()
        offset += len(chunk) - 1  # the last byte may be the 0xFF of a marker
        window = min(8 * window, CHUNK)
    raise Cut("The JPEG is damaged: the file ends too soon")
