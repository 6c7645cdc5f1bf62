"""Headers of GIF: a screen and a chain of blocks (GIF89a specification)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from service.engine.headers.source import CHUNK, Cut, Source
from service.engine.job import Header, Undecodable

SIGNATURES = (b"GIF87a", b"GIF89a")
SCREEN = 13  # signature and logical screen descriptor
MAX_SUB_BLOCKS = 2_000_000
MORE_BLOCKS = 10_000  # that are taken beyond two for each frame
MAX_STRAY = 64 * 1024  # bytes between blocks
IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
GRAPHIC_CONTROL, PLAIN_TEXT, APPLICATION = 0xF9, 0x01, 0xFF
TRANSPARENCY = 0x01
IMAGE_DESCRIPTOR = 10
CONTROL = 4  # bytes in a graphic control extension

_INTRODUCER = re.compile(rb"[,!;]")


class Block(NamedTuple):
    """An image, an extension (with its label) or the trailer: the bytes `start`..`end`, introducer included."""

    kind: int
    label: int
    start: int
    end: int


def begins(head: bytes, _: Source) -> bool:
    return head.startswith(SIGNATURES)


def header(source: Source) -> Header:
    """The screen; frames that reach beyond it are cut.

    There is alpha where a frame may be transparent, or where the first leaves some of the screen uncovered.
    """
    width, height = screen(source)
    frames, alpha = 0, False
    try:
        for block in blocks(source):
            if told := control(source, block):
                alpha |= bool(told[0] & TRANSPARENCY)
            if block.kind == IMAGE:
                left, top, across, down = place(source, block)
                alpha |= frames == 0 and (left > 0 or top > 0 or across < width or down < height)
                frames += 1
                if frames > source.most_frames:
                    break
    except Cut:
        pass  # the frames that are there count; `missing` reports the cut
    if not frames:
        raise Undecodable("The GIF is damaged: there is no image in it")
    return Header("gif", width, height, frames=frames, alpha=alpha)


def screen(source: Source) -> tuple[int, int]:
    """Width and height of the screen; where it has none, those that the first frame takes, as browsers do."""
    width, height = source.number(6, 2, little=True), source.number(8, 2, little=True)
    if width and height:
        return width, height
    try:
        first = next((place(source, block) for block in blocks(source) if block.kind == IMAGE), (0, 0, 0, 0))
    except Undecodable:
        return width, height
    return width or first[0] + first[2], height or first[1] + first[3]


def delays(source: Source) -> list[int]:
    """The delay of each frame in milliseconds: that of the last graphic control before it, 0 where there is none."""
    found, told = [], b""
    for block in blocks(source):
        if block.kind == IMAGE:
            found.append(10 * int.from_bytes(told[1:3], "little"))
            told = b""
        told = control(source, block) or told
    return found


def control(source: Source, block: Block) -> bytes:
    """What a graphic control extension tells of the next frame: flags, delay in hundredths of a second (2 bytes) and
    the transparent index. Empty for another block, and for one with less in its first sub-block, which alone counts."""
    if block.kind != EXTENSION or block.label != GRAPHIC_CONTROL or source.number(block.start + 2, 1) < CONTROL:
        return b""
    return source.read(block.start + 3, CONTROL)


def missing(source: Source) -> str | None:
    try:
        return None if any(block.kind == TRAILER for block in blocks(source)) else "the GIF has no trailer"
    except Undecodable:
        return "the GIF has no trailer"


def blocks(source: Source) -> Iterator[Block]:
    """Every block, the trailer included and last. Bytes that introduce none are passed over, as decoders do.

    Raises Cut where the file ends before the trailer, having given what there is of a last image, and Undecodable
    where there are more blocks than frames explain, MAX_SUB_BLOCKS or MAX_STRAY.
    """
    end = SCREEN + colour_table(source.number(SCREEN - 3, 1))
    budget, stray = MAX_SUB_BLOCKS, MAX_STRAY
    most = 2 * source.most_frames + MORE_BLOCKS
    for _ in range(most):
        start = _introducer(source, end, stray)
        stray -= start - end
        kind, label = source.read(start, min(2, source.size - start)).ljust(2, b"\0")
        data = start + 2
        if kind == TRAILER:
            yield Block(kind, 0, start, start + 1)
            return
        if kind == IMAGE:
            label = 0
            # The code size of LZW comes between the colour table and the data.
            data = start + IMAGE_DESCRIPTOR + colour_table(source.number(start + IMAGE_DESCRIPTOR - 1, 1)) + 1
        try:
            end, count = _skip_sub_blocks(source, data, budget)
        except Cut:
            if kind == IMAGE and data < source.size:
                yield Block(kind, label, start, source.size)
            raise
        budget -= count
        yield Block(kind, label, start, end)
    raise Undecodable(f"The GIF is damaged: it is made of more than {most} blocks")


def colour_table(flags: int) -> int:
    """Bytes of the colour table that follows a descriptor with these flags."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def place(source: Source, image: Block) -> tuple[int, int, int, int]:
    """Left, top, width and height of a frame on the screen."""
    place = source.read(image.start + 1, 8)
    left, top, width, height = (int.from_bytes(place[i : i + 2], "little") for i in range(0, 8, 2))
    return left, top, width, height


def _introducer(source: Source, start: int, most: int) -> int:
    """Where the next block begins. Raises Undecodable where more than `most` bytes come before it."""
    end, window = start + most + 1, 1
    while start < min(end, source.size):
        found = _INTRODUCER.search(source.read(start, min(window, end - start, source.size - start)))
        if found:
            return start + found.start()
        start, window = start + window, 2 * window  # no more than twice what there is to pass over
    if end < source.size:
        raise Undecodable(f"The GIF is damaged: more than {MAX_STRAY} bytes of it belong to no block")
    raise Cut("The GIF is damaged: the file ends before its trailer")


def _skip_sub_blocks(source: Source, start: int, budget: int) -> tuple[int, int]:
    """Where the sub-blocks that begin at `start` end, terminator included, and how many they are."""
    count, window = 0, 16  # many are short: read at most a few times what they hold
    while count < budget:
        content = source.read(start, min(window, max(1, source.size - start)))
        position = 0
        while position < len(content):
            length = content[position]
            position += 1 + length
            count += 1
            if not length:
                return start + position, count
        start, window = start + position, min(8 * window, CHUNK)
    raise Undecodable(f"The GIF is damaged: it is made of more than {MAX_SUB_BLOCKS} blocks")
