"""The overlays that a recipe asks for, as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.overlays import DEFAULTS, OWN_SIZE
from service.engine.geometry import Box

SPREAD = ("tile", "diagonal")
"""Places that are the whole picture."""

_SIDES = {"w": 0.0, "nw": 0.0, "sw": 0.0, "e": 1.0, "ne": 1.0, "se": 1.0}
_HEIGHTS = {"n": 0.0, "ne": 0.0, "nw": 0.0, "s": 1.0, "se": 1.0, "sw": 1.0}


@dataclass(frozen=True, slots=True)
class Item:
    """One overlay of a recipe. `x` and `y` are a length in pixels, or of 1 where `shares` says so; `opacity` and
    `scale` are of 1, the scale None for the overlay's own size."""

    name: str
    place: str
    x: str
    y: str
    opacity: float
    scale: float | None

    def offsets(self, area: Box) -> tuple[int, int]:
        """The offsets in pixels of an area."""
        return _pixels(self.x, area.width), _pixels(self.y, area.height)

    def corner(self, size: tuple[int, int], area: Box) -> tuple[int, int]:
        """The left and upper edge of an overlay of `size` in an area: as far from its edges as the offsets say."""
        x, y = self.offsets(area)
        across, down = _SIDES.get(self.place, 0.5), _HEIGHTS.get(self.place, 0.5)
        left = area.left + across * (area.width - size[0]) + x * (1 if across == 0 else -1 if across == 1 else 0)
        top = area.top + down * (area.height - size[1]) + y * (1 if down == 0 else -1 if down == 1 else 0)
        return round(left), round(top)


def items(value: str) -> Iterator[Item]:
    """The overlays of a canonical value of `over`, the lowest first."""
    for text in value.split("~"):
        first, *given = text.split(":")
        place, x, y, opacity, scale = (*given, *DEFAULTS[len(given) :])
        share = None if scale == OWN_SIZE else float(scale[:-1]) / 100
        yield Item(first.partition(".")[0], place, x, y, float(opacity), share)


def _pixels(text: str, side: float) -> int:
    return round(float(text[:-1]) * side / 100) if text.endswith("p") else int(text)
