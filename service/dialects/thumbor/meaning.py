"""What a thumbor URL is in the words of a recipe.

Most URLs mean the same for every original. Some depend on its shape: `needs_shape` tells which.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import OPAQUE
from service.dialects.thumbor.filters import Filters
from service.dialects.thumbor.url import ORIGINAL, Url

Given = dict[str, str]
Size = tuple[int, int]

_PLACES = {"left": 0.0, "center": 0.5, "right": 1.0, "top": 0.0, "middle": 0.5, "bottom": 1.0}
_FARTHEST = math.sqrt(3) * 255  # between black and white, in thumbor's measure of colours


def needs_shape(url: Url, filters: Filters) -> bool:
    """Whether the same recipe would not do for every original."""
    width, height = url.size
    if ORIGINAL in url.size:
        return True
    if url.adaptive and width and height and width != height:
        return True
    if filters.no_upscale and (width or height) and not _bounded_alike(url, filters):
        return True
    return bool(filters.focal) and _cuts(url, filters)


def _bounded_alike(url: Url, filters: Filters) -> bool:
    """Whether `no_upscale` does no more than what a recipe without `up` does."""
    if url.fit_in:
        return not url.full and not filters.fill
    return not all(url.size) and not url.crop and not url.trim


def _cuts(url: Url, filters: Filters) -> bool:
    """Whether the box cuts off a part, so that it matters what is kept."""
    return all(url.size) and not url.fit_in and not filters.stretch


def check(url: Url, filters: Filters) -> None:
    """Raise Refused (400) for parts that have no equal beside each other."""
    if url.trim is not None and (url.crop or needs_shape(url, filters)):
        raise Refused(400, "trim: has no equal here beside a crop, or what needs the size of what is left")
    if filters.focal and url.smart:
        raise Refused(400, "focal: has no equal here beside smart")
    if filters.no_upscale and ORIGINAL in url.size:
        raise Refused(400, "no_upscale: has no equal here beside orig")


def geometry(url: Url, filters: Filters, shape: Shape | None) -> Given:
    """`crop`, `w`, `h`, `fit`, `up`, `g`, `rot`, `flip`. Without a shape `needs_shape` must be false."""
    given: Given = {}
    if url.crop:
        left, top, right, bottom = url.crop
        given["crop"] = f"{left}:{top}:{right - left}:{bottom - top}"
    if shape:
        url = _measured(url, filters, shape)
    given |= _fitted(url, filters) if url.fit_in else _boxed(url, filters, shape)
    return given | _turned(url, filters)


def _kept(url: Url, shape: Shape) -> tuple[int, int, int, int]:
    """The part of the original that `crop` keeps, by its edges."""
    left, top, right, bottom = url.crop or (0, 0, shape.width, shape.height)
    return min(left, shape.width), min(top, shape.height), min(right, shape.width), min(bottom, shape.height)


def _measured(url: Url, filters: Filters, shape: Shape) -> Url:
    """The URL with what the shape decides decided: `orig`, `no_upscale`, `adaptive`."""
    left, top, right, bottom = _kept(url, shape)
    region = right - left, bottom - top
    width, height = (region[side] if url.size[side] == ORIGINAL else url.size[side] for side in (0, 1))
    if filters.no_upscale and not (url.fit_in and _bounded_alike(url, filters)):
        width, height = min(width, shape.width), min(height, shape.height)
    if url.adaptive and ((region[0] < region[1] and width > height) or (region[0] > region[1] and width < height)):
        width, height = height, width
    return replace(url, size=(width, height))


def _box(url: Url) -> Given:
    return {key: str(side) for key, side in zip("wh", url.size, strict=True) if side}


def _fitted(url: Url, filters: Filters) -> Given:
    """`fit-in`: nothing is cut, and nothing enlarged but by `full-` and `upscale`."""
    given = _box(url)
    if not given:
        return {}
    if url.full:
        return given | {"fit": "outside", "up": "1"}
    if filters.fill:
        if len(given) == 1:
            raise Refused(400, "fill: beside fit-in with one side it has no equal here; give both")
        given["fit"] = "pad"
    return given | ({"up": "1"} if filters.upscale and len(given) > 1 else {})


def _boxed(url: Url, filters: Filters, shape: Shape | None) -> Given:
    """Without `fit-in` the box is filled, also where the original is smaller."""
    given = _box(url)
    if not given:
        return {}
    if len(given) == 1:
        only_shrinks = filters.no_upscale and shape is None
        return given if only_shrinks else given | {"up": "1"}
    given["up"] = "1"
    if filters.stretch:
        return given | {"fit": "fill"}
    return given | {"fit": "cover", "g": "smart" if url.smart else _gravity(url, filters, shape)}


def _gravity(url: Url, filters: Filters, shape: Shape | None) -> str:
    x, y = _PLACES[url.halign], _PLACES[url.valign]
    if filters.focal and shape:
        x, y = _focus(url, filters, shape) or (x, y)
    return f"{x:.3f}:{y:.3f}"


def _focus(url: Url, filters: Filters, shape: Shape) -> tuple[float, float] | None:
    """The mean of the focal boxes' middles, weighted by their areas, as parts of what is kept; None if all lie
    outside."""
    left, top, right, bottom = _kept(url, shape)
    found = [(x0 + (x1 - x0) // 2, y0 + (y1 - y0) // 2, (x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in filters.focal]
    inside = [(x, y, area) for x, y, area in found if left <= x <= right and top <= y <= bottom]
    total = sum(area for *_, area in inside)
    if not total:
        return None
    x = sum(x * area for x, _, area in inside) / total - left
    y = sum(y * area for _, y, area in inside) / total - top
    return min(1.0, x / (right - left)), min(1.0, y / (bottom - top))


def _turned(url: Url, filters: Filters) -> Given:
    """thumbor mirrors and turns then; a recipe turns and mirrors then, so beside one mirror it turns the other way."""
    flip = "".join(word for word, wanted in zip("hv", url.flip, strict=True) if wanted)
    turn = -filters.rotate % 360 if len(flip) == 1 else filters.rotate
    return ({"rot": str(turn)} if turn else {}) | ({"flip": flip} if flip else {})


def needs_opacity(filters: Filters, format: str) -> bool:
    """Whether a filter means the same here only for an original without transparency, which thumbor would fill."""
    return bool(filters.background or filters.fill_transparent) and format not in OPAQUE


def colours(filters: Filters, format: str, *, opaque: bool) -> Iterator[tuple[str, str]]:
    """`bg`, `gray`, `bri`, `con`. Raises Refused (400)."""
    if filters.background and filters.fill:
        raise Refused(400, "background_color: has no equal here beside fill")
    if needs_opacity(filters, format) and not opaque:
        word = "background_color" if filters.background else "fill"
        raise Refused(400, f"{word}: what is transparent is filled only in {' and '.join(OPAQUE)}")
    if filters.fill == "00000000" and format in OPAQUE:
        raise Refused(400, f"fill(transparent): {format} has no transparency")
    if filters.background or filters.fill:
        yield "bg", filters.background or filters.fill
    if filters.gray:
        yield "gray", "1"
    if filters.brightness:
        yield "bri", str(filters.brightness)
    if filters.contrast:
        yield "con", str(_contrast(filters.contrast))


def _contrast(value: int) -> int:
    """Our contrast with the slope of thumbor's, which is the square of (100 + value) / 100."""
    slope = ((100 + value) / 100) ** 2
    return round(100 * (4 / math.pi * math.atan(slope) - 1))


def rest(url: Url, filters: Filters) -> Iterator[tuple[str, str]]:
    """`trim`, `blur`, `q`, `mb`."""
    if url.trim is not None:
        yield "trim", f"{min(100.0, 100 * url.trim / _FARTHEST):.1f}"
    if filters.blur:
        yield "blur", f"{filters.blur:.1f}"
    if filters.quality:
        yield "q", str(filters.quality)
    if filters.max_bytes:
        yield "mb", str(filters.max_bytes)
