"""PNG of the usual kinds is decoded by libdeflate and libspng, to the pixels that the file means; all else by
libvips."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.engine import bundled
from service.engine.headers import png
from service.engine.job import Undecodable
from service.engine.picture import Frame
from service.engine.png import deflate, reading, spng
from service.engine.vips import reading as others
from tests import images
from tests.engine.deriving import derive

COLOUR_TYPES = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
FILTERS = range(5)
"""None, sub, up, average and Paeth (PNG specification, 9.2)."""

SIZE = (61, 47)
FLAWS = ("the checksum of a chunk", "the checksum of the stream")
"""Damage that all pixels survive."""

LARGE = (300, 231)
"""Whose rows take more than one stored block of Deflate, in every mode but gray."""


def picture(mode: str, size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.fromarray(images.photo_alpha(*size)).convert(mode)


def header(image: Image.Image, interlaced: int = 0) -> bytes:
    size = image.width.to_bytes(4) + image.height.to_bytes(4)
    return images.png_chunk(b"IHDR", size + bytes([8, COLOUR_TYPES[image.mode], 0, 0, interlaced]))


def rows(image: Image.Image, filters: tuple[int, ...] = tuple(FILTERS)) -> bytes:
    """Filtered rows: each by the next of the filters in turn."""
    samples = len(image.getbands())
    pixels = np.asarray(image).reshape(image.height, -1).astype(int)
    left, above = np.zeros_like(pixels), np.zeros_like(pixels)
    corner = np.zeros_like(pixels)
    left[:, samples:], above[1:] = pixels[:, :-samples], pixels[:-1]
    corner[1:, samples:] = pixels[:-1, :-samples]
    guess = left + above - corner
    far = [abs(guess - one) for one in (left, above, corner)]
    paeth = np.where((far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above, corner))
    predicted = (np.zeros_like(pixels), left, above, (left + above) // 2, paeth)
    made = b""
    for row in range(image.height):
        chosen = filters[row % len(filters)]
        made += bytes([chosen]) + ((pixels[row] - predicted[chosen][row]) % 256).astype(np.uint8).tobytes()
    return made


def file(image: Image.Image, data: bytes | None = None, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG whose IDAT holds `data`, by default the image by all filters in turn."""
    content = zlib.compress(rows(image)) if data is None else data
    return b"".join(
        [
            png.SIGNATURE,
            header(image),
            before,
            images.png_chunk(b"IDAT", content),
            after,
            images.png_chunk(b"IEND", b""),
        ]
    )


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that libvips was asked to decode."""
    asked: list[Path] = []
    decode = others.png

    def counted(path: Path, mode: str, size: tuple[int, int], n: int) -> Image.Image | None:
        asked.append(path)
        return decode(path, mode, size, n)

    monkeypatch.setattr(others, "png", counted)
    return asked


def decoded(folder: Path, data: bytes, size: tuple[int, int] = SIZE) -> Image.Image | None:
    path = folder / "a.png"
    path.write_bytes(data)
    with Image.open(path) as opened:
        mode = opened.mode
    made = reading.decoded(path, mode, size, 8)
    return Frame(made).pillow() if made else None


@pytest.mark.parametrize("mode", COLOUR_TYPES)
@pytest.mark.parametrize("size", [SIZE, LARGE, (1, 1), (1, 40), (40, 1)])
def test_every_filter_is_undone(tmp_path: Path, passed_on: list[Path], mode: str, size: tuple[int, int]) -> None:
    image = picture(mode, size)
    made = decoded(tmp_path, file(image), size)
    assert made is not None
    assert (made.mode, made.tobytes()) == (mode, image.tobytes())
    assert not passed_on


@pytest.mark.parametrize("height", [1, 2, 3])
def test_rows_may_end_where_a_stored_block_does(tmp_path: Path, passed_on: list[Path], height: int) -> None:
    image = picture("L", (0xFFFF - 1, height))  # with the byte of the filter as many as a block has
    made = decoded(tmp_path, file(image), image.size)
    assert made is not None
    assert made.tobytes() == image.tobytes()
    assert not passed_on


@pytest.mark.parametrize("filter_", FILTERS)
def test_the_first_row_has_none_above_it(tmp_path: Path, passed_on: list[Path], filter_: int) -> None:
    image = picture("RGB")
    made = decoded(tmp_path, file(image, zlib.compress(rows(image, (filter_,)))))
    assert made is not None
    assert made.tobytes() == image.tobytes()
    assert not passed_on


def test_chunks_of_pixels_may_be_empty(tmp_path: Path, passed_on: list[Path]) -> None:
    empty = images.png_chunk(b"IDAT", b"")
    made = decoded(tmp_path, file(picture("RGB"), before=empty * 2, after=empty))
    assert made is not None
    assert made.tobytes() == picture("RGB").tobytes()
    assert not passed_on


def test_pixels_may_lie_in_many_chunks_between_others(tmp_path: Path, passed_on: list[Path]) -> None:
    image = picture("RGB")
    data = zlib.compress(rows(image))
    parts = b"".join(images.png_chunk(b"IDAT", data[at : at + 100]) for at in range(0, len(data), 100))
    text = images.png_chunk(b"tEXt", b"Comment\0of this test")
    made = decoded(
        tmp_path, b"".join([png.SIGNATURE, header(image), text, parts, text, images.png_chunk(b"IEND", b"")])
    )
    assert made is not None
    assert made.tobytes() == image.tobytes()
    assert not passed_on


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(images.png_palette(*SIZE), id="palette"),
        pytest.param(images.encode(picture("RGB"), "PNG", transparency=(1, 2, 3)), id="a transparent colour"),
        pytest.param(images.encode(picture("L").convert("1"), "PNG"), id="one bit"),
        pytest.param(file(picture("RGB"), before=images.png_chunk(b"PLTE", bytes(3))), id="a suggested palette"),
        pytest.param(file(picture("RGB"), zlib.compress(rows(picture("RGB")) + b"more")), id="more than its pixels"),
        pytest.param(file(picture("RGB"), zlib.compress(rows(picture("RGB"))) + b"more"), id="bytes behind the stream"),
    ],
)
def test_other_kinds_are_left_to_libvips(tmp_path: Path, passed_on: list[Path], data: bytes) -> None:
    assert decoded(tmp_path, data) is not None
    assert passed_on


def test_a_chunk_of_a_kind_that_png_reserves_is_left_to_the_others(tmp_path: Path, passed_on: list[Path]) -> None:
    data = file(picture("RGB"), before=images.png_chunk(b"abcd", b""))  # a small third letter
    assert decoded(tmp_path, data) is None
    assert passed_on
    assert derive(data, "w=20", "png").data == derive(file(picture("RGB")), "w=20", "png").data


def test_a_large_one_is_left_to_libvips(tmp_path: Path, passed_on: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    data = file(picture("L"))
    bytes_ = len(data) + (1 + SIZE[0]) * SIZE[1] + SIZE[0] * SIZE[1]  # of the file, its rows and its pixels
    for most, asked in ((bytes_, 0), (bytes_ - 1, 1)):
        monkeypatch.setattr(reading, "_MOST", most)
        assert decoded(tmp_path, data) is not None
        assert len(passed_on) == asked


def test_so_is_one_for_which_there_is_no_room(
    tmp_path: Path, passed_on: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "has_room", lambda _: False)
    assert decoded(tmp_path, file(picture("RGB"))) is not None
    assert passed_on


@pytest.mark.parametrize("room", [True, False])
def test_room_is_that_for_rows_with_the_file_or_with_the_pixels(
    tmp_path: Path, passed_on: list[Path], monkeypatch: pytest.MonkeyPatch, room: bool
) -> None:
    image = picture("L")
    data = file(image, after=images.png_chunk(b"teSt", bytes(100_000)))
    most = (1 + SIZE[0]) * SIZE[1] + len(data)
    monkeypatch.setattr(reading, "has_room", lambda size: size <= most - (not room))
    assert decoded(tmp_path, data) is not None
    assert bool(passed_on) is not room


@pytest.mark.parametrize("without", [deflate, spng])
def test_without_a_library_libvips_reads(
    tmp_path: Path, passed_on: list[Path], monkeypatch: pytest.MonkeyPatch, without: object
) -> None:
    monkeypatch.setattr(without, "library", None)
    made = decoded(tmp_path, file(picture("RGB")))
    assert made is not None
    assert made.tobytes() == picture("RGB").tobytes()
    assert passed_on


def damaged() -> dict[str, bytes]:
    image = picture("RGB")
    whole, data = file(image), zlib.compress(rows(image))
    wrong = bytes([9]) + rows(image)[1:]
    unchecked = data[:-1] + bytes([data[-1] ^ 1])
    text = images.png_chunk(b"tEXt", b"Comment\0of this test")
    chunk_unchecked, both = bytearray(whole), bytearray(file(image, unchecked))
    for one in (chunk_unchecked, both):
        one[-png.OVERHEAD - 1] ^= 1  # the last byte before IEND
    return {
        "the checksum of a chunk": bytes(chunk_unchecked),
        "the checksum of the stream": file(image, unchecked),
        "both checksums": bytes(both),
        "too few rows": file(image, zlib.compress(rows(image)[:-1])),
        "a filter that is none": file(image, zlib.compress(wrong)),
        "no pixels": file(image, b""),
        "a cut": whole[: len(whole) // 2],
        "no stream": file(image, b"nothing"),
        "a chunk inside the pixels": file(image, before=images.png_chunk(b"IDAT", b"") + text),
    }


@pytest.mark.parametrize("kind", damaged())
def test_damage_is_left_to_the_others(tmp_path: Path, passed_on: list[Path], kind: str) -> None:
    decoded(tmp_path, damaged()[kind])
    assert passed_on


@pytest.mark.parametrize("kind", [kind for kind in damaged() if kind not in FLAWS])
def test_damage_is_refused(kind: str) -> None:
    with pytest.raises(Undecodable):
        derive(damaged()[kind], "w=20", "png")


@pytest.mark.parametrize("kind", FLAWS)
def test_one_wrong_checksum_alone_is_none(kind: str) -> None:
    assert derive(damaged()[kind], "w=20", "png").data == derive(file(picture("RGB")), "w=20", "png").data


def test_a_size_that_the_file_does_not_have_is_not_decoded(tmp_path: Path) -> None:
    assert decoded(tmp_path, file(picture("RGB")), (61, 48)) is None


def test_want_of_memory_of_libdeflate_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deflate._decompressor.cache_clear()
    monkeypatch.setattr(deflate.library, "libdeflate_alloc_decompressor", lambda: None)
    with pytest.raises(MemoryError):
        decoded(tmp_path, file(picture("RGB")))


def test_want_of_memory_of_libspng_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spng.library, "spng_ctx_new", lambda _: None)
    with pytest.raises(MemoryError):
        decoded(tmp_path, file(picture("RGB")))


def test_the_library_is_that_of_the_locked_wheel() -> None:
    assert Path(spng.library._name).parent.name == "imagecodecs"


def test_a_wheel_without_the_module_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled.load_module("_no_such_module") is None
    monkeypatch.setattr(bundled, "_PACKAGE", "no_such_package")
    assert bundled.load_module("_spng") is None


def test_a_module_that_exports_no_functions_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "load_module", lambda _: object())
    assert spng._load() is None
