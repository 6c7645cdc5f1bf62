"""What the options of an imgproxy URL ask for, with the defaults of https://docs.imgproxy.net/usage/processing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RESIZING = ("fit", "fill", "fill-down", "force", "auto")

COMPASS: Mapping[str, tuple[float, float]] = {
    "ce": (0.5, 0.5),
    "no": (0.5, 0.0),
    "so": (0.5, 1.0),
    "ea": (1.0, 0.5),
    "we": (0.0, 0.5),
    "noea": (1.0, 0.0),
    "nowe": (0.0, 0.0),
    "soea": (1.0, 1.0),
    "sowe": (0.0, 1.0),
}
"""Where a gravity lies, as parts of width and height."""


@dataclass(frozen=True, slots=True)
class Gravity:
    """A word of COMPASS with offsets, `fp` with its point, or `sm`."""

    type: str = "ce"
    x: float = 0.0
    y: float = 0.0

    @property
    def moved(self) -> bool:
        """Whether it has offsets, which are of pixels that only the image's shape tells."""
        return self.type in COMPASS and (self.x, self.y) != (0.0, 0.0)

    @property
    def point(self) -> tuple[float, float]:
        """Its place as parts of width and height, without offsets."""
        return (self.x, self.y) if self.type == "fp" else COMPASS[self.type]


@dataclass(frozen=True, slots=True)
class Options:
    """What the options of one URL ask for. A size of 0 is open; `padding` is top, right, bottom, left in pixels."""

    resizing: str = "fit"
    width: int = 0
    height: int = 0
    min_width: int = 0
    min_height: int = 0
    zoom: tuple[float, float] = (1.0, 1.0)
    dpr: float = 1.0
    enlarge: bool = False
    extend: Gravity | None = None
    extend_ratio: Gravity | None = None
    gravity: Gravity = Gravity()
    crop: tuple[float, float] = (0.0, 0.0)
    crop_gravity: Gravity | None = None
    trim: float | None = None
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    rotate: int = 0
    flip: tuple[bool, bool] = (False, False)
    background: str | None = None
    blur: float = 0.0
    quality: int = 0
    format_quality: Mapping[str, int] = field(default_factory=dict)
    max_bytes: int = 0
    format: str = ""
    keep_copyright: bool = False
    keep_profile: bool = False
    expires: int = 0
