"""Flaws of WebP: a wrong length in the RIFF header, missing padding, and a cut after the image (RFC 9649)."""

from __future__ import annotations

from service.engine.flaws import Mended
from service.engine.headers.source import Source
from service.engine.headers.webp import ANIMATION_FLAG, RIFF_HEADER, Chunk, chunks_between, riff_end
from service.engine.job import Undecodable
from service.engine.stripping import Piece

_IMAGE = (b"VP8 ", b"VP8L", b"ANMF")
_NEEDED = {*_IMAGE, b"VP8X", b"ANIM", b"ALPH"}
_KNOWN = {*_NEEDED, b"ICCP", b"EXIF", b"XMP "}
_BEHIND = (b"EXIF", b"XMP ")
"""What comes after the last frame of an animation (2.7.1.5)."""


def mend(source: Source, deep: bool) -> Mended:
    del deep
    stated, flaws = riff_end(source), []
    found = _present(source, list(chunks_between(source, RIFF_HEADER, min(source.size, stated))), stated)
    last = found[-1] if found else None
    if last is not None and last.end > source.size:
        if last.kind in _NEEDED:
            raise Undecodable("The WebP is damaged: the file ends inside its image")
        flaws.append(f"the file ends inside its chunk {last.kind.decode('ascii', 'replace').strip()}")
        found.pop()
    _require_image(source, found, last, stated)
    pieces = _pieces(source, found)
    whole = sum(piece.size if isinstance(piece, Source) else len(piece) for piece in pieces)
    if stated != whole and not flaws:
        flaws.append("its header states another length")
    if source.size == whole - 1 and not flaws:
        flaws.append("the last byte, which pads, is missing")
    if flaws:
        return Mended(flaws, pieces)
    return Mended(["bytes follow its end"] if source.size > whole else [])


def _present(source: Source, found: list[Chunk], stated: int) -> list[Chunk]:
    """The chunks of the file; also those beyond the stated end, where that lies inside one."""
    if not found or found[-1].end <= stated:
        return found
    beyond = []
    for chunk in chunks_between(source, found[-1].start - 8, source.size):
        if chunk.kind not in _KNOWN:
            break
        beyond.append(chunk)
    return found[:-1] + beyond


def _require_image(source: Source, found: list[Chunk], last: Chunk | None, stated: int) -> None:
    """Raise Undecodable where the image, or a frame of an animation, is not there."""
    kinds = {chunk.kind for chunk in found}
    if kinds.isdisjoint(_IMAGE):
        raise Undecodable("The WebP is damaged: there are no pixels in it")
    moving = found[0].kind == b"VP8X" and source.number(found[0].start, 1) & ANIMATION_FLAG
    goes_on = stated > source.size + 1 and not (last is not None and last.kind in _BEHIND)
    if moving and goes_on:
        raise Undecodable("The WebP is damaged: the file ends before its last frame")


def _pieces(source: Source, found: list[Chunk]) -> list[Piece]:
    """The file of these chunks, each with its padding."""
    body: list[Piece] = []
    for chunk in found:
        length = chunk.end - chunk.start
        body += [source.part(chunk.start - 8, 8 + length), b"\0" * (length % 2)]
    size = 4 + sum(8 + chunk.end - chunk.start + (chunk.end - chunk.start) % 2 for chunk in found)
    return [b"RIFF" + size.to_bytes(4, "little") + b"WEBP", *body]
