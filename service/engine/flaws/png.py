"""Flaws of PNG: wrong checksums and missing ends (PNG specification, third edition, 13 and 10.4).

A chunk that pixels do not need and whose checksum is wrong is left out, as libpng does; so are the parts of an
animation that does not say its frames, of which the default image remains.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from service.engine.flaws import Mended
from service.engine.headers.png import OVERHEAD, SIGNATURE, animation, in_order
from service.engine.headers.source import CHUNK, Source
from service.engine.job import Undecodable
from service.engine.stripping import Piece

_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT"}
"""Chunks without which pixels would be missing or wrong; IDAT is judged by what it holds."""

_ANIMATION = (b"acTL", b"fcTL", b"fdAT")

_MAX_CHUNKS = 200_000
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Column, row and their steps of each pass of an interlaced image (8.2)."""


@dataclass(slots=True)
class _Chain:
    """The chunks that stay, with `data` those of the default image, and what was found on the way."""

    before: list[Piece] = field(default_factory=list)
    data: list[Source] = field(default_factory=list)
    after: list[Piece] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    is_cut: bool = False
    is_doubtful: bool = False
    is_still: bool = False
    rewrites: bool = False


def mend(source: Source, deep: bool) -> Mended:
    chain = _chain(source)
    if not chain.data:
        raise Undecodable("The PNG is damaged: there are no pixels in it")
    data: list[Piece] | None = None
    if deep or chain.is_cut or chain.is_doubtful:
        data = _whole(source, chain)
    if data is None and not chain.rewrites:
        return Mended([*chain.flaws, *_disorder(source)])
    pixels = data or [piece for part in chain.data for piece in _copied(b"IDAT", part)]
    return Mended(chain.flaws, [SIGNATURE, *chain.before, *pixels, *chain.after, *_copied(b"IEND", b"")])


def _disorder(source: Source) -> list[str]:
    """What is wrong with the sequence of an animation. Its reader puts it in order, so nothing is mended."""
    try:
        return ["the parts of its animation are out of order"] if in_order(source)[1] else []
    except Undecodable:
        return []


def _chain(source: Source) -> _Chain:
    chain, offset = _Chain(), len(SIGNATURE)
    passed_over = () if animation(source) else _ANIMATION
    for _ in range(_MAX_CHUNKS):
        if offset + 8 > source.size:
            chain.flaws.append("the end chunk is missing")
            chain.rewrites = True
            return chain
        start = source.read(offset, 8)
        length, kind = int.from_bytes(start[:4]), start[4:]
        if not kind.isalpha():
            raise Undecodable("The PNG is damaged: a chunk has no name")
        content = source.part(offset + 8, length)
        offset += OVERHEAD + length
        if offset > source.size:
            _add_cut(chain, kind, content)
            return chain
        right = _checksum(kind, content) == source.read(offset - 4, 4)
        if kind == b"IEND":
            chain.rewrites |= not right
            chain.flaws += [] if right else ["the checksum of its chunk IEND is wrong"]
            chain.flaws += ["bytes follow its end"] if offset < source.size else []
            return chain
        if kind in passed_over:
            chain.flaws += [] if chain.is_still else ["its animation has no frames"]
            chain.is_still = chain.rewrites = True
            continue
        _add(chain, kind, content, right)
    raise Undecodable(f"The PNG is damaged: it has more than {_MAX_CHUNKS} chunks")


def _add(chain: _Chain, kind: bytes, content: Source, right: bool) -> None:
    name = kind.decode("ascii")
    if kind in _PIXELS and not right:
        raise Undecodable(f"The PNG is damaged: the checksum of its chunk {name} is wrong")
    if not right:
        chain.flaws.append(f"the checksum of its chunk {name} is wrong")
        chain.rewrites = True
    if kind == b"IDAT":
        chain.data.append(content)
        chain.is_doubtful |= not right
    elif right:
        (chain.after if chain.data else chain.before).extend(_copied(kind, content))


def _add_cut(chain: _Chain, kind: bytes, content: Source) -> None:
    """The last chunk, inside of which the file ends."""
    chain.rewrites = True
    chain.flaws.append(f"the file ends inside its chunk {kind.decode('ascii')}")
    if kind == b"IDAT":
        chain.data.append(content)
        chain.is_cut = True
    elif kind in _PIXELS:
        raise Undecodable(f"The PNG is damaged: the file ends inside its chunk {kind.decode('ascii')}")


def _copied(kind: bytes, content: Source | bytes) -> Iterator[Piece]:
    size = content.size if isinstance(content, Source) else len(content)
    yield size.to_bytes(4) + kind
    yield content
    yield _checksum(kind, content)


def _checksum(kind: bytes, content: Source | bytes) -> bytes:
    value = zlib.crc32(kind)
    for part in content.chunks() if isinstance(content, Source) else (content,):
        value = zlib.crc32(part, value)
    return value.to_bytes(4)


def _whole(source: Source, chain: _Chain) -> list[Piece] | None:
    """The chunks of a valid stream of all pixels; None where that of the file is one. Raises Undecodable."""
    needed = _length(source)
    stream = _Stream(chain.data, needed)
    packer, packed = zlib.compressobj(6), []
    for part in stream:
        packed.append(packer.compress(part))
    if stream.length < needed:
        raise Undecodable("The PNG is damaged: the file ends before its pixels do")
    if stream.is_right:
        return None
    if chain.is_doubtful and stream.checksum:
        raise Undecodable("The PNG is damaged: its pixels do not agree with their checksums")
    if stream.surplus:
        chain.flaws.append("more is packed than its pixels")
    elif not chain.is_cut:
        chain.flaws.append("the checksum of its pixels is wrong" if stream.checksum else "its pixels have no checksum")
    return list(_copied(b"IDAT", b"".join([*packed, packer.flush()])))


class _Stream:
    """The decompressed samples of a zlib stream, at most `needed` bytes; then their `length`, whether the Adler-32 that
    follows them `is_right`, that `checksum` as far as it is there, and whether a `surplus` follows the samples."""

    def __init__(self, parts: list[Source], needed: int) -> None:
        self._parts, self._needed = parts, needed
        self.length, self.is_right, self.checksum, self.surplus = 0, False, b"", False

    def __iter__(self) -> Iterator[bytes]:
        inflater, sum_, head = zlib.decompressobj(-15), 1, 2  # without zlib's header, so that its end is not checked
        for content in (chunk for part in self._parts for chunk in part.chunks()):
            rest, head = content[head:], max(0, head - len(content))
            while rest and not inflater.eof:
                try:
                    found = inflater.decompress(rest, CHUNK)
                except zlib.error:
                    return
                rest = inflater.unconsumed_tail
                sum_ = zlib.adler32(found, sum_)
                kept = found[: self._needed - self.length]
                self.length += len(kept)
                yield kept
                if found and not kept:  # their number is not bounded
                    self.surplus = True
                    return
            self.checksum += (inflater.unused_data if not self.checksum else rest) if inflater.eof else b""
        self.checksum = self.checksum[:4]
        self.is_right = self.checksum == sum_.to_bytes(4)


def _length(source: Source) -> int:
    """Bytes of the samples before compression, the filter's byte of each row included."""
    header = source.read(len(SIGNATURE) + 8, 13)
    width, height = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    bits = header[8] * _SAMPLES[header[9]]
    passes = _ADAM7 if header[12] else ((0, 0, 1, 1),)
    sizes = ((-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes)
    return sum((1 + (columns * bits + 7) // 8) * rows for columns, rows in sizes if columns > 0 and rows > 0)
