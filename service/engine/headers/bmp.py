"""Headers of BMP: the file header and a DIB header (Microsoft's BITMAPINFOHEADER to BITMAPV5HEADER, OS/2 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass

from service.engine.headers.source import Source
from service.engine.job import Header, Undecodable

SIGNATURE = b"BM"
HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
CORE = 12  # OS/2 1: 16-bit sizes
OS2 = (16, 64)  # OS/2's second, whose numbers for compression mean something else from 3 on
WINDOWS = 40  # the first of Windows' headers
WITH_ALPHA_MASK = (56, 108, 124)
UNCOMPRESSED = (0, 3, 6)  # BI_RGB, BI_BITFIELDS, BI_ALPHABITFIELDS
BITFIELDS, ALPHA_BITFIELDS = 3, 6
RUN_LENGTH = {1: 8, 2: 4}
"""BI_RLE8 and BI_RLE4, and the bits a pixel that they are for."""

DEPTHS = (1, 2, 4, 8, 16, 24, 32)
MASKS = 14 + 40  # where masks stand, in the header or behind it


@dataclass(frozen=True, slots=True)
class Layout:
    """How pixels are stored. `masks` are those of red, green, blue and alpha in a pixel of 16 or 32 bits, 0 for none;
    `palette` is where the colours begin, `colours` how many there are and `entry` the bytes of each."""

    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    pixels: int
    masks: tuple[int, int, int, int]
    palette: int
    colours: int
    entry: int

    @property
    def stride(self) -> int:
        """Bytes of a row, padded to four."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def least(self) -> int:
        """The least number of bytes that hold all pixels; 1 for run lengths, whose number is not known."""
        if self.compression in RUN_LENGTH:
            return 1
        return self.stride * (self.height - 1) + (self.width * self.bits + 7) // 8 if self.height else 0


def begins(head: bytes, _: Source) -> bool:
    """Whether a file that begins with `head` is a BMP, and not a text that begins with BM."""
    return head.startswith(SIGNATURE) and int.from_bytes(head[14:18], "little") in HEADER_SIZES


def header(source: Source) -> Header:
    found = layout(source)
    return Header("bmp", found.width, found.height, alpha=has_alpha(source, found))


def missing(source: Source) -> str | None:
    found = layout(source)
    return "the BMP ends before its pixels do" if found.pixels + found.least > source.size else None


def layout(source: Source) -> Layout:
    """Raises Undecodable."""
    size = source.number(14, 4, little=True)
    info = source.read(14, min(size, 20))
    if size == CORE:
        width, height = int.from_bytes(info[4:6], "little"), int.from_bytes(info[6:8], "little")
        depth, compression = int.from_bytes(info[10:12], "little"), 0
    else:
        width = int.from_bytes(info[4:8], "little", signed=True)
        height = int.from_bytes(info[8:12], "little", signed=True)  # negative: the first row is the top one
        depth, compression = int.from_bytes(info[14:16], "little"), int.from_bytes(info[16:20], "little")
    if width <= 0 or depth not in DEPTHS:
        raise Undecodable(f"The BMP is damaged: it is {width} pixels wide, of {depth} bits each")
    known = (0, *RUN_LENGTH) if size in OS2 else (*UNCOMPRESSED, *RUN_LENGTH)
    if compression not in known or RUN_LENGTH.get(compression, depth) != depth:
        raise Undecodable(
            "The BMP is of a kind that is not taken: its pixels are packed in a way that is not read here"
        )
    pixels = source.number(10, 4, little=True)
    masks = _masks(source, size, depth, compression)
    return Layout(
        width, abs(height), height < 0, depth, compression, pixels, masks, *_palette(source, size, depth, pixels)
    )


def has_alpha(source: Source, found: Layout) -> bool:
    """Return True if there is a mask of alpha and a pixel that is not fully transparent by it. An image without such a
    pixel is opaque, as in browsers."""
    mask = found.masks[3]
    if not mask:
        return False
    step = found.bits // 8
    wanted = [(place, mask >> 8 * place & 255) for place in range(step) if mask >> 8 * place & 255]
    tables = [(place, bytes(byte & part for byte in range(256))) for place, part in wanted]
    pixels = source.part(found.pixels, found.stride * found.height)
    return any(any(content[place::step].translate(bits)) for content in pixels.chunks() for place, bits in tables)


def _masks(source: Source, size: int, depth: int, compression: int) -> tuple[int, int, int, int]:
    if compression in (BITFIELDS, ALPHA_BITFIELDS) and depth in (16, 32):
        count = 4 if compression == ALPHA_BITFIELDS or size in WITH_ALPHA_MASK else 3
        red, green, blue, alpha = [source.number(MASKS + 4 * i, 4, little=True) for i in range(count)] + [0] * (
            4 - count
        )
        return red, green, blue, alpha
    return (0x7C00, 0x3E0, 0x1F, 0) if depth == 16 else (0xFF0000, 0xFF00, 0xFF, 0)


def _palette(source: Source, size: int, depth: int, pixels: int) -> tuple[int, int, int]:
    """Where the colours begin, how many there are, and the bytes of each."""
    if depth > 8:
        return 0, 0, 0
    said = source.number(46, 4, little=True) if size >= WINDOWS else 0
    count = min(said or 1 << depth, 1 << depth)
    start = 14 + size
    room = max(0, pixels - start)
    entry = 3 if size == CORE or 3 * count == room else 4
    return start, min(count, room // entry), entry
