"""What is drawn is scaled by Lanczos alone; photographs are first brought near by means."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from service.engine.geometry import Box
from service.engine.steps.drawn import is_drawn
from tests import images
from tests.engine.deriving import derive
from tests.engine.sheets import ssimulacra2

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


def words(colour: tuple[int, int, int], ground: tuple[int, int, int]) -> Image.Image:
    """The same page in other colours."""
    return Image.composite(Image.new("RGB", SIZE, ground), Image.new("RGB", SIZE, colour), text().convert("L"))


def level() -> Image.Image:
    """Lines from one side to the other, as on ruled paper."""
    image = Image.new("RGB", SIZE, (255, 255, 255))
    for top in range(3, SIZE[1], 7):
        ImageDraw.Draw(image).line((0, top, SIZE[0], top), (0, 0, 0))
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


DRAWN = {
    "text": text,
    "text with alpha": lambda: text(alpha=True),
    "lines": lines,
    "words on a photograph": corner,
}
COLOURED = {
    "red text on blue": lambda: words((200, 30, 30), (30, 30, 200)),
    "pale text": lambda: words((235, 235, 235), (255, 255, 255)),
    "level lines": level,
}
CASES = [*itertools.product(DRAWN, (2.5, 3, 4, 5, 6)), *itertools.product(COLOURED, (3, 6))]


@pytest.mark.parametrize(("name", "factor"), CASES)
def test_a_drawn_picture_scores_within_a_point_of_plain_lanczos(name: str, factor: float) -> None:
    image = {**DRAWN, **COLOURED}[name]()
    size = width, height = (round(SIZE[0] / factor), round(SIZE[1] / factor))
    made = derive(images.encode(image, "PNG"), f"w={width},h={height},fit=fill", "png").pillow().convert("RGB")
    plain = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    exact = in_floating_point(image.convert("RGB"), size)
    assert ssimulacra2(exact, made) >= ssimulacra2(exact, plain) - 1


def in_floating_point(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Lanczos with one rounding, at the end."""
    bands = (np.asarray(band.convert("F").resize(size, Image.Resampling.LANCZOS)) for band in image.split())
    return Image.fromarray(np.clip(np.rint(np.stack(list(bands), -1)), 0, 255).astype(np.uint8))


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
