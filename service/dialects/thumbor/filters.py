"""thumbor's filters: what each sets, and those that are refused by name.

The filters and their arguments are those of https://thumbor.readthedocs.io/en/latest/filters.html.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from gateway.errors import Refused, quote
from gateway.rules import FORMAT_ALIASES

_COLOURS: Mapping[str, str] = {
    **{
        "black": "000000",
        "silver": "c0c0c0",
        "gray": "808080",
        "grey": "808080",
        "white": "ffffff",
        "maroon": "800000",
    },
    **{"red": "ff0000", "purple": "800080", "fuchsia": "ff00ff", "magenta": "ff00ff", "green": "008000"},
    **{"lime": "00ff00", "olive": "808000", "yellow": "ffff00", "navy": "000080", "blue": "0000ff", "teal": "008080"},
    **{"aqua": "00ffff", "cyan": "00ffff", "orange": "ffa500", "transparent": "00000000"},
}
"""The basic colours of CSS."""

_HEX = re.compile(r"[0-9a-fA-F]{3}([0-9a-fA-F]{3})?")
_DECIMAL = re.compile(r"\d{1,4}(\.\d{1,3})?", re.ASCII)
_FOCAL = re.compile(r"(\d{1,6})x(\d{1,6}):(\d{1,6})x(\d{1,6})", re.ASCII)
_TRUTHS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}
_LONGEST_RADIUS = 150  # thumbor's

Region = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the filters ask for. `rotate` is degrees clockwise, `blur` a sigma in pixels, `focal` boxes by their edges.

    `drawn` are the filters that change pixels, in the order in which they were written.
    """

    quality: int = 0
    format: str = ""
    max_bytes: int = 0
    fill: str = ""
    fill_transparent: bool = False
    background: str = ""
    rotate: int = 0
    gray: bool = False
    brightness: int = 0
    contrast: int = 0
    blur: float = 0.0
    upscale: bool = False
    no_upscale: bool = False
    stretch: bool = False
    focal: tuple[Region, ...] = ()
    drawn: tuple[str, ...] = ()


Arguments = Sequence[str]
Changes = dict[str, Any]

ORDER = ("upscale", "fill", "rotate", "grayscale", "brightness", "contrast", "blur", "background_color")
"""The order in which the engine does what these do; thumbor applies filters as they are written."""


def read(text: str) -> Filters:
    """The filters of `NAME(ARGUMENTS):NAME(ARGUMENTS)`. Raises Refused (400) by the filter's name."""
    filters = Filters()
    for name, arguments in _calls(text):
        if name in REFUSED:
            raise Refused(400, f"{name}: {REFUSED[name]}")
        if name not in READERS:
            raise Refused(400, f"{quote(name)}: no such filter here; there are {', '.join(READERS)}")
        filters = replace(filters, **READERS[name](filters, name, arguments))
        if name in ORDER:
            filters = replace(filters, drawn=(*filters.drawn, name))
    _check_order(filters.drawn)
    return filters


def _calls(text: str) -> Iterator[tuple[str, list[str]]]:
    for call in text.removesuffix(")").split("):") if text else ():
        name, bracket, inside = call.partition("(")
        if not bracket:
            raise Refused(400, f"{quote(call)}: a filter must be NAME(ARGUMENTS)")
        yield name, [argument.strip().strip("'") for argument in inside.split(",")] if inside.strip() else []


def _check_order(drawn: Sequence[str]) -> None:
    for one, other in pairwise(drawn):
        if ORDER.index(one) >= ORDER.index(other):
            raise Refused(400, f"{other}: after {one} it has no equal here; the order is {', '.join(ORDER)}, each once")


def _count(name: str, arguments: Arguments, least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        wanted = str(most) if least == most else f"{least} to {most}"
        raise Refused(400, f"{name}: must have {wanted} arguments")


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
        raise Refused(400, f"{name}({quote(text)}): must be a whole number from {least} to {most}")
    return int(text)


def _number(key: str, least: int, most: int) -> Callable[[Filters, str, Arguments], Changes]:
    def read(_: Filters, name: str, arguments: Arguments) -> Changes:
        _count(name, arguments, 1, 1)
        return {key: _whole(name, arguments[0], least, most)}

    return read


def _flag(key: str) -> Callable[[Filters, str, Arguments], Changes]:
    def read(_: Filters, name: str, arguments: Arguments) -> Changes:
        _count(name, arguments, 0, 0)
        return {key: True} if key else {}

    return read


def _format(_: Filters, name: str, arguments: Arguments) -> Changes:
    _count(name, arguments, 1, 1)
    word = arguments[0].lower()
    return {"format": FORMAT_ALIASES.get(word, word)}


def _colour(name: str, text: str) -> str:
    if text.lower() in _COLOURS:
        return _COLOURS[text.lower()]
    if not _HEX.fullmatch(text):
        raise Refused(400, f"{name}({quote(text)}): must be hex digits such as ff8800, or one of {', '.join(_COLOURS)}")
    return text.lower()


def _fill(_: Filters, name: str, arguments: Arguments) -> Changes:
    _count(name, arguments, 1, 2)
    if arguments[0] in ("auto", "blur"):
        raise Refused(400, f"fill({arguments[0]}): has no equal here; name a colour")
    if len(arguments) == 2 and arguments[1] not in _TRUTHS:
        raise Refused(400, f"fill: {quote(arguments[1])} must be true or false")
    return {"fill": _colour(name, arguments[0]), "fill_transparent": _TRUTHS[(*arguments, "0")[1]]}


def _background(_: Filters, name: str, arguments: Arguments) -> Changes:
    _count(name, arguments, 1, 1)
    return {"background": _colour(name, arguments[0])}


def _rotate(_: Filters, name: str, arguments: Arguments) -> Changes:
    _count(name, arguments, 1, 1)
    angle = _whole(name, arguments[0], -(10**6), 10**6)
    if angle % 90:
        raise Refused(400, f"rotate({angle}): must be a multiple of 90, as in thumbor")
    return {"rotate": -angle % 360}


def _blur(_: Filters, name: str, arguments: Arguments) -> Changes:
    _count(name, arguments, 1, 2)
    radius = _whole(name, arguments[0], 1, 10**6)
    if len(arguments) > 1 and not _DECIMAL.fullmatch(arguments[1]):
        raise Refused(400, f"blur: {quote(arguments[1])} must be a sigma such as 2 or 0.8")
    sigma = float(arguments[1]) if len(arguments) > 1 else 0.0
    return {"blur": spread(radius, sigma or float(radius))}


def spread(radius: int, sigma: float) -> float:
    """The standard deviation of thumbor's kernel, which ends at `radius`: a Gaussian of this sigma blurs as much."""
    radius = min(radius, _LONGEST_RADIUS)
    weights = {place: math.exp(-(place**2) / (2 * sigma**2)) for place in range(-radius, radius + 1)}
    return math.sqrt(sum(weight * place**2 for place, weight in weights.items()) / sum(weights.values()))


def _focal(filters: Filters, name: str, arguments: Arguments) -> Changes:
    _count(name, arguments, 1, 1)
    match = _FOCAL.fullmatch(arguments[0])
    if not match:
        raise Refused(400, f"focal({quote(arguments[0])}): must be LEFTxTOP:RIGHTxBOTTOM in pixels")
    left, top, right, bottom = (int(edge) for edge in match.groups())
    if left >= right or top >= bottom:
        raise Refused(400, f"focal({arguments[0]}): right and bottom must be beyond left and top")
    return {"focal": (*filters.focal, (left, top, right, bottom))}


READERS: Mapping[str, Callable[[Filters, str, Arguments], Changes]] = {
    "quality": _number("quality", 1, 100),
    "format": _format,
    "max_bytes": _number("max_bytes", 1, 10**9),
    "upscale": _flag("upscale"),
    "no_upscale": _flag("no_upscale"),
    "stretch": _flag("stretch"),
    "focal": _focal,
    "fill": _fill,
    "rotate": _rotate,
    "grayscale": _flag("gray"),
    "brightness": _number("brightness", -100, 100),
    "contrast": _number("contrast", -100, 100),
    "blur": _blur,
    "background_color": _background,
    "strip_exif": _flag(""),
    "strip_icc": _flag(""),
}

_NONE = "has no equal here"

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("colorize", "convolution", "curve", "extract_focal", "frame", "noise", "redeye", "rgb"), _NONE),
    **dict.fromkeys(
        ("round_corner", "watermark", "proportion", "autojpg", "cover", "gifv", "distributed_collage"), _NONE
    ),
    "equalize": "has no equal here: thumbor's evens each channel alone, equalize=1 of a canonical name lightness",
    "saturation": "has no equal here: sat of a canonical name is saturation in HSL",
    "sharpen": "has no equal here: sharpen of a canonical name is an unsharp mask",
    "max_age": "has no equal here: public.max_age says how long browsers keep an image",
}
"""The filters that are known and refused, and why."""
