"""JPEG XL in and out: pixels, alpha, depth, colour, animation, and what is refused."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gateway.rules import DEFAULT_QUALITY
from service.engine import bundled
from service.engine.capabilities import capabilities
from service.engine.job import Limits, TooLarge, Undecodable
from service.engine.jxl import libjxl, reading, writing
from service.engine.recognise import recognise
from tests import images, jxls
from tests.engine.deriving import derive, describe, verify
from tests.profiles import display_p3

HOME = Path(__file__).parents[2]
SRGB, P3, BT2020_PQ, BT2020_HLG = (1, 13), (11, 13), (9, 16), (9, 18)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    difference = a.astype(float) - b.astype(float)
    return float(10 * np.log10(255**2 / max(1e-9, np.mean(difference**2))))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_lossless_keeps_every_sample_both_ways(mode: str) -> None:
    pixels = Image.fromarray(images.photo_alpha(97, 61)).convert(mode)
    original = images.encode(pixels, "PNG")
    made = derive(original, "lossless=1", "jxl")
    assert made.pillow().mode == mode
    assert np.array_equal(np.asarray(made.pillow()), np.asarray(pixels))
    back = derive(made.data, "", "png").pillow()
    assert np.array_equal(np.asarray(back.convert(mode)), np.asarray(pixels))


def test_a_higher_quality_takes_more_bytes_and_is_nearer() -> None:
    original, photo = images.png(), images.photo()
    made = [derive(original, f"q={quality}", "jxl") for quality in (30, DEFAULT_QUALITY["jxl"], 95)]
    assert sorted(made, key=lambda one: one.result.bytes) == made
    scores = [psnr(one.pixels(), photo) for one in made]
    assert scores == sorted(scores)
    assert scores[0] > 25


def test_the_same_picture_gives_the_same_bytes() -> None:
    assert len({derive(images.png(), "w=200", "jxl").data for _ in range(3)}) == 1


def test_a_result_is_a_bare_codestream_that_holds_nothing_else() -> None:
    made = derive(images.jpeg(exif=images.exif(), comment=b"secret"), "w=90", "jxl").data
    assert made.startswith(b"\xff\x0a")
    assert images.SECRET_OWNER.encode() not in made


def test_a_notice_that_is_kept_stands_in_a_box() -> None:
    original = images.jpeg(exif=images.exif())
    made = derive(original, "w=90,keep=copyright", "jxl", keep=("copyright",)).data
    kinds = dict(jxls.boxes(made))
    assert images.SECRET_OWNER.encode() in kinds[b"Exif"]
    assert images.SECRET_SERIAL.encode() not in made


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_original_that_is_stored_turned_is_shown_upright(orientation: int) -> None:
    upright = images.quadrants(64, 48)
    stored = Image.open(io.BytesIO(images.oriented(orientation, "PNG", upright)))
    data = jxls.encoded(np.asarray(stored.convert("RGB")), SRGB, orientation=orientation)
    assert np.array_equal(derive(data, "", "png").pixels(), upright.astype(int))


def test_sixteen_bits_are_rounded_and_not_cut() -> None:
    ramp = np.linspace(0, 65535, 512).astype(np.uint16)
    data = jxls.encoded(np.repeat(ramp[None, :, None], 3, axis=2).repeat(4, axis=0), SRGB)
    made = derive(data, "", "png").pixels()[0, :, 0]
    assert np.array_equal(made, np.floor(ramp / 257 + 0.5))
    assert b'"depth": 16' in describe(data, "depth").data


def test_a_stated_gamma_is_heeded() -> None:
    """Linear light of one half is 188 in sRGB (IEC 61966-2-1)."""
    data = jxls.encoded(np.full((8, 8, 3), 32768, np.uint16), (1, 8))
    assert abs(derive(data, "", "png").pixels() - 188).max() <= 1
    power = jxls.encoded(np.full((8, 8, 3), 128, np.uint8), SRGB, gamma=1 / 1.8)
    light = (128 / 255) ** 1.8
    assert abs(derive(power, "", "png").pixels() - 255 * (1.055 * light ** (1 / 2.4) - 0.055)).max() <= 1


def test_stated_primaries_are_converted() -> None:
    """Green of Display P3 at 200 lies beyond sRGB: red and blue end at 0 or near it."""
    flat = np.zeros((8, 8, 3), np.uint8)
    flat[..., 1] = 200
    for data in (jxls.encoded(flat, P3), jxls.encoded(flat, SRGB, icc=display_p3())):
        red, green, _ = derive(data, "", "png").pixels()[4, 4]
        assert (red, green) == (0, pytest.approx(204, abs=3))


@pytest.mark.parametrize(("colour", "white"), [(BT2020_PQ, 0.5807), (BT2020_HLG, 0.75)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_reference_white_of_a_high_range_is_white(
    colour: tuple[int, int], white: float, depth: type[np.uint8] | type[np.uint16]
) -> None:
    """203 cd/m2 (ITU-R BT.2408, table 1): a signal of 58 % in PQ, 75 % in HLG."""
    sample = round(white * np.iinfo(depth).max)
    made = derive(jxls.encoded(np.full((8, 8, 3), sample, depth), colour), "", "png").pixels()[4, 4]
    reference = derive(images.png(images.flat(8, 8, (255, 255, 255))), "", "png").pixels()[4, 4]
    assert abs(made - reference).max() <= 45  # the knee of the tone mapping bends below white
    assert len(set(made.tolist())) == 1


def test_a_wide_gamut_leaves_by_numbers_where_the_configuration_wants_it() -> None:
    original = images.png(images.flat(32, 32, (0, 255, 0)), icc_profile=display_p3())
    made = derive(original, "w=16,lossless=1", "jxl", gamut="p3").data
    assert len(made) < 200  # no ICC profile is in it
    assert abs(derive(made, "", "png", gamut="p3").pixels()[4, 4] - [0, 255, 0]).max() <= 3


def test_a_kept_profile_comes_back() -> None:
    original = images.png(images.photo(64, 48), icc_profile=display_p3())
    made = derive(original, "keep=icc,lossless=1", "jxl", keep=("icc",)).data
    back = derive(made, "keep=icc", "png", keep=("icc",))
    assert np.array_equal(back.pixels(), images.photo(64, 48))
    assert back.pillow().info["icc_profile"]


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_an_animation_keeps_frames_delays_and_loops_both_ways(kind: str) -> None:
    frames = [Image.fromarray(one) for one in images.moving(48, 36, 4)]
    original = images.animation([np.asarray(one) for one in frames], "WEBP", duration=[40, 70, 110, 60], loop=3)
    made = derive(original, "", "jxl")
    assert (made.result.frames, made.result.format) == (4, "jxl")
    back = derive(made.data, "", kind).pillow()
    delays = []
    for index in range(4):
        back.seek(index)
        back.load()
        delays.append(back.info["duration"])
    assert (back.info["loop"], delays) == (2 if kind == "gif" else 3, [40, 70, 110, 60])


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_every_animated_format_becomes_one_in_jpeg_xl(kind: str) -> None:
    """Pixels, delays and loops of each; GIF counts repetitions."""
    frames = images.moving(48, 36, 3)
    options = {"lossless": True} if kind == "WEBP" else {}
    film = images.animation(frames, kind, duration=[40, 70, 110], loop=2, **options)
    made = derive(film, "lossless=1", "jxl")
    back = derive(made.data, "lossless=1", "webp").pillow()
    told = derive(film, "lossless=1", "webp").pillow()
    for index in range(3):
        for one in (back, told):
            one.seek(index)
            one.load()
        assert (back.info["duration"], back.info["loop"]) == (told.info["duration"], told.info["loop"])
        assert np.array_equal(np.asarray(back.convert("RGB")), np.asarray(told.convert("RGB")))


def test_a_long_animation_takes_no_more_memory_at_once_than_a_short_one() -> None:
    """Each frame is coded before the next is handed over: what waits would take 12 bytes a pixel and more."""
    code = """
import sys
from tests import images
from tests.engine.deriving import derive
film = images.animation(images.moving(400, 300, int(sys.argv[1])), "WEBP", duration=40)
derive(film, "", "jxl")
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmPeak")))
"""
    peaks = [
        int(subprocess.run([sys.executable, "-c", code, str(count)], capture_output=True, check=True, cwd=HOME).stdout)
        for count in (3, 60)
    ]
    frames = 57 * 400 * 300 * (4 + 4) // 1024  # of the decoded original, and as they are read
    assert peaks[1] - peaks[0] < frames + 16 * 1024


def test_frames_that_take_no_time_stay_frames() -> None:
    film = images.animation(images.moving(48, 36, 3), "WEBP", duration=0)
    moving = derive(film, "", "jxl")
    assert derive(moving.data, "w=20", "webp").result.frames == moving.result.frames == 3


def test_one_frame_of_an_animation_is_had_by_its_number() -> None:
    film = images.animation(images.moving(48, 36, 4), "WEBP", duration=50, lossless=True)
    moving = derive(film, "lossless=1", "jxl").data
    for index in (0, 2, 3):
        assert np.array_equal(
            derive(moving, f"frame={index}", "png").pixels(), derive(film, f"frame={index}", "png").pixels()
        )


@pytest.mark.parametrize("by_centre", [False, True])
def test_an_animation_with_a_profile_shows_every_frame_in_its_colours(by_centre: bool) -> None:
    """Green of Display P3 at 200 lies beyond sRGB: red and blue end at 0 or near it."""
    green = np.full((700, 600, 3), (0, 200, 0), np.uint8)
    gray = np.full((700, 600, 3), 90, np.uint8)
    film = jxls.animated([green, gray, green], icc=display_p3(), by_centre=by_centre)
    for index, shown in enumerate(((0, 204, 0), (90, 90, 90), (0, 204, 0))):
        pixel = derive(film, f"frame={index},w=20", "png").pixels()[4, 4]
        assert abs(pixel - shown).max() <= 3
    made = derive(film, "w=20", "webp").pillow()
    made.seek(1)
    made.load()
    assert made.info["duration"] == 50


def test_a_container_in_parts_and_other_boxes_are_read() -> None:
    stream = images.jxl(lossless=True)
    parts = [*jxls.split(stream, 3, 40), (b"xml ", b"<x/>"), (b"free", bytes(9))]
    data = jxls.container([(b"Exif", bytes(4) + images.exif()[6:]), *parts])
    assert np.array_equal(derive(data, "", "png").pixels(), images.photo())


def test_what_is_cut_is_refused(tmp_path: Path) -> None:
    for data in (images.jxl(), jxls.container([(b"jxlc", images.jxl())])):
        for part in (len(data) // 2, len(data) - 9):
            with pytest.raises(Undecodable):
                derive(data[:part], "w=20", "png")
            with pytest.raises(Undecodable):
                verify(data[:part])


def test_a_header_beyond_the_limits_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = derive(images.gif_animated(), "w=8", "jxl").data
    monkeypatch.setattr(reading, "read", None)
    small = Limits(pixels=1000, frames=2, width=4096, height=4096)
    with pytest.raises(TooLarge, match="320x240"):
        derive(images.jxl(), "w=20", "png", limits=small)
    with pytest.raises(TooLarge, match="5 frames"):
        derive(moving, "w=4", "png", limits=small)


def test_want_of_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    data = images.jxl()
    monkeypatch.setattr(reading, "has_room", lambda _: False)
    with pytest.raises(TooLarge, match="memory"):
        derive(data, "w=20", "png")
    monkeypatch.setattr(writing, "has_room", lambda _: False)
    with pytest.raises(TooLarge, match="memory"):
        derive(images.png(), "w=20", "jxl")


def test_a_decoder_that_finds_another_size_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "image.jxl"
    path.write_bytes(images.jxl())
    header = recognise(path)
    with pytest.raises(Undecodable, match="another size"):
        reading.read(path, type(header)("jxl", 20, 20), range(1), 8, False)


def test_an_animation_in_display_p3_is_read_again() -> None:
    film = images.animation(images.moving(48, 36, 2), "PNG", icc_profile=display_p3())
    assert derive(derive(film, "", "jxl", gamut="p3").data, "w=20", "png").result.frames == 2


def test_the_version_names_what_makes_the_bytes() -> None:
    assert libjxl.version().startswith("libjxl 0.")


def test_the_library_is_that_of_the_locked_wheel_whatever_the_system_has() -> None:
    assert Path(libjxl.library._name).parent.name == "imagecodecs.libs"


def test_the_wheel_lends_its_library_and_is_not_imported() -> None:
    program = "import sys; from service.engine.jxl import libjxl; print(libjxl.is_there(), *sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert answer[0] == "True"
    assert {"imagecodecs", "numpy"}.isdisjoint(answer)


def test_a_wheel_without_the_library_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("no_such_package", "click"):
        monkeypatch.setattr(bundled, "_PACKAGE", package)
        assert bundled.load("libjxl") is None


def test_without_the_library_the_format_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libjxl, "library", None)
    assert capabilities()["jxl"] == (False, False)
    assert capabilities()["webp"] == (True, True)
