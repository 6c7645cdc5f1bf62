"""Right colours, computed with numpy from the standards, by other means than the engine's own arithmetic.

Chromaticities and transfer functions as in ITU-T H.273, tables 2 and 3; PQ and HLG as in ITU-R BT.2100; YCbCr as in
H.273, 8.3, equations 34 to 43.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

D65 = (0.3127, 0.3290)
SRGB, P3, BT2020, PAL, SMPTE_C, DCI = 1, 12, 9, 5, 6, 11
CHROMATICITIES: dict[int, tuple[tuple[float, float], ...]] = {
    SRGB: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65),
    P3: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), D65),
    DCI: ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.314, 0.351)),
    BT2020: ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046), D65),
    PAL: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),
    SMPTE_C: ((0.63, 0.34), (0.31, 0.595), (0.155, 0.07), D65),
}
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), D65)
"""Adobe RGB (1998), 4.3.1.1."""

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
WHITE = 203.0
"""cd/m2 of white in high dynamic range (BT.2408)."""


def xyz(point: tuple[float, float]) -> Array:
    return np.array([point[0] / point[1], 1, (1 - point[0] - point[1]) / point[1]])


def rgb_to_xyz(points: Sequence[tuple[float, float]]) -> Array:
    columns = np.stack([xyz(point) for point in points[:3]], axis=1)
    matrix: Array = columns * np.linalg.solve(columns, xyz(points[3]))
    return matrix


def to_srgb_light(light: Array, points: Sequence[tuple[float, float]]) -> Array:
    """Linear light of these primaries in sRGB's, under the white D65."""
    cones = BRADFORD @ xyz(D65) / (BRADFORD @ xyz(points[3]))
    adapt = np.linalg.inv(BRADFORD) @ np.diag(cones) @ BRADFORD
    made: Array = np.linalg.inv(rgb_to_xyz(CHROMATICITIES[SRGB])) @ adapt @ rgb_to_xyz(points) @ light
    return made


def srgb_curve(light: Array) -> Array:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def light_of(transfer: int | float, v: Array, points: Sequence[tuple[float, float]]) -> Array:
    """Linear light, white as 1, of samples in 0..1; a transfer function is H.273's number, or a gamma as a float."""
    if isinstance(transfer, float):
        return v**transfer
    if transfer in (1, 6, 14, 15):
        return np.where(v < 4.5 * 0.018053968510807, v / 4.5, ((v + 0.09929682680944) / 1.09929682680944) ** (1 / 0.45))
    if transfer == 13:
        return np.where(v <= 12.92 * 0.0031308, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    if transfer == 16:
        power = v ** (32 / 2523)
        nits = 10000 * (np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)) ** (16384 / 2610)
        return np.asarray(nits / WHITE)
    if transfer == 18:
        scene = np.where(v <= 0.5, v**2 / 3, (np.exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return np.asarray(1000 / WHITE * (rgb_to_xyz(points)[1] @ scene) ** 0.2 * scene)
    return np.asarray(v ** {4: 2.2, 5: 2.8, 8: 1.0, 17: 2.6}[transfer])


def seen(
    samples: Sequence[float], primaries: int | Sequence[tuple[float, float]] = SRGB, transfer: int | float = 13
) -> tuple[int, ...]:
    """What sRGB shows, 0..255, of samples in 0..1 of red, green and blue; light beyond white is not tone-mapped."""
    points = CHROMATICITIES[primaries] if isinstance(primaries, int) else primaries
    light = to_srgb_light(light_of(transfer, np.array(samples, float), points), points)
    return tuple(int(value) for value in np.round(255 * srgb_curve(light)))


LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""KR and KB by MatrixCoefficients."""


def to_ycbcr(rgb: Array, matrix: int, *, full: bool, depth: int = 8) -> Array:
    """Integer codes of RGB in 0..1."""
    kr, kb = LUMA[matrix]
    y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]
    parts = np.array([y, (rgb[2] - y) / (2 * (1 - kb)), (rgb[0] - y) / (2 * (1 - kr))])
    unit, most = 1 << (depth - 8), (1 << depth) - 1
    codes = parts * most + np.array([0, 128, 128]) * unit
    narrow = parts * np.array([219, 224, 224]) * unit + np.array([16, 128, 128]) * unit
    return np.asarray(np.round(codes if full else narrow))


def from_ycbcr(codes: Array, matrix: int, *, full: bool, depth: int = 8) -> Array:
    """RGB in 0..1 of integer codes."""
    kr, kb = LUMA[matrix]
    unit, most = 1 << (depth - 8), (1 << depth) - 1
    offset = np.array([0 if full else 16, 128, 128]) * unit
    y, cb, cr = (codes - offset) / (most if full else np.array([219, 224, 224]) * unit)
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return np.asarray(np.clip([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue], 0, 1))
