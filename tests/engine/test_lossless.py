"""The whole image in its own format keeps its encoding; where it cannot, it comes close."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from service.engine.stripping.icc import to_keep
from tests import images, profiles
from tests.engine.deriving import derive, ssim


@pytest.mark.parametrize(
    ("name", "kind"), [("jpeg", "jpg"), ("png_alpha", "png"), ("webp_alpha", "webp"), ("webp_animated", "webp"),
                       ("gif_animated", "gif"), ("jpeg_cmyk", "jpg"), ("png_16bit", "png")]
)  # fmt: skip
def test_every_sample_is_as_it_was(name: str, kind: str) -> None:
    data = getattr(images, name)()
    made = derive(data, "", kind)
    with Image.open(io.BytesIO(data)) as original:
        assert made.pillow().mode == original.mode
        assert made.pillow().tobytes() == original.tobytes()
        assert made.result.frames == getattr(original, "n_frames", 1)


def test_a_profile_stays_unless_it_is_srgb() -> None:
    assert derive(images.jpeg(icc_profile=profiles.adobe_rgb()), "", "jpg").pillow().info.get("icc_profile")
    assert not derive(images.jpeg(icc_profile=profiles.srgb()), "", "jpg").pillow().info.get("icc_profile")


def test_a_quality_that_is_asked_for_is_given() -> None:
    data = images.jpeg()
    assert derive(data, "q=30", "jpg").result.bytes < derive(data, "", "jpg").result.bytes / 2


def test_a_turned_original_without_blocks_to_turn_is_encoded_once_more_at_high_quality() -> None:
    data = images.oriented(6, "WEBP", images.photo())
    made = derive(data, "", "webp", quality=30)
    once = np.asarray(Image.open(io.BytesIO(data)).convert("RGB").transpose(Image.Transpose.ROTATE_270))
    assert ssim(made.pixels(), once) > 0.97


def test_a_turned_avif_is_copied_with_its_turn() -> None:
    data = images.oriented(6, "AVIF", images.photo())
    made = derive(data, "", "avif", quality=30)
    shown = [ImageOps.exif_transpose(image).convert("RGB") for image in (made.pillow(), Image.open(io.BytesIO(data)))]
    assert shown[0].tobytes() == shown[1].tobytes()


def test_a_turned_original_keeps_its_profile() -> None:
    icc = profiles.adobe_rgb()
    made = derive(images.oriented(6, "JPEG", images.photo(), icc_profile=icc), "", "jpg")
    assert made.pillow().info["icc_profile"] == to_keep(icc)
    assert np.abs(made.pixels() - images.photo()).mean() < 3


@pytest.mark.parametrize("recipe", ["bg=ff0000", "frame=0", "keep=icc", "keep=copyright"])
def test_what_touches_no_pixel_changes_nothing(recipe: str) -> None:
    """Here the configuration keeps the profile, which stays anyway, and no copyright."""
    data = images.jpeg(icc_profile=profiles.adobe_rgb())
    assert derive(data, recipe, "jpg", keep=("icc",)).data == derive(data, "", "jpg").data


def test_a_copyright_that_stays_costs_no_quality() -> None:
    data = images.jpeg(exif=images.exif(), icc_profile=profiles.adobe_rgb())
    made = derive(data, "keep=copyright", "jpg", keep=("copyright",), quality=30)
    assert made.pillow().getexif() == {0x8298: "(c) Secret Owner"}
    assert made.pillow().info["icc_profile"] == to_keep(profiles.adobe_rgb())
    assert np.abs(made.pixels() - images.pixels(data)).mean() < 1.5


@pytest.mark.parametrize("frame", [0, 2])
def test_a_frame_of_an_animation_is_that_frame_alone(frame: int) -> None:
    data = images.gif_animated(3)
    made = derive(data, f"frame={frame}", "gif")
    assert made.result.frames == 1
    with Image.open(io.BytesIO(data)) as film:
        film.seek(frame)
        assert np.abs(made.pixels() - np.asarray(film.convert("RGB")).astype(int)).mean() < 1


@pytest.mark.parametrize(("name", "kind"), [("tiff", "tif"), ("bmp", "bmp")])
def test_formats_that_cannot_be_stripped_lose_nothing_either(name: str, kind: str) -> None:
    assert np.abs(derive(getattr(images, name)(), "", kind).pixels() - images.photo()).max() == 0
