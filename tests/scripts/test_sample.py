"""The sample picture has the properties that the pages name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from scripts.sample import draw_sample
from service.engine.job import Header
from service.engine.recognise import recognise
from tests import metadata


def test_it_is_stored_on_its_side_and_shown_upright(tmp_path: Path) -> None:
    path = tmp_path / "sample.jpg"
    draw_sample(path, 400, 300)
    assert recognise(path) == Header("jpg", 300, 400, orientation=6)
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert upright.shape == (300, 400, 3)
    assert upright[:60].mean() > upright[-30:].mean() + 30  # the sky is above the meadow


def test_it_carries_what_must_not_leave(tmp_path: Path) -> None:
    path = tmp_path / "sample.jpg"
    draw_sample(path, 160, 120)
    found = metadata.tags(path)
    assert {"GPS:GPSLatitude", "GPS:GPSLongitude", "IFD0:Model", "ExifIFD:SerialNumber"} <= found.keys()


def test_it_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jpg", tmp_path / "second.jpg"
    draw_sample(first, 160, 120)
    draw_sample(second, 160, 120)
    assert first.read_bytes() == second.read_bytes()
