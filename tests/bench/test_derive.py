"""`bench/run derive`: its rows, and when a bar counts as missed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bench.derive import NAMES, table
from bench.derive.originals import _GIVEN, _MAKERS
from bench.derive.rivals import RIVALS
from bench.derive.rows import ROWS, Row
from bench.derive.screenshot import draw
from bench.derive.turns import Found, takes_part
from bench.derive.verdict import judge
from bench.derive.vips import vips
from bench.peers import Asked
from tests import images

HOME = Path(__file__).resolve().parent.parent.parent
ROW = Row("a", "a", "photo.jpg", "jpg")

Find = Callable[..., Found]


@pytest.fixture
def found(tmp_path: Path) -> Find:
    """Make what a server did: its CPU by round, its score, and the bytes of its file."""

    def make(*costs: float, score: float = 75.0, size: int = 1000) -> Found:
        file = tmp_path / f"{size}"
        file.write_bytes(bytes(size))
        return Found(list(costs), [file], score)

    return make


def test_every_row_has_a_name_of_its_own_and_an_original() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(ROWS)
    assert {row.source for row in ROWS} == {*_GIVEN, *_MAKERS}


def test_a_row_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    run = subprocess.run(
        [sys.executable, HOME / "bench/run", "derive", "jpeg-64"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "jpeg-64 is not" in run.stderr
    assert "jpeg-640, jpeg-200" in run.stderr


def test_the_ratio_is_the_median_of_the_rounds_in_which_both_were_measured(found: Find) -> None:
    verdict = judge(ROW, {"gateway": found(9, 18, 90), "IPX": found(10, 20, 20)})
    assert verdict.comparisons["IPX"].ratio == 0.9
    assert not verdict.missed


@pytest.mark.parametrize(("cost", "missed"), [(9.5, set()), (9.6, {"cost of IPX"})])
def test_a_server_may_be_reached_to_095_of_its_cpu(cost: float, missed: set[str], found: Find) -> None:
    assert judge(ROW, {"gateway": found(cost), "IPX": found(10)}).missed == missed


@pytest.mark.parametrize(("cost", "missed"), [(13.9, set()), (14.1, {"cost of libvips"})])
def test_bare_libvips_may_be_exceeded_by_4_ms(cost: float, missed: set[str], found: Find) -> None:
    assert judge(ROW, {"gateway": found(cost), "libvips": found(10)}).missed == missed


def test_a_lower_score_and_more_bytes_are_missed_bars_whatever_the_cost(found: Find) -> None:
    ours = found(1, score=74.0, size=1100)
    assert judge(ROW, {"gateway": ours, "IPX": found(10)}).missed == {"score of IPX", "bytes of IPX"}


def test_the_gateway_with_imagemagick_has_a_column_and_no_bar(found: Find) -> None:
    verdict = judge(ROW, {"gateway": found(9), "IPX": found(10), "imagemagick": found(1, score=99.0, size=1)})
    assert not verdict.missed
    assert "| imagemagick |" in table.HEAD
    assert "| 1.0 |" in table.line(ROW, verdict)


def test_a_bar_in_milliseconds_takes_the_place_of_that_of_libvips(found: Find) -> None:
    row = Row("tiff", "tiff", "deep.tif", "jpg", most=45)
    assert not judge(row, {"gateway": found(44), "libvips": found(18)}).missed
    assert judge(row, {"gateway": found(46), "libvips": found(60)}).missed == {"cost, 45 ms"}


@pytest.mark.parametrize(
    ("cost", "size", "missed"), [(12, 850, set()), (12.1, 850, {"cost of WebP"}), (12, 851, {"bytes of WebP"})]
)
def test_a_rival_has_a_share_of_cpu_and_of_bytes(cost: float, size: int, missed: set[str], found: Find) -> None:
    row = Row("jxl", "jxl", "photo.jpg", "jxl", rival="WebP", share=1.2, bytes_share=0.85)
    assert judge(row, {"gateway": found(cost, size=size), "WebP": found(10)}).missed == missed


@pytest.mark.parametrize(
    ("score", "size", "missed", "shown"),
    [
        (75, 1000, set(), "1.4"),
        (75, 1210, {"bytes of WebP"}, "1.4"),
        (78, 1450, set(), "1.7"),
        (81, 1000, {"bytes of WebP"}, "-"),
    ],
)
def test_bytes_of_a_rival_with_a_ladder_are_those_at_the_score_of_ours(
    score: float, size: int, missed: set[str], shown: str, found: Find
) -> None:
    """However its default scores; and a score that no quality reaches is not met."""
    row = Row("jxl", "jxl", "photo.jpg", "jxl", rival="WebP", bytes_share=0.85, ladder=(60, 80))
    webp = found(10, score=79, size=1900)
    webp.curve = [(70.0, 1000.0), (80.0, 2000.0)]
    verdict = judge(row, {"gateway": found(10, score=score, size=size), "WebP": webp})
    assert verdict.missed == missed
    kilobytes = table.line(row, verdict).split("|")[-3].split(", ")
    assert kilobytes[table.NAMES.index("WebP")] == shown


def test_a_rival_stands_in_the_place_of_all_peers() -> None:
    names = ["gateway", "thumbor", "libvips", "imagemagick", *RIVALS]
    row = Row("jxl", "jxl", "photo.jpg", "jxl", rival="WebP")
    assert [name for name in names if takes_part(name, row)] == ["gateway", "WebP"]
    assert [name for name in names if takes_part(name, ROW)] == ["gateway", "thumbor", "libvips", "imagemagick"]


def test_libjxl_alone_makes_the_jpeg_xl_of_a_jpeg_without_loss(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(images.jpeg())
    with RIVALS["libjxl"](tmp_path, tmp_path) as server:
        made = server.fetch(server.path(Asked("a.jpg", 0, "jxl")))
    assert images.jpeg_of_jxl(made) == images.jpeg()


def test_bare_libvips_makes_thumbnails_and_crops(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(images.png())
    with vips(tmp_path, tmp_path) as server:
        for asked, size in ((Asked("a.png", 80, "webp"), (80, 60)), (Asked("a.png", 50, "jpg", 50), (50, 50))):
            (tmp_path / "made").write_bytes(server.fetch(server.path(asked)))
            with Image.open(tmp_path / "made") as made:
                assert made.size == size


def test_the_screenshot_is_the_same_every_time() -> None:
    first = draw()
    assert first.size == (1920, 1200)
    assert first.tobytes() == draw().tobytes()
