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


def smoothed(image: Pillow.Image, job: Job) -> Pillow.Image:
    """Return an image whose transparency has been multiplied in and divided out as the job's encoder takes it best:
    itself where the format has no loss, or no transparency. Alpha stays as it is."""
    if job.format not in _FORMATS or "lossless" in job.recipe or image.mode not in ("LA", "RGBA"):
        return image
    alpha = image.getchannel("A")
    if not any(count and leeway for count, leeway in zip(alpha.histogram(), _LEEWAY, strict=True)):
        return image
    leeway = alpha.point(_LEEWAY)
    colours = [leeway] * (len(image.getbands()) - 1)
    bounds = Pillow.merge(image.mode, [*colours, Pillow.new("L", image.size)])
    lowest, highest = ImageChops.subtract(image, bounds), ImageChops.add(image, bounds)
    return ImageChops.lighter(lowest, ImageChops.darker(highest, _surroundings(image, alpha)))


def _surroundings(image: Pillow.Image, alpha: Pillow.Image) -> Pillow.Image:
    """The mean colours around each pixel."""
    weighted = image.copy()
    weighted.putalpha(alpha.point(_WEIGHTS))
    width, height = image.size
    box = (0, 0, width / _BLOCK, height / _BLOCK)  # the last blocks may be narrower than the others
    return weighted.reduce(_BLOCK).resize(image.size, Pillow.Resampling.BILINEAR, box)
