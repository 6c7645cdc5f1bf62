"""AVIF with its coded picture and what says its colour, in boxes of our own: no Exif, XMP, C2PA, names, gaps or tracks.

Coded data are copied but for units that decoding does not need. A sequence is not copied, unless decoders show its
still picture.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence

from PIL import Image as Pillow

from service.engine.headers import colr, movie
from service.engine.headers.colr import Coded
from service.engine.headers.isobmff import ALPHA
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied, Pieces, av1_data, icc
from service.engine.stripping.boxes import Item, read
from service.engine.stripping.heif_writing import Property, box, meta
from service.engine.stripping.tails import settled, shortened, zeroed

FILE_TYPE = b"avif\0\0\0\0avifmif1miaf"
_SIZES = {
    **{b"ispe": 12, b"av1C": 4, b"irot": 1, b"imir": 1, b"pasp": 8, b"clli": 4, b"mdcv": 24},
    **{b"a1lx": 13, b"a1op": 1, b"lsel": 2, b"amve": 8},
}
"""Bytes of the properties that decoding or colour needs; of those that have no fixed length see `_property`."""

_LAST = {b"nclx": 0x80, b"irot": 3, b"imir": 1}
"""The bits that count of a property's last byte."""

_SHOWN = (b"irot", b"imir")
BT709, SRGB = 1, 13
"""Primaries and transfer of sRGB by ITU-T H.273."""


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """Raises NotCopied where the picture is made in a way that is not known here, or has properties that are not."""
    if movie.movie(source):
        raise NotCopied("a copy would hold the still picture alone")
    primary, items = read(source)
    coded = colr.colour(source).coded
    held: list[tuple[Item, list[Property], bytes]] = []
    for item in items:
        properties = [one for each in item.properties if (one := _property(*each, keep_icc))]
        if coded and _has_profile(item.properties) and not _has_profile(properties):
            properties = _stated_as_srgb(properties, coded)
        data = b"".join(source.read(start, length) for start, length in item.places)
        held.append((item, properties, _grid(data) if item.kind == b"grid" else _picture(data, properties)))
    numbers = {item.number: number for number, item in enumerate(items, 1)}
    yield box(b"ftyp", FILE_TYPE)
    size = len(meta(held, numbers, primary, [0] * len(held)))
    places, at = [], len(FILE_TYPE) + 8 + size + 8
    for _, _, data in held:
        places.append(at)
        at += len(data)
    yield meta(held, numbers, primary, places)
    yield box(b"mdat", b"".join(data for _, _, data in held))


def _has_profile(properties: Iterable[Property]) -> bool:
    return any(kind == b"colr" and content[:4] in (b"prof", b"rICC") for kind, content, _ in properties)


def _stated_as_srgb(properties: Iterable[Property], coded: Coded) -> list[Property]:
    """Where sRGB's profile is left out, the primaries and transfer that it outranked must not begin to count."""
    numbers = struct.pack(">4s3HB", b"nclx", BT709, SRGB, coded.matrix, coded.full << 7)
    others = [one for one in properties if (one[0], one[1][:4]) != (b"colr", b"nclx")]
    return [*others, (b"colr", numbers, False)]


def _property(kind: bytes, content: bytes, must: bool, keep_icc: bool) -> Property | None:
    """A property that stays, with no byte that it does not define."""
    size = _SIZES.get(kind, 0)
    if kind == b"a1lx":
        size = 1 + (3 * 4 if content[:1] and content[0] & 1 else 3 * 2)
    if kind == b"pixi":
        size = 5 + content[4] if len(content) > 4 else 0
    if kind == b"clap":
        raise NotCopied("a copy would hold what is cut off")
    if kind == b"auxC":
        name = next((name for name in ALPHA if content[4:].startswith(name)), b"")
        return (kind, b"\0\0\0\0" + name + b"\0", must) if name else None
    if kind == b"colr":
        if content[:4] == b"nclx":
            size = 11
        elif content[:4] in (b"prof", b"rICC"):
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


def _grid(data: bytes) -> bytes:
    """Rows, columns and size (ISO/IEC 23008-12, 6.6.2.3)."""
    size = 12 if len(data) > 1 and data[1] & 1 else 8
    if len(data) < size:
        raise Undecodable("The AVIF is damaged: it does not say what its tiles are")
    return bytes([0, data[1] & 1]) + data[2:size]


def _picture(data: bytes, properties: Sequence[Property]) -> bytes:
    """The coded data of one picture, without a tail that no pixel depends on."""
    shown = [one for one in properties if one[0] not in (*_SHOWN, b"auxC") and one[1][:4] != b"prof"]

    def decode(one: bytes) -> bytes:
        return _pixels(_alone(one, shown))

    def once(one: bytes) -> bytes:
        zero, free = zeroed(one, 0, len(one), decode)
        return av1_data.minimal(shortened(zero, free, av1_data.shortened, decode))  # zeros may be no unit any more

    return settled(av1_data.minimal(data), once)


def _alone(data: bytes, properties: Sequence[Property]) -> bytes:
    """A file of one picture."""
    item = Item(1, b"av01")
    start = len(FILE_TYPE) + 8 + len(meta([(item, properties, data)], {1: 1}, item, [0])) + 8
    return box(b"ftyp", FILE_TYPE) + meta([(item, properties, data)], {1: 1}, item, [start]) + box(b"mdat", data)


def _pixels(data: bytes) -> bytes:
    try:
        with Pillow.open(io.BytesIO(data), formats=("AVIF",)) as image:
            return image.tobytes()
    except (OSError, RuntimeError, SyntaxError, ValueError):
        return b""
