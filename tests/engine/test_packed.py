"""RGB in three bytes a pixel is scaled and shown as the same picture in Pillow."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from service.engine import convolution
from service.engine.convolution import CUBIC, LANCZOS, scaled
from service.engine.geometry import Box, Size
from service.engine.packed import Packed
from service.engine.picture import Frame
from tests import images
from tests.engine.deriving import derive

SIZE = (421, 333)
WHOLE = Box(0, 0, *SIZE)
PHOTO = Image.fromarray(images.photo(*SIZE))


def packed() -> Packed:
    return Packed(SIZE, PHOTO.tobytes())


def same(one: Image.Image, other: Image.Image) -> bool:
    return (one.mode, one.size, one.tobytes()) == (other.mode, other.size, other.tobytes())


@pytest.mark.parametrize("size", [(200, 158), (421, 100), (13, 333), (1, 1), (700, 500), (421, 500), SIZE])
@pytest.mark.parametrize("kernel", [LANCZOS, CUBIC])
def test_it_is_scaled_to_the_same_bytes(size: Size, kernel: Image.Resampling) -> None:
    assert same(scaled(packed(), size, WHOLE, kernel), scaled(PHOTO, size, WHOLE, kernel))


@pytest.mark.parametrize("box", [Box(0, 0, 200, 333), Box(3.5, 7.25, 400.5, 301)])
def test_so_is_a_part_of_it(box: Box) -> None:
    assert same(scaled(packed(), (100, 90), box), scaled(PHOTO, (100, 90), box))


@pytest.mark.parametrize("box", [(0, 0, *SIZE), (0, 0, 1, 1), (10, 20, 11, 333), (400, 320, *SIZE)])
def test_a_part_is_cut_out_of_it(box: tuple[int, int, int, int]) -> None:
    assert same(packed().crop(box), PHOTO.crop(box))


def test_it_is_scaled_where_there_is_no_wheel_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "simd", None)
    assert same(scaled(packed(), (100, 90), WHOLE), scaled(PHOTO, (100, 90), WHOLE))


def test_want_of_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "has_room", lambda _: False)
    with pytest.raises(MemoryError):
        scaled(packed(), (100, 90), WHOLE)


ENLARGES_WITHOUT_MEMORY = """
import resource
from service.engine.convolution import scaled
from service.engine.geometry import Box
from service.engine.packed import Packed
small = Packed((100, 100), bytes(30_000))
scaled(small, (50, 50), Box(0, 0, 100, 100))
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), used + (64 << 20)))
try:
    scaled(small, (8000, 8000), Box(0, 0, 100, 100))
except MemoryError:
    print("told")
"""


def test_want_of_memory_for_a_larger_result_is_told() -> None:
    command = [sys.executable, "-c", ENLARGES_WITHOUT_MEMORY]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["told"]


def test_a_frame_tells_of_it_what_it_tells_of_pillow_s() -> None:
    frame, pillows = Frame(packed()), Frame(PHOTO)
    for one in (frame, pillows):
        assert (one.size, one.alpha, one.gray, one.deep) == (SIZE, False, False, False)
    assert frame.bytes == 3 * SIZE[0] * SIZE[1]
    frame.colour()
    assert same(frame.copy().pillow(), PHOTO)
    assert np.array_equal(np.asarray(frame.magick()), np.asarray(pillows.magick()))


@pytest.mark.parametrize("recipe", ["", "rot=90", "w=100", "crop=10:20:100:90", "crop=10:20:100:90,w=50", "trim=5"])
def test_every_recipe_takes_it(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = images.encode(PHOTO, "PNG")
    made = derive(data, recipe, "webp").data
    monkeypatch.setattr("service.engine.png.spng.library", None)  # libvips reads to Pillow
    assert derive(data, recipe, "webp").data == made
