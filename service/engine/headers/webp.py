"""Headers of WebP: a RIFF container (RFC 9649) of one VP8 or VP8L image, or of an animation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from service.engine.headers import exif
from service.engine.headers.source import Source
from service.engine.job import Header, Undecodable

MORE_CHUNKS = 10_000  # than frames
RIFF_HEADER = 12  # RIFF, size, WEBP
ANIMATION_FLAG, ALPHA_FLAG, ICC_FLAG = 0x02, 0x10, 0x20


class Chunk(NamedTuple):
    """A chunk's four-letter kind and its content, the bytes `start`..`end`; an odd length is padded by one byte."""

    kind: bytes
    start: int
    end: int

    def content(self, source: Source, count: int) -> bytes:
        """The first `count` bytes of the content. Raises Cut where it has fewer."""
        return source.part(self.start, self.end - self.start).read(0, count)


def begins(head: bytes, _: Source) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def header(source: Source) -> Header:
    first = next(chunks(source), None)
    if first is None or first.kind not in _SIZES:
        raise Undecodable("The WebP is damaged: it does not begin with an image")
    width, height, alpha = _SIZES[first.kind](source, first)
    if first.kind != b"VP8X":
        return Header("webp", width, height, alpha=alpha)
    animated = bool(source.number(first.start, 1) & ANIMATION_FLAG)
    frames, orientation, images, described = 0, 1, 0, None
    for chunk in chunks(source):
        frames += chunk.kind == b"ANMF"
        if frames > source.most_frames:
            break
        images += chunk.kind in (b"VP8 ", b"VP8L")
        if chunk.kind == b"EXIF":
            described = chunk
    if described:  # the last, and no other: there may be as many as chunks
        orientation = exif.orientation(source.part(described.start, described.end - described.start)) or 1
    if not (frames if animated else images):
        raise Undecodable("The WebP is damaged: there is no image in it")
    return Header("webp", width, height, frames=frames if animated else 1, alpha=alpha, orientation=orientation)


def delays(source: Source) -> list[int]:
    """The delay of each frame in milliseconds."""
    return [source.number(chunk.start + 12, 3, little=True) for chunk in chunks(source) if chunk.kind == b"ANMF"]


def missing(source: Source) -> str | None:
    return "the WebP is shorter than it says" if riff_end(source) > source.size else None


def riff_end(source: Source) -> int:
    """Where the image ends by the length that its header states."""
    return 8 + source.number(4, 4, little=True)


def chunks(source: Source) -> Iterator[Chunk]:
    """Every chunk of the file; the last one may be cut by its end. Raises Undecodable."""
    yield from chunks_between(source, RIFF_HEADER, min(source.size, riff_end(source)))


def chunks_between(source: Source, offset: int, limit: int) -> Iterator[Chunk]:
    """The chunks from `offset` to `limit`; the last one may reach beyond."""
    most = source.most_frames + MORE_CHUNKS
    for _ in range(most):
        if offset + 8 > limit:
            return
        start = source.read(offset, 8)
        length = int.from_bytes(start[4:], "little")
        yield Chunk(start[:4], offset + 8, offset + 8 + length)
        offset += 8 + length + length % 2
    raise Undecodable(f"The WebP is damaged: it has more than {most} chunks")


def _extended(source: Source, chunk: Chunk) -> tuple[int, int, bool]:
    content = chunk.content(source, 10)
    width, height = 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")
    return width, height, bool(content[0] & ALPHA_FLAG)


def _lossless(source: Source, chunk: Chunk) -> tuple[int, int, bool]:
    content = chunk.content(source, 5)
    bits = int.from_bytes(content[1:], "little")
    if content[0] != 0x2F or bits >> 29:
        raise Undecodable("The WebP is damaged: its lossless image has no signature")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1)


def _lossy(source: Source, chunk: Chunk) -> tuple[int, int, bool]:
    content = chunk.content(source, 10)
    if content[0] & 1 or content[3:6] != b"\x9d\x01\x2a":  # RFC 6386, 9.1: a key frame
        raise Undecodable("The WebP is damaged: its image does not begin with a key frame")
    return int.from_bytes(content[6:8], "little") & 0x3FFF, int.from_bytes(content[8:], "little") & 0x3FFF, False


_SIZES = {b"VP8X": _extended, b"VP8L": _lossless, b"VP8 ": _lossy}
