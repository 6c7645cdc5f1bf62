"""What the keys for light, colour and detail do to the pixels."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from tests import images
from tests.engine.deriving import derive


def test_gray_is_gray() -> None:
    made = derive(images.png(), "gray=1", "png").pixels()
    assert np.ptp(made, axis=-1).max() == 0
    assert np.abs(made.mean() - images.photo() @ [0.2126, 0.7152, 0.0722]).mean() < 60


def test_negate_turns_every_sample_around() -> None:
    assert np.abs(derive(images.png(), "negate=1", "tif").pixels() - (255 - images.photo())).max() <= 1


def test_negate_leaves_transparency_as_it_is() -> None:
    made = derive(images.png_alpha(), "negate=1", "tif").pixels("RGBA")
    assert np.abs(made[..., 3] - images.soft_alpha()).max() <= 1


@pytest.mark.parametrize("format", ["png", "tif", "bmp", "jpg"])
def test_bitonal_is_black_or_white_by_the_lightness_of_bt_709(format: str) -> None:
    made = derive(images.png(), "bitonal=1", format).pixels()
    lightness = images.photo() @ [0.2126, 0.7152, 0.0722]
    certain = np.abs(lightness - 127.5) > 8  # nearer to the threshold rounding decides, and JPEG's ringing
    assert 0.1 < np.mean(lightness > 127.5) < 0.9
    assert np.mean((made[..., 0] > 127)[certain] == (lightness > 127.5)[certain]) > 0.999
    assert np.ptp(made, axis=-1).max() == 0
    if format != "jpg":
        assert set(np.unique(made)) == {0, 255}


def test_bitonal_leaves_transparency_as_it_is() -> None:
    made = derive(images.png_alpha(), "bitonal=1", "png").pixels("RGBA")
    assert np.array_equal(made[..., 3], images.soft_alpha())
    assert set(np.unique(made[..., :3])) == {0, 255}


@pytest.mark.parametrize(("recipe", "sign"), [("bri=30", 1), ("bri=-30", -1), ("gam=1.8", 1), ("gam=0.5", -1)])
def test_brightness_and_gamma_move_the_mean(recipe: str, sign: int) -> None:
    assert sign * (derive(images.png(), recipe, "tif").pixels().mean() - images.photo().mean()) > 10


def test_gamma_is_a_power() -> None:
    made = derive(images.png(), "gam=2", "tif").pixels()
    assert np.abs(made - 255 * (images.photo() / 255) ** 0.5).max() <= 1


@pytest.mark.parametrize(("recipe", "wider"), [("con=40", True), ("con=-40", False), ("normalize=1", True)])
def test_contrast_spreads_or_gathers(recipe: str, wider: bool) -> None:
    flat = (images.photo() // 2 + 60).astype(np.uint8)
    assert bool(derive(images.png(flat), recipe, "tif").pixels().std() > flat.std()) is wider


def test_equalize_uses_the_whole_range_evenly() -> None:
    made = derive(images.png((images.photo() // 3 + 60).astype(np.uint8)), "equalize=1", "tif").pixels()
    assert made.min() < 8
    assert made.max() > 247
    assert abs(made.mean() - 127) < 12


def test_saturation_goes_down_to_gray_and_up() -> None:
    def spread(pixels: NDArray[Any]) -> float:
        return float(np.ptp(pixels.astype(int), axis=-1).mean())

    assert spread(derive(images.png(), "sat=-100", "tif").pixels()) < 1
    assert spread(derive(images.png(), "sat=50", "tif").pixels()) > spread(images.photo()) * 1.1


@pytest.mark.parametrize("sigma", [1, 4])
def test_blur_is_gaussian(sigma: int) -> None:
    made = derive(images.png(), f"blur={sigma}", "tif").pixels()
    expected = np.asarray(Image.fromarray(images.photo()).filter(ImageFilter.GaussianBlur(sigma)))
    assert np.abs(made - expected).mean() < 1.5


def test_blur_does_not_bring_out_what_is_hidden_in_transparent_pixels() -> None:
    picture = np.zeros((60, 60, 4), np.uint8)
    picture[..., 1] = 255
    picture[20:40, 20:40] = (255, 0, 0, 255)
    made = derive(images.png(picture), "blur=3", "tif").pixels("RGBA")
    assert made[made[..., 3] > 20][:, 1].max() < 8


def test_sharpen_makes_edges_steeper_by_its_amount() -> None:
    def steepness(recipe: str) -> float:
        pixels = derive(images.jpeg(), recipe, "tif").pixels()
        return float(np.abs(np.diff(pixels, axis=1)).mean())

    plain, some, much = steepness("w=160"), steepness("w=160,sharpen=1"), steepness("w=160,sharpen=1:3")
    assert plain < some < much
    assert steepness("w=160,sharpen=1:3:0.9") == pytest.approx(plain, rel=0.02)
