"""AVIF of 10 and 12 bits a sample is decoded with all of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from service.engine.avif import libavif
from service.engine.job import EngineError, NotAnImage, TooLarge, Undecodable
from tests.engine.deriving import LIMITS, derive, describe, verify
from tests.pictures import avifs, reference

RAMP = np.broadcast_to(np.linspace(0, 1, 1024)[None, :, None], (16, 1024, 3))


def deep(samples: NDArray[np.float64], depth: int, **options: object) -> bytes:
    """Samples in 0..1, by libheif's and libaom's encoders, in 4:4:4."""
    image = pyvips.Image.new_from_array((samples * 65535).round().astype(np.uint16))
    kind = "grey16" if samples.shape[2] < 3 else "rgb16"
    saved: bytes = image.copy(interpretation=kind).heifsave_buffer(
        **{"compression": "av1", "bitdepth": depth, "lossless": True, "subsample_mode": "off", **options}
    )
    return saved


def coded(samples: NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """What `deep` codes, in 0..1: of 16 bits libvips keeps the first."""
    return ((samples * 65535).round().astype(int) >> (16 - depth)) / ((1 << depth) - 1)


def stated(data: bytes, primaries: int, transfer: int) -> bytes:
    at = data.index(b"colrnclx") + 8
    return data[:at] + bytes((0, primaries, 0, transfer)) + data[at + 4 :]


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (1, 16), (1, 8), (1, 18)])
def test_a_gradient_has_the_tones_of_its_transfer_function(primaries: int, transfer: int, library: str) -> None:
    """Of 8 bits of linear light dark tones would be nine levels off."""
    samples = RAMP[:, :256] if transfer == 8 else 0.55 * RAMP
    seen = derive(stated(deep(samples, 10), primaries, transfer), "", "png", library=library).pixels()[8]
    right = np.array([reference.seen(tuple(sample), primaries, transfer) for sample in coded(samples[8], 10)])
    assert np.abs(seen - right)[right[:, 0] > 8].max() <= 2
    assert np.abs(seen - right)[right[:, 0] > 8].mean() < 0.7


@pytest.mark.parametrize("depth", [10, 12])
@pytest.mark.parametrize("chroma", ["on", "off"])
def test_samples_are_rounded_and_not_cut(depth: int, chroma: str) -> None:
    data = deep(0.02 + 0.03 * RAMP, depth, lossless=False, Q=98, subsample_mode=chroma)
    seen = derive(data, "", "png").pixels()
    assert np.abs(seen - np.round(255 * coded(0.02 + 0.03 * RAMP, depth))).mean() < 0.1


def test_transparency_and_gray_have_all_their_bits() -> None:
    alpha = derive(deep(np.dstack([RAMP, 1 - RAMP[..., :1]]), 10), "", "png").pixels("RGBA")[8]
    assert np.abs(alpha - 255 * np.dstack([RAMP, 1 - RAMP[..., :1]])[8]).max() <= 1
    gray = deep(RAMP[..., :1], 12)
    assert json.loads(describe(gray, "depth", "colour_space").data)["depth"] == 12
    assert np.abs(derive(gray, "", "png").pixels()[8] - 255 * RAMP[8]).max() <= 1


@pytest.mark.parametrize(("kind", "value"), [(b"irot", 1), (b"irot", 2), (b"irot", 3), (b"imir", 0), (b"imir", 1)])
def test_a_deep_picture_is_turned_as_one_of_8_bits(kind: bytes, value: int) -> None:
    picture = np.zeros((48, 64, 3))
    picture[:24, :32, 0], picture[:24, 32:, 1], picture[24:, :32, 2] = 1, 1, 1
    turned = avifs.with_property(deep(picture, 10), kind, bytes((value,)))
    seen = derive(turned, "", "png").pixels()
    right = np.rot90(picture, value) if kind == b"irot" else np.flip(picture, value)
    assert np.abs(seen - 255 * right).max() <= 1


def test_a_deep_picture_is_cut_to_its_aperture() -> None:
    cut = avifs.with_property(
        deep(RAMP[:, ::16], 10),
        b"clap",
        bytes.fromhex("00000010 00000001 00000008 00000001 ffffffe8 00000001 fffffffc 00000001"),
    )
    seen = derive(cut, "", "png").pixels()
    assert seen.shape == (8, 16, 3)
    assert np.abs(seen - 255 * RAMP[:8, ::16][:, :16]).max() <= 1


def test_damage_and_size_are_told() -> None:
    data = deep(RAMP, 10)
    with pytest.raises(Undecodable, match="damaged"):
        verify(data[: data.index(b"mdat") + 4] + bytes(len(data) - data.index(b"mdat") - 4))
    random = np.random.default_rng(5)
    for _ in range(40):
        broken = bytearray(data)
        for place in random.integers(0, len(data), 3):
            broken[place] = random.integers(0, 256)
        try:
            derive(bytes(broken), "w=16", "png")
        except EngineError as error:
            assert isinstance(error, Undecodable | NotAnImage | TooLarge)
    with pytest.raises(TooLarge):
        derive(data, "w=16", "png", limits=replace(LIMITS, pixels=1000))


def test_without_libavif_a_picture_is_shown_with_8_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libavif, "library", None)
    data = deep(RAMP, 10)
    assert np.abs(derive(data, "", "png").pixels()[8] - 255 * RAMP[8]).max() <= 1
    assert json.loads(describe(data, "depth").data) == {"depth": 10}
    assert libavif.version() == "no libavif"
