"""Find the quality for `mb` (the most that fits) and for `q=auto` (the least that looks the same), by encoding."""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import ImageMath

from gateway.rules import DEFAULT_QUALITY
from service.engine.formats import FORMATS
from service.engine.job import Unsatisfiable
from service.engine.picture import Frame

_CODERS = tuple(FORMATS[word].coder for word in DEFAULT_QUALITY if FORMATS[word].reader != "libjxl")

TARGET = 0.965
"""The score that `q=auto` keeps against the unencoded result: see `score`."""

FULL_CHROMA = FORMATS["jpg"].full_chroma
"""The quality from which on a JPEG's chroma is written at full size."""

LADDER = range(30, 96, 5)
"""The qualities that `q=auto` chooses from."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The unencoded frame that results are compared with: the one with this `number` of `count`, shown from `start`
    on, in milliseconds."""

    image: Pillow.Image
    number: int = 0
    count: int = 1
    start: int = 0


Write = Callable[[int], bytes]
Show = Callable[[bytes, Judged], Pillow.Image]


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


def opened(data: bytes, judged: Judged) -> Pillow.Image:
    """The frame in a file that Pillow reads. WebP's encoder makes one of frames that look alike, so where there are
    fewer than there were, the one that is shown at the time counts."""
    image = Pillow.open(io.BytesIO(data), formats=_CODERS)
    frames = getattr(image, "n_frames", 1)
    image.seek(judged.number if frames == judged.count else _shown_at_the_time(image, frames, judged))
    return image


def _shown_at_the_time(image: Pillow.Image, frames: int, judged: Judged) -> int:
    """The number of the frame that is shown when the judged one is. Delays may be 0, as those of many a GIF: of frames
    that begin at one time the one that is most like it."""
    found: list[tuple[float, int]] = []
    for number in range(frames):
        image.seek(number)
        image.load()
        start = image.info["timestamp"]
        if start == judged.start or start < judged.start < start + image.info["duration"]:
            found.append((score(judged.image, image), number))
    return max(found)[1] if found else frames - 1


def judged(frames: Sequence[Frame]) -> Judged:
    """The frame with the most detail, which takes the highest quality: many animations begin with an empty one."""
    if len(frames) == 1:
        return Judged(frames[0].pillow())
    number = max(range(len(frames)), key=lambda index: _detail(frames[index].pillow()))
    start = sum(frame.delay for frame in frames[:number])
    return Judged(frames[number].pillow(), number, len(frames), start)


def seeming(write: Write, frames: Sequence[Frame], show: Show = opened, margin: float = 0) -> bytes:
    """The image at the lowest quality of the ladder that scores TARGET against its frames; else at the highest.

    No more than five are made. `show` decodes the frame that is compared of what `write` made. `margin` is added to
    TARGET.
    """
    made: dict[int, bytes] = {}
    reference = judged(frames)

    def good(value: int) -> bool:
        made[value] = write(value)
        with show(made[value], reference) as encoded:
            return score(reference.image, encoded) >= TARGET + margin

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


def _detail(image: Pillow.Image) -> float:
    """The mean variance of lightness within blocks of 8x8 pixels."""
    light = _lightness(image)
    mean, squares = _mean_of_blocks(light), ImageMath.lambda_eval(lambda of: of["a"] * of["a"], a=light)
    variance = ImageMath.lambda_eval(lambda of: of["b"] - of["m"] * of["m"], b=_mean_of_blocks(squares), m=mean)
    return float(variance.resize((1, 1), Pillow.Resampling.BOX).getpixel((0, 0)))


_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def _mean_of_blocks(image: Pillow.Image) -> Pillow.Image:
    return image.reduce(8)


def _lightness(image: Pillow.Image) -> Pillow.Image:
    if image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")
        image = Pillow.alpha_composite(Pillow.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("L").convert("F")
