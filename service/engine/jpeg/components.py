"""JPEGs of samplings that TurboJPEG does not know, such as 4:1:0, coded anew without loss: each component by itself.

A component alone is a gray JPEG, of which any sampling is the same; libjpeg-turbo codes it anew. What it writes for
each is put together again, as scans of one component each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from service.engine.headers.jpeg import APP0, APP14, EOI, SOS, segments
from service.engine.headers.source import Source
from service.engine.jpeg.interleaved import DC_LENGTHS, DC_SYMBOLS, Component, Scan, Table
from service.engine.jpeg.parts import DHT, DQT, DRI, SOF0, SOF1, segment
from service.engine.stripping import NotCopied

_PROGRESSIVE = 0xC2
_FRAMES = (SOF0, SOF1, _PROGRESSIVE)
_OTHERS = {*range(0xC3, 0xD0), 0xDC} - {DHT, 0xC8}
_START, _END = b"\xff\xd8", b"\xff\xd9"
_RGB = [*b"RGB"]


@dataclass(slots=True)
class _Plane:
    """A component of the frame, its size in samples, and the segments of the gray JPEG that is made of it."""

    identity: int
    across: int
    down: int
    table: int
    size: tuple[int, int] = (0, 0)
    parts: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class Apart:
    """What has been read: the frame and its planes, the tables in force, and what tells its colours."""

    frame: bytes = b""
    is_progressive: bool = False
    planes: list[_Plane] = field(default_factory=list)
    tables: dict[int, Table] = field(default_factory=dict)
    quantisation: list[bytes] = field(default_factory=list)
    restart: int = 0
    density: bytes = b""
    transform: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        return int.from_bytes(self.frame[3:5]), int.from_bytes(self.frame[1:3])

    @property
    def most(self) -> tuple[int, int]:
        return max(plane.across for plane in self.planes), max(plane.down for plane in self.planes)


def taken_apart(source: Source) -> Apart:
    """The components of the JPEG in `source`. Raises NotCopied for a kind that is not taken apart, and Undecodable."""
    read = Apart()
    for each in segments(source):
        content = source.read(each.start, each.end - each.start)
        if each.marker == SOS:
            _add_scan(read, content, source.read(each.end, each.data_end - each.end))
        else:
            _note(read, each.marker, content)
    return read


def put_together(read: Apart, recode: Callable[..., bytes], *, progressive: bool) -> bytes:
    """The JPEG, each component coded anew by `recode`, without metadata; empty where `recode` cannot code one."""
    made = [recode(_START + b"".join(plane.parts) + _END, progressive=progressive) for plane in read.planes]
    return _together(read, made) if made and all(made) else b""


def _note(read: Apart, marker: int, content: bytes) -> None:
    """Heed a segment that is no scan."""
    if marker in _FRAMES:
        _begin(read, marker, content)
    elif marker == DHT:
        read.tables.update(huffman(content))
    elif marker == DQT:
        read.quantisation.append(content)
        for plane in read.planes:
            plane.parts.append(segment(DQT, content))
    elif marker == DRI:
        read.restart = int.from_bytes(content[:2])
    elif marker == APP0 and content.startswith(b"JFIF\0") and len(content) >= 12:
        read.density = content[7:12]
    elif marker == APP14 and content.startswith(b"Adobe") and len(content) >= 12:
        read.transform = content[11]
    elif marker in _OTHERS:
        raise NotCopied("it is arithmetic or lossless, or its height comes last")


def _begin(read: Apart, marker: int, content: bytes) -> None:
    """Heed the frame header."""
    if read.planes or content[5] not in (3, 4) or not int.from_bytes(content[1:3]):
        raise NotCopied("it has a component or two, more than four, or no height")
    read.frame, read.is_progressive = content, marker == _PROGRESSIVE
    for at in range(6, 6 + 3 * content[5], 3):
        read.planes.append(_Plane(content[at], content[at + 1] >> 4, content[at + 1] & 15, content[at + 2]))
    if not all(plane.across and plane.down for plane in read.planes):
        raise NotCopied("a component has no samples")
    for plane in read.planes:
        sampling = (plane.across, plane.down)
        plane.size = tuple(-(-a * b // c) for a, b, c in zip(read.size, sampling, read.most, strict=True))  # type: ignore[assignment]
        plane.parts += [segment(DQT, table) for table in read.quantisation]
        sides = plane.size[1].to_bytes(2) + plane.size[0].to_bytes(2)
        plane.parts.append(segment(marker, content[:1] + sides + bytes((1, 1, 0x11, plane.table))))


def _add_scan(read: Apart, head: bytes, data: bytes) -> None:
    """Give each of the planes of a scan its part of it."""
    count = head[0] if head else 0
    if not (1 <= count <= 4 and len(head) == 4 + 2 * count and read.planes):
        raise NotCopied("a scan is malformed")
    identities = [plane.identity for plane in read.planes]
    if not set(head[1 : 1 + 2 * count : 2]) <= set(identities):
        raise NotCopied("a scan is of components that are not there")
    planes = [read.planes[identities.index(identity)] for identity in head[1 : 1 + 2 * count : 2]]
    selectors, spectrum = head[2 : 2 + 2 * count : 2], head[-3:]
    if count == 1:
        tables = [_table(key, table) for key, table in read.tables.items() if key in _used(selectors[0], spectrum)]
        planes[0].parts += [*tables, segment(DRI, read.restart.to_bytes(2)), _start(selectors[0], spectrum), data]
        return
    scan = _interleaved(read, planes, selectors, spectrum)
    for plane, selector, part in zip(planes, selectors, scan.apart(data), strict=True):
        own = [_table(selector >> 4, Table(DC_LENGTHS, DC_SYMBOLS))]
        if scan.has_ac:
            own.append(_table(16 | selector & 15, read.tables[16 | selector & 15]))
        plane.parts += [*own, segment(DRI, b"\0\0"), _start(selector, spectrum), part]


def _interleaved(read: Apart, planes: Sequence[_Plane], selectors: bytes, spectrum: bytes) -> Scan:
    first, last, high = spectrum[0], spectrum[1], spectrum[2] >> 4
    if first or (last if read.is_progressive else last != 63 or spectrum[2]):
        raise NotCopied("a scan of several components has a spectrum that none may have")
    components = []
    for plane, selector in zip(planes, selectors, strict=True):
        dc, ac = read.tables.get(selector >> 4), read.tables.get(16 | selector & 15)
        if (dc is None and not high) or (ac is None and last):
            raise NotCopied("a table is missing")
        columns, rows = (-(-side // 8) for side in plane.size)
        components.append(
            Component(plane.across, plane.down, columns, rows, None if high else dc, ac if last else None)
        )
    units = [-(-side // (8 * most)) for side, most in zip(read.size, read.most, strict=True)]
    return Scan(components, (units[0], units[1]), read.restart, has_ac=last > 0, refines=high > 0)


def _used(selector: int, spectrum: bytes) -> set[int]:
    """The tables that a scan of one component may use, as `Apart.tables` counts them."""
    return ({selector >> 4} if not spectrum[0] else set()) | ({16 | selector & 15} if spectrum[1] else set())


def _together(read: Apart, made: Sequence[bytes]) -> bytes:
    """The scans of all planes in one file."""
    frames, quantisation, scans = set[int](), list[bytes](), list[bytes]()
    for number, data in enumerate(made):
        for marker, content, coded in _segments(data):
            if marker == DQT:
                quantisation.append(segment(DQT, bytes((content[0] & 0xF0 | number,)) + content[1:]))
            elif marker in _FRAMES:
                frames.add(marker)
            elif marker == DHT:
                scans.append(segment(DHT, content))
            elif marker == SOS:
                scans += [segment(SOS, bytes((1, number + 1)) + content[2:]), coded]
    components = b"".join(
        bytes((number + 1, plane.across << 4 | plane.down, number)) for number, plane in enumerate(read.planes)
    )
    frame = segment(max(frames), read.frame[:6] + components)
    return b"".join([_START, _colours(read), *quantisation, frame, *scans, _END])


def _colours(read: Apart) -> bytes:
    """The segment that tells the colours, as libjpeg reads and writes it: JFIF for YCbCr, Adobe's for all others."""
    identities = [plane.identity for plane in read.planes]
    told = read.transform is not None
    if len(identities) == 3 and (read.density or (read.transform != 0 if told else identities != _RGB)):
        return segment(APP0, b"JFIF\0\1\1" + (read.density or b"\0\0\1\0\1") + b"\0\0")
    if len(identities) == 4 and not told:
        return b""
    return segment(APP14, b"Adobe\0\x64\0\0\0\0" + bytes((read.transform or 0,)))


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, content and coded data of each segment of what libjpeg wrote, which has no restarts."""
    at = 2
    while data[at + 1] != EOI:
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        following = end
        while marker == SOS and not (data[following] == 0xFF and data[following + 1]):
            following = data.index(b"\xff", following + (data[following] == 0xFF))
        yield marker, data[at + 4 : end], data[end:following]
        at = following


def huffman(content: bytes) -> Iterator[tuple[int, Table]]:
    """The tables of a DHT segment by their class, 0 or 16, and number."""
    at = 0
    while at < len(content):
        lengths = content[at + 1 : at + 17]
        end = at + 17 + sum(lengths)
        if len(lengths) < 16 or end > len(content):
            raise NotCopied("a Huffman table is cut")
        yield content[at], Table(lengths, content[at + 17 : end])
        at = end


def _table(number: int, table: Table) -> bytes:
    return segment(DHT, bytes((number,)) + table.lengths + table.symbols)


def _start(selector: int, spectrum: bytes) -> bytes:
    return segment(SOS, bytes((1, 1, selector)) + spectrum)
