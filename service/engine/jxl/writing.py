"""JPEG XL from frames of 8-bit pixels, by libjxl: one thread, the same bytes everywhere."""

from __future__ import annotations

import ctypes

from service.engine.job import TooLarge, Unsatisfiable
from service.engine.jxl import colour, libjxl
from service.engine.magick.writing import Settings
from service.engine.memory import has_room
from service.engine.picture import Frame, Picture

LEAST_EFFORT = 1
"""What libjxl calls the effort 0 of `formats.effort`."""

PIXEL = 80
"""Bytes for a pixel that must be free: libjxl 0.11 takes 76 of addresses and 5 to 38 of memory."""

_EXIF_PREFIX = b"Exif\0\0"
_TICKS = 1000
_PIECE = 1 << 18


def jxl(picture: Picture, settings: Settings) -> bytes:
    """A still picture or an animation, as a bare codestream; in a container where there is an EXIF block to hold.

    Raises TooLarge where memory does not suffice.
    """
    width, height = picture.size
    if not has_room(PIXEL * width * height):
        raise TooLarge("the result takes more memory than an engine process may use")
    mode = _mode(picture.frames)
    with libjxl.encoder() as encoder:
        _begin(encoder, picture, settings, mode)
        *others, last = picture.frames
        made = b""
        for frame in others:  # one at a time, since libjxl holds in floating point what it was given
            _add(encoder, frame, settings, mode, moves=True)
            made += drained(encoder)
        _add(encoder, last, settings, mode, moves=bool(others))
        libjxl.library.JxlEncoderCloseInput(encoder)
        return made + drained(encoder)


def distance(quality: int) -> float:
    """Butteraugli's distance for a quality of 1..100, as libjxl maps it (JxlEncoderDistanceFromQuality)."""
    if quality >= 100:
        return 0.0
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25


def drained(encoder: ctypes.c_void_p) -> bytes:
    """All that an encoder has to give. Raises Unsatisfiable where it gives up."""
    piece, made = ctypes.create_string_buffer(_PIECE), bytearray()
    status = libjxl.MORE_OUTPUT
    while status == libjxl.MORE_OUTPUT:
        place, left = ctypes.c_void_p(ctypes.addressof(piece)), ctypes.c_size_t(_PIECE)
        status = libjxl.library.JxlEncoderProcessOutput(encoder, ctypes.byref(place), ctypes.byref(left))
        made += memoryview(piece)[: _PIECE - left.value]
    if status != libjxl.SUCCESS:
        raise Unsatisfiable("libjxl does not encode this image")
    return bytes(made)


def _mode(frames: list[Frame]) -> str:
    gray = all(frame.gray for frame in frames)
    alpha = any(frame.alpha for frame in frames)
    return ("LA" if alpha else "L") if gray else ("RGBA" if alpha else "RGB")


def _begin(encoder: ctypes.c_void_p, picture: Picture, settings: Settings, mode: str) -> None:
    info = libjxl.BasicInfo()
    library = libjxl.library
    library.JxlEncoderInitBasicInfo(ctypes.byref(info))
    info.width, info.height = picture.size
    info.bits, info.alpha_bits = 8, 8 if mode[-1] == "A" else 0
    info.colour_channels, info.extra_channels = (1 if mode[0] == "L" else 3), int(mode[-1] == "A")
    info.uses_original_profile = _is_exact(settings)
    if len(picture.frames) > 1:
        info.has_animation = 1
        info.animation = libjxl.Animation(_TICKS, 1, picture.details.plays, 0)
    _taken(library.JxlEncoderSetBasicInfo(encoder, ctypes.byref(info)))
    _taken(not colour.put(encoder, settings.icc, gray=mode[0] == "L"))
    if settings.exif:
        block = bytes(4) + settings.exif.removeprefix(_EXIF_PREFIX)  # where TIFF begins behind this number
        library.JxlEncoderUseBoxes(encoder)
        _taken(library.JxlEncoderAddBox(encoder, b"Exif", block, len(block), 0))
        library.JxlEncoderCloseBoxes(encoder)


def _add(encoder: ctypes.c_void_p, frame: Frame, settings: Settings, mode: str, *, moves: bool) -> None:
    library = libjxl.library
    options = library.JxlEncoderFrameSettingsCreate(encoder, None)
    library.JxlEncoderFrameSettingsSetOption(options, libjxl.EFFORT, LEAST_EFFORT + settings.effort)
    if _is_exact(settings):
        library.JxlEncoderSetFrameLossless(options, 1)
    else:
        _taken(library.JxlEncoderSetFrameDistance(options, distance(settings.quality)))
    if moves:
        # It would put groups in an order of its own, which parses slower.
        library.JxlEncoderFrameSettingsSetOption(options, libjxl.BUFFERING, 0)
        header = libjxl.FrameHeader()
        library.JxlEncoderInitFrameHeader(ctypes.byref(header))
        header.ticks = max(1, frame.delay)  # a frame of no time would be a layer of the next
        _taken(library.JxlEncoderSetFrameHeader(options, ctypes.byref(header)))
    image = frame.pillow()
    pixels = (image if image.mode == mode else image.convert(mode)).tobytes()
    format = libjxl.PixelFormat(len(mode), libjxl.UINT8)
    _taken(library.JxlEncoderAddImageFrame(options, ctypes.byref(format), pixels, len(pixels)))


def _is_exact(settings: Settings) -> bool:
    return settings.lossless or settings.quality == 100


def _taken(status: int | bool) -> None:
    if status:
        raise Unsatisfiable("libjxl does not encode this image")
