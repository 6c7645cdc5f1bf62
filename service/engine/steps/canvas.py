"""Pad, turn and mirror an image, and flatten its transparency."""

from __future__ import annotations

import math
import operator

from PIL import Image as Pillow
from PIL.Image import Transpose

from gateway.rules import OPAQUE
from service.engine import geometry, srgb
from service.engine.convolution import ASSOCIATED
from service.engine.geometry import Size
from service.engine.job import Job
from service.engine.libraries import by_magick
from service.engine.magick import canvas as magick
from service.engine.picture import Picture
from service.engine.steps.gravity import focus

_QUARTERS = {90.0: Transpose.ROTATE_270, 180.0: Transpose.ROTATE_180, 270.0: Transpose.ROTATE_90}
_MIRRORS = {"h": Transpose.FLIP_LEFT_RIGHT, "v": Transpose.FLIP_TOP_BOTTOM}
_FRAME = ((0, 0), (2, 0), (0, 2), (2, 2), (1, 0), (1, 2), (0, 1), (2, 1), (1, 1))
"""Where an image is pasted one after the other, so that its outermost pixels appear once more around it."""

Colour = tuple[int, int, int, int]


def pad(picture: Picture, job: Job) -> None:
    """`fit=pad`: lay the image on a canvas of the box's size, where `g` says. Its own transparency stays."""
    if job.recipe.get("fit") != "pad":
        return
    width, height = picture.size
    canvas = geometry.canvas(picture.size, job.recipe)
    if canvas == (width, height):
        return
    x, y = focus(job.recipe)
    place = round((canvas[0] - width) * x), round((canvas[1] - height) * y)
    picture.region = picture.region.moved(*place)
    colour = _background(picture, job)

    if by_magick("pad", job):
        picture.each_made(lambda image: magick.padded(image, canvas, place, colour))
        return

    def laid(pixels: Pillow.Image) -> Pillow.Image:
        pixels = _able(pixels, colour)
        paper = Pillow.new(pixels.mode, canvas, _ink(pixels.mode, colour))
        paper.paste(pixels, place)
        return paper

    picture.each_pillow(laid)


def rotate(picture: Picture, job: Job) -> None:
    """`rot`, clockwise; what appears in the corners is `bg`."""
    degrees = float(job.recipe.get("rot", 0))
    if not degrees:
        return
    colour = _background(picture, job)
    size = geometry.rotated(picture.size, degrees)
    picture.region = geometry.inside_turned(picture.region, picture.size, degrees, size)
    if by_magick("rotate", job):
        picture.each_made(lambda image: magick.turned(image, degrees, size, colour))
        return
    if degrees in _QUARTERS:
        picture.each_pillow(lambda pixels: pixels.transpose(_QUARTERS[degrees]))
        return
    picture.each_pillow(lambda pixels: _rotated(_able(pixels, colour), degrees, size, colour))
    picture.is_divided = True


def flip(picture: Picture, job: Job) -> None:
    """`flip`: `h` swaps left and right, `v` top and bottom."""
    if "flip" not in job.recipe:
        return
    picture.region = geometry.turned(picture.region, picture.size, 2 if job.recipe["flip"] == "h" else 4)
    if by_magick("flip", job):
        picture.each_magick(operator.methodcaller(magick.MIRRORS[job.recipe["flip"]]))
    else:
        mirror = _MIRRORS[job.recipe["flip"]]
        picture.each_pillow(lambda pixels: pixels.transpose(mirror))


def flatten(picture: Picture, job: Job) -> None:
    """Lay a transparent image on `bg` where the format has no transparency."""
    if job.format not in OPAQUE or not any(frame.alpha for frame in picture.frames):
        return
    colour = (*_background(picture, job)[:3], 255)
    if by_magick("flatten", job):
        picture.each_made(lambda image: magick.flattened(image, colour))
        return

    def laid(pixels: Pillow.Image) -> Pillow.Image:
        pixels = pixels.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", pixels.size, colour), pixels).convert("RGB")

    picture.each_pillow(laid)


def background(recipe: dict[str, str]) -> Colour:
    """`bg` as red, green, blue and alpha, 0..255; white where the recipe has none."""
    value = recipe.get("bg", "ffffff")
    red, green, blue, alpha = bytes.fromhex(value.ljust(8, "f"))
    return red, green, blue, alpha


def _background(picture: Picture, job: Job) -> Colour:
    """`bg`, which is of sRGB, in the numbers that the picture's profile has for it."""
    return srgb.expressed(background(job.recipe), picture.details.icc)


def _able(pixels: Pillow.Image, colour: Colour) -> Pillow.Image:
    """The pixels in a mode that can hold the colour too."""
    red, green, blue, alpha = colour
    gray = pixels.mode in ("L", "LA") and red == green == blue
    transparent = alpha < 255 or pixels.mode in ("LA", "RGBA")
    return pixels.convert(("L" if gray else "RGB") + ("A" if transparent else ""))


def _ink(mode: str, colour: Colour) -> tuple[int, ...]:
    inks: dict[str, tuple[int, ...]] = {
        "L": colour[:1],
        "LA": (colour[0], colour[3]),
        "RGB": colour[:3],
        "RGBA": colour,
    }
    return inks[mode]


def _rotated(pixels: Pillow.Image, degrees: float, size: Size, colour: Colour) -> Pillow.Image:
    """Turned clockwise about its middle onto a sheet of `size`, which shows the colour where the image does not reach.

    The turned image is laid on the sheet by how much of a pixel it covers. Around it its outermost pixels are repeated,
    so that nothing but the image is in its own filtering: its edges do not ring, and what has the colour already runs
    into the sheet without a seam. Alpha is associated all the while.
    """
    associated = ASSOCIATED.get(pixels.mode, pixels.mode)
    width, height = pixels.width + 2, pixels.height + 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = (
        *(cosine, sine, (width - cosine * size[0] - sine * size[1]) / 2),
        *(-sine, cosine, (height + sine * size[0] - cosine * size[1]) / 2),
    )
    image, framed = pixels.convert(associated), Pillow.new(associated, (width, height))
    for place in _FRAME:
        framed.paste(image, place)
    turned = framed.transform(size, Pillow.Transform.AFFINE, matrix, Pillow.Resampling.BICUBIC)
    cover = Pillow.new("L", (width, height))
    cover.paste(255, (1, 1, width - 1, height - 1))
    covered = cover.transform(size, Pillow.Transform.AFFINE, matrix, Pillow.Resampling.BILINEAR)
    sheet = Pillow.new(pixels.mode, size, _ink(pixels.mode, colour)).convert(associated)
    return Pillow.composite(turned, sheet, covered).convert(pixels.mode)
