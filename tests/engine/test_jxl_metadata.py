"""EXIF of a JPEG XL, which stands in a box of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import images, jxls
from tests.engine.deriving import derive, describe


@pytest.mark.parametrize("is_compressed", [False, True])
def test_the_camera_and_a_notice_are_read_from_its_box_also_where_that_is_compressed(
    is_compressed: bool, tmp_path: Path
) -> None:
    """exiftool writes the box."""
    path = tmp_path / "photo.jxl"
    path.write_bytes(images.jxl(images.photo(64, 48), use_container=True))
    fields = ("-EXIF:Make=Acme", "-EXIF:Model=X1", "-EXIF:DateTimeOriginal=2024:05:06 07:08:09", "-EXIF:Copyright=Mine")
    subprocess.run(("exiftool", "-q", "-overwrite_original", *fields, path), check=True)
    if is_compressed:
        parts = jxls.boxes(path.read_bytes())[2:]
        packed = [jxls.compressed(*part) if part[0] == b"Exif" else part for part in parts]
        path.write_bytes(jxls.container(packed))
    told = json.loads(describe(path, "taken", "camera").data)
    assert told == {"taken": "2024-05-06T07:08:09", "camera": "Acme X1"}
    assert b"Mine" in derive(path, "w=30,keep=copyright", "jpg", keep=("copyright",)).data
    assert b"Mine" not in derive(path, "w=30", "jpg", keep=("copyright",)).data


@pytest.mark.parametrize("content", [b"", b"\0\0", b"\xff" * 8, bytes(4) + b"MM\0*\xff\xff\xff\xff"])
def test_a_broken_box_of_exif_says_nothing(content: bytes) -> None:
    data = jxls.container([(b"jxlc", images.jxl(images.photo(64, 48))), (b"Exif", content)])
    assert json.loads(describe(data, "taken", "camera").data) == {"taken": None, "camera": None}
