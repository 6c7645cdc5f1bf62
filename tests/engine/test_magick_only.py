"""In `auto` Pillow reads TIFF, BMP and GIF, to the same pixels as ImageMagick, but for kinds it would read wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from service.engine import libraries, magick_only, readers
from service.engine.job import Job, Limits
from service.engine.magick import reading
from service.engine.picture import Frame
from service.engine.recognise import recognise
from tests import images

PHOTO = images.photo(97, 61)
PICTURE = Image.fromarray(PHOTO)


def vips(**options: object) -> Callable[[], bytes]:
    return lambda: bytes(pyvips.Image.new_from_array(PHOTO).tiffsave_buffer(**options))


def of(mode: str, kind: str, **options: object) -> Callable[[], bytes]:
    return lambda: images.encode(PICTURE.convert(mode), kind, **options)


def moving(*, alpha: bool = False, **options: object) -> Callable[[], bytes]:
    return lambda: images.animation(images.moving(count=4, alpha=alpha), "GIF", duration=[10, 200, 30, 70], **options)


def upside_down() -> bytes:
    data = bytearray(images.encode(PICTURE, "BMP"))
    data[22:26] = (-PICTURE.height).to_bytes(4, "little", signed=True)
    return bytes(data)


PILLOWS: dict[str, Callable[[], bytes]] = {
    "tif": vips(),
    "tif tiles": vips(compression="lzw", tile=True, tile_width=32, tile_height=32),
    "tif predictor": vips(compression="deflate", predictor="horizontal"),
    "tif packbits": vips(compression="packbits"),
    "tif jpeg": vips(compression="jpeg"),
    "tif big": vips(bigtiff=True),
    "tif gray": of("L", "TIFF"),
    "tif palette": of("P", "TIFF"),
    "tif alpha": of("RGBA", "TIFF"),
    "tif fax": of("1", "TIFF", compression="group4"),
    "bmp": of("RGB", "BMP"),
    "bmp gray": of("L", "BMP"),
    "bmp upside down": upside_down,
    "gif": images.gif,
    "gif transparent": images.gif_transparent,
    "gif moving": moving(loop=3),
    "gif moving once": moving(disposal=1, optimize=True, comment=b"x" * 600),
    "gif moving, clear": moving(alpha=True, loop=0),
}

MAGICKS: dict[str, Callable[[], bytes]] = {
    "png 16 bits": images.png_16bit,
    "tif 4 bits": lambda: bytes(
        pyvips.Image.new_from_array(PHOTO).colourspace("b-w").tiffsave_buffer(bitdepth=4, miniswhite=True)
    ),
    "tif 16 bits": lambda: bytes(pyvips.Image.new_from_array(PHOTO).cast("ushort").tiffsave_buffer()),
    "tif float": lambda: bytes(pyvips.Image.new_from_array(PHOTO).cast("float").tiffsave_buffer()),
    "tif cmyk": of("CMYK", "TIFF"),
    "tif gray alpha": of("LA", "TIFF"),
    "tif turned": lambda: images.encode(PICTURE, "TIFF", tiffinfo={274: 6}),
    "tif iptc": lambda: images.encode(PICTURE, "TIFF", tiffinfo={33723: b"\x1c\x02\x74\x00\x01a"}),
}


def job(data: bytes, folder: Path, *, tolerant: bool = False) -> Job:
    path = folder / "image"
    path.write_bytes(data)
    return Job("derive", str(path), recognise(path), Limits(10**7, 100, 9999, 9999), tolerant=tolerant)


@pytest.mark.parametrize("name", PILLOWS)
def test_what_pillow_reads_is_what_imagemagick_reads(name: str, tmp_path: Path) -> None:
    asked = job(PILLOWS[name](), tmp_path)
    assert not libraries.reads(asked)
    how = (Path(asked.source), asked.header, range(asked.header.frames), 8, False)
    (one, details), (other, known) = readers.reader(asked)(*how), reading.read(*how)
    assert [frame.delay for frame in one] == [frame.delay for frame in other]
    assert (details.plays, details.depth) == (known.plays, known.depth)
    for a, b in zip(one, other, strict=True):
        assert np.abs(on_black(a) - on_black(b)).max() <= 1


@pytest.mark.parametrize("name", MAGICKS)
def test_imagemagick_reads_what_pillow_would_read_wrong(name: str, tmp_path: Path) -> None:
    asked = job(MAGICKS[name](), tmp_path)
    kind = magick_only.found(asked)
    assert kind is not None and kind.format == asked.header.format
    assert libraries.reads(asked)


def test_imagemagick_shows_what_there_is_of_a_damaged_tiff(tmp_path: Path) -> None:
    assert libraries.reads(job(PILLOWS["tif"](), tmp_path, tolerant=True))


def on_black(frame: Frame) -> NDArray[np.int64]:
    samples = np.asarray(frame.pillow().convert("RGBA")).astype(int)
    samples[..., :3] = samples[..., :3] * samples[..., 3:] // 255
    return samples
