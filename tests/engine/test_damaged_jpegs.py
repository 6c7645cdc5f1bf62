"""A JPEG whose data are damaged is refused, one that is only odd is not."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from service.engine.job import Undecodable
from service.engine.jpeg import decode, turbo
from tests import images
from tests.engine.deriving import derive, verify

SIZE = (480, 360)
WARNED = re.compile(r"VipsJpeg: (.*)")
LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker")
FEW = 16  # bytes left over that are no damage

CODINGS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimised": {"optimize": True, "subsampling": 0},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 16},
    "restarts by row": {"restart_marker_rows": 1, "subsampling": 1},
    "progressive restarts": {"restart_marker_rows": 1, "progressive": True},
}


def coded(coding: str) -> bytes:
    return images.jpeg(images.photo(*SIZE), quality=85, **CODINGS[coding])


def scans(data: bytes) -> tuple[int, int]:
    """Where the first scan's data begin, and where the image ends."""
    return data.index(b"\xff\xda") + 20, len(data) - 2


def overwritten(data: bytes, count: int, length: int, seed: str) -> Iterator[bytes]:
    """Whole files in whose scans `length` bytes are others, of which none is 0xFF."""
    random, (begin, end) = Random(seed), scans(data)
    for _ in range(count):
        place = random.randrange(begin, end - length)
        yield data[:place] + bytes(random.choices(range(255), k=length)) + data[place + length :]


def warning(data: bytes) -> str | None:
    """The first of which libvips warns, by a libjpeg of its own; it looks before each strip, so not behind the last."""
    try:
        pyvips.Image.jpegload_buffer(data, fail_on="warning").copy_memory()
    except pyvips.Error as error:
        return str(WARNED.findall(str(error))[0])
    return None


def refusal(data: bytes) -> str | None:
    try:
        verify(data)
    except Undecodable as error:
        return str(error)
    return None


@pytest.mark.parametrize("length", [1, 24, 400])
@pytest.mark.parametrize("coding", CODINGS)
def test_what_libvips_would_not_trust_is_refused(coding: str, length: int) -> None:
    refused = 0
    for data in overwritten(coded(coding), 25, length, f"{coding} {length}"):
        told, said = refusal(data), warning(data)
        left = LEFT_OVER.search(said or "")
        assert told or not said or (left and int(left[1]) <= FEW), said
        refused += told is not None
    assert refused >= {1: 1, 24: 5, 400: 15}[length]


def told_at(n: int, path: Path) -> str | None:
    """What is told of the damage by a decode at n/8; of what libjpeg-turbo does not take, that it does not."""
    try:
        return None if decode.decoded(path, "RGB", SIZE, n) else "left to Pillow"
    except Undecodable as error:
        return str(error)


@pytest.mark.parametrize("length", [1, 24, 400])
@pytest.mark.parametrize("coding", CODINGS)
def test_a_decode_at_an_eighth_tells_of_the_same_damage_as_a_whole_one(
    coding: str, length: int, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.jpg"
    for data in overwritten(coded(coding), 25, length, f"{coding} {length}"):
        path.write_bytes(data)
        assert told_at(1, path) == told_at(8, path)


@pytest.mark.parametrize("coding", CODINGS)
def test_damage_is_told_whatever_is_made_of_the_image(coding: str) -> None:
    damaged = next(data for data in overwritten(coded(coding), 100, 200, coding) if refusal(data))
    for recipe, kind in (("w=100", "jpg"), ("w=30", "png"), ("w=99,h=99,fit=cover", "webp"), ("", "jpg"), ("", "png")):
        with pytest.raises(Undecodable, match="the image is damaged: "):
            derive(damaged, recipe, kind)
        assert derive(damaged, recipe, kind, tolerant=True).pillow().size


def test_a_scan_that_lost_its_end_is_damaged() -> None:
    data = coded("baseline")
    with pytest.raises(Undecodable, match="premature end of data segment"):
        verify(data[:-4000] + b"\xff\xd9")


def test_a_restart_that_is_another_is_damaged() -> None:
    data = coded("restarts by row")
    place = data.index(b"\xff\xd3")
    with pytest.raises(Undecodable, match="found marker 0xd7 instead of RST3"):
        verify(data[:place] + b"\xff\xd7" + data[place + 2 :])


def test_without_the_library_wrong_pixels_are_not_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = next(data for data in overwritten(coded("baseline"), 100, 200, "baseline") if refusal(data))
    monkeypatch.setattr(turbo, "library", None)
    assert refusal(damaged) is None


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content)) + content


def behind_start(data: bytes, more: bytes) -> bytes:
    return data[:2] + more + data[2:]


def without_jfif(data: bytes) -> bytes:
    return data[:2] + data[4 + struct.unpack(">H", data[4:6])[0] :]


def before_tables(data: bytes) -> bytes:
    """Bytes between two segments, that belong to neither."""
    place = data.index(b"\xff\xdb")
    return data[:place] + b"eighteen odd bytes" * 3 + data[place:]


def before_restarts(data: bytes) -> bytes:
    begin, _ = scans(data)
    return data[:begin] + re.sub(rb"(?=\xff[\xd0-\xd7])", b"123456789", data[begin:])


def sos_parameters(data: bytes) -> bytes:
    """As of Samsung's telephones: Ss, Se, Ah and Al are all 0, where only 0, 63, 0, 0 make sense."""
    begin, _ = scans(data)
    place = data.index(b"\0\x3f\0", begin - 10)
    return data[:place] + bytes(3) + data[place + 3 :]


def many_pictures(data: bytes) -> bytes:
    buffer = io.BytesIO()
    first = Image.open(io.BytesIO(data))
    first.save(buffer, "MPO", save_all=True, append_images=[first.resize((64, 48))], quality=85)
    return buffer.getvalue()


ODD: dict[str, Callable[[bytes], bytes]] = {
    "trailing data": lambda data: data + b"PK\3\4" + bytes(range(256)),
    "another JPEG behind it": lambda data: data + images.jpeg(),
    "no JFIF": without_jfif,
    "an unknown JFIF": lambda data: behind_start(without_jfif(data), segment(0xE0, b"JFIF\0\x07\x09\0\0\1\0\1\0\0")),
    "an unknown transform of Adobe's": lambda data: behind_start(data, segment(0xEE, b"Adobe\0\x64\0\0\0\0\x07")),
    "bytes between segments": before_tables,
    "fill bytes": lambda data: data.replace(b"\xff\xdb", b"\xff" * 9 + b"\xdb", 1),
    "a few bytes before restarts": before_restarts,
    "a few bytes before its end": lambda data: data[:-2] + b"\x12\x34\x56" + data[-2:],
    "padding before its end": lambda data: data[:-2] + bytes(2048) + data[-2:],
    "fill before its end": lambda data: data[:-2] + b"\xff" * 500 + data[-2:],
    "parameters of a scan that make no sense": sos_parameters,
    "a thumbnail": lambda data: behind_start(data, segment(0xE1, b"Exif\0\0II*\0" + images.jpeg(images.photo(64, 48)))),
    "several pictures": many_pictures,
    "a comment": lambda data: behind_start(data, segment(0xFE, b"\xff\xd9\xff\xda\xff\xd8")),
}


@pytest.mark.parametrize("oddity", ODD)
def test_odd_files_are_good_ones(oddity: str) -> None:
    good = coded("restarts by row")
    odd = ODD[oddity](good)
    assert odd != good
    assert (verify(odd).width, verify(odd).height) == SIZE
    encoded_again = 2 if oddity == "several pictures" else 0.01
    for recipe in ("w=120", ""):
        difference = derive(odd, recipe, "png").pixels() - derive(good, recipe, "png").pixels()
        assert np.abs(difference).mean() < encoded_again
    assert derive(odd, "", "jpg").pillow().size == SIZE


@pytest.mark.parametrize("oddity", ["bytes between segments", "parameters of a scan that make no sense"])
def test_no_oddity_hides_damage(oddity: str) -> None:
    damaged = list(filter(refusal, overwritten(coded("baseline"), 20, 400, oddity)))
    assert len(damaged) > 10
    for data in damaged:
        odd = ODD[oddity](data)
        assert warning(odd) != warning(data)
        assert refusal(odd) == refusal(data)


@pytest.mark.parametrize("name", ["jpeg", "jpeg_gray", "jpeg_cmyk", "jpeg_ycck"])
@pytest.mark.parametrize("recipe", ["", "w=160", "w=80", "w=39"])
def test_the_library_gives_the_pixels_that_pillow_gives(
    name: str, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = getattr(images, name)()
    made = derive(data, recipe, "png").data
    monkeypatch.setattr(turbo, "library", None)
    assert derive(data, recipe, "png").data == made
