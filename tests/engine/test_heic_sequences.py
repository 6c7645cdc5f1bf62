"""Moving HEIC without a still picture is shown by its first one."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from service.engine.job import EngineError, Undecodable
from service.engine.recognise import recognise
from tests import images, profiles
from tests.counts import examples
from tests.engine import heif_boxes
from tests.engine.deriving import derive, describe, verify
from tests.engine.heif_boxes import box, encoded
from tests.images import Pixels
from tests.pictures import reference
from tests.waiting import little_work

FIRST, SECOND = images.quadrants(128, 96), images.flat(128, 96, (0, 0, 0))
UNTURNED = (1, 0, 0, 1)


def full(kind: bytes, content: bytes, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", flags) + content)


def track(
    number: int,
    coded: Sequence[bytes],
    at: int,
    *,
    handler: bytes = b"pict",
    entry: bytes = b"hvc1",
    extra: bytes = b"",
    matrix: tuple[int, int, int, int] = UNTURNED,
    size: tuple[int, int] = (128, 96),
    references: bytes = b"",
    far: bool = False,
) -> bytes:
    """A track (14496-12, 8.3) of pictures that lie one behind the other from `at` on, in one chunk."""
    samples = [heif_boxes.coded_data(each) for each in coded]
    a, b, c, d = (value << 16 & 0xFFFFFFFF for value in matrix)
    placed = struct.pack(">9I", a, b, 0, c, d, 0, 0, 0, 1 << 30) + struct.pack(">2I", *(side << 16 for side in size))
    head = full(b"tkhd", struct.pack(">IIIII", 0, 0, number, 0, 0) + bytes(16) + placed, 7)
    visual = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">2H2I", *size, 72 << 16, 72 << 16) + bytes(4) + b"\0\1"
    visual += bytes(32) + b"\0\x18\xff\xff" + heif_boxes.decoder_configuration(coded[0]) + extra
    place = struct.pack(">IQ", 1, at) if far else struct.pack(">II", 1, at)
    sizes = b"".join(len(sample).to_bytes(4) for sample in samples)
    table = (
        full(b"stsd", struct.pack(">I", 1) + box(entry, visual)),
        full(b"stts", struct.pack(">III", 1, len(samples), 100)),
        full(b"stsc", struct.pack(">IIII", 1, 1, len(samples), 1)),
        full(b"stsz", struct.pack(">II", 0, len(samples)) + sizes),
        full(b"co64" if far else b"stco", place),
    )
    media = (
        full(b"mdhd", struct.pack(">IIIII", 0, 0, 1000, 100 * len(samples), 0x55C40000)),
        full(b"hdlr", bytes(4) + handler + bytes(13)),
        box(b"minf", full(b"vmhd", bytes(8), 1) + box(b"stbl", b"".join(table))),
    )
    return box(b"trak", head + references + box(b"mdia", b"".join(media)))


def moving(*pictures: Pixels, brand: bytes = b"msf1", alpha: bool = False, before: bytes = b"", **how: object) -> bytes:
    """A sequence of pictures, and of what covers them: the green of each (23008-12, 7)."""
    coded = [encoded(each[..., :3]) for each in pictures]
    covers = [encoded(np.dstack([each[..., 3]] * 3)) for each in pictures] if alpha else []
    begin = box(b"ftyp", brand + b"\0\0\0\0" + brand + b"hevc") + before
    data = b"".join(map(heif_boxes.coded_data, coded))
    mask = box(b"auxi", bytes(4) + b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
    movie = full(b"mvhd", bytes(96))
    at = len(begin) + 8

    def sound() -> bytes:
        return box(b"trak", full(b"tkhd", bytes(80)) + box(b"mdia", full(b"hdlr", bytes(4) + b"soun" + bytes(13))))

    tracks = sound() + track(1, coded, at, **how)  # type: ignore[arg-type]
    if alpha:
        belongs = box(b"tref", box(b"auxl", (1).to_bytes(4)))
        tracks += track(2, covers, at + len(data), handler=b"auxv", extra=mask, references=belongs)
        data += b"".join(map(heif_boxes.coded_data, covers))
    return begin + box(b"mdat", data) + box(b"moov", movie + tracks)


def corners(data: bytes) -> list[tuple[int, ...]]:
    pixels = derive(data, "", "png").pixels()
    down, across = (side // 4 for side in pixels.shape[:2])
    places = ((down, across), (down, 3 * across), (3 * down, across), (3 * down, 3 * across))
    return [tuple(int(value > 127) for value in pixels[place]) for place in places]


RED, GREEN, BLUE, WHITE = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


@pytest.mark.parametrize("brand", [b"msf1", b"hevc", b"hevx"])
@pytest.mark.parametrize(("handler", "entry", "far"), [(b"pict", b"hvc1", False), (b"vide", b"hev1", True)])
@pytest.mark.parametrize("library", ["auto", "imagemagick"])
def test_the_first_picture_is_shown(brand: bytes, handler: bytes, entry: bytes, far: bool, library: str) -> None:
    data = moving(FIRST, SECOND, brand=brand, handler=handler, entry=entry, far=far)
    verify(data)
    assert corners(data) == [RED, GREEN, BLUE, WHITE]
    assert derive(data, "w=32", "jpg", library=library).pillow().size == (32, 24)
    said = json.loads(describe(data, "format", "width", "height", "frames", "depth", "alpha", "duration").data)
    sides = {"width": 128, "height": 96, "depth": 8}
    assert said == {"format": "heic", "frames": 1, "alpha": False, "duration": None, **sides}


@pytest.mark.parametrize(
    ("matrix", "seen"),
    [
        ((0, 1, -1, 0), [BLUE, RED, WHITE, GREEN]),  # a quarter clockwise
        ((-1, 0, 0, -1), [WHITE, BLUE, GREEN, RED]),
        ((0, -1, 1, 0), [GREEN, WHITE, RED, BLUE]),
    ],
)
def test_a_track_is_turned_by_its_matrix(matrix: tuple[int, int, int, int], seen: list[tuple[int, ...]]) -> None:
    data = moving(FIRST, matrix=matrix)
    assert corners(data) == seen
    said = json.loads(describe(data, "width", "height").data)
    assert said == dict(zip(("width", "height"), derive(data, "", "png").pillow().size, strict=True))


def test_the_track_of_transparency_is_applied() -> None:
    data = moving(images.flat(128, 96, (200, 40, 90, 128)), alpha=True)
    assert json.loads(describe(data, "alpha").data) == {"alpha": True}
    assert np.abs(derive(data, "w=32", "png").pixels("RGBA")[9, 9] - (200, 40, 90, 128)).max() <= 3


def test_the_colour_of_a_track_is_heeded() -> None:
    flat, right = images.flat(128, 96, (200, 60, 60)), reference.seen((200 / 255, 60 / 255, 60 / 255), reference.P3)
    numbers = box(b"colr", b"nclx" + struct.pack(">HHHB", 12, 13, 6, 0x80))
    profile = box(b"colr", b"prof" + profiles.matrix("Display P3", None))
    for extra in (numbers, profile):
        data = moving(flat, extra=extra)
        assert np.abs(derive(data, "w=32", "png").pixels()[9, 9] - right).max() <= 5
        assert json.loads(describe(data, "colour_space").data) == {"colour_space": "RGB"}


def test_a_box_about_the_file_is_no_picture() -> None:
    about = full(b"meta", full(b"hdlr", bytes(4) + b"ID32" + bytes(13)))
    assert corners(moving(FIRST, before=about)) == [RED, GREEN, BLUE, WHITE]


def test_a_track_that_says_less_than_it_holds_is_refused() -> None:
    with pytest.raises(Undecodable, match=r"holds \d+x\d+ pixels, and says 8x8"):
        verify(moving(images.flat(400, 300), size=(8, 8)))


@pytest.mark.parametrize("kind", [b"stsz", b"stco", b"stsd", b"tkhd", b"hdlr", b"hvcC", b"trak"])
def test_a_track_without_a_part_is_refused(kind: bytes) -> None:
    with pytest.raises(Undecodable, match="damaged"):
        verify(moving(FIRST).replace(kind, b"free"))


def test_no_damage_raises_anything_else() -> None:
    whole, random = moving(FIRST, alpha=False), np.random.default_rng(6)
    start = whole.index(b"moov")
    for _ in range(examples(60)):
        broken = bytearray(whole)
        for place in random.integers(start, len(broken), 3):
            broken[place] = random.integers(0, 256)
        with contextlib.suppress(EngineError):
            derive(bytes(broken), "w=16", "png")


def test_a_movie_of_many_boxes_is_not_looked_at_for_long(tmp_path: Path) -> None:
    file = tmp_path / "image"
    for content in (box(b"trak", box(b"mdia", b"")) * 100_000, box(b"trak", b"") * 9000):
        file.write_bytes(box(b"ftyp", b"msf1\0\0\0\0msf1hevc") + box(b"moov", content))
        with little_work(), pytest.raises(Undecodable):
            recognise(file)
