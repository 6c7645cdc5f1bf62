"""HEVC's sequence parameter sets are read by their bits (ITU-T H.265, 7.3.2.2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.engine.headers import hevc, isobmff
from service.engine.headers.source import OpenedFile
from tests import images
from tests.engine.heif_boxes import encoded
from tests.waiting import little_work


@pytest.mark.parametrize("size", [(16, 16), (65, 3), (1000, 17), (640, 480)])
def test_the_size_in_a_parameter_set_is_read_by_its_bits(size: tuple[int, int], tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(encoded(images.flat(*size)))
    with OpenedFile(file) as source:
        meta, items = isobmff.items_of(source)
        config = next(box for boxes in items.properties.values() for box in boxes if box.kind == b"hvcC")
        coded = hevc.size(meta.read(config.start, config.end - config.start))
    assert all(0 <= held - said < 64 for held, said in zip(coded, size, strict=True))


def test_no_parameter_set_is_too_broken_to_be_looked_at() -> None:
    random = np.random.default_rng(3)
    for length in range(200):
        hevc.size(random.bytes(length))
        content = bytes(22) + b"\x01\x21\0\x01\0\xff" + random.bytes(length)
        hevc.size(content)
        hevc.colour(content)
    assert hevc.size(b"") == (0, 0)


def golomb(number: int) -> str:
    """H.265, 9.2."""
    code = f"{number + 1:b}"
    return "0" * (len(code) - 1) + code


def parameter_set(layers: int, lists: str, references: str, usability: str) -> bytes:
    """The content of `hvcC` with a sequence parameter set of 4:4:4 that has pulse code, and these parts (7.3.2.2)."""
    level = "1" * 96  # general_profile_tier_level
    bits = f"0000{layers:03b}1{level}" + ("11" * layers + "00" * (8 - layers) + "1" * 96 * layers if layers else "")
    bits += golomb(0) + golomb(3) + "0" + golomb(64) + golomb(48)
    bits += "1" + golomb(1) * 4 + golomb(2) * 2 + golomb(4)  # a window, the depths, bits of order counts
    bits += "1" + (golomb(1) * 3) * (layers + 1) + golomb(0) * 6
    bits += lists + "11" + "1" + "0" * 8 + golomb(0) * 2 + "0"
    bits += references + "11" + "1" + usability + "1"
    data = int(bits + "0" * (-len(bits) % 8), 2).to_bytes((len(bits) + 7) // 8)
    unit = b"\x42\x01" + data.replace(b"\0\0\0", b"\0\0\3\0").replace(b"\0\0\1", b"\0\0\3\1")
    return bytes(22) + b"\x01\x21\0\x01" + len(unit).to_bytes(2) + unit


LISTS = {
    "none": "0",
    "default": "10",
    "predicted": "11" + ("0" + golomb(0)) * 20,
    "whole": "11"
    + "".join(("1" + golomb(8) * (min(64, 16 << 2 * size) + (size > 1))) * (6, 6, 6, 2)[size] for size in range(4)),
}
REFERENCES = {
    "none": golomb(0) + "0",
    "each by itself": golomb(2) + (golomb(2) + golomb(1) + (golomb(0) + "1") * 3) + "0" + golomb(0) * 2 + "0",
    # Distances -1, -3, 2; then all moved by 1: 0 goes, and what the set before it stood for becomes 1.
    "by the one before": golomb(3)
    + (golomb(2) + golomb(1) + golomb(0) + "1" + golomb(1) + "1" + golomb(1) + "1")
    + ("1" + "0" + golomb(0) + "1" * 4)  # -2, 1, 3
    + ("1" + "1" + golomb(0) + "1" + "01" + "00" + "1")  # four flags again: one is used, one is not but stays
    + "0",
    "long": golomb(0) + "1" + golomb(2) + ("0" * 8 + "1") * 2,
}
USABILITY = {
    "all": (
        "1" + "11111111" + "0" * 32 + "11" + "1" + "101" + "1" + "1" + f"{12:08b}{16:08b}{9:08b}",
        (12, 16, 9, True),
    ),
    "no colour": ("0" + "0" + "1" + "101" + "0" + "0", (2, 2, 2, False)),
    "nothing": ("1" + f"{1:08b}" + "0" + "0", None),
}


@pytest.mark.parametrize("layers", [0, 2])
@pytest.mark.parametrize("lists", LISTS)
@pytest.mark.parametrize("references", REFERENCES)
@pytest.mark.parametrize("usability", USABILITY)
def test_colour_is_read_behind_all_that_may_stand_before_it(
    layers: int, lists: str, references: str, usability: str
) -> None:
    written, said = USABILITY[usability]
    assert hevc.colour(parameter_set(layers, LISTS[lists], REFERENCES[references], written)) == said


def test_no_parameter_set_takes_long_to_look_at() -> None:
    """Every number as large as it can be, and as many of them."""
    for filling in (b"\xff", b"\0", b"\x55", b"\x08"):
        with little_work():
            hevc.colour(bytes(22) + b"\x01\x21\0\x01\xff\xff" + filling * 65535)
