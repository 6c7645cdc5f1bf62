"""What is measured on: photographs of a folder, where IMAGE_GATEWAY_BENCH_PHOTOS names one, else drawn pictures.

In the folder the first JPEG is the photograph of 6 megapixels, and the first PNG the picture with alpha of 3.
"""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from scripts.sample import draw_sample
from tests import images

VARIABLE = "IMAGE_GATEWAY_BENCH_PHOTOS"
PHOTO, ALPHA, LARGE = (2725, 2225), (2048, 1536), (6000, 4000)


def photo(folder: Path) -> Path:
    """A JPEG of 6 megapixels."""
    return _given("*.jp*g") or _drawn(folder / "photo.jpg", PHOTO)


def alpha(folder: Path) -> Path:
    """A PNG of 3 megapixels that is transparent in places."""
    given = _given("*.png")
    if given:
        return given
    path = folder / "alpha.png"
    path.write_bytes(images.png_alpha(*ALPHA))
    return path


def large(folder: Path) -> Path:
    """A JPEG of 24 megapixels: the photograph, enlarged."""
    path = folder / "large.jpg"
    with Image.open(photo(folder)) as image:
        image.convert("RGB").resize(LARGE, Image.Resampling.BICUBIC).save(path, "JPEG", quality=90)
    return path


def _given(pattern: str) -> Path | None:
    folder = os.environ.get(VARIABLE)
    return min(Path(folder).glob(pattern), default=None) if folder else None


def _drawn(path: Path, size: tuple[int, int]) -> Path:
    """The sample, upright and without metadata: orientation is no subject here, and not every peer knows of it."""
    draw_sample(path, *size)
    with Image.open(path) as image:
        upright = image.transpose(Image.Transpose.ROTATE_270)
    upright.save(path, "JPEG", quality=90)
    return path
