"""How large imgproxy makes an image: its scale, what it cuts off then, and the canvas.

The arithmetic is imgproxy 4's (processing/prepare.go), on the turned image. Sizes are in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from service.dialects.imgproxy.options import Gravity, Options
from service.dialects.imgproxy.values import rounded

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sizes:
    """`scaled` is the whole image after scaling, `cut` what is kept of it, `canvas` what that is laid on. `dpr` is the
    factor that came to be: without enlarging it is less than what was asked where pixels are wanting."""

    scaled: Size
    cut: Size
    canvas: Size
    dpr: float


def region(size: Size, options: Options) -> Size:
    """The size of what `crop` keeps."""
    return _kept(size[0], options.crop[0]), _kept(size[1], options.crop[1])


def _kept(side: int, crop: float) -> int:
    if crop == 0:
        return side
    return min(side, int(crop)) if crop >= 1 else rounded(side * crop)


def sizes(size: Size, options: Options) -> Sizes:
    """What becomes of a region of `size`."""
    across, down, dpr = _shrinks(size, options)
    scaled = rounded(size[0] / across), rounded(size[1] / down)
    target = _times(options.width, dpr * options.zoom[0]), _times(options.height, dpr * options.zoom[1])
    cut = _fitting(target, scaled) if options.resizing == "fill-down" and not options.enlarge else target
    kept = min(cut[0] or scaled[0], scaled[0]), min(cut[1] or scaled[1], scaled[1])
    return Sizes(scaled, kept, _canvas(kept, target, options), dpr)


def _times(side: int, factor: float) -> int:
    """A size that was asked, multiplied; 0 stays open."""
    return rounded(side * factor) if side else 0


def _shrinks(size: Size, options: Options) -> tuple[float, float, float]:
    """By how much width and height shrink, and the dpr."""
    across = size[0] / (options.width or size[0])
    down = size[1] / (options.height or size[1])
    across, down = _by_kind(across, down, size, options)
    across, down = across / options.zoom[0], down / options.zoom[1]
    dpr = options.dpr
    if not options.enlarge:
        least = min(across, down)
        if least < 1:
            across, down = across / least, down / least
            dpr = dpr if options.extend else dpr / least
        dpr = min(dpr, across, down)
    if options.min_width and size[0] / options.min_width < across:
        across, down = size[0] / options.min_width, down * size[0] / options.min_width / across
    if options.min_height and size[1] / options.min_height < down:
        across, down = across * size[1] / options.min_height / down, size[1] / options.min_height
    return min(across / dpr, size[0]), min(down / dpr, size[1]), dpr


def _by_kind(across: float, down: float, size: Size, options: Options) -> tuple[float, float]:
    kind = options.resizing
    if kind == "auto":
        wanted = (options.width or size[0]) - (options.height or size[1])
        kind = "fill" if (size[0] - size[1] >= 0) == (wanted >= 0) else "fit"
    if kind == "force" or across == down == 1:
        return across, down
    if not options.width or not options.height:
        open_side = down if not options.width else across
        return open_side, open_side
    both = max(across, down) if kind == "fit" else min(across, down)
    return both, both


def _fitting(target: Size, scaled: Size) -> Size:
    """The box of `fill-down` where the image is smaller: its shape stays."""
    across, down = target[0] / scaled[0], target[1] / scaled[1]
    if across > down and across > 1:
        return scaled[0], rounded(scaled[0] * target[1] / target[0]) if target[1] else 0
    if down > across and down > 1:
        return rounded(scaled[1] * target[0] / target[1]) if target[0] else 0, scaled[1]
    return target


def _canvas(kept: Size, target: Size, options: Options) -> Size:
    if options.extend:
        return max(kept[0], target[0]), max(kept[1], target[1])
    if options.extend_ratio and target[0] and target[1]:
        if target[1] * kept[0] > target[0] * kept[1]:
            return kept[0], rounded(kept[0] * target[1] / target[0])
        return rounded(kept[1] * target[0] / target[1]), kept[1]
    return kept


def position(outer: Size, inner: Size, gravity: Gravity, dpr: float) -> Size:
    """Where the inner rectangle lies in the outer one: left and top, never beyond its edges."""
    return (
        _place(outer[0], inner[0], gravity, gravity.point[0], gravity.x, dpr),
        _place(outer[1], inner[1], gravity, gravity.point[1], gravity.y, dpr),
    )


def _place(outer: int, inner: int, gravity: Gravity, point: float, offset: float, dpr: float) -> int:
    if gravity.type == "fp":
        place = round(outer * point) - inner // 2
    else:
        moved = round(offset * dpr) if abs(offset) >= 1 else round(outer * offset)
        starts = {0.0: moved, 0.5: round((outer - inner + 1) / 2) + moved, 1.0: outer - inner - moved}
        place = starts[point]
    return max(0, min(place, outer - inner))


def is_uniform(region: Size, scaled: Size) -> bool:
    """Whether both sides are scaled alike, as far as whole pixels show."""
    by_width, by_height = region[1] * scaled[0] / region[0], region[0] * scaled[1] / region[1]
    return math.isclose(by_width, scaled[1], abs_tol=1) or math.isclose(by_height, scaled[0], abs_tol=1)
