"""A secret in every place of a file that decoding does not need; `@full` has the same pixels, and none of it."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PIL.JpegImagePlugin import JpegImageFile

from service.engine.headers.isobmff import Box
from tests import images
from tests.engine.deriving import derive
from tests.images import png_chunk
from tests.metadata import SECRET

PLANTED = SECRET.encode()
LONG = PLANTED * 40
SMALL = images.photo(64, 48)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def before_scan(data: bytes, planted: bytes) -> bytes:
    at = data.index(b"\xff\xda")
    return data[:at] + planted + data[at:]


def between_restarts(data: bytes) -> bytes:
    """Up to 16 bytes are left over before a restart, which no decoder minds."""
    head, scan = data[: data.index(b"\xff\xda")], data[data.index(b"\xff\xda") :]
    return head + re.sub(rb"(\xff[\xd0-\xd7])", PLANTED + rb"\1", scan)


def in_a_table(data: bytes) -> bytes:
    values = LONG[:64]
    return before_scan(data, segment(0xDB, b"\x03" + values) + segment(0xC4, b"\x13" + bytes(15) + b"\x40" + values))


RESTARTS = images.jpeg(SMALL, restart_marker_blocks=2)
PLAIN = images.jpeg(SMALL)
SCAN = b"\xff\xda"
JPEGS: dict[str, bytes] = {
    "DNL": PLAIN[:-2] + segment(0xDC, LONG) + PLAIN[-2:],
    "between restarts": between_restarts(RESTARTS),
    "in unused tables": in_a_table(PLAIN),
    "behind the last code": PLAIN[:-2] + PLANTED + PLAIN[-2:],
    "in the comment of a scan": images.jpeg(SMALL, progressive=True).replace(
        b"\xff\xda", segment(0xFE, LONG) + b"\xff\xda"
    ),
    "JFIF": PLAIN[:2] + segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\4\1" + PLANTED) + PLAIN[20:],
}


def chunked(data: bytes, kind: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A PNG with the content of its chunks of a kind changed, all of it in one chunk, CRC and all."""
    at, parts, content = 8, [data[:8]], b""
    while at < len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name == kind:
            content += data[at + 8 : at + 8 + size]
        else:
            if content:
                parts.append(png_chunk(kind, change(content)))
                content = b""
            parts.append(data[at : at + 12 + size])
        at += 12 + size
    return b"".join(parts)


def inside(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda packed: zlib.compress(change(zlib.decompress(packed)), 0)


def one_bit() -> bytes:
    """9 pixels a row, so that the seven bits behind them are free: a letter in each row, interlaced with nothing."""
    rows = b"".join(b"\0\xa5" + bytes([0x80 | letter]) for letter in PLANTED)
    header = struct.pack(">IIBBBBB", 9, len(PLANTED), 1, 0, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def twice(data: bytes) -> bytes:
    """gAMA as it should be, and again with other values."""
    values = (b"\0\0\xb1\x8f", *(LONG[i : i + 4] for i in range(0, 24, 4)))
    return data[:33] + b"".join(png_chunk(b"gAMA", value) for value in values) + data[33:]


PNG = images.png(SMALL)
FRAME = png_chunk(b"fcTL", LONG[:26]) + png_chunk(b"fdAT", LONG)
PALETTE = images.png_palette(64, 48, 16, transparent=True)
PNGS: dict[str, bytes] = {
    "behind the zlib stream": chunked(PNG, b"IDAT", lambda packed: packed + LONG),
    "in rows below the image": chunked(PNG, b"IDAT", inside(lambda rows: rows + LONG)),
    "IDAT behind the stream": PNG[:-12] + png_chunk(b"IDAT", LONG) + PNG[-12:],
    "in colours that are not used": chunked(PALETTE, b"PLTE", lambda colours: (colours + LONG)[:768]),
    "in alpha that is not used": chunked(PALETTE, b"tRNS", lambda alpha: (alpha + bytes(14) + LONG)[:256]),
    "in a palette without use": PNG[:33] + png_chunk(b"PLTE", LONG[:480]) + PNG[33:],
    "in colour that stands twice": twice(PNG),
    "in frames behind the last": images.apng()[:-12] + FRAME + images.apng()[-12:],
    "behind the stream of a frame": chunked(images.apng(2), b"fdAT", lambda packed: packed + LONG),
}


def gif_of(blocks: Callable[[bytes], bytes]) -> bytes:
    """A GIF whose sub-blocks of the first image are others."""
    data = images.gif(64, 48)
    start = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1)) + 11
    return data[:start] + blocks(data[start:-1]) + b";"


def sub_blocks(content: bytes) -> bytes:
    return b"".join(bytes([len(content[i : i + 255])]) + content[i : i + 255] for i in range(0, len(content), 255))


LOOP = b"\x21\xff\x0bNETSCAPE2.0"
GIFS: dict[str, bytes] = {
    "behind the codes": gif_of(lambda blocks: blocks[:-1] + sub_blocks(LONG) + b"\0"),
    "in loops": images.gif_animated(2).replace(LOOP, LOOP + b"\3\1xy\0" + LOOP, 1),
    "behind the trailer": images.gif(64, 48) + LONG,
}


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def content_of(webp: bytes, kind: bytes) -> bytes:
    at = webp.index(kind, 12)
    return webp[at + 8 : at + 8 + int.from_bytes(webp[at + 4 : at + 8], "little")]


def webp_in_first_partition() -> bytes:
    coded = content_of(images.webp(SMALL), b"VP8 ")
    tag = int.from_bytes(coded[:3], "little")
    first = 10 + (tag >> 5)
    tag += len(LONG) << 5
    return riff(chunk(b"VP8 ", tag.to_bytes(3, "little") + coded[3:first] + LONG + coded[first:]))


CLEAR = images.webp_alpha(64, 48)
HEAD = chunk(b"VP8X", b"\x10\0\0\0" + (63).to_bytes(3, "little") + (47).to_bytes(3, "little"))
ALPHA, COLOUR = content_of(CLEAR, b"ALPH"), chunk(b"VP8 ", content_of(CLEAR, b"VP8 "))
WEBPS: dict[str, bytes] = {
    "behind the codes": riff(chunk(b"VP8 ", content_of(images.webp(SMALL), b"VP8 ") + LONG)),
    "behind the modes": webp_in_first_partition(),
    "behind lossless codes": riff(chunk(b"VP8L", content_of(images.webp(SMALL, lossless=True), b"VP8L") + LONG)),
    "behind the alpha": riff(HEAD, chunk(b"ALPH", ALPHA + LONG), COLOUR),
    "in a chunk of its own": riff(HEAD, chunk(b"ALPH", ALPHA), COLOUR, chunk(b"SECR", LONG)),
}


def avif_box(data: bytes, *path: bytes) -> Box:
    """The first box of each kind on the way."""
    start, end, found = 0, len(data), Box(b"", 0, len(data))
    for kind in path:
        at = start
        while at < end:
            size = int.from_bytes(data[at : at + 4])
            if data[at + 4 : at + 8] == kind:
                found = Box(kind, at + 8, at + size)
                break
            at += size
        start, end = found.start + (4 if kind == b"meta" else 0), found.end
    return found


def with_units(units: bytes) -> bytes:
    """An AVIF of one picture whose coded data have more units in them."""
    data = images.avif(SMALL)
    media = avif_box(data, b"mdat")
    return with_coded(data, data[media.start : media.end] + units)


def unit(kind: int, content: bytes) -> bytes:
    """An OBU (AV1 specification, 5.3) with its length."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([kind << 3 | 2]) + length + bytes([size]) + content


def behind_the_tile() -> bytes:
    """The frame's unit is the last of three; its length is made that of more bytes."""
    data = images.avif(SMALL)
    media = avif_box(data, b"mdat")
    coded, at = data[media.start : media.end], 0
    while True:
        size, shift, end = 0, 0, at + 1
        while True:
            size, shift, end = size | (coded[end] & 127) << shift, shift + 7, end + 1
            if not coded[end - 1] & 128:
                break
        if end + size == len(coded):
            break
        at = end + size
    return with_coded(data, coded[:at] + unit(coded[at] >> 3 & 15, coded[end:] + LONG))


def with_coded(data: bytes, coded: bytes) -> bytes:
    media, iloc = avif_box(data, b"mdat"), avif_box(data, b"meta", b"iloc")
    location = data[iloc.start : iloc.end].replace(
        struct.pack(">I", media.end - media.start), struct.pack(">I", len(coded))
    )
    start = data[: iloc.start] + location + data[iloc.end : media.start - 8]
    return start + struct.pack(">I", len(coded) + 8) + b"mdat" + coded


AVIFS: dict[str, bytes] = {
    "Exif and XMP": images.avif(SMALL, exif=images.exif() + LONG, xmp=b"<x>" + LONG + b"</x>"),
    "free": images.avif(SMALL) + struct.pack(">I", 8 + len(LONG)) + b"free" + LONG,
    "uuid": images.avif(SMALL) + struct.pack(">I", 24 + len(LONG)) + b"uuid" + bytes(16) + LONG,
    "bytes of no item": images.avif(SMALL) + struct.pack(">I", 8 + len(LONG)) + b"mdat" + LONG,
    "a unit of metadata": with_units(unit(5, b"\4\xb5" + LONG)),
    "a unit of padding": with_units(unit(15, LONG)),
    "behind the codes of a tile": behind_the_tile(),
}
CASES = {
    (kind, name): data
    for kind, found in {"jpg": JPEGS, "png": PNGS, "gif": GIFS, "webp": WEBPS, "avif": AVIFS}.items()
    for name, data in found.items()
}


def shown(data: bytes) -> list[bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_none_of_it_leaves_and_every_pixel_does(case: tuple[str, str]) -> None:
    kind, data = case[0], CASES[case]
    made = derive(data, "", kind).data
    assert PLANTED not in made
    assert PLANTED[:5] not in made
    assert shown(made) == shown(data)


@pytest.mark.parametrize("case", [case for case in CASES if case[0] != "png"], ids=" ".join)
def test_the_copy_has_no_room_for_it(case: tuple[str, str]) -> None:
    data = CASES[case]
    assert len(derive(data, "", case[0]).data) <= len(data)


def test_bits_behind_the_pixels_of_a_row_are_zero() -> None:
    data = one_bit()
    made = derive(data, "", "png").data
    at = made.index(b"IDAT")
    rows = zlib.decompress(made[at + 4 : at + 4 + int.from_bytes(made[at - 4 : at])])
    assert set(rows[2::3]) == {0x80}
    assert shown(made) == shown(data)


def test_a_png_that_is_minimal_keeps_its_compressed_data() -> None:
    data = images.png(images.photo(), compress_level=9)
    made = derive(data, "", "png").data
    assert _compressed(made) == _compressed(data)


def _compressed(png: bytes) -> bytes:
    at, content = 8, b""
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        content += png[at + 8 : at + 8 + size] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + size
    return content


def test_the_coefficients_of_a_jpeg_stay() -> None:
    """The same quantisation, the same samples in luma and chroma."""
    for data in (PLAIN, RESTARTS, images.jpeg(progressive=True), images.jpeg_ycck()):
        made = derive(data, "", "jpg").data
        with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(made)) as after:
            assert isinstance(before, JpegImageFile)
            assert isinstance(after, JpegImageFile)
            assert before.quantization == after.quantization
            before.draft("YCbCr", None)
            after.draft("YCbCr", None)
            assert np.array_equal(np.asarray(before), np.asarray(after))


def test_an_avif_is_copied_and_not_encoded_anew() -> None:
    data = images.avif(images.photo(), exif=images.exif(), quality=60)
    made = derive(data, "", "avif").data
    media = avif_box(made, b"mdat")
    assert made[media.start : media.end] in data
    assert len(made) < len(data)
    assert {box.kind for box in _boxes(made)} == {b"ftyp", b"meta", b"mdat"}


def _boxes(data: bytes) -> list[Box]:
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        found.append(Box(data[at + 4 : at + 8], at + 8, at + size))
        at += size
    return found
