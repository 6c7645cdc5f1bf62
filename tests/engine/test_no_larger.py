"""Where nothing but another encoding is asked, the answer has no more bytes than the original without its metadata."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from service.engine.recognise import recognise
from service.engine.strip import strip
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


RAMP = np.tile(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], (90, 1, 3))
"""Of which few bytes remain where neighbours are subtracted."""


def ramp(space: str, code: str, scale: float, **options: str) -> bytes:
    image = (pyvips.Image.new_from_array(RAMP) * scale).cast(code).copy(interpretation=space)
    data = image.tiffsave_buffer(compression="deflate", **options)
    assert isinstance(data, bytes)
    return data


def lab() -> bytes:
    image = pyvips.Image.new_from_array(RAMP).copy(interpretation="srgb").colourspace("lab")
    data = image.tiffsave_buffer(compression="deflate", predictor="horizontal")
    assert isinstance(data, bytes)
    return data


def cmyk(**options: object) -> bytes:
    return images.encode(Image.fromarray(PHOTO).convert("CMYK"), "TIFF", compression="jpeg", **options)


TIFFS: dict[str, Callable[[], bytes]] = {
    "16 bits": lambda: ramp("rgb16", "ushort", 257, predictor="horizontal"),
    "Lab": lab,
    "CMYK in JPEG": lambda: cmyk(icc_profile=profiles.cmyk()),
    "16 bits of a profile": lambda: ramp("rgb16", "ushort", 257, predictor="horizontal", profile="p3"),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_a_whole_tiff_of_a_rare_kind_does_not_grow(kind: str, tmp_path: Path) -> None:
    data = TIFFS[kind]()
    source, copy = tmp_path / "original", tmp_path / "copy"
    source.write_bytes(data)
    assert strip(source, copy, recognise(source))
    made = derive(data, "", "tif")
    assert len(made.data) == made.result.bytes <= copy.stat().st_size
    apart = np.abs(derive(made.data, "", "png").pixels() - derive(data, "", "png").pixels())
    assert apart.max() <= 1


def test_a_tiff_in_cmyk_is_converted_where_a_size_is_asked_or_no_profile_says_which_inks() -> None:
    assert derive(TIFFS["CMYK in JPEG"](), "w=320", "tif").pillow().mode == "RGB"
    assert derive(cmyk(), "", "tif").pillow().mode == "RGB"
