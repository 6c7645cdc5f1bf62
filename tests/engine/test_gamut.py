"""`formats.gamut`: what has more colours than sRGB may leave as Display P3, and looks the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from gateway.config import rules_of
from gateway.settings import Config
from service.app import _job_settings as making_of
from service.engine import srgb
from service.engine.built_profile import display_p3
from service.engine.stripping.icc import to_keep
from tests import images, profiles
from tests.engine.deriving import Made, derive, describe
from tests.pictures import reference, writers
from tests.pictures.viewer import at, shown

HOLDING = ("jpg", "png", "webp", "avif")
RED = (1.0, 0.1, 0.1)
WIDE = {
    "profile": writers.pillow(RED, "PNG", icc_profile=profiles.matrix("Display P3", None)),
    "16 bits": writers.png(RED, 16, [writers.iccp(profiles.matrix("Display P3", None))]),
    "cICP": writers.png(RED, 8, [writers.cicp(12, 13)]),
    "nclx": writers.avif(RED, (12, 13, 6, True)),
    "HEIC": writers.heic(RED, 10, (12, 13, 6, True)),
    "Adobe RGB": writers.pillow((0.3, 0.8, 0.2), "PNG", icc_profile=profiles.adobe_rgb()),
    "PQ": writers.png((0.58, 0.3, 0.3), 8, [writers.cicp(9, 16)]),
}
NARROW = {
    "plain": images.png(images.flat()),
    "sRGB gamma 1.8": images.png(images.flat(), icc_profile=profiles.matrix("sRGB", 1.8)),
    "gray": images.png_gray(64, 48, icc_profile=profiles.gray(1.8)),
    "PQ of sRGB": writers.png((0.5, 0.3, 0.3), 8, [writers.cicp(1, 16)]),
}


def profile_of(made: Made) -> bytes | None:
    return made.pillow().info.get("icc_profile")


@pytest.mark.parametrize("kind", HOLDING)
@pytest.mark.parametrize("original", WIDE)
def test_a_wide_original_leaves_as_display_p3(original: str, kind: str) -> None:
    made = derive(WIDE[original], "w=32", kind, gamut="p3", quality=95)
    assert profile_of(made) == display_p3()
    plain = derive(WIDE[original], "w=32", kind, quality=95)
    assert profile_of(plain) is None
    apart = np.subtract(at(shown(made.data), (0.5, 0.5)), at(shown(plain.data), (0.5, 0.5)))
    assert np.abs(apart).max() <= (8 if kind == "jpg" else 6)  # on a screen of sRGB


def test_p3_stays_what_it_was() -> None:
    for name in ("profile", "16 bits", "cICP", "nclx", "HEIC"):
        pixel = derive(WIDE[name], "w=32", "png", gamut="p3").pixels()[9, 9]
        assert np.abs(pixel - np.round(np.array(RED) * 255)).max() <= 3, name


@pytest.mark.parametrize("kind", HOLDING)
@pytest.mark.parametrize("original", NARROW)
def test_what_srgb_holds_leaves_as_srgb(original: str, kind: str) -> None:
    assert profile_of(derive(NARROW[original], "w=32", kind, gamut="p3")) is None


@pytest.mark.parametrize("kind", ["tif", "gif", "bmp"])
def test_other_formats_are_srgb(kind: str) -> None:
    made = derive(WIDE["cICP"], "w=32", kind, gamut="p3")
    assert profile_of(made) is None
    assert np.abs(made.pixels()[9, 9] - reference.seen(RED, reference.P3)).max() <= 3


def test_the_profile_is_that_of_display_p3() -> None:
    """Colorants and curve as in a published profile, in few bytes."""
    assert len(display_p3()) < 600
    ours, theirs = (
        ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile for icc in (display_p3(), profiles.matrix("Display P3", None))
    )
    for name in ("red_colorant", "green_colorant", "blue_colorant"):
        assert np.abs(np.subtract(getattr(ours, name)[0], getattr(theirs, name)[0])).max() < 2e-4
    assert ours.xcolor_space.strip() == "RGB"
    assert srgb.is_wider(display_p3()) and not srgb.is_srgb(display_p3())


def test_a_background_is_still_a_colour_of_srgb() -> None:
    for recipe, place in (("w=32,h=32,fit=pad,bg=ff8000", (16, 1)), ("w=32,rot=45,bg=ff8000", (1, 1))):
        made = derive(WIDE["cICP"], recipe, "png", gamut="p3")
        seen = shown(made.data).getpixel(place)
        assert np.abs(np.subtract(seen, (255, 128, 0, 255))).max() <= 3  # type: ignore[arg-type]


def test_a_profile_that_is_kept_is_kept() -> None:
    icc = profiles.adobe_rgb()
    made = derive(images.png(images.flat(), icc_profile=icc), "w=32,keep=icc", "png", keep=("icc",), gamut="p3")
    assert profile_of(made) == to_keep(icc)


def test_metadata_speaks_of_srgb() -> None:
    document = describe(WIDE["cICP"], "dominant_colour").data
    expected = "#" + bytes(reference.seen(RED, reference.P3)).hex()
    assert document.decode() == f'{{"dominant_colour": "{expected}"}}'


def test_the_gamut_is_another_generation_of_the_caches() -> None:
    wide = Config.model_validate({"formats": {"gamut": "p3"}})
    by_default, chosen = (
        making_of(config, rules_of(config), "versions", remote_store=False) for config in (Config(), wide)
    )
    assert (by_default.gamut, chosen.gamut) == ("srgb", "p3")
    assert by_default.engine != chosen.engine


def test_a_photograph_in_p3_is_the_same_photograph() -> None:
    pixels = images.photo(96, 72)
    data = images.png(pixels, icc_profile=profiles.matrix("Display P3", None))
    wide = np.asarray(Image.open(io.BytesIO(derive(data, "w=95", "png", gamut="p3").data)))
    small = np.asarray(Image.fromarray(pixels).resize((95, 71), Image.Resampling.LANCZOS))
    assert np.abs(wide.astype(int) - small).mean() < 1
    assert np.abs(derive(data, "w=95", "png").pixels() - small).mean() > 1
