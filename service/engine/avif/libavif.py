"""libavif, of which Pillow hands over 8 bits a sample only: its types, and a still picture decoded with all its bits.

It is the one that Pillow has loaded, so that an engine process needs no file for it. The structures are those of
version 1.0, which later versions of the same number of the library only append to (avif.h).
"""

from __future__ import annotations

import contextlib
import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import AvifImagePlugin

from service.engine.geometry import Size

_FILE = re.compile(r"/libavif[^/]*\.so\.16(\.|$)")
_LIBAOM = re.compile(rb"\baom \[[a-z/]*enc[a-z/]*\]:v?(\d+)\.(\d+)")
_OK, _OUT_OF_MEMORY = 0, 26
_ANY_CODEC, _CAN_ENCODE = 0, 2  # of avifCodecChoice and avifCodecFlag
_PRIMARY_ITEM = 1  # of avifDecoderSource
_RGB, _RGBA = 0, 1  # of avifRGBFormat
YUV_420, _GRAY = 3, 4  # of avifPixelFormat
_LENIENT = 0  # as Pillow has it: no `pixi` is needed, and a `clap` that is none does no harm
_VERSIONS = 256  # bytes of avifCodecVersions
_LARGEST = 16384 * 16384  # pixels; libavif takes no higher limit

assert AvifImagePlugin


class Bytes(ctypes.Structure):
    """avifRWData."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Decoder(ctypes.Structure):
    """The first fields of avifDecoder."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("codec", "threads", "source", "progressive", "incremental")),
        *((name, ctypes.c_int) for name in ("ignore_exif", "ignore_xmp")),
        *((name, ctypes.c_uint32) for name in ("most_pixels", "longest", "most_images", "strict")),
    )


class _Image(ctypes.Structure):
    """avifImage of version 1.0."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("width", "height", "depth")),
        *((name, ctypes.c_int) for name in ("format", "range", "chroma_position")),
        ("planes", ctypes.c_void_p * 3),
        ("row_bytes", ctypes.c_uint32 * 3),
        ("owns_planes", ctypes.c_int),
        ("alpha", ctypes.c_void_p),
        ("alpha_row_bytes", ctypes.c_uint32),
        ("owns_alpha", ctypes.c_int),
        ("premultiplied", ctypes.c_int),
        ("icc", Bytes),
        *((name, ctypes.c_uint16) for name in ("primaries", "transfer", "matrix", "most_light", "mean_light")),
        ("transforms", ctypes.c_uint32),
        ("aspect", ctypes.c_uint32 * 2),
        ("aperture", ctypes.c_uint32 * 8),
        *((name, ctypes.c_uint8) for name in ("turn", "mirror")),
        ("exif", Bytes),
        ("xmp", Bytes),
    )


class _Encoder(ctypes.Structure):
    """The first fields of avifEncoder."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("codec", "threads", "speed", "keyframe_interval")),
        ("timescale", ctypes.c_uint64),
        ("repetitions", ctypes.c_int),
        ("extra_layers", ctypes.c_uint32),
        ("quality", ctypes.c_int),
    )


class _Pixels(ctypes.Structure):
    """avifRGBImage."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("width", "height", "depth")),
        *((name, ctypes.c_int) for name in ("format", "upsampling", "downsampling", "exact", "ignore_alpha")),
        *((name, ctypes.c_int) for name in ("premultiplied", "is_float", "threads")),
        ("pixels", ctypes.c_void_p),
        ("row_bytes", ctypes.c_uint32),
    )


def _load() -> ctypes.CDLL | None:
    maps = Path("/proc/self/maps").read_text().splitlines()
    found = (line.split(maxsplit=5)[-1] for line in maps if _FILE.search(line))
    for name in dict.fromkeys(found):
        loaded = ctypes.CDLL(name)
        pointer = ctypes.c_void_p
        loaded.avifVersion.restype = ctypes.c_char_p
        loaded.avifCodecName.restype = ctypes.c_char_p
        loaded.avifCodecVersions.argtypes, loaded.avifCodecVersions.restype = (ctypes.c_char_p,), None
        loaded.avifDecoderCreate.restype = ctypes.POINTER(_Decoder)
        loaded.avifImageCreateEmpty.restype = ctypes.POINTER(_Image)
        loaded.avifDecoderDestroy.argtypes, loaded.avifDecoderDestroy.restype = (pointer,), None
        loaded.avifImageDestroy.argtypes, loaded.avifImageDestroy.restype = (pointer,), None
        loaded.avifDecoderSetSource.argtypes = (pointer, ctypes.c_int)
        loaded.avifDecoderReadMemory.argtypes = (pointer, pointer, ctypes.c_char_p, ctypes.c_size_t)
        loaded.avifRGBImageSetDefaults.argtypes = (pointer, pointer)
        loaded.avifRGBImageSetDefaults.restype = None
        loaded.avifImageYUVToRGB.argtypes = (pointer, pointer)
        loaded.avifEncoderCreate.restype = ctypes.POINTER(_Encoder)
        loaded.avifEncoderDestroy.argtypes, loaded.avifEncoderDestroy.restype = (pointer,), None
        loaded.avifEncoderSetCodecSpecificOption.argtypes = (pointer, ctypes.c_char_p, ctypes.c_char_p)
        loaded.avifEncoderAddImage.argtypes = (pointer, pointer, ctypes.c_uint64, ctypes.c_uint32)
        loaded.avifEncoderFinish.argtypes = (pointer, pointer)
        loaded.avifRWDataFree.argtypes, loaded.avifRWDataFree.restype = (pointer,), None
        return loaded if loaded.avifVersion().startswith(b"1.") else None
    return None


library = _load()
"""None where Pillow has none, or another version."""


@dataclass(frozen=True, slots=True)
class Samples:
    """A picture before it is cut, turned and mirrored. `data` are its samples pixel by pixel, 0 to 2^depth - 1 in two
    bytes each, in Pillow's `mode`: L, LA, RGB or RGBA, not multiplied by alpha."""

    size: Size
    depth: int
    mode: str
    data: memoryview
    icc: bytes | None
    exif: bytes | None


def decoded(data: bytes, most_pixels: int) -> Samples:
    """Return the primary picture. Raises ValueError for damage and more than `most_pixels`, and MemoryError."""
    assert library is not None
    with handle(library.avifDecoderCreate, library.avifDecoderDestroy) as decoder:
        decoder.contents.most_pixels = min(most_pixels, _LARGEST)
        decoder.contents.strict = _LENIENT
        library.avifDecoderSetSource(decoder, _PRIMARY_ITEM)
        with handle(library.avifImageCreateEmpty, library.avifImageDestroy) as image:
            require(library.avifDecoderReadMemory(decoder, image, data, len(data)))
            return _samples(image)


def _samples(image: Any) -> Samples:
    assert library is not None
    said, pixels = image.contents, _Pixels()
    library.avifRGBImageSetDefaults(ctypes.byref(pixels), image)
    channels = 4 if said.alpha else 3
    pixels.format = _RGBA if said.alpha else _RGB
    pixels.row_bytes = 2 * channels * said.width
    held = bytearray(pixels.row_bytes * said.height)
    pixels.pixels = ctypes.addressof((ctypes.c_char * len(held)).from_buffer(held))
    require(library.avifImageYUVToRGB(image, ctypes.byref(pixels)))
    view, mode = memoryview(held), "RGBA" if said.alpha else "RGB"
    if said.format == _GRAY:
        view, mode = _first_and_last(view.cast("H"), channels)
    return Samples((said.width, said.height), said.depth, mode, view.cast("B"), _held(said.icc), _held(said.exif))


def _first_and_last(samples: memoryview, channels: int) -> tuple[memoryview, str]:
    """Gray of three equal channels, and alpha."""
    if channels == 3:
        return memoryview(samples[::3].tobytes()), "L"
    pairs = memoryview(bytearray(len(samples))).cast("H")
    pairs[::2], pairs[1::2] = samples[::4], samples[3::4]
    return pairs, "LA"


def _held(held: Any) -> bytes | None:
    return ctypes.string_at(held.data, held.size) if held.size else None


def require(result: int) -> None:
    if result == _OUT_OF_MEMORY:
        raise MemoryError
    if result != _OK:
        raise ValueError(f"libavif gives {result}")


@contextlib.contextmanager
def handle(create: Any, destroy: Any) -> Iterator[Any]:
    """A structure of the library, as long as this holds. Raises MemoryError."""
    made = create()
    if not made:
        raise MemoryError
    try:
        yield made
    finally:
        destroy(made)


@cache
def libaom() -> tuple[int, int] | None:
    """The first two numbers of the version of libaom where that encodes if no encoder is named: no other encoder knows
    its options, and older ones know fewer. Else None."""
    if library is None or library.avifCodecName(_ANY_CODEC, _CAN_ENCODE) != b"aom":
        return None
    versions = ctypes.create_string_buffer(_VERSIONS)
    library.avifCodecVersions(versions)
    found = _LIBAOM.search(versions.value)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def version() -> str:
    """Its name with its version; `no libavif` where it is missing."""
    return "no libavif" if library is None else f"libavif {library.avifVersion().decode()}"
