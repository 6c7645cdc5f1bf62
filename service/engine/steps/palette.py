"""Reduce the number of colours, for formats that compress few colours well: PNG, GIF, and lossless WebP."""

from __future__ import annotations

from wand.image import Image
from wand.version import MAGICK_VERSION_NUMBER

from service.engine.job import Job
from service.engine.picture import Picture

_DITHER: bool | str = True if MAGICK_VERSION_NUMBER < 0x700 else "floyd_steinberg"
"""Floyd and Steinberg's: what version 6 does, where Wand takes no name; version 7 would take Riemersma's."""


def reduce_colours(picture: Picture, job: Job) -> None:
    """`colors`: at most so many different colours, 2..256, each with its own transparency."""
    if "colors" in job.recipe:
        most = int(job.recipe["colors"])
        picture.each_magick(lambda image: _reduce(image, most))


def _reduce(image: Image, most: int) -> None:
    """Quantise by ImageMagick: an octree, and an error diffused by Floyd and Steinberg, alpha included.

    A gray image holds gray and alpha alone, which the quantiser does not know.
    """
    if image.colorspace == "gray":
        image.transform_colorspace("srgb")
    image.quantize(most, colorspace_type="srgb", treedepth=0, dither=_DITHER)
