"""What colour an image is, whatever it is stored in: compared with what Little CMS or Pillow makes of the same file."""

import io
import zlib
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageCms

from service.engine.stripping.icc import to_keep
from tests import images, profiles
from tests.engine.deriving import derive

RGB_PROFILES = ["display_p3", "adobe_rgb", "prophoto"]


def converted(image: Image.Image, icc: bytes, mode: str = "RGB") -> NDArray[np.int64]:
    """Little CMS's own conversion of the whole image to sRGB."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    return np.asarray(made).astype(int)


def eight_bits(data: bytes, width: int | None = None) -> NDArray[Any]:
    """What libvips makes of the file."""
    image = pyvips.Image.new_from_buffer(data, "").colourspace("srgb")
    if width:
        image = image.premultiply().resize(width / image.width).unpremultiply().cast("uchar")
    pixels: NDArray[Any] = image.numpy()
    return pixels


def distance(made: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.abs(made.astype(int) - expected.astype(int)).mean())


@pytest.mark.parametrize("name", RGB_PROFILES)
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff", "avif"])
def test_a_profile_is_converted_to_srgb_and_dropped(name: str, kind: str) -> None:
    icc = getattr(profiles, name)()
    data = getattr(images, kind)(icc_profile=icc)
    made = derive(data, "", "tif" if kind == "png" else "png")
    expected = converted(Image.open(io.BytesIO(data)).convert("RGB"), icc)
    assert distance(made.pixels(), expected) < 0.6
    assert distance(made.pixels(), np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))) > 1
    assert "icc_profile" not in made.pillow().info


@pytest.mark.parametrize("name", RGB_PROFILES)
def test_sixteen_bits_are_converted_before_they_are_cut_to_eight(name: str) -> None:
    icc = getattr(profiles, name)()
    plain = images.png_16bit()
    at = plain.index(b"IHDR") + 4 + 13 + 4
    data = plain[:at] + images.png_chunk(b"iCCP", b"x\0\0" + zlib.compress(icc)) + plain[at:]
    eight = Image.fromarray(derive(plain, "", "tif").pixels().astype(np.uint8))
    assert distance(derive(data, "", "tif").pixels(), converted(eight, icc)) < 1


def test_sixteen_bits_keep_their_light() -> None:
    assert distance(derive(images.png_16bit(), "", "tif").pixels(), eight_bits(images.png_16bit())) < 0.6


def test_gray_with_a_profile_is_converted_and_stays_gray() -> None:
    icc = profiles.gray(1.8)
    data = images.png_gray(icc_profile=icc)
    made = derive(data, "", "tif").pixels()
    assert distance(made, converted(Image.open(io.BytesIO(data)), icc, "RGB")) < 1
    assert np.ptp(made, axis=-1).max() == 0
    assert derive(data, "w=100", "jpg").pillow().mode == "L"


@pytest.mark.parametrize("kind", ["jpeg_cmyk", "jpeg_ycck"])
def test_cmyk_with_a_profile_is_converted_by_it(kind: str) -> None:
    icc = profiles.cmyk()
    made = derive(getattr(images, kind)(icc_profile=icc), "", "png").pixels()
    inks = Image.open(io.BytesIO(images.jpeg_cmyk(quality=100, subsampling=0)))
    assert distance(made, converted(inks, icc)) < 4


@pytest.mark.parametrize("kind", ["jpeg_cmyk", "jpeg_ycck"])
def test_cmyk_without_a_profile_looks_like_the_picture(kind: str) -> None:
    made = derive(getattr(images, kind)(), "", "png").pixels()
    assert distance(made, images.photo()) < 3


def test_cmyk_scaled_is_the_same_picture() -> None:
    made = derive(images.jpeg_cmyk(), "w=160", "png").pixels()
    assert distance(made, np.asarray(Image.fromarray(images.photo()).resize((160, 120), Image.Resampling.LANCZOS))) < 3


def test_a_gray_jpeg_may_carry_an_rgb_profile() -> None:
    made = derive(images.jpeg_gray(icc_profile=profiles.srgb()), "", "png").pixels()
    assert distance(made, np.asarray(Image.open(io.BytesIO(images.jpeg_gray())).convert("RGB"))) < 0.5


@pytest.mark.parametrize("icc", [b"rubbish", profiles.adobe_rgb()[:200], profiles.cmyk()])
def test_a_profile_that_cannot_be_meant_is_passed_over(icc: bytes) -> None:
    made = derive(images.tiff(icc_profile=icc), "", "png").pixels()
    assert distance(made, images.photo()) < 0.01


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif", "tif"])
def test_a_profile_stays_where_recipe_and_configuration_keep_it(kind: str) -> None:
    icc = profiles.display_p3()
    data = images.png(icc_profile=icc)
    made = derive(data, "w=160,keep=icc", kind, keep=("icc",), quality=95)
    assert made.pillow().info["icc_profile"] == to_keep(icc)
    stored = np.asarray(Image.fromarray(images.photo()).resize((160, 120), Image.Resampling.LANCZOS))
    assert distance(made.pixels(), stored) < 3


def test_a_profile_for_colours_stays_with_a_picture_made_gray() -> None:
    made = derive(images.png(icc_profile=profiles.display_p3()), "gray=1,keep=icc", "png", keep=("icc",)).pillow()
    assert made.mode == "RGB"
    assert made.info["icc_profile"] == to_keep(profiles.display_p3())


def test_a_profile_of_another_kind_than_the_pixels_is_not_kept() -> None:
    made = derive(images.jpeg_gray(icc_profile=profiles.display_p3()), "keep=icc", "png", keep=("icc",))
    assert "icc_profile" not in made.pillow().info


def test_a_profile_goes_where_the_configuration_does_not_keep_it() -> None:
    made = derive(images.png(icc_profile=profiles.display_p3()), "w=160,keep=icc", "png")
    assert "icc_profile" not in made.pillow().info


def test_a_format_that_carries_no_profile_gets_srgb_instead() -> None:
    data = images.png(icc_profile=profiles.adobe_rgb())
    made = derive(data, "keep=icc", "bmp", keep=("icc",)).pixels()
    assert distance(made, converted(Image.fromarray(images.photo()), profiles.adobe_rgb())) < 0.6


def test_transparent_edges_do_not_darken() -> None:
    red = np.zeros((90, 90, 4), np.uint8)
    red[20:70, 20:70] = (255, 0, 0, 255)
    made = derive(images.png(red), "w=31", "tif").pixels("RGBA")
    seen = made[made[..., 3] > 8]
    assert seen[:, 0].min() > 245
    assert seen[:, 1:3].max() < 10


def test_a_sixteen_bit_image_with_alpha_keeps_both() -> None:
    made = derive(images.png_16bit(alpha=True), "w=100", "tif").pixels("RGBA")
    expected = eight_bits(images.png_16bit(alpha=True), 100)
    assert distance(made, expected) < 1
