"""A secret in every place of a file that decoding does not need; `@full` has the same pixels, and none of it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PIL.JpegImagePlugin import JpegImageFile

from service.engine.headers.heif_items import Box
from tests import images
from tests.engine.deriving import derive
from tests.engine.free_bytes import PLANTED, avifs, gifs, jpegs, jxls, pngs, sequences, tiffs, webps

CASES = {
    (kind, name): data
    for kind, found in {
        "jpg": jpegs.JPEGS,
        "png": pngs.PNGS,
        "gif": gifs.GIFS,
        "webp": webps.WEBPS,
        "avif": {**avifs.AVIFS, **sequences.SEQUENCES},
        "jxl": jxls.JXLS,
        "tif": tiffs.TIFFS,
    }.items()
    for name, data in found.items()
}


def shown(data: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(data)) as image:
        frames = [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]
    return frames[:1] if image.format == "TIFF" else frames  # of its pages `@full` is the first


def inflated(png: bytes) -> bytes:
    """What the compressed data of a PNG's image and frames hold, and what stands behind them."""
    found, at = b"", 8
    while at < len(png):
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + int.from_bytes(png[at : at + 4])]
        at += 12 + len(content)
        if kind == b"fdAT":  # of one chunk each here, as the image has
            content = content[4:]
        if kind in (b"IDAT", b"fdAT"):
            stream = zlib.decompressobj()
            found += stream.decompress(content) + stream.unused_data
    return found


_HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "png": inflated,
    "jxl": images.jpeg_of_jxl,
    "tif": lambda data: b"".join(tiffs.samples(data)),
}
"""What a file holds in a form that a search of it does not find."""


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_none_of_it_leaves_and_every_pixel_does(case: tuple[str, str]) -> None:
    kind, data = case[0], CASES[case]
    made = derive(data, "", kind).data
    searched = made + (_HIDDEN[kind](made) if kind in _HIDDEN else b"")
    assert PLANTED[:5] not in searched
    assert shown(made) == shown(data)


@pytest.mark.parametrize("case", [case for case in CASES if case[0] not in ("png", "jxl")], ids=" ".join)
def test_the_copy_has_no_room_for_it(case: tuple[str, str]) -> None:
    data = CASES[case]
    assert len(derive(data, "", case[0]).data) <= len(data)


def test_bits_behind_the_pixels_of_a_row_are_zero() -> None:
    data = pngs.one_bit()
    made = derive(data, "", "png").data
    at = made.index(b"IDAT")
    rows = zlib.decompress(made[at + 4 : at + 4 + int.from_bytes(made[at - 4 : at])])
    assert set(rows[2::3]) == {0x80}
    assert shown(made) == shown(data)


def test_a_png_that_is_minimal_keeps_its_compressed_data() -> None:
    data = images.png(images.photo(), compress_level=9)
    made = derive(data, "", "png").data
    assert _compressed(made) == _compressed(data)


def _compressed(png: bytes) -> bytes:
    at, content = 8, b""
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        content += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + size
    return content


def test_the_coefficients_of_a_jpeg_stay() -> None:
    """The same quantisation, the same samples in luma and chroma."""
    for data in (jpegs.PLAIN, jpegs.RESTARTS, images.jpeg(progressive=True), images.jpeg_ycck()):
        made = derive(data, "", "jpg").data
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made)) as after:
            assert isinstance(before, JpegImageFile)
            assert isinstance(after, JpegImageFile)
            assert before.quantization == after.quantization
            before.draft("YCbCr", None)
            after.draft("YCbCr", None)
            assert np.array_equal(np.asarray(before), np.asarray(after))


def test_an_avif_is_copied_and_not_encoded_anew() -> None:
    data = images.avif(images.photo(), exif=images.exif(), quality=60)
    made = derive(data, "", "avif").data
    media = avifs.avif_box(made, b"mdat")
    assert made[media.start : media.end] in data
    assert len(made) < len(data)
    assert {box.kind for box in _boxes(made)} == {b"ftyp", b"meta", b"mdat"}


def _boxes(data: bytes) -> list[Box]:
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        found.append(Box(data[at + 4 : at + 8], at + 8, at + size))
        at += size
    return found
