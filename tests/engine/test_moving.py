"""Animations convert into each other with all frames, delays and runs; AVIF's sequences are read and written.

Pillow is the judge of frames and delays. How often an AVIF runs is computed here by ISO/IEC 14496-12, 8.6.6, since no
library at hand tells it.
"""

from __future__ import annotations

import io
import json
import random
import re
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from gateway.rules import ANIMATED
from service.engine import timing
from service.engine.geometry import Box
from service.engine.headers import movie
from service.engine.headers.source import OpenedFile
from service.engine.job import EngineError, Limits, TooLarge, Undecodable
from service.engine.picture import Details, Frame, Picture
from service.engine.recognise import recognise
from tests import images, jxls, profiles
from tests.engine.deriving import LIMITS, derive, describe, ssim, verify
from tests.engine.test_document import rows, words

DELAYS = [100, 50, 200, 70]
PLAYS = 3
JXL = b"\xff\x0a"


def avif(frames: list[NDArray[np.uint8]], delays: list[int], **options: object) -> bytes:
    """By libavif through Pillow, which runs for ever."""
    return images.animation(frames, "AVIF", duration=delays, speed=9, quality=90, **options)


def running(data: bytes, times: int) -> bytes:
    """The AVIF with as many runs: the durations of movie and track are those of so many runs (8.2.2, 8.3.2)."""
    made, (once,) = bytearray(data), struct.unpack_from(">Q", data, data.index(b"elst") + 12)
    for kind, at in ((b"mvhd", 28), (b"tkhd", 32)):
        struct.pack_into(">Q", made, data.index(kind) + at, once * times)
    return bytes(made)


def plays(data: bytes, word: str) -> int:
    """How often it runs, 0 for ever."""
    if word == "avif":
        (once,), (whole,) = (
            struct.unpack_from(">Q", data, data.index(k) + at) for k, at in ((b"elst", 12), (b"tkhd", 32))
        )
        return 0 if whole == 2**64 - 1 else -(-whole // once)
    with Image.open(io.BytesIO(_seen(data))) as file:
        loop = file.info.get("loop")
    if word == "gif":
        return 1 if loop is None else loop and loop + 1
    return int(loop or 0)


def frames_of(data: bytes) -> list[tuple[NDArray[np.uint8], int]]:
    found = []
    with Image.open(io.BytesIO(_seen(data))) as file:
        for frame in ImageSequence.Iterator(file):
            frame.load()
            found.append((np.asarray(frame.convert("RGBA")), round(frame.info["duration"])))
    return found


def _seen(data: bytes) -> bytes:
    """What Pillow reads; of a JPEG XL, of which it reads no animation, a WebP without loss."""
    return derive(data, "lossless=1", "webp").data if data.startswith(JXL) else data


MOVING = images.moving(count=len(DELAYS))
CLEAR = images.moving(count=len(DELAYS), alpha=True)
SOURCES = {
    "gif": images.gif_animated(count=len(DELAYS), delays=DELAYS, loop=PLAYS - 1),
    "webp": images.animation(MOVING, "WEBP", duration=DELAYS, loop=PLAYS, quality=95),
    "png": images.animation(MOVING, "PNG", duration=DELAYS, loop=PLAYS),
    "avif": running(avif(MOVING, DELAYS), PLAYS),
}
SOURCES["jxl"] = derive(SOURCES["webp"], "lossless=1", "jxl").data


def test_the_table_in_the_documentation_has_every_format_that_holds_animations() -> None:
    table = rows("animations")
    assert {word for row in table for word in words(row[0])} == set(ANIMATED) == set(SOURCES)


@pytest.mark.parametrize("target", ANIMATED)
@pytest.mark.parametrize("source", ANIMATED)
def test_an_animation_becomes_any_other_with_its_frames_delays_and_runs(source: str, target: str) -> None:
    original, made = frames_of(SOURCES[source]), derive(SOURCES[source], "w=48", target, quality=90)
    frames = frames_of(made.data)
    assert made.result.frames == len(frames) == len(DELAYS)
    assert [delay for _, delay in frames] == DELAYS
    assert plays(made.data, target) == PLAYS
    for (shown, _), (before, _) in zip(frames, original, strict=True):
        expected = np.asarray(Image.fromarray(before).resize((48, 36), Image.Resampling.LANCZOS))
        assert shown.shape == expected.shape
        assert ssim(shown[..., :3], expected[..., :3]) > 0.75


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("times", [0, 1, 7])
def test_runs_of_an_avif_are_read_and_written(times: int, library: str) -> None:
    data = running(avif(MOVING, DELAYS), times) if times else avif(MOVING, DELAYS)
    for word in ANIMATED:
        assert plays(derive(data, "w=40", word, library=library).data, word) == times


@pytest.mark.parametrize(("word", "longest"), [("gif", 655_350), ("webp", (1 << 24) - 1), ("png", 65_535_000)])
def test_delays_that_a_format_cannot_state_become_its_longest(word: str, longest: int) -> None:
    """ISO/IEC 18181-1 has 32 bits for a delay, in ticks of as long as a second."""
    slow = (1 << 32) - 1
    stated = [slow, 66_120, 70_001]
    frames = [np.full((8, 8, 3), 80 * number, np.uint8) for number in range(3)]
    original = jxls.animated(frames, ticks=stated, tps=1000)
    found = [delay for _, delay in frames_of(derive(original, "w=4", word).data)]
    assert found[0] == longest
    assert found[1:] == [66_120, 70_000 if word in ("gif", "png") else 70_001]


@pytest.mark.parametrize("word", ["webp", "png"])
def test_a_run_of_many_long_delays_takes_as_long_as_libraries_can_count(word: str) -> None:
    count = 200
    picture = Picture([Frame(Image.new("RGB", (4, 4)), delay=(1 << 32) - 1)] * count, Box(0, 0, 4, 4), 1.0, Details())
    timing.fit(picture, word)
    assert {frame.delay for frame in picture.frames} == {(2**31 - 1) // count}


@pytest.mark.parametrize("word", ANIMATED)
def test_an_animation_of_more_runs_than_a_format_can_state_has_the_most(word: str) -> None:
    data = images.animation(MOVING, "PNG", duration=DELAYS, loop=1 << 31)
    assert plays(derive(data, "w=40", word).data, word) == 65_535


@pytest.mark.parametrize("source", ["gif", "webp", "png", "avif"])
def test_transparency_of_an_animation_stays_in_avif(source: str) -> None:
    coders = {"gif": "GIF", "webp": "WEBP", "png": "PNG"}
    options = {"disposal": 2} if source == "gif" else {}
    data = (
        avif(CLEAR, DELAYS)
        if source == "avif"
        else images.animation(CLEAR, coders[source], duration=DELAYS, loop=0, **options)
    )
    made = derive(data, "w=48", "avif")
    for (shown, _), (before, _) in zip(frames_of(made.data), frames_of(data), strict=True):
        expected = np.asarray(Image.fromarray(before).resize((48, 36), Image.Resampling.LANCZOS))
        assert np.mean((shown[..., 3] >= 128) == (expected[..., 3] >= 128)) > 0.97


def test_a_gray_animation_and_one_with_a_profile() -> None:
    made = derive(SOURCES["gif"], "gray=1", "avif")
    assert made.pillow().n_frames == len(DELAYS)  # type: ignore[attr-defined]
    data = avif(MOVING, DELAYS, icc_profile=profiles.display_p3())
    kept = derive(data, "w=48,keep=icc", "avif", keep=("icc",))
    assert kept.pillow().info["icc_profile"]
    assert len(frames_of(kept.data)) == len(DELAYS)


def test_meta_tells_frames_and_duration() -> None:
    for data in SOURCES.values():
        told = json.loads(describe(data, "frames", "duration").data)
        assert told == {"frames": len(DELAYS), "duration": sum(DELAYS)}


def test_one_frame_of_an_avif_is_a_still_image() -> None:
    shown = frames_of(SOURCES["avif"])
    for index in range(len(DELAYS)):
        made = derive(SOURCES["avif"], f"frame={index}", "png")
        assert made.result.frames == 1
        assert np.abs(made.pixels() - shown[index][0][..., :3]).max() == 0
    assert derive(SOURCES["avif"], "w=48", "jpg").result.frames == 1
    assert derive(SOURCES["gif"], "frame=1", "avif").result.frames == 1


def test_a_whole_avif_stays_an_animation() -> None:
    made = derive(SOURCES["avif"], "", "avif")
    assert len(made.data) < len(SOURCES["avif"])
    assert [delay for _, delay in frames_of(made.data)] == DELAYS
    assert plays(made.data, "avif") == PLAYS
    assert verify(SOURCES["avif"]).frames == len(DELAYS)


def test_a_sequence_without_a_still_picture_is_read() -> None:
    data = SOURCES["avif"].replace(b"avif", b"iso8", 1)  # the brand that promises one
    at = data.index(b"meta")
    bare = data[:at] + b"free" + data[at + 4 :]
    assert [delay for _, delay in frames_of(derive(bare, "", "png").data)] == DELAYS


def test_of_a_file_whose_brand_is_that_of_stills_the_still_picture_is_shown(tmp_path: Path) -> None:
    """As libavif has it."""
    path = tmp_path / "x"
    path.write_bytes(SOURCES["avif"][:8] + b"avif" + SOURCES["avif"][12:])
    assert recognise(path).frames == 1
    assert Image.open(path).n_frames == 1  # type: ignore[attr-defined]


def test_the_same_bytes_at_any_time_and_no_time_of_day_in_them() -> None:
    made = derive(SOURCES["gif"], "w=40", "avif").data
    time.sleep(1.01)  # libavif writes seconds
    assert derive(SOURCES["gif"], "w=40", "avif").data == made
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        for found in re.finditer(kind, made):
            assert made[found.end() + 4 : found.end() + 20] == bytes(16)


def test_a_delay_that_avif_cannot_say_is_what_browsers_show() -> None:
    data = images.gif_animated(count=3, delays=[0, 0, 70])
    assert [delay for _, delay in frames_of(derive(data, "", "avif").data)] == [100, 100, 70]


def test_an_animation_beyond_the_frame_budget_is_refused_and_the_error_names_it() -> None:
    """2,000,000 pixels a second: 96 x 72 x 4 are 27,648."""
    within, beyond = (Limits(LIMITS.pixels, 100, 4096, 4096, time=27_648 / 2e6 + add) for add in (1e-6, -1e-6))
    assert derive(SOURCES["gif"], "", "avif", limits=within).result.frames == len(DELAYS)
    with pytest.raises(
        TooLarge, match=r"an animation in avif may have 276[0-9]{2} pixels in all; the result would have 96x72"
    ):
        derive(SOURCES["gif"], "", "avif", limits=beyond)
    assert derive(SOURCES["gif"], "", "webp", limits=beyond).result.frames == len(DELAYS)
    assert derive(SOURCES["gif"], "frame=0", "avif", limits=beyond).result.frames == 1


def test_limits_hold_before_a_decoder_sees_a_sequence() -> None:
    for limits in (Limits(10**9, len(DELAYS) - 1, 4096, 4096), Limits(96 * 72 * 3, 100, 4096, 4096)):
        with pytest.raises(TooLarge):
            verify(SOURCES["avif"], limits=limits)


def test_a_track_that_says_less_than_its_pictures_have_is_damaged(tmp_path: Path) -> None:
    large = avif(images.moving(400, 300, 2), [50, 50])
    at = large.index(b"tkhd") + 4 + 88
    (tmp_path / "x").write_bytes(large[:at] + struct.pack(">II", 8 << 16, 8 << 16) + large[at + 8 :])
    with pytest.raises(Undecodable, match="it holds 400x300 pixels, and says 8x8"):
        recognise(tmp_path / "x")


def test_what_a_track_is_scaled_to_counts_for_the_limits(tmp_path: Path) -> None:
    """libavif scales a picture to the size of its track."""
    data = SOURCES["avif"]
    at = data.index(b"tkhd") + 4 + 88
    (tmp_path / "x").write_bytes(data[:at] + struct.pack(">II", 30000 << 16, 30000 << 16) + data[at + 8 :])
    assert (recognise(tmp_path / "x").width, recognise(tmp_path / "x").height) == (30000, 30000)


def test_delays_are_those_of_libavif_whatever_the_runs_of_equal_ones(tmp_path: Path) -> None:
    delays = [40] * 6 + [120] + [40] * 5
    (tmp_path / "x").write_bytes(avif(images.moving(count=12), delays))
    with OpenedFile(tmp_path / "x") as file:
        assert movie.delays(file.bound()) == delays
        assert len(movie.delays(file.bound(frames=3))) == 4


def test_damage_of_any_byte_is_refused_or_shown(tmp_path: Path) -> None:
    chance, path = random.Random(4), tmp_path / "x"
    head = SOURCES["avif"].index(b"mdat")
    for _ in range(150):
        data = bytearray(SOURCES["avif"])
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(head)] = chance.choice((0, 1, 0xFF, chance.randrange(256)))
        path.write_bytes(data)
        try:
            header = recognise(path)
            assert header.frames <= 100_001
            if header.width * header.height * header.frames < 200_000:
                verify(bytes(data))
        except EngineError:
            pass
