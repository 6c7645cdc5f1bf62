"""Reduce the number of colours, for formats that compress few colours well: PNG, GIF, and lossless WebP."""

from __future__ import annotations

from wand.image import Image

from service.engine.job import Job
from service.engine.picture import Picture


def reduce_colours(picture: Picture, job: Job) -> None:
    """`colors`: at most so many different colours, 2..256, each with its own transparency."""
    if "colors" in job.recipe:
        most = int(job.recipe["colors"])
        picture.each_magick(lambda image: _reduce(image, most))


def _reduce(image: Image, most: int) -> None:
    """Quantise by ImageMagick: an octree, and Floyd and Steinberg's dither along a Hilbert curve, alpha included.

    A gray image holds gray and alpha alone, which the quantiser does not know.
    """
    if image.colorspace == "gray":
        image.transform_colorspace("srgb")
    image.quantize(most, colorspace_type="srgb", treedepth=0, dither=True)
