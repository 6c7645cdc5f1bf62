"""A JPEG's luma and chroma as they are stored, each a plane of its own, out of a file and back into one.

libjpeg-turbo's own library reads them, and Pillow writes them. Nothing becomes RGB in between, and chroma of half the
size stays so: 682x557 pixels of a photograph take 8.8 ms of decoding in place of 9.9, 3.2 of scaling in place of 5.8.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
from collections.abc import Iterable, Iterator, Sequence

from PIL import Image as Pillow
from PIL import ImageFile

from service.engine import geometry
from service.engine.geometry import Size
from service.engine.jpeg import turbo
from service.engine.jpeg.quantisation import Table, tables

_LEAST_ROOM = 1 << 21
"""Bytes that Pillow is to hold for a JPEG at least: of 65,535x8 samples it may be more than Pillow guesses."""

_ROWS = 128
"""Of an image that are made at a time; an even number."""

_SUBSAMPLINGS = (0, 1, 2, 4, 5)
"""TJSAMP_444, 422, 420, 440 and 411; gray is 3, and what has no name -1."""

_YCBCR = 1  # TJCS_YCbCr
_LIMIT_SCANS = 32768  # TJFLAG_LIMITSCANS

Planes = tuple[Pillow.Image, Pillow.Image, Pillow.Image]
"""Y, Cb and Cr, each of mode L."""


def read(data: bytes, size: Size, n: int) -> Planes | None:
    """The planes of a JPEG of `size` at n/8 of it, n one of 1, 2, 4, 8. Luma is as many times the size of chroma as
    pixels share one sample of it, and therefore may go a little beyond the image.

    None where the file has other components or another size, where the decoder has anything to say of it, or where
    the library is missing. Raises MemoryError.
    """
    library = turbo.library
    if library is None:
        return None
    with turbo.handle(library.tjInitDecompress) as handle:
        width, height, sampling, space = (ctypes.c_int() for _ in range(4))
        if library.tjDecompressHeader3(handle, data, len(data), width, height, sampling, space):
            return None
        if (width.value, height.value) != size or space.value != _YCBCR or sampling.value not in _SUBSAMPLINGS:
            return None
        scaled = geometry.decoded(size, n)
        sizes = [_plane(library, component, scaled, sampling.value) for component in range(3)]
        memory = [bytearray(across * down) for across, down in sizes]
        buffers = [(ctypes.c_char * len(one)).from_buffer(one) for one in memory]
        if library.tjDecompressToYUVPlanes(
            *(handle, data, len(data)),
            *(_addresses(buffers), scaled[0], _numbers(across for across, _ in sizes), scaled[1], _LIMIT_SCANS),
        ):
            return None
    y, cb, cr = (
        Pillow.frombuffer("L", one, samples, "raw", "L", 0, 1) for one, samples in zip(sizes, memory, strict=True)
    )
    return y, cb, cr


def write(planes: Planes, size: Size, quality: int, effort: int) -> bytes:
    """A JPEG of `size` with optimised tables: see `coded`. `quality` is 1..100; with `effort` it is progressive."""
    return coded(planes, size, tables(quality), optimize=True, progressive=effort > 0)


def coded(planes: Planes, size: Size, quantisation: Sequence[Table], **options: bool) -> bytes:
    """A JPEG of `size` with chroma at 4:2:0: as the planes are, which have the sizes that `plane_sizes` names.
    `quantisation` has tables for luma and chroma, or one for each plane; the options are Pillow's. Raises MemoryError.

    Pillow's encoder, unlike TurboJPEG's, takes tables. It halves chroma by means, which undoes the doubling. That takes
    0.4 ms more for 640x522 pixels.
    """
    image = _merged(planes, size)
    output = io.BytesIO()
    try:
        with _room():
            image.save(output, "JPEG", qtables=quantisation, subsampling="4:2:0", **options)
    except OSError as error:  # what Pillow makes of any failure of libjpeg
        raise MemoryError from error
    return output.getvalue()


def _merged(planes: Planes, size: Size) -> Pillow.Image:
    """The planes as one image of `size`: a few rows at a time, since larger planes of chroma would take as much as
    libjpeg needs."""
    y, cb, cr = planes
    image = Pillow.new("YCbCr", size)
    for top in range(0, size[1], _ROWS):
        bottom = min(top + _ROWS, size[1])
        rows, half = (size[0], bottom - top), (0.0, top / 2, size[0] / 2, bottom / 2)
        larger = (plane.resize(rows, Pillow.Resampling.NEAREST, half) for plane in (cb, cr))
        image.paste(Pillow.merge("YCbCr", (y.crop((0, top, size[0], bottom)), *larger)), (0, top))
    return image


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Have Pillow hold `_LEAST_ROOM` within this context alone: its PNGs are in pieces of that number, too."""
    before = ImageFile.MAXBLOCK
    ImageFile.MAXBLOCK = max(before, _LEAST_ROOM)
    try:
        yield
    finally:
        ImageFile.MAXBLOCK = before


def decoded(data: bytes, size: Size, n: int, _filtered: bool) -> Planes | None:
    """`read`, as a row of the table of formats names it."""
    return read(data, size, n)


def plane_sizes(size: Size) -> tuple[Size, Size]:
    """The sizes of luma and chroma that `write` takes for an image of `size`: chroma rounded up, luma twice that."""
    chroma = (size[0] + 1) // 2, (size[1] + 1) // 2
    return (2 * chroma[0], 2 * chroma[1]), chroma


def _plane(library: ctypes.CDLL, component: int, size: Size, sampling: int) -> Size:
    return library.tjPlaneWidth(component, size[0], sampling), library.tjPlaneHeight(component, size[1], sampling)


def _addresses(buffers: Sequence[ctypes.Array[ctypes.c_char]]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * 3)(*map(ctypes.addressof, buffers))


def _numbers(values: Iterable[int]) -> ctypes.Array[ctypes.c_int]:
    return (ctypes.c_int * 3)(*values)
