"""Recognise the kinds of TIFF, GIF and PNG that ImageMagick reads in `auto`, because Pillow reads them wrong.

Each is recognised by the file's structure, before it is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.engine.headers import gif, png, tiff
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Job, Undecodable

BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, PLANAR, FORMAT = 258, 259, 262, 266, 277, 284, 339
IPTC, PHOTOSHOP = 33723, 34377
YCBCR, JPEG = 6, 7
COMPRESSIONS = (1, 2, 3, 4, 5, JPEG, 8, 32773, 32946)
"""None, CCITT's three, LZW, JPEG, Deflate, PackBits, and Deflate's older number."""

_LAYOUTS = {(0, 1, ()), (1, 1, ()), (2, 3, ()), (3, 1, ()), (YCBCR, 3, ()), (2, 4, (tiff.UNASSOCIATED_ALPHA,))}
"""Photometric interpretation, samples a pixel and what the extra ones mean, where Pillow reads them right."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`what` Pillow does not read well, and `why`. `matches` looks at a file, and at one of its pages."""

    format: str
    what: str
    why: str
    matches: Callable[[Source, int], bool]


def found(job: Job) -> Kind | None:
    """Return the first of the kinds that the original is of. What has no structure left counts as none."""
    page = int(job.recipe.get("frame", 0))
    with OpenedFile(Path(job.source)) as source:
        try:
            return next(
                (kind for kind in KINDS if kind.format == job.header.format and kind.matches(source, page)), None
            )
        except Undecodable:
            return None


def _page(source: Source, page: int) -> tiff.Directory:
    return tiff.picture(source, page)


def _tiff_samples(source: Source, page: int) -> bool:
    directory = _page(source, page)
    bits, formats = directory.numbers(BITS) or (1,), directory.numbers(FORMAT) or (1,)
    bilevel = set(bits) == {1} and (directory.number(SAMPLES) or 1) == 1 and directory.number(PHOTOMETRIC) in (0, 1)
    return not (bilevel or set(bits) == {8}) or set(formats) != {1}


def _tiff_layout(source: Source, page: int) -> bool:
    directory = _page(source, page)
    photometric, samples = directory.number(PHOTOMETRIC), directory.number(SAMPLES) or 1
    extra = tuple(directory.numbers(tiff.EXTRA_SAMPLES))
    if photometric == YCBCR and directory.number(COMPRESSION) != JPEG:
        return True
    return (photometric, samples, extra) not in _LAYOUTS or (directory.number(PLANAR) or 1) != 1


def _tiff_coding(source: Source, page: int) -> bool:
    directory = _page(source, page)
    return (directory.number(COMPRESSION) or 1) not in COMPRESSIONS or (directory.number(FILL_ORDER) or 1) != 1


def _tiff_turned(source: Source, page: int) -> bool:
    return (tiff.orientation(_page(source, page)) or 1) != 1


def _tiff_blocks(source: Source, page: int) -> bool:
    return not {IPTC, PHOTOSHOP}.isdisjoint(_page(source, page).tags)


def _gif_colourless(source: Source, page: int) -> bool:
    if gif.colour_table(source.number(gif.SCREEN - 3, 1)):
        return False
    return any(not gif.colour_table(source.number(block.start + 9, 1)) for block in _images(source))


def _images(source: Source) -> Iterator[gif.Block]:
    return (block for block in gif.blocks(source) if block.kind == gif.IMAGE)


def _png_deep(source: Source, page: int) -> bool:
    return source.number(len(png.SIGNATURE) + 16, 1) == 16


KINDS = (
    Kind("png", "PNG of 16 bits a sample", "Pillow drops half of them", _png_deep),
    Kind(
        "tif",
        "TIFF of other than 8 bits a sample, or 1 in black and white; of signed or floating samples",
        "Pillow drops bits, or does not read it",
        _tiff_samples,
    ),
    Kind(
        "tif",
        "TIFF in CMYK, Lab or YCbCr, with planes or extra samples other than straight alpha",
        "Pillow takes them for something else",
        _tiff_layout,
    ),
    Kind("tif", "TIFF of rarer compressions, or with reversed bits", "not every Pillow reads it", _tiff_coding),
    Kind("tif", "TIFF that is stored turned", "Pillow turns it by itself", _tiff_turned),
    Kind("tif", "TIFF with IPTC or blocks of Photoshop", "Pillow does not hand them over as blocks", _tiff_blocks),
    Kind("gif", "GIF without a colour table", "Pillow takes the indices for gray", _gif_colourless),
)
"""In the order in which they are looked for; docs/engine.md lists them."""
