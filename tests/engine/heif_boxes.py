"""HEIC files put together here box by box (ISO/IEC 14496-12, 23008-12), around a picture that libheif encoded."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import pillow_heif

from tests.images import Pixels

CLAP, IROT, IMIR = b"clap", b"irot", b"imir"
GAIN_MAP, DEPTH = b"urn:com:apple:photo:2020:aux:hdrgainmap", b"urn:mpeg:hevc:2015:auxid:2"


def encoded(pixels: Pixels, **options: Any) -> bytes:
    """A whole HEIC by libheif, nearly without loss."""
    mode = {3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    buffer = io.BytesIO()
    made = pillow_heif.from_bytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    made.save(buffer, **{"quality": 95, "chroma": 444, **options})
    return buffer.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def clean_aperture(width: int, height: int, right: int, down: int) -> bytes:
    """`clap`: the size that is shown, and by how many pixels its middle lies beside that of the whole (12.1.4)."""
    return box(CLAP, struct.pack(">8i", width, 1, height, 1, right, 1, down, 1))


def turned(quarters: int) -> bytes:
    """`irot`: so many quarters of a turn, anticlockwise (23008-12, 6.5.10)."""
    return box(IROT, bytes((quarters,)))


def mirrored(mode: int) -> bytes:
    """`imir`: exchanges top and bottom (0), or left and right (1), (edition of 2022, 6.5.12)."""
    return box(IMIR, bytes((mode,)))


def with_properties(whole: bytes, extra: Sequence[bytes], auxiliary: bytes = b"") -> bytes:
    """The picture of `whole` with these properties besides, and the same again as an auxiliary image of this type."""
    config, size = _property(whole, b"hvcC"), _property(whole, b"ispe")
    data = whole[whole.index(b"mdat") + 4 :]
    properties = [size, config, *extra]
    if auxiliary:
        properties.append(box(b"auxC", bytes(4) + auxiliary + b"\0"))
    of_first = bytes((index + 1) for index in range(2 + len(extra)))
    items = [(1, of_first)]
    if auxiliary:
        items.append((2, bytes((1, 2, len(properties)))))
    references = box(b"iref", bytes(4) + box(b"auxl", struct.pack(">HHH", 2, 1, 1))) if auxiliary else b""
    container = box(b"ipco", b"".join(properties))
    places = struct.pack(">II", 0, len(items))
    places += b"".join(struct.pack(">HB", item, len(those)) + those for item, those in items)

    def meta(at: int) -> bytes:
        extents = b"".join(struct.pack(">HHHII", item, 0, 1, at, len(data)) for item, _ in items)
        infos = b"".join(box(b"infe", struct.pack(">IHH", 2 << 24, item, 0) + b"hvc1\0") for item, _ in items)
        parts = (
            box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
            box(b"pitm", bytes(4) + struct.pack(">H", 1)),
            box(b"iloc", struct.pack(">IHH", 0, 0x4400, len(items)) + extents),
            box(b"iinf", bytes(4) + struct.pack(">H", len(items)) + infos),
            references,
            box(b"iprp", container + box(b"ipma", places)),
        )
        return box(b"meta", bytes(4) + b"".join(parts))

    begin = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return begin + meta(len(begin + meta(0)) + 8) + box(b"mdat", data)


def coded_data(whole: bytes) -> bytes:
    """The data of the one picture of a file by libheif."""
    at = whole.index(b"mdat")
    return whole[at + 4 : at - 4 + int.from_bytes(whole[at - 4 : at])]


def decoder_configuration(whole: bytes) -> bytes:
    """The box `hvcC`."""
    return _property(whole, b"hvcC")


def _property(whole: bytes, kind: bytes) -> bytes:
    at = whole.index(kind) - 4
    return whole[at : at + int.from_bytes(whole[at : at + 4])]
