"""The files that the works begin with, each made when a row first asks for it.

All come from the photograph and the picture with alpha of `bench.photographs`; the screenshot is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pillow_heif
import pyvips
from PIL import Image

from bench import photographs
from bench.derive.screenshot import draw

FRAMES = 40
FILM = 640, 480
"""Size of the film's frames: a part of the photograph that moves."""


class Originals:
    """Files by name, below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def __getitem__(self, name: str) -> Path:
        if name not in self._made:
            self._made[name] = _MAKERS[name](self._folder)
        return self._made[name]


def _saved(name: str, width: int | None = None, **options: Any) -> Callable[[Path], Path]:
    """Make the photograph `width` pixels wide, in the format that the file's name ends with."""

    def make(folder: Path) -> Path:
        with Image.open(photographs.photo(folder)) as opened:
            image = opened.convert("RGB")
        if width:
            size = width, round(image.height * width / image.width)
            image = image.resize(size, Image.Resampling.LANCZOS if width < image.width else Image.Resampling.BICUBIC)
        image.save(folder / name, **options)
        return folder / name

    return make


def _screenshot(folder: Path) -> Path:
    draw().save(folder / "screenshot.png")
    return folder / "screenshot.png"


def _film(folder: Path) -> Path:
    width, height = FILM
    with Image.open(photographs.photo(folder)) as photo:
        scene = photo.convert("RGB").resize((2 * width, 2 * height))
    boxes = [(4 * step, 3 * step, 4 * step + width, 3 * step + height) for step in range(FRAMES)]
    first, *others = (scene.crop(box).quantize(256) for box in boxes)
    first.save(folder / "film.gif", save_all=True, append_images=others, duration=50, loop=0)
    return folder / "film.gif"


def _deep(folder: Path) -> Path:
    """A TIFF of 3 megapixels with 16 bits a sample, uncompressed."""
    photo = pyvips.Image.thumbnail(str(photographs.photo(folder)), 1960)
    (photo.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16").tiffsave(str(folder / "deep.tif"))
    return folder / "deep.tif"


def _heic(folder: Path) -> Path:
    """A HEIC in tiles of 512 pixels, as telephones write it."""
    with Image.open(photographs.photo(folder)) as photo:
        large = photo.convert("RGB").resize((4032, 3024), Image.Resampling.BICUBIC)
    pillow_heif.from_pillow(large).save(folder / "photo.heic", quality=60, tile_size=512)
    return folder / "photo.heic"


_MAKERS: dict[str, Callable[[Path], Path]] = {
    "photo.jpg": photographs.photo,
    "alpha.png": photographs.alpha,
    "photo.webp": _saved("photo.webp", quality=90),
    "photo.avif": _saved("photo.avif", quality=80, speed=9),
    "2040.jpg": _saved("2040.jpg", 2040, quality=90),
    "2040.webp": _saved("2040.webp", 2040, quality=90),
    "2040.png": _saved("2040.png", 2040),
    "2040.avif": _saved("2040.avif", 2040, quality=80, speed=9),
    "24mp.jpg": _saved("24mp.jpg", 5422, quality=90),
    "50mp.jpg": _saved("50mp.jpg", 7826, quality=90),
    "screenshot.png": _screenshot,
    "film.gif": _film,
    "deep.tif": _deep,
    "photo.heic": _heic,
}
