"""Find the formats that can hold a result: its animation and its longest side. Twin of holding.lua.

What each format holds is in the vocabulary: `animated` where it holds more than one frame here, `longest` where a side
ends. WebP's is that of its bit stream; JPEG's libjpeg's JPEG_MAX_DIMENSION; AVIF's what libavif, and so every browser,
reads (its AVIF_DEFAULT_IMAGE_DIMENSION_LIMIT: it writes more); GIF's the 16 bits of its header; JPEG XL's that of level
5 (ISO/IEC 18181-1, annex M). `negotiated_moving` is false where some clients that name a format show only one frame of
an animation, as Safari does of JPEG XL: `auto` never becomes that format then. `pixel_memory` is how many bytes an
encoder takes for a pixel, where that is so much that a large result has no room in an engine process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway.recipes import Recipe
from gateway.rules import VOCABULARY, Rules

_FORMATS = VOCABULARY["formats"]

_MOST = 192 << 20
"""Bytes of an engine process that its libraries, the original and the result take, of an original of any size."""

_LIBRARIES, _PIXEL, _SHARE = 32 << 20, 20, 3 / 8
"""Where fewer are enough: bytes of the libraries alone, and for each pixel of the original or the result, whichever has
more; and the share of the memory that may be in pieces, since earlier images have had it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What of an image matters here: its pixels as shown, and the number of its frames."""

    width: int
    height: int
    frames: int = 1


def fitting(recipe: Recipe, shape: Shape, rules: Rules) -> list[str]:
    """The formats that `auto` may become for this recipe of this image, the preferred first."""
    moves = shape.frames > 1 and "frame" not in recipe
    width, height = largest(recipe, shape, rules)
    side = max(width, height)
    pixels = side * side * shape.frames
    room = rules.memory - _beside(max(shape.width * shape.height * shape.frames, width * height), rules.memory)
    is_measured = bool(recipe) and "crop" not in recipe and "trim" not in recipe
    return [
        format
        for format in rules.negotiate
        if side <= longest_side(format)
        and (not moves or _may_move(format, pixels, rules.time))
        and (not is_measured or _has_room(format, width * height, room))
    ]


def _beside(pixels: int, memory: int) -> float:
    """Bytes that a process takes beside the encoder, of an original and a result of up to so many pixels."""
    return min(_MOST, max(_LIBRARIES + _PIXEL * pixels, _SHARE * memory))


def _has_room(format: str, pixels: int, room: float) -> bool:
    """Whether so many bytes are enough to encode so many pixels. It is not asked of a whole image, which keeps its own
    format where it cannot be made, nor of what is cut, whose size is not known."""
    needed: int = _FORMATS[format].get("pixel_memory", 0) * pixels
    return needed == 0 or needed <= room


def _may_move(format: str, pixels: int, time: float) -> bool:
    shown: bool = _FORMATS[format].get("negotiated_moving", True)
    return shown and pixels <= most_moving(format, time)


def most_moving(format: str, time: float) -> float:
    """The most pixels, of all frames together, that an animation in this format may have; 0 where it holds none.

    `time` is `limits.time` in seconds: a frame budget is pixels a second, for a format whose encoder takes long.
    """
    row = _FORMATS[format]
    if not row.get("animated", False):
        return 0
    return float(row["frame_budget"] * time) if "frame_budget" in row else math.inf


def longest_side(format: str) -> float:
    """The most pixels of a side in this format."""
    most: float = _FORMATS[format].get("longest", math.inf)
    return most


def longest(recipe: Recipe, shape: Shape, rules: Rules) -> int:
    """The most pixels that a side of the result may have; it may have fewer."""
    return max(largest(recipe, shape, rules))


def largest(recipe: Recipe, shape: Shape, rules: Rules) -> tuple[int, int]:
    """The most pixels that width and height of the result may have, in either order; they may have fewer.

    What is cut may be of any shape, so its open side is taken to be as long as the limits let the engine make it; a
    slanted turn lies within the sum of the sides.
    """
    width, height = shape.width, shape.height
    w, h = int(recipe.get("w", 0)), int(recipe.get("h", 0))
    up, fit = "up" in recipe, recipe.get("fit")
    if w > 0 and h > 0 and fit != "outside":
        grows = up or fit == "pad"
        width, height = (w, h) if grows else (min(w, width), min(h, height))
    elif (w > 0 or h > 0) and ("crop" in recipe or "trim" in recipe):
        if up:
            width, height = max(width, rules.limits["width"]), max(height, rules.limits["height"])
    elif w > 0 or h > 0:
        scale = max(w / width, h / height)
        if not up:
            scale = min(scale, 1.0)
        width, height = max(1, math.floor(width * scale + 0.5)), max(1, math.floor(height * scale + 0.5))
    if float(recipe.get("rot", 0)) % 90 != 0:
        return width + height, width + height
    return width, height
