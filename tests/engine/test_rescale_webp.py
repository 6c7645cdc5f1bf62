"""A WebP made of a JPEG or a WebP by luma and chroma alone looks as one that went through RGB, and only where that is
so."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gateway.rules import DEFAULT_EFFORT
from service.engine import rescale
from service.engine.job import Unsatisfiable
from service.engine.jpeg.drawn import has_coloured_edges
from service.engine.webp import decoding, encoding
from tests import images, profiles
from tests.engine.deriving import apart, derive
from tests.engine.drawings import DRAWN, PHOTOGRAPHS
from tests.engine.test_rescale import CROPS, shown

ORIGINALS = {"JPEG": "4:2:0", "WEBP": None}
SIZES = [(1, 1), (7, 9), (16, 16), (33, 15), (251, 130)]
COLOURED = ("red text on blue", "yellow text on white", "red hairlines on blue")


def original(kind: str, orientation: int = 1) -> bytes:
    """A picture of 300x200 pixels with chroma of half the size, stored turned."""
    options = {"subsampling": "4:2:0"} if kind == "JPEG" else {}
    return images.oriented(orientation, kind, images.photo(300, 200), **{"quality": 95, **options})


@pytest.mark.parametrize("kind", ORIGINALS)
@pytest.mark.parametrize("recipe", CROPS)
def test_it_shows_what_was_asked_for(kind: str, recipe: str, written: list[tuple[int, int]]) -> None:
    box, size = CROPS[recipe]
    data = original(kind)
    made = derive(data, recipe, "webp")
    assert written == [size]
    assert made.pillow().size == (made.result.width, made.result.height) == size
    difference = np.abs(made.pixels() - shown(data, box, size))
    assert difference.mean() < 5
    assert difference[:, -1].mean() < 10 and difference[-1].mean() < 10


@pytest.mark.parametrize("kind", ["jpg", "avif"])
@pytest.mark.parametrize("recipe", CROPS)
def test_other_formats_of_a_webp_show_what_was_asked_for(
    recipe: str, kind: str, written: list[tuple[int, int]]
) -> None:
    box, size = CROPS[recipe]
    data = original("WEBP")
    made = derive(data, recipe, kind)
    assert written == [size] == [made.pillow().size]
    assert np.abs(made.pixels() - shown(data, box, size)).mean() < 5


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_webp_stands_upright(orientation: int, written: list[tuple[int, int]]) -> None:
    box, size = CROPS["w=75,h=75,fit=cover,g=e"]
    data = original("WEBP", orientation)
    made = derive(data, "w=75,h=75,fit=cover,g=e", "webp")
    assert written == [size]
    assert np.abs(made.pixels() - shown(data, box, size)).mean() < 5


@pytest.mark.parametrize("kind", ORIGINALS)
@pytest.mark.parametrize("colour", [(200, 60, 30), (255, 255, 255), (0, 0, 0)])
@pytest.mark.parametrize("made", ["webp", "jpg", "avif"])
@pytest.mark.parametrize("recipe", ["w=33", "crop=3:3:31:17", "w=99,h=55,fit=cover,up=1"])
def test_one_colour_stays_so_up_to_every_edge(kind: str, colour: tuple[int, int, int], made: str, recipe: str) -> None:
    data = images.encode(images.flat(65, 49, colour), kind, quality=95)
    assert np.abs(derive(data, recipe, made).pixels() - colour).max() <= 5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("filtered", [True, False])
def test_planes_of_a_webp_show_what_pillow_shows(size: tuple[int, int], filtered: bool) -> None:
    data = images.webp(images.photo(*size), quality=95)
    found = decoding.planes(data, size, 8, filtered)
    assert found is not None
    assert [plane.size for plane in found] == [even(size), half(size), half(size)]
    luma = np.asarray(found[0].crop((0, 0, *size))).astype(float)
    with Image.open(io.BytesIO(data)) as image:
        red, green, blue = np.asarray(image.convert("RGB")).astype(float).transpose(2, 0, 1)
    expected = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255  # ITU-R BT.601
    assert np.abs(luma - expected).mean() < 4


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_has_the_planes_that_were_given(size: tuple[int, int]) -> None:
    given = decoding.planes(images.webp(images.photo(*size), quality=95), size, 8, True)
    assert given is not None
    found = decoding.planes(encoding.write(given, size, 100, 4), size, 8, True)
    assert found is not None
    for one, other in zip(given, found, strict=True):
        assert np.abs(np.asarray(one).astype(int) - np.asarray(other)).mean() < 4


@pytest.mark.parametrize(
    ("asked", "expected"),
    {(80, 4): (80.5, 5), (1, 4): (1.5, 5), (81, 4): (81, 4), (80, 2): (80, 2), (80, 6): (80, 6)}.items(),
)
def test_a_webp_of_a_webp_has_trellis_quantisation_up_to_80(
    asked: tuple[int, int], expected: tuple[float, int]
) -> None:
    size = (300, 200)
    planes = decoding.planes(images.webp(images.photo(*size), quality=95), size, 8, True)
    assert planes is not None
    assert encoding.rewrite(planes, size, *asked) == encoding.write(planes, size, *expected)


def test_a_webp_of_any_other_format_has_it_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rescale._REWRITERS, "webp", lambda *_: b"a WebP of a WebP")
    assert derive(original("WEBP"), "w=100", "webp").data == b"a WebP of a WebP"
    assert Image.open(io.BytesIO(derive(original("JPEG"), "w=100", "webp").data)).size == (100, 67)


def even(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def half(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def drawn(name: str, kind: str = "WEBP") -> bytes:
    return images.encode(DRAWN[name](), kind, quality=80)


OTHERWISE: dict[str, tuple[Callable[[], bytes], str]] = {
    "transparency": (images.webp_alpha, "w=100"),
    "a WebP without loss": (lambda: images.webp(lossless=True), "w=100"),
    "an animation": (images.webp_animated, "w=50"),
    "a PNG": (images.png, "w=100"),
    "a profile": (lambda: images.webp(icc_profile=profiles.display_p3()), "w=100"),
    "a profile of a JPEG": (lambda: images.jpeg(icc_profile=profiles.display_p3()), "w=100"),
    "a result without loss": (images.webp, "w=100,lossless=1"),
    "a tone": (images.webp, "w=100,gam=2"),
    "a canvas": (images.webp, "w=100,h=100,fit=pad"),
    "a quality by its looks": (images.webp, "w=100,q=auto"),
    "most bytes": (images.webp, "w=100,mb=4000"),
    "a drawing": (lambda: drawn("text"), "w=300"),
    "a drawing in JPEG": (lambda: images.encode(DRAWN["text"](), "JPEG", quality=85), "w=300"),
    **{name: (partial(drawn, name), "w=300") for name in COLOURED},
    **{f"{name} in JPEG": (partial(drawn, name, "JPEG"), "w=300") for name in COLOURED},
}


@pytest.mark.parametrize("kind", ["webp", "avif"])
@pytest.mark.parametrize("case", OTHERWISE)
def test_other_work_is_done_in_rgb(case: str, kind: str, written: list[tuple[int, int]]) -> None:
    data, recipe = OTHERWISE[case]
    made = derive(data(), recipe, kind)
    assert not written
    assert made.result.bytes == len(made.data) > 0


def test_a_drawn_webp_is_scaled_as_for_any_other_format() -> None:
    data = images.encode(DRAWN["text"](), "WEBP", quality=85)
    scaled = derive(data, "w=240", "png").pillow().convert("RGB")
    assert derive(data, "w=240", "webp").data == encoding.write_pixels(scaled, 80, DEFAULT_EFFORT["webp"])


@pytest.mark.parametrize("quality", [60, 90])
def test_a_webp_of_a_photograph_is_not_taken_for_drawn(quality: int, written: list[tuple[int, int]]) -> None:
    for make in PHOTOGRAPHS.values():
        derive(images.encode(make(), "WEBP", quality=quality), "w=300", "webp")
    assert len(written) == len(PHOTOGRAPHS)


def test_photographs_have_no_coloured_edges() -> None:
    for make in PHOTOGRAPHS.values():
        _, cb, cr = make().convert("YCbCr").reduce(2).split()
        assert not has_coloured_edges(cb) and not has_coloured_edges(cr)


def test_a_profile_that_is_srgb_changes_nothing(written: list[tuple[int, int]]) -> None:
    plain, profiled = images.webp(), images.webp(icc_profile=profiles.srgb())
    assert derive(plain, "w=100", "webp").data == derive(profiled, "w=100", "webp").data
    assert len(written) == 2


def test_a_notice_that_stays_is_written_by_the_other_way(written: list[tuple[int, int]]) -> None:
    made = derive(images.webp(), "w=100,keep=copyright", "webp", keep=("copyright",))
    assert not written and made.result.width == 100


def test_a_side_that_webp_cannot_hold_is_not_written() -> None:
    size = 16384, 2
    luma, chroma = Image.new("L", size), Image.new("L", half(size))
    assert encoding.write((luma, chroma, chroma), size, 80, 0) == b""


def test_a_side_that_webp_cannot_hold_is_refused() -> None:
    data = images.jpeg(images.flat(16400, 2), quality=80, subsampling="4:2:0")
    with pytest.raises(Unsatisfiable, match="webp holds at most 16383 pixels a side"):
        derive(data, "q=70", "webp")


@pytest.mark.parametrize("case", ["cut", "another size", "alpha", "lossless", "animation", "no WebP"])
def test_planes_of_other_files_are_left_to_the_reader(case: str) -> None:
    data = {
        "cut": images.webp()[:-400],
        "another size": images.webp(images.photo(300, 240)),
        "alpha": images.webp_alpha(),
        "lossless": images.webp(lossless=True),
        "animation": images.webp_animated(),
        "no WebP": images.jpeg(),
    }[case]
    assert decoding.planes(data, (320, 240), 8, True) is None


def test_without_the_library_the_image_is_made_in_rgb(
    monkeypatch: pytest.MonkeyPatch, written: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(decoding, "library", None)
    assert derive(images.webp(), "w=101", "webp").pillow().size == (101, 76)
    assert not written


def test_a_burst_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(images.webp(images.photo(600, 450)))
    recipes = ("w=500", "w=140", "w=280", "w=550", "w=100")
    wanted = apart(path, recipes, "webp")
    assert [derive(path, recipe, "webp").data for recipe in recipes] == wanted
