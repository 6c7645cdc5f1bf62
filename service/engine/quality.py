"""Find the quality for `mb` (the most that fits) and for `q=auto` (the least that looks the same), by encoding."""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Callable

from PIL import Image as Pillow
from PIL import ImageMath

from gateway.rules import DEFAULT_QUALITY
from service.engine.formats import FORMATS
from service.engine.job import Unsatisfiable

_CODERS = tuple(FORMATS[word].coder for word in DEFAULT_QUALITY if FORMATS[word].reader != "libjxl")

TARGET = 0.965
"""The score that `q=auto` keeps against the unencoded result: see `score`."""

FULL_CHROMA = 90
"""The quality from which on a JPEG's chroma is written at full size."""

LADDER = range(30, 96, 5)
"""The qualities that `q=auto` chooses from."""

Write = Callable[[int], bytes]
Show = Callable[[bytes, tuple[int, int]], Pillow.Image]


def fitting(write: Write, most: int) -> bytes:
    """The image at the highest quality of 1..100 that fits into `most` bytes. Raises Unsatisfiable when none fits."""
    low, high, best = 1, 100, None
    while low <= high:
        middle = (low + high) // 2
        data = write(middle)
        if len(data) <= most:
            best, low = data, middle + 1
        else:
            high = middle - 1
    if best is None:
        raise Unsatisfiable(f"mb={most} is too little: even the lowest quality takes more bytes")
    return best


def opened(data: bytes, _size: tuple[int, int]) -> Pillow.Image:
    """The picture in a file that Pillow reads."""
    return Pillow.open(io.BytesIO(data), formats=_CODERS)


def seeming(write: Write, reference: Pillow.Image, show: Show = opened, margin: float = 0) -> bytes:
    """The image at the lowest quality of the ladder that scores TARGET against the reference; else at the highest.

    No more than five are made. `show` decodes what `write` made, of the reference's size. `margin` is added to TARGET.
    """
    made: dict[int, bytes] = {}

    def good(value: int) -> bool:
        made[value] = write(value)
        with show(made[value], reference.size) as encoded:
            return score(reference, encoded) >= TARGET + margin

    index = min(bisect_left(LADDER, True, key=good), len(LADDER) - 1)
    return made.get(LADDER[index]) or write(LADDER[index])


def score(a: Pillow.Image, b: Pillow.Image) -> float:
    """Mean structural similarity of the lightness of two images of one size; 1 where they are equal.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity",
    2004, over blocks of 8x8 pixels side by side. Transparent pixels count as on white.
    """
    x, y = _lightness(a), _lightness(b)
    mean = _mean_of_blocks
    mx, my = mean(x), mean(y)
    products = (ImageMath.lambda_eval(lambda of: of["p"] * of["q"], p=p, q=q) for p, q in ((x, x), (y, y), (x, y)))
    xx, yy, xy = map(mean, products)
    similarity = ImageMath.lambda_eval(
        lambda of: (
            (2 * of["mx"] * of["my"] + _C1)
            * (2 * (of["xy"] - of["mx"] * of["my"]) + _C2)
            / (
                (of["mx"] * of["mx"] + of["my"] * of["my"] + _C1)
                * (of["xx"] - of["mx"] * of["mx"] + of["yy"] - of["my"] * of["my"] + _C2)
            )
        ),
        mx=mx,
        my=my,
        xx=xx,
        yy=yy,
        xy=xy,
    )
    return float(similarity.resize((1, 1), Pillow.Resampling.BOX).getpixel((0, 0)))


_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def _mean_of_blocks(image: Pillow.Image) -> Pillow.Image:
    return image.reduce(8)


def _lightness(image: Pillow.Image) -> Pillow.Image:
    if image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")
        image = Pillow.alpha_composite(Pillow.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("L").convert("F")
