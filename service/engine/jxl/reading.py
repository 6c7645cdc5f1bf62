"""JPEG XL through libjxl: the frames that are wanted, their alpha straight, their colour as the file states it."""

from __future__ import annotations

import ctypes
from pathlib import Path

from PIL import Image as Pillow

from service.engine import deep, stated, tone_mapping
from service.engine.colorimetry import BT709, SRGB, Curve, Statement
from service.engine.headers import jxl as headers
from service.engine.headers.source import OpenedFile
from service.engine.job import Header, TooLarge, Undecodable
from service.engine.jxl import colour, libjxl
from service.engine.memory import has_room
from service.engine.picture import Details, Frame
from service.engine.quality import Judged

PIXEL = 40
"""Bytes for a pixel that must be free: libjxl takes 10 to 16 of a still image, and four layers may be referred to."""


def read(path: Path, header: Header, wanted: range, _n: int, _tolerant: bool) -> tuple[list[Frame], Details]:
    """The frames of `wanted`, not turned. Raises Undecodable, and TooLarge where memory does not suffice."""
    if not has_room(PIXEL * header.width * header.height):
        raise TooLarge("the image takes more memory than an engine process may use")
    with OpenedFile(path) as source:
        delays = headers.delays(source)
    events = libjxl.BASIC_INFO | libjxl.COLOUR | libjxl.IMAGE
    with libjxl.decoder(events, path.read_bytes()) as decoder:
        libjxl.library.JxlDecoderSetKeepOrientation(decoder, 1)
        libjxl.library.JxlDecoderSetUnpremultiplyAlpha(decoder, 1)
        return _Reading(decoder, header, delays).frames(wanted)


def judged(data: bytes, wanted: Judged) -> Pillow.Image:
    """The frame that `q=auto` judges of what was encoded here."""
    return decoded(data, wanted.image.size, wanted.number)


def decoded(data: bytes, size: tuple[int, int], number: int = 0) -> Pillow.Image:
    """The frame of this number of an image of 8-bit samples."""
    with libjxl.decoder(libjxl.BASIC_INFO | libjxl.COLOUR | libjxl.IMAGE, data) as decoder:
        return _Reading(decoder, Header("jxl", *size), []).frames(range(number, number + 1))[0][0].pillow()


class _Reading:
    """One file on its way through a decoder."""

    def __init__(self, decoder: ctypes.c_void_p, header: Header, delays: list[int]) -> None:
        self._decoder = decoder
        self._header = header
        self._delays = delays
        self._info = libjxl.BasicInfo()
        self._format = libjxl.PixelFormat(3, libjxl.UINT8)
        self._statement: Statement | None = None
        self._icc: bytes | None = None
        self._buffer = ctypes.create_string_buffer(0)

    def frames(self, wanted: range) -> tuple[list[Frame], Details]:
        details, frames, ready = Details(), list[Frame](), False
        if wanted.start:
            libjxl.library.JxlDecoderSkipFrames(self._decoder, wanted.start)
        while len(frames) < len(wanted):
            status = libjxl.library.JxlDecoderProcessInput(self._decoder)
            if status == libjxl.BASIC_INFO:
                self._look()
            elif status == libjxl.COLOUR:
                details, ready = self._coloured(), True
            elif status == libjxl.NEED_IMAGE_OUT and ready:
                self._offer()
            elif status == libjxl.IMAGE:
                frame = self._frame()
                frame.delay = self._delays[wanted[len(frames)]] if self._delays else 0
                frames.append(frame)
            else:
                raise Undecodable(_REASONS.get(status, "the image is damaged"))
        return frames, self._described(details, frames)

    def _look(self) -> None:
        info, header = self._info, self._header
        libjxl.library.JxlDecoderGetBasicInfo(self._decoder, ctypes.byref(info))
        if (info.width, info.height) != (header.width, header.height):
            raise Undecodable("the image is damaged: its decoder finds another size than its header says")

    def _coloured(self) -> Details:
        """What is known once the colour is. Samples of more than 8 bits, or of a high range, come with 16."""
        info = self._info
        self._statement, self._icc = colour.of(self._decoder)
        high = self._statement is not None and not isinstance(self._statement.transfer, Curve)
        is_deep = info.bits > 8 or info.exponent_bits > 0 or high
        channels = (1 if info.colour_channels == 1 else 3) + (1 if info.alpha_bits else 0)
        self._format = libjxl.PixelFormat(channels, libjxl.UINT16 if is_deep else libjxl.UINT8)
        space = "gray" if info.colour_channels == 1 else "srgb"
        return Details(self._icc, space=space, depth=info.bits, plays=info.animation.loops)

    def _offer(self) -> None:
        size = ctypes.c_size_t()
        format = ctypes.byref(self._format)
        libjxl.library.JxlDecoderImageOutBufferSize(self._decoder, format, ctypes.byref(size))
        self._buffer = ctypes.create_string_buffer(size.value)
        libjxl.library.JxlDecoderSetImageOutBuffer(self._decoder, format, self._buffer, size)

    def _frame(self) -> Frame:
        size = (self._header.width, self._header.height)
        mode = ("L", "LA", "RGB", "RGBA")[self._format.channels - 1]
        if self._format.type == libjxl.UINT8:
            return Frame(Pillow.frombytes(mode, size, memoryview(self._buffer).cast("B")))
        most = 65_535
        transfer = self._statement.transfer if self._statement else SRGB
        codes = deep.rounded(most, transfer) if isinstance(transfer, Curve) else tone_mapping.shaper(transfer, most)
        tables = [deep.rounded(most) if band == "A" else codes for band in mode]
        return Frame(deep.eight_bits(memoryview(self._buffer), size, mode, tables))

    def _described(self, details: Details, frames: list[Frame]) -> Details:
        """The details with the colour: of deep samples the transfer function is sRGB's by now."""
        statement = self._statement
        if statement is None or self._format.type == libjxl.UINT8:
            return stated.described(details, statement, frames)
        if isinstance(statement.transfer, Curve):
            primaries = statement.primaries if frames[0].gray is False else BT709
            details.icc = stated.profile(Statement(primaries), gray=frames[0].gray)
        else:
            details.hdr = statement
        details.plain = stated.is_plain(statement)
        return details


_REASONS = {libjxl.NEED_MORE_INPUT: "the image is damaged: the file ends too soon"}
