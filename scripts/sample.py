"""A picture to try everything on: a mountain lake at dusk, as a telephone would have stored it.

It is drawn, so that it may be given away, and drawn the same every time. The JPEG lies on its side with EXIF
orientation 6, and carries what must not leave the gateway: a position, a camera and its serial number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

Colour = tuple[int, int, int]

_SKY: Sequence[tuple[float, Colour]] = (
    (0.0, (38, 58, 110)),
    (0.45, (112, 112, 158)),
    (0.75, (232, 162, 122)),
    (1.0, (255, 216, 158)),
)
# Ridges from far to near: base line and roughness as shares of the height, and colour.
_RIDGES: Sequence[tuple[float, float, Colour]] = (
    (0.40, 0.20, (150, 134, 164)),
    (0.47, 0.16, (106, 100, 138)),
    (0.53, 0.10, (66, 70, 106)),
    (0.58, 0.05, (36, 46, 70)),
)
_SHORE, _MEADOW = 0.60, (16, 26, 28)
_SUN = (0.66, 0.34)
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def draw_sample(path: Path, width: int = 1600, height: int = 1200) -> None:
    """Write a JPEG to `path` that is shown `width` by `height` pixels upright, and stored `height` by `width`."""
    random = Random(2026)  # noqa: S311 - a drawing, not a secret
    picture = _scene(random, 2 * width, 2 * height).resize((width, height), Image.Resampling.BOX)
    picture = _grain(random, picture)
    _caption(picture)
    # What orientation 6 turns clockwise by a quarter is stored turned the other way.
    picture.transpose(Image.Transpose.ROTATE_90).save(path, "JPEG", quality=90, exif=_exif())


def _scene(random: Random, width: int, height: int) -> Image.Image:
    shore = round(_SHORE * height)
    land = _sky(width, shore)
    for base, roughness, colour in _RIDGES:
        ridge = [(x, base * height - y * height) for x, y in _ridge(random, width, roughness)]
        ImageDraw.Draw(land).polygon([(0, shore), *ridge, (width, shore)], fill=colour)
        land = _haze(land, shore)
    scene = Image.new("RGB", (width, height))
    scene.paste(_lake(random, land, height - shore), (0, shore))
    scene.paste(land, (0, 0))
    _trees(random, scene)
    return scene


def _sky(width: int, height: int) -> Image.Image:
    column = Image.new("RGB", (1, height))
    for y in range(height):
        column.putpixel((0, y), _between(_SKY, y / height))
    sky = column.resize((width, height))
    across, down = _SUN[0] * width, _SUN[1] / _SHORE * height
    for radius, strength in ((0.34, 0.5), (0.14, 0.6)):
        sky = _glow(sky, (across, down), radius * width, strength)
    disc = 0.022 * width
    ImageDraw.Draw(sky).ellipse((across - disc, down - disc, across + disc, down + disc), fill=(255, 246, 218))
    return sky


def _glow(image: Image.Image, centre: tuple[float, float], radius: float, strength: float) -> Image.Image:
    light = ImageOps.invert(Image.radial_gradient("L")).resize((round(2 * radius), round(2 * radius)))
    light = light.point(lambda value: strength * 255 * max(0.0, (value - 75) / 180) ** 2)
    mask = Image.new("L", image.size)
    mask.paste(light, (round(centre[0] - radius), round(centre[1] - radius)))
    return Image.composite(Image.new("RGB", image.size, (255, 226, 170)), image, mask)


def _ridge(random: Random, width: int, roughness: float) -> list[tuple[float, float]]:
    """A mountain line by midpoint displacement: x in pixels, y as a share of the height above the base."""
    line = [random.uniform(0, 0.4) * roughness for _ in range(4)]
    step = roughness
    for _ in range(9):
        step *= 0.52
        middles = [(a + b) / 2 + random.uniform(-step, step) for a, b in pairwise(line)]
        line = [value for pair in zip(line, middles, strict=False) for value in pair] + [line[-1]]
    return [(index * width / (len(line) - 1), value) for index, value in enumerate(line)]


def _haze(image: Image.Image, height: int) -> Image.Image:
    """A veil that thickens towards the shore, so that what is drawn next stands before it."""
    veil = Image.linear_gradient("L").resize((image.width, height)).point(lambda value: 70 * (value / 255) ** 4)
    return Image.composite(Image.new("RGB", image.size, (236, 184, 158)), image, veil)


def _lake(random: Random, land: Image.Image, height: int) -> Image.Image:
    """The land upside down, darker, and broken into ripples that grow towards the viewer."""
    mirrored = ImageOps.flip(land).resize((land.width, round(land.height * 1.1))).crop((0, 0, land.width, height))
    water = Image.new("RGB", (land.width, height))
    for y in range(0, height, 2):
        reach = 2 + 26 * y / height
        shift = reach * (math.sin(y / (4 + 14 * y / height)) + random.uniform(-0.6, 0.6))
        row = mirrored.crop((0, y, land.width, y + 2))
        water.paste(row, (round(shift), y))
        water.paste(row, (round(shift) - land.width if shift > 0 else round(shift) + land.width, y))
    return Image.blend(water, Image.new("RGB", water.size, (18, 34, 62)), 0.35)


def _trees(random: Random, scene: Image.Image) -> None:
    """A dark meadow with firs in front, higher at both sides."""
    width, height = scene.size
    draw = ImageDraw.Draw(scene)
    bank = [(x, height * (0.93 - 0.09 * abs(2 * x / width - 1) ** 2)) for x in range(0, width + 1, 8)]
    draw.polygon([(0, height), *bank, (width, height)], fill=_MEADOW)
    for _ in range(70):
        side = random.choice((-1, 1)) * random.uniform(0.3, 1.05) ** 0.6
        x, foot = (0.5 + side / 2) * width, height * (0.95 - 0.09 * side**2)
        _fir(random, draw, x, foot, height * random.uniform(0.08, 0.14 + 0.22 * abs(side) ** 3))


def _fir(random: Random, draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float) -> None:
    shade = random.randrange(8, 26)
    colour = (shade // 2, shade, shade + 4)
    draw.rectangle((x - tall * 0.015, foot - tall * 0.2, x + tall * 0.015, foot + tall * 0.1), fill=colour)
    layers = 11
    for layer in range(layers):
        top, half = foot - tall * (1 - layer / (layers + 1)), tall * (0.03 + 0.017 * layer)
        low, droop = top + tall * 0.17, random.uniform(-0.02, 0.02) * tall
        draw.polygon([(x, top), (x - half, low + droop), (x, low - tall * 0.03), (x + half, low - droop)], fill=colour)


def _grain(random: Random, picture: Image.Image) -> Image.Image:
    """Film grain: noise that is a little soft, around middle gray, laid over every channel alike."""
    noise = Image.frombytes("L", picture.size, random.randbytes(picture.width * picture.height))
    soft = noise.filter(ImageFilter.GaussianBlur(0.7))
    grain = Image.merge("RGB", (soft, soft, soft))
    return Image.blend(picture, grain, 0.055)


def _caption(picture: Image.Image) -> None:
    size = max(8, picture.height // 40)
    font = ImageFont.load_default(size)
    place = (picture.width - size, picture.height - size)
    ImageDraw.Draw(picture).text(place, "Evening at the lake", fill=(236, 226, 210), font=font, anchor="rs")


def _between(stops: Sequence[tuple[float, Colour]], at: float) -> Colour:
    for (low, first), (high, second) in pairwise(stops):
        if at <= high:
            share = (at - low) / (high - low)
            red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
            return red, green, blue
    return stops[-1][1]


def _exif() -> bytes:
    block = Image.Exif()
    block[0x0112] = 6  # Orientation
    block[0x010F], block[0x0110] = "Example Optics", "Sample One"  # Make, Model
    block[0x013B] = "A. Photographer"  # Artist
    block[0x0132] = "2026:06:21 21:14:05"  # DateTime
    details = block.get_ifd(_EXIF_IFD)
    details.update({0x9003: "2026:06:21 21:14:05", 0x829D: 2.8, 0x8827: 200, 0x920A: 35.0})
    details[0xA431] = "SN-20260621-0042"  # BodySerialNumber
    block.get_ifd(_GPS_IFD).update({1: "N", 2: (47.0, 33.0, 25.2), 3: "E", 4: (13.0, 38.0, 56.4)})
    return block.tobytes()
