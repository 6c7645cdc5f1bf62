"""GIFs and APNGs of frames that are parts, written by this module alone, and what each frame shows by the standards.

The expected pictures are composed here with numpy: GIF89a, 18 to 23, and PNG's third edition, 11.3.6.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tests.pictures.case import Case
from tests.pictures.files import Refusal, taken

Canvas = NDArray[np.float64]
SIZE = (24, 16)
RED, GREEN, BLUE, NONE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
PALE = (200, 100, 0, 128)
KEEP, CLEAR, RESTORE = "keep", "clear", "restore"


@dataclass(frozen=True)
class Piece:
    """One frame: a rectangle of one colour on the canvas, a delay in hundredths of a second, and what follows it."""

    box: tuple[int, int, int, int]
    colour: tuple[int, int, int, int]
    delay: int = 10
    disposal: str = KEEP
    over: bool = True


def composed(pieces: Sequence[Piece], size: tuple[int, int] = SIZE) -> list[NDArray[np.uint8]]:
    """What each frame shows, height x width x RGBA."""
    canvas: Canvas = np.zeros((size[1], size[0], 4))
    shown = []
    for piece in pieces:
        left, top, width, height = piece.box
        place = np.s_[top : top + height, left : left + width]
        before = canvas.copy()
        new = np.array(piece.colour, float)
        if piece.over:
            under, alpha = canvas[place], new[3] / 255
            through = under[..., 3:] / 255 * (1 - alpha)
            total = alpha + through
            colour = (new[:3] * alpha + under[..., :3] * through) / np.where(total == 0, 1, total)
            canvas[place] = np.concatenate([colour, total * 255], -1)
        else:
            canvas[place] = new
        shown.append(canvas.round().astype(np.uint8))
        if piece.disposal == CLEAR:
            canvas[place] = 0
        elif piece.disposal == RESTORE:
            canvas = before
    return shown


def gif(pieces: Sequence[Piece], size: tuple[int, int] = SIZE, loops: int | None = 0, trailer: bytes = b";") -> bytes:
    """Each frame has a table of its own of four colours: its own colour is 1, and 0 is transparent."""
    data = b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0)
    if loops is not None:
        data += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", loops) + b"\0"
    for piece in pieces:
        disposal = {KEEP: 1, CLEAR: 2, RESTORE: 3}[piece.disposal]
        data += b"\x21\xf9\x04" + struct.pack("<BHB", disposal << 2 | 1, piece.delay, 0) + b"\0"
        data += b"," + struct.pack("<HHHHB", *piece.box, 0x81)
        data += bytes(3) + bytes(piece.colour[:3]) + bytes(6)
        data += b"\x02" + lzw([0 if piece.colour[3] == 0 else 1] * (piece.box[2] * piece.box[3])) + b"\0"
    return data + trailer


def lzw(indices: Sequence[int]) -> bytes:
    """Indices of two bits in codes of three: a clear code (4) after every two, so that the width never grows."""
    codes = [code for i in range(0, len(indices), 2) for code in (4, *indices[i : i + 2])] + [5]
    bits = sum(code << 3 * place for place, code in enumerate(codes))
    packed = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    return b"".join(bytes([len(packed[i : i + 255])]) + packed[i : i + 255] for i in range(0, len(packed), 255))


def apng(
    pieces: Sequence[Piece],
    *,
    size: tuple[int, int] = SIZE,
    hidden: tuple[int, int, int, int] | None = None,
    depth: int = 8,
    plays: int = 0,
    frames: int | None = None,
    shuffled: bool = False,
    misnumbered: bool = False,
) -> bytes:
    """RGBA; a `hidden` default image of one colour, else the first frame is it.

    `shuffled` turns the order of all parts behind the default image about, with the data of each frame cut in two;
    their sequence numbers stay right. `misnumbered` exchanges those instead.
    """
    count = len(pieces) if frames is None else frames
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, 6, 0, 0, 0))
    data += chunk(b"acTL", struct.pack(">II", count, plays))
    if hidden:
        data += chunk(b"IDAT", rectangle(size, hidden, depth))
    number, parts = 0, list[bytes]()
    for index, piece in enumerate(pieces):
        left, top, width, height = piece.box
        disposal = {KEEP: 0, CLEAR: 1, RESTORE: 2}[piece.disposal]
        control = struct.pack(">IIIIIHHBB", number, width, height, left, top, piece.delay, 100, disposal, piece.over)
        pixels = rectangle((width, height), piece.colour, depth)
        number += 1
        if index == 0 and not hidden:
            data += chunk(b"fcTL", control) + chunk(b"IDAT", pixels)
            continue
        parts.append(chunk(b"fcTL", control))
        halves = (pixels[:9], pixels[9:]) if shuffled or misnumbered else (pixels,)
        numbers = range(number, number + len(halves))
        for half, given in zip(halves, reversed(numbers) if misnumbered else numbers, strict=True):
            parts.append(chunk(b"fdAT", given.to_bytes(4) + half))
        number = numbers.stop
    return data + b"".join(reversed(parts) if shuffled else parts) + chunk(b"IEND", b"")


def rectangle(size: tuple[int, int], colour: Sequence[int], depth: int) -> bytes:
    pixel = b"".join((value * 257).to_bytes(2) if depth == 16 else bytes([value]) for value in colour)
    return zlib.compress((b"\0" + pixel * size[0]) * size[1])


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


def huge_frames(count: int) -> bytes:
    """Frames of 9,000 by 9,000 pixels on a small screen, of which no data are there to decode."""
    control, descriptor = b"\x21\xf9\x04\x04\0\0\0\0", b"," + struct.pack("<HHHHB", 0, 0, 9000, 9000, 0x81)
    frame = control + descriptor + bytes(12) + b"\x02" + lzw([1, 1]) + b"\0"
    return b"GIF89a" + struct.pack("<HHBBB", *SIZE, 0x70, 0, 0) + frame * count + b";"


WHOLE = (0, 0, *SIZE)
MIDDLE = (6, 4, 12, 8)

SEQUENCES: dict[str, list[Piece]] = {
    "whole frames": [Piece(WHOLE, RED), Piece(WHOLE, GREEN, 25), Piece(WHOLE, BLUE)],
    "parts": [Piece(WHOLE, RED), Piece(MIDDLE, GREEN), Piece((8, 6, 4, 4), BLUE)],
    "cleared": [Piece(WHOLE, RED), Piece(MIDDLE, GREEN, disposal=CLEAR), Piece((0, 0, 3, 3), BLUE)],
    "first cleared": [Piece(WHOLE, RED, disposal=CLEAR), Piece((0, 0, 3, 3), BLUE)],
    "restored": [Piece(WHOLE, RED), Piece(MIDDLE, GREEN, disposal=RESTORE), Piece((0, 0, 3, 3), BLUE)],
    "first restored": [Piece(WHOLE, RED, disposal=RESTORE), Piece((0, 0, 3, 3), BLUE)],
    "restored twice": [
        *(Piece(WHOLE, RED, disposal=RESTORE), Piece(MIDDLE, GREEN, disposal=RESTORE), Piece((0, 0, 3, 3), BLUE))
    ],
    "uncovered": [Piece(MIDDLE, RED), Piece((0, 0, 10, 10), GREEN)],
    "nothing drawn": [Piece(WHOLE, RED), Piece(MIDDLE, NONE), Piece((0, 0, 3, 3), BLUE)],
}  # fmt: skip
BLENDED: dict[str, list[Piece]] = {
    "translucent over": [Piece(WHOLE, RED), Piece(MIDDLE, PALE), Piece(MIDDLE, PALE)],
    "translucent over nothing": [Piece(MIDDLE, PALE), Piece((8, 6, 4, 4), PALE)],
    "replaced": [Piece(WHOLE, RED, over=False), Piece(MIDDLE, PALE, over=False), Piece((8, 6, 4, 4), NONE, over=False)],
}


def delays(pieces: Sequence[Piece]) -> int:
    return sum(10 * piece.delay for piece in pieces)


def _cut() -> Iterator[Case]:
    """Frames that reach beyond the screen of a GIF."""
    beyond = [Piece(WHOLE, RED), Piece((20, 12, 30, 30), GREEN)]
    larger = [Piece((0, 0, 60, 50), RED), Piece(MIDDLE, GREEN)]
    outside = [Piece(WHOLE, RED), Piece((60, 60, 5, 5), GREEN)]
    for name, pieces in {"beyond": beyond, "larger": larger, "outside": outside}.items():
        yield taken(f"gif {name}", partial(gif, pieces), RED, {"frames": 2}, size=SIZE, full="png")
    yield taken("gif without a screen", partial(gif, [Piece(WHOLE, RED)], (0, 0)), RED, size=SIZE, full="png")


def _moving() -> Iterator[Case]:
    """The first frame of each, and what @meta.json says of all."""
    for name, pieces in {**SEQUENCES, **BLENDED}.items():
        middle = tuple(int(value) for value in composed(pieces)[0][SIZE[1] // 2, SIZE[0] // 2])
        meta = {"frames": len(pieces), "duration": delays(pieces)}
        if name in SEQUENCES:
            yield taken(f"gif {name}", partial(gif, pieces), middle, meta, size=SIZE)
        if pieces[0].box == WHOLE:  # as the default image must be
            yield taken(f"apng {name}", partial(apng, pieces), middle, meta, size=SIZE)
        hidden = partial(apng, pieces, hidden=(9, 9, 9, 255))
        yield taken(f"apng hidden {name}", hidden, middle, meta, size=SIZE, full="webp")
    one = [Piece(WHOLE, RED)]
    yield taken("apng of one frame", partial(apng, one), RED, {"frames": 1, "duration": None}, size=SIZE)
    hidden = partial(apng, one, hidden=GREEN)
    yield taken("apng of one frame and a hidden image", hidden, RED, {"frames": 1}, size=SIZE, full="webp")
    for name, pieces in {name: SEQUENCES[name] for name in ("whole frames", "parts", "restored twice")}.items():
        flawed = {"frames": 3, "duration": delays(pieces), "flaws": ["the parts of its animation are out of order"]}
        for screen in (None, GREEN):
            shuffled = partial(apng, pieces, hidden=screen, shuffled=True)
            full = "webp" if screen else ""
            yield taken(f"apng out of order {name} {screen}", shuffled, RED, flawed, size=SIZE, full=full)
    yield taken("apng of 16 bits", partial(apng, SEQUENCES["parts"], depth=16), RED, {"frames": 3}, size=SIZE)


CASES = [*_cut(), *_moving()]
REFUSED = [
    Refusal("gif of a frame far larger than its screen", partial(huge_frames, 3), "more pixels"),
    Refusal("apng of fewer frames than it says", partial(apng, [Piece(WHOLE, RED)], frames=2), "frame"),
]
