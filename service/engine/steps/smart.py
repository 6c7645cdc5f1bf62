"""`g=smart`: keep the part that stands out from its surroundings, and skin above all; docs/engine.md has figures."""

from __future__ import annotations

from functools import reduce

from PIL import Image as Pillow
from PIL import ImageChops, ImageFilter, ImageStat

from service.engine import geometry
from service.engine.geometry import Box
from service.engine.picture import Frame

SIDE = 96
"""The longer side of the thumbnail that is looked at, in pixels."""

_NEAR, _FAR = 3, 0.1
"""What is compared: the mean of 7x7 pixels, and that of a square that reaches this part of the longer side each way."""

_SKIN = 0.2
"""How much bright skin counts against the greatest contrast."""

_SKIN_CB, _SKIN_CR = (77, 127), (133, 173)
"""Chai and Ngan, "Face segmentation using skin-color map", 1999: skin of all complexions in Cb and Cr."""

_GROUND = 5
"""How many times the mean is still ground: grass, leaves and noise are everywhere, a subject is not. Where nothing
stands out so much the middle is kept, which photographers give to their subject (docs/engine.md has the figures)."""

_AS_GOOD = 0.98
"""The part of the highest sum that is as good as the highest."""

_CENTRE = 0.15
"""How much less the edge of the image weighs than its middle: of equal parts the middle one is kept."""


Share = tuple[float, float]
"""Parts of a region's width and height."""


def attention(frame: Frame, region: Box, box: tuple[int | None, int | None], share: Share | None = None) -> Share:
    """The middle of the part of `region` of the highest weight; 0..1 of width and height.

    The part is the largest one in the shape of `box`, or `share` of the region.
    """
    pixels = frame.copy().pillow()  # a copy: the frame itself keeps its bits
    edges = region.within(pixels.size).edges
    return middle(pixels.resize(looked_at(region), Pillow.Resampling.BOX, edges), box, share)


def looked_at(region: Box) -> geometry.Size:
    """The size to which a region is brought before it is looked at."""
    scale = min(1.0, SIDE / max(region.width, region.height))
    return geometry.rounded(region.width * scale), geometry.rounded(region.height * scale)


def middle(small: Pillow.Image, box: tuple[int | None, int | None], share: Share | None) -> Share:
    """What `attention` finds in a region of the size that `looked_at` gives."""
    size = small.size
    energy = saliency(small).convert("F")
    shape = geometry.covering(Box(0, 0, *size), (box[0] or 1, box[1] or 1), (0.5, 0.5))
    part = (shape.width, shape.height) if share is None else (share[0] * size[0], share[1] * size[1])
    across = energy.resize((size[0], 1), Pillow.Resampling.BOX)
    down = energy.resize((1, size[1]), Pillow.Resampling.BOX)
    return _best(_values(across), part[0]), _best(_values(down), part[1])


def saliency(image: Pillow.Image) -> Pillow.Image:
    """The weight of each pixel (mode L): its difference from its surroundings in lightness or colour, and skin, less a
    multiple of the mean over the image. Transparent pixels count as gray, and weigh nothing.

    Centre against surround, on one scale: Itti, Koch and Niebur, "A model of saliency-based visual attention", 1998.
    """
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if alpha:
        image = Pillow.composite(image.convert("RGB"), Pillow.new("RGB", image.size, (128, 128, 128)), alpha)
    channels = image.convert("YCbCr").split()
    skin = _skin(*channels).point([round(_SKIN * value) for value in range(256)])
    energy = reduce(ImageChops.add, (_contrast(channel) for channel in channels), skin)
    if alpha:
        energy = ImageChops.multiply(energy, alpha)
    ground = round(_GROUND * ImageStat.Stat(energy).mean[0])
    return energy.point([max(0, value - ground) for value in range(256)])


def _contrast(channel: Pillow.Image) -> Pillow.Image:
    far = ImageFilter.BoxBlur(_FAR * max(channel.size))
    return ImageChops.difference(channel.filter(ImageFilter.BoxBlur(_NEAR)), channel.filter(far))


def _skin(light: Pillow.Image, cb: Pillow.Image, cr: Pillow.Image) -> Pillow.Image:
    return ImageChops.multiply(ImageChops.multiply(_between(cb, _SKIN_CB), _between(cr, _SKIN_CR)), light)


def _between(channel: Pillow.Image, bounds: tuple[int, int]) -> Pillow.Image:
    low, high = bounds
    return channel.point([255 if low <= value <= high else 0 for value in range(256)])


def _values(image: Pillow.Image) -> list[float]:
    return list(memoryview(image.tobytes()).cast("f"))


def _best(weights: list[float], span: float) -> float:
    """The middle of the window of `span` over which the weights sum highest, as a part of their length.

    Of windows that are about as good, it is the one that has its weight most nearly in its middle.
    """
    length = len(weights)
    width = min(length, max(1, round(span)))
    tapered = [weight * (1 - _CENTRE * abs(2 * (i + 0.5) / length - 1)) for i, weight in enumerate(weights)]
    windows = [tapered[start : start + width] for start in range(length - width + 1)]
    least = _AS_GOOD * max(map(sum, windows))

    def imbalance(start: int) -> tuple[float, float]:
        total = sum(windows[start])
        middle = sum(i * weight for i, weight in enumerate(windows[start])) / total if total else width / 2
        return abs(middle - (width - 1) / 2) if total else 0.0, abs(start + width / 2 - length / 2)

    start = min((at for at, window in enumerate(windows) if sum(window) >= least), key=imbalance)
    return (start + width / 2) / length
