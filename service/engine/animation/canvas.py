"""Compose whole pictures from frames that are parts of a canvas: disposal and blending of GIF and APNG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from PIL import Image as Pillow

from service.engine.geometry import Size
from service.engine.picture import Frame

Disposal = Literal["keep", "clear", "restore"]
_CLEAR = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """One frame as stored: RGBA pixels, which may reach beyond the canvas, and where they lie on it.

    `delay` is in milliseconds. `disposal` says what happens to their place after the delay: it stays, becomes
    transparent, or shows what was there before. With `over` the pixels are blended with what is there; otherwise they
    replace it.
    """

    pixels: Pillow.Image
    left: int
    top: int
    delay: int
    disposal: Disposal
    over: bool


def composed(parts: Iterable[Part], size: Size, wanted: range) -> list[Frame]:
    """The wanted pictures of an animation, all opaque or all with alpha; as many as there are."""
    canvas, pictures = Pillow.new("RGBA", size, _CLEAR), []
    for index, part in enumerate(islice(parts, wanted.stop)):
        before = canvas.copy() if part.disposal == "restore" else None
        _draw(canvas, part)
        if index in wanted:
            pictures.append(Frame(canvas.copy(), part.delay))
        if part.disposal == "clear":
            canvas.paste(_CLEAR, _place(part, size))
        elif before is not None:
            canvas = before
    if all(picture.pillow().getchannel("A").getextrema() == (255, 255) for picture in pictures):
        for picture in pictures:
            picture.put(picture.pillow().convert("RGB"))
    return pictures


def _place(part: Part, size: Size) -> tuple[int, int, int, int]:
    """Where a part lies, cut to the canvas."""
    right, bottom = min(part.left + part.pixels.width, size[0]), min(part.top + part.pixels.height, size[1])
    return min(part.left, size[0]), min(part.top, size[1]), max(right, part.left), max(bottom, part.top)


def _draw(canvas: Pillow.Image, part: Part) -> None:
    left, top, right, bottom = _place(part, canvas.size)
    if left >= min(right, canvas.width) or top >= min(bottom, canvas.height):
        return
    pixels = part.pixels.crop((0, 0, right - left, bottom - top))
    if part.over:
        canvas.alpha_composite(pixels, (left, top))
    else:
        canvas.paste(pixels, (left, top))
