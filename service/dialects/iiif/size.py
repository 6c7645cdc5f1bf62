"""The size of an IIIF request, in whole pixels. Image API 3.0 and 2.1, section 4.2."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from gateway.errors import Refused, quote
from service.dialects.iiif.region import DECIMAL, Region, rounded

Pixels = tuple[int, int]

_EXPECTED = "must be max, w, or ,h or w,h or !w,h in whole pixels, or pct:n"
_PERCENT = re.compile(rf"pct:({DECIMAL})")
_BOX = re.compile(r"(!?)([0-9]{0,9}),([0-9]{0,9})")


@dataclass(frozen=True, slots=True)
class Most:
    """What a result may have at most, in pixels: `maxWidth`, `maxHeight` and `maxArea` of info.json."""

    width: int
    height: int
    area: int

    def takes(self, size: Pixels) -> bool:
        return size[0] <= self.width and size[1] <= self.height and size[0] * size[1] <= self.area

    def fill(self, region: Pixels) -> Pixels:
        """The largest size of the region's shape."""
        width, height = region
        scale = min(Fraction(self.width, width), Fraction(self.height, height))
        scale = min(scale, Fraction(math.isqrt(self.area * 10**12 // (width * height)), 10**6))
        size = scaled(region, scale)
        while not self.takes(size):  # the rounding of a side is a pixel too much
            size = scaled(region, Fraction(size[0] - 1, width))
        return size


def scaled(region: Pixels, scale: Fraction) -> Pixels:
    """A size in a scale, rounded half up, and at least one pixel."""
    return max(1, rounded(region[0] * scale)), max(1, rounded(region[1] * scale))


def size_of(text: str, region: Region, most: Most, version: int) -> Pixels:
    """The size of the result. Version 3 enlarges only after `^`; version 2 knows no `^`, and enlarges. Raises Refused
    (400)."""
    whole, enlarges = (region.width, region.height), text.startswith("^")
    if enlarges and version == 2:
        raise Refused(400, f"size {quote(text)}: ^ is of version 3")
    body = text.removeprefix("^")
    if body == "max" or (body == "full" and version == 2):
        return most.fill(whole) if enlarges or not most.takes(whole) else whole
    size = _asked(body, whole, clamped=version == 3 and not enlarges)
    if size is None:
        raise Refused(400, f"size {quote(text)}: {_EXPECTED}{'; ^ before it allows enlarging' if version == 3 else ''}")
    if version == 3 and not enlarges and (size[0] > whole[0] or size[1] > whole[1]):
        larger = f"{size[0]}x{size[1]} pixels are more than the region's {whole[0]}x{whole[1]}"
        raise Refused(400, f"size {quote(text)}: {larger}; ^ before it allows enlarging")
    if not most.takes(size):
        raise Refused(400, f"size {quote(text)}: {size[0]}x{size[1]} pixels are more than info.json allows")
    return size


def _asked(body: str, whole: Pixels, *, clamped: bool) -> Pixels | None:
    """The size that `pct:n` or one of the boxes asks for; None for anything else."""
    if found := _PERCENT.fullmatch(body):
        percent = Fraction(found[1])
        return scaled(whole, percent / 100) if percent else None
    found = _BOX.fullmatch(body)
    if not found:
        return None
    sides = tuple(int(text) if text else None for text in (found[2], found[3]))
    if 0 in sides:
        return None
    return _FORMS[bool(found[1]), sides[0] is not None, sides[1] is not None](
        whole, sides[0] or 0, sides[1] or 0, clamped
    )


def _confined(whole: Pixels, width: int, height: int, clamped: bool) -> Pixels:  # as all forms
    """Within the box, in the region's shape; `clamped` to the region's own size."""
    scale = min(Fraction(width, whole[0]), Fraction(height, whole[1]))
    size = scaled(whole, min(scale, Fraction(1)) if clamped else scale)
    return min(size[0], width), min(size[1], height)


Form = Callable[[Pixels, int, int, bool], Pixels | None]

_FORMS: dict[tuple[bool, bool, bool], Form] = {
    (False, True, False): lambda whole, width, _, __: (width, scaled(whole, Fraction(width, whole[0]))[1]),
    (False, False, True): lambda whole, _, height, __: (scaled(whole, Fraction(height, whole[1]))[0], height),
    (False, True, True): lambda _, width, height, __: (width, height),
    (True, True, True): _confined,
    (False, False, False): lambda *_: None,
    (True, True, False): lambda *_: None,
    (True, False, True): lambda *_: None,
    (True, False, False): lambda *_: None,
}
"""By what is written: `!`, a width, a height."""
