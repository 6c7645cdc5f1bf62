"""GIF without comments, texts and application data: the screen, the frames, their timing and the loop."""

from __future__ import annotations

from service.engine.headers import gif
from service.engine.headers.gif import Block, blocks
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import Pieces

LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
CONTROL_SIZE = 8  # a graphic control extension, all of it


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """An ICC profile, which sits in an application extension here, goes in any case: browsers do not read it."""
    del keep_icc
    yield source.part(0, gif.SCREEN + gif.colour_table(source.number(gif.SCREEN - 3, 1)))
    control, frames = b"", 0
    for block in blocks(source):
        if block.kind == gif.IMAGE:
            yield control
            yield source.part(block.start, block.end - block.start)
            control, frames = b"", frames + 1
        elif block.label == gif.GRAPHIC_CONTROL:
            control = _control(source, block)
        elif block.label == gif.PLAIN_TEXT:
            control = b""  # it was for the text
        elif block.label == gif.APPLICATION:
            yield _loop(source, block)
    if not frames:
        raise Undecodable("The GIF is damaged: there is no image in it")
    yield b";"


def _control(source: Source, block: Block) -> bytes:
    content = source.read(block.start, min(CONTROL_SIZE, block.end - block.start))
    return content if content[2:3] == b"\x04" and content[7:] == b"\0" else b""


def _loop(source: Source, block: Block) -> bytes:
    """The extension that tells how often to repeat, with that and nothing more in it."""
    content = source.read(block.start, min(18, block.end - block.start))
    if content[2:3] != b"\x0b" or content[3:14] not in LOOPS or content[14:16] != b"\x03\x01":
        return b""
    return content + b"\0" if len(content) == 18 else b""
