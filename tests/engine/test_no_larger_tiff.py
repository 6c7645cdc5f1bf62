"""A TIFF of any kind has no more bytes than the original where nothing but another encoding is asked."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from service.engine.job import Undecodable
from service.engine.recognise import recognise
from service.engine.strip import strip
from tests import images, profiles
from tests.engine.deriving import derive
from tests.engine.free_bytes import tiffs
from tests.pictures.tiff_writer import JPEG_OLD, YCBCR, Page, tiff

PHOTO = images.photo(320, 240)
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


def floating(scale: float = 1 / 255) -> bytes:
    image = pyvips.Image.new_from_array(RAMP).copy(interpretation="srgb").cast("float") * scale
    data = image.tiffsave_buffer(compression="deflate", predictor="float")
    assert isinstance(data, bytes)
    return data


def turned(orientation: int, **options: Any) -> bytes:
    return images.encode(Image.fromarray(PHOTO), "TIFF", tiffinfo={274: orientation}, **options)


def webp(**options: object) -> bytes:
    image = pyvips.Image.new_from_array(PHOTO).copy(interpretation="srgb")
    data = image.tiffsave_buffer(compression="webp", **options)
    assert isinstance(data, bytes)
    return data


def old_jpeg() -> bytes:
    return tiff(Page(PHOTO, photometric=YCBCR, subsampling=(2, 2), compression=JPEG_OLD))


SHOWN_DIFFERENTLY: dict[str, Callable[[], bytes]] = {
    "floating": floating,
    "signed": lambda: ramp("srgb", "char", 0.5, predictor="horizontal"),
    "32 bits": lambda: ramp("rgb16", "uint", 16843009, predictor="horizontal"),
    "CMYK in JPEG without a profile": cmyk,
    "CMYK without a profile": lambda: images.encode(
        Image.fromarray(RAMP).convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"
    ),
    "JPEG of old style": old_jpeg,
    "turned": lambda: turned(3, compression="tiff_adobe_deflate"),
    "turned on its side": lambda: turned(6, compression="jpeg"),
    "WebP": lambda: webp(Q=60),
    "WebP without loss": lambda: webp(lossless=True),
    "Zstandard": lambda: images.encode(Image.fromarray(RAMP), "TIFF", compression="zstd"),
    "LZMA": lambda: images.encode(Image.fromarray(PHOTO), "TIFF", compression="lzma"),
}


@pytest.mark.parametrize("recipe", ["", "w"])
@pytest.mark.parametrize("kind", SHOWN_DIFFERENTLY)
def test_a_tiff_that_not_every_program_shows_alike_does_not_grow(kind: str, recipe: str) -> None:
    data = SHOWN_DIFFERENTLY[kind]()
    shown = derive(data, "", "png").pixels()
    made = derive(data, f"w={shown.shape[1]}" if recipe else "", "tif")
    assert len(made.data) == made.result.bytes <= len(data)
    apart = np.abs(derive(made.data, "", "png").pixels() - shown)
    assert apart.mean() <= (3 if "JPEG" in kind else 0.5)


def test_a_turned_tiff_that_is_copied_stays_turned() -> None:
    made = derive(turned(6, compression="jpeg"), "", "tif")
    assert (made.result.width, made.result.height) == made.pillow().size == (240, 320)
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.tag_v2[274] == 6  # type: ignore[attr-defined]


def test_a_webp_inside_a_tiff_leaves_its_metadata_behind() -> None:
    plain, image = webp(Q=60), io.BytesIO()
    Image.fromarray(PHOTO).save(image, "WEBP", quality=10, exif=images.exif(1), xmp=b"<x>secret</x>")
    page = {**tiffs.page(320, 240, 3, 50001, 2)}
    data = tiffs.built(page, [image.getvalue()])
    made = derive(data, "", "tif").data
    assert b"secret" in data and b"secret" not in made
    assert b"VP8 " in made and b"EXIF" not in made
    assert len(derive(plain, "", "tif").data) <= len(plain)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_alpha_of_webp_inside_a_tiff_that_has_none_is_not_copied(alpha: bool, lossless: bool, tmp_path: Path) -> None:
    """Some versions of libtiff decode such a file, and others call it damaged."""
    hidden, image = np.indices((240, 320)).sum(0).astype(np.uint8), io.BytesIO()
    pixels = np.dstack([PHOTO, hidden]) if alpha else PHOTO
    Image.fromarray(pixels).save(image, "WEBP", lossless=lossless, exact=True)
    source = tmp_path / "original"
    source.write_bytes(tiffs.built(tiffs.page(320, 240, 3, 50001, 2), [image.getvalue()]))
    assert strip(source, tmp_path / "copy", recognise(source)) is not alpha


def test_webp_without_loss_inside_a_tiff_stays_without_loss_where_its_colours_are_converted() -> None:
    data = webp(lossless=True, profile="p3")
    made = derive(data, "w=320", "tif")
    assert np.array_equal(made.pixels(), derive(data, "w=320", "png").pixels())


def test_transparency_and_a_side_that_jpeg_cannot_have_are_written_without_loss() -> None:
    tall = images.tiff(np.tile(PHOTO[:100, :16], (700, 1, 1)), compression="jpeg", icc_profile=profiles.display_p3())
    made = derive(tall, "w=16", "tif")
    assert made.pillow().size == (16, 70_000)
    clear = Image.fromarray(np.dstack([PHOTO, np.indices((240, 320)).sum(0).astype(np.uint8)]))
    page = {**tiffs.page(320, 240, 4, 50001, 2), 338: tiffs.short(2), 34675: (tiffs.UNDEFINED, profiles.display_p3())}
    image = io.BytesIO()
    clear.save(image, "WEBP", quality=50)
    made = derive(tiffs.built(page, [image.getvalue()]), "w=320", "tif")
    assert made.pillow().mode == "RGBA"


def test_webp_of_another_size_than_the_directory_says_is_not_copied() -> None:
    image = io.BytesIO()
    Image.fromarray(PHOTO).save(image, "WEBP", quality=10)
    data = tiffs.built(tiffs.page(200, 240, 3, 50001, 2), [image.getvalue()])
    with pytest.raises(Undecodable):
        derive(data, "", "tif")


def test_a_tiff_whose_colours_are_converted_without_loss_is_packed_densely() -> None:
    options = {"compression": "tiff_adobe_deflate", "tiffinfo": {317: 2}}
    data = images.encode(Image.fromarray(PHOTO), "TIFF", icc_profile=profiles.display_p3(), **options)
    made = derive(data, "w=320", "tif")
    assert np.array_equal(made.pixels(), derive(data, "w=320", "png").pixels())
    assert made.pillow().info["compression"] == "tiff_adobe_deflate"


@pytest.mark.parametrize("recipe", ["w=320", "q=90"])
def test_a_profile_of_a_tiff_in_jpeg_is_applied_and_the_picture_does_not_grow(recipe: str) -> None:
    data = images.tiff(PHOTO, compression="jpeg", icc_profile=profiles.display_p3())
    full, made = derive(data, "", "tif"), derive(data, recipe, "tif")
    assert "icc_profile" not in made.pillow().info
    assert len(made.data) <= len(full.data)
    assert np.abs(made.pixels() - derive(data, "w=320", "png").pixels()).mean() <= 3


def test_a_tiff_in_cmyk_is_converted_where_a_size_is_asked_or_no_profile_says_which_inks() -> None:
    assert derive(TIFFS["CMYK in JPEG"](), "w=320", "tif").pillow().mode == "RGB"
    assert derive(cmyk(), "", "tif").pillow().mode == "RGB"
