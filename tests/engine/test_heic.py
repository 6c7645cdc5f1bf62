"""HEIC: what telephones and cameras write is shown as they mean it."""

from __future__ import annotations

import io
import json
import statistics
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image
from wand.image import Image as WandImage

from service.engine.job import EngineError, NotAnImage, Undecodable
from service.engine.recognise import recognise
from tests import images
from tests.engine import heif_boxes
from tests.engine.deriving import Made, derive, describe, verify
from tests.engine.heif_boxes import encoded, with_properties

QUADRANTS = images.quadrants(128, 96)


def corners(made: Made) -> list[str]:
    """The colours of the four quadrants, row by row."""
    pixels = made.pixels()
    down, across = (side // 4 for side in pixels.shape[:2])
    names: dict[tuple[int, ...], str] = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    places = ((down, across), (down, 3 * across), (3 * down, across), (3 * down, 3 * across))
    return [names[tuple(int(value > 127) for value in pixels[place])] for place in places]


UPRIGHT = ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("extra", "size", "seen"),
    [
        ([], (128, 96), UPRIGHT),
        ([heif_boxes.turned(1)], (96, 128), ["green", "white", "red", "blue"]),
        ([heif_boxes.turned(2)], (128, 96), ["white", "blue", "green", "red"]),
        ([heif_boxes.turned(3)], (96, 128), ["blue", "red", "white", "green"]),
        ([heif_boxes.mirrored(0)], (128, 96), ["blue", "white", "red", "green"]),
        ([heif_boxes.mirrored(1)], (128, 96), ["green", "red", "white", "blue"]),
        ([heif_boxes.clean_aperture(64, 48, 0, 0)], (64, 48), UPRIGHT),
        ([heif_boxes.clean_aperture(64, 48, 32, 24)], (64, 48), ["white"] * 4),
        ([heif_boxes.clean_aperture(64, 96, 32, 0), heif_boxes.turned(1)], (96, 64), ["green", "white"] * 2),
    ],
)
def test_turns_mirrors_and_crops_are_applied_in_their_order(
    extra: list[bytes], size: tuple[int, int], seen: list[str]
) -> None:
    data = with_properties(encoded(QUADRANTS), extra)
    made = derive(data, "", "png")
    assert made.pillow().size == size
    assert corners(made) == seen
    said = json.loads(describe(data, "width", "height", "orientation").data)
    assert said == {"width": size[0], "height": size[1], "orientation": 1}


@pytest.mark.parametrize("alpha", [False, True])
def test_a_picture_of_tiles_is_put_together(alpha: bool) -> None:
    pixels = images.photo(200, 150)
    data = encoded(np.dstack([pixels, images.soft_alpha(200, 150)]) if alpha else pixels, tile_size=64)
    made = derive(data, "", "png")
    assert made.pillow().size == (200, 150)
    assert (b"grid" in data) != alpha  # libheif writes no tiles with alpha
    shown = made.pixels("RGBA")
    covered = shown[..., 3] > 128
    assert np.abs(shown[..., :3] - pixels)[covered].mean() < 3


@pytest.mark.parametrize("kind", [heif_boxes.GAIN_MAP, heif_boxes.DEPTH])
def test_gain_maps_and_depth_maps_are_left_out(kind: bytes) -> None:
    data = with_properties(encoded(QUADRANTS), [], kind)
    assert json.loads(describe(data, "alpha", "frames", "depth").data) == {"alpha": False, "frames": 1, "depth": 8}
    assert corners(derive(data, "w=32", "png")) == UPRIGHT


def test_the_primary_picture_counts_whichever_is_first() -> None:
    others = [Image.new("RGB", (64, 48), colour) for colour in ("blue", "lime")]
    file = pillow_heif.from_pillow(others[0])
    file.add_from_pillow(Image.fromarray(QUADRANTS))
    file.add_from_pillow(others[1])
    file.primary_index = 1
    buffer = io.BytesIO()
    file.save(buffer, quality=90, primary_index=1)
    made = derive(buffer.getvalue(), "", "png")
    assert (made.pillow().size, corners(made)) == ((128, 96), UPRIGHT)


def test_no_other_picture_is_shown_in_place_of_a_primary_one_that_cannot_be_read() -> None:
    """The grid of the primary item says more rows than it has tiles for, so libheif leaves it out of its list."""
    file = pillow_heif.from_pillow(Image.new("RGB", (64, 48), "blue"))
    file.add_from_pillow(Image.fromarray(QUADRANTS))
    buffer = io.BytesIO()
    file.save(buffer, quality=90, primary_index=1, tile_size=64)
    broken = bytearray(buffer.getvalue())
    rows = broken.rindex(b"idat") + 4 + 2  # behind version and flags (ISO/IEC 23008-12, 6.6.2.3)
    assert broken[rows : rows + 2] == b"\1\1"
    broken[rows] = 5
    for work in (verify, lambda data: derive(data, "w=32", "png")):
        with pytest.raises(Undecodable, match="primary picture"):
            work(bytes(broken))


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"])
def test_a_sequence_counts_as_its_still_picture(brand: bytes) -> None:
    data = encoded(QUADRANTS)
    moving = data[:8] + brand + data[12:] + heif_boxes.box(b"moov", heif_boxes.box(b"mvhd", bytes(100)))
    assert corners(derive(moving, "w=32", "png")) == UPRIGHT
    assert json.loads(describe(moving, "frames").data) == {"frames": 1}


@pytest.mark.parametrize("depth", [10, 12])
def test_deep_samples_are_rounded_and_not_cut(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean of a ramp stays: cutting bits off would darken it by nearly half a level."""
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", depth == 12)
    ramp = np.broadcast_to(np.linspace(8000, 56000, 256)[None, :, None], (64, 256, 3))
    buffer = io.BytesIO()
    made = pillow_heif.from_bytes("RGB;16", (256, 64), ramp.astype("<u2").tobytes())
    made.save(buffer, quality=-1, chroma=444, matrix_coefficients=0)
    shown = derive(buffer.getvalue(), "", "png").pixels()
    assert np.abs(shown - ramp / 257).max() <= 1
    assert abs((shown - ramp / 257).mean()) < 0.05


@pytest.mark.parametrize(("mode", "kind", "most"), [("RGBa", "u1", 255), ("RGBa;16", "<u2", 65535)])
def test_what_colours_were_multiplied_by_is_divided_out(mode: str, kind: str, most: int) -> None:
    """`prem` (ISO/IEC 23008-12, 6.10.1): colours of 0.4, 0.2, 0.1 under half an alpha are 0.8, 0.4, 0.2."""
    pixel = np.round(np.array([0.4, 0.2, 0.1, 0.5]) * most).astype(kind)
    buffer = io.BytesIO()
    pillow_heif.from_bytes(mode, (64, 48), pixel.tobytes() * (64 * 48)).save(buffer, quality=-1, chroma=444)
    assert b"prem" in buffer.getvalue()
    shown = derive(buffer.getvalue(), "w=32", "png").pixels("RGBA")[9, 9]
    assert np.abs(shown - (204, 102, 51, 128)).max() <= 4


def test_exif_is_read_and_its_orientation_is_not_applied_again() -> None:
    block = Image.Exif()
    block[0x0112], block[0x010F], block[0x0110] = 6, "Maker", "Telephone"
    data = encoded(QUADRANTS, exif=block.tobytes())  # libheif's encoder writes irot for it
    made = json.loads(describe(data, "camera", "orientation", "width", "height").data)
    assert made == {"camera": "Maker Telephone", "orientation": 1, "width": 96, "height": 128}
    assert corners(derive(data, "", "png")) == ["blue", "red", "white", "green"]


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
def test_alpha_and_profile_come_with_either_library(library: str) -> None:
    data = encoded(images.flat(64, 48, (200, 40, 90, 128)))
    assert np.abs(derive(data, "w=32", "png", library=library).pixels("RGBA")[9, 9] - (200, 40, 90, 128)).max() <= 3


def test_imagemagick_reads_what_it_reads_right(calls: list[str]) -> None:
    derive(encoded(QUADRANTS), "w=32", "png", library="imagemagick")
    assert "read" in calls
    calls.clear()
    derive(encoded(images.flat(64, 48, (200, 40, 90, 128))), "w=32", "bmp")
    assert "read" not in calls


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    called: list[str] = []
    read = WandImage.read

    def spy(self: object, *arguments: object, **options: object) -> object:
        called.append("read")
        return read(self, *arguments, **options)

    monkeypatch.setattr(WandImage, "read", spy)
    return called


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_one_thread_decodes_and_one_waits() -> None:
    data, seen, done = encoded(images.photo(800, 600), tile_size=128), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            seen.append(threads())

    before = threads()
    watcher = threading.Thread(target=watch)
    watcher.start()
    derive(data, "w=32", "png")
    done.set()
    watcher.join()
    assert statistics.median(seen) <= before + 2  # the watcher is one; one that ends may be seen beside its follower


def test_a_picture_that_says_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    data, file = bytearray(encoded(images.flat(400, 300))), tmp_path / "image"
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", 40, 30)
    file.write_bytes(data)
    with pytest.raises(Undecodable, match=r"holds \d+x\d+ pixels, and says 40x30"):
        recognise(file)


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "ends too soon": lambda data: data[:-100],
    "data of zeros": lambda data: data[: data.index(b"mdat") + 4] + bytes(len(data) - data.index(b"mdat") - 4),
    "no parameter sets": lambda data: data.replace(b"hvcC", b"free"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_damage_is_told(kind: str) -> None:
    with pytest.raises(Undecodable, match="damaged"):
        verify(BROKEN[kind](encoded(images.photo(64, 48))))


def test_no_damage_raises_anything_else() -> None:
    whole, random = encoded(images.photo(64, 48)), np.random.default_rng(4)
    for _ in range(60):
        broken = bytearray(whole)
        for place in random.integers(0, len(broken), 3):
            broken[place] = random.integers(0, 256)
        try:
            derive(bytes(broken), "w=16", "png")
        except EngineError as error:
            assert isinstance(error, Undecodable | NotAnImage) or "memory" in str(error) or "pixels" in str(error)


def difference(made: Made, pixels: NDArray[np.uint8]) -> float:
    return float(np.abs(made.pixels() - pixels).mean())


def test_chroma_at_half_the_size_is_the_same_picture() -> None:
    pixels = images.photo(256, 192)
    assert difference(derive(encoded(pixels, chroma=420), "", "png"), pixels) < 3
