"""GIF without comments, texts and application data: the screen, the frames, their timing and the loop.

The indices of every frame are coded anew, so that nothing stands behind the end of the codes or of the frame, and
entries of a colour table that no pixel uses are black.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image as Pillow

from service.engine.headers import gif
from service.engine.headers.gif import Block, blocks
from service.engine.headers.source import Source
from service.engine.job import TooLarge, Undecodable
from service.engine.stripping import NotCopied, Pieces

LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
INTERLACED, LOCAL_TABLE, TABLE_SIZE = 0x40, 0x80, 0x07
DISPOSAL, TRANSPARENT = 0x1C, 0x01


@dataclass(frozen=True, slots=True)
class _Frame:
    descriptor: bytes
    """Place, size and flags, behind the introducer."""
    table: bytes
    codes: bytes
    """The code size, the sub-blocks and their terminator."""
    used: set[int]


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """An ICC profile, which sits in an application extension here, goes in any case: browsers do not read it."""
    del keep_icc
    screen = source.read(0, gif.SCREEN)
    table = source.read(gif.SCREEN, gif.colour_table(screen[10]))
    body, used, loop, control, whole = list[bytes](), {screen[11]}, b"", b"", True
    room = Pillow.MAX_IMAGE_PIXELS or 0
    for block in blocks(source):
        if block.kind == gif.IMAGE:
            _, _, width, height = gif.place(source, block)
            room -= width * height
            if room < 0:
                raise TooLarge("the image has frames of more pixels than its screen says")
            frame = _frame(source, block, table)
            if frame is None:
                whole = False
                continue
            used |= set() if frame.table else frame.used
            body.append(control + b"," + frame.descriptor + _black(frame.table, frame.used) + frame.codes)
            control = b""
        elif block.label == gif.GRAPHIC_CONTROL:
            control = _control(source, block)
        elif block.label == gif.PLAIN_TEXT:
            control = b""  # it was for the text
        elif block.label == gif.APPLICATION:
            loop = _loop(source, block) or loop
    if not whole:
        raise NotCopied("the codes of a frame are damaged")
    if not body:
        raise Undecodable("The GIF is damaged: there is no image in it")
    background = screen[11] if 3 * screen[11] < len(table) else 0
    yield screen[:10] + bytes((screen[10] & (LOCAL_TABLE | TABLE_SIZE), background, 0))
    yield _black(table, used)
    yield loop
    yield from body
    yield b";"


def _frame(source: Source, block: Block, screen_table: bytes) -> _Frame | None:
    """The frame, its rows in their order and its indices coded anew; None where the codes are damaged."""
    place = source.read(block.start + 1, gif.IMAGE_DESCRIPTOR - 1)
    flags = place[8]
    start = block.start + gif.IMAGE_DESCRIPTOR
    table = source.read(start, gif.colour_table(flags))
    start += len(table)
    bits = source.number(start, 1)
    width, height = int.from_bytes(place[4:6], "little"), int.from_bytes(place[6:8], "little")
    data = source.read(start + 1, block.end - start - 1)
    try:
        indices = Pillow.frombytes("P", (width, height), data, "gif", bits, bool(flags & INTERLACED), -1)
    except (ValueError, OSError):
        return None
    used = {index for index, count in enumerate(indices.histogram()) if count}
    if not used:  # a frame without pixels
        return None
    bits = max(2, max(used).bit_length(), (len(table or screen_table) // 3 - 1).bit_length())
    codes = bytes([bits]) + indices.tobytes("gif", "P", bits, 0) + b"\0"
    return _Frame(place[:8] + bytes([flags & (LOCAL_TABLE | TABLE_SIZE)]), table, codes, used)


def _black(table: bytes, used: set[int]) -> bytes:
    """A colour table whose entries are black where they are not used."""
    return b"".join(table[i : i + 3] if i // 3 in used else b"\0\0\0" for i in range(0, len(table), 3))


def _control(source: Source, block: Block) -> bytes:
    """The graphic control extension with its disposal, its delay, and the transparent index where there is one."""
    told = gif.control(source, block)
    if not told:
        return b""
    flags = told[0] & (DISPOSAL | TRANSPARENT)
    index = told[3] if flags & TRANSPARENT else 0
    return bytes((gif.EXTENSION, gif.GRAPHIC_CONTROL, gif.CONTROL, flags)) + told[1:3] + bytes((index, 0))


def _loop(source: Source, block: Block) -> bytes:
    """The extension that tells how often to repeat, with that and nothing more in it."""
    content = source.read(block.start, min(18, block.end - block.start))
    if content[2:3] != b"\x0b" or content[3:14] not in LOOPS or content[14:16] != b"\x03\x01":
        return b""
    return content + b"\0" if len(content) == 18 else b""
