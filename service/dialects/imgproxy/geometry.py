"""The region, the size and the turn that the options of an imgproxy URL ask for, in the words of a recipe.

Some options mean the same for every original. The others depend on its shape: `needs_shape` tells which; with the shape
they become a region in pixels and an exact size.
"""

from __future__ import annotations

import math

from gateway.errors import Refused
from gateway.holding import Shape
from service.dialects.imgproxy import scaling
from service.dialects.imgproxy.frames import turned, unturned_box, unturned_point
from service.dialects.imgproxy.options import Gravity, Options
from service.dialects.imgproxy.values import rounded
from service.engine.geometry import Box, resampled

Given = dict[str, str]
Size = tuple[int, int]

_FITS = {"fit": "inside", "fill": "cover", "fill-down": "cover", "force": "fill"}


def needs_shape(options: Options) -> bool:
    """Whether the same recipe would not do for every original."""
    both, one = bool(options.width and options.height), bool(options.width or options.height)
    lone = (options.crop != (0.0, 0.0), options.min_width, options.min_height, any(options.padding))
    if any(lone) or options.extend_ratio or options.zoom[0] != options.zoom[1]:
        return True
    factor = options.zoom[0] * options.dpr
    if not one:
        return factor != 1 if options.enlarge else factor < 1
    if not both:
        unlike = options.resizing == "force" or (options.extend is not None and not options.enlarge)
        return unlike or _splits_pixels(options, factor)
    return _box_needs_shape(options, factor)


def _box_needs_shape(options: Options, factor: float) -> bool:
    """The same, where both sides were asked."""
    if options.resizing == "fit":
        laid = options.extend is not None and (options.extend.moved or (options.dpr != 1 and not options.enlarge))
        return laid or _splits_pixels(options, factor)
    if options.resizing == "auto" or options.gravity.moved:
        return True
    return not options.enlarge and (options.resizing != "fill-down" or options.extend is not None)


def _splits_pixels(options: Options, factor: float) -> bool:
    """Whether a side that was asked ends inside a pixel, from which imgproxy still computes the other one."""
    sides = (options.width * factor, options.height * factor)
    return any(not math.isclose(side, round(side)) for side in sides)


def given_of(options: Options, shape: Shape | None) -> Given:
    """`crop`, `w`, `h`, `fit`, `up`, `g`, `rot` and `flip`. Raises Refused (404) for what a recipe cannot say.

    `shape` is that of the upright original; without it `needs_shape` must be false.
    """
    given = _of_shape(options, shape) if shape else _of_any(options)
    if options.rotate:
        given["rot"] = str(options.rotate)
    flip = "".join(word for word, wanted in zip("hv", options.flip, strict=True) if wanted)
    return given | ({"flip": flip} if flip else {})


def _of_any(options: Options) -> Given:
    factor = options.zoom[0] * options.dpr
    size = [rounded(side * factor) if side else 0 for side in (options.width, options.height)]
    given = _box((size[0], size[1]), options)
    if not given:
        return {}
    if len(given) == 2:
        given["fit"] = _FITS[options.resizing]
        if given["fit"] == "inside" and options.extend:
            given |= {"fit": "pad", "g": _focus(options.extend.point, options)}
        if given["fit"] == "cover":
            given["g"] = _gravity(options)
    return given | ({"up": "1"} if options.enlarge else {})


def _of_shape(options: Options, shape: Shape) -> Given:
    whole = turned((shape.width, shape.height), options)
    size = scaling.region(whole, options)
    part = _part(whole, size, options)
    sizes = scaling.sizes(size, options)
    canvas = _canvas(sizes, options)
    if sizes.cut != sizes.scaled:
        cover = _cover(size, sizes, options)
        if cover and canvas == sizes.cut:
            return _crop(part, whole, options) | cover
        part = _cut(part, sizes, options)
    kept = rounded(part.width), rounded(part.height)
    laid = _padded if canvas != sizes.cut else _natural
    return _crop(part, whole, options) | laid(kept, sizes, options)


def _part(whole: Size, size: Size, options: Options) -> Box:
    """What `crop` keeps of the turned original."""
    if size == whole:
        return Box(0, 0, *whole)
    gravity = options.crop_gravity or options.gravity
    if gravity.type == "sm":
        raise Refused(404, "c: with the gravity sm it has no equal here")
    left, top = scaling.position(whole, size, gravity, 1.0)
    return Box(left, top, left + size[0], top + size[1])


def _cover(size: Size, sizes: scaling.Sizes, options: Options) -> Given | None:
    """`fit=cover`, where it cuts the same."""
    if options.gravity.moved or not scaling.is_uniform(size, sizes.scaled):
        return None
    if sizes.cut[0] != sizes.scaled[0] and sizes.cut[1] != sizes.scaled[1]:
        return None
    given = {"w": str(sizes.cut[0]), "h": str(sizes.cut[1]), "fit": "cover"} | _up(size, sizes.scaled)
    if resampled(*size, given) != sizes.cut:
        return None
    return _swapped(given, options) | {"g": _gravity(options)}


def _cut(part: Box, sizes: scaling.Sizes, options: Options) -> Box:
    """The part of the original that is left after the scaled image is cut."""
    if options.gravity.type == "sm":
        raise Refused(404, "g:sm has no equal here beside these sizes")
    left, top = scaling.position(sizes.scaled, sizes.cut, options.gravity, sizes.dpr)
    across, down = part.width / sizes.scaled[0], part.height / sizes.scaled[1]
    box = Box(left * across, top * down, (left + sizes.cut[0]) * across, (top + sizes.cut[1]) * down)
    return Box(*box.moved(part.left, part.top).whole())


def _natural(kept: Size, sizes: scaling.Sizes, options: Options) -> Given:
    """The sizes as they were asked where that gives the same, else the exact ones."""
    asked = (
        rounded(options.width * options.zoom[0] * options.dpr),
        rounded(options.height * options.zoom[1] * options.dpr),
    )
    width, height = str(sizes.cut[0]), str(sizes.cut[1])
    candidates: list[Given] = [
        {},
        _box((asked[0] if options.width else 0, asked[1] if options.height else 0), options, swap=False),
        {"w": width},
        {"h": height},
    ]
    up = _up(kept, sizes.cut)
    alike = scaling.is_uniform(kept, sizes.cut)
    for given in candidates if alike else candidates[:1]:
        if resampled(*kept, given | up) == sizes.cut:
            return _swapped(given | (up if given else {}), options)
    return _swapped({"w": width, "h": height, "fit": "fill"} | up, options)


def _padded(kept: Size, sizes: scaling.Sizes, options: Options) -> Given:
    """The image on a larger canvas."""
    canvas = _canvas(sizes, options)
    given = {"w": str(canvas[0]), "h": str(canvas[1]), "fit": "pad"} | _up(kept, sizes.cut)
    if resampled(*kept, given) != sizes.cut:
        word = "pd" if any(options.padding) else "ex" if options.extend else "exar"
        raise Refused(
            404, f"{word}: has no equal here beside these sizes: the image would be scaled to fill the canvas"
        )
    inner = options.extend or options.extend_ratio or Gravity()
    left, top = scaling.position(sizes.canvas, sizes.cut, inner, sizes.dpr)
    edge = _padding(sizes, options)
    place = left + edge[3], top + edge[0]
    room = canvas[0] - sizes.cut[0], canvas[1] - sizes.cut[1]
    plain = not inner.moved and not any(options.padding)
    point = inner.point if plain else (_part_of(place[0], room[0]), _part_of(place[1], room[1]))
    return _swapped(given, options) | {"g": _focus(point, options)}


def _part_of(place: int, room: int) -> float:
    """The coordinate of `g` that puts an image there. Raises Refused where three decimals cannot say it."""
    if not room:
        return 0.5
    part = round(place / room, 3)
    if round(part * room) != place:
        raise Refused(404, "the place of the image on its canvas has no equal here")
    return part


def _padding(sizes: scaling.Sizes, options: Options) -> tuple[int, ...]:
    return tuple(round(side * sizes.dpr) for side in options.padding)


def _canvas(sizes: scaling.Sizes, options: Options) -> Size:
    top, right, bottom, left = _padding(sizes, options)
    return sizes.canvas[0] + left + right, sizes.canvas[1] + top + bottom


def _crop(part: Box, whole: Size, options: Options) -> Given:
    if part == Box(0, 0, *whole):
        return {}
    box = unturned_box(part, whole, options)
    return {"crop": f"{box.left:.0f}:{box.top:.0f}:{box.width:.0f}:{box.height:.0f}"}


def _up(size: Size, made: Size) -> Given:
    return {"up": "1"} if made[0] > size[0] or made[1] > size[1] else {}


def _box(size: Size, options: Options, swap: bool = True) -> Given:
    given = {key: str(side) for key, side in zip("wh", size, strict=True) if side}
    return _swapped(given, options) if swap else given


def _swapped(given: Given, options: Options) -> Given:
    """The box on the original, which is turned after it has been scaled."""
    if options.rotate % 180 == 0:
        return given
    names = {"w": "h", "h": "w"}
    return {names.get(key, key): value for key, value in given.items()}


def _gravity(options: Options) -> str:
    return "smart" if options.gravity.type == "sm" else _focus(options.gravity.point, options)


def _focus(point: tuple[float, float], options: Options) -> str:
    x, y = unturned_point(point, options)
    return f"{x:.3f}:{y:.3f}"
