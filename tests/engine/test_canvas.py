"""Turning by any angle: what the corners show, how the edges look, where the image meets its background."""

import numpy as np
import pytest
from PIL import Image

from tests import images
from tests.engine.deriving import derive, ssim


@pytest.mark.parametrize("degrees", [10, 22.5, 45, 200])
def test_any_angle_turns_about_the_middle_as_pillow_does(degrees: float) -> None:
    made = derive(images.png(), f"rot={degrees},bg=102030", "tif").pixels()
    turned = Image.fromarray(images.photo()).rotate(
        -degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=(16, 32, 48)
    )
    assert max(abs(turned.width - made.shape[1]), abs(turned.height - made.shape[0])) <= 2
    middle = turned.width // 2 - 50, turned.height // 2 - 50
    expected = np.asarray(turned.crop((*middle, middle[0] + 100, middle[1] + 100)))
    y, x = made.shape[0] // 2 - 50, made.shape[1] // 2 - 50
    assert ssim(made[y : y + 100, x : x + 100], expected) > 0.75
    assert tuple(made[0, 0]) == (16, 32, 48)


def test_a_turn_keeps_the_transparency_of_the_image_and_fills_the_corners() -> None:
    made = derive(images.png_alpha(), "rot=30,bg=ff0000", "tif").pixels("RGBA")
    assert tuple(made[0, 0]) == (255, 0, 0, 255)
    assert made[100, 70, 3] < 20
    assert tuple(derive(images.png(), "rot=30,bg=00000000", "tif").pixels("RGBA")[0, 0]) == (0, 0, 0, 0)


def test_the_edge_of_a_turned_image_is_a_mixture_of_both_sides() -> None:
    made = derive(images.png(images.flat(60, 60, (200, 60, 30))), "rot=20,bg=102030", "tif").pixels()
    assert np.all((made >= (16, 32, 30)) & (made <= (200, 60, 48)))
    assert len(np.unique(made.reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize(("bg", "rounding"), [("336699", 0), ("808080", 0), ("00000000", 0), ("33669980", 1)])
def test_what_is_padded_runs_into_what_is_turned_without_a_seam(bg: str, rounding: int) -> None:
    """The image is black and stands at the left, so whatever is right of its edge must be the background alone."""
    made = derive(images.png(images.flat(200, 200, (0, 0, 0))), f"w=300,h=200,fit=pad,g=w,bg={bg},rot=20", "png")
    pixels = made.pixels("RGBA")
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width] + 0.5
    across = (x - width / 2) * np.cos(np.radians(20)) + (y - height / 2) * np.sin(np.radians(20))
    beyond = np.unique(pixels[across > 52], axis=0)
    assert len(beyond) == 1
    assert np.abs(beyond[0] - list(bytes.fromhex(bg.ljust(8, "f")))).max() <= rounding
