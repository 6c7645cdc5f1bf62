"""`mask`, `radius`, `pixelate`, `duotone`, `trim` by colour and `crop` by size do what a computation of its own says.

Both settings of `engine.library` must do it.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.engine.job import Library
from tests import images
from tests.engine.deriving import derive

both = pytest.mark.parametrize("library", ["auto", "imagemagick"])

FINE = 16  # points across a pixel by which a shape is measured


def inside(width: int, height: int, radius: float | None) -> NDArray[np.float64]:
    """The part of each pixel that lies in the ellipse, or in the rectangle with these corners: by counting points."""
    y, x = (np.mgrid[0 : height * FINE, 0 : width * FINE] + 0.5) / FINE
    if radius is None:
        seen = (2 * x / width - 1) ** 2 + (2 * y / height - 1) ** 2 <= 1
    else:
        beyond = [np.maximum(0, radius - np.minimum(at, side - at)) for at, side in ((x, width), (y, height))]
        seen = beyond[0] ** 2 + beyond[1] ** 2 <= radius**2
    return np.asarray(seen.reshape(height, FINE, width, FINE).mean((1, 3)))


@both
@pytest.mark.parametrize(
    ("recipe", "radius"), [("mask=ellipse", None), ("radius=20", 20.0), ("radius=max", 34.5), ("radius=4000", 34.5)]
)
@pytest.mark.parametrize("size", [(120, 69), (69, 101)])
def test_what_is_outside_of_the_shape_is_transparent(
    recipe: str, radius: float | None, size: tuple[int, int], library: Library
) -> None:
    made = derive(images.png(images.photo(*size)), recipe, "png", library=library).pixels("RGBA")
    assert np.abs(made[..., 3] - 255 * inside(*size, radius)).max() <= 10
    assert np.array_equal(made[..., :3][made[..., 3] == 255], images.photo(*size)[made[..., 3] == 255])


@both
def test_a_format_without_transparency_shows_bg_outside(library: Library) -> None:
    made = derive(images.png(images.photo(90, 60)), "mask=ellipse,bg=ff8800", "bmp", library=library).pixels()
    share = inside(90, 60, None)[..., None]
    expected = share * images.photo(90, 60) + (1 - share) * np.array([255, 136, 0])
    assert np.abs(made - expected).max() <= 12


@both
def test_transparency_of_the_image_itself_stays_inside_of_the_shape(library: Library) -> None:
    made = derive(images.png_alpha(100, 80), "radius=30", "png", library=library).pixels("RGBA")
    assert np.abs(made[..., 3] - images.soft_alpha(100, 80) * inside(100, 80, 30)).max() <= 10


@both
@pytest.mark.parametrize("side", [2, 7, 64, 256])
def test_pixelate_gives_each_square_the_mean_of_its_pixels(side: int, library: Library) -> None:
    picture = images.photo(101, 66)
    made = derive(images.png(picture), f"pixelate={side}", "png", library=library).pixels()
    for top in range(0, 66, side):
        for left in range(0, 101, side):
            square = np.s_[top : top + side, left : left + side]
            assert np.abs(made[square] - picture[square].mean((0, 1))).max() <= 1


@both
def test_pixelate_counts_no_colour_of_what_is_transparent(library: Library) -> None:
    picture = np.dstack([images.flat(8, 8, (200, 60, 30)), np.full((8, 8), 255, np.uint8)])
    picture[:, ::2] = (0, 255, 255, 0)
    made = derive(images.encode(picture, "PNG"), "pixelate=8", "png", library=library).pixels("RGBA")
    assert np.abs(made - (200, 60, 30, 127.5)).max() <= 1


@both
@pytest.mark.parametrize("make", [images.png, lambda: images.png_gray(320, 240)])
def test_duotone_mixes_two_colours_by_lightness(make: object, library: Library) -> None:
    assert callable(make)
    data = make()
    made = derive(data, "duotone=102040:ffe0a0", "tif", library=library).pixels()
    share = images.pixels(data).astype(float) @ [0.2126, 0.7152, 0.0722] / 255
    dark, light = np.array([16, 32, 64]), np.array([255, 224, 160])
    assert np.abs(made - (dark + share[..., None] * (light - dark))).max() <= 1.5


@both
def test_duotone_leaves_transparency_as_it_is(library: Library) -> None:
    made = derive(images.png_alpha(), "duotone=000000:ff0000", "png", library=library).pixels("RGBA")
    assert np.array_equal(made[..., 3], images.soft_alpha())
    assert not made[..., 1:3].any()


def framed(border: tuple[int, ...], inner: tuple[int, ...]) -> bytes:
    """A photograph of 40 by 30 in a frame of 5 pixels, in another of 10."""
    sheet = Image.new("RGB", (70, 60), border)
    sheet.paste(inner, (10, 10, 60, 50))
    sheet.paste(Image.fromarray(images.photo(40, 30) // 2 + 60), (15, 15))
    return images.encode(sheet, "PNG")


@both
@pytest.mark.parametrize(
    ("trim", "size"), [("1", (50, 40)), ("1:ff0000", (50, 40)), ("1:00ff00", (70, 60)), ("5:fa0808", (50, 40))]
)
def test_trim_by_colour_cuts_a_border_of_this_colour_alone(trim: str, size: tuple[int, int], library: Library) -> None:
    made = derive(framed((255, 0, 0), (0, 0, 255)), f"trim={trim}", "png", library=library)
    assert (made.result.width, made.result.height) == size
    assert np.array_equal(made.pixels()[-1, -1], (0, 0, 255) if size == (50, 40) else (255, 0, 0))


@both
@pytest.mark.parametrize("kind", ["gray", "cmyk", "alpha"])
def test_trim_by_colour_sees_every_kind_of_pixels(kind: str, library: Library) -> None:
    if kind == "gray":
        sheet = Image.new("L", (60, 50), 255)
        sheet.paste(Image.fromarray(images.photo(40, 30)).convert("L").point([v // 2 for v in range(256)]), (10, 10))
        data = images.encode(sheet, "PNG")
    elif kind == "cmyk":
        sheet = Image.new("CMYK", (60, 50), (0, 0, 0, 0))
        sheet.paste((10, 200, 200, 60), (10, 10, 50, 40))
        data = images.encode(sheet, "TIFF")
    else:
        sheet = Image.new("RGBA", (60, 50), (1, 2, 3, 0))
        sheet.paste((10, 200, 200, 255), (10, 10, 50, 40))
        data = images.encode(sheet, "PNG")
    asked = "trim=1:00000000" if kind == "alpha" else "trim=1:ffffff"
    assert derive(data, asked, "png", library=library).result.width == 40
    assert derive(data, "trim=1:ff00ff", "png", library=library).result.width == 60


@both
@pytest.mark.parametrize(
    ("recipe", "box"),
    [
        ("crop=50p:50p", (40, 30, 120, 90)),
        ("crop=50p:50p,g=ne", (80, 0, 160, 90 - 30)),
        ("crop=100:30,g=sw", (0, 90, 100, 120)),
        ("crop=99:40p,g=0.4:0.9", (15, 72, 114, 120)),
        ("crop=4000:20,g=s", (0, 100, 160, 120)),
    ],
)
def test_a_crop_by_size_lies_where_g_says(recipe: str, box: tuple[int, int, int, int], library: Library) -> None:
    picture = images.photo(160, 120)
    made = derive(images.png(picture), recipe, "png", library=library).pixels()
    left, top, right, bottom = box
    assert made.shape[1::-1] == (right - left, bottom - top)
    assert np.array_equal(made, picture[top:bottom, left:right])


def test_a_crop_by_size_finds_what_stands_out() -> None:
    picture = images.flat(400, 300, (90, 90, 90))
    picture[200:280, 20:100] = images.photo(80, 80)
    for format in ("png", "jpg"):
        made = derive(images.encode(picture, format.replace("jpg", "JPEG")), "crop=120:120,g=smart", format).pixels()
        assert made.shape == (120, 120, 3)
        assert made.std() > 0.9 * picture[190:300, 0:120].std()


@pytest.mark.parametrize("place", ["", ",g=ne", ",g=0.2:0.7"])
def test_a_crop_by_size_of_a_jpeg_that_stays_one_is_the_same_part(place: str) -> None:
    """It is cut and scaled in luma and chroma there, from a scaled decode."""
    data = images.jpeg(images.photo(1200, 900), quality=95)
    as_jpeg, as_png = (derive(data, f"crop=600:50p,w=150{place}", format).pixels() for format in ("jpg", "png"))
    assert as_jpeg.shape == as_png.shape == (113, 150, 3)
    assert np.abs(as_jpeg - as_png).mean() < 6


def test_frames_of_an_animation_have_the_same_shape() -> None:
    made = derive(images.apng(3), "radius=20", "png").pillow()
    for number in range(3):
        made.seek(number)
        alpha = np.asarray(made.convert("RGBA"))[..., 3]
        assert alpha[0, 0] == 0
        assert alpha[36, 48] == 255
