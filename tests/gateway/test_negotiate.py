"""Accept, as RFC 9110 has it, in four buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.holding import Shape
from gateway.negotiate import base_format, bucket, source_format
from gateway.rules import FORMATS

WEIGHTS = st.sampled_from([None, 0, 1, 300, 500, 501, 900, 1000])
RANGES = [
    "image/jxl",
    "image/avif",
    "image/webp",
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/*",
    "*/*",
    "text/html",
]
PREFERENCES = st.lists(st.sampled_from(["jxl", "avif", "webp"]), unique=True)
STILL, MOVING = Shape(640, 480), Shape(640, 480, 9)
blanks = st.sampled_from(["", " ", "\t", "  "])


def weight_of(media_type: str, asked: dict[str, int]) -> int:
    """RFC 9110, 12.5.1: the most specific range that matches gives the weight; what no range matches has none."""
    for media_range in (media_type, "image/*", "*/*"):
        if media_range in asked:
            return asked[media_range]
    return 0


@st.composite
def headers(draw: st.DrawFn) -> tuple[dict[str, int], str]:
    """Ranges with their weights in thousandths, and one way to write them."""
    asked: dict[str, int] = {}
    elements: list[str] = []
    for media_range in draw(st.lists(st.sampled_from(RANGES), unique=True)):
        weight = draw(WEIGHTS)
        asked[media_range] = 1000 if weight is None else weight
        spelled = draw(st.sampled_from([str.lower, str.upper, str.title]))(media_range)
        if weight is not None:
            number = draw(st.sampled_from([f"{weight / 1000:.3f}", f"{weight / 1000:g}"]))
            spelled += draw(blanks) + ";" + draw(blanks) + draw(st.sampled_from("qQ")) + "=" + number
        elements.append(draw(blanks) + spelled + draw(blanks))
    return asked, ",".join(elements)


@given(headers(), PREFERENCES)
def test_the_bucket_is_the_heaviest_format_that_is_named(
    header: tuple[dict[str, int], str], preferred: list[str]
) -> None:
    asked, accept = header
    base = max(weight_of(media_type, asked) for media_type in ("image/jpeg", "image/png", "image/gif"))
    named = {word: asked[f"image/{word}"] for word in preferred if asked.get(f"image/{word}", 0) > 0}
    heaviest = max(named.values(), default=0)

    expected = next((word for word in preferred if named.get(word) == heaviest), "base")

    assert bucket(accept, preferred) == (expected if named and heaviest >= base else "base")


@given(st.binary(max_size=80), PREFERENCES)
def test_garbage_falls_into_a_bucket(accept: bytes, preferred: list[str]) -> None:
    assert bucket(accept.decode("utf-8", "surrogateescape"), preferred) in ("base", *preferred)


def test_a_long_header_costs_no_more_than_a_short_one() -> None:
    assert bucket("image/webp," + "x" * 10**6, ["webp"]) == "webp"
    assert bucket(" " * 10**6 + "image/webp", ["webp"]) == "base"


@pytest.mark.parametrize(
    ("alpha", "shape", "out", "expected"),
    [
        (False, STILL, FORMATS, "jpg"),
        (True, STILL, FORMATS, "png"),
        (False, MOVING, FORMATS, "gif"),
        (True, MOVING, FORMATS, "gif"),
        (True, MOVING, ["jpg", "png"], "png"),
        (False, MOVING, ["jpg", "png"], "jpg"),
        (False, STILL, ["webp", "png"], "png"),
        (True, STILL, ["webp", "jpg"], "webp"),
        (False, Shape(9, 65500), FORMATS, "jpg"),
        (False, Shape(9, 65501), FORMATS, "png"),
        (False, Shape(65536, 9, 2), FORMATS, "png"),
    ],
)
def test_the_base_format_shows_an_image_everywhere(
    alpha: bool, shape: Shape, out: list[str] | tuple[str, ...], expected: str
) -> None:
    assert base_format(alpha, shape, out) == expected


def test_the_source_format_is_the_original_s_where_that_may_go_out() -> None:
    assert source_format("tif", "jpg", FORMATS) == "tif"
    assert source_format("heic", "jpg", FORMATS) == "jpg"
