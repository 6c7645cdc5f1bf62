"""WebP without metadata: image, alpha and animation chunks, and VP8X flags that say what is still there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.engine.headers.source import Source
from service.engine.headers.webp import (
    ALPHA_FLAG,
    ANIMATION_FLAG,
    ICC_FLAG,
    Chunk,
    chunks,
    chunks_between,
    riff_end,
)
from service.engine.job import Undecodable
from service.engine.stripping import Piece, Pieces, icc
from service.engine.stripping.webp_pixels import minimal, size_of

BITSTREAMS = (b"VP8 ", b"VP8L")
PICTURE = (b"ALPH", *BITSTREAMS)
FRAME_HEADER = 16  # place, size, duration and flags of a frame, before its chunks


def pieces(source: Source, keep_icc: bool) -> Pieces:
    end = riff_end(source)
    if end > source.size:
        raise Undecodable("The WebP is damaged: the file ends too soon")
    all_chunks = list(chunks(source))
    if any(chunk.end > end for chunk in all_chunks):
        raise Undecodable("The WebP is damaged: a chunk is longer than the image")
    first = next(iter(all_chunks), None)
    if first is not None and first.kind == b"VP8X":
        body = _extended(source, all_chunks, keep_icc)
    else:
        body = _picture(source, [chunk for chunk in all_chunks[:1] if chunk.kind in BITSTREAMS])
    yield b"RIFF" + (4 + _size(body)).to_bytes(4, "little") + b"WEBP"
    yield from body


def _extended(source: Source, all_chunks: Sequence[Chunk], keep_icc: bool) -> list[Piece]:
    """VP8X, the profile, then the still picture or the animation."""
    extended = source.read(all_chunks[0].start, 10)
    animated = extended[0] & ANIMATION_FLAG
    kept = _kept_profile(source, all_chunks) if keep_icc else b""
    flags = extended[0] & (ALPHA_FLAG | ANIMATION_FLAG) | (ICC_FLAG if kept else 0)
    body: list[Piece] = [_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + extended[4:])]
    if kept:
        body.append(_chunk(b"ICCP", kept))
    if not animated:
        return body + _picture(source, [chunk for chunk in all_chunks if chunk.kind in PICTURE], extended[4:])
    for chunk in all_chunks:
        if chunk.kind == b"ANIM":
            body.append(_chunk(b"ANIM", source.read(chunk.start, 6)))
        if chunk.kind == b"ANMF":
            body += _frame(source, chunk)
    return body


def _frame(source: Source, chunk: Chunk) -> list[Piece]:
    frame = source.part(chunk.start, chunk.end - chunk.start)
    inside = [part for part in chunks_between(frame, FRAME_HEADER, frame.size) if part.kind in PICTURE]
    if any(part.end > frame.size for part in inside):
        raise Undecodable("The WebP is damaged: a chunk is longer than its frame")
    header = frame.read(0, FRAME_HEADER)
    picture = _picture(frame, inside, header[6:12])
    size = FRAME_HEADER + _size(picture)
    return [b"ANMF" + size.to_bytes(4, "little") + header[:15] + bytes([header[15] & 3]), *picture]


def _picture(source: Source, parts: Sequence[Chunk], sides: bytes = b"") -> list[Piece]:
    """At most one alpha chunk, and one bitstream, whose end is the end of the picture.

    `sides` are the width and the height that the container states, each less one, in three bytes. Raises Undecodable
    where the bitstream states others, as decoders refuse it.
    """
    alpha = [part for part in parts if part.kind == b"ALPH"][:1]
    bitstream = [part for part in parts if part.kind in BITSTREAMS][:1]
    if not bitstream:
        raise Undecodable("The WebP is damaged: there are no pixels in it")
    part = bitstream[0]
    contents = [source.read(one.start, one.end - one.start) for one in (*alpha, part)]
    stated = tuple(1 + int.from_bytes(sides[at : at + 3], "little") for at in (0, 3))
    if sides and stated != size_of(part.kind, contents[-1]):
        raise Undecodable("The WebP is damaged: its picture has another size than it says")
    transparency, coded = minimal(contents[0] if alpha else b"", part.kind, contents[-1])
    picture: list[Piece] = [_chunk(b"ALPH", transparency)] if transparency else []
    return [*picture, _chunk(part.kind, coded)]


def profile(source: Source) -> bytes:
    """The ICC profile; nothing where there is none. Raises Undecodable, also for one that is too long to be read."""
    chunk = _profile(chunks(source))
    if chunk is None:
        return b""
    if chunk.end - chunk.start > icc.MAX_PROFILE:
        raise Undecodable(f"The WebP has a profile of more than {icc.MAX_PROFILE} bytes")
    return source.read(chunk.start, chunk.end - chunk.start)


def _kept_profile(source: Source, all_chunks: Sequence[Chunk]) -> bytes:
    chunk = _profile(all_chunks)
    if chunk is None or chunk.end - chunk.start > icc.MAX_PROFILE:
        return b""
    return icc.to_keep(source.read(chunk.start, chunk.end - chunk.start))


def _profile(all_chunks: Iterable[Chunk]) -> Chunk | None:
    return next((chunk for chunk in all_chunks if chunk.kind == b"ICCP"), None)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def _size(body: Sequence[Piece]) -> int:
    return sum(piece.size if isinstance(piece, Source) else len(piece) for piece in body)
