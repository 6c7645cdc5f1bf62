"""PNG: a chain of chunks (PNG specification, third edition). An APNG has frames; a default image that is not shown with
them is none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from service.engine.headers import exif
from service.engine.headers.source import Cut, Source
from service.engine.job import Header, Undecodable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 50_000  # 100 MB in the smallest IDAT that encoders write, 8 KiB, are 12 000
OVERHEAD = 12  # length, kind and CRC around the content

_BIT_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # by colour type
_COLOUR_TYPES_WITH_ALPHA = (4, 6)
GRAY = (0, 4)
"""Colour types, as `geometry` gives them."""


class Animation(NamedTuple):
    """How many frames an APNG has, how often it runs (0 for ever), whether its default image is none of them, and
    whether its first frame covers it."""

    frames: int
    plays: int
    is_default_hidden: bool
    is_covered: bool


class Chunk(NamedTuple):
    """A chunk's four-letter kind and its content, the bytes `start`..`end`; the CRC follows."""

    kind: bytes
    start: int
    end: int


def begins(head: bytes, _: Source) -> bool:
    return head.startswith(SIGNATURE)


def header(source: Source) -> Header:
    width, height, colour_type = geometry(source)
    alpha, orientation, described = colour_type in _COLOUR_TYPES_WITH_ALPHA, 1, None
    moving = animation(source)
    alpha |= moving is not None and not moving.is_covered
    try:
        for chunk in chunks(source):
            if chunk.kind == b"tRNS":
                alpha = True
            if chunk.kind == b"eXIf":
                described = chunk
    except Cut:
        pass  # cut somewhere behind the header, which is `missing`'s to say
    if described:  # the last, and no other: there may be as many as chunks
        orientation = exif.orientation(source.part(described.start, described.end - described.start)) or 1
    frames = moving.frames if moving else 1
    return Header("png", width, height, frames=frames, alpha=alpha, orientation=orientation)


def animation(source: Source) -> Animation | None:
    """What the PNG is as an animation; None for a still image. A broken chain counts as far as it goes."""
    control, shown, first = b"", False, b""
    try:
        for chunk in chunks(source):
            if chunk.kind == b"acTL":
                control = source.read(chunk.start, 8)
            elif chunk.kind == b"fcTL":
                first = first or source.read(chunk.start, 26)
            elif chunk.kind in (b"IDAT", b"fdAT"):
                if not control:  # it comes before, or is none
                    return None
                shown |= chunk.kind == b"IDAT" and bool(first)
                if first:
                    break
    except Undecodable:
        pass
    frames = int.from_bytes(control[:4])
    if not (0 < frames < 1 << 31 and first):  # no other number is valid (7.1, 11.3.6.1)
        return None
    width, height, _ = geometry(source)
    covered = first[4:20] == width.to_bytes(4) + height.to_bytes(4) + bytes(8)
    return Animation(frames, int.from_bytes(control[4:]), not shown, covered)


def delay(control: bytes) -> int:
    """Milliseconds that a frame is shown by its fcTL chunk; a denominator of 0 stands for 100 (11.3.6.2)."""
    return round(1000 * int.from_bytes(control[20:22]) / (int.from_bytes(control[22:24]) or 100))


def described(source: Source) -> bytes | None:
    """The last EXIF block, with the prefix that JPEG has; None where there is none."""
    found = [chunk for chunk in chunks(source) if chunk.kind == b"eXIf"][-1:]
    return b"".join(b"Exif\0\0" + source.read(one.start, one.end - one.start) for one in found) or None


def delays(source: Source) -> list[int]:
    """The delay of each frame in milliseconds; none for a still image."""
    if animation(source) is None:
        return []
    return [delay(source.read(chunk.start, 26)) for chunk in in_order(source)[0] if chunk.kind == b"fcTL"]


def geometry(source: Source) -> tuple[int, int, int]:
    """Width, height and colour type. Raises Undecodable."""
    start = source.read(len(SIGNATURE), 8 + 13)
    if start[:8] != b"\0\0\0\rIHDR":
        raise Undecodable("The PNG is damaged: it does not begin with its header")
    width, height = int.from_bytes(start[8:12]), int.from_bytes(start[12:16])
    depth, colour_type = start[16], start[17]
    if depth not in _BIT_DEPTHS.get(colour_type, ()):
        raise Undecodable(f"The PNG is damaged: {depth} bits with colour type {colour_type}")
    return width, height, colour_type


def missing(source: Source) -> str | None:
    moving = animation(source)
    try:
        if moving and sum(chunk.kind == b"fcTL" for chunk in chunks(source)) < moving.frames:
            return "the PNG ends before its last frame"
        return None if any(chunk.kind == b"IEND" for chunk in chunks(source)) else "the PNG has no end chunk"
    except Undecodable:
        return "the PNG ends inside a chunk"


def in_order(source: Source) -> tuple[list[Chunk], bool]:
    """Every chunk, with the parts of an animation behind its default image in the order of their sequence numbers, and
    whether they have another one in the file.

    The numbers are there to find errors in the sequence and to correct them (11.3.6). Where one is missing or doubled,
    or the data of a frame would not begin like a zlib stream, they are wrong themselves. Raises Undecodable.
    """
    found = list(chunks(source))
    image = next((place for place, chunk in enumerate(found) if chunk.kind == b"IDAT"), len(found))
    places = [place for place in range(image, len(found)) if found[place].kind in (b"fcTL", b"fdAT")]
    numbers = [source.number(found[place].start, 4) for place in places]
    ordered = sorted(numbers)
    if numbers == ordered or ordered != list(range(ordered[0], ordered[0] + len(ordered))):
        return found, False
    parts = sorted((found[place] for place in places), key=lambda chunk: source.number(chunk.start, 4))
    firsts = (part for before, part in pairwise(parts) if before.kind == b"fcTL" and part.kind == b"fdAT")
    if not all(_begins_stream(source.number(part.start + 4, 2)) for part in firsts):
        return found, False
    for place, part in zip(places, parts, strict=True):
        found[place] = part
    return found, True


def _begins_stream(head: int) -> bool:
    """Whether the first two bytes are those of a zlib stream (RFC 1950, 2.2)."""
    return head >> 8 & 15 == 8 and head % 31 == 0


def chunks(source: Source) -> Iterator[Chunk]:
    """Every chunk, IEND included and last. Raises Undecodable."""
    offset = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        start = source.read(offset, 8)
        length, kind = int.from_bytes(start[:4]), start[4:]
        if not kind.isalpha():
            raise Undecodable("The PNG is damaged: a chunk has no name")
        if offset + OVERHEAD + length > source.size:
            raise Cut("The PNG is damaged: the file ends inside a chunk")
        yield Chunk(kind, offset + 8, offset + 8 + length)
        if kind == b"IEND":
            return
        offset += OVERHEAD + length
    raise Undecodable(f"The PNG is damaged: it has more than {MAX_CHUNKS} chunks")
