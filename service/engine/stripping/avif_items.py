"""The still picture of an AVIF: the items that it is made of, with the properties and the coded data that a copy has.

Coded data are copied but for units that decoding does not need.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence

from PIL import Image as Pillow

from service.engine.headers import colr
from service.engine.headers.source import Source, Work
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied, av1_data
from service.engine.stripping.avif_properties import in_place_of_profile, to_keep
from service.engine.stripping.boxes import Item, read
from service.engine.stripping.heif_writing import Held, Property, box, meta
from service.engine.stripping.tails import settled, shortened, zeroed

FILE_TYPE = b"avif\0\0\0\0avifmif1miaf"
_SHOWN = (b"irot", b"imir")


def held(source: Source, keep_icc: bool, shared: Collection[bytes] = ()) -> tuple[Item, list[Held]]:
    """The primary item, and all that are needed to show it, that one first. Data that are among `shared`, which other
    parts of the file need as they are, keep their tail.

    Raises NotCopied where the picture is made in a way that is not known here, or has properties that are not.
    """
    primary, items = read(source)
    if sum(length for item in items for _, length in item.places) > Work.TIMES * source.size + Work.LEAST:
        raise NotCopied("the picture lies in many pieces that are the same")
    coded = colr.colour(source).coded
    made: list[Held] = []
    for item in items:
        kept = [one for each in item.properties if (one := to_keep(*each, keep_icc))]
        properties = in_place_of_profile(item.properties, kept, coded)
        data = b"".join(source.read(start, length) for start, length in item.places)
        made.append((item, properties, _grid(data) if item.kind == b"grid" else _picture(data, properties, shared)))
    return primary, made


def _grid(data: bytes) -> bytes:
    """Rows, columns and size (ISO/IEC 23008-12, 6.6.2.3)."""
    size = 12 if len(data) > 1 and data[1] & 1 else 8
    if len(data) < size:
        raise Undecodable("The AVIF is damaged: it does not say what its tiles are")
    return bytes([0, data[1] & 1]) + data[2:size]


def _picture(data: bytes, properties: Sequence[Property], shared: Collection[bytes]) -> bytes:
    """The coded data of one picture, without a tail that no pixel depends on."""
    shown = [one for one in properties if one[0] not in (*_SHOWN, b"auxC") and one[1][:4] != b"prof"]

    def decode(one: bytes) -> bytes:
        return _pixels(_alone(one, shown))

    def once(one: bytes) -> bytes:
        zero, free = zeroed(one, 0, len(one), decode)
        return av1_data.minimal(shortened(zero, free, av1_data.shortened, decode))  # zeros may be no unit any more

    least = av1_data.minimal(data)
    return least if least in shared else settled(least, once)


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
