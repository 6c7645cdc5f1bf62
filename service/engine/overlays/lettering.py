"""Set a line of text in any script: letters are joined, reordered and placed by HarfBuzz and FriBidi, through raqm.

A font is chosen letter by letter, the first that has it. Letters of one font are set together, so a script must not
need two fonts within a word.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

SMALLEST, LARGEST = 4, 2000
"""Pixels of a font's height."""

_ABSENT = "\U0010ffff"  # a code point that is no character, so every font shows what it has for missing ones
_RIGHT_TO_LEFT = ("R", "AL")

Colour = tuple[int, int, int, int]


def lettered(text: str, fonts: tuple[str, ...], height: float, ink: Colour) -> Pillow.Image:
    """The text in RGBA, as small as its letters let it be. `height` is the fonts' size in pixels. Raises OSError."""
    size = max(SMALLEST, min(LARGEST, round(height)))
    parts = [(_font(fonts[index], size), part) for index, part in _runs(text, fonts)]
    if _is_right_to_left(text):
        parts.reverse()
    width = sum(font.getlength(part) for font, part in parts)
    margin = size  # of what letters reach beyond their own box
    cover = Pillow.new("L", (round(width) + 2 * margin, 4 * size))
    pen, at = ImageDraw.Draw(cover), float(margin)
    for font, part in parts:
        pen.text((at, 2.5 * size), part, 255, font, anchor="ls")
        at += font.getlength(part)
    cover = cover.crop(cover.getbbox() or (0, 0, 1, 1))
    made = Pillow.new("RGBA", cover.size, (*ink[:3], 0))
    made.putalpha(cover.point([round(value * ink[3] / 255) for value in range(256)]))
    return made


def _runs(text: str, fonts: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Parts of the text and the index of the font for each. What belongs to a letter stays with it."""
    index, part = -1, ""
    for letter in text:
        wanted = index
        if index < 0 or not (letter.isspace() or unicodedata.category(letter) in ("Mn", "Mc", "Me", "Cf")):
            wanted = next((place for place, font in enumerate(fonts) if _has(font, letter)), max(index, 0))
        if wanted != index and part:
            yield index, part
            part = ""
        index, part = wanted, part + letter
    if part:
        yield index, part


def _is_right_to_left(text: str) -> bool:
    """By the first letter that has a direction (Unicode Standard Annex 9, P2)."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((one in _RIGHT_TO_LEFT for one in directions if one in ("L", *_RIGHT_TO_LEFT)), False)


@lru_cache(maxsize=64)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)


@lru_cache(maxsize=1024)
def _has(path: str, letter: str) -> bool:
    if letter.isspace():
        return True
    return _shape(path, letter) != _shape(path, _ABSENT)


def _shape(path: str, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = _font(path, 24).getmask(letter)
    return mask.size, bytes(mask)
