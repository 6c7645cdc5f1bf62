"""Cut the region and scale it to the recipe's size, in one pass over the pixels."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image as Pillow

from service.engine import geometry
from service.engine.geometry import Box, Size
from service.engine.job import Job
from service.engine.libraries import holds
from service.engine.magick import scaling
from service.engine.picture import Frame, Picture
from service.engine.steps.drawn import is_drawn
from service.engine.steps.gravity import point
from service.engine.vips import scaling as vips

FILTER = Pillow.Resampling.LANCZOS
"""Lanczos over three lobes, as sharp and libvips take it."""

SMALL = 256
"""Pixels of the longer side below which the rounding of libvips shows, and costs a photograph up to 1.5 points of
SSIMULACRA2; from here on up to 0.5. What Pillow then scales in its place is small, too."""

ASSOCIATED = {"LA": "La", "RGBA": "RGBa"}
"""What is transparent weighs nothing in a mean, so alpha is multiplied in before and divided out after."""


def resample(picture: Picture, job: Job) -> None:
    """Bring the region to its size. `cover` first narrows it to the shape of the box."""
    scale = picture.scale
    size = geometry.resampled(picture.region.width / scale, picture.region.height / scale, job.recipe)
    if job.recipe.get("fit") == "cover":
        picture.region = geometry.covering(picture.region, size, point(picture, job, geometry.asked(job.recipe)))
    lanczos = _lanczos(picture, size, job)
    for frame in picture.frames:
        _resample(frame, picture.region, size, job, lanczos)
    picture.region, picture.scale = Box(0, 0, *size), 1.0


def carve(picture: Picture, job: Job) -> None:
    """`liquid`: take out the seams that matter least, until the image has the shape of the box."""
    if job.recipe.get("fit") != "liquid":
        return
    size = geometry.carved(picture.size, job.recipe)
    if size != picture.size:
        picture.each_magick(lambda image: image.liquid_rescale(*size))
        picture.region = Box(0, 0, *size)


Lanczos = Callable[[Pillow.Image, Box, Size], Pillow.Image]
"""Takes an image with its transparency multiplied in, a part of it, and the size of the result."""


def _lanczos(picture: Picture, size: Size, job: Job) -> Lanczos:
    """How the frames are scaled where they are Pillow's: by libvips, where that is quick and exact enough, else by
    Pillow."""
    first, region = picture.frames[0], picture.region
    if holds(first, job) or max(size) < SMALL or not vips.suits(region.within(first.size), size, first.size):
        return _plain
    return _plain if is_drawn(first.pillow(), region) else vips.resized


def _plain(image: Pillow.Image, box: Box, size: Size) -> Pillow.Image:
    return image.resize(size, FILTER, box.edges)


def _resample(frame: Frame, region: Box, size: Size, job: Job, lanczos: Lanczos) -> None:
    whole = Box(0, 0, *frame.size)
    if region == whole and size == frame.size:
        return
    if holds(frame, job):
        scaling.resized(frame.magick(), region, size)
        return
    pixels = frame.pillow()
    if (region.width, region.height) == size and region == Box(*region.whole()):
        frame.put(pixels.crop(region.whole()))
        return
    # The box may begin and end inside a pixel, which undoes the rounding of a scaled decode.
    box, associated = region.within(frame.size), ASSOCIATED.get(pixels.mode)
    if associated:
        frame.put(lanczos(pixels.convert(associated), box, size).convert(pixels.mode))
    else:
        frame.put(lanczos(pixels, box, size))
