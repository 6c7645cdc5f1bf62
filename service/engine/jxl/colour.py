"""Colour by numbers in JPEG XL: what libjxl tells of the pixels that it hands over, and what it is told to write."""

from __future__ import annotations

import ctypes

from service.engine.built_profile import display_p3
from service.engine.colorimetry import BT709, BT2020, P3, PRIMARIES, TRANSFERS, Curve, Primaries, Statement
from service.engine.jxl import libjxl

_GRAY, _RGB = 1, 0
_D65, _SRGB_PRIMARIES, _P3, _SRGB_TRANSFER = 1, 1, 11, 13
_GAMMA = 65_535
_KNOWN = {(1, _D65): BT709, (9, _D65): BT2020, (11, _D65): P3, (11, 11): PRIMARIES[11]}
"""By JxlPrimaries and JxlWhitePoint, whose numbers are those of H.273 where it has them."""


def of(decoder: ctypes.c_void_p) -> tuple[Statement | None, bytes | None]:
    """What the pixels are in: a statement by numbers, or else an ICC profile."""
    said, library = libjxl.Colour(), libjxl.library
    if library.JxlDecoderGetColorAsEncodedProfile(decoder, libjxl.DATA, ctypes.byref(said)) == libjxl.SUCCESS:
        return _statement(said), None
    size = ctypes.c_size_t()
    failed = library.JxlDecoderGetICCProfileSize(decoder, libjxl.DATA, ctypes.byref(size))
    if failed or not size.value:
        return None, None
    profile = ctypes.create_string_buffer(size.value)
    failed = library.JxlDecoderGetColorAsICCProfile(decoder, libjxl.DATA, profile, size)
    return None, None if failed else profile.raw


def put(encoder: ctypes.c_void_p, icc: bytes | None, *, gray: bool) -> bool:
    """Tell the encoder what the pixels are in: sRGB or its gray, Display P3, or another profile. Return whether it
    takes that."""
    if icc and icc != display_p3():
        return bool(libjxl.library.JxlEncoderSetICCProfile(encoder, icc, len(icc)) == libjxl.SUCCESS)
    said = libjxl.Colour()
    said.space, said.white = _GRAY if gray else _RGB, _D65
    said.primaries, said.transfer = _P3 if icc else _SRGB_PRIMARIES, _SRGB_TRANSFER
    said.intent = 1  # relative colorimetric
    return bool(libjxl.library.JxlEncoderSetColorEncoding(encoder, ctypes.byref(said)) == libjxl.SUCCESS)


def _statement(said: libjxl.Colour) -> Statement | None:
    """The numbers of transfer functions are those of H.273, which are checked against its table."""
    transfer = Curve(1 / said.gamma) if said.transfer == _GAMMA and said.gamma > 0 else TRANSFERS.get(said.transfer)
    if transfer is None:
        return None
    if said.space == _GRAY:
        return Statement(transfer=transfer)
    if known := _KNOWN.get((said.primaries, said.white)):  # whose coordinates come rounded
        return Statement(known, transfer)
    points = (said.red_xy, said.green_xy, said.blue_xy, said.white_xy)
    red, green, blue, white = ((x, y) for x, y in points)
    return Statement(Primaries(red, green, blue, white), transfer)
