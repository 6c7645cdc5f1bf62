"""Animations: every frame with its delay, its loops and its disposal; GIF and WebP in and out."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from tests import images
from tests.engine.deriving import derive, ssim

DELAYS = [100, 50, 200, 70, 1000]


def frames_of(data: bytes, mode: str = "RGBA") -> list[tuple[NDArray[np.int64], float | None]]:
    """All frames as others compose them: pixels and delays in ms."""
    with Image.open(io.BytesIO(data)) as file:
        return [
            (np.asarray(frame.convert(mode)).astype(int), frame.info.get("duration"))
            for frame in ImageSequence.Iterator(file)
        ]


def plays(data: bytes) -> int | None:
    with Image.open(io.BytesIO(data)) as file:
        return file.info.get("loop")


def resized(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[np.int64]:
    image = Image.fromarray(pixels.astype(np.uint8))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS)).astype(int)


SOURCES = {
    "gif": images.gif_animated(delays=DELAYS),
    "gif clear": images.gif_animated(delays=DELAYS, alpha=True, disposal=2),
    "gif previous": images.gif_animated(delays=DELAYS, alpha=True, disposal=[2, 3, 1, 2, 3]),
    "webp": images.webp_animated(delays=DELAYS, lossless=True),
    "webp clear": images.webp_animated(delays=DELAYS, alpha=True, lossless=True),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_every_frame_is_scaled_and_keeps_its_delay(name: str, kind: str) -> None:
    source = frames_of(SOURCES[name])
    made = derive(SOURCES[name], "w=48", kind, quality=95)
    frames = frames_of(made.data)
    assert made.result.frames == len(frames) == len(source)
    assert [delay for _, delay in frames] == [delay for _, delay in source]
    for (pixels, _), (original, _) in zip(frames, source, strict=True):
        expected = resized(original, (48, 36))
        assert pixels.shape == expected.shape
        opaque = expected[..., 3:] >= 128
        if kind == "gif":
            assert np.mean((pixels[..., 3:] >= 128) == opaque) > 0.99
        assert ssim(pixels[..., :3] * opaque, expected[..., :3] * opaque) > 0.75


@pytest.mark.parametrize("loop", [0, 1, 3, None])
def test_loops_of_a_gif_are_kept(loop: int | None) -> None:
    assert plays(derive(images.gif_animated(loop=loop), "w=40", "gif").data) == loop


@pytest.mark.parametrize("loop", [0, 1, 3])
def test_loops_of_a_webp_are_kept(loop: int) -> None:
    assert plays(derive(images.webp_animated(loop=loop), "w=40", "webp").data) == loop


@pytest.mark.parametrize(("repeats", "times"), [(0, 0), (None, 1), (2, 3)])
def test_a_gif_says_how_often_it_repeats_and_a_webp_how_often_it_plays(repeats: int | None, times: int) -> None:
    assert plays(derive(images.gif_animated(loop=repeats), "w=40", "webp").data) == times
    assert plays(derive(images.webp_animated(loop=times), "w=40", "gif").data) == repeats


def test_a_webp_delay_is_kept_to_the_millisecond() -> None:
    data = images.webp_animated(delays=[33, 67, 41, 16, 999])
    assert [delay for _, delay in frames_of(derive(data, "w=40", "webp").data)] == [33, 67, 41, 16, 999]


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("index", [0, 3])
def test_one_frame_may_be_had_as_it_is_seen(name: str, index: int) -> None:
    made = derive(SOURCES[name], f"frame={index}", "png")
    expected, _ = frames_of(SOURCES[name])[index]
    assert made.result.frames == 1
    seen = expected[..., 3:] > 0
    assert np.abs(made.pixels("RGBA") * seen - expected * seen).max() <= 1


@pytest.mark.parametrize("kind", ["jpg", "tif", "bmp"])
def test_a_format_that_does_not_move_shows_the_first_frame(kind: str) -> None:
    made = derive(SOURCES["webp"], "", kind, quality=90)
    assert made.result.frames == 1
    assert ssim(made.pixels(), frames_of(SOURCES["webp"], "RGB")[0][0]) > 0.9


def test_frames_are_cropped_turned_and_toned_alike() -> None:
    made = derive(SOURCES["webp"], "crop=0:20:96:40,rot=90,negate=1,lossless=1", "webp")
    for (pixels, _), (original, _) in zip(frames_of(made.data, "RGB"), frames_of(SOURCES["webp"], "RGB"), strict=True):
        assert np.abs(pixels - (255 - np.rot90(original[20:60], -1))).max() <= 1


def test_trim_cuts_what_is_border_in_every_frame() -> None:
    white = np.full((40, 60, 3), 255, np.uint8)
    first, second = white.copy(), white.copy()
    first[10:20, 10:20], second[15:30, 30:50] = 0, 0
    data = images.animation([first, second], "WEBP", lossless=True, duration=100)
    made = derive(data, "trim=1", "webp")
    assert (made.result.width, made.result.height) == (40, 20)
