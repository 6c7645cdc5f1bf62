"""Still pictures to AVIF by libavif, from luma and chroma as they are: what a JPEG holds need not become RGB."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from PIL import Image as Pillow

from service.engine.avif import libavif
from service.engine.geometry import Size

_FASTEST = 9
"""The speed of libavif at effort 0."""

_FREQUENT = 8
"""The speed at which libaom weighs codes of small blocks, which is most of its work."""

_NARROWER = MappingProxyType(
    {
        "use-intra-dct-only": "1",
        "enable-angle-delta": "0",
        "enable-paeth-intra": "0",
        "coeff-cost-upd-freq": "3",
        "mode-cost-upd-freq": "3",
    }
)
"""What libaom leaves out at that speed: transforms other than the cosine's, directions between the eight main ones, a
predictor, and fresh costs of codes. Together they save a quarter of its time, for 4 % more bytes at the same looks."""

_TUNED_FROM = 3, 14  # of libaom, which knows all of these
_TUNED = MappingProxyType({"color:tune": "ssimulacra2", "color:sharpness": "5"})
"""How libaom weighs errors, in place of libavif's `tune=iq`: nearer to SSIMULACRA2, with smaller steps of quality
between blocks (`_strength`), and a filter that keeps more detail. Of ten photographs it takes 4 % fewer bytes at the
same score, 1 to 7 by picture, for 3 % more time. Transparency is weighed as libavif has it."""

_LOSSLESS = 100
"""The quality at which libavif asks libaom for no loss, which takes no errors to weigh."""

_FULL_RANGE, _BT_709, _SRGB, _BT_601 = 1, 1, 13, 6
"""Of avifRange, and the primaries, transfer function and matrix of ITU-T H.273. The matrix is JPEG's."""

_SINGLE, _TICKS = 2, 1  # of avifAddImageFlag, and the duration of a picture that does not move


def speed(effort: int) -> int:
    """libavif's speed of a still picture, 0..9."""
    return _FASTEST - effort


def moving_speed(effort: int) -> int:
    """The next higher one, at most _FASTEST, since many pictures have less time each."""
    return min(_FASTEST - effort + 1, _FASTEST)


def advice(effort: int, quality: int) -> Mapping[str, str]:
    """The options of libaom beside the speed of a still picture of a quality of 1..100; none where another encoder
    writes."""
    version = libavif.libaom()
    if version is None:
        return {}
    narrower = _NARROWER if speed(effort) == _FREQUENT else {}
    if version < _TUNED_FROM or quality >= _LOSSLESS:
        return narrower
    return {**narrower, **_TUNED, "color:deltaq-strength": str(_strength(quality))}


def _strength(quality: int) -> int:
    """How large steps of quality between blocks are, in percent of libaom's own: 50 up to a quality of 50, and less
    above, since they add bytes there that a higher quality alone spends as well."""
    return max(20, min(50, 90 - 4 * quality // 5))


def write(samples: Sequence[Pillow.Image], size: Size, quality: int, effort: int) -> bytes:
    """An AVIF of `size` in sRGB, 4:2:0, from planes as `jpeg.planes.plane_sizes` names them, which may go beyond it.

    `quality` is 1..100, `effort` that of `formats.effort`. Empty where the library is missing. Raises
    ValueError where it fails, and MemoryError.
    """
    library = libavif.library
    if library is None:
        return b""
    with (
        libavif.handle(library.avifImageCreateEmpty, library.avifImageDestroy) as image,
        libavif.handle(library.avifEncoderCreate, library.avifEncoderDestroy) as encoder,
    ):
        held = [plane.tobytes() for plane in samples]  # as long as the encoder reads them
        _describe(image.contents, size)
        for number, (plane, data) in enumerate(zip(samples, held, strict=True)):
            image.contents.planes[number], image.contents.row_bytes[number] = _address(data), plane.width
        chosen = encoder.contents
        chosen.threads, chosen.speed, chosen.quality = 1, speed(effort), quality
        for key, value in advice(effort, quality).items():
            libavif.require(library.avifEncoderSetCodecSpecificOption(encoder, key.encode(), value.encode()))
        libavif.require(library.avifEncoderAddImage(encoder, image, _TICKS, _SINGLE))
        return _finished(encoder)


def _describe(image: Any, size: Size) -> None:
    image.width, image.height = size
    image.depth, image.range, image.format = 8, _FULL_RANGE, libavif.YUV_420
    image.primaries, image.transfer, image.matrix = _BT_709, _SRGB, _BT_601


def _address(data: bytes) -> int | None:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value


def _finished(encoder: Any) -> bytes:
    library = libavif.library
    assert library is not None
    made = libavif.Bytes()
    try:
        libavif.require(library.avifEncoderFinish(encoder, ctypes.byref(made)))
        return ctypes.string_at(made.data, made.size)
    finally:
        library.avifRWDataFree(ctypes.byref(made))
