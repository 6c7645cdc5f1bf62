"""Compute sizes and boxes: which part of an image is kept, how large it becomes, at which scale it may be decoded.

Pixels are counted on the upright image unless a name says otherwise. A `Box` may begin and end between pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from service.engine.job import Unsatisfiable

Size = tuple[int, int]

Oversampling = Mapping[int, float]
"""The n of libjpeg's n/8 that Pillow asks for, and the pixels that such a decode must leave per pixel of the result."""

OVERSAMPLING: Oversampling = {1: 1.5, 2: 1.5, 4: 1.05}
"""SSIMULACRA2 of a photograph of 6 megapixels, quality 80, and CPU: at 640 px 76.1 from 1/4 at 1.06 (11.5 ms) and 77.6
from 1/2 at 2.1 (13.5 ms); at 1280 px 77.8 from 1/2 at 1.06 (20 ms) and 78.7 from the whole (29 ms). 1/8 is no more than
every block's mean, which shows at 1.05: 4 points at 1.2, 7 at 1.06."""

LARGE = 16_000_000
"""Pixels of an original from which on a scale saves more than it loses: 1/8 in place of 1/4 takes 0.7 ms less for each
megapixel."""

COARSE: Oversampling = {1: 1.15, 2: 1.05, 4: 1.05}
"""For a large original: 24 megapixels to 640 from 1/8 at 1.17 take 24 ms in place of 28, for 1.4 points, and 50 to 1920
from 1/4 at 1.07 take 65 in place of 88, for 0.7."""

FINE: Oversampling = {1: 1.5, 2: 1.5, 4: 1.5}
"""For a format whose encoder costs more than any decode: AVIF from 1/2 at 2.1 takes 10 ms more than from 1/4 at 1.06,
and 4 % fewer bytes for the same SSIMULACRA2."""

MIDDLE: Oversampling = {1: 1.5, 2: 1.5, 4: 1.25}
"""For WebP, whose encoder takes four fifths of the time where an original is decoded whole: 1280 pixels of 2725
take no longer from the whole than from 1/2 at 1.06, and score 0.3 to 1.1 more, in 2 to 7 % more bytes."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its edges: left, top, right, bottom, in pixels, fractions allowed."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.right, self.bottom

    def moved(self, x: float, y: float) -> Box:
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def within(self, size: Size) -> Box:
        """The part of it that lies inside an image of `size`."""
        return Box(max(0, self.left), max(0, self.top), min(self.right, size[0]), min(self.bottom, size[1]))

    def whole(self) -> tuple[int, int, int, int]:
        """The same edges on whole pixels, at least one pixel apart."""
        left, top = math.floor(self.left + 0.5), math.floor(self.top + 0.5)
        return left, top, max(left + 1, math.floor(self.right + 0.5)), max(top + 1, math.floor(self.bottom + 0.5))

    def scaled(self, factor: float) -> Box:
        """The same rectangle on an image that is `factor` times as large."""
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)


def rounded(value: float) -> int:
    """The nearest whole number of pixels, halves up, at least 1."""
    return max(1, math.floor(value + 0.5))


def upright(size: Size, orientation: int) -> Size:
    """Width and height as displayed: EXIF orientations 5 to 8 lie on their side."""
    width, height = size
    return (height, width) if orientation >= 5 else (width, height)


def turned(box: Box, size: Size, orientation: int) -> Box:
    """Where a box of a stored image of `size` lies once EXIF's orientation is applied."""
    x, y = (box.left, box.right), (box.top, box.bottom)
    if orientation in (2, 3, 7, 8):
        x = (size[0] - box.right, size[0] - box.left)
    if orientation in (3, 4, 6, 7):
        y = (size[1] - box.bottom, size[1] - box.top)
    if orientation >= 5:
        x, y = y, x
    return Box(x[0], y[0], x[1], y[1])


def asked(recipe: dict[str, str]) -> tuple[int | None, int | None]:
    """The target box of a recipe; None for a side that it leaves open."""
    width, height = recipe.get("w"), recipe.get("h")
    return (int(width) if width else None, int(height) if height else None)


def crop_box(value: str, size: Size, focus: tuple[float, float] = (0.5, 0.5)) -> Box:
    """What `crop=x:y:w:h` keeps of an image: pixels, or percent with `p`; cut off at the image's edges. What
    `crop=w:h` keeps has its middle as near to `focus` (0..1 of width and height) as the edges allow.

    Edges fall on whole pixels, at least one apart. Raises Unsatisfiable when the box lies outside the image.
    """
    if is_sized(value):
        return _placed(value, size, focus)
    sides = (size[0], size[1], size[0], size[1])
    x, y, w, h = (
        float(part[:-1]) * side / 100 if part.endswith("p") else float(part)
        for part, side in zip(value.split(":"), sides, strict=True)
    )
    left, top, right, bottom = Box(x, y, x + w, y + h).whole()
    if not (0 <= left < size[0] and 0 <= top < size[1]):
        raise Unsatisfiable(f"crop={value} lies outside the image of {size[0]}x{size[1]} pixels")
    return Box(left, top, min(right, size[0]), min(bottom, size[1]))


def is_sized(value: str) -> bool:
    """Return True for `w:h`, the value of a crop that `g` places."""
    return value.count(":") == 1


def _placed(value: str, size: Size, focus: tuple[float, float]) -> Box:
    """Its width and height depend on its place in nothing: they are whole pixels first."""
    kept, starts = [], []
    for part, side, middle in zip(value.split(":"), size, focus, strict=True):
        length = min(side, rounded(float(part[:-1]) * side / 100 if part.endswith("p") else float(part)))
        kept.append(length)
        starts.append(min(max(0, math.floor(side * middle - length / 2 + 0.5)), side - length))
    return Box(starts[0], starts[1], starts[0] + kept[0], starts[1] + kept[1])


def resampled(width: float, height: float, recipe: dict[str, str]) -> Size:
    """The size to which a region of `width` by `height` is resampled to meet the recipe's box.

    A side that is bounded is exact; the other is rounded to the nearest pixel, at least 1. Without `up` nothing is
    enlarged: `cover` then shrinks its box, keeping the box's shape.
    """
    w, h = asked(recipe)
    if w is None and h is None:
        return rounded(width), rounded(height)
    grow, fit = "up" in recipe, recipe.get("fit", "inside")
    horizontal = w / width if w else math.inf
    vertical = h / height if h else math.inf
    if w and h and fit in ("fill", "cover"):
        if grow:
            return w, h
        if fit == "fill":
            return min(w, rounded(width)), min(h, rounded(height))
        down = min(1.0, 1 / max(horizontal, vertical))
        return rounded(w * down), rounded(h * down)
    outside = w and h and fit in ("outside", "liquid")
    scale = max(horizontal, vertical) if outside else min(horizontal, vertical)
    if not grow:
        scale = min(scale, 1.0)
    return rounded(width * scale), rounded(height * scale)


def covering(region: Box, size: Size, focus: tuple[float, float]) -> Box:
    """The largest part of `region` with the shape of `size`; its middle is as near to `focus` (0..1 of the region's
    width, of its height) as the region's edges allow."""
    scale = min(region.width / size[0], region.height / size[1])
    width, height = size[0] * scale, size[1] * scale
    left = region.left + min(max(0.0, region.width * focus[0] - width / 2), region.width - width)
    top = region.top + min(max(0.0, region.height * focus[1] - height / 2), region.height - height)
    return Box(left, top, left + width, top + height)


def carved(size: Size, recipe: dict[str, str]) -> Size:
    """The size after `liquid` of an image that was scaled to cover the box: the box, without enlarging a side."""
    w, h = asked(recipe)
    if not (w and h) or "up" in recipe:
        return w or size[0], h or size[1]
    return min(w, size[0]), min(h, size[1])


def canvas(size: Size, recipe: dict[str, str]) -> Size:
    """The size on which `pad` lays an image: the box where it is larger."""
    w, h = asked(recipe)
    return max(w or 0, size[0]), max(h or 0, size[1])


def rotated(size: Size, degrees: float) -> Size:
    """The rectangle around an image turned by any angle, rounded up."""
    if degrees % 180 == 0:
        return size
    if degrees % 90 == 0:
        return size[1], size[0]
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    return math.ceil(size[0] * cosine + size[1] * sine), math.ceil(size[0] * sine + size[1] * cosine)


def inside_turned(box: Box, size: Size, degrees: float, sheet: Size) -> Box:
    """The largest box of the same shape in a box of an image of `size` that is turned about its middle onto `sheet`."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = (box.left + box.right - size[0]) / 2, (box.top + box.bottom - size[1]) / 2
    middle = sheet[0] / 2 + x * cosine - y * sine, sheet[1] / 2 + x * sine + y * cosine
    width, height = (box.height, box.width) if degrees % 180 == 90 else (box.width, box.height)
    if degrees % 90:
        across, down = abs(cosine), abs(sine)
        scale = min(width / (width * across + height * down), height / (width * down + height * across))
        width, height = width * scale, height * scale
    return Box(middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2)


def result(size: Size, recipe: dict[str, str]) -> Size:
    """The size of the result for an upright image of `size`; with `trim` the largest that it may have."""
    width, height = size
    if "crop" in recipe:
        box = crop_box(recipe["crop"], size)
        width, height = int(box.width), int(box.height)
    made = resampled(width, height, recipe)
    if recipe.get("fit") == "liquid":
        made = carved(made, recipe)
    if recipe.get("fit") == "pad":
        made = canvas(made, recipe)
    return rotated(made, float(recipe.get("rot", 0)))


def eighths(region: tuple[float, float], size: Size, oversampling: Oversampling = OVERSAMPLING) -> int:
    """The smallest n of libjpeg's n/8 that leaves as many pixels of the region per pixel of the result."""
    ratio = min(region[0] / size[0], region[1] / size[1])
    return next((n for n, least in oversampling.items() if n / 8 * ratio >= least), 8)


def decoded(size: Size, n: int) -> Size:
    """What libjpeg makes of `size` at n/8: rounded up, so that the last column and row are only partly image."""
    return -(-size[0] * n // 8), -(-size[1] * n // 8)
