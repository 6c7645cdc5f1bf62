"""Scenes with a subject whose place is known, drawn the same every time: what a crop must not lose.

Seven kinds, each in as many variations as wanted; the subject never stands in the middle, and something else is always
there to be taken for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Box = tuple[float, float, float, float]
Random = np.random.Generator

SKIN = ((255, 219, 187), (234, 192, 154), (198, 146, 104), (141, 92, 60), (92, 58, 40))
WIDE, TALL = (480, 320), (320, 480)


@dataclass(frozen=True)
class Scene:
    """A picture, the kind it is of, and the subject's left, top, right and bottom in pixels."""

    kind: str
    picture: Image.Image
    subject: Box


def scenes(variations: int = 6) -> Iterator[Scene]:
    """Every kind, as often as is said, wide and tall in turn."""
    for kind, draw in _KINDS.items():
        for number in range(variations):
            random = np.random.default_rng([number, *kind.encode()])
            size = (WIDE, TALL)[number % 2]
            picture, subject = draw(random, size)
            yield Scene(kind, picture, subject)


def kept(subject: Box, crop: Box) -> float:
    """The part of the subject's area that a crop leaves, 0..1."""
    width = min(subject[2], crop[2]) - max(subject[0], crop[0])
    height = min(subject[3], crop[3]) - max(subject[1], crop[1])
    area = (subject[2] - subject[0]) * (subject[3] - subject[1])
    return max(0.0, width) * max(0.0, height) / area


def _portrait(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """A face with hair and shoulders before leaves."""
    picture = _leaves(random, size)
    return picture, _person(random, picture, _place(random, size, 70, 100), 70)


def _pair(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """Two people side by side in a street of plain walls."""
    picture = _walls(random, size)
    left, top = _place(random, size, 116, 78)
    boxes = [_person(random, picture, (left + offset, top), 52) for offset in (0, 64)]
    return picture, (boxes[0][0], boxes[0][1], boxes[1][2], boxes[1][3])


def _ball(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """A smooth bright ball on rough grass."""
    picture = _noise(random, size, (70, 120, 50), 26)
    left, top = _place(random, size, 64, 64)
    colour = ((225, 40, 35), (245, 200, 30), (40, 90, 225))[random.integers(3)]
    ImageDraw.Draw(picture).ellipse((left, top, left + 64, top + 64), fill=colour)
    ImageDraw.Draw(picture).ellipse((left + 14, top + 10, left + 28, top + 22), fill=(255, 255, 255))
    return picture.filter(ImageFilter.GaussianBlur(0.6)), (left, top, left + 64, top + 64)


def _text(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """A block of lines on paper that is darker towards one side."""
    picture = _gradient(random, size, (246, 242, 232), (206, 200, 188))
    width, height = 130, 90
    left, top = _place(random, size, width, height)
    draw = ImageDraw.Draw(picture)
    for y in range(0, height, 15):
        x = 0.0
        while x < width - 8:
            word = min(float(random.uniform(8, 30)), width - x)
            draw.rectangle((left + x, top + y, left + x + word, top + y + 8), fill=(60, 56, 60))
            x += word + 6
    return picture, (left, top, left + width, top + height)


def _product(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """A pale bottle with a label on white, and its soft shadow beside it."""
    picture = Image.new("RGB", size, (252, 252, 252))
    left, top = _place(random, size, 60, 130)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((left - 20, top + 118, left + 140, top + 138), fill=(222, 222, 224))
    picture = picture.filter(ImageFilter.GaussianBlur(8))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left + 20, top, left + 40, top + 30), fill=(190, 188, 184))
    draw.rounded_rectangle((left, top + 24, left + 60, top + 130), 12, fill=(214, 214, 210), outline=(150, 150, 150))
    draw.rectangle((left + 6, top + 60, left + 54, top + 100), fill=((60, 90, 120), (120, 80, 60))[random.integers(2)])
    return picture, (left, top, left + 60, top + 130)


def _silhouette(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """Somebody dark, far away, before a colourful evening sky."""
    picture = _gradient(random, size, (240, 150, 80), (90, 80, 150), turn=False)
    draw = ImageDraw.Draw(picture)
    left, top = _place(random, size, 36, 100)
    draw.rectangle((0, top + 98, size[0], size[1]), fill=(30, 26, 34))
    draw.ellipse((left + 8, top, left + 28, top + 22), fill=(22, 20, 26))
    draw.rounded_rectangle((left, top + 20, left + 36, top + 70), 10, fill=(22, 20, 26))
    draw.rectangle((left + 6, top + 66, left + 15, top + 100), fill=(22, 20, 26))
    draw.rectangle((left + 21, top + 66, left + 30, top + 100), fill=(22, 20, 26))
    return picture, (left, top, left + 36, top + 100)


def _animal(random: Random, size: tuple[int, int]) -> tuple[Image.Image, Box]:
    """Something brown and furry in snow, with a bare bush elsewhere."""
    picture = _noise(random, size, (226, 230, 238), 5)
    left, top = _place(random, size, 100, 66)
    draw = ImageDraw.Draw(picture)
    away = (left + size[0] / 2) % size[0], (top + size[1] / 2) % size[1]
    for angle in np.linspace(0.2, 2.9, 7):
        draw.line((*away, away[0] + 40 * np.cos(angle), away[1] - 40 * np.sin(angle)), fill=(150, 146, 150), width=1)
    fur = (128, 84, 48)
    draw.ellipse((left, top + 16, left + 78, top + 56), fill=fur)
    draw.ellipse((left + 64, top, left + 100, top + 32), fill=fur)
    for x in (10, 26, 52, 66):
        draw.rectangle((left + x, top + 48, left + x + 7, top + 66), fill=fur)
    draw.ellipse((left + 84, top + 8, left + 89, top + 13), fill=(20, 16, 14))
    return picture, (left, top, left + 100, top + 66)


_KINDS: dict[str, Callable[[Random, tuple[int, int]], tuple[Image.Image, Box]]] = {
    "portrait": _portrait,
    "pair": _pair,
    "ball": _ball,
    "text": _text,
    "product": _product,
    "silhouette": _silhouette,
    "animal": _animal,
}


def _place(random: Random, size: tuple[int, int], width: int, height: int) -> tuple[float, float]:
    """Left and top of a subject whose middle is in an outer third of the longer side."""
    part = random.uniform(0.02, 0.22)
    part = part if random.integers(2) else 1 - part
    along, across = part, random.uniform(0.1, 0.9)
    x, y = (along, across) if size[0] > size[1] else (across, along)
    return float(round(x * (size[0] - width))), float(round(y * (size[1] - height)))


def _person(random: Random, picture: Image.Image, place: tuple[float, float], width: float) -> Box:
    """Head and shoulders, 1.43 times as high as wide."""
    (left, top), unit = place, width / 70
    skin, draw = SKIN[random.integers(len(SKIN))], ImageDraw.Draw(picture)

    def at(*edges: float) -> tuple[float, ...]:
        return tuple(edge * unit + (left, top)[index % 2] for index, edge in enumerate(edges))

    draw.rounded_rectangle(at(0, 72, 70, 110), 14 * unit, fill=tuple(random.integers(30, 120, 3).tolist()))
    draw.ellipse(at(12, 0, 58, 62), fill=((40, 28, 22), (110, 78, 44), (150, 150, 152))[random.integers(3)])
    draw.ellipse(at(16, 12, 54, 70), fill=skin)
    for x in (25, 40):
        draw.ellipse(at(x, 34, x + 6, 39), fill=(30, 26, 30))
    draw.line(at(35, 40, 33, 50), fill=tuple(int(part * 0.75) for part in skin), width=2)
    draw.line(at(27, 57, 43, 57), fill=(150, 60, 60), width=2)
    return left, top, left + width, top + width / 0.7


def _noise(random: Random, size: tuple[int, int], colour: tuple[int, int, int], spread: float) -> Image.Image:
    pixels = np.array(colour) + random.normal(0, spread, (size[1], size[0], 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _gradient(
    random: Random, size: tuple[int, int], first: tuple[int, int, int], last: tuple[int, int, int], *, turn: bool = True
) -> Image.Image:
    across = np.linspace(0, 1, size[0])[None, :, None] * np.ones((size[1], 1, 1))
    down = np.linspace(1, 0, size[1])[:, None, None] * np.ones((1, size[0], 1))
    at = across if turn else down
    pixels = np.array(first) * (1 - at) + np.array(last) * at + random.normal(0, 2, (size[1], size[0], 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _leaves(random: Random, size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, (46, 74, 40))
    draw = ImageDraw.Draw(picture)
    for _ in range(500):
        x, y, r = random.uniform(0, size[0]), random.uniform(0, size[1]), random.uniform(4, 14)
        green = int(random.integers(60, 130))
        draw.ellipse((x - r, y - r / 2, x + r, y + r / 2), fill=(green // 2, green, green // 3))
    return picture.filter(ImageFilter.GaussianBlur(2))


def _walls(random: Random, size: tuple[int, int]) -> Image.Image:
    picture = _gradient(random, size, (176, 170, 164), (150, 146, 146))
    draw = ImageDraw.Draw(picture)
    for x in range(20, size[0], 90):
        for y in range(20, size[1] // 2, 70):
            draw.rectangle((x, y, x + 40, y + 44), fill=(112, 118, 128), outline=(200, 198, 196), width=2)
    return picture
