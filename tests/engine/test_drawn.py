"""No picture scores a point lower than by Lanczos alone, and what is drawn is scaled by exactly that."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from service.engine.geometry import Box
from service.engine.steps.drawn import is_drawn, was_drawn
from tests import images
from tests.engine.deriving import derive
from tests.engine.drawings import BLACK, DRAWN, INK, PHOTOGRAPHS, SIZE, WHITE, page
from tests.engine.sheets import ssimulacra2

FACTORS = (2, 2.25, 2.5, 2.75, 3, 4, 5, 6)
LANCZOS = Image.Resampling.LANCZOS


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_picture_is_scaled_by_lanczos_alone(name: str) -> None:
    image = DRAWN[name]()
    original = images.encode(image, "PNG")
    for factor in FACTORS:
        size = scaled(factor)
        made = derive(original, fill(size), "png").pixels()
        assert np.array_equal(made, np.asarray(image.resize(size, LANCZOS).convert("RGB"))), factor


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_scores_within_a_point_of_lanczos_alone(name: str) -> None:
    image = PHOTOGRAPHS[name]()
    original = images.encode(image, "PNG")
    for factor in (2.5, 4, 5, 8, 16, 32):
        size = scaled(factor)
        made = derive(original, fill(size), "png").pillow().convert("RGB")
        assert_no_worse(made, image, size)


def test_results_of_all_sizes_score_within_a_point_of_lanczos_alone() -> None:
    """The photograph and the factor at which libvips loses most."""
    photo = Image.fromarray(images.photo(1000, 750))
    for size in ((60, 45), (100, 75), (150, 112), (200, 150), (280, 210)):
        image = photo.resize((size[0] * 5, size[1] * 5), LANCZOS)
        made = derive(images.encode(image, "PNG"), fill(size), "png").pillow().convert("RGB")
        assert_no_worse(made, image, size)


def assert_no_worse(made: Image.Image, image: Image.Image, size: tuple[int, int]) -> None:
    """Scores are against Lanczos in floating point."""
    plain = image.resize(size, LANCZOS)
    if not np.array_equal(np.asarray(made), np.asarray(plain)):
        exact = in_floating_point(image, size)
        assert ssimulacra2(exact, made) >= ssimulacra2(exact, plain) - 1, size


def scaled(factor: float) -> tuple[int, int]:
    return round(SIZE[0] / factor), round(SIZE[1] / factor)


def fill(size: tuple[int, int]) -> str:
    return f"w={size[0]},h={size[1]},fit=fill"


def in_floating_point(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Lanczos with one rounding, at the end."""
    bands = (np.asarray(band.convert("F").resize(size, LANCZOS)) for band in image.split())
    return Image.fromarray(np.clip(np.rint(np.stack(list(bands), -1)), 0, 255).astype(np.uint8))


JPEGS = ("text", "light text on a dark ground", "level lines", "a grid", "hairlines in gray", "a chart")


@pytest.mark.parametrize("name", JPEGS)
def test_a_drawn_jpeg_is_scaled_by_lanczos_alone_from_its_whole_decode(name: str) -> None:
    original = images.encode(DRAWN[name](), "JPEG", quality=85)
    with Image.open(io.BytesIO(original)) as image:
        whole = image.copy()
    for factor in (2.5, 4.5, 6):
        size = scaled(factor)
        plain = whole.resize(size, LANCZOS)
        assert np.array_equal(derive(original, fill(size), "png").pixels(), np.asarray(plain.convert("RGB"))), factor
        made = Image.open(io.BytesIO(images.encode(plain, "JPEG", quality=80))).convert("RGB")
        assert np.abs(derive(original, fill(size), "jpg").pixels() - np.asarray(made).astype(int)).mean() < 0.5, factor


def test_a_jpeg_of_a_photograph_is_not_taken_for_drawn() -> None:
    for make in PHOTOGRAPHS.values():
        with Image.open(io.BytesIO(images.encode(make(), "JPEG", quality=85))) as image:
            for n in (8, 4, 2, 1):
                assert not was_drawn(image.reduce(8 // n), n)


def test_drawn_pictures_with_transparency_are_scaled_by_lanczos_alone() -> None:
    image = page(INK, WHITE).convert("RGBA")
    image.putalpha(page(WHITE, BLACK).convert("L"))
    plain = np.asarray(image.convert("RGBa").resize(scaled(4), LANCZOS).convert("RGBA"))
    assert np.array_equal(derive(images.encode(image, "PNG"), fill(scaled(4)), "png").pixels("RGBA"), plain)


def test_words_on_nothing_are_drawn() -> None:
    image = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    for top in range(0, SIZE[1], 60):
        words = "Image gateway, images on demand"
        ImageDraw.Draw(image).text((20, top), words, (0, 90, 160, 255), ImageFont.load_default(40))
    assert is_drawn(image, Box(0, 0, *SIZE))


def test_photographs_without_words_are_not_drawn() -> None:
    for name in ("a photograph", "a dark photograph", "a pale photograph"):
        assert not is_drawn(PHOTOGRAPHS[name](), Box(0, 0, *SIZE)), name
        assert not is_drawn(PHOTOGRAPHS[name]().convert("L"), Box(0, 0, *SIZE)), name


def test_an_edge_to_what_is_transparent_does_not_make_a_photograph_a_drawing() -> None:
    cut = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    cut.paste(PHOTOGRAPHS["a photograph"]().convert("RGBA").crop((300, 200, 900, 700)), (300, 200))
    assert not is_drawn(cut, Box(0, 0, *SIZE))
