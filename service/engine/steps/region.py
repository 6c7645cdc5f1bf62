"""Narrow the region of the original that is used (`crop`, `trim`), before scaling. Pixels are not copied here."""

from __future__ import annotations

from wand.color import Color
from wand.image import Image

from service.engine import geometry, srgb
from service.engine.geometry import Box
from service.engine.job import Job
from service.engine.magick import canvas
from service.engine.magick.canvas import Colour
from service.engine.picture import Frame, Picture
from service.engine.steps.gravity import point


def crop(picture: Picture, job: Job) -> None:
    """Keep the region of the upright original that `crop` names, or the one of its size that `g` names."""
    if "crop" not in job.recipe:
        return
    whole = picture.region.scaled(1 / picture.scale)
    size = geometry.rounded(whole.width), geometry.rounded(whole.height)
    box = geometry.crop_box(job.recipe["crop"], size)
    if geometry.is_sized(job.recipe["crop"]):
        place = point(picture, job, (None, None), (box.width / whole.width, box.height / whole.height))
        box = geometry.crop_box(job.recipe["crop"], size, place)
    picture.region = box.moved(whole.left, whole.top).scaled(picture.scale)


def trim(picture: Picture, job: Job) -> None:
    """Cut a border that is uniform within `trim` percent, and of its colour where it names one; in an animation, the
    part that is border in every frame."""
    if "trim" not in job.recipe:
        return
    percent, _, digits = job.recipe["trim"].partition(":")
    colour = _expressed(digits, picture.details.icc) if digits else None
    boxes = [_content(frame, picture.region, float(percent), colour) for frame in picture.frames]
    picture.region = Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _expressed(digits: str, icc: bytes | None) -> Colour:
    """A colour of sRGB in the numbers of the picture's profile, since `trim` sees the original's own colours."""
    red, green, blue, alpha = bytes.fromhex(digits.ljust(8, "f"))
    return srgb.expressed((red, green, blue, alpha), icc)


def _content(frame: Frame, region: Box, fuzz: float, colour: Colour | None) -> Box:
    """The part of the region inside its border; the whole region if all of it is border."""
    left, top, right, bottom = region.whole()
    with frame.magick().clone() as image:
        image.crop(left, top, right, bottom)
        image.reset_coords()
        x, y = left, top
        if colour is None:
            image.trim(fuzz=fuzz / 100 * image.quantum_range)
        else:
            _trim(image, colour, fuzz)
            x, y = left - 1, top - 1
        if image.width == 1 and image.height == 1:
            return region
        x, y = x + image.page_x, y + image.page_y
        return Box(x, y, x + image.width, y + image.height)


def _trim(image: Image, colour: Colour, fuzz: float) -> None:
    """Trim by a border of the colour, one pixel wide, which is added first: ImageMagick compares with the corners.

    Wand's own border would fill what is transparent with its colour.
    """
    if image.colorspace != "srgb":
        image.transform_colorspace("srgb")
    framed = canvas.padded(image, (image.width + 2, image.height + 2), (1, 1), colour)
    framed.trim(background_color=Color("#" + bytes(colour).hex()), fuzz=fuzz / 100 * framed.quantum_range)
    image.image_set(framed)
