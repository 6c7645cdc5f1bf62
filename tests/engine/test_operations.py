"""What every key of a recipe does to the pixels."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from service.engine.job import Unsatisfiable
from tests import images
from tests.engine.deriving import derive, ssim

ODD = images.photo(1237, 931)
ODD_JPEG = images.jpeg(ODD, quality=95, subsampling=0)
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(pixels: NDArray[Any]) -> list[tuple[int, ...]]:
    """The colours at top left, top right, bottom left and bottom right."""
    return [tuple(pixels[y, x]) for y in (2, -3) for x in (2, -3)]


def resized(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_shown_upright(kind: str, orientation: int) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "AVIF" else {}
    data = images.oriented(orientation, kind, **options)
    made = derive(data, "w=32", "bmp")
    assert (made.result.width, made.result.height) == (32, 24)
    assert np.abs(np.array(corners(made.pixels())) - [RED, GREEN, BLUE, WHITE]).max() < 40


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bits_turn_as_eight_do(orientation: int) -> None:
    plain, block = images.png_16bit(60, 40), images.png_chunk(b"eXIf", images.exif(orientation)[6:])
    made = derive(plain[:33] + block + plain[33:], "w=30", "tif").pixels()
    upright = Image.fromarray(derive(plain, "", "tif").pixels().astype(np.uint8))
    upright.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(upright))
    assert ssim(made, resized(expected, (made.shape[1], made.shape[0]))) > 0.98


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_oriented_original_whole_in_its_own_format_is_upright(orientation: int) -> None:
    data = images.oriented(orientation, "JPEG")
    made = derive(data, "", "jpg")
    assert made.pillow().getexif().get(0x0112, 1) == 1
    assert ssim(made.pixels(), images.quadrants()) > 0.97


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_crop_is_of_the_upright_image_also_from_a_scaled_decode(orientation: int) -> None:
    upright = images.photo(800, 600)
    data = images.oriented(orientation, "JPEG", upright)
    made = derive(data, "crop=400:150:400:300,w=100", "png").pixels()
    assert ssim(made, resized(upright[150:450, 400:800].copy(), (100, 75))) > 0.93


@pytest.mark.parametrize("width", [640, 500, 320, 240, 160, 100])
def test_a_scaled_decode_looks_like_a_whole_one(width: int) -> None:
    """What rounding would shift by a pixel at the far edge costs far more than this."""
    made = derive(ODD_JPEG, f"w={width}", "tif").pixels()
    expected = resized(ODD, (width, made.shape[0]))
    assert ssim(made, expected) > 0.95
    assert ssim(made[-20:, -20:], expected[-20:, -20:]) > 0.93


@pytest.mark.parametrize(
    ("recipe", "size"),
    [
        ("w=100,h=100", (100, 75)),
        ("w=100,h=100,fit=outside", (133, 100)),
        ("w=100,h=100,fit=cover", (100, 100)),
        ("w=100,h=60,fit=fill", (100, 60)),
        ("w=100,h=100,fit=pad", (100, 100)),
        ("w=100,h=100,fit=liquid", (100, 100)),
        ("w=640", (320, 240)),
        ("w=640,up=1", (640, 480)),
        ("w=400,h=400,fit=pad", (400, 400)),
        ("w=400,h=400,fit=cover", (240, 240)),
        ("w=100,h=100,fit=liquid,up=1", (100, 100)),
        ("rot=90", (240, 320)),
        ("rot=30", (398, 368)),
        ("crop=10p:10p:50p:50p", (160, 120)),
    ],
)
def test_a_recipe_gives_the_size(recipe: str, size: tuple[int, int]) -> None:
    made = derive(images.png(), recipe, "jpg")
    assert made.pillow().size == size
    assert (made.result.width, made.result.height) == size


@pytest.mark.parametrize(
    ("g", "left"), [("", 40), ("w", 0), ("e", 80), ("0:0.5", 0), ("0.4375:0.5", 20), ("1:1", 80), ("nw", 0), ("se", 80)]
)
def test_cover_keeps_what_gravity_or_a_focal_point_says(g: str, left: int) -> None:
    data = images.png(images.photo(320, 240))
    made = derive(data, "w=240,h=240,fit=cover" + (f",g={g}" if g else ""), "tif").pixels()
    assert np.abs(made - images.photo(320, 240)[:, left : left + 240]).max() == 0


def test_cover_crops_between_pixels_where_it_must() -> None:
    made = derive(images.png(images.photo(320, 240)), "w=50,h=50,fit=cover", "tif").pixels()
    assert ssim(made, resized(images.photo(320, 240)[:, 40:280].copy(), (50, 50))) > 0.995


@pytest.mark.parametrize("side", ["left", "right"])
def test_smart_keeps_the_part_with_something_to_see(side: str) -> None:
    scene = np.full((200, 600, 3), (150, 180, 200), np.uint8)
    busy = images.photo(120, 120, seed=3).copy()
    busy[30:90, 30:90] = (224, 172, 140)
    at = 30 if side == "left" else 450
    scene[40:160, at : at + 120] = busy
    made = derive(images.png(scene), "w=200,h=200,fit=cover,g=smart", "tif").pixels()
    assert (np.abs(made - (224, 172, 140)).sum(-1) < 5).sum() == 3600


def test_smart_takes_the_middle_where_nothing_stands_out() -> None:
    made = derive(images.png(images.flat(300, 100)), "w=100,h=100,fit=cover,g=smart", "png")
    assert (made.result.width, made.result.height) == (100, 100)


@pytest.mark.parametrize(("g", "top", "bottom"), [("", 25, 25), ("n", 0, 50), ("s", 50, 0), ("0.5:0.2", 10, 40)])
def test_pad_lays_the_image_where_gravity_says(g: str, top: int, bottom: int) -> None:
    recipe = "w=100,h=100,fit=pad,bg=ff0000" + (f",g={g}" if g else "")
    made = derive(images.png(images.flat(200, 100, (0, 0, 200))), recipe, "png").pixels()
    red = (made == RED).all(-1).all(1)
    assert (red[:50].sum(), red[50:].sum()) == (top, bottom)


def test_pad_is_white_unless_told_and_keeps_the_transparency_of_the_image() -> None:
    made = derive(images.png_alpha(200, 100), "w=100,h=100,fit=pad", "png").pixels("RGBA")
    assert tuple(made[0, 0]) == (255, 255, 255, 255)
    assert made[26, 1, 3] == 0


def test_pad_may_be_transparent() -> None:
    assert derive(images.png(), "w=100,h=100,fit=pad,bg=00000000", "png").pixels("RGBA")[0, 0, 3] == 0


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("rot=90", [BLUE, RED, WHITE, GREEN]),
        ("rot=180", [WHITE, BLUE, GREEN, RED]),
        ("rot=270", [GREEN, WHITE, RED, BLUE]),
        ("flip=h", [GREEN, RED, WHITE, BLUE]),
        ("flip=v", [BLUE, WHITE, RED, GREEN]),
        ("rot=90,flip=h", [RED, BLUE, GREEN, WHITE]),
    ],
)
def test_turns_are_clockwise_and_come_before_flips(recipe: str, expected: list[tuple[int, int, int]]) -> None:
    assert corners(derive(images.png(images.quadrants()), recipe, "tif").pixels()) == expected


def test_trim_cuts_a_uniform_border_within_its_fuzz() -> None:
    picture = np.full((100, 120, 3), 250, np.uint8)
    picture[::2] = 246
    picture[20:70, 30:100] = images.photo(70, 50)
    made = derive(images.png(picture), "trim=5", "tif")
    assert (made.result.width, made.result.height) == (70, 50)
    assert derive(images.png(picture), "trim=0", "tif").result.height > 50


def test_trim_leaves_an_image_of_one_colour_alone() -> None:
    assert derive(images.png(images.flat(40, 30)), "trim=10", "png").result.width == 40


def test_trim_follows_crop() -> None:
    picture = np.full((100, 100, 3), 255, np.uint8)
    picture[0:100, 0:10] = 0
    picture[40:60, 40:70] = 9
    made = derive(images.png(picture), "crop=10:0:90:100,trim=1", "tif")
    assert (made.result.width, made.result.height) == (30, 20)


def test_a_crop_beyond_the_image_cannot_be_had() -> None:
    with pytest.raises(Unsatisfiable, match="320x240"):
        derive(images.png(), "crop=400:0:10:10")


def test_liquid_carves_what_matters_least() -> None:
    scene = np.full((100, 200, 3), 200, np.uint8)
    scene[30:70, 20:60] = images.photo(40, 40)
    scene[30:70, 150:190] = images.photo(40, 40)
    made = derive(images.png(scene), "w=120,h=100,fit=liquid", "tif").pixels()
    busy = (np.abs(made - 200).sum(-1) > 20).sum()
    assert made.shape == (100, 120, 3)
    assert busy > 0.9 * (np.abs(scene.astype(int) - 200).sum(-1) > 20).sum()


def test_one_pixel_is_an_image_too() -> None:
    made = derive(images.png(images.flat(1, 1)), "w=10,h=10,fit=cover,up=1,rot=45,blur=1,sharpen=1", "jpg")
    assert made.result.width >= 10
