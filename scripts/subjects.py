"""The pictures that the documentation starts from: the drawn sample, and variants that some operations need."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageOps

from scripts.sample import draw_sample


def lake() -> bytes:
    """Return the sample as the gateway receives it: a JPEG with EXIF orientation and private metadata."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sample.jpg")
        draw_sample(path, 800, 600)
        return path.read_bytes()


def bordered() -> bytes:
    """Return the sample on a white mat, for `trim`."""
    return _png(ImageOps.expand(_upright((640, 480)), 80, "white"))


def faded() -> bytes:
    """Return the sample with little contrast, for `normalize` and `equalize`."""
    picture = _upright((800, 600))
    return _png(Image.blend(picture, Image.new("RGB", picture.size, (120, 120, 120)), 0.6))


def oval() -> bytes:
    """Return an oval of the sample on a transparent ground, for `bg`."""
    picture = _upright((480, 360))
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse((0, 0, picture.width - 1, picture.height - 1), fill=255)
    picture.putalpha(mask)
    return _png(picture)


def moving() -> bytes:
    """Return an animated GIF of four frames that pans across the sample, for `frame`."""
    picture = _upright((480, 360))
    frames = [picture.crop((left, 60, left + 240, 240)).quantize(64) for left in (0, 80, 160, 240)]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=500, loop=0)


def signed() -> bytes:
    """Return the sample with a copyright notice in its EXIF block, for `keep`."""
    with Image.open(io.BytesIO(lake())) as stored:
        block = stored.getexif()
        block[0x8298] = "2026 A. Photographer"  # Copyright
        return _saved(stored, "JPEG", quality=90, exif=block)


def logo() -> bytes:
    """Return the logo that the examples of `over` lay on pictures: a white sun in a ring, on nothing."""
    picture = Image.new("RGBA", (240, 240), (255, 255, 255, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((8, 8, 231, 231), outline=(255, 255, 255, 255), width=16)
    pen.ellipse((70, 70, 169, 169), fill=(255, 190, 60, 255))
    return _png(picture.resize((120, 120), Image.Resampling.LANCZOS))


SUBJECTS: dict[str, Callable[[], bytes]] = {
    "lake.jpg": lake,
    "bordered.png": bordered,
    "faded.png": faded,
    "oval.png": oval,
    "moving.gif": moving,
    "signed.jpg": signed,
}


def _upright(size: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(lake())) as stored:
        return ImageOps.exif_transpose(stored).convert("RGB").resize(size)


def _png(picture: Image.Image) -> bytes:
    return _saved(picture, "PNG")


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
