"""Make the layer of an overlay: the picture or the text in its size, or repeated over the whole result."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image as Pillow

from service.engine import convolution
from service.engine.geometry import Box, Size
from service.engine.job import Overlay
from service.engine.overlays.items import SPREAD, Item
from service.engine.overlays.lettering import Colour, lettered
from service.engine.png import transparency

ANGLE = 30
"""Degrees by which `diagonal` rises to the right."""

_ASSOCIATED = "RGBa"


def layer(item: Item, overlay: Overlay, text: str, area: Box) -> tuple[Pillow.Image, tuple[int, int]]:
    """The layer in RGBA and where its corner lies. Its own size is made smaller where the area is. Raises OSError."""
    x, y = (0, 0) if item.place in SPREAD else item.offsets(area)
    room = max(1, round(area.width) - x), max(1, round(area.height) - y)
    made = _text(text, overlay, item, area, room) if overlay.text else _picture(overlay.file, item, area, room)
    if item.opacity < 1:
        made = made.copy()
        made.putalpha(made.getchannel("A").point([round(value * item.opacity) for value in range(256)]))
    if item.place not in SPREAD:
        return made, item.corner(made.size, area)
    left, top, right, bottom = area.whole()
    return _spread(made, (right - left, bottom - top), item.offsets(area), turned=item.place == "diagonal"), (left, top)


def _picture(path: str, item: Item, area: Box, room: Size) -> Pillow.Image:
    own = _opened(path)
    width = own.width if item.scale is None else item.scale * area.width
    return _scaled(path, _within(width, own.size, room))


def _text(text: str, overlay: Overlay, item: Item, area: Box, room: Size) -> Pillow.Image:
    """Set in the size in which it fits, and not scaled afterwards, so that letters stay sharp."""
    height = overlay.share * min(area.width, area.height)
    made = _lettered(text, overlay.fonts, height, _ink(overlay.ink))
    wanted = _within(made.width if item.scale is None else item.scale * area.width, made.size, room)
    if wanted == made.size:
        return made
    made = _lettered(text, overlay.fonts, height * wanted[0] / made.width, _ink(overlay.ink))
    return (
        made if made.width <= room[0] and made.height <= room[1] else made.resize(_within(made.width, made.size, room))
    )


def _within(width: float, own: Size, room: Size) -> Size:
    """The size of this width in the shape of `own`, as far as there is room."""
    scale = min(width / own[0], room[0] / own[0], room[1] / own[1])
    return max(1, round(own[0] * scale)), max(1, round(own[1] * scale))


def _spread(made: Pillow.Image, size: Size, gaps: Size, *, turned: bool) -> Pillow.Image:
    """The overlay again and again, in rows of which every second one is shifted by half."""
    side = math.ceil(math.hypot(*size)) if turned else 0
    sheet = Pillow.new("RGBA", (side, side) if turned else size)
    across, down = made.width + gaps[0], made.height + gaps[1]
    for row, top in enumerate(range(0, sheet.height, down)):
        for left in range(-(across // 2) if row % 2 else 0, sheet.width, across):
            sheet.paste(made, (left, top))
    if not turned:
        return sheet
    sheet = sheet.convert(_ASSOCIATED).rotate(ANGLE, Pillow.Resampling.BICUBIC).convert("RGBA")
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return sheet.crop((left, top, left + size[0], top + size[1]))


def _ink(digits: str) -> Colour:
    red, green, blue, alpha = bytes.fromhex(digits)
    return red, green, blue, alpha


@lru_cache(maxsize=4)
def _opened(path: str) -> Pillow.Image:
    """A path names one content for ever: the stamp is part of it."""
    with Pillow.open(path, formats=("PNG",)) as image:
        return transparency.rgba(image)


@lru_cache(maxsize=8)
def _scaled(path: str, size: Size) -> Pillow.Image:
    own = _opened(path)
    if size == own.size:
        return own
    return convolution.scaled(own, size, Box(0, 0, *own.size))


_lettered = lru_cache(maxsize=8)(lettered)
