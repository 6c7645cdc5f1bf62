"""Convert any profile and colour space to 8-bit sRGB; or keep the profile, where the recipe says so.

Little CMS applies profiles: through Pillow for 8-bit samples (a tenth of ImageMagick's time) and through ImageMagick
for deeper ones, so that a linear or very wide profile is not quantised before it is converted. With the gamut `p3`,
images that are wider than sRGB become Display P3.
"""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine import srgb, tone_mapping
from service.engine.built_profile import display_p3
from service.engine.colorimetry import BT709, P3, Curve, between
from service.engine.formats import FORMATS
from service.engine.job import Job
from service.engine.libraries import by_magick, holds
from service.engine.magick import colour as magick
from service.engine.picture import Picture
from service.engine.stripping import NotCopied
from service.engine.stripping.icc import to_keep

_SIGNATURES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}  # ICC.1:2022, table 19

_BEYOND = 0.01
"""Of linear light, by which a channel must be negative in sRGB for primaries to count as wider."""


def to_srgb(picture: Picture, job: Job) -> None:
    """Bring every frame to 8-bit gray or sRGB. With `keep=icc` pixels and a profile of their kind stay as they are;
    with the gamut `p3` what is wider than sRGB becomes Display P3, where the format holds its profile."""
    if picture.details.hdr:
        _map_tones(picture, job)
        return
    icc = picture.details.icc
    if icc and srgb.is_srgb(icc):
        icc = None
    space = magick.space(icc) if icc else None
    carried = FORMATS[job.format].has_profile and space in ("srgb", "gray") and space == picture.details.space
    written = _written(icc) if icc and carried and kept("icc", job) else None
    keeps = written is not None
    target = display_p3() if icc and not keeps and _may_be_wide(picture, job) and srgb.is_wider(icc) else None
    for frame in picture.frames:
        if holds(frame, job):
            magick.convert(frame.magick(), None if keeps else icc, target or srgb.profile().tobytes())
        else:
            frame.put(_convert(frame.pillow(), None if keeps else icc, target))
        if not by_magick("to_srgb", job):
            frame.pillow()
    picture.details.icc = written if keeps else target


def stays(picture: Picture, job: Job) -> bool:
    """Return True if the colours of a decoded picture are not converted: it is sRGB or gray, or keeps its profile."""
    details = picture.details
    plain = not details.icc or srgb.is_srgb(details.icc) or kept("icc", job)
    return plain and details.hdr is None and details.space in ("srgb", "gray")


def kept(what: str, job: Job) -> bool:
    """Return True if the recipe keeps `what` and the configuration allows it."""
    return what in job.keep and what in job.recipe.get("keep", "").split(":")


def _may_be_wide(picture: Picture, job: Job) -> bool:
    return job.gamut == "p3" and FORMATS[job.format].has_wide_gamut and not picture.frames[0].gray


def _map_tones(picture: Picture, job: Job) -> None:
    """High dynamic range to the standard one; gray stays gray."""
    stated = picture.details.hdr
    assert stated is not None and not isinstance(stated.transfer, Curve)
    lost = min(value for row in between(stated.primaries, BT709) for value in row)
    wide = lost < -_BEYOND and _may_be_wide(picture, job)
    for frame in picture.frames:
        image = frame.pillow()
        made = tone_mapping.mapped(image.convert("RGB"), stated.transfer, stated.primaries, P3 if wide else BT709)
        made = made.convert("L") if frame.gray else made
        if frame.alpha:
            made.putalpha(image.getchannel("A"))
        frame.put(made)
    picture.details.icc, picture.details.hdr = display_p3() if wide else None, None


def _written(icc: bytes) -> bytes | None:
    """The profile without personal data; None where it cannot be written without them."""
    try:
        return to_keep(icc) or None
    except NotCopied:
        return None


def _convert(image: Pillow.Image, icc: bytes | None, target: bytes | None) -> Pillow.Image:
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if icc is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    colour = image.convert(image.mode[:-1]) if alpha else image
    gray = colour.mode == "L"
    space = _SIGNATURES.get(icc[16:20])
    if gray and space == "L":
        levels = srgb.levels(icc)
        colour = colour.point(levels) if levels else colour
    else:
        colour = _converted(colour.convert("RGB") if gray and space == "RGB" else colour, icc, space, target)
        colour = colour.convert("L") if gray else colour
    if alpha:
        colour.putalpha(alpha)
    return colour


def _converted(colour: Pillow.Image, icc: bytes, space: str | None, target: bytes | None) -> Pillow.Image:
    """The pixels by a profile of `space`; as they are where that is another one, or the profile cannot be used."""
    transform = srgb.transform(icc, colour.mode, target) if colour.mode == space else None
    if transform:
        return transform.apply(colour)
    return colour.convert("L" if colour.mode == "L" else "RGB")
