"""Flaws of JPEG: a missing end marker, missing scans, and bytes of no segment (ITU-T T.81, annex B).

With the end marker in place the decoder reports data that are missing from a scan, rather than read zeros.
"""

from __future__ import annotations

import re

from service.engine.flaws import Mended
from service.engine.headers.jpeg import EOI, SEQUENTIAL, SOS, Segment, segments
from service.engine.headers.source import Cut, Source
from service.engine.job import Undecodable
from service.engine.jpeg import turbo

_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_END = b"\xff\xd9"
_SCAN = b"\xff\xda"
_OTHER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""A marker that the data of a scan cannot have: of a segment, or the end."""

_LONGEST = 2 + 0xFFFF
"""Bytes of a segment with its marker."""

_BELONGS = re.compile(rb"(?:\xff+[\x01\xd0-\xd7])*+\xff*")
"""What may stand between segments: fill bytes, and the markers without a segment, TEM and RST0..7."""


def mend(source: Source, deep: bool) -> Mended:
    del deep
    found, end = [], 2
    mended = Mended()
    try:
        for segment in segments(source):
            found.append(segment)
            gap = segment.start - (2 if segment.marker == EOI else 4) - end
            if gap > 0 and not _BELONGS.fullmatch(source.read(end, gap)):
                mended.flaws.append("bytes between its segments belong to none")
            end = segment.data_end
        if not _has_all_scans(source, found):
            mended.flaws.append("not all of its scans are there")
    except Cut:
        if not found or found[-1].marker == EOI:
            raise
        mended = _ended(source, found)
    mended.flaws = list(dict.fromkeys(mended.flaws))
    return mended


def decoder_tells(source: Source) -> bool:
    """Whether libjpeg tells all that `mend` finds: all components are in one sequential scan, and the end marker comes
    next. Then it warns of bytes that belong to no segment, and looking for the end of the scan is left to it, which
    takes `mend` a twelfth of the time of decoding at 1/8. Raises Undecodable."""
    if turbo.library is None or source.size < 4 or source.read(source.size - 2, 2) != _END:
        return False
    count, end = 0, 2
    for segment in segments(source, scans=False):
        if segment.marker in SEQUENTIAL:
            count = source.number(segment.start + 5, 1)
        end = segment.end
    if source.read(end, 2) != _SCAN or source.number(end + 4, 1) != count:
        return False
    last = max(end + 2, source.size - 2 - _LONGEST)
    return not _OTHER.search(source.read(last, source.size - 2 - last))


def _ended(source: Source, found: list[Segment]) -> Mended:
    """The file with an end marker, cut after its last whole segment, or inside the data of its last scan.

    A segment that the file ends in is left out, and so is a scan that the file ends in the header of.
    """
    if turbo.library is None:  # without it nothing tells whether a scan is whole
        raise Undecodable("The JPEG is damaged: it has no end marker")
    found = [segment for segment in found if segment.end <= source.size]
    if not found:
        raise Undecodable("The JPEG is damaged: it ends before its last scan")
    start = found[-1].data_end
    scan = _last_scan(source, start)
    if scan:
        found = [*found, scan]
    if not _has_all_scans(source, found):
        raise Undecodable("The JPEG is damaged: it ends before its last scan")
    end = _without_fill(source) if scan else start
    return Mended(["the end marker is missing"], [source.part(0, end), _END])


def _last_scan(source: Source, start: int) -> Segment | None:
    """The scan that begins at `start` and whose data the file ends in."""
    if start + 4 > source.size or source.read(start, 2) != _SCAN:
        return None
    end = start + 2 + source.number(start + 2, 2)
    return Segment(SOS, start + 4, end, source.size) if end <= source.size else None


def _without_fill(source: Source) -> int:
    """The end of the file without a final 0xFF, which is half a marker."""
    end = source.size
    while end > 2 and source.read(end - 1, 1) == b"\xff":
        end -= 1
    return end


def _has_all_scans(source: Source, found: list[Segment]) -> bool:
    """Whether the scans bring all coefficients of all components, in a progressive image to their last bit."""
    frame = next((segment for segment in found if segment.marker in _FRAMES), None)
    if frame is None:
        return False
    count = source.number(frame.start + 5, 1)
    wanted = {source.number(frame.start + 6 + 3 * index, 1) for index in range(count)}
    whole = {component: set[int]() for component in wanted}
    for scan in (segment for segment in found if segment.marker == SOS):
        number = source.number(scan.start, 1)
        names = [source.number(scan.start + 1 + 2 * index, 1) for index in range(number)]
        first, last, bits = source.read(scan.start + 1 + 2 * number, 3)
        if frame.marker not in _PROGRESSIVE:
            first, last, bits = 0, 63, 0
        for name in names:
            if name in whole and bits & 15:
                whole[name].difference_update(range(first, last + 1))
            elif name in whole:
                whole[name].update(range(first, last + 1))
    return all(len(coefficients) == 64 for coefficients in whole.values())
