"""Smooth colours that are nearly transparent where 8 bits have made them noisy, for encoders with loss.

With alpha multiplied in, as scaling needs it, 8 bits hold few colours where alpha is low: at 5 of 255 a sample is one
of six. Nobody sees it, but an encoder takes it for detail, and pays a tenth of the bytes for it. Any colour that,
multiplied by alpha, is within half a level of the rounded one shows the same on every ground. The nearest of these to
the mean of the surroundings costs the least. ImageMagick scales in 16 bits, and makes no such noise.
"""

from __future__ import annotations

from PIL import Image as Pillow
from PIL import ImageChops

from gateway.rules import DEFAULT_QUALITY, OPAQUE
from service.engine.job import Job

_FORMATS = DEFAULT_QUALITY.keys() - set(OPAQUE)

_TOLERANCE = 0.45
"""Levels of 255 by which a pixel may change on any ground: less than rounding may. With 1 a WebP has 2 % fewer."""

_LEEWAY = [0, *(min(255, int(_TOLERANCE * 255 / alpha)) for alpha in range(1, 256))]
"""By how much a colour may change, by its alpha: what is not seen at all stays as it is, and what is seen well."""

_WEIGHTS = [min(255, 8 * alpha) for alpha in range(256)]
"""What a pixel counts for in the mean, by its alpha; 8 times alpha leaves colours three bits more."""

_BLOCK = 5
"""Pixels of a side of which a mean is taken. With 2 and 3 there are 1 to 3 % more bytes, with 8 no fewer."""


_ROWS = 50 * _BLOCK
"""Rows that are smoothed together: the memory for it stays small."""


def smoothed(image: Pillow.Image, job: Job) -> Pillow.Image:
    """Return an image whose transparency has been multiplied in and divided out as the job's encoder takes it best:
    itself where the format has no loss, or no transparency. Alpha stays as it is."""
    if job.format not in _FORMATS or "lossless" in job.recipe or image.mode not in ("LA", "RGBA"):
        return image
    if not any(count and leeway for count, leeway in zip(image.getchannel("A").histogram(), _LEEWAY, strict=True)):
        return image
    made = Pillow.new(image.mode, image.size)
    for top in range(0, image.height, _ROWS):
        bottom = min(top + _ROWS, image.height)
        band = _nearest_to_means(_band(image, top, bottom))
        made.paste(band.crop((0, _BLOCK, image.width, _BLOCK + bottom - top)), (0, top))
    return made


def _band(image: Pillow.Image, top: int, bottom: int) -> Pillow.Image:
    """Rows of an image with a block more above and below, in whole blocks. What is beyond the edges is transparent."""
    width, rows = (-(-side // _BLOCK) * _BLOCK for side in (image.width, bottom - top))
    band = Pillow.new(image.mode, (width, rows + 2 * _BLOCK))
    band.paste(image, (0, _BLOCK - top))
    return band


def _nearest_to_means(image: Pillow.Image) -> Pillow.Image:
    alpha = image.getchannel("A")
    colours = [alpha.point(_LEEWAY)] * (len(image.getbands()) - 1)
    bounds = Pillow.merge(image.mode, [*colours, Pillow.new("L", image.size)])
    lowest, highest = ImageChops.subtract(image, bounds), ImageChops.add(image, bounds)
    weighted = image.copy()
    weighted.putalpha(alpha.point(_WEIGHTS))
    means = weighted.reduce(_BLOCK).resize(image.size, Pillow.Resampling.BILINEAR)
    return ImageChops.lighter(lowest, ImageChops.darker(highest, means))
