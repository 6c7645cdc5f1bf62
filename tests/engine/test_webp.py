"""A still WebP is decoded and encoded by libwebp itself, to the pixels that Pillow has of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.engine.job import Undecodable
from service.engine.webp import decoding, encoding
from tests import images, profiles
from tests.engine.deriving import derive

PHOTO = Image.fromarray(images.photo(203, 151))
KINDS: dict[str, dict[str, Any]] = {"lossy": {"quality": 80}, "lossless": {"lossless": True}}


def coded(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def by_pillow(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as file:
        return file.copy()


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_are_those_of_pillow(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo.webp"
    path.write_bytes(coded(PHOTO, **KINDS[kind]))
    decoded = decoding.decoded(path, "RGB", PHOTO.size, 8)
    assert decoded is not None
    assert decoded.tobytes() == by_pillow(path.read_bytes()).tobytes()


def test_transparency_is_straight_and_comes_along(tmp_path: Path) -> None:
    picture = PHOTO.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(PHOTO.size))
    path = tmp_path / "alpha.webp"
    path.write_bytes(coded(picture, lossless=True, exact=True))
    decoded = decoding.decoded(path, "RGBA", PHOTO.size, 8)
    assert decoded is not None
    assert decoded.tobytes() == picture.tobytes()


@pytest.mark.parametrize("size", [(202, 151), (204, 151), (203, 150), (203, 152)])
def test_a_size_that_is_not_the_file_s_is_left_to_pillow(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "photo.webp"
    path.write_bytes(coded(PHOTO))
    assert decoding.decoded(path, "RGB", size, 8) is None


def test_an_animation_is_left_to_pillow(tmp_path: Path) -> None:
    path = tmp_path / "moving.webp"
    path.write_bytes(coded(PHOTO, save_all=True, append_images=[PHOTO.rotate(180)], duration=100))
    assert decoding.decoded(path, "RGB", PHOTO.size, 8) is None


def test_damaged_data_are_refused() -> None:
    data = bytearray(coded(PHOTO, lossless=True))
    data[40 : len(data) - 40] = b"\xff" * (len(data) - 80)
    with pytest.raises(Undecodable):
        derive(bytes(data), "w=64", "png")


def test_the_frame_header_is_not_believed_over_the_memory() -> None:
    """A bitstream of more pixels than the file's header says is refused."""
    data, larger = coded(PHOTO), coded(PHOTO.resize((406, 302)))
    extended = coded(PHOTO, icc_profile=b"profile of nothing")
    start = extended.index(b"VP8 ")
    stream = larger[larger.index(b"VP8 ") :]
    whole = b"RIFF" + (4 + start - 12 + len(stream)).to_bytes(4, "little") + extended[8:start] + stream
    assert len(whole) > len(data)
    with pytest.raises(Undecodable):
        derive(whole, "w=64", "png")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(("quality", "effort"), [(80, 4), (40, 0)])
def test_what_is_written_is_what_pillow_writes_but_for_the_loop_filter(
    mode: str, quality: int, effort: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.fromarray(images.photo_alpha(203, 151)).convert(mode)
    sharper = encoding.write_pixels(image, quality, effort)
    monkeypatch.setattr(encoding, "SHARPNESS", 0)
    plain = encoding.write_pixels(image, quality, effort)
    assert plain == coded(image, quality=quality, method=effort)
    assert len(plain) == len(sharper) and plain != sharper


def test_a_result_with_a_profile_has_it() -> None:
    data = images.png(icc_profile=profiles.display_p3())
    made = derive(data, "w=100,keep=icc", "webp", keep=("icc",))
    assert made.pillow().info["icc_profile"]


def test_a_side_that_webp_cannot_hold_is_not_written() -> None:
    assert encoding.write_pixels(Image.new("RGBA", (16384, 2)), 80, 0) == b""


def test_without_the_library_pillow_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.fromarray(images.photo_alpha(203, 151))
    monkeypatch.setattr(encoding, "library", None)
    assert encoding.write_pixels(image, 80, 4) == b""
    made = derive(images.encode(images.photo_alpha(203, 151), "PNG"), "", "webp", quality=80)
    assert made.data == coded(image, quality=80, method=4)
