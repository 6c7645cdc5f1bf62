"""The strips and tiles of a TIFF that are JPEG (TIFF Technical Note 2): coefficients coded anew, as of a JPEG file.

Tables that all of them have are in JPEGTables. Blocks beyond the image are blanked; chroma keeps one sample more, since
scaling it up blends neighbours.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from service.engine.geometry import Size
from service.engine.headers.jpeg import SEQUENTIAL, SOS, segments
from service.engine.headers.source import Source
from service.engine.headers.tiff import Directory
from service.engine.job import Undecodable
from service.engine.jpeg import recode, turbo
from service.engine.stripping import NotCopied, Piece
from service.engine.tiff.layout import PALETTE, YCBCR, Layout, Part, Place

TABLES = 347
_LONGEST_TABLES = 0xFFFF
_DHT, _DQT, _EOI = 0xC4, 0xDB, 0xD9
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES = (_BASELINE, _EXTENDED, _PROGRESSIVE)
_NEEDED = (*_FRAMES, _DHT, _DQT, SOS, 0xDD)
_OTHERS = {*range(0xC0, 0xD0), 0xDC} - {*_FRAMES, _DHT, 0xC8}
_START, _END = b"\xff\xd8", b"\xff\xd9"
_BLOCK = 128  # bytes of the coefficients of a block
_MOST_PROGRESSIVE = 32 << 20
"""Coefficients of a part; libtiff refuses progressive ones that take more than 100 MB."""


@dataclass(frozen=True, slots=True)
class Coded:
    """The parts in their order, the content of JPEGTables or nothing, and the subsampling of chroma."""

    contents: list[Piece]
    tables: bytes
    subsampling: Size


@dataclass(slots=True)
class _Stream:
    """A part as a JPEG with tables of its own, and the components of its frame: how many samples across and down."""

    data: bytes
    markers: set[int]
    components: list[Size]
    part: Part


@dataclass(slots=True)
class _Split:
    """What libjpeg wrote: the tables before the first scan, the frame header, and all from the first scan on."""

    tables: dict[int, bytes] = field(default_factory=lambda: {_DQT: b"", _DHT: b""})
    frame: bytes = b""
    rest: bytes = b""


def coded(page: Directory, found: Layout, parts: Sequence[Part]) -> Coded:
    """Raises NotCopied for a kind that TurboJPEG does not take, and where data are damaged."""
    if found.bits != 8 or found.photometric == PALETTE or found.predictor != 1 or turbo.library is None:
        raise NotCopied("the TIFF has JPEG of a kind that is not known")
    shared = page.content(TABLES, _LONGEST_TABLES)
    given = [segment for marker, segment in _tables(shared) if marker in (_DQT, _DHT)]
    streams: dict[Place, _Stream] = {}
    try:
        for part in parts:
            if part.place not in streams:
                streams[part.place] = _stream(page.source, found, part, given)
    except Undecodable as error:
        raise NotCopied("a strip is damaged") from error
    subsampling = _subsampling(found, list(streams.values()))
    before = len(shared) + sum(count for _, count in {(part.offset, part.count) for part in parts})
    contents, tables = _smallest(list(streams.values()), before)
    made = dict(zip(streams, contents, strict=True))
    return Coded([made[part.place] for part in parts], tables, subsampling)


def _tables(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments of JPEGTables, a JPEG without a picture."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _EOI:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at + 1] in _OTHERS or end > len(data) or end < at + 4:
            raise NotCopied("the JPEGTables are damaged")
        yield data[at + 1], data[at:end]
        at = end


def _stream(source: Source, found: Layout, part: Part, given: Sequence[bytes]) -> _Stream:
    inside = source.part(part.offset, part.count)
    if inside.head(2) != _START:
        raise NotCopied("a strip is no JPEG")
    made, markers, frame = [_START, *given], set[int](), b""
    for segment in segments(inside):
        if segment.marker in _OTHERS:
            raise NotCopied("a strip is arithmetic or lossless, or its height comes last")
        if segment.marker in _NEEDED:
            made.append(inside.read(segment.start - 4, segment.data_end - segment.start + 4))
            markers.add(segment.marker)
        if segment.marker in _FRAMES:
            frame = inside.read(segment.start, segment.end - segment.start)
    size = int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])
    expected = size[0] == part.size[0] and (size[1] == part.size[1] or (not found.tiled and size[1] > part.size[1]))
    if len(frame) != 6 + 3 * found.together or frame[0] != 8 or not expected or SOS not in markers:
        raise NotCopied("a strip is of another size, or has other samples, than the directory says")
    components = [(frame[at] >> 4, frame[at] & 15) for at in range(7, len(frame), 3)]
    if not all(across and down for across, down in components):
        raise NotCopied("a component has no samples")
    shown = Part(part.number, part.offset, part.count, size, part.used)
    return _Stream(b"".join([*made, _END]), markers, components, shown)


def _subsampling(found: Layout, streams: Sequence[_Stream]) -> Size:
    kinds = {tuple(stream.components) for stream in streams}
    if len(kinds) != 1:
        raise NotCopied("the strips differ in their subsampling")
    components = kinds.pop()
    luma, chroma = components[0], components[1:] or components[:1]
    if found.photometric == YCBCR:
        ratio = luma[0] // chroma[0][0], luma[1] // chroma[0][1]
        if len(set(chroma)) != 1 or not {*ratio} <= {1, 2, 4}:
            raise NotCopied("the subsampling is one that the directory cannot say")
        return ratio
    return (1, 1)


def _smallest(streams: Sequence[_Stream], before: int) -> tuple[list[bytes], bytes]:
    """The parts and JPEGTables: sequential unless the original is not, or only progressive ones are no larger."""
    sequential = all(not SEQUENTIAL.isdisjoint(stream.markers) for stream in streams)
    made = _shared([_recoded(stream, progressive=not sequential) for stream in streams])
    fits = all(_coefficients(stream) <= _MOST_PROGRESSIVE for stream in streams)
    if sequential and fits and _total(made) > before:
        with contextlib.suppress(NotCopied):
            made = min(made, _shared([_recoded(stream, progressive=True) for stream in streams]), key=_total)
    return made


def _total(made: tuple[list[bytes], bytes]) -> int:
    return sum(map(len, made[0])) + len(made[1])


def _coefficients(stream: _Stream) -> int:
    width, height = stream.part.size
    return width * height * len(stream.components)


def _recoded(stream: _Stream, *, progressive: bool) -> bytes:
    _kept[:] = _blocks(stream) if stream.part.is_padded else []
    look = _BLANKING if _kept else None
    made = recode.recoded(stream.data, progressive=progressive, strict=True, look=look)
    if not made:
        raise NotCopied("libjpeg-turbo cannot code a strip anew")
    return made


def _shared(made: Sequence[bytes]) -> tuple[list[bytes], bytes]:
    """The parts, and JPEGTables with those tables that are the same in all, if there are several."""
    split = [_split(one) for one in made]
    same = [marker for marker in (_DQT, _DHT) if len({one.tables[marker] for one in split}) == 1 and len(split) > 1]
    if any(one.frame[1] == _PROGRESSIVE for one in split):
        same = [marker for marker in same if marker == _DQT]
    contents = [
        _START
        + b"".join(one.tables[marker] for marker in (_DQT,) if marker not in same)
        + one.frame
        + b"".join(one.tables[marker] for marker in (_DHT,) if marker not in same)
        + one.rest
        for one in split
    ]
    return contents, _START + b"".join(split[0].tables[marker] for marker in same) + _END if same else b""


def _split(data: bytes) -> _Split:
    found, at = _Split(), 2
    while data[at + 1] != SOS:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker in found.tables:
            found.tables[marker] += data[at:end]
        elif marker in _FRAMES:
            found.frame = data[at:end]
        at = end
    found.rest = data[at:]
    return found


def _blocks(stream: _Stream) -> list[Size]:
    """How many blocks across and down each component needs for the pixels of the image."""
    most = max(across for across, _ in stream.components), max(down for _, down in stream.components)
    kept = []
    for sampling in stream.components:
        sides = [
            -(-(-(-side * own // whole) + (own < whole)) // 8)
            for side, own, whole in zip(stream.part.used, sampling, most, strict=True)
        ]
        kept.append((sides[0], sides[1]))
    return kept


_kept: list[Size] = []
"""What `_blank` keeps of each component; of the part that is coded at the moment."""


def _blank(coefficients: int, region: turbo.Region, plane: turbo.Region, component: int, *_: object) -> int:
    """Blank the blocks of a row beyond those that are kept. They get the mean of the last one, which costs least."""
    across, down = _kept[component]
    count = region.width // 8
    first = across if region.y // 8 < down else 0
    if first < count:
        ctypes.memset(coefficients + first * _BLOCK, 0, (count - first) * _BLOCK)
        if first:
            for place in range(first, count):
                ctypes.memmove(coefficients + place * _BLOCK, coefficients + (first - 1) * _BLOCK, 2)
    return recode.look(coefficients, region)


_BLANKING = turbo.Filter(_blank)
"""Made with this module, as `recode`'s own is."""
