"""Every frame of GIFs and APNGs is what the standards say, asked for alone and in each format that moves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.deriving import derive
from tests.pictures.animations import BLENDED, SEQUENCES, SIZE, apng, composed, gif

HIDDEN = (9, 9, 9, 255)
FILES = {
    **{f"gif {name}": (gif(pieces), composed(pieces)) for name, pieces in SEQUENCES.items()},
    **{
        f"apng hidden {name}": (apng(pieces, hidden=HIDDEN), composed(pieces))
        for name, pieces in {**SEQUENCES, **BLENDED}.items()
    },
    **{
        f"apng {name}": (apng(pieces), composed(pieces))
        for name, pieces in {**SEQUENCES, **BLENDED}.items()
        if pieces[0].box == (0, 0, *SIZE)
    },
    **{
        f"apng out of order {name}": (apng(SEQUENCES[name], hidden=HIDDEN, shuffled=True), composed(SEQUENCES[name]))
        for name in ("whole frames", "parts")
    },
    "apng misnumbered": (apng(SEQUENCES["parts"], hidden=HIDDEN, misnumbered=True), composed(SEQUENCES["parts"])),
}


@pytest.mark.parametrize("name", FILES)
def test_each_frame_is_shown(name: str) -> None:
    data, frames = FILES[name]
    for index, frame in enumerate(frames):
        made = derive(data, f"frame={index},lossless=1", "webp").pixels("RGBA")
        assert apart(made, frame) <= 2, index


@pytest.mark.parametrize("kind", ["webp", "gif", "png"])
@pytest.mark.parametrize("name", [name for name in FILES if "nothing" not in name])
def test_it_moves_in_each_format_that_does(name: str, kind: str) -> None:
    data, frames = FILES[name]
    made = derive(data, "lossless=1,gam=1" if kind == "webp" else "gam=1", kind)
    image = made.pillow()
    assert getattr(image, "n_frames", 1) == len(frames) == made.result.frames
    for index, frame in enumerate(frames):
        image.seek(index)
        shown = np.asarray(image.convert("RGBA")).astype(int)
        assert image.info["duration"] == (250 if index == 1 and "whole" in name else 100)
        covered = frame[..., 3:] == 255
        assert (np.abs(shown - frame.astype(int)) * covered).max() <= 4


def test_a_default_image_that_is_hidden_is_no_frame() -> None:
    data, frames = FILES["apng hidden parts"]
    made = derive(data, "w=20", "jpg").pixels()
    assert np.abs(made[8, 10] - frames[0][8, 12, :3]).max() <= 4


@pytest.mark.parametrize("plays", [0, 3])
def test_how_often_it_runs_stays(plays: int) -> None:
    pieces = SEQUENCES["parts"]
    for data in (apng(pieces, plays=plays), gif(pieces, loops=plays and plays - 1)):
        assert derive(data, "w=20", "png").pillow().info["loop"] == plays
        assert derive(data, "w=20", "webp").pillow().info["loop"] == plays


def apart(one: NDArray[np.int64], other: NDArray[np.uint8]) -> int:
    """The largest difference, of colours where they are seen."""
    seen = other[..., 3:] > 0
    colours = np.abs(one[..., :3] - other[..., :3].astype(int)) * seen
    return int(max(colours.max(), np.abs(one[..., 3] - other[..., 3].astype(int)).max()))
