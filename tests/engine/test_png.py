"""PNG is written with filters by content, and compressed by libdeflate."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from service.engine.headers import png
from service.engine.headers.source import OpenedFile
from service.engine.png import deflate, writing
from service.engine.png.filters import AVERAGE, BEST, NONE, SUB, UP
from tests import images, profiles
from tests.engine.deriving import derive
from tests.engine.drawings import DRAWN

SIZE = (421, 333)
MODES = ("L", "LA", "RGB", "RGBA")
PHOTO = Image.fromarray(images.photo(*SIZE))
CLEAR = Image.fromarray(images.photo_alpha(*SIZE))


def dots() -> Image.Image:
    """Five colours in no order: differences between them are only more values."""
    colours = np.random.default_rng(5).integers(0, 256, (5, 3), dtype=np.uint8)
    return Image.fromarray(colours[np.random.default_rng(6).integers(0, 5, (320, 400))])


def slopes() -> Image.Image:
    """Rows that begin anywhere, and each rises by another step: only the difference to the pixel before is always the
    same."""
    starts = np.random.default_rng(5).integers(0, 256, (320, 1, 3))
    steps = np.random.default_rng(6).integers(1, 4, (320, 1, 3))
    return Image.fromarray(((starts + steps * np.arange(400).reshape(1, -1, 1)) % 256).astype(np.uint8))


def slopes_both_ways() -> Image.Image:
    """Rows that are best by the pixel before, between rows that are best by the row above."""
    samples = np.asarray(slopes()).copy()
    noise = np.random.default_rng(7).integers(0, 256, (20, 1, 400, 3))
    falling = (noise + 3 * np.arange(8).reshape(1, -1, 1, 1)) % 256
    samples.reshape(20, 16, 400, 3)[:, :8] = falling
    return Image.fromarray(samples)


def falls() -> Image.Image:
    """Columns that begin anywhere, and each rises by another step."""
    return slopes().transpose(Image.Transpose.ROTATE_270)


def filters(data: bytes, size: tuple[int, int], samples: int) -> list[int]:
    """The filters of all rows (PNG specification, 9.2)."""
    pixels, at = b"", len(png.SIGNATURE)
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        pixels += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + png.OVERHEAD
    return list(zlib.decompress(pixels)[:: size[0] * samples + 1])


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_filters_are_chosen_by_content(mode: str) -> None:
    for picture, expected in (
        (dots(), {NONE}),
        (slopes(), {SUB}),
        (falls(), {SUB, UP}),
        (slopes_both_ways(), {SUB, UP, AVERAGE}),
    ):
        assert set(filters(writing.png(picture.convert(mode), None), picture.size, len(mode))) == expected


@pytest.mark.parametrize("height", [1, 29, 30, 333])
def test_a_trial_takes_rows_behind_those_above_them(height: int) -> None:
    picture = Image.fromarray(images.photo(50, height))
    blocks, above = writing._blocks(picture)
    pixels, tried = np.asarray(picture), np.asarray(blocks)
    if height < 30:
        assert np.array_equal(tried, pixels) and not above
        return
    places = [next(at for at in range(height) if np.array_equal(pixels[at], tried[row])) for row in above]
    assert len(places) == 3 and places == sorted(places)
    for row, place in zip(above, places, strict=True):
        assert np.array_equal(tried[row : row + 9], pixels[place : place + 9])


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The levels at which anything is compressed, the last of them the picture."""
    asked = []

    def counted(data: bytearray, level: int) -> bytes:
        asked.append(level)
        return deflate.compressed(data, level)

    monkeypatch.setattr(writing, "compressed", counted)
    return asked


@pytest.mark.parametrize(("effort", "level"), [(1, 5), (2, 7), (3, 9)])
@pytest.mark.parametrize("picture", [PHOTO, CLEAR, dots()], ids=["photo", "clear", "dots"])
def test_effort_is_a_level(levels: list[int], picture: Image.Image, effort: int, level: int) -> None:
    with Image.open(io.BytesIO(writing.png(picture, None, effort))) as read:
        assert read.tobytes() == picture.tobytes()
    assert levels[-1] == level


@pytest.mark.parametrize(
    ("picture", "level"),
    [
        pytest.param(PHOTO, 1, id="photograph"),
        pytest.param(dots(), 2, id="what repeats"),
        pytest.param(CLEAR, 5, id="transparency"),
        pytest.param(CLEAR.convert("LA"), 5, id="transparency in gray"),
        pytest.param(Image.new("RGB", SIZE, (9, 120, 200)), 5, id="what is small anyway"),
    ],
)
def test_without_effort_the_level_is_chosen_by_content(levels: list[int], picture: Image.Image, level: int) -> None:
    writing.png(picture, None)
    assert levels[-1] == level


def test_a_chart_takes_no_more_bytes_without_effort() -> None:
    chart = DRAWN["a chart"]().resize((480, 360), Image.Resampling.LANCZOS)
    assert writing.png(chart, None, 0) == writing.png(chart, None, 1)


def test_the_first_row_has_none_above_it() -> None:
    assert filters(writing.png(falls(), None), falls().size, 3) == [SUB] + [UP] * (falls().height - 1)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("filter_", [NONE, SUB, UP, AVERAGE, BEST])
def test_what_a_filter_made_is_undone_to_the_pixels(monkeypatch: pytest.MonkeyPatch, filter_: int, mode: str) -> None:
    monkeypatch.setattr(writing, "_TRIED", {filter_: (filter_,)})
    for size in (SIZE, (1, 1), (1, 300), (300, 1)):
        picture = CLEAR.convert(mode).resize(size)
        with Image.open(io.BytesIO(writing.png(picture, None))) as read:
            assert (read.mode, read.tobytes()) == (mode, picture.tobytes())


@pytest.mark.parametrize("mode", MODES)
def test_a_png_that_is_written_has_the_pixels_and_nothing_else(tmp_path: Path, mode: str) -> None:
    picture = CLEAR.convert(mode)
    path = tmp_path / "a.png"
    path.write_bytes(writing.png(picture, None))
    with OpenedFile(path) as source:
        assert {chunk.kind for chunk in png.chunks(source)} == {b"IHDR", b"IDAT", b"IEND"}
    with Image.open(path) as read:
        assert (read.mode, read.tobytes()) == (mode, picture.tobytes())


def test_a_large_picture_has_several_parts_of_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_PART", 1000)
    with Image.open(io.BytesIO(writing.png(PHOTO, None))) as read:
        assert read.tobytes() == PHOTO.tobytes()


def test_the_library_is_that_of_the_locked_wheel() -> None:
    assert Path(deflate.library._name).parent.name == "imagecodecs.libs"
    assert deflate.version() == "libdeflate"


def test_without_the_library_zlib_compresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate, "library", None)
    assert deflate.version() == f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
    with Image.open(io.BytesIO(writing.png(PHOTO, profiles.display_p3()))) as read:
        assert (read.tobytes(), read.info["icc_profile"]) == (PHOTO.tobytes(), profiles.display_p3())


def test_want_of_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deflate.library, "libdeflate_alloc_compressor", lambda _: None)
    with pytest.raises(MemoryError):
        deflate.compressed(bytearray(9), 11)  # a level that nothing was compressed by before


def test_a_profile_is_written_as_it_is() -> None:
    with Image.open(io.BytesIO(writing.png(PHOTO, profiles.display_p3()))) as read:
        assert read.info["icc_profile"] == profiles.display_p3()


@pytest.mark.parametrize("recipe", ["w=300", "w=200,gray=1"])
def test_a_photograph_takes_no_more_than_a_twentieth_more_bytes_than_by_the_best_filter(recipe: str) -> None:
    made = derive(images.encode(PHOTO, "PNG"), recipe, "png")
    pixels = pyvips.Image.new_from_array(np.asarray(made.pillow()))
    others = [pixels.pngsave_buffer(compression=6, filter=one) for one in ("none", "sub", "up", "avg", "paeth", "all")]
    assert len(made.data) <= 1.05 * min(map(len, others))
