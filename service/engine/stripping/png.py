"""PNG and APNG without metadata: the chunks that pixels, colour and animation need, each written anew.

Pixels stay as they were compressed. The data are read to their end, so that nothing stands behind it; chunks get
lengths of their own; entries of a palette that no pixel uses are black.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from service.engine.headers import png_colour
from service.engine.headers.png import SIGNATURE, Chunk, animation, in_order
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import Pieces, icc
from service.engine.stripping.png_pixels import PALETTE, Layout, minimal, used

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
STATEMENTS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")
MAX_ICC_CHUNK = 4 * 1024 * 1024
PROFILE_NAME = b"ICC"
PART = 64 * 1024
"""Bytes of a chunk, but for the last, of pixels that are compressed anew: how many there will be is not known."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame of an animation: its fcTL behind the sequence number, and its chunks of data, of either kind."""

    control: bytes
    parts: list[Chunk]

    def layout(self, whole: Layout) -> Layout:
        return whole.sized(int.from_bytes(self.control[:4]), int.from_bytes(self.control[4:8]))


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """The profile is compressed anew, under a name that says nothing."""
    found = [chunk for chunk in in_order(source)[0] if _is_kept(source, chunk)]
    image = [chunk for chunk in found if chunk.kind == b"IDAT"]
    if not image:
        raise Undecodable("The PNG is damaged: there are no pixels in it")
    first = found.index(image[0])
    before = {chunk.kind: chunk for chunk in reversed(found[:first])}
    header = _content(source, before[b"IHDR"])
    layout, frames = Layout.of(header), _frames(source, found) if b"acTL" in before and animation(source) else []
    yield SIGNATURE
    yield _chunk(b"IHDR", header)
    for kind in sorted(before.keys() & {*STATEMENTS, b"iCCP"} - _silenced(source), key=lambda kind: before[kind].start):
        if kind != b"iCCP":
            yield _chunk(kind, _content(source, before[kind]))
        elif keep_icc:
            yield _profile(source, before[kind])
    yield from _palette(source, before, layout, [_Frame(header, image), *frames])
    if frames:
        yield _chunk(b"acTL", len(frames).to_bytes(4) + source.read(before[b"acTL"].start + 4, 4))
    yield from _data(source, layout, image, frames)
    yield _chunk(b"IEND", b"")


def _silenced(source: Source) -> frozenset[bytes]:
    """The chunks that a profile outranks, where it is left out as sRGB's: they must not begin to count."""
    profile = png_colour.profile(source)
    return png_colour.OUTRANKED if profile and not icc.to_keep(profile) else frozenset()


def _data(source: Source, layout: Layout, image: list[Chunk], frames: list[_Frame]) -> Iterator[bytes]:
    """The default image and the frames, with the sequence numbers of the latter."""
    number = 0
    if frames and frames[0].parts == image:
        yield _chunk(b"fcTL", b"\0\0\0\0" + frames[0].control)
        number, frames = 1, frames[1:]
    length, data = minimal(partial(_compressed, source, image), layout)
    for size, parts in _sized(length, data):
        yield from _streamed(b"IDAT", size, parts)
    for frame in frames:
        yield _chunk(b"fcTL", number.to_bytes(4) + frame.control)
        number += 1
        length, data = minimal(partial(_compressed, source, frame.parts), frame.layout(layout))
        for size, parts in _sized(length, data):
            yield from _streamed(b"fdAT", 4 + size, itertools.chain([number.to_bytes(4)], parts))
            number += 1


def _frames(source: Source, found: Sequence[Chunk]) -> list[_Frame]:
    """The frames that have data, as many as acTL says. Raises Undecodable where there are fewer."""
    frames: list[_Frame] = []
    most = 0
    for chunk in found:
        if chunk.kind == b"acTL" and not most:
            most = source.number(chunk.start, 4)
        elif chunk.kind == b"fcTL":
            frames.append(_Frame(source.read(chunk.start + 4, 22), []))
        elif chunk.kind in (b"IDAT", b"fdAT") and frames:
            frames[-1].parts.append(chunk)
    whole = [frame for frame in frames if frame.parts]
    if len(whole) < most:
        raise Undecodable("The PNG is damaged: its animation lacks frames")
    return whole[:most]


def _palette(source: Source, before: dict[bytes, Chunk], layout: Layout, frames: Iterable[_Frame]) -> Iterator[bytes]:
    """PLTE and tRNS: of a palette the entries that are used, of the other kinds the one transparent colour."""
    transparent = _content(source, before[b"tRNS"]) if b"tRNS" in before else b""
    if layout.colour_type != PALETTE:
        samples = {0: 1, 2: 3}.get(layout.colour_type, 0)
        if samples and len(transparent) == 2 * samples:
            most = (1 << layout.depth) - 1
            values = (int.from_bytes(transparent[i : i + 2]) & most for i in range(0, 2 * samples, 2))
            yield _chunk(b"tRNS", b"".join(value.to_bytes(2) for value in values))
        return
    if b"PLTE" not in before:
        raise Undecodable("The PNG is damaged: it has no palette")
    colours = _content(source, before[b"PLTE"])
    indices: set[int] = set()
    for frame in frames:
        compressed = b"".join(_compressed(source, frame.parts))
        indices |= used(compressed, frame.layout(layout), colours)
    count = min(len(colours) // 3, max(indices, default=0) + 1)
    black = b"\0\0\0"
    yield _chunk(b"PLTE", b"".join(colours[3 * i : 3 * i + 3] if i in indices else black for i in range(count)))
    if transparent:
        alpha = bytes(value if i in indices else 255 for i, value in enumerate(transparent[:count]))
        yield _chunk(b"tRNS", alpha.rstrip(b"\xff") or b"\xff")


def _is_kept(source: Source, chunk: Chunk) -> bool:
    """Raises Undecodable for a critical chunk (a capital first letter) that is unknown, of a wrong size or damaged."""
    critical = chunk.kind[:1].isupper()
    if chunk.kind == b"iCCP":
        return True
    least, most = KEPT.get(chunk.kind, (1, 0))
    if not least <= chunk.end - chunk.start <= most:
        if critical:
            raise Undecodable("The PNG is damaged: it has a critical chunk that is in no standard")
        return False
    if not critical and chunk.kind not in STATEMENTS:
        return True
    crc = zlib.crc32(chunk.kind)
    for part in source.part(chunk.start, chunk.end - chunk.start).chunks():
        crc = zlib.crc32(part, crc)
    if crc == source.number(chunk.end, 4):
        return True
    if critical:
        raise Undecodable(f"The PNG is damaged: the checksum of {chunk.kind.decode()} is wrong")
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


def _compressed(source: Source, parts: Iterable[Chunk]) -> Iterator[bytes]:
    """The data of IDAT, or of fdAT behind its sequence number."""
    for part in parts:
        skipped = 4 if part.kind == b"fdAT" else 0
        yield from source.part(part.start + skipped, part.end - part.start - skipped).chunks()


def _sized(length: int | None, data: Iterator[bytes]) -> Iterator[tuple[int, Iterable[bytes]]]:
    """The contents of the chunks that hold the data, each with its length: one where that is known, since each chunk
    takes 12 bytes of its own, and most encoders write one."""
    if length is not None and length <= LARGEST - 4:
        yield length, data
        return
    held = b""
    for piece in data:
        held += piece
        while len(held) > PART:
            yield PART, (held[:PART],)
            held = held[PART:]
    yield len(held), (held,)


def _content(source: Source, chunk: Chunk) -> bytes:
    return source.read(chunk.start, chunk.end - chunk.start)


def _streamed(kind: bytes, length: int, parts: Iterable[bytes]) -> Iterator[bytes]:
    """A chunk whose content is never whole in memory."""
    yield length.to_bytes(4) + kind
    checksum = zlib.crc32(kind)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
        yield part
    yield checksum.to_bytes(4)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
