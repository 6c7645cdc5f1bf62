"""Scale pixels by convolution: with fast_image_resize, whose SIMD takes an eighth of Pillow's time, or with Pillow.

Both go in two passes of whole numbers, across before down, each rounded to 8 bits, with the same kernels. Pillow's
coefficients have more bits, so a sample in some hundred differs by one. Planes of photographs are scaled down first,
which takes a third less: SIMD takes neighbours of a row together, and few rows are left for the other pass. Lines of a
pixel would differ, since the first pass clips what goes beyond white or black. fast_image_resize gives the same bytes
by SSE4.1, by AVX2 and without them. Its wheel is for x86-64 alone; its version is part of what derived images are made
by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from PIL import Image as Pillow

from service.engine.geometry import Box, Size
from service.engine.memory import has_room
from service.engine.packed import Packed

simd: Any
try:
    import cykooz_resizer

    simd = cykooz_resizer
except ImportError:  # no wheel for this processor
    simd = None

LANCZOS = Pillow.Resampling.LANCZOS
"""Over three lobes, as sharp and libvips take it."""

CUBIC = Pillow.Resampling.BICUBIC
"""Catmull and Rom's, a = -0.5."""

BOX = Pillow.Resampling.BOX
"""Means."""

Line = tuple[float, float]
"""Factor and offset by which samples of 0..255 change."""

ASSOCIATED = {"LA": "La", "RGBA": "RGBa"}
"""What is transparent weighs nothing in a mean, so alpha is multiplied in before and divided out after."""

_KERNELS = {LANCZOS: "lanczos3", CUBIC: "catmull_rom", BOX: "box"}
_ROWS = 64
"""Of a band."""

_SUPPORT = 3
"""Pixels, of the larger of both grids, to which a kernel reaches at most."""

_BYTES = {"L": 1, "RGB": 4, "RGBA": 4, "CMYK": 4}  # of a pixel, by the modes that fast_image_resize scales


def scaled(
    image: Pillow.Image | Packed,
    size: Size,
    box: Box,
    kernel: Pillow.Resampling = LANCZOS,
    *,
    down_first: bool = False,
) -> Pillow.Image:
    """Return the part of an image in `box`, which may begin and end inside a pixel, at `size`. Raises MemoryError.

    An image that nothing else refers to is freed halfway. Where it is scaled by Pillow, `down_first` changes nothing.
    """
    if isinstance(image, Packed):
        if simd is not None and box == Box(0, 0, *image.size) and math.prod(size) <= math.prod(image.size):
            return _scaled_packed(image, size, kernel)
        needed = _needed(box, size, image.size)
        image, box = image.crop(needed), box.moved(-needed[0], -needed[1])
    if simd is None or image.mode not in _BYTES:
        return _associated(image).resize(size, kernel, box.edges).convert(image.mode)
    needed, mode = _needed(box, size, image.size), image.mode
    part = image if needed == (0, 0, *image.size) else image.crop(needed)
    box = box.moved(-needed[0], -needed[1])
    between, first, second = _passes(part.size, size, box, down_first)
    if not has_room(_BYTES[mode] * (part.width * part.height + between[0] * between[1])):
        raise MemoryError  # in there it would end the process
    if mode == "RGBA":
        part = simd.AlphaMulDiv().multiply_alpha_pil(part)
    halfway = _pass(part, between, first, kernel)
    del image, part  # before there is more, since they take the most
    made = _pass(halfway, size, second, kernel)
    return made if made.mode == mode else made.convert(mode)


def _passes(whole: Size, size: Size, box: Box, down_first: bool) -> tuple[Size, Box, Box]:
    """The size between both passes, and what each of them shows."""
    width, height = whole
    if down_first:
        return (width, size[1]), Box(0, box.top, width, box.bottom), Box(box.left, 0, box.right, size[1])
    return (size[0], height), Box(box.left, 0, box.right, height), Box(0, box.top, size[0], box.bottom)


def scaled_finely(plane: Pillow.Image, size: Size, box: Box, kernel: Pillow.Resampling, line: Line) -> Pillow.Image:
    """Return the part of a plane of mode L in `box` at `size`, with its samples changed by the `line`. Both passes give
    16 bits, so it is rounded to 8 once. A sample takes 4 bytes before, and 3 after. Raises MemoryError."""
    factor, offset = line
    if simd is None:
        fine = plane.convert("F").resize(size, kernel, box.edges)
        return fine.point(lambda sample: sample * factor + (offset + 0.5)).convert("L")
    needed = _needed(box, size, plane.size)
    part, box = plane.crop(needed), box.moved(-needed[0], -needed[1])
    before, between, after = part.width * part.height, size[0] * part.height, size[0] * size[1]
    if not has_room(4 * before + 2 * between + 3 * after):
        raise MemoryError  # in there it would end the process
    source = simd.ImageData(*part.size, simd.PixelType.U16, _in_16_bits(part))
    made = simd.ImageData(*size, simd.PixelType.U16)
    simd.Resizer().resize(source, made, _options(box, kernel))
    del source
    fine, result = Pillow.frombuffer("I;16", size, made.get_buffer(), "raw", "I;16", 0, 1), Pillow.new("L", size)
    for band in _bands(size):
        rows = fine.crop(band).convert("I").point(lambda sample: sample * (factor / 257) + (offset + 0.5))
        result.paste(rows.convert("L"), band)
    return result


def _scaled_packed(image: Packed, size: Size, kernel: Pillow.Resampling) -> Pillow.Image:
    """The whole image, to the same bytes as if it were Pillow's. A copy of its samples is made, and one of the result,
    which has no more pixels: so the first pass takes the most."""
    width, height = image.size
    if not has_room(3 * height * (width + size[0])):
        raise MemoryError  # in there it would end the process
    source = simd.ImageData(width, height, simd.PixelType.U8x3, image.samples)
    for wanted in ((size[0], height), size):
        made = simd.ImageData(*wanted, simd.PixelType.U8x3)
        simd.Resizer().resize(source, made, _options(Box(0, 0, source.width, source.height), kernel))
        source = made
    samples = made.get_buffer()
    del source, made  # before there is a third copy
    return Pillow.frombytes(image.mode, size, samples)


def _in_16_bits(plane: Pillow.Image) -> bytes:
    """257 times each sample, in the order of bytes that both have."""
    samples = bytearray()
    for band in _bands(plane.size):
        rows = plane.crop(band)
        samples += Pillow.merge("LA", (rows, rows)).tobytes()
    return bytes(samples)


def _bands(size: Size) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of a few rows each, so that what is made of one takes little."""
    for top in range(0, size[1], _ROWS):
        yield 0, top, size[0], min(top + _ROWS, size[1])


def _associated(image: Pillow.Image) -> Pillow.Image:
    return image.convert(ASSOCIATED[image.mode]) if image.mode in ASSOCIATED else image


def _needed(box: Box, size: Size, whole: Size) -> tuple[int, int, int, int]:
    """The whole pixels that what is in `box` is computed of."""
    across, down = _SUPPORT * max(1, box.width / size[0]), _SUPPORT * max(1, box.height / size[1])
    left, top = max(0, math.floor(box.left - across)), max(0, math.floor(box.top - down))
    return left, top, min(whole[0], math.ceil(box.right + across)), min(whole[1], math.ceil(box.bottom + down))


def _pass(image: Pillow.Image, size: Size, box: Box, kernel: Pillow.Resampling) -> Pillow.Image:
    if image.size == size and box == Box(0, 0, *size):
        return image
    made = Pillow.new(image.mode, size)
    simd.Resizer().resize_pil(image, made, _options(box, kernel))
    return made


def _options(box: Box, kernel: Pillow.Resampling) -> Any:
    algorithm = simd.ResizeAlg.convolution(simd.FilterType[_KERNELS[kernel]])
    crop = simd.CropBox(box.left, box.top, box.width, box.height)
    return simd.ResizeOptions(algorithm, use_alpha=False, crop_box=crop)
