"""JPEG XL files that no encoder here makes: written by libjxl's own functions, or put together of boxes and bits."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from service.engine.jxl import libjxl
from service.engine.jxl.writing import drained

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
TYPE = b"ftypjxl \0\0\0\0jxl "


def encoded(
    samples: NDArray[np.generic],
    colour: tuple[int, int],
    *,
    orientation: int = 1,
    icc: bytes = b"",
    gamma: float = 0,
    name: bytes = b"",
) -> bytes:
    """Lossless, of 8 or 16 bits by the type of `samples` (height, width, 1 to 4). `colour` is primaries and transfer
    function by ITU-T H.273, white D65; with `gamma` the samples are light to this power. `name` is
    that of the frame."""
    height, width, channels = samples.shape
    bits = 8 * samples.itemsize
    library = libjxl.library
    with libjxl.encoder() as encoder:
        info = libjxl.BasicInfo()
        library.JxlEncoderInitBasicInfo(ctypes.byref(info))
        info.width, info.height, info.bits, info.orientation = width, height, bits, orientation
        info.colour_channels, info.extra_channels = (1 if channels < 3 else 3), 1 - channels % 2
        info.alpha_bits, info.uses_original_profile = bits * (1 - channels % 2), 1
        assert library.JxlEncoderSetBasicInfo(encoder, ctypes.byref(info)) == 0
        library.JxlEncoderSetCodestreamLevel(encoder, 10)
        if icc:
            assert library.JxlEncoderSetICCProfile(encoder, icc, len(icc)) == 0
        else:
            said = libjxl.Colour(
                space=1 if channels < 3 else 0, white=1, primaries=colour[0], transfer=65535 if gamma else colour[1],
                gamma=gamma, intent=1,
            )  # fmt: skip
            assert library.JxlEncoderSetColorEncoding(encoder, ctypes.byref(said)) == 0
        options = library.JxlEncoderFrameSettingsCreate(encoder, None)
        library.JxlEncoderFrameSettingsSetOption(options, libjxl.EFFORT, 1)
        library.JxlEncoderSetFrameLossless(options, 1)
        if name:
            assert library.JxlEncoderSetFrameName(ctypes.c_void_p(options), name) == 0
        format = libjxl.PixelFormat(channels, libjxl.UINT8 if bits == 8 else libjxl.UINT16)
        data = np.ascontiguousarray(samples).tobytes()
        assert library.JxlEncoderAddImageFrame(options, ctypes.byref(format), data, len(data)) == 0
        library.JxlEncoderCloseInput(encoder)
        return drained(encoder)


def animated(
    frames: Sequence[NDArray[np.uint8] | NDArray[np.uint16]],
    *,
    icc: bytes = b"",
    by_centre: bool = False,
    exact: bool = True,
    effort: int = 3,
    ticks: Sequence[int] = (),
    tps: int = 100,
) -> bytes:
    """Frames in RGB, of 8 or 16 bits; in sRGB or by a profile. Each has its `ticks`, of which a second has `tps`; by
    default 3, 5, 7, 9, ... `by_centre` puts the groups of a frame in an order of their own."""
    height, width, _ = frames[0].shape
    library = libjxl.library
    with libjxl.encoder() as encoder:
        info = libjxl.BasicInfo()
        library.JxlEncoderInitBasicInfo(ctypes.byref(info))
        info.width, info.height, info.bits, info.colour_channels = width, height, 8 * frames[0].itemsize, 3
        info.uses_original_profile, info.has_animation = int(exact), 1
        info.animation = libjxl.Animation(tps, 1, 0, 0)
        assert library.JxlEncoderSetBasicInfo(encoder, ctypes.byref(info)) == 0
        if info.bits > 8:
            library.JxlEncoderSetCodestreamLevel(encoder, 10)
        if icc:
            assert library.JxlEncoderSetICCProfile(encoder, icc, len(icc)) == 0
        else:
            said = libjxl.Colour(space=0, white=1, primaries=1, transfer=13, intent=1)
            assert library.JxlEncoderSetColorEncoding(encoder, ctypes.byref(said)) == 0
        for number, frame in enumerate(frames):
            options = library.JxlEncoderFrameSettingsCreate(encoder, None)
            library.JxlEncoderFrameSettingsSetOption(options, libjxl.EFFORT, effort)
            assert library.JxlEncoderFrameSettingsSetOption(options, _GROUP_ORDER, int(by_centre)) == 0
            if exact:
                library.JxlEncoderSetFrameLossless(options, 1)
            header = libjxl.FrameHeader()
            library.JxlEncoderInitFrameHeader(ctypes.byref(header))
            header.ticks = ticks[number] if ticks else 3 + 2 * number
            assert library.JxlEncoderSetFrameHeader(options, ctypes.byref(header)) == 0
            kind = libjxl.UINT8 if info.bits == 8 else libjxl.UINT16
            format, data = libjxl.PixelFormat(3, kind), frame.tobytes()
            assert library.JxlEncoderAddImageFrame(options, ctypes.byref(format), data, len(data)) == 0
        library.JxlEncoderCloseInput(encoder)
        return drained(encoder)


_GROUP_ORDER = 13  # JxlEncoderFrameSettingId


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4) + kind + content


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of each box of a container."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4]) or len(data) - at
        found.append((data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += size
    return found


def container(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A file of these boxes, the two that every file begins with before them."""
    return SIGNATURE + box(TYPE[:4], TYPE[4:]) + b"".join(box(kind, content) for kind, content in parts)


def compressed(kind: bytes, content: bytes) -> tuple[bytes, bytes]:
    """The box `brob` that holds a box of this kind, by Brotli's own library."""
    size = ctypes.c_size_t(len(content) + 1024)
    made = ctypes.create_string_buffer(size.value)
    given = (5, 22, 0, ctypes.c_size_t(len(content)), content)  # quality, window, mode
    assert ctypes.CDLL("libbrotlienc.so.1").BrotliEncoderCompress(*given, ctypes.byref(size), made)
    return b"brob", kind + made.raw[: size.value]


def split(stream: bytes, *at: int) -> list[tuple[bytes, bytes]]:
    """A codestream as boxes `jxlp`, cut at these places."""
    edges = [0, *at, len(stream)]
    last = len(edges) - 2
    return [
        (b"jxlp", (number | (1 << 31 if number == last else 0)).to_bytes(4) + stream[start:end])
        for number, (start, end) in enumerate(pairwise(edges))
    ]
