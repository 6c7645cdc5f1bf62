"""Lay overlays on the planes of a JPEG, luma and chroma, so that a photograph with a logo never becomes RGB."""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine.geometry import Box, Size
from service.engine.job import Job
from service.engine.jpeg.planes import Planes
from service.engine.overlays.items import items
from service.engine.overlays.layers import layer


def suits(job: Job) -> bool:
    """Return True if the overlays of a job, where it has any, depend on nothing that its metadata say."""
    return all(not one.only_ai and "{" not in one.text for one in job.overlays.values())


def overlaid(planes: Planes, size: Size, job: Job) -> Planes:
    """The planes of an image of `size`, chroma of half the size, with the job's overlays on it."""
    for item in items(job.recipe["over"]) if "over" in job.recipe else ():
        overlay = job.overlays[item.name]
        made, place = layer(item, overlay, overlay.text, Box(0, 0, *size))
        planes = _laid(planes, made, place)
    return planes


def _laid(planes: Planes, made: Pillow.Image, place: tuple[int, int]) -> Planes:
    left, top = place[0] // 2, place[1] // 2  # in samples of chroma
    width, height = (2 * -(-(at % 2 + side) // 2) for at, side in zip(place, made.size, strict=True))
    sheet = Pillow.new("RGBA", (width, height))
    whole = Pillow.merge("RGBA", (*made.convert("RGB").convert("YCbCr").split(), made.getchannel("A")))
    sheet.paste(whole, (place[0] % 2, place[1] % 2))
    y, _, _, cover = sheet.split()
    _, cb, cr, fewer = sheet.reduce(2).split()  # of associated alpha
    result = tuple(plane.copy() for plane in planes)
    result[0].paste(y, (2 * left, 2 * top), cover)
    result[1].paste(cb, (left, top), fewer)
    result[2].paste(cr, (left, top), fewer)
    return result[0], result[1], result[2]
