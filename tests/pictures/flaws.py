"""Files that have all of their pixels and something wrong about them, and files that lack pixels.

The pictures are made by this module or by Pillow; what is broken about them, byte by byte, here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from tests import images
from tests.pictures.case import Case

COLOUR = (230, 30, 30)
SIZE = (40, 24)
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


def _png() -> Iterator[Case]:
    text = chunk(b"tEXt", b"Comment\0x", wrong=True)
    for depth in (8, 16):

        def whole(name: str, flaw: str, depth: int = depth, **how: object) -> Case:
            return Case(f"png {depth} {name}", lambda: png(depth=depth, **how), COLOUR, {"flaws": [flaw]})  # type: ignore[arg-type]

        def cut(name: str, depth: int = depth, **how: object) -> Case:
            return Case(f"png {depth} {name}", lambda: png(depth=depth, **how), refusal="damaged")  # type: ignore[arg-type]

        yield whole("wrong checksum of a text", "the checksum of its chunk tEXt is wrong", before=text)
        yield whole("no end chunk", "the end chunk is missing", end=b"")
        yield whole("cut in its end chunk", "the file ends inside its chunk IEND", end=b"\0\0\0\0IEN" + b"D")
        yield whole("wrong checksum of its end", "the checksum of its chunk IEND is wrong", wrong=b"IEND")
        yield whole("wrong checksum of its pixels' chunk", "the checksum of its chunk IDAT is wrong", wrong=b"IDAT")
        yield whole("bytes behind its end", "bytes follow its end", end=chunk(b"IEND", b"") + b"more")
        yield whole("wrong adler", "the checksum of its pixels is wrong", stream=lambda data: data[:-4] + b"abcd")
        yield cut("wrong checksum of its header", wrong=b"IHDR")
        yield cut("half of its pixels", stream=lambda data: data[: len(data) // 2])
        yield cut("half of its pixels and no end", stream=lambda data: data[: len(data) // 2], end=b"")
        yield cut("both checksums wrong", stream=lambda data: data[:-4] + b"abcd", wrong=b"IDAT")
    body = png(end=b"")
    for missing in (1, 4, 6, 8):  # of the checksums of the chunk and of the stream
        flaws = {"flaws": ["the file ends inside its chunk IDAT"]}
        yield Case(f"png without its last {missing} bytes", lambda missing=missing: body[:-missing], COLOUR, flaws)
    yield Case("png cut in its pixels", lambda: body[:-20], refusal="damaged")
    clear = chunk(b"tRNS", struct.pack(">HHH", *COLOUR), wrong=True)
    yield Case("png wrong checksum of its transparency", lambda: png(before=clear), refusal="tRNS")


def jpeg(**options: object) -> bytes:
    return images.encode(Image.fromarray(np.full((48, 64, 3), COLOUR, "u1")), "JPEG", quality=95, **options)


def photo(kind: str, **options: object) -> bytes:
    return images.encode(Image.fromarray(PHOTO), kind, **options)


def _jpeg() -> Iterator[Case]:
    kinds = {"": {}, " progressive": {"progressive": True}, " restarts": {"restart_marker_blocks": 2}, " gray": {}}
    for name, options in kinds.items():

        def make(options: dict[str, object] = options, name: str = name) -> bytes:
            if name == " gray":
                return images.encode(Image.new("L", (64, 48), 77), "JPEG")
            return jpeg(**options)

        pixel = (77, 77, 77) if name == " gray" else COLOUR
        told = {"flaws": ["the end marker is missing"]}
        yield Case(f"jpeg{name} without its end", lambda make=make: make()[:-2], pixel, told)
        yield Case(f"jpeg{name} with half of its end", lambda make=make: make()[:-1], pixel, told)
        yield Case(f"jpeg{name} cut", lambda options=options: photo("JPEG", **options)[:-12], refusal="damaged")
        yield Case(f"jpeg{name} cut in half", lambda options=options: half(photo("JPEG", **options)), refusal="damaged")
    yield Case(
        "jpeg without its last scan", lambda: without_last_scan(photo("JPEG", progressive=True)), refusal="damaged"
    )
    stray = {"flaws": ["bytes between its segments belong to none"]}
    yield Case("jpeg with bytes before a marker", lambda: between(b"\x01\x02\x03"), COLOUR, stray)
    yield Case("jpeg with fill bytes", lambda: between(b"\xff\xff"), COLOUR, {"flaws": None})
    yield Case("jpeg with bytes behind its end", lambda: jpeg() + b"more", COLOUR, {"flaws": None})
    yield Case("jpeg of 12 bits", twelve_bits, refusal="12 bits")


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


def half(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def without_last_scan(data: bytes) -> bytes:
    return data[: data.rindex(b"\xff\xda")]


def _gif() -> Iterator[Case]:
    def gif(**options: object) -> bytes:
        return images.encode(Image.new("RGB", SIZE, COLOUR), "GIF", **options)

    def noise() -> bytes:
        return images.encode(Image.fromarray(PHOTO).quantize(200), "GIF")

    missing = "the trailer is missing"
    yield Case("gif without its trailer", lambda: gif()[:-1], COLOUR, {"flaws": [missing]})
    cut = [missing, "the data of its last frame have no end"]
    yield Case("gif without its last terminator", lambda: gif()[:-2], COLOUR, {"flaws": cut})
    yield Case(
        "gif with two terminators",
        lambda: gif()[:-1] + b"\0;",
        COLOUR,
        {"flaws": ["bytes between its blocks belong to none"]},
    )
    yield Case("gif with bytes behind its end", lambda: gif() + b"more", COLOUR, {"flaws": ["bytes follow its end"]})
    yield Case("gif cut in its pixels", lambda: noise()[:-60], refusal="damaged")

    def moving() -> bytes:
        return images.animation(images.moving(count=4), "GIF", duration=100)

    yield Case(
        "gif of frames without its trailer",
        lambda: moving()[:-1],
        moving_pixel(),
        {"flaws": [missing], "frames": 4},
        tolerance=6,
    )
    yield Case("gif of frames cut in its last", lambda: moving()[:-20], refusal="damaged")


def moving_pixel() -> tuple[int, ...]:
    frame = images.moving(count=4)[0]
    image = frame if isinstance(frame, Image.Image) else Image.fromarray(frame)
    return tuple(image.convert("RGB").getpixel((image.width // 2, image.height // 2)))  # type: ignore[arg-type]


def _webp() -> Iterator[Case]:
    def webp() -> bytes:
        """Of an odd length before its padding."""
        for width in range(16, 200):
            data = images.encode(Image.new("RGB", (width, 20), COLOUR), "WEBP", lossless=True)
            if int.from_bytes(data[16:20], "little") % 2:
                return data
        raise AssertionError("no width gives an odd length")

    def sized(data: bytes, change: int) -> bytes:
        return data[:4] + (int.from_bytes(data[4:8], "little") + change).to_bytes(4, "little") + data[8:]

    length = {"flaws": ["its header states another length"]}
    yield Case(
        "webp without its padding", lambda: webp()[:-1], COLOUR, {"flaws": ["the last byte, which pads, is missing"]}, 8
    )
    yield Case("webp without its padding, counted so", lambda: sized(webp(), -1)[:-1], COLOUR, length, 8)
    yield Case("webp that states one byte less", lambda: sized(webp(), -1), COLOUR, length, 8)
    yield Case("webp that states a few bytes less", lambda: sized(webp(), -10), COLOUR, length, 8)
    yield Case("webp that states more", lambda: sized(webp(), 500), COLOUR, length, 8)
    yield Case(
        "webp with bytes behind its end", lambda: webp() + b"more", COLOUR, {"flaws": ["bytes follow its end"]}, 8
    )
    yield Case("webp cut", lambda: photo("WEBP")[:-40], refusal="damaged")
    exif = images.exif(1)
    yield Case(
        "webp cut behind its image",
        lambda: images.encode(Image.new("RGB", SIZE, COLOUR), "WEBP", exif=exif)[:-6],
        COLOUR,
        {"flaws": ["the file ends inside its chunk EXIF"]},
        8,
    )

    def moving() -> bytes:
        return images.animation(images.moving(count=4), "WEBP", duration=100)

    yield Case("webp of frames without its last", lambda: moving()[: moving().rindex(b"ANMF")], refusal="damaged")


CASES = [*_png(), *_jpeg(), *_gif(), *_webp()]
