"""ICC profiles: whole ones, and those that say no more than sRGB (ICC.1:2001-04 and ICC.1:2022)."""

from __future__ import annotations

import struct
from functools import lru_cache

MAX_PROFILE = 255 * 65_519  # what a JPEG can hold; a real one has a few MB at most
HEADER, TAG = 128, 12

# The D50-adapted colorants of sRGB, as the profiles of HP, the ICC, Google, Facebook and lcms have them to 0.002.
COLORANTS = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}
CURVES = (b"rTRC", b"gTRC", b"bTRC")
COLORANT_TOLERANCE = 0.002
CURVE_TOLERANCE = 0.01  # of linear light: 26-point tables and lcms's parameters pass, gamma 2.2 does not
SAMPLES = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9)
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}


def to_keep(profile: bytes) -> bytes:
    """`profile` cut to its own length where it has to stay; nothing where it is no profile, or is that of sRGB.

    Without a profile an image is taken for sRGB by whoever shows it, so leaving that one out changes nothing.
    """
    size = int.from_bytes(profile[:4])
    if profile[36:40] != b"acsp" or not HEADER + 4 <= size <= len(profile):
        return b""
    return b"" if is_srgb(profile[:size]) else profile[:size]


@lru_cache(maxsize=16)
def is_srgb(profile: bytes) -> bool:
    """Whether an RGB matrix profile has the primaries and the curve of sRGB, by its numbers: names are not trusted.

    Profiles with lookup tables (the ICC's sRGB v4 preference) map differently and do not count.
    """
    tags = _tags(profile)
    if profile[16:20] != b"RGB " or not tags.keys() >= {*COLORANTS, *CURVES} or b"A2B0" in tags:
        return False
    try:
        colorants = all(
            abs(value - expected) <= COLORANT_TOLERANCE
            for name, values in COLORANTS.items()
            for value, expected in zip(_xyz(tags[name]), values, strict=True)
        )
        return colorants and all(
            abs(_curve(tags[name], sample) - _srgb_curve(sample)) <= CURVE_TOLERANCE
            for name in CURVES
            for sample in SAMPLES
        )
    except (struct.error, IndexError, ArithmeticError, TypeError, ValueError):
        return False  # broken numbers are not those of sRGB


def _tags(profile: bytes) -> dict[bytes, bytes]:
    count = min(int.from_bytes(profile[HEADER : HEADER + 4]), 100)
    tags = {}
    for at in range(HEADER + 4, HEADER + 4 + count * TAG, TAG):
        name, start, size = profile[at : at + 4], profile[at + 4 : at + 8], profile[at + 8 : at + 12]
        tags[name] = profile[int.from_bytes(start) : int.from_bytes(start) + int.from_bytes(size)]
    return tags


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(value / 65536 for value in struct.unpack(">3i", tag[8:20]))


def _srgb_curve(x: float) -> float:
    """IEC 61966-2-1."""
    return x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4


def _curve(tag: bytes, x: float) -> float:
    """A `curv` or `para` tag at `x` in 0..1. Raises ValueError, struct.error and ArithmeticError where it is broken."""
    if tag[:4] == b"para":
        return _parametric(tag, x)
    if tag[:4] != b"curv":
        raise ValueError("not a curve")
    count = int.from_bytes(tag[8:12])
    if count == 0:
        return x
    table: tuple[int, ...] = struct.unpack_from(f">{count}H", tag, 12)
    if count == 1:
        return float(x ** (table[0] / 256))
    position = x * (len(table) - 1)
    below = int(position)
    return float(table[below] + (table[below + 1] - table[below]) * (position - below)) / 65535


def _parametric(tag: bytes, x: float) -> float:
    """ICC.1:2022, table 68; what a type lacks of (g, a, b, c, d, e, f) has the value that makes it drop out."""
    kind = int.from_bytes(tag[8:10])
    count = _PARAMETERS.get(kind, 0)
    given = [value / 65536 for value in struct.unpack(f">{count}i", tag[12 : 12 + 4 * count])]
    if kind == 0:
        return float(x ** given[0])
    if kind in (1, 2):
        g, a, b, c = (*given, 0.0)[:4]
        return float((a * x + b) ** g + c) if x >= -b / a else c
    g, a, b, c, d, e, f = (*given, 0.0, 0.0)[:7]
    return float((a * x + b) ** g + e) if x >= d else c * x + f
