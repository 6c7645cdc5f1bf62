"""The profile that CMYK without one of its own is taken to be in: offset printing on coated paper.

Colours mix by Neugebauer's equations with Demichel's weights from what solid inks and their overprints measure
(ISO 12647-2:2004, table 3, paper types 1 and 2), dots grown as they are in print, and relative to the paper's white.
"""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Iterable
from functools import lru_cache

Triple = tuple[float, float, float]

_D50: Triple = (0.9642, 1.0, 0.8249)
_PAPER: Triple = (95, 0, -2)
_SOLIDS: dict[str, Triple] = {
    "": _PAPER,
    "C": (55, -37, -50),
    "M": (48, 74, -3),
    "Y": (89, -5, 93),
    "K": (16, 0, 0),
    "MY": (47, 68, 48),
    "CY": (50, -68, 25),
    "CM": (24, 22, -46),
    "CMY": (23, 0, 0),
}
"""CIELAB under D50 by the inks that lie on each other."""

_GAIN = 0.15
"""By which a dot of half the area grows in print; the other areas along a parabola."""

_GRID = 7


@lru_cache(maxsize=1)
def profile() -> bytes:
    """An ICC profile (ICC.1:2001-04) of one table, from CMYK to CIELAB, for every intent."""
    steps = [step / (_GRID - 1) for step in range(_GRID)]
    table = b"".join(_encoded(_mixed(areas)) for areas in itertools.product(steps, repeat=4))
    unchanged = struct.pack(">2H", 0, 65535)
    identity = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    lookup = b"mft2\0\0\0\0" + bytes((4, 3, _GRID, 0)) + identity + struct.pack(">2H", 2, 2)
    lookup += unchanged * 4 + table + unchanged * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in _D50))
    name = b"CMYK\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(4 + 4 + 2 + 1 + 67)
    tags = {"desc": description, "cprt": b"text\0\0\0\0CC0\0", "wtpt": white, "A2B0": lookup}
    return _file(tags)


def _file(tags: dict[str, bytes]) -> bytes:
    start, body, index = 128 + 4 + 12 * len(tags), b"", struct.pack(">I", len(tags))
    for tag, content in tags.items():
        index += tag.encode() + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", *(round(value * 65536) for value in _D50))
    return header.ljust(128, b"\0") + index + body


def _mixed(areas: tuple[float, ...]) -> Triple:
    """CIELAB of inks that cover these parts of the paper: the mean of all overprints by the area of each."""
    grown = [area + 4 * _GAIN * area * (1 - area) for area in areas]
    x = y = z = 0.0
    for inks, colour in _primaries().items():
        weight = math.prod(area if ink in inks else 1 - area for ink, area in zip("CMYK", grown, strict=True))
        x, y, z = x + weight * colour[0], y + weight * colour[1], z + weight * colour[2]
    return _lab((x, y, z))


@lru_cache(maxsize=1)
def _primaries() -> dict[str, Triple]:
    """XYZ of all sixteen, the paper being D50's white. Under black, inks take away what they do on paper."""
    paper = _xyz(_PAPER)
    solids = {inks: _relative(_xyz(lab), paper) for inks, lab in _SOLIDS.items()}
    black = solids["K"]
    under = {
        inks + "K": _triple(dark * colour / white for dark, colour, white in zip(black, each, _D50, strict=True))
        for inks, each in solids.items()
        if inks not in ("", "K")
    }
    return {**solids, **under}


def _relative(colour: Triple, paper: Triple) -> Triple:
    return _triple(value * white / whole for value, white, whole in zip(colour, _D50, paper, strict=True))


def _xyz(lab: Triple) -> Triple:
    """CIE 15, 8.2.1, and back."""
    y = (lab[0] + 16) / 116
    parts = (y + lab[1] / 500, y, y - lab[2] / 200)
    return _triple(
        white * (part**3 if part > 6 / 29 else 3 * (6 / 29) ** 2 * (part - 4 / 29))
        for white, part in zip(_D50, parts, strict=True)
    )


def _lab(xyz: Triple) -> Triple:
    shares = (value / white for value, white in zip(xyz, _D50, strict=True))
    x, y, z = (share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116 for share in shares)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _encoded(lab: Triple) -> bytes:
    """The 16 bits of version 2 (6.3.4.2): 100 is 0xFF00, and 0 of a and b 0x8000."""
    values = (lab[0] * 652.8, (lab[1] + 128) * 256, (lab[2] + 128) * 256)
    return struct.pack(">3H", *(min(65535, max(0, round(value))) for value in values))


def _triple(values: Iterable[float]) -> Triple:
    x, y, z = values
    return x, y, z
