"""A sequential JPEG whose entropy-coded data stay as they are, for libjxl, whose codestream holds coefficients alone.

How they were coded stands in the box `jbrd`. That is taken of a JPEG of one unit, coded by libjpeg-turbo, so nothing in
it comes from the original's data: no table, no restart, no stray byte. What could still hide something are the blocks
beyond the picture, which `filling` looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.engine.headers.jpeg import SOS
from service.engine.headers.source import Source
from service.engine.jpeg import filling, recode
from service.engine.jpeg.parts import DHT, DRI, HEADS, SOF0, SOF1, Part, frame, joined, parts
from service.engine.jxl.held import Held

_FRAMES = (SOF0, SOF1)
_TAKEN = (*HEADS, DHT, DRI, *_FRAMES, SOS)
_ALL = range(0xC0, 0xFF)
_NO_RESTARTS = bytes(2)
_WHOLE_SPECTRUM = b"\0\x3f\0"
_COUNTS = (1, 3)
"""Of components that libjxl takes."""


class AsCoded(NamedTuple):
    """A JPEG with its data as they were coded, and one of a single unit with the headers of `recode.sequential`."""

    data: bytes
    unit: bytes


def as_coded(source: Source) -> AsCoded | None:
    """The JPEG in `source` with the headers that `recode.sequential` gives it, but for its own Huffman tables: it has
    the coefficients of that JPEG, those beyond the picture included. None where they cannot be known to be the same,
    and where the data are damaged.

    Raises Undecodable where there are no pixels, NotCopied where its profile cannot be written.
    """
    found = recode.needed(source)
    if not found.unit or not found.has_short_codes or not _is_plain(found.parts):
        return None
    unit = recode.with_profile(found.unit, recode.between(source, is_marked=found.most == 0))
    headers = list(parts(Held(unit), _ALL))
    if _samplings(headers) != _samplings(found.parts):
        return None
    data = joined(_put_together(found.parts, headers))
    return AsCoded(data, unit) if filling.holds_nothing(found.parts) else None


def _samplings(found: Sequence[Part]) -> object:
    said = next(frame(part.head) for part in found if part.marker in _FRAMES)
    return said and said.samplings


def _is_plain(found: Sequence[Part]) -> bool:
    """Whether a JPEG has one frame and one scan, of all components in their order, no restarts, and no table behind the
    scan, which libjpeg-turbo would code as it is coded already, but for the tables."""
    frames = [frame(part.head) for part in found if part.marker in _FRAMES]
    scans = [part for part in found if part.marker == SOS]
    if len(frames) != 1 or len(scans) != 1 or found[-1] is not scans[0] or frames[0] is None:
        return False
    if any(part.marker not in _TAKEN or (part.marker == DRI and part.head[4:] != _NO_RESTARTS) for part in found):
        return False
    said, scan = frames[0], scans[0].head[4:]
    count = len(said.identities)
    is_whole = len(scan) == 4 + 2 * count and scan[1 : 1 + 2 * count : 2] == said.identities
    return count in _COUNTS and is_whole and scan[0] == count and scan.endswith(_WHOLE_SPECTRUM)


def _put_together(found: Sequence[Part], headers: Sequence[Part]) -> Iterator[Part]:
    """The parts of a JPEG with `headers`, but the size, the Huffman tables and the scan of `found`."""
    said = next(part.head for part in found if part.marker in _FRAMES)
    scan = found[-1]
    for part in headers:
        if part.marker in _FRAMES:
            yield Part(part.marker, part.head[:5] + said[5:9] + part.head[9:])
        elif part.marker == SOS:
            yield from (table for table in found if table.marker == DHT)
            yield Part(SOS, _with_tables(part.head, scan.head), scan.coded)
        elif part.marker != DHT:
            yield part


def _with_tables(head: bytes, other: bytes) -> bytes:
    """The scan header `head` that chooses the tables which `other` chooses."""
    chosen = bytearray(head)
    chosen[6:-3:2] = other[6:-3:2]
    return bytes(chosen)
