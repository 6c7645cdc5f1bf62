"""GIFs whose frames are parts of the screen, with disposal (GIF89a specification, 18 to 23).

Pillow decodes each frame as a GIF of its own. The frames are composed here, because Pillow fills with a colour what
should become transparent.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image as Pillow

from service.engine.animation.canvas import Disposal, Part, composed
from service.engine.headers import gif
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.picture import Details, Frame

_DISPOSALS: dict[int, Disposal] = {2: "clear", 3: "restore", 4: "restore"}  # 4: what some encoders wrote for 3
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError)
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def needs(source: Source, _: int) -> bool:
    """Return True if a frame other than the last is disposed of, the first one does not cover the screen, or one
    reaches beyond it. Return False if a frame has no colour table. Raises Undecodable."""
    width, height = gif.screen(source)
    is_shared = bool(gif.colour_table(source.number(gif.SCREEN - 3, 1)))
    disposals, places, colours = [], [], True
    for block in gif.blocks(source):
        if block.kind == gif.IMAGE:
            places.append(gif.place(source, block))
            colours &= is_shared or bool(gif.colour_table(source.number(block.start + 9, 1)))
        elif told := gif.control(source, block):
            disposals.append(told[0] >> 2 & 7)
    beyond = any(left + across > width or top + down > height for left, top, across, down in places)
    disposed = any(disposal > 1 for disposal in disposals[:-1])
    return colours and (disposed or beyond or places[:1] != [(0, 0, width, height)])


def read(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """The wanted frames as they are shown. Raises Undecodable."""
    del n
    with OpenedFile(path) as source:
        try:
            frames = composed(_parts(source, tolerant), (header.width, header.height), wanted)
            return frames, Details(plays=_plays(source))
        except _DAMAGE as error:
            raise Undecodable("the image is damaged") from error


def _parts(source: Source, tolerant: bool) -> Iterator[Part]:
    flags = source.number(gif.SCREEN - 3, 1)
    shared = source.read(gif.SCREEN, gif.colour_table(flags))
    clear, delay, disposal = None, 0, 0
    room = Pillow.MAX_IMAGE_PIXELS or 0
    try:
        for block in gif.blocks(source):
            if block.kind == gif.IMAGE:
                left, top, width, height = gif.place(source, block)
                room -= width * height
                if room < 0:
                    raise TooLarge("the image has frames of more pixels than its screen says")
                pixels = _decoded(source, block, shared, clear)
                yield Part(pixels, left, top, delay, _DISPOSALS.get(disposal, "keep"), over=True)
                clear, delay, disposal = None, 0, 0
            elif told := gif.control(source, block):
                delay, disposal = 10 * int.from_bytes(told[1:3], "little"), told[0] >> 2 & 7
                clear = told[3] if told[0] & gif.TRANSPARENCY else None
    except Undecodable:
        if not tolerant:
            raise


def _decoded(source: Source, block: gif.Block, shared: bytes, clear: int | None) -> Pillow.Image:
    """The pixels of one frame. An index without a colour is black."""
    descriptor = source.read(block.start, gif.IMAGE_DESCRIPTOR)
    start = block.start + gif.IMAGE_DESCRIPTOR
    colours = source.read(start, gif.colour_table(descriptor[9])) or shared
    start += gif.colour_table(descriptor[9])
    # A table of all 256 grays, so that Pillow hands over the indices.
    whole = b"GIF89a" + descriptor[5:9] + b"\xf7\0\0" + bytes(value for index in range(256) for value in (index,) * 3)
    image = b"," + bytes(4) + descriptor[5:9] + bytes((descriptor[9] & 0x40,)) + source.read(start, block.end - start)
    with Pillow.open(io.BytesIO(whole + image + b";"), formats=("GIF",)) as file:
        indices = Pillow.frombytes("L", file.size, file.tobytes())
    shown = Pillow.frombytes("P", indices.size, indices.tobytes())
    shown.putpalette(colours.ljust(768, b"\0"))
    pixels = shown.convert("RGB")
    pixels.putalpha(indices.point([0 if index == clear else 255 for index in range(256)]))
    return pixels


def _plays(source: Source) -> int:
    """How often the animation runs, 0 for ever. The extension of the file counts repetitions after the first run."""
    for block in gif.blocks(source):
        if block.label == gif.APPLICATION and block.end - block.start >= 18:
            content = source.read(block.start, 18)
            if content[3:14] in _LOOPS and content[15] == 1:
                repeats = int.from_bytes(content[16:18], "little")
                return repeats and repeats + 1
    return 1
