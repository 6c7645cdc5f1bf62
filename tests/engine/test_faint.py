"""Colours that are nearly transparent are smoothed for encoders with loss, where nobody sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from service.engine import faint
from service.engine.job import Header, Job
from service.engine.steps import smooth
from tests import images
from tests.engine.deriving import LIMITS, derive

SIZES = [(64, 48), (61, 47), (5, 3), (1, 1), (40, 521)]
LOSSY = ("webp", "avif", "jxl")


def noisy(size: tuple[int, int], mode: str = "RGBA") -> Image.Image:
    """Any colour at any alpha."""
    samples = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), np.uint8)
    return Image.fromarray(samples).convert(mode)


def slope(width: int, height: int, most: int = 60) -> npt.NDArray[np.uint8]:
    """A photograph of which a slope of alpha shows little."""
    pixels = np.dstack([images.photo(width, height), np.zeros((height, width), np.uint8)])
    pixels[..., 3] = np.linspace(1, most, width)
    return pixels


def beside_brown(width: int, height: int) -> npt.NDArray[np.uint8]:
    """Black squares in brown, all of them seen a little."""
    rows, columns = np.indices((height, width)) // 16
    pixels = np.where(((rows + columns) % 2 == 0)[..., None], (0, 0, 0, 60), (140, 90, 40, 60))
    return pixels.astype(np.uint8)


def shown_on_black(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return pixels[..., :3] * (pixels[..., 3:] / 255)


def smoothed(image: Image.Image, kind: str = "webp", **recipe: str) -> Image.Image:
    return faint.smoothed(image, Job("derive", "", Header("png", *image.size), LIMITS, recipe, kind))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_no_pixel_changes_by_more_than_half_a_level_on_any_ground(mode: str, size: tuple[int, int]) -> None:
    image = noisy(size, mode)
    made = smoothed(image)
    assert (made.mode, made.size) == (mode, size)
    before, after = np.asarray(image).astype(int), np.asarray(made).astype(int)
    assert np.array_equal(before[..., -1], after[..., -1])
    assert (np.abs(before - after)[..., :-1] * before[..., -1:]).max() <= 255 / 2
    hidden = before[..., -1] == 0
    assert np.array_equal(before[hidden], after[hidden])
    plain = before[..., -1] >= 128
    assert np.array_equal(before[plain], after[plain])


def test_a_flat_colour_comes_back_from_under_an_alpha_that_hides_it() -> None:
    exact = np.full((240, 320, 4), (90, 160, 210, 0), np.uint8)
    exact[..., 3] = np.random.default_rng(7).integers(1, 61, exact.shape[:2])
    rounded = Image.fromarray(exact).convert("RGBa").convert("RGBA")

    def distance(image: Image.Image) -> float:
        return float(np.abs(np.asarray(image).astype(int) - exact)[..., :3].mean())

    assert distance(smoothed(rounded)) < 0.3 * distance(rounded)


def test_rows_that_are_smoothed_together_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noisy((61, 97))
    whole = np.asarray(smoothed(image)).astype(int)
    monkeypatch.setattr(faint, "_ROWS", 2 * faint._BLOCK)
    assert np.abs(np.asarray(smoothed(image)) - whole).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_without_transparency_is_left_alone(mode: str) -> None:
    image = noisy((32, 24)).convert(mode)
    assert smoothed(image) is image


def test_a_picture_that_is_clear_or_seen_well_is_left_alone() -> None:
    image = noisy((32, 24))
    image.putalpha(image.getchannel("A").point([0] * 128 + [*range(128, 256)]))
    assert smoothed(image) is image


@pytest.mark.parametrize("kind", ["png", "tif", "gif", "bmp", "jpg"])
def test_formats_without_loss_or_transparency_get_the_colours_as_they_are(kind: str) -> None:
    image = noisy((32, 24))
    assert smoothed(image, kind) is image


@pytest.mark.parametrize("kind", LOSSY)
def test_a_result_that_is_to_be_lossless_gets_the_colours_as_they_are(kind: str) -> None:
    image = noisy((32, 24))
    assert smoothed(image, kind, lossless="1") is image


@pytest.mark.parametrize("recipe", ["w=320", "w=320,rot=3", "rot=3"])
@pytest.mark.parametrize("kind", LOSSY)
def test_an_encoder_with_loss_pays_for_no_noise(kind: str, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = images.encode(slope(640, 480), "PNG")
    fewer = derive(data, recipe, kind).result.bytes
    monkeypatch.setattr(smooth, "smoothed", lambda image, _: image)
    assert fewer < 0.95 * derive(data, recipe, kind).result.bytes


@pytest.mark.parametrize("recipe", ["w=160", "w=160,gam=3", "w=160,con=60", "w=160,sharpen=1:3", "w=160,rot=3"])
def test_it_is_not_seen_after_steps_that_lift_dark_colours_either(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = images.encode(beside_brown(640, 480), "PNG")
    made = shown_on_black(derive(data, recipe, "webp", quality=98).pixels("RGBA"))
    monkeypatch.setattr(smooth, "smoothed", lambda image, _: image)
    assert np.abs(made - shown_on_black(derive(data, recipe, "webp", quality=98).pixels("RGBA"))).mean() < 0.5


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
def test_what_is_scaled_in_16_bits_or_not_at_all_is_left_alone(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(faint, "_nearest_to_means")
    derive(images.encode(slope(64, 48), "PNG"), "w=32" if library == "imagemagick" else "", "webp", library=library)
