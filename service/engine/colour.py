"""Any profile and any colour space to 8-bit sRGB that looks the same, or the profile kept, where the recipe says so.

Profiles are applied by Little CMS, through Pillow for 8-bit samples (a tenth of ImageMagick's time) and through
ImageMagick for deeper ones, so that a linear or very wide profile is not quantised before it is converted.
"""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine import srgb
from service.engine.formats import FORMATS
from service.engine.job import Job
from service.engine.libraries import by_magick, holds
from service.engine.magick import colour as magick
from service.engine.picture import Picture
from service.engine.stripping import NotCopied
from service.engine.stripping.icc import to_keep

_SIGNATURES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # ICC.1:2022, table 19


def to_srgb(picture: Picture, job: Job) -> None:
    """Bring every frame to 8-bit gray or sRGB. With `keep=icc` pixels and a profile of their kind stay as they are."""
    icc = picture.details.icc
    if icc and srgb.is_srgb(icc):
        icc = None
    space = magick.space(icc) if icc else None
    carried = FORMATS[job.format].has_profile and space in ("srgb", "gray") and space == picture.details.space
    written = _written(icc) if icc and carried and kept("icc", job) else None
    keeps = written is not None
    for frame in picture.frames:
        if holds(frame, job):
            magick.convert(frame.magick(), None if keeps else icc, srgb.profile().tobytes())
        else:
            frame.put(_convert(frame.pillow(), None if keeps else icc))
        if not by_magick("to_srgb", job):
            frame.pillow()
    picture.details.icc = written


def kept(what: str, job: Job) -> bool:
    """Whether the recipe keeps `what` and the configuration lets it."""
    return what in job.keep and what in job.recipe.get("keep", "").split(":")


def _written(icc: bytes) -> bytes | None:
    """The profile as it may leave; None where it cannot be written without what it says of people."""
    try:
        return to_keep(icc) or None
    except NotCopied:
        return None


def _convert(image: Pillow.Image, icc: bytes | None) -> Pillow.Image:
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if icc is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    colour = image.convert(image.mode[:-1]) if alpha else image
    gray = colour.mode == "L"
    space = _SIGNATURES.get(icc[16:20])
    if gray and space == "RGB":
        colour = colour.convert("RGB")
    transform = srgb.transform(icc, colour.mode) if colour.mode == space else None
    colour = transform.apply(colour) if transform else colour.convert("L" if gray else "RGB")
    if gray:
        colour = colour.convert("L")
    if alpha:
        colour.putalpha(alpha)
    return colour
