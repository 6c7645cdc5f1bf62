"""A screenshot of 1920x1200: windows with lines of text, a menu and a chart, in flat colours."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw, ImageFont

SIZE = 1920, 1200
_WORDS = ("image", "gateway", "cache", "derived", "original", "width", "height", "format", "request", "answer")
_DESKTOP, _PAPER, _BAR, _INK = (46, 84, 120), (252, 252, 252), (222, 226, 230), (32, 34, 38)
_COLOURS = ((200, 60, 50), (60, 140, 70), (50, 90, 190), (230, 160, 40))


def draw() -> Image.Image:
    """Draw it in RGB, the same every time."""
    random = Random(19)
    image = Image.new("RGB", SIZE, _DESKTOP)
    pen = ImageDraw.Draw(image)
    for left, top, right, bottom in ((40, 60, 1180, 1140), (1220, 60, 1880, 620), (1220, 660, 1880, 1140)):
        _window(pen, (left, top, right, bottom))
        _text(pen, random, (left + 20, top + 50, right - 20, bottom - 20))
    _chart(pen, random, (1260, 720, 1840, 1100))
    return image


def _window(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    left, top, right, _ = box
    pen.rectangle(box, _PAPER, _INK)
    pen.rectangle((left, top, right, top + 32), _BAR, _INK)
    for number, colour in enumerate(_COLOURS[:3]):
        pen.ellipse((left + 12 + 26 * number, top + 9, left + 26 + 26 * number, top + 23), colour)


def _text(pen: ImageDraw.ImageDraw, random: Random, box: tuple[int, int, int, int]) -> None:
    font = ImageFont.load_default(15)
    left, top, right, bottom = box
    for line in range(top, bottom - 16, 22):
        at = left + 24 * random.randrange(4)
        while True:
            word = random.choice(_WORDS)
            end = at + font.getlength(word)
            if end > right or random.random() < 0.06:
                break
            pen.text((at, line), word, random.choice((_INK, _INK, *_COLOURS)), font)
            at = int(end) + 6


def _chart(pen: ImageDraw.ImageDraw, random: Random, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    pen.rectangle(box, _PAPER, _INK)
    for number in range(12):
        at, high = left + 20 + 46 * number, random.randrange(40, bottom - top - 20)
        pen.rectangle((at, bottom - high, at + 34, bottom - 1), _COLOURS[number % len(_COLOURS)])
    pen.line([(left + 37 + 46 * number, top + random.randrange(20, 300)) for number in range(12)], _INK, 2)
    assert right > left
