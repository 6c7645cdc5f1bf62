"""ThumbHash: an image's look in some 25 bytes, by Evan Wallace (https://evanw.github.io/thumbhash/, MIT).

The lowest terms of a cosine transform of lightness, two colour differences and alpha, in 4 bits each; unlike BlurHash
it holds the shape and the transparency too.
"""

from __future__ import annotations

from functools import cache
from math import cos, floor, pi
from operator import mul, sub

from PIL import Image as Pillow

Channel = list[float]
Terms = tuple[float, list[float], float]


def thumbhash(image: Pillow.Image) -> bytes:
    """The hash of an image of at most 100x100 pixels; time grows with their number, and 32x32 do as well."""
    width, height = image.size
    longer = max(width, height)
    light, yellow, red, alpha = _channels(image)
    has_alpha = sum(alpha) < width * height
    limit = 5 if has_alpha else 7
    across, down = max(1, _round(limit * width / longer)), max(1, _round(limit * height / longer))

    def terms(channel: Channel, nx: int, ny: int) -> Terms:
        return _transform(channel, width, height, nx, ny)

    l_dc, l_ac, l_scale = terms(light, max(3, across), max(3, down))
    p_dc, p_ac, p_scale = terms(yellow, 3, 3)
    q_dc, q_ac, q_scale = terms(red, 3, 3)
    landscape = width > height
    colour = _round(63 * l_dc) | _round(31.5 + 31.5 * p_dc) << 6 | _round(31.5 + 31.5 * q_dc) << 12
    head = colour | _round(31 * l_scale) << 18 | has_alpha << 23
    shape = (down if landscape else across) | _round(63 * p_scale) << 3 | _round(63 * q_scale) << 9 | landscape << 15
    result = head.to_bytes(3, "little") + shape.to_bytes(2, "little")
    varying = [*l_ac, *p_ac, *q_ac]
    if has_alpha:
        a_dc, a_ac, a_scale = terms(alpha, 5, 5)
        result += bytes([_round(15 * a_dc) | _round(15 * a_scale) << 4])
        varying += a_ac
    nibbles = [_round(15 * term) for term in varying]
    nibbles += [0] * (len(nibbles) % 2)
    return result + bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


def _channels(image: Pillow.Image) -> tuple[Channel, Channel, Channel, Channel]:
    """Lightness, yellow against blue, red against green, all upon the average colour, and alpha; 0..1 or -1..1."""
    if image.mode != "RGB":
        image = image.convert("RGBA")
    planes = [[sample / 255 for sample in plane.tobytes()] for plane in image.split()]
    alpha = planes.pop() if image.mode == "RGBA" else [1.0] * len(planes[0])
    if sum(alpha) < len(alpha):
        planes = [_laid(plane, alpha) for plane in planes]
    red, green, blue = planes
    return (
        [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)],
        [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)],
        list(map(sub, red, green)),
        alpha,
    )


def _laid(plane: Channel, alpha: Channel) -> Channel:
    """A plane upon its average, which alpha weighs."""
    mean = sum(map(mul, plane, alpha)) / (sum(alpha) or 1)
    return [mean * (1 - a) + sample * a for sample, a in zip(plane, alpha, strict=True)]


def _transform(channel: Channel, width: int, height: int, nx: int, ny: int) -> Terms:
    """The constant term, the others scaled to 0..1, and the scale: a triangle of nx by ny terms."""
    rows = [channel[y * width : (y + 1) * width] for y in range(height)]
    columns = [[sum(map(mul, row, wave)) for row in rows] for wave in _waves(width, nx)]
    constant, varying = 0.0, []
    for cy, wave in enumerate(_waves(height, ny)):
        for cx in range(nx):
            if cx * ny >= nx * (ny - cy):
                break
            term = sum(map(mul, columns[cx], wave)) / (width * height)
            if cx or cy:
                varying.append(term)
            else:
                constant = term
    scale = max(map(abs, varying))
    return constant, [0.5 + 0.5 / scale * term for term in varying] if scale else varying, scale


@cache
def _waves(length: int, count: int) -> list[Channel]:
    """The first `count` cosines of a transform of `length` samples."""
    return [[cos(pi / length * n * (at + 0.5)) for at in range(length)] for n in range(count)]


def _round(value: float) -> int:
    """Halves up, as JavaScript rounds."""
    return floor(value + 0.5)
