"""The clean aperture of an AVIF or HEIC: the part of the coded picture that is shown (ISO/IEC 14496-12, 12.1.4)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.engine.headers.source import Source

Edges = tuple[int, int, int, int]


def edges(clap: Source, width: int, height: int) -> Edges:
    """Left, top, right and bottom in a picture of `width` by `height`, before it is turned, by the content of a `clap`
    box. What is no whole number of pixels is rounded; an aperture that does not lie in the picture is none."""
    parts = [clap.number(4 * index, 4) for index in range(8)]
    parts[4::2] = [part - (part >> 31 << 32) for part in parts[4::2]]  # offsets have a sign
    if not all(parts[1::2]):
        return 0, 0, width, height
    across, down, right, below = (Fraction(parts[i], parts[i + 1]) for i in range(0, 8, 2))
    # The offset is from the middle of the picture's pixels to that of the aperture's.
    left, top = (Fraction(width) - across) / 2 + right, (Fraction(height) - down) / 2 + below
    found = math.floor(left + Fraction(1, 2)), math.floor(top + Fraction(1, 2))
    size = math.floor(across), math.floor(down)
    if min(size) < 1 or min(found) < 0 or found[0] + size[0] > width or found[1] + size[1] > height:
        return 0, 0, width, height
    return (*found, found[0] + size[0], found[1] + size[1])
