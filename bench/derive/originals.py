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

SMALL, HUGE = (2040, 1666), (8660, 5774)
FRAMES = 40
FILM = 640, 480
"""Size of the film's frames: a part of the photograph that moves."""


Maker = Callable[[Path, Path], object]
"""Takes the photograph and the file to write."""


class Originals:
    """Files by name, below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def __getitem__(self, name: str) -> Path:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Path:
        if name in _GIVEN:
            return _GIVEN[name](self._folder)
        path = self._folder / name
        _MAKERS[name](self["photo.jpg"], path)
        return path


def _saved(size: tuple[int, int] | None = None, **options: Any) -> Maker:
    """Save the photograph in the format that the file's name ends with, scaled to `size` where there is one."""

    def make(photo: Path, path: Path) -> None:
        image = _opened(photo)
        if size:
            image = image.resize(size, Image.Resampling.LANCZOS if size < image.size else Image.Resampling.BICUBIC)
        image.save(path, **options)

    return make


def _film(photo: Path, path: Path) -> None:
    width, height = FILM
    scene = _opened(photo).resize((2 * width, 2 * height))
    boxes = [(4 * step, 3 * step, 4 * step + width, 3 * step + height) for step in range(FRAMES)]
    first, *others = (scene.crop(box).quantize(256) for box in boxes)
    first.save(path, save_all=True, append_images=others, duration=50, loop=0)


def _deep(photo: Path, path: Path) -> None:
    """A TIFF of 3 megapixels with 16 bits a sample, uncompressed."""
    small = pyvips.Image.thumbnail(str(photo), 1960)
    (small.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16").tiffsave(str(path))


def _heic(photo: Path, path: Path) -> None:
    """A HEIC in tiles of 512 pixels, as telephones write it. This takes half a minute."""
    large = _opened(photo).resize((4032, 3024), Image.Resampling.BICUBIC)
    pillow_heif.from_pillow(large).save(path, quality=60, tile_size=512)


def _opened(photo: Path) -> Image.Image:
    with Image.open(photo) as opened:
        return opened.convert("RGB")


_GIVEN: dict[str, Callable[[Path], Path]] = {"photo.jpg": photographs.photo, "alpha.png": photographs.alpha}

_MAKERS: dict[str, Maker] = {
    "photo.webp": _saved(quality=90),
    "photo.avif": _saved(quality=80, speed=9),
    "2040.jpg": _saved(SMALL, quality=90),
    "2040.webp": _saved(SMALL, quality=90),
    "2040.png": _saved(SMALL),
    "2040.avif": _saved(SMALL, quality=80, speed=9),
    "24mp.jpg": _saved(photographs.LARGE, quality=90),
    "50mp.jpg": _saved(HUGE, quality=90),
    "screenshot.png": lambda _, path: draw().save(path),
    "film.gif": _film,
    "deep.tif": _deep,
    "photo.heic": _heic,
}
