"""Pictures that scaling by means, or by rounded coefficients, would spoil: text, lines, charts, gradients, and words on
a photograph; dark and pale ones, and colours on colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests import images

SIZE = (1080, 720)

Colour = tuple[int, int, int]
WHITE, BLACK, INK, NIGHT = (255, 255, 255), (0, 0, 0), (20, 20, 60), (16, 18, 30)
RED, BLUE, YELLOW = (200, 30, 30), (30, 30, 200), (250, 240, 60)


def page(ink: Colour, paper: Colour, sizes: tuple[int, ...] = (12, 14, 18, 24)) -> Image.Image:
    """Words in several sizes, in pixels."""
    image = Image.new("RGB", SIZE, paper)
    top, line = 8, 0
    while top < SIZE[1]:
        size = sizes[line % len(sizes)]
        words = "The quick brown fox jumps over the lazy dog. " * 3
        ImageDraw.Draw(image).text((12 + line % 7, top), words, ink, ImageFont.load_default(size))
        top, line = top + size + 6, line + 1
    return image


def level(ink: Colour, paper: Colour, step: int = 7) -> Image.Image:
    """Lines from one side to the other, as on ruled paper."""
    image = Image.new("RGB", SIZE, paper)
    for top in range(3, SIZE[1], step):
        ImageDraw.Draw(image).line((0, top, SIZE[0], top), ink)
    return image


def grid(ink: Colour, paper: Colour) -> Image.Image:
    image = level(ink, paper, 11)
    for left in range(5, SIZE[0], 13):
        ImageDraw.Draw(image).line((left, 0, left, SIZE[1]), ink)
    return image


def hairlines(ink: Colour, paper: Colour) -> Image.Image:
    """Lines of one pixel at many angles."""
    image = Image.new("RGB", SIZE, paper)
    for step in range(0, SIZE[0], 9):
        ImageDraw.Draw(image).line((step, 0, SIZE[0] - step, SIZE[1]), ink)
    return image


def heading(ink: Colour, paper: Colour) -> Image.Image:
    """Two large words, and nothing else."""
    image = Image.new("RGB", SIZE, paper)
    ImageDraw.Draw(image).text((SIZE[0] // 8, SIZE[1] // 3), "Image gateway", ink, ImageFont.load_default(90))
    return image


def photograph() -> Image.Image:
    return Image.fromarray(images.photo(*SIZE)).copy()


def subtitled(ink: Colour, size: int, lines: int = 1) -> Image.Image:
    """A photograph with words at its foot, that have a dark rim."""
    image, font = photograph(), ImageFont.load_default(size)
    for line in range(lines):
        at = (SIZE[0] // 8, SIZE[1] * 4 // 5 + line * size)
        words = "A subtitle on a photograph, in two words"
        ImageDraw.Draw(image).text(at, words, ink, font, stroke_width=1, stroke_fill=BLACK)
    return image


def corner() -> Image.Image:
    """A photograph with words in one part of it."""
    image = photograph()
    image.paste(page(INK, WHITE).crop((0, 0, 450, 270)), (500, 350))
    return image


def chart() -> Image.Image:
    image = Image.new("RGB", SIZE, (252, 252, 252))
    pen, tops = ImageDraw.Draw(image), [(20 + number * 80, number * 53 % 200 + 10) for number in range(13)]
    for number, (left, top) in enumerate(tops):
        pen.rectangle((left, 300 + top, left + 54, SIZE[1] - 2), (RED, BLUE, YELLOW, INK)[number % 4])
    pen.line(tops, NIGHT, 2)
    return image


def gradient() -> Image.Image:
    """From side to side, and less from top to bottom, without grain."""
    across, down = np.meshgrid(np.linspace(0, 255, SIZE[0]), np.linspace(40, 200, SIZE[1]))
    return Image.fromarray(np.stack([across, across[:, ::-1], down], -1).astype(np.uint8))


DRAWN: dict[str, Callable[[], Image.Image]] = {
    "text": lambda: page(INK, WHITE),
    "small text": lambda: page(BLACK, WHITE, (9, 10, 11)),
    "light text on a dark ground": lambda: page((230, 230, 230), NIGHT),
    "pale text": lambda: page((235, 235, 235), WHITE),
    "red text on blue": lambda: page(RED, BLUE),
    "yellow text on white": lambda: page(YELLOW, WHITE),
    "level lines": lambda: level(BLACK, WHITE),
    "level lines, white on black": lambda: level(WHITE, BLACK),
    "pale level lines": lambda: level((240, 240, 240), WHITE),
    "a grid": lambda: grid(BLACK, WHITE),
    "hairlines": lambda: hairlines(BLACK, WHITE),
    "hairlines in gray": lambda: hairlines(BLACK, WHITE).convert("L"),
    "pale hairlines": lambda: hairlines((225, 225, 225), WHITE),
    "hairlines, white on black": lambda: hairlines(WHITE, BLACK),
    "red hairlines on blue": lambda: hairlines(RED, BLUE),
    "a heading": lambda: heading(BLACK, WHITE),
    "a heading on a dark ground": lambda: heading(WHITE, NIGHT),
    "a red heading on blue": lambda: heading(RED, BLUE),
    "a chart": chart,
    "a gradient": gradient,
    "a photograph with words in a corner": corner,
    "a subtitle": lambda: subtitled(WHITE, 30),
    "a yellow subtitle": lambda: subtitled(YELLOW, 40),
    "a subtitle in two small lines": lambda: subtitled(WHITE, 18, lines=2),
}
"""Each is made when a test asks for it."""

PHOTOGRAPHS: dict[str, Callable[[], Image.Image]] = {
    "a photograph": photograph,
    "a dark photograph": lambda: photograph().point(lambda value: value * 0.5),
    "a pale photograph": lambda: photograph().point(lambda value: 150 + value * 0.4),
    "a photograph of a fifth of its contrast": lambda: photograph().point(lambda value: 100 + value * 0.2),
}
