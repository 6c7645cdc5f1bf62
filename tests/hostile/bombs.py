"""Small files that ask for a great deal: pixels, frames, memory, time. The same bytes every time.

Every bomb is a `Bomb`: a name, its bytes, and the answers that its upload may get. `BOMBS` has them all; they
are built when they are asked for.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests import images
from tests.images import png_chunk

Entry = tuple[int, int, int, int]

TOO_LARGE, DAMAGED, TAKEN = 413, 422, 201
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Bomb:
    """`answers`: the statuses an upload may get, where it has the time that the limits usually allow."""

    name: str
    build: Callable[[], bytes]
    answers: tuple[int, ...] = (TOO_LARGE,)

    @functools.cached_property
    def data(self) -> bytes:
        return self.build()


def png(width: int, height: int, *extra: bytes, rows: bytes | None = None) -> bytes:
    """A bilevel PNG; `extra` chunks follow the header; without `rows`, all pixels are there, and black."""
    raw = zlib.compress(b"\0" * ((width + 7) // 8 + 1) * height, 9) if rows is None else rows
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return PNG_SIGNATURE + header + b"".join(extra) + png_chunk(b"IDAT", raw) + png_chunk(b"IEND", b"")


def webp_lossless(width: int, height: int) -> bytes:
    """Every pixel of a WebP in 25 bytes: five prefix codes of one symbol each, so that a pixel takes no bits at all
    (WebP Lossless Bitstream Specification, 6.2)."""
    no_transform_cache_or_meta, one_symbol_zero = "000", "1000"  # bits in the order they are read
    bits = no_transform_cache_or_meta + one_symbol_zero * 5
    body = int(bits[::-1], 2).to_bytes(4, "little")
    size = (width - 1) | (height - 1) << 14
    content = b"\x2f" + size.to_bytes(4, "little") + body + bytes(8)
    return riff(webp_chunk(b"VP8L", content))


def webp_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    content = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_canvas(width: int, height: int, flags: int = 0) -> bytes:
    return webp_chunk(b"VP8X", struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + _24(height - 1))


def _24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def webp_frames(count: int) -> bytes:
    """An animation whose every frame covers a canvas of 4096x4096."""
    picture = webp_lossless(4096, 4096)[12:]
    frame = webp_chunk(b"ANMF", bytes(6) + _24(4095) + _24(4095) + _24(10) + b"\0" + picture)
    return riff(webp_canvas(4096, 4096, 0x02), webp_chunk(b"ANIM", bytes(6)), *[frame] * count)


def webp_lie() -> bytes:
    """A canvas of 10x10, and in it an image of 16383x16383."""
    return riff(webp_canvas(10, 10), webp_lossless(16383, 16383)[12:])


def gif(canvas: tuple[int, int], frame: tuple[int, int], count: int = 1) -> bytes:
    """Frames of which only the first pixel is there: clear code, one index, end code."""
    screen = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    image = b"\x21\xf9\x04\0\0\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\0"
    return screen + image * count + b";"


def jpeg_claiming(width: int, height: int, data: bytes | None = None) -> bytes:
    """A small JPEG whose frame header says that it is large."""
    changed = bytearray(data or images.jpeg(images.photo(64, 64)))
    frame = next(at for at in range(len(changed)) if changed[at] == 0xFF and changed[at + 1] in (0xC0, 0xC2))
    changed[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(changed)


def jpeg_scans(count: int, side: int = 8000) -> bytes:
    """A progressive JPEG that refines all its pixels `count` times, at a few bytes a time."""
    data = jpeg_claiming(side, side, images.jpeg(images.flat(16, 16), progressive=True))
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def tiff(entries: list[Entry], following: int = 0, body: bytes = b"") -> bytes:
    """One directory at 8 of (tag, type, count, value), and the offset of the next one."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + struct.pack("<I", following) + body


def tiff_page(width: int, height: int, *, compression: int = 1, at: int = 8, size: int = 1) -> list[Entry]:
    """The entries of a bilevel page whose one strip is at `at`."""
    short, long = 3, 4
    return [
        *((256, long, 1, width), (257, long, 1, height), (258, short, 1, 1), (259, short, 1, compression)),
        *((262, short, 1, 1), (273, long, 1, at), (277, short, 1, 1), (278, long, 1, height), (279, long, 1, size)),
    ]


def tiff_loop() -> bytes:
    return tiff(tiff_page(10, 10), following=8)


def tiff_claiming(width: int, height: int) -> bytes:
    return tiff(tiff_page(width, height))


def tiff_second_page(side: int = 30000) -> bytes:
    """A first page of 8x8, and a second of `side` squared that is one run of Deflate."""
    first = tiff(tiff_page(8, 8, at=8, size=8))
    pixels = zlib.compress(bytes((side + 7) // 8 * side), 9)
    entries = tiff_page(side, side, compression=8, at=len(first) + 2 + 12 * 9 + 4, size=len(pixels))
    second = tiff(entries)[8:]
    return first[:-4] + struct.pack("<I", len(first)) + second + pixels


def tiff_pages(count: int) -> bytes:
    page = struct.pack("<H", 9) + b"".join(struct.pack("<HHII", *entry) for entry in tiff_page(8, 8))
    step = len(page) + 4
    chain = (page + struct.pack("<I", 8 + step * (number + 1)) for number in range(count - 1))
    return b"II*\0\x08\0\0\0" + b"".join(chain) + page + bytes(4)


def bmp_claiming(width: int, height: int) -> bytes:
    data = bytearray(images.bmp(images.flat(8, 8)))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def ico_lie() -> bytes:
    """An icon of 16x16, says its directory; the picture in it is a PNG of 20000x20000."""
    picture = png(20000, 20000)
    return b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(picture), 22) + picture


def avif_claiming(width: int, height: int, data: bytes | None = None) -> bytes:
    """An AVIF, a small one if not given, whose `ispe` says otherwise."""
    data = data or images.avif(images.flat(64, 48))
    place = data.index(b"ispe") + 8
    return data[:place] + struct.pack(">II", width, height) + data[place + 8 :]


@functools.cache
def compressed_nothing(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


def compressed_chunk(kind: bytes, keyword: bytes, size: int) -> bytes:
    """A PNG whose text or profile is `size` bytes of nothing, compressed."""
    between = b"\0\1\0\0\0" if kind == b"iTXt" else b"\0\0"
    return png(64, 64, png_chunk(kind, keyword + between + compressed_nothing(size)))


BOMBS = (
    Bomb("png-30000x30000", lambda: png(30000, 30000)),
    Bomb("png-claiming-4G", lambda: png(2**31 - 1, 2**31 - 1, rows=zlib.compress(b""))),
    Bomb("png-long-row", lambda: png(99_000_000, 1), (TAKEN,)),
    Bomb("png-9900x9900", lambda: png(9900, 9900), (TAKEN,)),
    Bomb("webp-16383x16383", lambda: webp_lossless(16383, 16383)),
    Bomb("webp-9900x9900", lambda: webp_lossless(9900, 9900)),
    Bomb("webp-lying-canvas", webp_lie, (TOO_LARGE, DAMAGED)),
    Bomb("webp-20000-frames", lambda: webp_frames(20000)),
    Bomb("webp-5-large-frames", lambda: webp_frames(5)),
    Bomb("gif-canvas", lambda: gif((65535, 65535), (1, 1))),
    Bomb("gif-frame-beyond-canvas", lambda: gif((1, 1), (65535, 65535))),
    Bomb("gif-20000-frames", lambda: gif((100, 100), (100, 100), 20000)),
    Bomb("gif-500-frames-of-440x440", lambda: gif((440, 440), (1, 1), 500), (TAKEN,)),
    Bomb("jpeg-claiming-64250x64250", lambda: jpeg_claiming(64250, 64250)),
    Bomb("jpeg-claiming-9900x9900", lambda: jpeg_claiming(9900, 9900), (TAKEN, TOO_LARGE, DAMAGED)),
    Bomb("tiff-loop", tiff_loop, (TAKEN,)),
    Bomb("tiff-claiming-4G", lambda: tiff_claiming(2**32 - 1, 2**32 - 1)),
    Bomb("tiff-claiming-9900x9900", lambda: tiff_claiming(9900, 9900), (TOO_LARGE, DAMAGED)),
    Bomb("tiff-large-second-page", tiff_second_page, (TAKEN, TOO_LARGE, DAMAGED)),
    Bomb("tiff-20000-pages", lambda: tiff_pages(20000)),
    Bomb("bmp-claiming-2G", lambda: bmp_claiming(2**31 - 1, 2**31 - 1)),
    Bomb("bmp-upside-down-2G", lambda: bmp_claiming(9000, -(2**31))),
    Bomb("ico-lying-directory", ico_lie),
    Bomb("avif-claiming-65535x65535", lambda: avif_claiming(65535, 65535)),
    Bomb("avif-claiming-9000x9000", lambda: avif_claiming(9000, 9000), (TAKEN, TOO_LARGE, DAMAGED)),
    Bomb("avif-claiming-1x1", lambda: avif_claiming(1, 1), (TAKEN, DAMAGED)),
    Bomb("avif-understating", lambda: avif_claiming(80, 60, images.avif(images.flat(6000, 4000))), (DAMAGED,)),
    Bomb("png-200-MB-zTXt", lambda: compressed_chunk(b"zTXt", b"Comment", 200_000_000), (TAKEN, TOO_LARGE, DAMAGED)),
    Bomb("png-200-MB-iTXt", lambda: compressed_chunk(b"iTXt", b"Comment", 200_000_000), (TAKEN, TOO_LARGE, DAMAGED)),
    Bomb("png-200-MB-iCCP", lambda: compressed_chunk(b"iCCP", b"icc", 200_000_000), (TAKEN, TOO_LARGE, DAMAGED)),
)
