"""`formats.effort`: how much work an encoder spends on an image."""

from __future__ import annotations

import re

import pytest
from PIL import _avif

from gateway.config import rules_of
from gateway.rules import DEFAULT_EFFORT, MOST_EFFORT
from gateway.settings import Config
from service.app import _job_settings as making_of
from service.engine.avif import libavif, writing
from service.engine.job import Library
from tests import images
from tests.engine.deriving import derive

STANDARD_DC = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
"""The numbers of codes by length of the typical table for luma's DC (ITU-T T.81, table K.3)."""

PIXELS = {"planes": (images.jpeg(), "w=160"), "RGB": (images.png(), "w=160")}
"""Both ways to a JPEG or an AVIF, with an original and a recipe for each."""

TUNING = {"color:tune", "color:sharpness", "color:deltaq-strength"}
"""Options that libaom has from 3.14 on."""


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("way", PIXELS)
def test_a_jpeg_is_baseline_by_default_and_progressive_with_effort(way: str, library: Library) -> None:
    data, recipe = PIXELS[way]
    assert "progressive" not in derive(data, recipe, "jpg", library=library).pillow().info
    assert derive(data, recipe, "jpg", library=library, effort=1).pillow().info["progressive"]


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("way", PIXELS)
def test_a_baseline_jpeg_has_tables_of_its_own(way: str, library: Library) -> None:
    data, recipe = PIXELS[way]
    assert STANDARD_DC not in derive(data, recipe, "jpg", library=library).data


@pytest.mark.parametrize("way", PIXELS)
def test_a_progressive_jpeg_shows_the_same_pixels(way: str) -> None:
    data, recipe = PIXELS[way]
    baseline, progressive = (derive(data, recipe, "jpg", effort=effort).pixels() for effort in (0, 1))
    assert (baseline == progressive).all()


@pytest.mark.parametrize(("kind", "recipe"), [("png", ""), ("webp", ""), ("avif", ""), ("jxl", "lossless=1")])
def test_more_effort_takes_fewer_bytes(kind: str, recipe: str) -> None:
    """Lossy JPEG XL is nearer to the original, too, with more effort."""
    data = images.encode(images.photo(640, 480), "BMP")  # none of them copies it
    least, more = (derive(data, recipe, kind, effort=effort).result.bytes for effort in (0, min(4, MOST_EFFORT[kind])))
    assert more < least


@pytest.mark.parametrize("kind", DEFAULT_EFFORT)
def test_every_effort_from_0_to_the_most_can_be_written(kind: str) -> None:
    for effort in range(MOST_EFFORT[kind] + 1):
        assert derive(images.png(images.photo(32, 24)), "", kind, effort=effort).pillow().size == (32, 24)


@pytest.mark.parametrize("kind", DEFAULT_EFFORT)
def test_the_default_of_the_configuration_is_that_of_the_engine(kind: str) -> None:
    settings = making_of(Config(), rules_of(Config()), "versions", remote_store=False)
    assert derive(images.png(), "", kind, effort=settings.effort[kind]).data == derive(images.png(), "", kind).data


def test_the_effort_is_another_generation_of_the_caches() -> None:
    chosen = Config.model_validate({"formats": {"effort": {"avif": 2}}})
    before, after = (making_of(one, rules_of(one), "versions", remote_store=False) for one in (Config(), chosen))
    assert after.effort == {"jpg": 0, "png": 0, "webp": 4, "avif": 2, "jxl": 3}
    assert before.engine != after.engine
    assert "formats.effort jpg=0 png=0 webp=4 avif=2 jxl=3" in after.software


@pytest.mark.parametrize("way", PIXELS)
@pytest.mark.parametrize("quality", [1, 50, 99, 100])
@pytest.mark.parametrize("effort", [0, 1, 2])
def test_an_avif_of_any_quality_can_be_written_at_every_speed(way: str, quality: int, effort: int) -> None:
    """Quality 100 is without loss, where libaom refuses to weigh errors."""
    data, recipe = PIXELS[way]
    assert derive(data, f"{recipe},q={quality}", "avif", effort=effort).pillow().size == (160, 120)


@pytest.mark.parametrize("way", PIXELS)
def test_an_older_libaom_gets_no_options_that_it_does_not_know(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [writing.advice(effort, 50) for effort in (0, 1)]
    monkeypatch.setattr(libavif, "libaom", lambda: (3, 12))
    assert [set(more) - set(writing.advice(effort, 50)) for effort, more in enumerate(asked)] == [TUNING, TUNING]
    data, recipe = PIXELS[way]
    assert derive(data, recipe, "avif").pillow().size == (160, 120)


def test_another_encoder_gets_no_options_of_libaom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libavif, "libaom", lambda: None)
    assert not any(writing.advice(effort, 50) for effort in range(MOST_EFFORT["avif"] + 1))


def test_the_version_of_libaom_is_that_which_pillow_names() -> None:
    (said,) = re.findall(r"aom \[[a-z/]+\]:v?(\d+)\.(\d+)", _avif.codec_versions())
    assert libavif.libaom() == tuple(map(int, said))


def test_transparency_of_an_avif_is_weighed_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    data = images.png_alpha(160, 120)
    tuned = derive(data, "q=50", "avif")
    monkeypatch.setattr(libavif, "libaom", lambda: (3, 12))
    usual = derive(data, "q=50", "avif")
    assert tuned.data != usual.data
    assert (tuned.pixels("RGBA")[..., 3] == usual.pixels("RGBA")[..., 3]).all()


def test_an_animation_is_avif_of_the_next_higher_speed() -> None:
    data = images.gif_animated()
    least, default, more = (derive(data, "", "avif", effort=effort).data for effort in (0, 1, 4))
    assert least == default != more
