"""A TIFF of 16 bits a sample without a profile is decoded by libvips, where nothing but its pixels is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from service.engine.job import Job, Undecodable
from service.engine.recognise import recognise
from service.engine.vips import deep_tiff
from tests import images, profiles
from tests.engine.deriving import LIMITS, derive, describe

SAMPLES: NDArray[Any] = np.random.default_rng(7).integers(0, 65536, (60, 80, 3)).astype(np.uint16)
ROUNDED = (SAMPLES.astype(np.int64) * 510 + 65535) // 131070  # 255 / 65535, halves up
KINDS: dict[str, dict[str, Any]] = {
    "uncompressed": {},
    "LZW with predictor": {"compression": "lzw", "predictor": "horizontal"},
    "Deflate in tiles": {"compression": "deflate", "tile": True, "tile_width": 32, "tile_height": 16},
    "BigTIFF": {"bigtiff": True},
}


def coded(bands: int = 3, icc: bytes = b"", **options: object) -> bytes:
    image = pyvips.Image.new_from_array(SAMPLES[..., :bands] if bands > 1 else SAMPLES[..., 0])
    image = image.copy(interpretation="rgb16" if bands > 1 else "grey16")
    if icc:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
    return bytes(image.tiffsave_buffer(**options))


def suits(folder: Path, data: bytes, task: Any = "derive", **recipe: str) -> bool:
    path = folder / "a.tif"
    path.write_bytes(data)
    return deep_tiff.suits(Job(task, str(path), recognise(path), LIMITS, recipe, "png"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bands", [1, 3])
def test_every_sample_is_rounded(tmp_path: Path, kind: str, bands: int) -> None:
    data = coded(bands, **KINDS[kind])
    assert suits(tmp_path, data)
    made = derive(data, "bri=0", "png").pixels()
    assert np.array_equal(made, ROUNDED if bands > 1 else np.repeat(ROUNDED[..., :1], 3, -1))


def test_what_asks_for_more_than_pixels_is_left_to_imagemagick(tmp_path: Path) -> None:
    assert not suits(tmp_path, coded(), "describe")
    assert not suits(tmp_path, coded(), keep="copyright")
    assert not suits(tmp_path, coded(icc=profiles.display_p3()))
    assert not suits(tmp_path, images.tiff())


def test_what_is_told_of_it_does_not_depend_on_what_was_derived_before(tmp_path: Path) -> None:
    fields = ("depth", "colour_space", "dominant_colour")
    before = describe(coded(), *fields).data
    path = tmp_path / "a.tif"
    path.write_bytes(coded())
    small = derive(path, "w=40", "png").data
    assert describe(path, *fields).data == before
    assert derive(path, "w=40", "png").data == small


def test_one_that_is_cut_is_refused() -> None:
    data = coded(compression="deflate")
    with pytest.raises(Undecodable):
        derive(data[:8] + bytes(200) + data[208:], "w=40", "png")
