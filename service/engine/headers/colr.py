"""What an AVIF or HEIC says of its colour, the `colr` boxes of its picture (ISO/IEC 14496-12, 12.1.5); its depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.engine.headers import av1, av1_items, hevc, isobmff
from service.engine.headers.heif_items import Box, Items
from service.engine.headers.source import Source
from service.engine.job import Undecodable


@dataclass(frozen=True, slots=True)
class Coded:
    """Code points of ITU-T H.273 as `nclx` gives them; 2 is unspecified. `full` tells the range of YCbCr."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full: bool = True


@dataclass(frozen=True, slots=True)
class Colour:
    """`coded` is None where no `nclx` is there, `depth` where the file does not say it; bits a sample."""

    coded: Coded | None = None
    profile: bool = False
    depth: int | None = None

    @property
    def as_jpeg(self) -> bool:
        """Whether YCbCr is that of JFIF: BT.601 in full range, which is also what nothing said means here."""
        return self.coded is None or (self.coded.matrix in (2, 5, 6) and self.coded.full)


def _is_androids_jpeg(primaries: int, transfer: int, matrix: int, full: bool) -> bool:
    """Whether HEVC says what it says in HEIC of Android's cameras: their name for the colour of a JPEG (data space
    `V0_JFIF`: BT.601 of 625 lines in full range). As in a JPEG the samples are sRGB's; Exif and its thumbnail in such a
    file say so. Four numbers name that transfer function, and two the matrix (ITU-T H.273, tables 3 and 4)."""
    return primaries == 5 and transfer in (1, 6, 14, 15) and matrix in (5, 6) and full


def colour(source: Source) -> Colour:
    """Return what is said of the primary item, or, where nothing is, of the first tile that it is made of."""
    try:
        inside, items = isobmff.items_of(source)
        said = [_said(inside, items, item) for item in _described(items)]
    except Undecodable:  # the decoder judges it
        return Colour()
    coded = next((each.coded for each in said if each.coded), None) or _in_stream(source, inside, items)
    depth = next((each.depth for each in said if each.depth), None)
    return Colour(coded, any(each.profile for each in said), depth)


def _in_stream(source: Source, meta: Source, items: Items) -> Coded | None:
    """What AV1 or HEVC says itself, which counts where there is no `nclx` (AV1 Image File Format, 2.2.1)."""
    for item in _described(items):
        kind = items.kinds.get(item)
        if kind == b"av01":
            data = av1_items.beginning_of(item, source, meta, items.boxes.get(b"iloc"), items.boxes.get(b"idat"))
            said = av1.colour(data)
        elif kind == b"hvc1":
            box = next((box for box in items.properties.get(item, []) if box.kind == b"hvcC"), None)
            said = hevc.colour(isobmff.parameter_sets(meta, box)) if box else None
            said = (1, 13, 5, True) if said and _is_androids_jpeg(*said) else said
        else:
            continue
        return Coded(*said) if said else None
    return None


def _described(items: Items) -> Iterator[int]:
    yield items.primary
    yield from (to[0] for item, to in items.references.get(b"dimg", []) if item == items.primary and to)


def _said(meta: Source, items: Items, item: int) -> Colour:
    coded, profile, depth = None, False, None
    for box in items.properties.get(item, []):
        if box.kind == b"colr":
            kind = meta.read(box.start, 4)
            coded = _nclx(meta, box) if kind == b"nclx" and coded is None else coded
            profile |= kind in (b"prof", b"rICC")
        if box.kind in _DEPTHS:
            depth = _DEPTHS[box.kind](meta, box) or depth
    return Colour(coded, profile, depth)


def _nclx(meta: Source, box: Box) -> Coded:
    primaries, transfer, matrix = (meta.number(box.start + at, 2) for at in (4, 6, 8))
    return Coded(primaries, transfer, matrix, meta.number(box.start + 10, 1) >> 7 == 1)


def _av1(meta: Source, box: Box) -> int:
    """`av1C` (AV1 in ISOBMFF, 2.3.3): high_bitdepth and twelve_bit."""
    bits = meta.number(box.start + 2, 1)
    return 8 + 2 * (bits >> 6 & 1) + 2 * (bits >> 5 & bits >> 6 & 1)


def _hevc(meta: Source, box: Box) -> int:
    """`hvcC` (ISO/IEC 14496-15, 8.3.3.1): bit_depth_luma_minus8."""
    return 8 + (meta.number(box.start + 17, 1) & 7)


_DEPTHS = {b"av1C": _av1, b"hvcC": _hevc}
