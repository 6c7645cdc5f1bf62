"""Which properties of an AV1 picture stay in a copy, and with which bytes (ISO/IEC 23008-12, 6.5; AV1 Image File
Format, 2.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from service.engine.headers.colr import Coded
from service.engine.headers.isobmff import ALPHA
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied, icc
from service.engine.stripping.heif_writing import Property

_SIZES = {
    **{b"ispe": 12, b"av1C": 4, b"irot": 1, b"imir": 1, b"pasp": 8, b"clli": 4, b"mdcv": 24},
    **{b"a1lx": 13, b"a1op": 1, b"lsel": 2, b"amve": 8},
}
"""Bytes of the properties that decoding or colour needs; of those that have no fixed length see `to_keep`."""

_LAST = {b"nclx": 0x80, b"irot": 3, b"imir": 1}
"""The bits that count of a property's last byte."""

_PROFILES = (b"prof", b"rICC")
BT709, SRGB = 1, 13
"""Primaries and transfer of sRGB by ITU-T H.273."""


def to_keep(kind: bytes, content: bytes, must: bool, keep_icc: bool) -> Property | None:
    """A property that stays, with no byte that it does not define. Raises NotCopied, Undecodable."""
    size = _SIZES.get(kind, 0)
    if kind == b"a1lx":
        size = 1 + (3 * 4 if content[:1] and content[0] & 1 else 3 * 2)
    if kind == b"pixi":
        size = 5 + content[4] if len(content) > 4 else 0
    if kind == b"clap":
        raise NotCopied("a copy would hold what is cut off")
    if kind == b"auxC":
        name = alpha_name(content)
        return (kind, name, must) if name else None
    if kind == b"colr":
        if content[:4] == b"nclx":
            size = 11
        elif content[:4] in _PROFILES:
            profile = icc.to_keep(content[4:]) if keep_icc else b""
            return (kind, b"prof" + profile, must) if profile else None
    if not size:
        if must:
            raise NotCopied("the picture has a property that is not known")
        return None
    if len(content) < size:
        raise Undecodable("The AVIF is damaged: a property ends too soon")
    last = content[size - 1] & _LAST.get(content[:4] if kind == b"colr" else kind, 0xFF)
    return kind, content[: size - 1] + bytes([last]), must


def alpha_name(content: bytes) -> bytes:
    """The content of `auxC` or `auxi` where it says that the picture is a transparency, else nothing."""
    name = next((name for name in ALPHA if content[4:].startswith(name)), b"")
    return b"\0\0\0\0" + name + b"\0" if name else b""


def in_place_of_profile(
    before: Iterable[tuple[bytes, bytes, bool]], kept: list[Property], coded: Coded | None
) -> list[Property]:
    """The properties, which state sRGB where its profile was left out: the primaries and transfer function that it
    outranked, those of `coded`, must not begin to count."""
    if coded is None or not _has_profile(before) or _has_profile(kept):
        return kept
    numbers = struct.pack(">4s3HB", b"nclx", BT709, SRGB, coded.matrix, coded.full << 7)
    others = [one for one in kept if (one[0], one[1][:4]) != (b"colr", b"nclx")]
    return [*others, (b"colr", numbers, False)]


def _has_profile(properties: Iterable[tuple[bytes, bytes, bool]]) -> bool:
    return any(kind == b"colr" and content[:4] in _PROFILES for kind, content, _ in properties)
