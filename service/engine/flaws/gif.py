"""Flaws of GIF: a missing trailer, and bytes that belong to no block (GIF89a specification)."""

from __future__ import annotations

from service.engine.flaws import Mended, lzw
from service.engine.headers import gif
from service.engine.headers.source import Cut, Source
from service.engine.job import Undecodable

_END = b";"
_MOST = 4 << 20  # bytes of a frame whose codes are counted, some 5 s for them


def mend(source: Source, deep: bool) -> Mended:
    del deep
    found: list[gif.Block] = []
    end, stray = gif.SCREEN + gif.colour_table(source.number(gif.SCREEN - 3, 1)), False
    try:
        for block in gif.blocks(source):
            stray |= block.start > end
            end = block.end
            found.append(block)
    except Cut:
        if not any(block.kind == gif.IMAGE for block in found):
            raise
        return _ended(source, found)
    flaws = ["bytes between its blocks belong to none"] if stray else []
    return Mended(flaws + (["bytes follow its end"] if end < source.size else []))


def _ended(source: Source, found: list[gif.Block]) -> Mended:
    """The file with a trailer after its last image. An extension without an image is left out."""
    last = max(index for index, block in enumerate(found) if block.kind == gif.IMAGE)
    image = found[last]
    if _next_image(source, found[-1].end):
        raise Undecodable("The GIF is damaged: the file ends inside a frame")
    data = image.start + gif.IMAGE_DESCRIPTOR + gif.colour_table(source.number(image.start + 9, 1))
    blocks, is_ended = lzw.sub_blocks(source.part(data + 1, image.end - data - 1))
    flaws = ["the trailer is missing"]
    if not is_ended:
        if sum(map(len, blocks)) > _MOST:
            raise Undecodable("The GIF is damaged: it has no trailer, and too much data to be looked through")
        _, _, width, height = gif.place(source, image)
        if lzw.length(source.number(data, 1), blocks, width * height) < width * height:
            raise Undecodable("The GIF is damaged: the file ends before its pixels do")
        flaws.append("the data of its last frame have no end")
    whole = b"".join(bytes([len(block)]) + block for block in blocks)
    return Mended(flaws, [source.part(0, data + 1), whole, b"\0", _END])


def _next_image(source: Source, start: int) -> bool:
    """Return True if an image begins in the remaining bytes, which are too few for a block."""
    return start < source.size and source.read(start, 1) == b","
