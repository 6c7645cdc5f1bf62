"""`formats.effort`: how much work an encoder spends on an image."""

from __future__ import annotations

import pytest

from gateway.config import rules_of
from gateway.rules import DEFAULT_EFFORT, MOST_EFFORT
from gateway.settings import Config
from service.app import _job_settings as making_of
from service.engine.job import Library
from tests import images
from tests.engine.deriving import derive

STANDARD_DC = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
"""The numbers of codes by length of the typical table for luma's DC (ITU-T T.81, table K.3)."""

PIXELS = {"planes": (images.jpeg(), "w=160"), "RGB": (images.png(), "w=160")}
"""Both ways to a JPEG, with an original and a recipe for each."""


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


def test_an_animation_is_avif_of_the_next_higher_speed() -> None:
    data = images.gif_animated()
    least, default, more = (derive(data, "", "avif", effort=effort).data for effort in (0, 1, 4))
    assert least == default != more
