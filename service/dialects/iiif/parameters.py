"""An IIIF image request: its parameters, the recipe that they mean, and the canonical URI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from gateway.errors import Refused, quote
from gateway.hints import did_you_mean
from gateway.holding import Shape
from gateway.numbers import plain
from gateway.rules import ANIMATED, OPAQUE, Rules
from service.dialects.iiif.region import DECIMAL, Region, rounded
from service.dialects.iiif.size import Pixels

QUALITIES = {"default": "", "color": "", "gray": "gray", "bitonal": "bitonal"}
"""By word, the operation that it is."""

_ELSEWHERE = ("jp2", "pdf")
"""Formats of the specification that are not made here."""

_QUARTER, _WHOLE_TURN = 9000, 36000  # hundredths of a degree
_ROTATION = re.compile(rf"(!?)({DECIMAL})")


@dataclass(frozen=True, slots=True)
class Rotation:
    """A turn clockwise in hundredths of a degree, 0 to 35999, after mirroring where it is `mirrored`."""

    hundredths: int
    mirrored: bool

    def __str__(self) -> str:
        return f"{'!' if self.mirrored else ''}{plain(self.hundredths, 2)}"


@dataclass(frozen=True, slots=True)
class Parameters:
    """The four parameters as they came, and what they are before the shape is known."""

    region: str
    size: str
    rotation: Rotation
    quality: str
    format: str


def parameters_of(region: str, size: str, rotation: str, last: str, rules: Rules) -> Parameters:
    """Parse what needs no shape; `last` is `quality.format`. Raises Refused: 400 for what means nothing, 501 for what
    the specification knows and this server does not."""
    quality, dot, format = last.rpartition(".")
    if not dot:
        raise Refused(400, f"{quote(last)}: must be quality.format, such as default.jpg")
    if quality not in QUALITIES:
        hint = did_you_mean(quality, QUALITIES)
        raise Refused(400, f"quality {quote(quality)}: must be one of {', '.join(QUALITIES)}{hint}")
    if format in _ELSEWHERE:
        raise Refused(501, f"format {format}: not made here; there are {', '.join(rules.out)}")
    if format not in rules.out:
        raise Refused(400, f"format {quote(format)}: must be one of {', '.join(rules.out)}")
    return Parameters(region, size, _rotation_of(rotation), quality, format)


def _rotation_of(text: str) -> Rotation:
    found = _ROTATION.fullmatch(text)
    degrees = Fraction(found[2]) if found else Fraction(-1)
    if found is None or not 0 <= degrees <= 360:
        raise Refused(400, f"rotation {quote(text)}: must be degrees from 0 to 360, after ! to mirror first")
    return Rotation(rounded(degrees * 100) % _WHOLE_TURN, bool(found[1]))


def recipe(asked: Parameters, region: Region, size: Pixels, shape: Shape) -> dict[str, str]:
    """The operations of a request, as the vocabulary spells them; not yet canonical."""
    given: dict[str, str] = {}
    if not region.covers(shape):
        given["crop"] = region.crop()
    if size != (region.width, region.height):
        given |= {"w": str(size[0]), "h": str(size[1]), "fit": "fill"}
        if size[0] > region.width or size[1] > region.height:
            given["up"] = "1"
    given |= _turn(asked.rotation, asked.format)
    if operation := QUALITIES[asked.quality]:
        given[operation] = "1"
    if shape.frames > 1 and asked.format in ANIMATED:
        given["frame"] = "0"
    return given


def _turn(rotation: Rotation, format: str) -> dict[str, str]:
    """IIIF mirrors before it turns, and our `flip` comes after `rot`: a mirror turns a turn around."""
    given: dict[str, str] = {}
    turn = -rotation.hundredths % _WHOLE_TURN if rotation.mirrored else rotation.hundredths
    if turn:
        given["rot"] = plain(turn, 2)
    if rotation.mirrored:
        given["flip"] = "h"
    if turn % _QUARTER and format not in OPAQUE:
        given["bg"] = "ffffff00"
    return given


def canonical(asked: Parameters, region: Region, size: Pixels, shape: Shape, largest: Pixels, version: int) -> str:
    """What follows the base URI in the canonical URI (3.0, section 4.7; 2.1, section 4.7)."""
    where = "full" if region.covers(shape) else str(region)
    quality = "default" if asked.quality == "color" else asked.quality
    return f"{where}/{_size(region, size, largest, version)}/{asked.rotation}/{quality}.{asked.format}"


def _size(region: Region, size: Pixels, largest: Pixels, version: int) -> str:
    width, height = size
    if version == 3:
        if size == largest:
            return "max"
        return f"{'^' if width > region.width or height > region.height else ''}{width},{height}"
    if size == (region.width, region.height):
        return "full"
    in_shape = height == max(1, round(Fraction(region.height * width, region.width) + Fraction(1, 10**12)))
    return f"{width}," if in_shape else f"{width},{height}"
