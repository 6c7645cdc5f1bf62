"""What counts as sRGB is judged once, by the transform of a profile: colours are equal in every way out."""

from __future__ import annotations

import io
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from service.engine import describe, srgb
from service.engine.stripping import icc
from tests import images, profiles
from tests.counts import examples
from tests.engine.deriving import Made, derive

PROFILES = {
    "sRGB primaries, gamma 1.8": profiles.matrix("sRGB", 1.8),
    "sRGB primaries, gamma 2.2": profiles.matrix("sRGB", 2.2),
    "sRGB primaries, gamma 2.4": profiles.matrix("sRGB", 2.4),
    "sRGB primaries, sRGB curve": profiles.matrix("sRGB", None),
    "sRGB of Little CMS": profiles.srgb(),
    "P3 primaries, sRGB curve": profiles.matrix("Display P3", None),
}
SRGB = ("sRGB primaries, sRGB curve", "sRGB of Little CMS")
OUT = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
WAYS = ("full jpg", "full png", "full webp", "w jpg", "w png", "w webp", "kept png")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_srgb_where_its_transform_changes_nothing(name: str) -> None:
    assert srgb.is_srgb(PROFILES[name]) == (name in SRGB)


def test_a_name_does_not_make_a_profile_srgb() -> None:
    assert srgb.is_srgb(profiles.matrix("sRGB", None, "Something else"))
    for space, gamma in (("Adobe RGB (1998)", 2.2), ("Display P3", 2.2), ("sRGB", 1.8)):
        assert not srgb.is_srgb(profiles.matrix(space, gamma, "sRGB IEC61966-2.1"))
    assert not any(
        srgb.is_srgb(make()) for make in (profiles.adobe_rgb, profiles.prophoto, profiles.gray, profiles.cmyk)
    )


def test_all_parts_of_the_engine_ask_the_same_function() -> None:
    assert vars(icc)["srgb"] is srgb
    assert vars(describe)["is_srgb"] is srgb.is_srgb


def test_a_broken_profile_is_not_srgb_and_raises_nothing() -> None:
    whole, random = profiles.srgb(), Random(1)
    for _ in range(examples(500)):
        broken = bytearray(whole[: random.randrange(len(whole))] if random.random() < 0.3 else whole)
        for _ in range(random.randrange(1, 6) if broken else 0):
            broken[random.randrange(len(broken))] = random.randrange(256)
        assert srgb.is_srgb(bytes(broken)) in (True, False)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("orientation", [1, 6])
def test_colours_are_equal_whichever_way_an_image_goes(name: str, way: str, orientation: int) -> None:
    """An original of dark tones, where curves differ most, in every way out and as a viewer with profiles shows it."""
    how, kind = way.split()
    dark = (images.photo(160, 128) // 4).astype(np.uint8)
    options = {"exif": images.exif(orientation)} | ({} if kind == "png" else {"quality": 95})
    data = images.encode(dark, OUT[kind], icc_profile=PROFILES[name], **options)
    recipe = {"full": "", "w": "w=128" if orientation == 6 else "w=160", "kept": "keep=icc"}[how]
    made = derive(data, recipe, kind, quality=95, keep=("icc",) if how == "kept" else ())
    stored = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    expected = shown(stored, PROFILES[name])
    assert np.abs(seen(made) - expected).mean(axis=(0, 1)).max() < 1.5
    assert abs(seen(made).mean() - expected.mean()) < 0.5


def seen(made: Made) -> NDArray[np.int64]:
    image = made.pillow()
    return shown(image.convert("RGB"), image.info.get("icc_profile"))


def shown(image: Image.Image, profile: bytes | None) -> NDArray[np.int64]:
    """What a viewer with colour management shows."""
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    return np.asarray(image).astype(int)
