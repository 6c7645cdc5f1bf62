"""The first picture of a TIFF as a TIFF of its own: its pixels, and the tags that decoding and colour need.

Whatever lies between and behind its strips, other pages, nested directories, and all other tags stay behind. A
compressed strip holds its samples and nothing else: see `recode`, `recode_jpeg` and
`recode_webp`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

from service.engine.headers import tiff, webp
from service.engine.headers.source import Source
from service.engine.headers.tiff import Directory
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied, Pieces, icc
from service.engine.tiff import recode, recode_jpeg, recode_webp
from service.engine.tiff.layout import (
    FORMAT,
    JPEG,
    LAB,
    LZW,
    MIN_IS_BLACK,
    MIN_IS_WHITE,
    NONE,
    OLD_JPEG,
    PACKBITS,
    PALETTE,
    RGB,
    SEPARATED,
    SUBSAMPLING,
    WEBP,
    YCBCR,
    Layout,
    colours,
    layout,
    parts,
)
from service.engine.tiff.writing import Values, file

_COLOURS, _INK_SET, _TRANSFER, _WHITE, _PRIMARIES = 320, 332, 301, 318, 319
_COEFFICIENTS, _POSITIONING, _REFERENCE, _ICC, _PREDICTOR = 529, 531, 532, 34675, 317
_CMYK = 1
_CHANNELS = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3, LAB: 3}
_EXTRA: tuple[tuple[int, ...], ...] = ((), (tiff.ASSOCIATED_ALPHA,), (tiff.UNASSOCIATED_ALPHA,))
_WHOLE_LENGTH = 514  # JPEGInterchangeFormatLength, of old-style JPEG
_RATIONAL = 5
_FRACTIONS = {_WHITE: 2, _PRIMARIES: 6}
_YCBCR_FRACTIONS = {_COEFFICIENTS: 3, _REFERENCE: 6}
_DENOMINATOR = 1_000_000


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """See `service.engine.stripping`. The decoders judge what is damaged: NotCopied is raised for it."""
    try:
        page = tiff.picture(source, 0)
        found = layout(page)
        yield from _written(page, found, _profile(page) if keep_icc else b"")
    except Undecodable as error:
        raise NotCopied("the TIFF is damaged") from error


def is_plain(source: Source) -> bool:
    """Whether the first picture loses nothing by being encoded anew, which may be smaller than its copy: 8 bits or
    fewer, without a compression or with one that the copy has in another form."""
    try:
        page = tiff.picture(source, 0)
        found = layout(page)
    except (NotCopied, Undecodable):
        return False
    return (
        found.compression in (NONE, LZW, PACKBITS)
        and found.bits <= 8
        and found.photometric in (MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE)
        and set(page.numbers(FORMAT)) <= {1}
        and page.numbers(tiff.EXTRA_SAMPLES) in ((), (tiff.UNASSOCIATED_ALPHA,))
    )


def is_common(source: Source) -> bool:
    """Whether the first picture has unsigned samples of 8 bits, or one bit, in one of the usual colour spaces."""
    try:
        page = tiff.picture(source, 0)
        found = layout(page)
    except (NotCopied, Undecodable):
        return False
    return found.bits in (1, 8) and found.photometric != LAB and set(page.numbers(FORMAT)) <= {1}


def is_stated(source: Source) -> bool:
    """Whether the file says what the samples of the first picture show: unsigned ones of 16 bits or fewer, and inks
    with a profile. Programs differ in what is white of floating samples, and in which inks there are without one."""
    try:
        page = tiff.picture(source, 0)
        found = layout(page)
    except (NotCopied, Undecodable):
        return False
    profiled = found.photometric != SEPARATED or bool(page.entry(_ICC))
    return found.bits <= 16 and set(page.numbers(FORMAT)) <= {1} and profiled


def coded(source: Source) -> tuple[int, bool]:
    """The bytes of the first picture's strips or tiles, and whether they are coded with loss. Raises Undecodable."""
    page = tiff.picture(source, 0)
    lengths = (page.numbers(counts, tiff.MAX_STRIPS) for _, counts in (tiff.STRIPS, tiff.TILES))
    compression = page.number(tiff.COMPRESSION)
    stated = page.number(_WHOLE_LENGTH) if compression == OLD_JPEG else 0
    lossy = compression in (OLD_JPEG, JPEG) or (compression == WEBP and not _is_lossless_webp(page))
    return sum(map(sum, lengths)) or stated, lossy


def _is_lossless_webp(page: Directory) -> bool:
    """Whether the first strip or tile is a WebP without loss."""
    offset, count = next(tags for tags in (tiff.STRIPS, tiff.TILES) if page.entry(tags[0]))
    inside = page.source.part(page.number(offset), page.number(count))
    return any(chunk.kind == b"VP8L" for chunk in webp.chunks(inside))


def _written(page: Directory, found: Layout, profile: bytes) -> Pieces:
    own = parts(page, found)
    tags: dict[int, Values] = dict(_tags(page, found))
    if found.compression == JPEG:
        made = recode_jpeg.coded(page, found, own)
        compression, contents = JPEG, made.contents
        if made.tables:
            tags[recode_jpeg.TABLES] = made.tables
        if found.photometric == YCBCR:
            tags[SUBSAMPLING] = made.subsampling
    elif found.compression == WEBP:
        compression, contents = WEBP, recode_webp.coded(page.source, found, own)
    else:
        compression, contents, used = recode.coded(page, found, own)
        if found.photometric == PALETTE:
            tags[_COLOURS] = _palette(page, found, used)
    tags[tiff.COMPRESSION] = [compression]
    if profile:
        tags[_ICC] = profile
    yield from file(tags, tiff.TILES if found.tiled else tiff.STRIPS, contents, little=page.little)


def _tags(page: Directory, found: Layout) -> Iterator[tuple[int, Values]]:
    """All but those that say where the pixels are, and how they are compressed."""
    yield tiff.WIDTH, [found.size[0]]
    yield tiff.HEIGHT, [found.size[1]]
    yield tiff.BITS, [found.bits] * found.samples
    yield tiff.PHOTOMETRIC, [found.photometric]
    if (turned := tiff.orientation(page) or 1) != 1:
        yield tiff.ORIENTATION, [turned]
    if found.samples != 1:
        yield tiff.SAMPLES, [found.samples]
    if found.tiled:
        yield tiff.TILE_WIDTH, [found.part[0]]
        yield tiff.TILE_HEIGHT, [found.part[1]]
    else:
        yield tiff.ROWS, [found.part[1]]
    if found.apart:
        yield tiff.PLANAR, [2]
    if found.predictor != 1:
        yield _PREDICTOR, [found.predictor]
    yield from _meaning(page, found)
    yield from _colour(page, found)


def _meaning(page: Directory, found: Layout) -> Iterator[tuple[int, Values]]:
    """What samples are: their format, and what extra ones mean."""
    formats = page.numbers(FORMAT)
    if set(formats) - {1}:
        if formats != (formats[0],) * found.samples:
            raise NotCopied("the TIFF has samples of several formats")
        yield FORMAT, formats
    extra = page.numbers(tiff.EXTRA_SAMPLES)
    if extra not in _EXTRA or found.samples != _CHANNELS[found.photometric] + len(extra):
        raise NotCopied("the TIFF has samples that are not shown")
    if extra:
        yield tiff.EXTRA_SAMPLES, extra
    if found.photometric == SEPARATED and page.number(_INK_SET) not in (0, _CMYK):
        raise NotCopied("the TIFF has inks other than CMYK")


def _colour(page: Directory, found: Layout) -> Iterator[tuple[int, Values]]:
    """What the directory states of colours by numbers."""
    wanted = {**_FRACTIONS, **(_YCBCR_FRACTIONS if found.photometric == YCBCR else {})}
    for tag, count in wanted.items():
        if fractions := _fractions(page, tag, count):
            yield tag, fractions
    if found.photometric == YCBCR:
        if found.compression != JPEG:
            yield SUBSAMPLING, found.subsampling
        if page.number(_POSITIONING) == 2:
            yield _POSITIONING, [2]
    curve = page.numbers(_TRANSFER, 3 << 8)
    if found.bits <= 8 and len(curve) in (1 << found.bits, 3 << found.bits) and _rises(curve, 1 << found.bits):
        yield _TRANSFER, curve


def _rises(curve: tuple[int, ...], length: int) -> bool:
    """Whether each table of a transfer function only rises, up to 65535: any other would be no curve."""
    tables = [curve[at : at + length] for at in range(0, len(curve), length)]
    return all(list(table) == sorted(table) and table[-1] == 0xFFFF for table in tables)


def _fractions(page: Directory, tag: int, count: int) -> list[tuple[int, int]]:
    """The values of a tag of type RATIONAL in lowest terms, with six digits; none where it is absent or malformed."""
    entry = page.entry(tag)
    if not entry or page.count(tag) != count:
        return []
    little, word = page.little, 8 if page.big else 4
    order = "little" if little else "big"
    if int.from_bytes(entry[2:4], order) != _RATIONAL:  # type: ignore[arg-type]
        return []
    place = int.from_bytes(entry[4 + word : 4 + 2 * word], order)  # type: ignore[arg-type]
    content = page.source.read(place, 8 * count) if 8 * count > word else entry[4 + word :]
    numbers = struct.unpack(f"{'<' if little else '>'}{2 * count}I", content[: 8 * count])
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not all(below for _, below in pairs):
        return []
    values = [Fraction(*pair).limit_denominator(_DENOMINATOR) for pair in pairs]
    return [(value.numerator, value.denominator) for value in values]


def _palette(page: Directory, found: Layout, used: set[int]) -> list[int]:
    values = page.numbers(_COLOURS, 3 << 8)
    if len(values) != 3 << found.bits:
        raise NotCopied("the TIFF has a palette of another length than its samples need")
    return colours(values, used)


def _profile(page: Directory) -> bytes:
    content = page.content(_ICC, icc.MAX_PROFILE)
    return icc.to_keep(content) if content else b""
