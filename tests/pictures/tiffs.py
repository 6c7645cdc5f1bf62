"""TIFFs of many kinds, and what each shows by TIFF 6.0 and its technical notes.

Every file shows one colour. The expected value is computed from the samples: reference black and white and the matrix
of section 21 for YCbCr, section 18 for alpha; of CMYK, which no standard gives, it is what printers' profiles say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from tests.pictures.case import Case
from tests.pictures.files import taken
from tests.pictures.tiff_writer import (
    ASSOCIATED,
    CMYK,
    COLOURS,
    DEFLATE,
    EXTRA,
    FLOAT,
    FORMAT,
    JPEG,
    JPEG_OLD,
    MIN_IS_BLACK,
    MIN_IS_WHITE,
    NONE,
    PACKBITS,
    PALETTE,
    REFERENCE,
    SUBFILE,
    SUBSAMPLING,
    UNASSOCIATED,
    UNSPECIFIED,
    YCBCR,
    Page,
    Samples,
    tiff,
)

SIGNED = 2  # of SampleFormat
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
    for dtype, bits in (("i1", 8), ("i2", 16), ("i4", 32)):
        signed = Page(flat(round(GRAY * (2**bits - 1) / 255) - 2 ** (bits - 1), dtype=dtype), bits, MIN_IS_BLACK)
        signed = replace(signed, tags={FORMAT: [SIGNED]})
        yield case(f"gray {bits} signed", signed, (GRAY,) * 3)
        yield case(f"gray {bits} signed deflate", replace(signed, compression=DEFLATE), (GRAY,) * 3)
    extremes = Page(flat(-128, 127, 0, dtype="i1"), 8, tags={FORMAT: [SIGNED] * 3})
    yield case("rgb 8 signed", extremes, (0, 255, 128))
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
        yield case(f"float {bits} white", replace(gray, photometric=MIN_IS_WHITE), (255 - shown[0],) * 3)
        yield case(f"float {bits} gray deflate, tiles", replace(gray, compression=DEFLATE, tile=16), shown)
        colour = Page(flat(*(c / 255 for c in COLOUR), dtype=dtype), bits, tags={FORMAT: [FLOAT] * 3})
        yield case(f"float {bits} colour", colour, COLOUR)
        yield case(f"float {bits} colour planar", replace(colour, planar=True), COLOUR)
        large = np.repeat(np.repeat(colour.samples, 6, axis=0), 6, axis=1)  # a hundred times as large as the file
        yield case(f"float {bits} colour packed", replace(colour, samples=large, compression=DEFLATE, rows=99), COLOUR)
        four = flat(*(c / 255 for c in COLOUR), 0.5, dtype=dtype)
        extra = {FORMAT: [FLOAT] * 4, EXTRA: [UNSPECIFIED]}
        yield case(f"float {bits} extra unspecified", Page(four, bits, tags=extra), (*COLOUR, 255))
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
