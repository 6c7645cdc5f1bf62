"""A JPEG becomes a JPEG XL without loss, and comes back; nothing of its metadata goes along, in any form."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from service.engine import exchange
from service.engine.job import Library, Undecodable
from service.engine.jpeg import recode
from service.engine.jxl import libjxl, transcoding
from tests import images, jxls
from tests.engine.deriving import derive
from tests.engine.free_bytes import PLANTED
from tests.engine.free_bytes.jpegs import JPEGS
from tests.profiles import display_p3

KINDS = {
    "sequential": images.jpeg(exif=images.exif()),
    "progressive": images.jpeg(progressive=True),
    "gray": images.jpeg_gray(),
    "full chroma": images.jpeg(subsampling="4:4:4"),
    "half chroma": images.jpeg(subsampling="4:2:2"),
    "odd size": images.jpeg(images.photo(203, 151)),
    "restarts": images.jpeg(restart_marker_blocks=2),
    "profile": images.jpeg(icc_profile=display_p3()),
    **{f"orientation {number}": images.oriented(number) for number in range(2, 9)},
}


OPTIMISED = {
    "tables of its own": images.jpeg(images.photo(333, 251), optimize=True),
    "tables of its own, with a profile": images.jpeg(optimize=True, icc_profile=display_p3(), exif=images.exif()),
    "tables of its own, in gray": images.jpeg_gray(optimize=True),
}
"""Smaller than with the standard's Huffman tables: stripped, they are progressive."""


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_comes_back_as_the_stripped_jpeg_it_is(kind: str, library: Library) -> None:
    """By our own way, and by that of another libjxl."""
    stripped = derive(KINDS[kind], "", "jpg").data
    made = derive(KINDS[kind], "", "jxl", library=library)
    assert images.jpeg_of_jxl(made.data) == stripped
    assert derive(made.data, "", "jpg", library=library).data == stripped
    assert derive(made.data, "", "jxl", library=library).data == made.data


@pytest.mark.parametrize("kind", OPTIMISED)
def test_a_jpeg_with_tables_of_its_own_comes_back_as_the_stripped_jpeg_it_is(kind: str) -> None:
    """By our own way. Another libjxl gives its coefficients back, in a sequential JPEG of the standard's tables."""
    original = OPTIMISED[kind]
    made = derive(original, "", "jxl").data
    assert derive(made, "", "jpg").data == derive(original, "", "jpg").data
    assert derive(made, "", "jxl").data == made
    assert _planes(images.jpeg_of_jxl(made)) == _planes(original)


def test_no_progressive_jpeg_is_made_for_a_jpeg_with_tables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which would take as long as libjxl."""
    asked = []

    def recoded(*data: Any, progressive: bool, **others: Any) -> bytes:
        asked.append(progressive)
        return whole(*data, progressive=progressive, **others)

    whole = recode.recoded
    monkeypatch.setattr(recode, "recoded", recoded)
    derive(OPTIMISED["tables of its own"], "", "jxl")
    assert asked == [False]


def test_a_photograph_takes_fewer_bytes() -> None:
    """About a fifth for photographs of cameras; what the encoder itself writes of it is told by docs/engine.md."""
    original = images.jpeg(images.photo(640, 480), quality=90)
    assert derive(original, "", "jxl").result.bytes < 0.9 * len(derive(original, "", "jpg").data)


def test_the_coefficients_stay() -> None:
    original = images.jpeg()
    assert _planes(images.jpeg_of_jxl(derive(original, "", "jxl").data)) == _planes(original)


def _planes(data: bytes) -> tuple[tuple[int, int], bytes]:
    """Size and samples in luma and chroma, as libjpeg decodes them."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("YCbCr", None)
        return image.size, image.tobytes()


def test_what_another_encoder_made_of_a_jpeg_gives_that_jpeg_stripped() -> None:
    for original in (KINDS["sequential"], KINDS["profile"], images.oriented(6)):
        brought = images.jxl_of_jpeg(original)
        assert images.jpeg_of_jxl(brought) == original
        assert derive(brought, "", "jpg").data == derive(original, "", "jpg").data


@pytest.mark.parametrize("name", JPEGS)
def test_no_secret_of_a_jpeg_is_in_the_box_that_rebuilds_it(name: str) -> None:
    made = derive(JPEGS[name], "", "jxl").data
    rebuilt = images.jpeg_of_jxl(made)
    assert rebuilt
    assert PLANTED[:5] not in made + rebuilt
    assert {kind for kind, _ in jxls.boxes(made)} <= {b"JXL ", b"ftyp", b"jxlc", b"jxlp", b"jbrd"}


def test_what_is_cut_out_or_resized_is_encoded() -> None:
    for recipe in ("w=40", "gray=1", "q=60"):
        assert not images.jpeg_of_jxl(derive(images.jpeg(), recipe, "jxl").data)


def test_kinds_that_libjxl_does_not_take_are_encoded() -> None:
    for original in (images.jpeg_cmyk(), images.jpeg_ycck()):
        made = derive(original, "", "jxl")
        assert not images.jpeg_of_jxl(made.data)
        assert made.result.bytes > 0


def test_rgb_of_several_samplings_is_encoded() -> None:
    """libjxl takes it, and gives up later. Adobe's segment says that it is RGB (its technical note 5116)."""
    coded = images.jpeg(subsampling="4:2:0")
    data = coded[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0" + coded[20:]
    made = derive(data, "", "jxl").data
    assert not images.jpeg_of_jxl(made)
    with Image.open(io.BytesIO(made)) as shown, Image.open(io.BytesIO(data)) as stored:
        assert max(ImageStat.Stat(ImageChops.difference(shown.convert("RGB"), stored.convert("RGB"))).mean) < 3


def test_a_jpeg_xl_that_no_jpeg_was_made_of_is_encoded_as_jpeg() -> None:
    made = derive(images.jxl(), "", "jpg")
    assert made.result.format == "jpg"
    assert abs(made.pixels() - images.photo()).mean() < 4


@pytest.mark.parametrize("kind", ["sequential", "gray", "full chroma", "profile"])
def test_the_coefficients_of_a_jpeg_that_cannot_be_made_again_are_not_stored_as_samples(kind: str) -> None:
    """Where an encoder leaves out what makes the JPEG, the file has loss, although its colours are not those of light
    that is seen: at quality 95 it has a little more bytes, and without loss it had several times as many."""
    brought = transcoding.from_jpeg(KINDS[kind])
    data = jxls.container([(box, content) for box, content in jxls.boxes(brought)[2:] if box != b"jbrd"])
    made = derive(data, "", "jxl").data
    assert len(made) < 1.6 * len(data) < len(derive(data, "lossless=1", "jxl").data)
    before, after = (derive(file, "", "png").pillow().convert("RGB") for file in (data, made))
    assert max(ImageStat.Stat(ImageChops.difference(before, after)).mean) < 2


def test_a_box_that_does_not_fit_its_codestream_is_passed_over() -> None:
    """The image is still there: it is encoded once more."""
    brought, other = images.jxl_of_jpeg(images.jpeg()), images.jxl_of_jpeg(images.jpeg(images.photo(80, 60)))
    recipe = next(content for kind, content in jxls.boxes(other) if kind == b"jbrd")
    for content in (recipe, b"", bytes(40)):
        parts = [(kind, content if kind == b"jbrd" else data) for kind, data in jxls.boxes(brought)[2:]]
        made = derive(jxls.container(parts), "", "jpg")
        assert made.pixels().shape == (240, 320, 3)


def test_a_damaged_jpeg_is_refused() -> None:
    original = images.jpeg()
    with pytest.raises(Undecodable):
        derive(original[: len(original) // 2], "", "jxl")


def test_without_room_the_image_is_encoded_the_ordinary_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "has_room", lambda _: False)
    assert not images.jpeg_of_jxl(derive(images.jpeg(), "", "jxl").data)


def test_without_the_library_there_is_no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    made = derive(images.jpeg(), "", "jxl").data
    monkeypatch.setattr(libjxl, "library", None)
    assert transcoding.from_jpeg(images.jpeg()) == b""
    assert transcoding.to_jpeg(made, 1 << 20) == b""
