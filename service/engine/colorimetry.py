"""Colour that a file states by numbers: primaries, white and a transfer function, and what linear light follows of it.

Pure arithmetic. Tristimulus values are relative: white has Y = 1. Code points are those of ITU-T H.273 (07/2024),
which `nclx` of HEIC and AVIF, AV1's sequence header and `cICP` of PNG share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
Point = tuple[float, float]

D65, D50, DCI, C, E = (0.3127, 0.3290), (0.3457, 0.3585), (0.314, 0.351), (0.310, 0.316), (1 / 3, 1 / 3)


@dataclass(frozen=True, slots=True)
class Primaries:
    """Chromaticities x, y (CIE 1931) of red, green, blue and white."""

    red: Point
    green: Point
    blue: Point
    white: Point = D65


BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
P3 = Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))

PRIMARIES: dict[int, Primaries] = {
    1: BT709,
    2: BT709,  # unspecified
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), C),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), C),
    9: BT2020,
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), E),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), DCI),
    12: P3,
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
"""H.273, table 2: by ColourPrimaries."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A transfer function, from a sample v in 0..1 to linear light in 0..1: (a v + b) ** gamma where v >= d, else c v.

    It is the parametric curve of type 3 of ICC.1:2022 (10.18).
    """

    gamma: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0

    def light(self, v: float) -> float:
        return float(max(0.0, self.a * v + self.b) ** self.gamma) if v >= self.d else self.c * v

    def sample(self, light: float) -> float:
        """The inverse of `light`."""
        if self.c and light < self.c * self.d:
            return light / self.c
        return float((max(0.0, light) ** (1 / self.gamma) - self.b) / self.a)


SRGB = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""IEC 61966-2-1."""

BT709_CURVE = Curve(1 / 0.45, 1 / 1.099296826809442, 0.099296826809442 / 1.099296826809442, 1 / 4.5, 0.081242858298635)
"""H.273's function of BT.709, BT.601 and BT.2020, inverted, with the exact alpha and beta that it gives."""

Range = Literal["pq", "hlg"]
"""Transfer functions of high dynamic range: SMPTE ST 2084 and ARIB STD-B67, as in ITU-R BT.2100."""

TRANSFERS: dict[int, Curve | Range] = {
    1: BT709_CURVE,
    2: SRGB,  # unspecified
    4: Curve(2.2),
    5: Curve(2.8),
    6: BT709_CURVE,
    7: Curve(1 / 0.45, 1 / 1.111572195921731, 0.111572195921731 / 1.111572195921731, 1 / 4, 0.091286342118103),
    8: Curve(1.0),
    11: BT709_CURVE,  # of which pictures have only the part that is not negative
    12: BT709_CURVE,
    13: SRGB,
    14: BT709_CURVE,
    15: BT709_CURVE,
    16: "pq",
    17: Curve(2.6),  # whose white, 48 cd/m2 of 52.37, is white here
    18: "hlg",
}
"""H.273, table 3: by TransferCharacteristics; 9 and 10, logarithmic, are in no picture."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a file says of its colour, samples in 0..1.

    `offset` and `scale` bring the samples of a narrow range to 0..1: (v - offset) * scale. YCbCr of a narrow range
    comes out of the decoders in full range already; only PNG has RGB of a narrow range.
    """

    primaries: Primaries = BT709
    transfer: Curve | Range = SRGB
    offset: float = 0.0
    scale: float = 1.0


def by_numbers(primaries: int, transfer: int) -> Statement | None:
    """The statement of H.273's code points; None where one of them is reserved or not of pictures."""
    if primaries not in PRIMARIES or transfer not in TRANSFERS:
        return None
    return Statement(PRIMARIES[primaries], TRANSFERS[transfer])


def to_xyz(primaries: Primaries) -> Matrix:
    """Linear RGB to XYZ, white of its own (SMPTE RP 177). Raises ValueError for primaries that span nothing."""
    columns = _rows_of([_xyz(point) for point in (primaries.red, primaries.green, primaries.blue)])
    amounts = times(inverse(columns), _xyz(primaries.white))
    red, green, blue = ((a * row[0], b * row[1], c * row[2]) for row in columns for a, b, c in [amounts])
    return red, green, blue


def adapted(white: Point, to: Point) -> Matrix:
    """XYZ under one white to XYZ under another, by linear Bradford (ICC.1:2022, annex E)."""
    cone, want = times(_BRADFORD, _xyz(white)), times(_BRADFORD, _xyz(to))
    ratios = tuple(b / a for a, b in zip(cone, want, strict=True))
    scaled = _matrix([[ratio * value for value in row] for ratio, row in zip(ratios, _BRADFORD, strict=True)])
    return product(inverse(_BRADFORD), scaled)


def between(source: Primaries, target: Primaries) -> Matrix:
    """Linear RGB of one to linear RGB of the other, white to white."""
    return product(inverse(to_xyz(target)), product(adapted(source.white, target.white), to_xyz(source)))


def times(matrix: Matrix, vector: Triple) -> Triple:
    x, y, z = vector
    a, b, c = (row[0] * x + row[1] * y + row[2] * z for row in matrix)
    return a, b, c


def product(left: Matrix, right: Matrix) -> Matrix:
    return _rows_of([times(left, column) for column in _rows_of(list(right))])


def inverse(matrix: Matrix) -> Matrix:
    """By cofactors. Raises ValueError for a matrix that has none."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    if abs(determinant) < 1e-9:
        raise ValueError("the primaries lie on one line")
    return _matrix([[value / determinant for value in row] for row in cofactors])


def _xyz(point: Point) -> Triple:
    x, y = point
    if y == 0:  # imaginary, as blue of table 2's number 10: only its direction counts
        return x, y, 1.0 - x
    return x / y, 1.0, (1 - x - y) / y


def _rows_of(columns: list[Triple]) -> Matrix:
    return _matrix([[column[i] for column in columns] for i in range(3)])


def _matrix(rows: list[list[float]]) -> Matrix:
    first, second, third = ((row[0], row[1], row[2]) for row in rows)
    return first, second, third


_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
