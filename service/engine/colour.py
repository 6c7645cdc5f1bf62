"""Any profile and any colour space to 8-bit sRGB that looks the same, or the profile kept, where the recipe says so.

Profiles are applied by Little CMS, through Pillow for 8-bit samples (a tenth of ImageMagick's time) and through
ImageMagick for deeper ones, so that a linear or very wide profile is not quantised before it is converted.
"""

from __future__ import annotations

import io
import itertools
from functools import lru_cache

from PIL import Image as Pillow
from PIL import ImageCms

from service.engine.formats import FORMATS
from service.engine.job import Job
from service.engine.libraries import by_magick, holds
from service.engine.magick import colour as magick
from service.engine.picture import Picture

_INTENT = ImageCms.Intent.PERCEPTUAL
_SIGNATURES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # ICC.1:2022, table 19


def to_srgb(picture: Picture, job: Job) -> None:
    """Bring every frame to 8-bit gray or sRGB. With `keep=icc` pixels and a profile of their kind stay as they are."""
    icc = picture.details.icc
    if icc and is_srgb(icc):
        icc = None
    space = magick.space(icc) if icc else None
    carried = FORMATS[job.format].has_profile and space in ("srgb", "gray") and space == picture.details.space
    keeps = carried and kept("icc", job)
    for frame in picture.frames:
        if holds(frame, job):
            magick.convert(frame.magick(), None if keeps else icc, _srgb().tobytes())
        else:
            frame.put(_convert(frame.pillow(), None if keeps else icc))
        if not by_magick("to_srgb", job):
            frame.pillow()
    picture.details.icc = icc if keeps else None


def kept(what: str, job: Job) -> bool:
    """Whether the recipe keeps `what` and the configuration lets it."""
    return what in job.keep and what in job.recipe.get("keep", "").split(":")


@lru_cache(maxsize=16)
def is_srgb(icc: bytes) -> bool:
    """Whether a profile leaves colours as they are in sRGB, give or take 2 of 255, whatever it calls itself."""
    if icc[16:20] != b"RGB ":
        return False
    steps = (0, 16, 64, 128, 255)
    colours = bytes(itertools.chain.from_iterable(itertools.product(steps, repeat=3)))
    before = Pillow.frombytes("RGB", (len(colours) // 3, 1), colours)
    transform = _transform(icc, "RGB")
    if transform is None:
        return False
    after = transform.apply(before).tobytes()
    return all(abs(a - b) <= 2 for a, b in zip(colours, after, strict=True))


def _convert(image: Pillow.Image, icc: bytes | None) -> Pillow.Image:
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if icc is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    colour = image.convert(image.mode[:-1]) if alpha else image
    gray = colour.mode == "L"
    space = _SIGNATURES.get(icc[16:20])
    if gray and space == "RGB":
        colour = colour.convert("RGB")
    transform = _transform(icc, colour.mode) if colour.mode == space else None
    colour = transform.apply(colour) if transform else colour.convert("L" if gray else "RGB")
    if gray:
        colour = colour.convert("L")
    if alpha:
        colour.putalpha(alpha)
    return colour


@lru_cache(maxsize=16)
def _transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile to sRGB, 8 bits each; None for a profile that cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB", _INTENT)
    except (ImageCms.PyCMSError, OSError):
        return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
