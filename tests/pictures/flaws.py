"""Files that have all of their pixels and something wrong about them, and files that lack pixels.

The pictures are made by this module or by Pillow; what is broken about them, byte by byte, here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from PIL import Image

from tests import images
from tests.pictures import tiff_flaws
from tests.pictures.case import Case
from tests.pictures.files import Refusal, cases, refusals, taken

COLOUR = (230, 30, 30)
SIZE = (40, 24)
SCAN_HEADER = bytes.fromhex("ffda0008010100003f00")
PHOTO = images.photo(60, 44)


def chunk(kind: bytes, content: bytes, *, wrong: bool = False) -> bytes:
    return len(content).to_bytes(4) + kind + content + (zlib.crc32(kind + content) ^ wrong).to_bytes(4)


def png(
    *,
    depth: int = 8,
    stream: Callable[[bytes], bytes] = lambda data: data,
    before: bytes = b"",
    wrong: bytes = b"",
    end: bytes | None = None,
) -> bytes:
    """A flat PNG. `stream` changes the compressed pixels, `wrong` names the chunk whose checksum is not right."""
    sample = struct.Struct(">H" if depth == 16 else "B")
    row = b"\0" + b"".join(sample.pack(value * (257 if depth == 16 else 1)) for value in COLOUR) * SIZE[0]
    header = struct.pack(">IIBBBBB", *SIZE, depth, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header, wrong=wrong == b"IHDR")
        + before
        + chunk(b"IDAT", stream(zlib.compress(row * SIZE[1])), wrong=wrong == b"IDAT")
        + (chunk(b"IEND", b"", wrong=wrong == b"IEND") if end is None else end)
    )


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def other_checksum(data: bytes) -> bytes:
    return data[:-4] + b"abcd"


def _png() -> Iterator[Case | Refusal]:
    text, end = chunk(b"tEXt", b"Comment\0x", wrong=True), chunk(b"IEND", b"")
    for depth in (8, 16):
        make, word = partial(png, depth=depth), f"png of {depth} bits, "
        for name, flaw, made in (
            ("wrong checksum of a text", "the checksum of its chunk tEXt is wrong", partial(make, before=text)),
            ("no end chunk", "the end chunk is missing", partial(make, end=b"")),
            ("cut in its end chunk", "the file ends inside its chunk IEND", partial(make, end=end[:8])),
            ("wrong checksum of its end", "the checksum of its chunk IEND is wrong", partial(make, wrong=b"IEND")),
            ("wrong checksum of its data", "the checksum of its chunk IDAT is wrong", partial(make, wrong=b"IDAT")),
            ("bytes behind its end", "bytes follow its end", partial(make, end=end + b"more")),
            ("wrong adler", "the checksum of its pixels is wrong", partial(make, stream=other_checksum)),
        ):
            yield taken(word + name, made, COLOUR, {"flaws": [flaw]})
        for name, made in (
            ("wrong checksum of its header", partial(make, wrong=b"IHDR")),
            ("half of its pixels", partial(make, stream=cut)),
            ("half of its pixels and no end", partial(make, stream=cut, end=b"")),
            ("both checksums wrong", partial(make, stream=other_checksum, wrong=b"IDAT")),
        ):
            yield Refusal(word + name, made, "damaged")
    yield from _unanimated(end)
    body = png(end=b"")
    for missing in (1, 4, 6, 8):  # of the checksums of the chunk and of the stream
        flaws = {"flaws": ["the file ends inside its chunk IDAT"]}
        yield taken(f"png without its last {missing} bytes", partial(bytes, body[:-missing]), COLOUR, flaws)
    yield Refusal("png cut in its pixels", partial(bytes, body[:-20]), "damaged")
    clear = chunk(b"tRNS", struct.pack(">HHH", *COLOUR), wrong=True)
    yield Refusal("png with a wrong checksum of its transparency", partial(png, before=clear), "tRNS")


def _unanimated(end: bytes) -> Iterator[Case]:
    """An animation that has no valid number of frames, or no control of its first: the default image remains."""
    control = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, *SIZE, 0, 0, 1, 10, 0, 0))
    frame = chunk(b"fdAT", bytes(4) + zlib.compress(b"other pixels"))
    said = {"flaws": ["its animation has no frames"], "frames": 1}
    for name, before, after in (
        ("without a control", chunk(b"acTL", struct.pack(">II", 1, 0)), frame),
        ("of no frames", chunk(b"acTL", bytes(8)), control + frame),
        ("of more frames than there can be", chunk(b"acTL", struct.pack(">II", 2**31 + 1, 0)), control + frame),
        ("that begins behind its image", b"", chunk(b"acTL", struct.pack(">II", 1, 0)) + control + frame),
    ):
        yield taken(f"png of an animation {name}", partial(png, before=before, end=after + end), COLOUR, said)


def jpeg(**options: object) -> bytes:
    return images.encode(Image.fromarray(np.full((48, 64, 3), COLOUR, "u1")), "JPEG", quality=95, **options)


def photo(kind: str, **options: object) -> bytes:
    return images.encode(Image.fromarray(PHOTO), kind, **options)


def without_last_scan() -> bytes:
    """A progressive JPEG of one colour without its last scan, which brings no coefficient but the last bits of some."""
    data = jpeg(progressive=True)
    return data[: data.rindex(b"\xff\xda")] + b"\xff\xd9"


def _jpeg() -> Iterator[Case | Refusal]:
    gray = images.encode(Image.new("L", (64, 48), 77), "JPEG")
    whole = {
        "": (jpeg(), COLOUR),
        " progressive": (jpeg(progressive=True), COLOUR),
        " of restarts": (jpeg(restart_marker_blocks=2), COLOUR),
        " in gray": (gray, (77, 77, 77)),
    }
    told = {"flaws": ["the end marker is missing"]}
    for name, (data, pixel) in whole.items():
        yield taken(f"jpeg{name} without its end", partial(bytes, data[:-2]), pixel, told)
        yield taken(f"jpeg{name} with half of its end", partial(bytes, data[:-1]), pixel, told)
        in_comment = data[:-2] + b"\xff\xfe\x15\x4fmore"
        yield taken(f"jpeg{name} that ends in a segment behind its scans", partial(bytes, in_comment), pixel, told)
        for size in (2, 3, 4, 7):
            in_header = data[:-2] + SCAN_HEADER[:size]
            word = f"jpeg{name} that ends behind {size} bytes of another scan"
            yield taken(word, partial(bytes, in_header), pixel, told)
    for progressive in (False, True):
        data = photo("JPEG", progressive=progressive)
        word = "progressive " if progressive else ""
        yield Refusal(f"{word}jpeg cut", partial(bytes, data[:-12]), "damaged")
        yield Refusal(f"{word}jpeg cut before a segment", partial(bytes, data[:-12] + b"\xff\xfe\x15\x4f"), "damaged")
        yield Refusal(f"{word}jpeg cut in half", partial(bytes, data[: len(data) * 2 // 3]), "damaged")
    last = data.rindex(SCAN_HEADER[:2])
    for size in (0, 2, 3, 7):
        yield Refusal(f"jpeg without its last scan but {size} bytes", partial(bytes, data[: last + size]), "damaged")
    short = without_last_scan()
    told = {"flaws": ["not all of its scans are there"]}
    yield taken("jpeg without its last scans, with an end", partial(bytes, short), COLOUR, told)
    stray = {"flaws": ["bytes between its segments belong to none"]}
    yield taken("jpeg with bytes before a marker", partial(between, b"\1\2\3"), COLOUR, stray)
    yield taken("jpeg with fill bytes", partial(between, b"\xff\xff"), COLOUR, {"flaws": None})
    yield taken("jpeg with bytes behind its end", partial(bytes, jpeg() + b"more"), COLOUR, {"flaws": None})
    yield Refusal("jpeg of 12 bits", twelve_bits, "12 bits")


def twelve_bits() -> bytes:
    """The precision in the frame header alone: what follows is not looked at."""
    data = bytearray(jpeg())
    start = data.index(b"\xff\xc0")
    data[start + 1], data[start + 4] = 0xC1, 12
    return bytes(data)


def between(content: bytes) -> bytes:
    """A JPEG with `content` between its first segment and the next."""
    data = jpeg()
    end = 4 + int.from_bytes(data[4:6])
    return data[:end] + content + data[end:]


def _gif() -> Iterator[Case | Refusal]:
    gif = images.encode(Image.new("RGB", SIZE, COLOUR), "GIF")
    noise = images.encode(Image.fromarray(PHOTO).quantize(200), "GIF")
    frames = [images.flat(*SIZE, colour) for colour in (COLOUR, (0, 90, 0), (0, 0, 90), (90, 90, 0))]
    moving = images.animation(frames, "GIF", duration=100)
    drawn = images.animation(images.moving(count=4), "GIF", duration=100)
    missing = "the trailer is missing"
    yield taken("gif without its trailer", partial(bytes, gif[:-1]), COLOUR, {"flaws": [missing]})
    both = {"flaws": [missing, "the data of its last frame have no end"]}
    yield taken("gif without its last terminator", partial(bytes, gif[:-2]), COLOUR, both)
    stray = {"flaws": ["bytes between its blocks belong to none"]}
    yield taken("gif with two terminators", partial(bytes, gif[:-1] + b"\0;"), COLOUR, stray)
    yield taken(
        "gif with bytes behind its end", partial(bytes, gif + b"more"), COLOUR, {"flaws": ["bytes follow its end"]}
    )
    said = {"flaws": [missing], "frames": 4}
    yield taken("gif of frames without its trailer", partial(bytes, moving[:-1]), COLOUR, said)
    yield Refusal("gif cut in its pixels", partial(bytes, noise[:-60]), "damaged")
    yield Refusal("gif of frames cut in its last", partial(bytes, drawn[:-20]), "damaged")


def stating(data: bytes, change: int) -> bytes:
    """A WebP whose header states another length than it did."""
    return data[:4] + (int.from_bytes(data[4:8], "little") + change).to_bytes(4, "little") + data[8:]


def padded_webp() -> bytes:
    """Of an odd length before its padding."""
    sizes = ((width, 20) for width in range(16, 200))
    made = (images.encode(Image.new("RGB", size, COLOUR), "WEBP", lossless=True) for size in sizes)
    return next(data for data in made if int.from_bytes(data[16:20], "little") % 2)


def _webp() -> Iterator[Case | Refusal]:
    webp = padded_webp()
    length = {"flaws": ["its header states another length"]}
    padding = {"flaws": ["the last byte, which pads, is missing"]}
    yield taken("webp without its padding", partial(bytes, webp[:-1]), COLOUR, padding)
    yield taken("webp without its padding, counted so", partial(stating, webp[:-1], -1), COLOUR, length)
    for change in (-1, -10, 500):
        yield taken(f"webp that states {change:+} bytes", partial(stating, webp, change), COLOUR, length)
    yield taken(
        "webp with bytes behind its end", partial(bytes, webp + b"more"), COLOUR, {"flaws": ["bytes follow its end"]}
    )
    tagged = images.encode(Image.new("RGB", SIZE, COLOUR), "WEBP", exif=images.exif(1))
    behind = {"flaws": ["the file ends inside its chunk EXIF"]}
    yield taken("webp cut behind its image", partial(bytes, tagged[:-6]), COLOUR, behind, tolerance=8)
    yield Refusal("webp cut", partial(bytes, photo("WEBP")[:-40]), "damaged")
    moving = images.animation(images.moving(count=4), "WEBP", duration=100)
    yield Refusal("webp of frames without its last", partial(bytes, moving[: moving.rindex(b"ANMF")]), "damaged")


_ALL = [*_png(), *_jpeg(), *_gif(), *_webp(), *tiff_flaws.ALL]
CASES, REFUSED = cases(_ALL), refusals(_ALL)
