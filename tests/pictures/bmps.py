"""BMP files written by this module alone, and what each shows by Microsoft's and IBM's descriptions of the format."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from tests.pictures.case import Case

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


def _deep() -> Iterator[Case]:
    for top_down in (False, True):
        word = " top down" if top_down else ""
        yield Case(f"bmp 24{word}", lambda t=top_down: bmp(24, rows(24, packed(BYTES[:3], COLOUR)), top_down=t), COLOUR)
        yield Case(
            f"bmp 16{word}",
            lambda t=top_down: bmp(16, rows(16, packed(MASKS[16, "555"], COLOUR)), top_down=t),
            shown(MASKS[16, "555"], COLOUR),
        )
        for alpha in (0, 42, 255):
            value = packed(BYTES, (*COLOUR, alpha))
            for header in (INFO, V4, V5):
                name = f"bmp 32 of header {header} with a fourth byte of {alpha}{word}"
                masks = BYTES if header in (V4, V5) else ()
                # BI_RGB: the masks are not in use, whatever they say
                yield Case(
                    name,
                    lambda v=value, h=header, m=masks, t=top_down: bmp(32, rows(32, v), header=h, masks=m, top_down=t),
                    (*COLOUR, 255),
                    {"alpha": False},
                )
    for (bits, name), masks in MASKS.items():
        for header in (INFO, V2, V3, V4, V5):
            yield Case(
                f"bmp {bits} {name} of header {header}",
                lambda b=bits, m=masks, h=header: bmp(
                    b, rows(b, packed(m, COLOUR)), header=h, compression=BITFIELDS, masks=m
                ),
                (*shown(masks, COLOUR), 255),
                {"alpha": False},
            )
    for header in (V3, V4, V5):
        for alpha, seen in ((42, 42), (255, 255), (0, 255)):
            yield Case(
                f"bmp alpha {alpha} of header {header}",
                lambda a=alpha, h=header: bmp(
                    32, rows(32, packed(BYTES, (*COLOUR, a))), header=h, compression=BITFIELDS, masks=BYTES
                ),
                (*COLOUR, seen),
            )
    four = (0xF00, 0xF0, 0xF, 0xF000)
    yield Case(
        "bmp 16 with alpha",
        lambda: bmp(16, rows(16, packed(four, (*COLOUR, 136))), header=V4, compression=BITFIELDS, masks=four),
        shown(four, (*COLOUR, 136)),
    )
    yield Case(
        "bmp 32 with alpha after a short header",
        lambda: bmp(32, rows(32, packed(BYTES, (*COLOUR, 42))), compression=ALPHABITFIELDS, masks=BYTES),
        (*COLOUR, 42),
    )


def _palette() -> Iterator[Case]:
    for header in (CORE, OS2, INFO, V4, V5):
        for bits in (1, 2, 4, 8):
            if (header, bits) == (CORE, 2):
                continue
            colours = [(9, 9, 9), COLOUR] + [(7, 7, 7)] * ((1 << bits) - 2)
            for count in {2, 1 << bits}:
                if header == CORE and count != 1 << bits:
                    continue
                yield Case(
                    f"bmp {bits} of header {header} with {count} colours",
                    lambda b=bits, h=header, c=colours[:count]: bmp(b, rows(b, 1), header=h, palette=c),
                    COLOUR,
                )
        if header != CORE:
            whole = [(9, 9, 9), COLOUR] + [(7, 7, 7)] * 254
            yield Case(
                f"bmp 8 of header {header} with all colours, not counted",
                lambda h=header, c=whole: bmp(8, rows(8, 1), header=h, palette=c, used=0),
                COLOUR,
            )


def _run_lengths() -> Iterator[Case]:
    palette = [(9, 9, 9), COLOUR, (0, 0, 250)]
    width, height = SIZE
    runs = (bytes((width, 1)) + b"\0\0") * height
    literal = (bytes((0, width)) + b"\1" * width + b"\0\0") * height
    yield Case("bmp rle8 runs", lambda: bmp(8, runs + b"\0\1", compression=RLE8, palette=palette), COLOUR)
    yield Case("bmp rle8 runs without an end", lambda: bmp(8, runs, compression=RLE8, palette=palette), COLOUR)
    yield Case("bmp rle8 literal", lambda: bmp(8, literal + b"\0\1", compression=RLE8, palette=palette), COLOUR)
    odd = (bytes((0, 3, 1, 1, 1, 0, width - 3, 1)) + b"\0\0") * height
    yield Case("bmp rle8 odd literal", lambda: bmp(8, odd + b"\0\1", compression=RLE8, palette=palette), COLOUR)
    # 5 rows up and 4 columns on, then a run that covers the middle row from there, then down to it from the next
    delta = bytes((0, 2, 4, height // 2 - 1)) + bytes((width - 4, 1)) + b"\0\0" + bytes((width, 1)) + b"\0\1"
    yield Case("bmp rle8 delta", lambda: bmp(8, delta, compression=RLE8, palette=palette), COLOUR)
    nibbles = (bytes((width, 0x11)) + b"\0\0") * height
    yield Case("bmp rle4 runs", lambda: bmp(4, nibbles + b"\0\1", compression=RLE4, palette=palette), COLOUR)
    mixed = (
        bytes((4, 0x11, 0, width - 4)) + b"\x11" * ((width - 3) // 2) + bytes(-((width - 3) // 2) % 2) + b"\0\0"
    ) * height
    yield Case("bmp rle4 literal", lambda: bmp(4, mixed + b"\0\1", compression=RLE4, palette=palette), COLOUR)
    delta4 = bytes((0, 2, 4, height // 2 - 1)) + bytes((width - 4, 0x11)) + b"\0\0" + bytes((width, 0x11)) + b"\0\1"
    yield Case("bmp rle4 delta", lambda: bmp(4, delta4, compression=RLE4, palette=palette), COLOUR)
    short = (bytes((width, 1)) + b"\0\0") * 3
    yield Case("bmp rle8 cut", lambda: bmp(8, short, compression=RLE8, palette=palette), refusal="damaged")
    yield Case("bmp os2 rle24", lambda: bmp(24, rows(24, 0), header=OS2, compression=4), refusal="kind")
    yield Case(
        "bmp os2 huffman", lambda: bmp(1, rows(1, 0), header=OS2, compression=3, palette=palette[:2]), refusal="kind"
    )


def _flaws() -> Iterator[Case]:
    whole = rows(24, packed(BYTES[:3], COLOUR), (29, 20))  # 87 bytes and one that pads

    def make(cut: int = 0, **more: int) -> bytes:
        return bmp(24, whole[: len(whole) - cut], size=(29, 20), **more)

    length = {"flaws": ["its header states another length"]}
    yield Case("bmp that states no length", lambda: make(length=0), COLOUR, {"flaws": None})
    yield Case("bmp that states another length", lambda: make(length=77), COLOUR, length)
    yield Case(
        "bmp without its last padding",
        lambda: make(1),
        COLOUR,
        {"flaws": ["the bytes that pad its last row are missing"]},
    )
    yield Case("bmp without its last pixel", lambda: make(2), refusal="damaged")
    yield Case("bmp with bytes behind its end", lambda: make() + b"more", COLOUR, {"flaws": ["bytes follow its end"]})


CASES = [*_deep(), *_palette(), *_run_lengths(), *_flaws()]
