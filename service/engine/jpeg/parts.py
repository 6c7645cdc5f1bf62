"""A JPEG as the segments that it is made of, to be put together anew; and a JPEG of one unit with the same headers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from service.engine.headers.jpeg import APP0, APP14, EOI, SOS, segments
from service.engine.headers.source import Source

SOF0, SOF1, DHT, DQT, DRI = 0xC0, 0xC1, 0xC4, 0xDB, 0xDD
HEADS = (APP0, APP14, DQT)

_ONE_CODE = bytes((1, *bytes(15), 0))
"""A Huffman table with one code, of one bit, which is 0: of DC for the same as before, of AC for the end of a block."""


class Part(NamedTuple):
    """A segment with its marker and length, and the entropy-coded data behind it."""

    marker: int
    head: bytes
    coded: bytes = b""


def parts(source: Source, wanted: Collection[int]) -> Iterator[Part]:
    """The segments of these markers, but for the end of the image. Raises Undecodable."""
    for each in segments(source):
        if each.marker in wanted and each.marker != EOI:
            data = source.read(each.start - 4, each.data_end - each.start + 4)
            size = each.end - each.start + 4
            yield Part(each.marker, data[:size], data[size:]) if each.marker == SOS else Part(each.marker, data)


def joined(found: Iterable[Part]) -> bytes:
    return b"".join([b"\xff\xd8", *(data for part in found for data in (part.head, part.coded)), bytes((0xFF, EOI))])


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


class Frame(NamedTuple):
    """What a frame header says: samples in a line, lines, and the sampling of each component, across and down."""

    width: int
    height: int
    samplings: tuple[tuple[int, int], ...]
    identities: bytes

    @property
    def unit(self) -> tuple[int, int]:
        """Width and height of a unit (ITU-T T.81, A.2) in samples."""
        return 8 * max(across for across, _ in self.samplings), 8 * max(down for _, down in self.samplings)


def frame(head: bytes) -> Frame | None:
    """The frame header in the segment `head`; None where it is malformed."""
    content = head[4:]
    if len(content) < 6 or len(content) != 6 + 3 * content[5] or not content[5]:
        return None
    samplings = tuple((byte >> 4, byte & 15) for byte in content[7::3])
    if not all(across and down for across, down in samplings):
        return None
    return Frame(int.from_bytes(content[3:5]), int.from_bytes(content[1:3]), samplings, content[6::3])


def of_size(head: bytes, width: int, height: int) -> bytes:
    """The frame header in the segment `head`, of another size."""
    return head[:5] + height.to_bytes(2) + width.to_bytes(2) + head[9:]


def one_unit(found: Iterable[Part], recode: Callable[..., bytes]) -> bytes:
    """A sequential JPEG of one unit, gray, as `recode` writes it: with the headers that it would write for the JPEG of
    the parts `found`, but for the size. Empty where `recode` does not take such a kind."""
    made, said = [], None
    for part in found:
        if part.marker in HEADS:
            made.append(part)
        elif part.marker in (SOF0, SOF1):
            said = frame(part.head)
            if said is None:
                return b""
            made.append(Part(part.marker, of_size(part.head, *said.unit)))
    if said is None:
        return b""
    bits = 2 * sum(across * down for across, down in said.samplings)
    coded = ((1 << -bits % 8) - 1).to_bytes(-(-bits // 8))  # ones fill the last byte up
    chosen = b"".join(bytes((identity, 0)) for identity in said.identities)
    tables = segment(DHT, b"\x00" + _ONE_CODE + b"\x10" + _ONE_CODE)
    scan = segment(SOS, bytes((len(chosen) // 2,)) + chosen + b"\0\x3f\0")
    return recode(joined([*made, Part(DHT, tables), Part(SOS, scan, coded)]), progressive=False, strict=True)
