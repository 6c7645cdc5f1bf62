"""What is drawn is scaled by Lanczos alone; photographs are first brought near by means."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from service.engine.geometry import Box
from service.engine.steps.drawn import is_drawn
from tests import images
from tests.engine.deriving import derive

SIZE = (1260, 840)


def text(alpha: bool = False) -> Image.Image:
    """A page of words in several sizes."""
    image = Image.new("RGBA" if alpha else "RGB", SIZE, (255, 255, 255, 255))
    pen = ImageDraw.Draw(image)
    top = 10
    for line in range(40):
        size = (12, 14, 18, 24)[line % 4]
        pen.text(
            (20 + line % 7, top),
            "The quick brown fox jumps over the lazy dog. " * 3,
            (20, 20, 60),
            ImageFont.load_default(size),
        )
        top += size + 6
    return image


def lines() -> Image.Image:
    image = Image.new("L", SIZE, 255)
    pen = ImageDraw.Draw(image)
    for step in range(0, SIZE[0], 9):
        pen.line((step, 0, SIZE[0] - step, SIZE[1]), 0)
    return image


def logo() -> Image.Image:
    """Words on nothing."""
    image = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for top in range(0, SIZE[1], 60):
        pen.text((20, top), "Image gateway, images on demand", (0, 90, 160, 255), ImageFont.load_default(40))
    return image


def corner() -> Image.Image:
    """A photograph with words in one part of it."""
    image = Image.fromarray(images.photo(*SIZE)).copy()
    image.paste(text().crop((0, 0, 500, 300)), (600, 400))
    return image


DRAWN = {"text": text, "text with alpha": lambda: text(alpha=True), "lines": lines, "words on a photograph": corner}


@pytest.mark.parametrize("factor", [2.5, 3, 4, 5, 6])
@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_picture_is_what_lanczos_makes_of_it(name: str, factor: float) -> None:
    image = DRAWN[name]()
    width, height = (round(side / factor) for side in SIZE)
    made = derive(images.encode(image, "PNG"), f"w={width},h={height},fit=fill", "png").pixels()
    plain = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    assert apart(made, np.asarray(plain).astype(int)) <= 1


def test_words_on_nothing_are_drawn() -> None:
    assert is_drawn(logo(), Box(0, 0, *SIZE))


def test_a_photograph_is_not_drawn() -> None:
    for image in (Image.fromarray(images.photo(*SIZE)), Image.fromarray(images.photo(*SIZE)).convert("L")):
        assert not is_drawn(image, Box(0, 0, *SIZE))


def test_an_edge_to_what_is_transparent_does_not_make_a_photograph_a_drawing() -> None:
    image = Image.fromarray(images.photo(*SIZE)).convert("RGBA")
    cut = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    cut.paste(image.crop((300, 200, 900, 700)), (300, 200))
    assert not is_drawn(cut, Box(0, 0, *SIZE))


def apart(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    return int(np.abs(one - other).max())
