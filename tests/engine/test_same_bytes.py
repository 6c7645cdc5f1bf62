"""A result follows from original, recipe and software: neither the process nor what it did before changes a byte."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from gateway.rules import FORMATS
from service.engine import recent
from service.engine.job import Library
from tests import images
from tests.engine.deriving import BURST, apart, counted_decodes, derive

LIBRARIES = get_args(Library)
RECIPES = ("w=97", "w=60,rot=12,keep=icc")
"""The first gives a TIFF whose pixels take an odd number of bytes, so that it has a gap before what follows."""

FRESH = """
import hashlib, sys, time
from tests import images, profiles
from tests.engine.deriving import derive
print(int(time.time()))
profile = profiles.display_p3()
originals = images.jpeg(images.photo(203, 151), icc_profile=profile), images.png_alpha(), images.gif_animated()
for argument in sys.argv[1:]:
    kind, library, recipe = argument.split("/")
    made = (derive(original, recipe, kind, library=library, keep=("icc",)).data for original in originals)
    print(argument, *(hashlib.sha256(data).hexdigest() for data in made))
"""


def in_a_fresh_process(arguments: list[str], filling: int) -> list[str]:
    """What it prints: the second in which it ran, then a line for each argument. Memory that it is given holds the
    byte `filling` (mallopt(3), M_PERTURB), so that what is never written to shows."""
    environ = {**os.environ, "MALLOC_PERTURB_": str(filling)}
    command = [sys.executable, "-c", FRESH, *arguments]
    run = subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=120)
    return run.stdout.splitlines()


def test_another_process_at_another_time_makes_the_same_bytes_of_every_format_in_both_libraries() -> None:
    arguments = [f"{word}/{library}/{recipe}" for word in FORMATS for library in LIBRARIES for recipe in RECIPES]
    first, *one = in_a_fresh_process(arguments, 85)
    while int(time.time()) == int(first):
        time.sleep(0.02)
    second, *other = in_a_fresh_process(arguments, 170)
    assert first != second
    assert [line for line in one if line not in other] == []
    assert len(one) == len(arguments)


@pytest.mark.parametrize("name", ["jpeg", "png_16bit", "gif_animated", "webp_animated", "avif_alpha", "tiff"])
def test_what_was_decoded_before_changes_nothing(name: str, tmp_path: Path) -> None:
    data = getattr(images, name)()
    path = tmp_path / "original"
    path.write_bytes(data)
    recipes = ["w=60,negate=1", "w=50,gray=1,rot=5", "w=60", "crop=0:0:50:50,blur=2", "w=60,negate=1"]
    wanted = apart(path, recipes, "webp")
    assert [derive(path, recipe, "webp").data for recipe in recipes] == wanted
    assert wanted[0] == wanted[-1]


def test_a_burst_of_widths_decodes_each_scale_once_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "original"
    path.write_bytes(images.jpeg(images.photo(1200, 900)))
    wanted = apart(path, BURST, "bmp")
    decodes = counted_decodes(monkeypatch)
    assert [derive(path, recipe, "bmp").data for recipe in BURST] == wanted
    assert len(decodes) == 3


def test_a_replaced_original_is_decoded_anew(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(images.png())
    first = derive(path, "w=50", "tif").data
    other = tmp_path / "other"
    other.write_bytes(images.png(255 - images.photo()))
    other.replace(path)
    assert derive(path, "w=50", "tif").data != first


def test_what_is_large_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "original"
    path.write_bytes(images.png())
    derive(path, "w=50", "tif")
    assert recent._held
    monkeypatch.setattr(recent, "MOST", 320 * 240 * 3 - 1)  # a PNG is held in three bytes a pixel
    derive(path, "w=50,frame=0", "jpg")
    path.write_bytes(images.png(images.photo(seed=5)))
    derive(path, "w=50", "tif")
    assert not recent._held
