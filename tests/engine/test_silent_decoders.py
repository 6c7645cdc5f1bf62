"""Of what its decoder had nothing to say of, a JPEG is not searched for flaws: there are none."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from service.engine.flaws import jpeg, mending
from service.engine.headers.source import OpenedFile
from service.engine.job import EngineError, Undecodable
from tests import images
from tests.counts import examples
from tests.engine.deriving import counted_decodes, describe, verify
from tests.engine.drawings import DRAWN
from tests.engine.test_damaged_jpegs import CODINGS, ODD, coded
from tests.engine.test_thumbhash import decoded

STRAY = (
    b"\x01\x02\x03",
    b"\xff",
    b"\xff\x00",
    b"\xff\x01",
    b"\xff\xd3",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xfe\x00\x05abc",
)
"""Bytes of no segment, fill, a stuffed byte, markers that stand alone, and a comment."""

MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")


def variants(coding: str) -> Iterator[bytes]:
    """A file with one or two stray pieces before its markers, at random, and behind its end."""
    random, data = Random(coding), coded(coding)
    places = [found.start() for found in MARKER.finditer(data)][1:]
    for _ in range(examples(60)):
        made = data
        for place in sorted(random.choices([*places, places[-1], len(data)], k=random.choice((1, 2))), reverse=True):
            made = made[:place] + b"".join(random.choices(STRAY, k=random.choice((1, 2)))) + made[place:]
        yield made


@pytest.mark.parametrize("coding", CODINGS)
def test_flaws_are_those_that_the_mender_finds(coding: str, tmp_path: Path) -> None:
    file, accepted = tmp_path / "odd.jpg", 0
    for data in variants(coding):
        file.write_bytes(data)
        try:
            told = json.loads(describe(file, "flaws").data)["flaws"]
        except EngineError:
            continue
        accepted += 1
        with OpenedFile(file) as source:
            assert (told or []) == jpeg.mend(source, False).flaws
    assert accepted > 10


@pytest.mark.parametrize("oddity", ODD)
def test_flaws_of_odd_files_are_those_that_the_mender_finds(oddity: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.jpg"
    file.write_bytes(ODD[oddity](coded("restarts by row")))
    with OpenedFile(file) as source:
        assert list(verify(file.read_bytes()).flaws) == jpeg.mend(source, False).flaws


@pytest.mark.parametrize("make", [images.jpeg, images.jpeg_gray, images.jpeg_cmyk])
def test_a_good_jpeg_of_one_scan_is_not_searched(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mending._MENDERS, "jpg", lambda *_: pytest.fail("it is searched for flaws"))
    assert verify(make()).flaws == ()
    assert json.loads(describe(make(), "flaws").data) == {"flaws": None}


@pytest.mark.parametrize("behind", [b"\xff\xe5\0\0", b"\xff\xfe\0\2" * 10_001], ids=["no length", "too many"])
def test_segments_behind_the_scan_are_looked_at(behind: bytes) -> None:
    with pytest.raises(Undecodable, match="segment"):
        verify(images.jpeg()[:-2] + behind + images.jpeg()[-2:])


def test_markers_that_stand_alone_are_no_flaws() -> None:
    good = images.jpeg()
    place = good.index(b"\xff\xc4")
    for alone in (b"\xff\xd0", b"\xff\xff\xd0\xff", b"\xff\xd3\xff\xd7"):
        data = good[:place] + alone + good[place:]
        assert verify(data).flaws == ()


@pytest.mark.parametrize("name", ["text", "a chart"])
def test_a_drawn_jpeg_is_described_from_one_decode_at_an_eighth(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = DRAWN[name]()
    decodes = counted_decodes(monkeypatch)
    told = json.loads(describe(images.encode(drawn, "JPEG", quality=90), "placeholder", "dominant_colour").data)
    assert len(decodes) == 1
    whole = json.loads(describe(images.encode(drawn, "PNG"), "placeholder", "dominant_colour").data)
    blurs = [decoded(base64.b64decode(one["placeholder"]), 32, 21)[..., :3] for one in (told, whole)]
    assert np.abs(blurs[0] - blurs[1]).max() < 0.1
    first, second = (bytes.fromhex(one["dominant_colour"][1:]) for one in (told, whole))
    assert max(abs(one - other) for one, other in zip(first, second, strict=True)) <= 3
