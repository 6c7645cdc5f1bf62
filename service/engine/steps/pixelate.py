"""`pixelate`: squares of one colour."""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine.job import Job
from service.engine.picture import Picture


def pixelate(picture: Picture, job: Job) -> None:
    """Give every square of `pixelate` pixels a side, from the top left on, the mean of what is in it.

    The last square of a row or column is as large as what is left. What is transparent weighs nothing in a mean.
    """
    if "pixelate" in job.recipe:
        side = int(job.recipe["pixelate"])
        picture.each_pillow(lambda image: _squares(image, side))


def _squares(image: Pillow.Image, side: int) -> Pillow.Image:
    means = image.reduce(side)  # of associated alpha
    whole = means.width * side, means.height * side
    return means.resize(whole, Pillow.Resampling.NEAREST).crop((0, 0, *image.size))
