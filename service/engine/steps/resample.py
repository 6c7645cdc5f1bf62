"""Cut the region and scale it to the recipe's size, in one pass over the pixels."""

from __future__ import annotations

from service.engine import geometry
from service.engine.convolution import scaled
from service.engine.geometry import Box, Size
from service.engine.job import Job
from service.engine.libraries import holds
from service.engine.magick import scaling
from service.engine.picture import Frame, Picture
from service.engine.steps.gravity import point


def resample(picture: Picture, job: Job) -> None:
    """Bring the region to its size. `cover` first narrows it to the shape of the box."""
    scale = picture.scale
    size = geometry.resampled(picture.region.width / scale, picture.region.height / scale, job.recipe)
    if job.recipe.get("fit") == "cover":
        picture.region = geometry.covering(picture.region, size, point(picture, job, geometry.asked(job.recipe)))
    for frame in picture.frames:
        picture.is_divided |= _resample(frame, picture.region, size, job)
    picture.region, picture.scale = Box(0, 0, *size), 1.0


def carve(picture: Picture, job: Job) -> None:
    """`liquid`: take out the seams that matter least, until the image has the shape of the box."""
    if job.recipe.get("fit") != "liquid":
        return
    size = geometry.carved(picture.size, job.recipe)
    if size != picture.size:
        picture.each_magick(lambda image: image.liquid_rescale(*size))
        picture.region = Box(0, 0, *size)


def _resample(frame: Frame, region: Box, size: Size, job: Job) -> bool:
    """Whether it was scaled with 8 bits."""
    whole = Box(0, 0, *frame.size)
    if region == whole and size == frame.size:
        return False
    if holds(frame, job):
        scaling.resized(frame.magick(), region, size)
        return False
    if (region.width, region.height) == size and region == Box(*region.whole()):
        frame.put(frame.give_away().crop(region.whole()))
        return False
    # The box may begin and end inside a pixel, which undoes the rounding of a scaled decode.
    box = region.within(frame.size)
    frame.put(scaled(frame.give_away(), size, box))
    return True
