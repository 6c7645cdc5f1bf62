"""An AVIF whose pictures are larger than it says is refused before it is decoded, wherever they lie in the file."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.engine.headers import av1
from service.engine.headers.av1_items import PADDING
from service.engine.job import Undecodable
from service.engine.recognise import recognise
from tests import images
from tests.waiting import little_work

Pixels = tuple[int, int]


def animation(size: Pixels) -> bytes:
    """A sequence, whose header is not the short one of still pictures."""
    noise = np.random.default_rng(1).integers(0, 256, (3, size[1], size[0], 3), np.uint8)
    first, *others = map(Image.fromarray, noise)
    buffer = io.BytesIO()
    first.save(buffer, "AVIF", save_all=True, append_images=others, speed=10)
    return buffer.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def in_pieces(size: Pixels, *, idat: bool = False, pieces: int = 1) -> bytes:
    """An AVIF written here, as ISO/IEC 23008-12 and 14496-12 have it: its data in the header, or in several pieces."""
    whole = images.avif(images.flat(*size))
    start = whole.index(b"mdat") + 4
    data = whole[start:]

    def extents(at: int) -> bytes:
        ends = [len(data) * part // pieces for part in range(pieces + 1)]
        return b"".join(struct.pack(">II", at + a, b - a) for a, b in itertools.pairwise(ends))

    def meta(at: int) -> bytes:
        config = whole[whole.index(b"av1C") - 4 :][:12]
        properties = box(b"ispe", bytes(4) + struct.pack(">II", *size)) + config
        place = struct.pack(">IHHHHHH", 1 << 24, 0x4400, 1, 1, int(idat), 0, pieces) + extents(at)
        parts = (
            box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
            box(b"pitm", bytes(4) + struct.pack(">H", 1)),
            box(b"iloc", place),
            box(
                b"iinf", bytes(4) + struct.pack(">H", 1) + box(b"infe", struct.pack(">IHH", 2 << 24, 1, 0) + b"av01\0")
            ),
            box(
                b"iprp",
                box(b"ipco", properties) + box(b"ipma", bytes(4) + struct.pack(">IHBBB", 1, 1, 2, 1, 0x82)),
            ),
            box(b"idat", data) if idat else b"",
        )
        return box(b"meta", bytes(4) + b"".join(parts))

    begin = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    return begin + meta(0 if idat else len(begin + meta(0)) + 8) + box(b"mdat", b"" if idat else data)


KINDS: dict[str, Callable[[Pixels], bytes]] = {
    "still": lambda size: images.avif(images.flat(*size)),
    "with alpha": lambda size: images.avif_alpha(*size),
    "animated": animation,
    "in the header": lambda size: in_pieces(size, idat=True),
    "in pieces": lambda size: in_pieces(size, pieces=5),
}


def understated(data: bytes, size: Pixels) -> bytes:
    """Every `ispe` says so."""
    head, *others = data.split(b"ispe\0\0\0\0")
    return b"".join([head, *(b"ispe\0\0\0\0" + struct.pack(">II", *size) + other[8:] for other in others)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_says_less_than_it_holds_is_refused(kind: str, tmp_path: Path) -> None:
    file, size = tmp_path / "image", (400, 300)
    data = KINDS[kind](size)
    file.write_bytes(data)
    assert (recognise(file).width, recognise(file).height) == size
    with Image.open(file) as image:  # which is a good one
        image.load()
        assert image.size == size
    for said in ((40, 300), (400, 30), (1, 1), (400 - PADDING - 1, 300)):
        file.write_bytes(understated(data, said))
        with pytest.raises(Undecodable, match=f"holds 400x300 pixels, and says {said[0]}x{said[1]}"):
            recognise(file)


def test_an_encoder_may_fill_up_its_blocks(tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(understated(images.avif(images.flat(128, 64)), (100, 50)))
    assert recognise(file).width == 100


@pytest.mark.parametrize("size", [(1, 1), (65, 3), (1000, 17), (64, 4095)])
def test_the_size_in_a_stream_is_read_by_its_bits(size: Pixels) -> None:
    data = images.avif(images.flat(*size))
    assert av1.size(data[data.index(b"mdat") + 4 :]) == size


def test_places_without_end_are_not_gone_through(tmp_path: Path) -> None:
    data, file = in_pieces((400, 300), pieces=5), tmp_path / "image"
    at = data.index(b"iloc") + 4
    pieces_of_no_size = struct.pack(">HHHH", 1, 0, 0, 0xFFFF)
    many = struct.pack(">IHH", 1 << 24, 0, 0xFFFF) + pieces_of_no_size * 30_000
    grown = len(many) - (struct.unpack(">I", data[at - 8 : at - 4])[0] - 8)
    meta = data.index(b"meta") - 4
    data = data[: at - 8] + box(b"iloc", many) + data[at + len(many) - grown :]
    size = struct.unpack(">I", data[meta : meta + 4])[0] + grown
    file.write_bytes(data[:meta] + struct.pack(">I", size) + data[meta + 4 :])
    with little_work():
        recognise(file)


def test_no_stream_is_too_broken_to_be_looked_at() -> None:
    data = images.avif(images.flat(64, 48))
    stream = data[data.index(b"mdat") + 4 :]
    random = np.random.default_rng(3)
    for length in range(len(stream)):
        av1.size(stream[:length])
        av1.size(random.bytes(length))
        av1.size(b"\x0a" + random.bytes(40))
    assert av1.size(b"") == av1.size(b"\x12\0") == (0, 0)
