"""BMP files written by this module alone, and what each shows by Microsoft's and IBM's descriptions of the format."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import partial

from tests.pictures.case import Case
from tests.pictures.files import Refusal, cases, refusals, taken

COLOUR = (200, 40, 90)
SIZE = (30, 20)
RGB, RLE8, RLE4, BITFIELDS, ALPHABITFIELDS = 0, 1, 2, 3, 6
CORE, OS2, INFO, V2, V3, V4, V5 = 12, 64, 40, 52, 56, 108, 124


def bmp(
    bits: int,
    pixels: bytes,
    *,
    header: int = INFO,
    compression: int = RGB,
    masks: Sequence[int] = (),
    palette: Sequence[tuple[int, int, int]] = (),
    used: int | None = None,
    size: tuple[int, int] = SIZE,
    top_down: bool = False,
    length: int | None = None,
) -> bytes:
    """A file of these packed rows. `masks` of red, green, blue and alpha follow a short header or are part of it."""
    width, height = size
    if header == CORE:
        info = struct.pack("<IHHHH", CORE, width, height, 1, bits)
        colours = b"".join(bytes((blue, green, red)) for red, green, blue in palette)
    else:
        count = len(palette) if used is None else used
        info = struct.pack(
            "<IiiHHIIiiII",
            header,
            width,
            -height if top_down else height,
            1,
            bits,
            compression,
            len(pixels),
            0,
            0,
            count,
            0,
        )
        colours = b"".join(bytes((blue, green, red, 0)) for red, green, blue in palette)
    written = b"".join(mask.to_bytes(4, "little") for mask in masks)
    rest = header - 40
    info += written[: max(0, rest)].ljust(max(0, rest), b"\0") if header > INFO else written
    start = 14 + len(info) + len(colours)
    whole = start + len(pixels) if length is None else length
    return b"BM" + struct.pack("<IHHI", whole, 0, 0, start) + info + colours + pixels


def rows(bits: int, value: int, size: tuple[int, int] = SIZE) -> bytes:
    """Rows of one value, each padded to four bytes."""
    row = int("".join(f"{value:0{bits}b}" for _ in range(size[0])), 2) if bits < 8 else 0
    data = row.to_bytes((bits * size[0] + 7) // 8) if not bits * size[0] % 8 and bits < 8 else b""
    if bits < 8 and not data:
        short = bits * size[0]
        data = (row << (-short % 8)).to_bytes((short + 7) // 8)
    if bits >= 8:
        data = value.to_bytes(bits // 8, "little") * size[0]
    return (data + bytes(-len(data) % 4)) * size[1]


def packed(masks: Sequence[int], colour: Sequence[int]) -> int:
    """A pixel of samples of 0 to 255 under these masks."""
    value = 0
    for mask, sample in zip(masks, colour, strict=False):
        low = (mask & -mask).bit_length() - 1
        value |= round(sample * (mask >> low) / 255) << low
    return value


def shown(masks: Sequence[int], colour: Sequence[int]) -> tuple[int, ...]:
    """What the samples become again: the largest value of a mask is 255."""
    result = []
    for mask, sample in zip(masks, colour, strict=False):
        most = mask >> ((mask & -mask).bit_length() - 1)
        result.append(round(round(sample * most / 255) * 255 / most))
    return tuple(result)


BYTES = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
MASKS = {
    (16, "555"): (0x7C00, 0x3E0, 0x1F),
    (16, "565"): (0xF800, 0x7E0, 0x1F),
    (16, "444"): (0xF00, 0xF0, 0xF),
    (16, "332 odd"): (0xE000, 0x1C00, 0x300),
    (32, "888"): BYTES[:3],
    (32, "reversed"): (0xFF, 0xFF00, 0xFF0000),
    (32, "rgbx"): (0xFF000000, 0xFF0000, 0xFF00),
    (32, "101010"): (0x3FF00000, 0xFFC00, 0x3FF),
}


def masked(bits: int, masks: Sequence[int], colour: Sequence[int], header: int, compression: int = BITFIELDS) -> bytes:
    """A file of one colour under these masks."""
    pixels = rows(bits, packed(masks, colour))
    return bmp(bits, pixels, header=header, compression=compression, masks=masks)


def _deep() -> Iterator[Case]:
    high = MASKS[16, "555"]
    for top_down, word in ((False, ""), (True, " top down")):
        plain = partial(bmp, top_down=top_down)
        yield taken(f"bmp 24{word}", partial(plain, 24, rows(24, packed(BYTES[:3], COLOUR))), COLOUR)
        yield taken(f"bmp 16{word}", partial(plain, 16, rows(16, packed(high, COLOUR))), shown(high, COLOUR))
        for alpha in (0, 42, 255):
            pixels = rows(32, packed(BYTES, (*COLOUR, alpha)))
            for header in (INFO, V4, V5):
                name = f"bmp 32 of header {header} with a fourth byte of {alpha}{word}"
                masks = BYTES if header in (V4, V5) else ()  # BI_RGB: not in use, whatever they are
                make = partial(plain, 32, pixels, header=header, masks=masks)
                yield taken(name, make, (*COLOUR, 255), {"alpha": False})


def _masks() -> Iterator[Case]:
    for (bits, name), masks in MASKS.items():
        for header in (INFO, V2, V3, V4, V5):
            make = partial(masked, bits, masks, COLOUR, header)
            yield taken(f"bmp {bits} {name} of header {header}", make, (*shown(masks, COLOUR), 255), {"alpha": False})
    for header in (V3, V4, V5):
        for alpha, seen in ((42, 42), (255, 255), (0, 255)):
            make = partial(masked, 32, BYTES, (*COLOUR, alpha), header)
            meta = {"alpha": alpha > 0}
            yield taken(f"bmp alpha {alpha} of header {header}", make, (*COLOUR, seen), meta, full="png")
    four = (0xF00, 0xF0, 0xF, 0xF000)
    translucent = (*COLOUR, 136)
    yield taken("bmp 16 with alpha", partial(masked, 16, four, translucent, V4), shown(four, translucent), full="png")
    behind = partial(masked, 32, BYTES, (*COLOUR, 42), INFO, ALPHABITFIELDS)
    yield taken("bmp 32 with alpha after a short header", behind, (*COLOUR, 42), full="png")


def _palette() -> Iterator[Case]:
    for header in (CORE, OS2, INFO, V4, V5):
        for bits in (1, 2, 4, 8):
            if (header, bits) == (CORE, 2):
                continue
            colours = [(9, 9, 9), COLOUR] + [(7, 7, 7)] * ((1 << bits) - 2)
            for count in {1 << bits} if header == CORE else {2, 1 << bits}:
                make = partial(bmp, bits, rows(bits, 1), header=header, palette=colours[:count])
                yield taken(f"bmp {bits} of header {header} with {count} colours", make, COLOUR)
        if header != CORE:
            whole = [(9, 9, 9), COLOUR] + [(7, 7, 7)] * 254
            make = partial(bmp, 8, rows(8, 1), header=header, palette=whole, used=0)
            yield taken(f"bmp 8 of header {header} with all colours, not counted", make, COLOUR)
    many = [(i % 256, 9, i // 2) for i in range(300)]  # more than eight bits count
    yield taken("bmp 8 bits of 300 colours", partial(bmp, 8, rows(8, 201), palette=many), (201, 9, 100))


END = b"\0\1"
END_OF_ROW = b"\0\0"
THREE = [(9, 9, 9), COLOUR, (0, 0, 250)]


def _run_lengths() -> Iterator[Case | Refusal]:
    width, height = SIZE
    eight, four = partial(bmp, 8, compression=RLE8, palette=THREE), partial(bmp, 4, compression=RLE4, palette=THREE)
    runs = (bytes((width, 1)) + END_OF_ROW) * height
    yield taken("bmp rle8 runs", partial(eight, runs + END), COLOUR)
    yield taken("bmp rle8 runs without an end", partial(eight, runs), COLOUR)
    literal = (bytes((0, width)) + b"\1" * width + END_OF_ROW) * height
    yield taken("bmp rle8 literal", partial(eight, literal + END), COLOUR)
    odd = (bytes((0, 3, 1, 1, 1, 0, width - 3, 1)) + END_OF_ROW) * height
    yield taken("bmp rle8 odd literal", partial(eight, odd + END), COLOUR)
    for bits in (4, 8):
        yield taken(f"bmp rle{bits} delta", partial(rows_by_delta, bits), COLOUR)
    nibbles = (bytes((width, 0x11)) + END_OF_ROW) * height
    yield taken("bmp rle4 runs", partial(four, nibbles + END), COLOUR)
    count = (width - 3) // 2
    mixed = (bytes((4, 0x11, 0, width - 4)) + b"\x11" * count + bytes(-count % 2) + END_OF_ROW) * height
    yield taken("bmp rle4 literal", partial(four, mixed + END), COLOUR)
    short = (bytes((width, 1)) + END_OF_ROW) * 3
    yield Refusal("bmp rle8 cut", partial(eight, short), "damaged")
    yield Refusal("bmp os2 rle24", partial(bmp, 24, rows(24, 0), header=OS2, compression=4), "kind")
    huffman = partial(bmp, 1, rows(1, 0), header=OS2, compression=3, palette=THREE[:2])
    yield Refusal("bmp os2 huffman", huffman, "kind")


def rows_by_delta(bits: int) -> bytes:
    """Every row drawn in two runs with a step of no rows between them."""
    width, height = SIZE
    value = 1 if bits == 8 else 0x11
    row = bytes((4, value, 0, 2, 0, 0, width - 4, value)) + END_OF_ROW
    palette, compression = THREE, RLE8 if bits == 8 else RLE4
    return bmp(bits, row * height + END, compression=compression, palette=palette)


def _flaws() -> Iterator[Case | Refusal]:
    size = (29, 20)
    whole = rows(24, packed(BYTES[:3], COLOUR), size)  # 87 bytes and one that pads
    make = partial(bmp, 24, size=size)
    length = {"flaws": ["its header states another length"]}
    yield taken("bmp that states no length", partial(make, whole, length=0), COLOUR, {"flaws": None})
    yield taken("bmp that states another length", partial(make, whole, length=77), COLOUR, length)
    padding = {"flaws": ["the bytes that pad its last row are missing"]}
    yield taken("bmp without its last padding", partial(make, whole[:-1]), COLOUR, padding)
    more = partial(make, whole + b"more", length=14 + 40 + len(whole))
    yield taken("bmp with bytes behind its end", more, COLOUR, {"flaws": ["bytes follow its end"]})
    yield Refusal("bmp without its last pixel", partial(make, whole[:-2]), "damaged")


_ALL = [*_deep(), *_masks(), *_palette(), *_run_lengths(), *_flaws()]
CASES, REFUSED = cases(_ALL), refusals(_ALL)
