"""`over`: lay the overlays of the configuration on the picture, the last of all steps, so that none undoes them."""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine import srgb
from service.engine.geometry import Box
from service.engine.job import Job
from service.engine.overlays.items import Item, items
from service.engine.overlays.layers import layer
from service.engine.overlays.saying import filled_in, is_by_a_model
from service.engine.picture import Picture

Place = tuple[int, int]


def over(picture: Picture, job: Job) -> None:
    """Lay each overlay on every frame, where the picture itself is: not beside it, where `pad` has put a colour."""
    for item in items(job.recipe["over"]) if "over" in job.recipe else ():
        _lay(picture, job, item)


def _lay(picture: Picture, job: Job, item: Item) -> None:
    overlay = job.overlays[item.name]
    if overlay.only_ai and not is_by_a_model(job):
        return
    text = filled_in(overlay.text, job, picture.details)
    if overlay.text and not text:
        return
    made, place = layer(item, overlay, text, area(picture))
    made = _expressed(made, picture)
    picture.each_pillow(lambda image: laid(image, made, place))


def area(picture: Picture) -> Box:
    """The part of the frames that shows the picture, on whole pixels."""
    return Box(*map(float, picture.region.within(picture.size).whole()))


def laid(image: Pillow.Image, made: Pillow.Image, place: Place) -> Pillow.Image:
    """The image in L, LA, RGB or RGBA with a layer in RGBA on it, in RGB or RGBA."""
    clear = image.mode in ("LA", "RGBA")
    result = image.convert("RGBA" if clear else "RGB") if image.mode in ("L", "LA") else image.copy()
    if not clear:
        result.paste(made, place, made)
        return result
    result.alpha_composite(made, (max(0, place[0]), max(0, place[1])), (max(0, -place[0]), max(0, -place[1])))
    return result


def _expressed(made: Pillow.Image, picture: Picture) -> Pillow.Image:
    """The layer, which is of sRGB, in the numbers of the picture's profile; one of gray goes, as colours come."""
    icc = picture.details.icc
    if not icc:
        return made
    if icc[16:20] != b"RGB ":
        picture.details.icc = None
        return made
    to = srgb.transform(srgb.profile().tobytes(), "RGB", icc)
    if to is None:
        return made
    colours = to.apply(made.convert("RGB"))
    colours.putalpha(made.getchannel("A"))
    return colours
