"""TIFF files written by this module alone, and what each shows by TIFF 6.0 and its technical notes.

Every file shows one colour. The expected value is computed from the samples: reference black and white and the matrix
of section 21 for YCbCr, section 16 for CMYK, section 18 for alpha.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.pictures.case import Case
from tests.pictures.files import taken

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, SAMPLES, ROWS, COUNTS = (
    256,
    257,
    258,
    259,
    262,
    273,
    277,
    278,
    279,
)
PLANAR, PREDICTOR, COLOURS, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 284, 317, 320, 322, 323, 324, 325
SUBFILE, EXTRA, FORMAT, JPEG_TABLES, OLD_JPEG, OLD_JPEG_SIZE, SUBSAMPLING, POSITIONING, REFERENCE = (
    *(254, 338, 339, 347, 513, 514, 530, 531, 532),
)
NONE, JPEG_OLD, JPEG, DEFLATE, PACKBITS = 1, 6, 7, 8, 32773
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
FLOAT = 3
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2

SHORT, LONG, RATIONAL, LONG8 = 3, 4, 5, 16
_RATIONALS = {REFERENCE}

Samples = NDArray[np.generic]


@dataclass(frozen=True)
class Page:
    """One directory: `samples` is height x width x samples, of values as stored, and `tags` what else is written."""

    samples: Samples
    bits: int = 8
    photometric: int = RGB
    compression: int = NONE
    planar: bool = False
    tile: int = 0
    rows: int = 7
    predictor: bool = False
    subsampling: tuple[int, int] | None = None
    tags: Mapping[int, Sequence[int]] = field(default_factory=dict)


def tiff(*pages: Page, order: str = "<", big: bool = False) -> bytes:
    """The pages as a file, in either byte order, as TIFF or BigTIFF."""
    out = bytearray()
    mark = b"II" if order == "<" else b"MM"
    out += mark + (struct.pack(order + "HHHQ", 43, 8, 0, 0) if big else struct.pack(order + "HI", 42, 0))
    link = 8 if big else 4
    for page in pages:
        tags = dict(_tags(page))
        chunks = _chunks(page, order)
        offsets = []
        for chunk in chunks:
            out += b"\0" * (len(out) % 2)
            offsets.append(len(out))
            out += chunk
        if page.compression == JPEG_OLD:
            tags[OLD_JPEG], tags[OLD_JPEG_SIZE] = [offsets[0]], [len(chunks[0])]
        places = (TILE_OFFSETS, TILE_COUNTS) if page.tile else (OFFSETS, COUNTS)
        tags[places[0]], tags[places[1]] = offsets, [len(chunk) for chunk in chunks]
        link = _directory(out, tags, order, big, link)
    return bytes(out)


def _tags(page: Page) -> Iterator[tuple[int, Sequence[int]]]:
    height, width, samples = page.samples.shape
    yield WIDTH, [width]
    yield HEIGHT, [height]
    yield BITS, [page.bits] * samples
    yield COMPRESSION, [page.compression]
    yield PHOTOMETRIC, [page.photometric]
    yield SAMPLES, [samples]
    yield PLANAR, [2 if page.planar else 1]
    if page.tile:
        yield TILE_WIDTH, [page.tile]
        yield TILE_HEIGHT, [page.tile]
    else:
        yield ROWS, [_rows(page)]
    if page.predictor:
        yield PREDICTOR, [2]
    if page.subsampling:
        yield SUBSAMPLING, page.subsampling
    yield from page.tags.items()


def _rows(page: Page) -> int:
    if page.compression == JPEG_OLD:
        return int(page.samples.shape[0])
    step = 16 if page.compression == JPEG else (page.subsampling or (1, 1))[1]
    return int(-(-page.rows // step) * step)


def _chunks(page: Page, order: str) -> list[bytes]:
    """The strips or tiles in their order, plane after plane where samples are planar."""
    planes = np.split(page.samples, page.samples.shape[2], 2) if page.planar else [page.samples]
    return [_packed(part, page, order) for plane in planes for part in _parts(plane, page)]


def _parts(plane: Samples, page: Page) -> Iterator[Samples]:
    height, width, _ = plane.shape
    if not page.tile:
        yield from (plane[top : top + _rows(page)] for top in range(0, height, _rows(page)))
        return
    for top in range(0, height, page.tile):
        for left in range(0, width, page.tile):
            part = plane[top : top + page.tile, left : left + page.tile]
            padding = (0, page.tile - part.shape[0]), (0, page.tile - part.shape[1]), (0, 0)
            yield np.pad(part, padding, mode="edge")


def _packed(part: Samples, page: Page, order: str) -> bytes:
    if page.compression in (JPEG, JPEG_OLD):
        return _jpeg(part, page)
    if page.predictor:
        part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
    if page.subsampling:
        data = _data_units(part, page.subsampling)
    elif part.dtype.itemsize > 1:
        data = part.astype(
            part.dtype.newbyteorder(order)  # type: ignore[arg-type]
        ).tobytes()
    elif page.bits < 8:
        bits = np.unpackbits(part.astype(np.uint8)[..., None], axis=-1)[..., 8 - page.bits :]
        data = np.packbits(bits.reshape(part.shape[0], -1), axis=1).tobytes()
    else:
        data = part.astype(np.uint8).tobytes()
    if page.compression == DEFLATE:
        return zlib.compress(data)
    if page.compression == PACKBITS:  # every run a literal one
        rows = [data[i : i + len(data) // part.shape[0]] for i in range(0, len(data), len(data) // part.shape[0])]
        return b"".join(
            bytes([len(piece) - 1]) + piece
            for row in rows
            for piece in (row[i : i + 128] for i in range(0, len(row), 128))
        )
    return data


def _data_units(part: Samples, subsampling: tuple[int, int]) -> bytes:
    """Luma of a block of pixels, then its Cb and its Cr (section 21, ordering of data)."""
    across, down = subsampling
    height, width = -(-part.shape[0] // down) * down, -(-part.shape[1] // across) * across
    part = np.pad(part, ((0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0)), mode="edge")
    units = bytearray()
    for top in range(0, height, down):
        for left in range(0, width, across):
            block = part[top : top + down, left : left + across].astype(np.uint8)
            units += block[..., 0].tobytes() + block[0, 0, 1:].tobytes()
    return bytes(units)


def _jpeg(part: Samples, page: Page) -> bytes:
    """A JPEG stream with its own tables, of these samples as they are, without a conversion of colours."""
    modes = {1: "L", 3: "RGB", 4: "CMYK"}
    pixels = part.astype(np.uint8)
    if page.photometric == YCBCR:
        image = Image.frombytes("YCbCr", (part.shape[1], part.shape[0]), pixels.tobytes())
    else:
        image = Image.fromarray(pixels[..., 0] if part.shape[2] == 1 else pixels, modes[part.shape[2]])
        if part.shape[2] == 4:  # Pillow inverts CMYK as Adobe does
            image = Image.fromarray(255 - pixels, "CMYK")
    buffer = io.BytesIO()
    keep = {} if page.photometric == YCBCR else {"keep_rgb": True}
    chroma = {(1, 1): 0, (2, 1): 1, (2, 2): 2}[page.subsampling or (1, 1)]
    image.save(buffer, "JPEG", quality=100, subsampling=chroma, **keep)
    return _without_application_segments(buffer.getvalue()) if page.compression == JPEG else buffer.getvalue()


def _without_application_segments(data: bytes) -> bytes:
    """TIFF's technical note 2: the photometric interpretation says what the components are, not a JPEG's markers."""
    kept, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if not 0xE0 <= data[at + 1] <= 0xEF:
            kept += data[at:end]
        at = end
    return bytes(kept + data[at:])


def _directory(out: bytearray, tags: Mapping[int, Sequence[int]], order: str, big: bool, link: int) -> int:
    """Append a directory and point to it from `link`. Return where the next link stands."""
    word, letter = (8, "Q") if big else (4, "I")
    entries = []
    for tag, values in sorted(tags.items()):
        kind = RATIONAL if tag in _RATIONALS else SHORT if max(values) < 65536 and tag not in (273, 324) else LONG
        parts = [part for value in values for part in (value, 1)] if kind == RATIONAL else list(values)
        content = struct.pack(f"{order}{len(parts)}{'H' if kind == SHORT else 'I'}", *parts)
        if len(content) > word:
            out += b"\0" * (len(out) % 2)
            out += content
            content = struct.pack(order + letter, len(out) - len(content))
        entries.append(struct.pack(order + "HH" + letter, tag, kind, len(values)) + content.ljust(word, b"\0"))
    out += b"\0" * (len(out) % 2)
    out[link : link + word] = struct.pack(order + letter, len(out))
    out += struct.pack(order + ("Q" if big else "H"), len(entries)) + b"".join(entries)
    out += bytes(word)
    return len(out) - word


COLOUR = (200, 40, 90)
GRAY = 51
SIZE = (40, 24)


def flat(*samples: float, dtype: str = "u1", size: tuple[int, int] = SIZE) -> Samples:
    return np.broadcast_to(np.asarray(samples, dtype), (size[1], size[0], len(samples))).copy()


def ycbcr(colour: tuple[int, int, int] = COLOUR) -> tuple[int, int, int]:
    """Section 21 with the default coefficients, 0.299, 0.587 and 0.114, and the default reference black and white."""
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma), round((blue - luma) / 1.772 + 128), round((red - luma) / 1.402 + 128)


def studio(colour: tuple[int, int, int] = COLOUR) -> tuple[int, int, int]:
    """The same with luma from 16 to 235 and chroma from 16 to 240, as CCIR 601 codes them."""
    luma, blue, red = ycbcr(colour)
    return round(16 + luma * 219 / 255), round(128 + (blue - 128) * 112 / 127), round(128 + (red - 128) * 112 / 127)


def case(
    name: str, page: Page, pixel: tuple[int, ...], *, tolerance: int = 3, order: str = "<", big: bool = False
) -> Case:
    return taken(f"tif {name}", partial(tiff, page, order=order, big=big), pixel, tolerance=tolerance)


def _ycbcr() -> Iterator[Case]:
    raw = Page(flat(*ycbcr()), photometric=YCBCR)
    for across, down in ((1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4), (1, 2)):
        page = replace(raw, subsampling=(across, down), rows=8)
        yield case(f"ycbcr {across}{down}", page, COLOUR)
        if (across, down) != (1, 2):
            yield case(f"ycbcr {across}{down} deflate, tiles", replace(page, compression=DEFLATE, tile=16), COLOUR)
    yield case("ycbcr planar 11", replace(raw, planar=True, subsampling=None, tags={SUBSAMPLING: (1, 1)}), COLOUR)
    reference = {REFERENCE: (16, 235, 128, 240, 128, 240)}
    yield case(
        "ycbcr studio",
        Page(flat(*studio()), photometric=YCBCR, subsampling=(2, 2), tags=reference),
        COLOUR,
        tolerance=5,
    )
    for compression, word in ((JPEG, "jpeg"), (JPEG_OLD, "old jpeg")):
        for across, down in ((1, 1), (2, 1), (2, 2)):
            page = replace(raw, subsampling=(across, down), compression=compression)
            yield case(f"ycbcr {across}{down} {word}", page, COLOUR)
    yield case("ycbcr 22 jpeg tiles", replace(raw, subsampling=(2, 2), compression=JPEG, tile=16), COLOUR)


def _gray() -> Iterator[Case]:
    for bits in (1, 2, 4, 8):
        most = (1 << bits) - 1
        for level in {0, most // 3, most}:
            shown = round(level * 255 / most)
            for order in "<>":
                yield case(
                    f"gray {bits} {level} {order}", Page(flat(level), bits, MIN_IS_BLACK), (shown,) * 3, order=order
                )
            yield case(f"gray {bits} {level} white", Page(flat(level), bits, MIN_IS_WHITE), (255 - shown,) * 3)
            tiled = Page(flat(level), bits, MIN_IS_WHITE, DEFLATE, tile=16)
            yield case(f"gray {bits} {level} white, tiles, deflate", tiled, (255 - shown,) * 3)
    for dtype, bits in (("u2", 16), ("u4", 32)):
        value = round(GRAY * (2**bits - 1) / 255)
        yield case(f"gray {bits}", Page(flat(value, dtype=dtype), bits, MIN_IS_BLACK), (GRAY,) * 3)
        yield case(f"gray {bits} white", Page(flat(value, dtype=dtype), bits, MIN_IS_WHITE), (255 - GRAY,) * 3)
        yield case(
            f"gray {bits} big-endian deflate",
            Page(flat(value, dtype=dtype), bits, MIN_IS_BLACK, DEFLATE),
            (GRAY,) * 3,
            order=">",
        )


def _float() -> Iterator[Case]:
    tone = 0.2
    shown = (round(tone * 255),) * 3
    for dtype, bits in (("f2", 16), ("f4", 32), ("f8", 64)):
        gray = Page(flat(tone, dtype=dtype), bits, MIN_IS_BLACK, tags={FORMAT: [FLOAT]})
        yield case(f"float {bits} gray", gray, shown)
        yield case(f"float {bits} gray big-endian", gray, shown, order=">")
        yield case(f"float {bits} gray deflate, tiles", replace(gray, compression=DEFLATE, tile=16), shown)
        colour = Page(flat(*(c / 255 for c in COLOUR), dtype=dtype), bits, tags={FORMAT: [FLOAT] * 3})
        yield case(f"float {bits} colour", colour, COLOUR)
        yield case(f"float {bits} colour planar", replace(colour, planar=True), COLOUR)
    bright = Page(flat(1.5, dtype="f4"), 32, MIN_IS_BLACK, tags={FORMAT: [FLOAT]})
    yield case("float brighter than white", bright, (255, 255, 255))
    dark = Page(flat(-0.5, dtype="f4"), 32, MIN_IS_BLACK, tags={FORMAT: [FLOAT]})
    yield case("float darker than black", dark, (0, 0, 0))


def _colour() -> Iterator[Case]:
    for planar in (False, True):
        for compression in (NONE, DEFLATE, PACKBITS):
            for tile in (0, 16):
                name = f"rgb {'planar' if planar else ''} {compression} {tile}"
                page = Page(flat(*COLOUR), compression=compression, planar=planar, tile=tile)
                yield case(name, page, COLOUR)
    yield case("rgb predictor", Page(flat(*COLOUR), compression=DEFLATE, predictor=True), COLOUR)
    deep = flat(*(c * 257 for c in COLOUR), dtype="u2")
    for planar in (False, True):
        yield case(f"rgb 16 {'planar' if planar else ''}", Page(deep, 16, planar=planar), COLOUR)
        yield case(
            f"rgb 16 {'planar' if planar else ''} big-endian",
            Page(deep, 16, planar=planar, compression=DEFLATE),
            COLOUR,
            order=">",
        )
    yield case("rgb jpeg", Page(flat(*COLOUR), compression=JPEG), COLOUR)
    yield case("rgb big", Page(flat(*COLOUR)), COLOUR, big=True)
    yield case("rgb big, big-endian, deflate", Page(flat(*COLOUR), compression=DEFLATE), COLOUR, big=True, order=">")
    yield case("ycbcr 22 big", Page(flat(*ycbcr()), photometric=YCBCR, subsampling=(2, 2), rows=8), COLOUR, big=True)
    for bits in (1, 2, 4, 8):
        colours = [[0] * (1 << bits) for _ in range(3)]
        for channel, value in zip(colours, COLOUR, strict=True):
            channel[1] = value * 257
        table = {COLOURS: [value for channel in colours for value in channel]}
        yield case(f"palette {bits}", Page(flat(1), bits, PALETTE, tags=table), COLOUR)
        yield case(f"palette {bits} tiles, deflate", Page(flat(1), bits, PALETTE, DEFLATE, tile=16, tags=table), COLOUR)


def _extra() -> Iterator[Case]:
    half = 128
    for planar in (False, True):
        word = " planar" if planar else ""
        four = Page(flat(*COLOUR, half), planar=planar)
        yield case(f"extra unspecified{word}", replace(four, tags={EXTRA: [UNSPECIFIED]}), (*COLOUR, 255))
        yield case(f"extra not said{word}", four, (*COLOUR, 255))
        yield case(f"extra straight{word}", replace(four, tags={EXTRA: [UNASSOCIATED]}), (*COLOUR, half))
        multiplied = Page(
            flat(*(round(c * half / 255) for c in COLOUR), half), planar=planar, tags={EXTRA: [ASSOCIATED]}
        )
        yield case(f"extra associated{word}", multiplied, (*COLOUR, half))
        five = Page(flat(*COLOUR, half, 7), planar=planar)
        yield case(
            f"extra straight and one{word}", replace(five, tags={EXTRA: [UNASSOCIATED, UNSPECIFIED]}), (*COLOUR, half)
        )
        yield case(
            f"extra two unspecified{word}", replace(five, tags={EXTRA: [UNSPECIFIED, UNSPECIFIED]}), (*COLOUR, 255)
        )
        yield case(
            f"extra one and straight{word}", replace(five, tags={EXTRA: [UNSPECIFIED, UNASSOCIATED]}), (*COLOUR, 7)
        )
        gray = Page(flat(GRAY, half), photometric=MIN_IS_BLACK, planar=planar)
        yield case(f"gray extra unspecified{word}", replace(gray, tags={EXTRA: [UNSPECIFIED]}), (GRAY,) * 3 + (255,))
        yield case(f"gray extra straight{word}", replace(gray, tags={EXTRA: [UNASSOCIATED]}), (GRAY,) * 3 + (half,))
        deep = Page(flat(*(c * 257 for c in (*COLOUR, half)), dtype="u2"), 16, planar=planar)
        yield case(f"deep extra unspecified{word}", replace(deep, tags={EXTRA: [UNSPECIFIED]}), (*COLOUR, 255))
        yield case(f"deep extra straight{word}", replace(deep, tags={EXTRA: [UNASSOCIATED]}), (*COLOUR, half))
        multiplied = Page(
            flat(*(round(c * half / 255) * 257 for c in COLOUR), half * 257, dtype="u2"),
            16,
            planar=planar,
            tags={EXTRA: [ASSOCIATED]},
        )
        yield case(f"deep extra associated{word}", multiplied, (*COLOUR, half))


INKS = {
    (0, 0, 0, 204): (88, 89, 91),
    (0, 255, 255, 0): (237, 28, 36),
    (0, 255, 0, 0): (236, 0, 140),
    (255, 0, 0, 0): (0, 174, 239),
}
"""What the usual profiles for coated paper (Adobe's of SWOP, Fogra's) make of inks, about."""


def _cmyk() -> Iterator[Case]:
    for values, seen in INKS.items():
        yield case(f"cmyk {values}", Page(flat(*values), photometric=CMYK), seen, tolerance=25)
    (black, seen), *_ = INKS.items()
    inks = flat(*black)
    for compression, word in ((NONE, ""), (DEFLATE, " deflate"), (JPEG, " jpeg")):
        for tile in (0, 16):
            page = Page(inks, photometric=CMYK, compression=compression, tile=tile)
            yield case(f"cmyk{word}{' tiles' if tile else ''}", page, seen, tolerance=25)
    yield case("cmyk planar", Page(inks, photometric=CMYK, planar=True), seen, tolerance=25)
    deep = Page(flat(0, 0, 0, 204 * 257, dtype="u2"), 16, CMYK)
    yield case("cmyk 16", deep, seen, tolerance=25)
    unspecified = Page(flat(*black, 9), photometric=CMYK, tags={EXTRA: [UNSPECIFIED]})
    yield case("cmyk extra unspecified", unspecified, (*seen, 255), tolerance=25)
    straight = Page(flat(*black, 128), photometric=CMYK, tags={EXTRA: [UNASSOCIATED]})
    yield case("cmyk straight", straight, (*seen, 128), tolerance=25)


def _pages() -> Iterator[Case]:
    thumb, full = Page(flat(9, 9, 9, size=(20, 12)), tags={SUBFILE: [1]}), Page(flat(*COLOUR))
    mask = Page(flat(0, size=SIZE), 1, MIN_IS_BLACK, tags={SUBFILE: [4]})
    page = replace(full, tags={SUBFILE: [2]})
    one, two = {"frames": 1}, {"frames": 2}
    yield taken("tif thumbnail first", partial(tiff, thumb, full), COLOUR, one, size=SIZE)
    yield taken("tif mask second", partial(tiff, full, mask), COLOUR, one, size=SIZE)
    yield taken("tif thumbnail second", partial(tiff, full, thumb), COLOUR, one, size=SIZE)
    yield taken("tif thumbnail alone", partial(tiff, thumb), (9, 9, 9), one, size=(20, 12))
    yield taken("tif of pages", partial(tiff, page, replace(page, samples=flat(1, 2, 3))), COLOUR, two, size=SIZE)


CASES = [*_ycbcr(), *_gray(), *_float(), *_colour(), *_extra(), *_cmyk(), *_pages()]
