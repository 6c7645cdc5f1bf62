"""Where nothing but another encoding is asked, the answer has no more bytes than the original without its metadata."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests import images, profiles
from tests.engine.deriving import derive

PHOTO = images.photo(320, 240)


def poor(kind: str, **options: object) -> bytes:
    """A photograph of a quality so low that encoding what it shows again takes more bytes."""
    return images.encode(Image.fromarray(PHOTO), kind, quality=10, **options)


@pytest.mark.parametrize("recipe", ["q=40", "w=320", "w=320,q=90", "w=320,h=240,fit=cover,q=95", "h=240,up=1"])
@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_an_original_of_low_quality_does_not_grow(kind: str, recipe: str) -> None:
    data = poor({"jpg": "JPEG", "webp": "WEBP"}[kind], exif=images.exif(1))
    full, made = derive(data, "", kind), derive(data, recipe, kind)
    assert len(made.data) <= len(full.data) < len(data)
    assert made.result.bytes == len(made.data)
    assert made.pillow().size == (320, 240)


def test_a_small_png_does_not_grow() -> None:
    image = Image.fromarray(PHOTO).quantize(16)
    data = images.encode(image, "PNG", optimize=True)
    assert len(derive(data, "w=320", "png").data) <= len(derive(data, "", "png").data)


def test_one_that_is_stored_turned_does_not_grow_and_is_upright() -> None:
    data = images.encode(Image.fromarray(PHOTO), "JPEG", quality=10, exif=images.exif(6))
    full, made = derive(data, "", "jpg"), derive(data, "q=90", "jpg")
    assert len(made.data) <= len(full.data)
    assert made.pillow().size == (240, 320)


def test_what_is_asked_beyond_that_is_done() -> None:
    data = poor("JPEG")
    gray = derive(data, "gray=1,q=95", "jpg").pixels()
    assert np.ptp(gray, axis=2).max() <= 2
    assert derive(data, "w=160,q=95", "jpg").pillow().size == (160, 120)


@pytest.mark.parametrize("recipe", ["q=90", "w=320", "mb=60000"])
@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_a_profile_that_is_to_be_applied_does_not_stay_and_the_picture_does_not_grow(kind: str, recipe: str) -> None:
    """The quality is as low as the original's own."""
    data = poor({"jpg": "JPEG", "webp": "WEBP"}[kind], icc_profile=profiles.display_p3())
    full, made = derive(data, "", kind), derive(data, recipe, kind)
    assert "icc_profile" not in made.pillow().info
    assert len(made.data) <= len(full.data)
    assert made.result.bytes == len(made.data)


def test_a_jpeg_of_inks_does_not_grow_although_it_is_converted() -> None:
    data = images.jpeg_cmyk(quality=5)
    full, made = derive(data, "", "jpg"), derive(data, "q=95", "jpg")
    assert len(made.data) <= len(full.data)
    assert made.pillow().mode == "RGB"
