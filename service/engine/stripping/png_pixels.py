"""The compressed pixels of a PNG: proved to be those of the image and nothing more, or compressed anew."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import add

from PIL import Image as Pillow

from service.engine.headers.png import SIGNATURE
from service.engine.job import Undecodable

PALETTE = 3  # the colour type
BLOCK = 256 * 1024
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: left, top, and the distance of columns and of rows (PNG specification, 8.1)."""

_LOW = bytes(range(256)) * 2  # the low byte of a sum of two


@dataclass(frozen=True, slots=True)
class Layout:
    """How pixels lie in the data of a PNG: its IHDR."""

    width: int
    height: int
    depth: int
    colour_type: int
    interlaced: bool

    @staticmethod
    def of(header: bytes) -> Layout:
        width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", header)
        if colour_type not in _SAMPLES or interlace > 1 or not width or not height:
            raise Undecodable("The PNG is damaged: its header is malformed")
        return Layout(width, height, depth, colour_type, bool(interlace))

    def sized(self, width: int, height: int) -> Layout:
        return replace(self, width=width, height=height)

    def header(self) -> bytes:
        return struct.pack(">IIBBBBB", self.width, self.height, self.depth, self.colour_type, 0, 0, self.interlaced)

    def passes(self) -> Iterator[tuple[int, int]]:
        """Bits of a row, and rows, of each pass that has pixels."""
        for left, top, across, down in _PASSES if self.interlaced else ((0, 0, 1, 1),):
            columns, rows = -(-(self.width - left) // across), -(-(self.height - top) // down)
            if columns > 0 and rows > 0:
                yield columns * self.depth * _SAMPLES[self.colour_type], rows

    def size(self) -> int:
        """Bytes of all rows, each with its filter before it."""
        return sum(rows * (1 + -(-bits // 8)) for bits, rows in self.passes())


def minimal(data: Callable[[], Iterable[bytes]], layout: Layout) -> tuple[int | None, Iterator[bytes]]:
    """The zlib stream that `data` gives each time that it is called, without what is not of the image; its length where
    it is known.

    It stays as it is up to its end, where it holds the bytes of the image alone, and the bits behind the last pixel of
    each row are zero. Else it is compressed anew. Raises Undecodable where it is damaged or too short.
    """
    length, exact = _measured(data(), layout.size())
    padded = layout.depth < 8 and any(bits % 8 for bits, _ in layout.passes())
    if not exact or (padded and not _is_zero_behind_rows(data(), layout)):
        return None, _compressed_anew(data(), layout, padded)
    return length, _beginning(data(), length)


def _beginning(parts: Iterable[bytes], length: int) -> Iterator[bytes]:
    for part in parts:
        yield part[:length]
        length -= len(part)
        if length <= 0:
            return


def used(compressed: bytes, layout: Layout, colours: bytes) -> set[int]:
    """The entries of a palette that pixels use."""
    chunks = ((b"IHDR", layout.header()), (b"PLTE", colours[:768]), (b"IDAT", compressed), (b"IEND", b""))
    parts = (len(one).to_bytes(4) + kind + one + zlib.crc32(kind + one).to_bytes(4) for kind, one in chunks)
    try:
        with Pillow.open(io.BytesIO(SIGNATURE + b"".join(parts)), formats=("PNG",)) as image:
            return {index for index, count in enumerate(image.histogram()) if count}
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise Undecodable("The PNG is damaged: its pixels cannot be read") from error


def _measured(data: Iterable[bytes], size: int) -> tuple[int, bool]:
    """The length of the zlib stream, and whether it ends with the `size` bytes of the image."""
    length, count, stream = 0, 0, zlib.decompressobj()
    for part in data:
        length += len(part)
        for block in _inflated(stream, part):
            count += len(block)
            if count > size:
                return length, False
        if stream.eof:
            break
    if count < size or not stream.eof:
        if count < size:
            raise Undecodable("The PNG is damaged: its pixels are not all there")
        return length, False
    return length - len(stream.unused_data), True


def _inflated(stream: zlib._Decompress, part: bytes) -> Iterator[bytes]:
    try:
        block = bytes(BLOCK)
        while part or len(block) == BLOCK:  # a full block may have more behind it
            block = stream.decompress(part, BLOCK)
            part = stream.unconsumed_tail
            yield block
    except zlib.error as error:
        raise Undecodable("The PNG is damaged: its compressed data are broken") from error


def _rows(data: Iterable[bytes], layout: Layout) -> Iterator[tuple[bytes, int]]:
    """Every row with its filter, as it is in the file, and its bits; an empty one stands before each pass."""
    held, stream, parts = b"", zlib.decompressobj(), iter(data)
    blocks = (block for part in parts if not stream.eof for block in _inflated(stream, part))
    for bits, rows in layout.passes():
        yield b"", bits
        length = 1 + -(-bits // 8)
        for _ in range(rows):
            while len(held) < length:
                held += next(blocks)
            yield held[:length], bits
            held = held[length:]


def _unfiltered(data: Iterable[bytes], layout: Layout) -> Iterator[tuple[bytes, int]]:
    """The rows of an image of at most one byte a pixel (PNG specification, 9.2), and how many bits of each count."""
    before = b""
    for row, bits in _rows(data, layout):
        if not row:
            before = bytes(-(-bits // 8))
            continue
        before = _unfilter(row[0], row[1:], before)
        yield before, bits


def _unfilter(kind: int, row: bytes, above: bytes) -> bytes:
    if kind == 0:
        return row
    if kind == 1:
        return bytes(total & 255 for total in accumulate(row))
    if kind == 2:
        return bytes(map(_LOW.__getitem__, map(add, row, above)))
    values, left, corner = bytearray(len(row)), 0, 0
    for i, (value, up) in enumerate(zip(row, above, strict=True)):
        left = (value + ((left + up) // 2 if kind == 3 else _paeth(left, up, corner))) & 255
        values[i], corner = left, up
    return bytes(values)


def _paeth(left: int, up: int, corner: int) -> int:
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


def _is_zero_behind_rows(data: Iterable[bytes], layout: Layout) -> bool:
    return not any(bits % 8 and row[-1] & 0xFF >> bits % 8 for row, bits in _unfiltered(data, layout))


def _compressed_anew(data: Iterable[bytes], layout: Layout, padded: bool) -> Iterator[bytes]:
    """The rows of the image as they are, or without filters and with zeros behind their last pixels."""
    stream = zlib.compressobj(9)
    if not padded:
        for row, _ in _rows(data, layout):
            yield stream.compress(row)
    else:
        for values, bits in _unfiltered(data, layout):
            last = values[-1] & ~(0xFF >> bits % 8 if bits % 8 else 0)
            yield stream.compress(b"\0" + values[:-1] + bytes([last]))
    yield stream.flush()
