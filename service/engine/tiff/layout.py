"""Where the pixels of a TIFF's strips and tiles lie, and what else has room beside them.

Rows end with a whole byte, tiles reach beyond the image, and so do the data units of YCbCr (TIFF 6.0, sections 8, 15
and 21). What no pixel depends on becomes zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.engine.geometry import Size
from service.engine.headers import tiff
from service.engine.headers.tiff import Directory
from service.engine.stripping import NotCopied

FORMAT, SUBSAMPLING = 339, 530
NONE, LZW, OLD_JPEG, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS, WEBP = 1, 5, 6, 7, 8, 32946, 32773, 50001
FAX = (2, 3, 4)
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, SEPARATED, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
PHOTOMETRICS = (MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, SEPARATED, YCBCR, LAB)
APART = 2
LARGEST_PART = 128 << 20
"""Bytes of the samples of a strip or tile; several copies of it are in memory."""

_PREDICTOR = 317
_MOST_SAMPLES = 16
_FORMATS = (1, 2, 3, 4)
_PREDICTED = (8, 16, 32, 64)
_FLOATING = 3
_TIMES = 2
"""By which all strips together may be longer than the file: some files have one for several places."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the samples of a page are stored; `subsampling` is that of YCbCr outside of JPEG."""

    size: Size
    bits: int
    samples: int
    compression: int
    photometric: int
    predictor: int
    apart: bool
    tiled: bool
    part: Size
    subsampling: Size

    @property
    def together(self) -> int:
        """The samples of a pixel that lie in one strip or tile."""
        return 1 if self.apart else self.samples


Place = tuple[int, int, Size, Size]
"""What two parts have in common that are the same bytes with the same pixels."""


@dataclass(frozen=True, slots=True)
class Part:
    """A strip or tile: where it is in the file, its pixels, and those of the image among them."""

    number: int
    offset: int
    count: int
    size: Size
    used: Size

    @property
    def place(self) -> Place:
        return self.offset, self.count, self.size, self.used

    @property
    def is_padded(self) -> bool:
        return self.size != self.used


def layout(page: Directory) -> Layout:
    """Raises NotCopied for a kind that is not known here."""
    width, height = page.number(tiff.WIDTH), page.number(tiff.HEIGHT)
    samples = page.number(tiff.SAMPLES) or 1
    bits = page.numbers(tiff.BITS) or (1,) * samples
    tiled = bool(page.count(tiff.TILES[0]))
    part = (
        (page.number(tiff.TILE_WIDTH), page.number(tiff.TILE_HEIGHT))
        if tiled
        else (width, min(page.number(tiff.ROWS) or height, height))
    )
    photometric, compression = page.number(tiff.PHOTOMETRIC), page.number(tiff.COMPRESSION) or NONE
    across, down = (page.numbers(SUBSAMPLING, 2) or (2, 2)) if photometric == YCBCR and compression != JPEG else (1, 1)
    predictor = (page.number(_PREDICTOR) or 1) if compression in (LZW, DEFLATE, OLD_DEFLATE) else 1
    found = Layout(
        *((width, height), bits[0], samples, compression, photometric),
        *(predictor, page.number(tiff.PLANAR) == APART, tiled, part, (across, down)),
    )
    if (
        not page.entry(tiff.PHOTOMETRIC)
        or photometric not in PHOTOMETRICS
        or samples > _MOST_SAMPLES
        or bits != (found.bits,) * samples
        or not set(page.numbers(FORMAT)) <= set(_FORMATS)
        or not all((*found.size, *part, found.bits))
    ):
        raise NotCopied("the TIFF has samples of a kind that is not known")
    _check(found, page)
    return found


def _check(found: Layout, page: Directory) -> None:
    predicted = found.predictor == 2 and found.bits in _PREDICTED
    floating = found.predictor == 3 and page.number(FORMAT) == _FLOATING and found.bits in _PREDICTED
    aligned = not found.tiled or found.size[0] % found.part[0] == 0
    if found.predictor != 1 and not (predicted or (floating and aligned)):
        raise NotCopied("the TIFF has a predictor that is not known")
    if found.photometric == PALETTE and (found.samples != 1 or found.bits > 8 or found.predictor != 1):
        raise NotCopied("the TIFF has a palette of a kind that is not known")
    if found.photometric == YCBCR and (found.samples != 3 or found.bits != 8 or found.apart or found.predictor != 1):
        raise NotCopied("the TIFF has YCbCr of a kind that is not known")
    if not {*found.subsampling} <= {1, 2, 4}:
        raise NotCopied("the TIFF has a subsampling that is in no standard")


def parts(page: Directory, found: Layout) -> list[Part]:
    """The strips or tiles in their order. Raises NotCopied where they are not as many as the image needs."""
    places, lengths = tiff.TILES if found.tiled else tiff.STRIPS
    offsets, counts = page.numbers(places, tiff.MAX_STRIPS), page.numbers(lengths, tiff.MAX_STRIPS)
    columns, lines = (-(-side // step) for side, step in zip(found.size, found.part, strict=True))
    planes = found.samples if found.apart else 1
    if not len(offsets) == len(counts) == columns * lines * planes:
        raise NotCopied("the TIFF has another number of strips than its size needs")
    made = []
    for number, (offset, count) in enumerate(zip(offsets, counts, strict=True)):
        left, top = number % columns * found.part[0], number // columns % lines * found.part[1]
        used = min(found.part[0], found.size[0] - left), min(found.part[1], found.size[1] - top)
        made.append(Part(number, offset, count, found.part if found.tiled else used, used))
    if sum(count for _, count in {(part.offset, part.count) for part in made}) > _TIMES * page.source.size:
        raise NotCopied("the strips of the TIFF overlap")
    return made


def length(found: Layout, part: Part) -> int:
    """The bytes of the samples of a part. Raises NotCopied for one that is too large."""
    width, height = part.size
    if found.subsampling != (1, 1):
        across, down = found.subsampling
        needed = -(-width // across) * -(-height // down) * (across * down + 2)
    else:
        needed = -(-width * found.bits * found.together // 8) * height
    if needed > LARGEST_PART:
        raise NotCopied("the TIFF has a strip that is too large")
    return needed


def is_full(found: Layout, part: Part) -> bool:
    """Whether every bit of a part belongs to a sample of the image."""
    if found.subsampling != (1, 1):
        return not part.is_padded and all(a % b == 0 for a, b in zip(part.size, found.subsampling, strict=True))
    return not part.is_padded and part.size[0] * found.bits * found.together % 8 == 0


def cleaned(data: bytes, found: Layout, part: Part) -> bytes:
    """The samples of a part, as long as `length` says, with zeros wherever they are not the image's.

    They may also repeat the last pixel of a row, and the last row, which compresses better.
    """
    if is_full(found, part):
        return data
    if found.subsampling != (1, 1):
        return _cleaned_units(data, found.subsampling, part)
    pixel = found.bits * found.together
    row, (whole, rest) = -(-part.size[0] * pixel // 8), divmod(part.used[0] * pixel, 8)
    if pixel % 8 == 0 and data == _repeated(data, row, whole, pixel // 8 if found.predictor == 1 else 0, part.used[1]):
        return data
    mask = 0xFF00 >> rest & 0xFF
    behind = bytes(row - whole - (1 if rest else 0))
    rows = (
        data[at : at + whole] + (bytes((data[at + whole] & mask,)) if rest else b"") + behind
        for at in range(0, row * part.used[1], row)
    )
    return b"".join(rows).ljust(len(data), b"\0")


def _repeated(data: bytes, row: int, whole: int, pixel: int, used: int) -> bytes:
    """With the last of the `whole` bytes of each row repeated, and the last of `used` rows; `pixel` is 0 for
    differences, of which all are 0 then."""
    rows = [
        data[at : at + whole] + (data[at + whole - pixel : at + whole] * (row // pixel) if pixel else bytes(row))
        for at in range(0, row * used, row)
    ]
    kept = [line[:row] for line in rows]
    return b"".join(kept + kept[-1:] * (len(data) // row - used))


def _cleaned_units(data: bytes, subsampling: Size, part: Part) -> bytes:
    """The same of data units: the luma of a block of pixels, then one Cb and one Cr."""
    (across, down), (width, height) = subsampling, part.used
    unit, made = across * down + 2, bytearray(data)
    row, used = -(-part.size[0] // across) * unit, -(-width // across) * unit
    for number, at in enumerate(range(0, len(data), row)):
        if number * down >= height:
            made[at : at + row] = bytes(row)
            continue
        made[at + used : at + row] = bytes(row - used)
        for place in range(across * down):
            if number * down + place // across >= height:
                made[at + place : at + used : unit] = bytes(used // unit)
            elif (used // unit - 1) * across + place % across >= width:
                made[at + used - unit + place] = 0
    return bytes(made)


def indices(data: bytes, bits: int) -> set[int]:
    """The values of samples of `bits`, which is 1, 2, 4 or 8, among whole bytes."""
    most = (1 << bits) - 1
    return {value >> shift & most for value in set(data) for shift in range(0, 8, bits)}


def colours(values: Sequence[int], used: set[int]) -> list[int]:
    """A ColorMap with black where no pixel uses an entry, and with the eight bits of each value that readers take."""
    count = len(values) // 3
    deep = max(values, default=0) > 0xFF
    return [
        ((value >> 8) * 0x101 if deep else value) if place % count in used else 0 for place, value in enumerate(values)
    ]
