"""No picture scores a point lower than by Lanczos alone, at no factor and no size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from service.engine.jpeg.drawn import is_drawn
from tests import images
from tests.engine.deriving import derive
from tests.engine.drawings import DRAWN, PHOTOGRAPHS, SIZE
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
        assert_same(made, image.resize(size, LANCZOS).convert("RGB"))


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_scores_within_a_point_of_lanczos_alone(name: str) -> None:
    image = PHOTOGRAPHS[name]()
    original = images.encode(image, "PNG")
    for factor in (2.5, 5, 16, 32):
        size = scaled(factor)
        made = derive(original, fill(size), "png").pillow().convert("RGB")
        assert_no_worse(made, image, size)


def test_results_of_all_sizes_score_within_a_point_of_lanczos_alone() -> None:
    photo = Image.fromarray(images.photo(1000, 750))
    for size in ((60, 45), (100, 75), (150, 112), (200, 150), (280, 210)):
        image = photo.resize((size[0] * 5, size[1] * 5), LANCZOS)
        made = derive(images.encode(image, "PNG"), fill(size), "png").pillow().convert("RGB")
        assert_no_worse(made, image, size)


def assert_no_worse(made: Image.Image, image: Image.Image, size: tuple[int, int]) -> None:
    """Scores are against Lanczos in floating point."""
    exact = in_floating_point(image, size)
    assert ssimulacra2(exact, made) >= ssimulacra2(exact, image.resize(size, LANCZOS)) - 1, size


def assert_same(made: np.ndarray, plain: Image.Image) -> None:
    """But for the last bit, where coefficients are rounded: no score differs by a point then."""
    apart = np.abs(made.astype(int) - np.asarray(plain))
    assert apart.max() <= 3
    assert apart.mean() < 0.3


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
        assert_same(derive(original, fill(size), "png").pixels(), plain.convert("RGB"))
        made = Image.open(io.BytesIO(images.encode(plain, "JPEG", quality=80))).convert("RGB")
        assert np.abs(derive(original, fill(size), "jpg").pixels() - np.asarray(made).astype(int)).mean() < 0.5, factor


def test_a_jpeg_of_a_photograph_is_not_taken_for_drawn() -> None:
    for make in PHOTOGRAPHS.values():
        with Image.open(io.BytesIO(images.encode(make(), "JPEG", quality=85))) as image:
            for n in (8, 4, 2, 1):
                assert not is_drawn(image.reduce(8 // n), n)
