"""Judge whether an ICC profile is sRGB or wider, and make its transform to sRGB or Display P3."""

from __future__ import annotations

import io
import itertools
from functools import lru_cache

from PIL import Image as Pillow
from PIL import ImageCms

from service.engine.built_profile import display_p3

TOLERANCE = 2
"""The most, of 255, by which the transform of a profile that counts as sRGB changes a sample."""

_STEPS = (0, 8, 16, 32, 64, 128, 192, 255)
"""The values that are tried, closest where curves differ most; in each channel, in all combinations."""


@lru_cache(maxsize=16)
def is_srgb(icc: bytes) -> bool:
    """Return whether a profile leaves colours as they are in sRGB. Names and numbers in it do not count."""
    if icc[16:20] != b"RGB ":
        return False
    colours = bytes(itertools.chain.from_iterable(itertools.product(_STEPS, repeat=3)))
    before = Pillow.frombytes("RGB", (len(colours) // 3, 1), colours)
    to_srgb = transform(icc, "RGB")
    if to_srgb is None:
        return False
    after = to_srgb.apply(before).tobytes()
    return all(abs(a - b) <= TOLERANCE for a, b in zip(colours, after, strict=True))


@lru_cache(maxsize=16)
def is_wider(icc: bytes) -> bool:
    """Return whether a profile of RGB has colours that sRGB has not, of those that Display P3 has."""
    to_p3 = transform(icc, "RGB", display_p3()) if icc[16:20] == b"RGB " else None
    back, forth = transform(display_p3(), "RGB"), transform(profile().tobytes(), "RGB", display_p3())
    if to_p3 is None or back is None or forth is None:
        return False
    colours = bytes(itertools.chain.from_iterable(itertools.product(_STEPS, repeat=3)))
    wide = to_p3.apply(Pillow.frombytes("RGB", (len(colours) // 3, 1), colours))
    narrow = forth.apply(back.apply(wide))
    return any(abs(a - b) > 2 * TOLERANCE for a, b in zip(wide.tobytes(), narrow.tobytes(), strict=True))


@lru_cache(maxsize=16)
def transform(icc: bytes, mode: str, target: bytes | None = None) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to RGB of the profile `target`, of sRGB by default, 8 bits a sample; None for a profile that
    cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        to = ImageCms.ImageCmsProfile(io.BytesIO(target)) if target else profile()
        return ImageCms.buildTransform(source, to, mode, "RGB", ImageCms.Intent.PERCEPTUAL)
    except (ImageCms.PyCMSError, OSError):
        return None


@lru_cache(maxsize=16)
def levels(icc: bytes) -> bytes | None:
    """Return what the 256 levels of a gray profile are in gray of sRGB; None for a profile that cannot be used.

    The table that Little CMS makes of such a transform has few entries: dark levels of linear light are ten levels off.
    """
    made = converted(icc, "L", bytes(range(256)))
    return Pillow.frombytes("RGB", (256, 1), made[ImageCms.Intent.PERCEPTUAL]).convert("L").tobytes() if made else None


def expressed(colour: tuple[int, int, int, int], icc: bytes | None) -> tuple[int, int, int, int]:
    """Return a colour of sRGB, with alpha, in the numbers that an RGB profile has for it."""
    to = transform(profile().tobytes(), "RGB", icc) if icc and icc[16:20] == b"RGB " else None
    if to is None:
        return colour
    red, green, blue = to.apply(Pillow.frombytes("RGB", (1, 1), bytes(colour[:3]))).tobytes()
    return red, green, blue, colour[3]


def converted(icc: bytes, mode: str, samples: bytes) -> list[bytes]:
    """Return samples of Pillow's `mode` in sRGB, by each rendering intent; nothing where the profile cannot be used.

    Little CMS makes no table in between, which takes longer than the few samples, and is less exact.
    """
    channels = len(Pillow.new(mode, (1, 1)).getbands())
    image = Pillow.frombytes(mode, (len(samples) // channels, 1), samples)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        exact = ImageCms.Flags.NOOPTIMIZE
        transforms = [
            ImageCms.buildTransform(source, profile(), mode, "RGB", intent, exact) for intent in ImageCms.Intent
        ]
        return [one.apply(image).tobytes() for one in transforms]
    except (ImageCms.PyCMSError, OSError):
        return []


@lru_cache(maxsize=1)
def profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
