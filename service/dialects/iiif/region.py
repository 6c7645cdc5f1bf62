"""The region of an IIIF request, in pixels of the upright original. Image API 3.0 and 2.1, section 4.1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from gateway.errors import Refused, quote
from gateway.holding import Shape

DECIMAL = r"(?:[0-9]{1,9}(?:\.[0-9]{1,10})?|\.[0-9]{1,10})"
_PIXELS = re.compile(r"([0-9]{1,9}),([0-9]{1,9}),([0-9]{1,9}),([0-9]{1,9})")
_PERCENT = re.compile(rf"pct:({DECIMAL}),({DECIMAL}),({DECIMAL}),({DECIMAL})")


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of whole pixels within the image."""

    x: int
    y: int
    width: int
    height: int

    def covers(self, shape: Shape) -> bool:
        """Whether it is the whole image."""
        return (self.x, self.y, self.width, self.height) == (0, 0, shape.width, shape.height)

    def crop(self) -> str:
        """As the operation `crop` spells it."""
        return f"{self.x}:{self.y}:{self.width}:{self.height}"

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"


def rounded(value: Fraction) -> int:
    """The nearest whole number, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def region_of(text: str, shape: Shape) -> Region:
    """What `full`, `square`, `x,y,w,h` or `pct:x,y,w,h` keep, cut off at the image's edges. Raises Refused (400)."""
    if text == "full":
        return Region(0, 0, shape.width, shape.height)
    if text == "square":
        side = min(shape.width, shape.height)
        return Region((shape.width - side) // 2, (shape.height - side) // 2, side, side)
    if found := _PIXELS.fullmatch(text):
        x, y, width, height = map(int, found.groups())
        return _cut(text, x, y, x + width, y + height, shape)
    if found := _PERCENT.fullmatch(text):
        x_part, y_part, w_part, h_part = map(Fraction, found.groups())
        edges = x_part, y_part, x_part + w_part, y_part + h_part
        if w_part and h_part:
            sides = shape.width, shape.height, shape.width, shape.height
            left, top, right, bottom = (rounded(edge * side / 100) for edge, side in zip(edges, sides, strict=True))
            return _cut(text, left, top, max(right, left + 1), max(bottom, top + 1), shape)
        raise Refused(400, f"region {quote(text)}: it has no width or no height")
    raise Refused(400, f"region {quote(text)}: must be full, square, x,y,w,h in whole pixels, or pct:x,y,w,h")


def _cut(text: str, left: int, top: int, right: int, bottom: int, shape: Shape) -> Region:
    width, height = min(right, shape.width) - left, min(bottom, shape.height) - top
    if right == left or bottom == top:
        raise Refused(400, f"region {quote(text)}: it has no width or no height")
    if width <= 0 or height <= 0:
        raise Refused(400, f"region {quote(text)}: it lies outside the image of {shape.width}x{shape.height} pixels")
    return Region(left, top, width, height)
