"""High dynamic range to the standard one: PQ and HLG of ITU-R BT.2100-3, with white where ITU-R BT.2408-8 has it.

    light     PQ: the EOTF of SMPTE ST 2084, in cd/m2. HLG: the inverse OETF, E, then the OOTF of a display of 1,000
              cd/m2 (gamma 1.2), 1000 Y^0.2 E, with Y by the statement's own primaries: 75 % is 203 cd/m2.
    white     203 cd/m2, HDR Reference White (BT.2408, table 1), is 1.
    gamut     a matrix to the target's primaries; what is negative becomes 0.
    knee      m = max(R, G, B). Up to KNEE nothing changes. Above it R, G and B are all multiplied by t(m) / m, so that
              hue and saturation stay (the max-RGB way of BT.2408, annex 5):

                  u = (m - KNEE) / (1 - KNEE)    t(m) = KNEE + (1 - KNEE) u (1 + u / p^2) / (1 + u)

              This is Reinhard's operator with a burning point (Reinhard et al. 2002, equation 4), begun at the knee
              with slope 1. p is the u of the peak, 10,000 cd/m2 for PQ and 1,000 for HLG, which comes out as 1; white
              at 203 cd/m2 comes out at 251 of 255.
    samples   the curve of sRGB.

Pillow has 8 bits a sample. So the samples of 8 to 16 bits are brought to 8 by `shaper` first: as the curve of sRGB has
them up to white, on the first part of the codes, and by their logarithm above. `mapped` does the rest.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from PIL import Image as Pillow
from PIL import ImageMath

from service.engine.colorimetry import SRGB, Primaries, Range, Triple, between, to_xyz
from service.engine.pillow_private import looked_up

WHITE = 203.0
"""cd/m2."""

KNEE = 0.95
"""Of white: 193 cd/m2."""

PEAKS: dict[Range, float] = {"pq": 10_000 / WHITE, "hlg": 1000 / WHITE}
"""Of white."""

_BEND = 0.82
"""The part of the codes that `shaper` has for light up to white."""

_STRIP = 1 << 19
"""Pixels that are mapped at once: they take some forty bytes each."""


@lru_cache(maxsize=4)
def shaper(transfer: Range, most: int, *, offset: float = 0.0, scale: float = 1.0) -> bytes:
    """Return the 8-bit code of each sample of 0..most, of one channel; `offset` and `scale` are a `Statement`'s."""

    def code(sample: int) -> int:
        white = _neutral(min(1.0, max(0.0, (sample / most - offset) * scale)), transfer)
        if white <= 1:
            return round(255 * _BEND * SRGB.sample(white))
        return round(255 * min(1.0, _BEND + (1 - _BEND) * math.log(white) / math.log(PEAKS[transfer])))

    return bytes(code(sample) for sample in range(most + 1))


def mapped(image: Pillow.Image, transfer: Range, source: Primaries, target: Primaries) -> Pillow.Image:
    """Return pixels of `shaper` in the target's primaries with the curve of sRGB. Both are RGB."""
    made = Pillow.new("RGB", image.size)
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        made.paste(_mapped(strip, transfer, source, target), (0, top))
    return made


def _mapped(strip: Pillow.Image, transfer: Range, source: Primaries, target: Primaries) -> Pillow.Image:
    """Every image in between is of one channel, in floating point."""
    lights = [band.point(_levels(transfer), "F") for band in strip.split()]
    peak = PEAKS[transfer]
    if transfer == "hlg":
        luminance = _weighted(lights, to_xyz(source)[1])
        gain = ImageMath.lambda_eval(lambda given: given["y"] ** 0.2 * peak, y=luminance)
        lights = [_product(light, gain) for light in lights]
    shown = [_weighted(lights, row) for row in between(source, target)]
    gain = ImageMath.lambda_eval(lambda given: _gain(given, peak), **dict(zip("rgb", shown, strict=True)))
    return Pillow.merge("RGB", [_samples(_product(light, gain)) for light in shown])


def _gain(given: dict[str, Any], peak: float) -> Any:
    """t(m) / m, which is 1 up to the knee."""
    most = given["max"]
    m = most(most(given["r"], given["g"]), most(given["b"], KNEE))
    burning = ((peak - KNEE) / (1 - KNEE)) ** 2
    u = (m - KNEE) * (1 / (1 - KNEE))
    return (u * (u * (1 / burning) + 1.0) / (u + 1.0) * (1 - KNEE) + KNEE) / m


def _weighted(lights: list[Pillow.Image], row: Triple) -> Pillow.Image:
    """The sum of the channels by these weights, 0 where it is negative."""
    x, y, z = row

    def total(given: dict[str, Any]) -> Any:
        return given["max"](given["r"] * x + given["g"] * y + given["b"] * z, 0.0)

    made: Pillow.Image = ImageMath.lambda_eval(total, **dict(zip("rgb", lights, strict=True)))
    return made


def _product(light: Pillow.Image, gain: Pillow.Image) -> Pillow.Image:
    made: Pillow.Image = ImageMath.lambda_eval(lambda given: given["light"] * given["gain"], light=light, gain=gain)
    return made


def _samples(light: Pillow.Image) -> Pillow.Image:
    """8 bits with the curve of sRGB."""
    wide = ImageMath.lambda_eval(lambda given: given["int"](given["light"] * 65535.0 + 0.5), light=light)
    return looked_up(wide, _encoded())


@lru_cache(maxsize=2)
def _levels(transfer: Range) -> list[float]:
    """Light of each code of `shaper`: PQ's, with white as 1; of HLG that of the scene, in 0..1."""

    def neutral(code: float) -> float:
        if code <= _BEND:
            return SRGB.light(code / _BEND)
        return math.exp((code - _BEND) / (1 - _BEND) * math.log(PEAKS[transfer]))

    lights = [neutral(code / 255) for code in range(256)]
    return lights if transfer == "pq" else [(value / PEAKS["hlg"]) ** (1 / 1.2) for value in lights]


def _neutral(v: float, transfer: Range) -> float:
    """Light of a gray, white as 1."""
    return _pq(v) if transfer == "pq" else PEAKS["hlg"] * _hlg(v) ** 1.2


def _pq(v: float) -> float:
    """BT.2100-3, table 4, over WHITE."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = v ** (1 / m2)
    return float((max(0.0, power - c1) / (c2 - c3 * power)) ** (1 / m1)) * 10_000 / WHITE


def _hlg(v: float) -> float:
    """The inverse OETF of BT.2100-3, table 5: scene light in 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return v * v / 3 if v <= 0.5 else (math.exp((v - c) / a) + b) / 12


@lru_cache(maxsize=1)
def _encoded() -> bytes:
    """The sample of each of 65,536 steps of light."""
    return bytes(round(255 * SRGB.sample(light / 65535)) for light in range(65536))
