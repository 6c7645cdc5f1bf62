"""`duotone`: shades between two colours, by lightness."""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine import srgb
from service.engine.job import Job
from service.engine.picture import Picture
from service.engine.steps.tone import LUMA

Colour = tuple[int, int, int]


def duotone(picture: Picture, job: Job) -> None:
    """Give black the first colour, white the second, and what is between them their mixture; transparency stays."""
    if "duotone" not in job.recipe:
        return
    icc = picture.details.icc
    dark, light = (srgb.expressed((*bytes.fromhex(part), 255), icc)[:3] for part in job.recipe["duotone"].split(":"))
    if icc and icc[16:20] != b"RGB ":  # a profile of gray does not suit what has become coloured
        picture.details.icc = None
    picture.each_pillow(lambda image: _mixed(image, dark, light))


def _mixed(image: Pillow.Image, dark: Colour, light: Colour) -> Pillow.Image:
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    opaque = image.convert(image.mode[:-1]) if alpha else image
    shades = opaque if opaque.mode == "L" else opaque.convert("L", LUMA)
    made = Pillow.merge("RGB", [shades.point(_table(*ends)) for ends in zip(dark, light, strict=True)])
    if alpha:
        made.putalpha(alpha)
    return made


def _table(dark: int, light: int) -> list[int]:
    """The line from `dark` to `light` over the 256 shades, rounded half up."""
    return [int(dark + (light - dark) * shade / 255 + 0.5) for shade in range(256)]
