"""High dynamic range on a screen of the standard one: white at 203 cd/m2, a knee just below it, hue kept."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image

from service.engine import tone_mapping
from service.engine.colorimetry import BT709, BT2020, P3, Primaries, Range
from tests.engine.deriving import derive
from tests.pictures import reference, writers

PRIMARIES = {reference.SRGB: BT709, reference.BT2020: BT2020, reference.P3: P3}
TRANSFERS: dict[int, Range] = {16: "pq", 18: "hlg"}


def mapped(samples: tuple[float, ...], primaries: int, transfer: int) -> tuple[int, ...]:
    name, source = TRANSFERS[transfer], PRIMARIES[primaries]
    codes = tone_mapping.shaper(name, 65535)
    pixel = Image.new("RGB", (1, 1), tuple(codes[round(value * 65535)] for value in samples))
    return tuple(tone_mapping.mapped(pixel, name, source, BT709).tobytes())


def pq(nits: float) -> float:
    """The inverse EOTF of ST 2084."""
    power = (nits / 10000) ** (2610 / 16384)
    return float(((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


@pytest.mark.parametrize("nits", [203, 250, 400, 1000, 4000, 10000])
def test_what_is_white_or_brighter_is_white(nits: float) -> None:
    assert min(mapped((pq(nits),) * 3, reference.BT2020, 16)) >= 250


def test_brighter_light_is_never_darker() -> None:
    grays = [mapped((pq(nits),) * 3, reference.SRGB, 16)[0] for nits in np.geomspace(0.01, 10000, 300)]
    assert grays == sorted(grays)
    assert (grays[0], grays[-1]) == (0, 255)


@pytest.mark.parametrize("sample", [0.75, 0.8, 0.9, 1.0])
def test_hlg_is_white_from_three_quarters_on(sample: float) -> None:
    assert min(mapped((sample,) * 3, reference.BT2020, 18)) >= 250


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("primaries", PRIMARIES)
def test_below_the_knee_light_is_what_the_standard_says(primaries: int, transfer: int) -> None:
    random, checked = np.random.default_rng(5), 0
    while checked < 60:
        samples = tuple(float(value) for value in random.uniform(0.2, 0.6, 3))
        light = reference.light_of(transfer, np.array(samples), reference.CHROMATICITIES[primaries])
        light = reference.to_srgb_light(light, reference.CHROMATICITIES[primaries])
        if light.max() > 0.93 or light.min() < 0.05:
            continue
        checked += 1
        expected = reference.seen(samples, primaries, transfer)
        assert np.abs(np.subtract(mapped(samples, primaries, transfer), expected)).max() <= 3


@pytest.mark.parametrize("nits", [300, 600, 1500])
@pytest.mark.parametrize("colour", [(1.0, 0.5, 0.1), (0.2, 1.0, 0.4), (0.3, 0.5, 1.0), (1.0, 0.9, 0.3)])
def test_hue_stays_where_light_is_taken_down(nits: float, colour: tuple[float, float, float]) -> None:
    """Channels keep their ratios in linear light, so the hue of what is shown is that of the colour at 100 cd/m2."""
    bright = mapped(tuple(pq(nits * part) for part in colour), reference.SRGB, 16)
    usual = mapped(tuple(pq(100 * part) for part in colour), reference.SRGB, 16)

    def ratios(shown: tuple[int, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        light = reference.light_of(13, np.array(shown) / 255, reference.CHROMATICITIES[1])
        return np.asarray(light / light.max())

    assert np.abs(ratios(bright) - ratios(usual)).max() < 0.08  # about one of the codes of `shaper`
    hues = [colorsys.rgb_to_hsv(*(value / 255 for value in shown))[0] for shown in (bright, usual)]
    assert abs(hues[0] - hues[1]) < 0.02
    assert max(bright) >= 250


def test_a_gray_picture_of_high_dynamic_range_stays_gray_and_keeps_its_alpha() -> None:
    made = derive(writers.png((0.45, 0.5), 16, [writers.cicp(9, 16)]), "w=32", "png").pillow().convert("RGBA")
    expected = reference.seen((0.45,) * 3, reference.BT2020, 16)
    red, green, blue, alpha = made.getpixel((9, 9))  # type: ignore[misc]
    assert red == green == blue
    assert abs(red - expected[0]) <= 2 and alpha == 128


def test_large_pictures_are_mapped_in_strips_that_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(6)
    image = Image.fromarray(random.integers(0, 256, (50, 40, 3), np.uint8))
    whole = tone_mapping.mapped(image, "pq", BT2020, BT709).tobytes()
    monkeypatch.setattr(tone_mapping, "_STRIP", 40 * 7)
    assert tone_mapping.mapped(image, "pq", BT2020, BT709).tobytes() == whole


def test_primaries_count() -> None:
    """The same numbers are another colour in other primaries."""
    kinds: list[Primaries] = [BT709, P3, BT2020]
    codes = tone_mapping.shaper("pq", 255)
    pixel = Image.new("RGB", (1, 1), (codes[120], codes[80], codes[80]))
    assert len({tone_mapping.mapped(pixel, "pq", kind, BT709).tobytes() for kind in kinds}) == 3
