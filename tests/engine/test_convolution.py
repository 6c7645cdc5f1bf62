"""Scaling by convolution: Pillow's results in an eighth of its time, the same on every processor."""

from __future__ import annotations

import platform
import random
import weakref

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from service.engine import convolution
from service.engine.convolution import CUBIC, LANCZOS, Line, scaled, scaled_finely
from service.engine.geometry import Box, Size
from service.engine.picture import Frame
from tests import images

SIZE = (421, 333)
WHOLE = Box(0, 0, *SIZE)
PHOTO = Image.fromarray(images.photo(*SIZE))
CLEAR = Image.fromarray(images.photo_alpha(*SIZE))
MODES = ("L", "LA", "RGB", "RGBA", "CMYK")

simd = convolution.simd
PROCESSORS = {"x86_64": ("none", "sse4_1", "avx2")}
"""What fast_image_resize uses, by the machines that there is a wheel for."""

Samples = npt.NDArray[np.int_]


def picture(mode: str) -> Image.Image:
    return CLEAR.convert(mode) if mode in ("LA", "RGBA") else PHOTO.convert(mode)


def by_pillow(image: Image.Image, size: Size, box: Box, kernel: Image.Resampling = LANCZOS) -> Samples:
    mode = {"LA": "La", "RGBA": "RGBa"}.get(image.mode, image.mode)
    return samples(image.convert(mode).resize(size, kernel, box.edges).convert(image.mode))


def by_pillow_down_first(plane: Image.Image, size: Size, box: Box, kernel: Image.Resampling = LANCZOS) -> Samples:
    """By two calls, since Pillow goes across first where it may go both ways."""
    down = plane.resize((plane.width, size[1]), kernel, (0, box.top, plane.width, box.bottom))
    return samples(down.resize(size, kernel, (box.left, 0, box.right, size[1])))


def samples(image: Image.Image) -> Samples:
    return np.asarray(image).astype(int)


def apart(made: Image.Image, expected: Samples) -> Samples:
    """The differences of pixels that are nearly opaque; what is hardly seen has hardly a colour."""
    differences: Samples = np.abs(samples(made) - expected)
    return differences[expected[..., -1] > 200] if made.mode in ("LA", "RGBA") else differences


@pytest.mark.parametrize("size", [(200, 158), (90, 71), (421, 100), (13, 333), (1, 1), (700, 500)])
@pytest.mark.parametrize("mode", MODES)
def test_a_scaled_picture_is_pillow_s_but_for_the_last_bit(mode: str, size: Size) -> None:
    made = scaled(picture(mode), size, WHOLE)
    assert (made.mode, made.size) == (mode, size)
    differences = apart(made, by_pillow(picture(mode), size, WHOLE))
    assert differences.max(initial=0) <= 3
    assert differences.size == 0 or differences.mean() < 0.05


@pytest.mark.parametrize(("mode", "down_first"), [("RGB", False), ("L", True)])
@pytest.mark.parametrize("kernel", [LANCZOS, CUBIC])
def test_any_part_of_a_picture_is_pillow_s(kernel: Image.Resampling, mode: str, down_first: bool) -> None:
    chance, whole = random.Random(7), picture(mode)
    expected = by_pillow_down_first if down_first and simd else by_pillow
    for _ in range(60):
        left, top = chance.uniform(0, 200), chance.uniform(0, 150)
        box = Box(left, top, chance.uniform(left + 3, SIZE[0]), chance.uniform(top + 3, SIZE[1]))
        size = chance.randint(1, 500), chance.randint(1, 400)
        made = scaled(whole, size, box, kernel, down_first=down_first)
        differences = apart(made, expected(whole, size, box, kernel))
        assert differences.max() <= 6, (box, size)
        assert differences.mean() < 0.5, (box, size)  # of 255; enlarging rounds most


def test_a_region_that_begins_and_ends_inside_pixels_is_neither_shifted_nor_stretched() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 1000).round().astype(np.uint8), (10, 1)))
    region = Box(100.25, 0, 900.75, 10)
    made = np.asarray(scaled(ramp, (350, 10), region))[5].astype(float)
    centres = region.left + (np.arange(350) + 0.5) * region.width / 350
    assert np.abs(made - (centres - 0.5) * 255 / 999)[3:-3].max() < 1.1


def test_flat_colours_stay_what_they_are_at_every_scale() -> None:
    for colour in (255, 254, 128, 1, 0):
        flat = Image.new("RGB", (1300, 3), (colour,) * 3)
        for width in range(9, 1600, 37):
            assert scaled(flat, (width, 3), Box(0, 0, 1300, 3)).getextrema() == ((colour, colour),) * 3, width


def test_what_is_transparent_lends_no_colour() -> None:
    cut = Image.new("RGBA", (90, 90), (255, 0, 0, 0))
    cut.paste((0, 0, 200, 255), (0, 0, 45, 90))
    made = np.asarray(scaled(cut, (31, 31), Box(0, 0, 90, 90)))
    assert made[made[..., 3] > 8][:, 0].max() == 0


def test_an_image_in_several_pieces_of_memory_is_scaled_as_one() -> None:
    large = Image.new("RGB", (3000, 2000), (10, 20, 30))
    large.paste((200, 100, 0), (1500, 0, 3000, 2000))
    made = scaled(large, (1000, 667), Box(0, 0, 3000, 2000))
    assert (made.getpixel((100, 600)), made.getpixel((900, 600))) == ((10, 20, 30), (200, 100, 0))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBa", "CMYK"])
def test_every_processor_makes_the_same_bytes(mode: str) -> None:
    source, made = CLEAR.convert(mode) if mode == "RGBa" else PHOTO.convert(mode), set()
    processors = PROCESSORS.get(platform.machine(), ())
    for extensions in processors:
        resizer, result = simd.Resizer(), Image.new(mode, (157, 93))
        options = simd.ResizeOptions(simd.ResizeAlg.convolution(simd.FilterType.lanczos3), use_alpha=False)
        resizer.cpu_extensions = simd.CpuExtensions[extensions]
        assert resizer.cpu_extensions.name == extensions
        resizer.resize_pil(source, result, options)
        made.add(result.tobytes())
    assert len(made) == bool(processors)


@pytest.mark.parametrize("mode", MODES)
def test_without_it_pillow_scales(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setattr(convolution, "simd", None)
    made = scaled(picture(mode), (100, 80), Box(10.5, 3, 400, 300.25))
    assert np.array_equal(samples(made), by_pillow(picture(mode), (100, 80), Box(10.5, 3, 400, 300.25)))


def test_want_of_memory_is_noticed_before_it_would_end_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "has_room", lambda _: False)
    with pytest.raises(MemoryError):
        scaled(PHOTO, (100, 80), WHOLE)


@pytest.mark.skipif(simd is None, reason="Pillow scales in one step")
def test_a_frame_that_gives_its_pixels_away_is_freed_before_its_rows_are_scaled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = Frame(PHOTO.copy())
    given = weakref.ref(frame.pillow())
    there = list[bool]()
    scale = convolution._pass

    def spied(image: Image.Image, *asked: object) -> Image.Image:
        there.append(given() is not None)
        return scale(image, *asked)  # type: ignore[arg-type]

    monkeypatch.setattr(convolution, "_pass", spied)
    frame.put(scaled(frame.give_away(), (100, 80), WHOLE))
    assert there == [True, False]
    assert frame.size == (100, 80)


def test_pixels_that_others_hold_stay() -> None:
    held, frame = PHOTO.copy(), Frame(PHOTO)
    scaled(frame.give_away(), (100, 80), WHOLE)
    assert np.array_equal(samples(PHOTO), samples(held))


LINES: list[Line] = [(1.0, 0.0), (219 / 255, 16.0), (255 / 219, -16 * 255 / 219)]


def exactly(plane: Image.Image, size: Size, box: Box, kernel: Image.Resampling, line: Line) -> npt.NDArray[np.float64]:
    """By Pillow in floating point, not rounded."""
    made = np.asarray(plane.convert("F").resize(size, kernel, box.edges), dtype=float)
    return np.clip(made * line[0] + line[1], 0, 255)


@pytest.mark.parametrize("with_simd", [True, False])
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("kernel", [LANCZOS, CUBIC])
def test_a_plane_is_rounded_once(
    kernel: Image.Resampling, line: Line, with_simd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_simd:
        monkeypatch.setattr(convolution, "simd", None)
    plane, chance = PHOTO.convert("L"), random.Random(3)
    for size in ((200, 158), (421, 100), (1, 1), (700, 500)):
        box = Box(
            chance.uniform(0, 50), chance.uniform(0, 40), chance.uniform(300, SIZE[0]), chance.uniform(250, SIZE[1])
        )
        made = scaled_finely(plane, size, box, kernel, line)
        assert (made.mode, made.size) == ("L", size)
        differences = np.abs(np.asarray(made) - exactly(plane, size, box, kernel, line))
        assert np.quantile(differences, 0.999) <= 0.51, size  # a pass clips what goes beyond white or black
        assert differences.max() <= 4, size


def test_flat_planes_stay_what_they_are() -> None:
    for value in (255, 254, 128, 1, 0):
        flat = Image.new("L", (1300, 3), value)
        for width in range(9, 1600, 37):
            made = scaled_finely(flat, (width, 3), Box(0, 0, 1300, 3), LANCZOS, LINES[0])
            assert made.getextrema() == (value, value), width


def test_every_processor_makes_the_same_bytes_in_16_bits() -> None:
    samples, made = PHOTO.convert("L").tobytes() * 2, set()
    processors = PROCESSORS.get(platform.machine(), ())
    for extensions in processors:
        source = simd.ImageData(*SIZE, simd.PixelType.U16, samples)
        result, resizer = simd.ImageData(157, 93, simd.PixelType.U16), simd.Resizer()
        resizer.cpu_extensions = simd.CpuExtensions[extensions]
        resizer.resize(source, result, convolution._options(WHOLE, LANCZOS))
        made.add(result.get_buffer())
    assert len(made) == bool(processors)


@pytest.mark.skipif(simd is None, reason="Pillow notices by itself")
def test_want_of_memory_for_16_bits_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "has_room", lambda _: False)
    with pytest.raises(MemoryError):
        scaled_finely(PHOTO.convert("L"), (100, 80), WHOLE, LANCZOS, LINES[0])
