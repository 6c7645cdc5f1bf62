"""Pictures of 10 and 12 bits a sample in Pillow's 8: the transfer function becomes sRGB's while all bits are there."""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine import deep, stated, tone_mapping
from service.engine.colorimetry import BT709, SRGB, Curve, Statement
from service.engine.geometry import Size
from service.engine.picture import Details


def narrowed(
    data: bytes | memoryview, size: Size, mode: str, details: Details, statement: Statement | None
) -> Pillow.Image:
    """Return the picture of `deep.eight_bits`' data; `details` says of how many bits, and gets what became of the
    statement. A profile is applied afterwards, so with one there is no statement."""
    most = (1 << details.depth) - 1
    transfer = statement.transfer if statement else SRGB
    if isinstance(transfer, Curve):
        codes = deep.rounded(most, transfer)
        primaries = statement.primaries if statement else BT709
        details.icc = details.icc or stated.profile(Statement(primaries), gray=mode[0] == "L")
    else:
        codes = tone_mapping.shaper(transfer, most)
        details.hdr = statement
    details.plain = statement is None or stated.is_plain(statement)
    tables = [deep.rounded(most) if band in "Aa" else codes for band in mode]
    return deep.eight_bits(data, size, mode, tables)
