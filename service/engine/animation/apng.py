"""APNG: frames that are parts of a canvas (PNG specification, third edition, 11.3.6).

Pillow decodes each frame as a PNG of its own, to 8 bits a sample. The frames are blended here, because Pillow blends
two translucent colours wrong.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow

from service.engine.animation.canvas import Disposal, Part, composed
from service.engine.geometry import Size
from service.engine.headers import png
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, Undecodable
from service.engine.picture import Details, Frame
from service.engine.png import transparency

_DISPOSALS: dict[int, Disposal] = {1: "clear", 2: "restore"}
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError)
_NEEDED = (b"PLTE", b"tRNS")


@dataclass(frozen=True, slots=True)
class _Control:
    """What a fcTL chunk says."""

    size: Size
    left: int
    top: int
    delay: int
    disposal: Disposal
    over: bool

    @classmethod
    def of(cls, content: bytes) -> _Control:
        width, height, left, top = (int.from_bytes(content[i : i + 4]) for i in range(4, 20, 4))
        return cls(
            (width, height), left, top, png.delay(content), _DISPOSALS.get(content[24], "keep"), content[25] == 1
        )


def needs(source: Source, _: int) -> bool:
    """Whether the PNG shows other frames than its default image. Raises Undecodable."""
    found = png.animation(source)
    return found is not None and (found.frames > 1 or found.is_default_hidden)


def read(path: Path, header: Header, wanted: range, n: int, tolerant: bool) -> tuple[list[Frame], Details]:
    """The wanted frames as they are shown. Raises Undecodable."""
    del n, tolerant
    try:
        with OpenedFile(path) as source, Pillow.open(path, formats=("PNG",)) as file:
            found = png.animation(source)
            plays = found.plays if found else 0
            frames = composed(_parts(source), (header.width, header.height), wanted)
            details = Details(file.info.get("icc_profile"), file.info.get("exif"), plays=plays)
    except _DAMAGE as error:
        raise Undecodable("the image is damaged") from error
    if len(frames) < len(wanted):
        raise Undecodable("the image is damaged: the PNG ends before its last frame")
    return frames, details


def _parts(source: Source) -> Iterator[Part]:
    width, height, _ = png.geometry(source)
    before = b""
    control: _Control | None = None
    data: list[bytes] = []
    for chunk in png.in_order(source)[0]:
        if chunk.kind in (b"fcTL", b"IEND"):
            if control and data:
                yield _part(source, control, before, data)
            data = []
        if chunk.kind == b"fcTL":
            control = _Control.of(source.read(chunk.start, 26))
            if control.left + control.size[0] > width or control.top + control.size[1] > height:
                raise Undecodable("the image is damaged: a frame of the PNG lies beyond it")
        elif chunk.kind in _NEEDED:
            before += _chunk(chunk.kind, source.read(chunk.start, chunk.end - chunk.start))
        elif chunk.kind in (b"IDAT", b"fdAT") and control:
            start = chunk.start + (4 if chunk.kind == b"fdAT" else 0)  # a number, by which frames are in order
            data.append(source.read(start, chunk.end - start))


def _part(source: Source, control: _Control, before: bytes, data: list[bytes]) -> Part:
    start = source.read(len(png.SIGNATURE) + 8, 13)
    header = _chunk(b"IHDR", b"".join(side.to_bytes(4) for side in control.size) + start[8:])
    whole = png.SIGNATURE + header + before + _chunk(b"IDAT", b"".join(data)) + _chunk(b"IEND", b"")
    with Pillow.open(io.BytesIO(whole), formats=("PNG",)) as file:
        pixels = transparency.rgba(file)
    return Part(pixels, control.left, control.top, control.delay, control.disposal, control.over)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
