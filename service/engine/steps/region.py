"""Narrow the region of the original that is used (`crop`, `trim`), before scaling. Pixels are not copied here."""

from __future__ import annotations

from service.engine import geometry
from service.engine.geometry import Box
from service.engine.job import Job
from service.engine.picture import Frame, Picture


def crop(picture: Picture, job: Job) -> None:
    """Keep the region of the upright original that `crop` names."""
    if "crop" not in job.recipe:
        return
    whole = picture.region.scaled(1 / picture.scale)
    size = geometry.rounded(whole.width), geometry.rounded(whole.height)
    box = geometry.crop_box(job.recipe["crop"], size)
    picture.region = box.moved(whole.left, whole.top).scaled(picture.scale)


def trim(picture: Picture, job: Job) -> None:
    """Cut a border that is uniform within `trim` percent; in an animation, the part that is border in every frame."""
    if "trim" not in job.recipe:
        return
    boxes = [_content(frame, picture.region, float(job.recipe["trim"])) for frame in picture.frames]
    picture.region = Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _content(frame: Frame, region: Box, fuzz: float) -> Box:
    """The part of the region inside its border; the whole region if all of it is border."""
    left, top, right, bottom = region.whole()
    with frame.magick().clone() as image:
        image.crop(left, top, right, bottom)
        image.reset_coords()
        image.trim(fuzz=fuzz / 100 * image.quantum_range)
        if image.width == 1 and image.height == 1:
            return region
        x, y = left + image.page_x, top + image.page_y
        return Box(x, y, x + image.width, y + image.height)
