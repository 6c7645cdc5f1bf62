"""A result follows from original, recipe and software: neither the process nor what it did before changes a byte."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from service.engine import readers, recent
from service.engine.job import Job
from tests import images
from tests.engine.deriving import derive

RECIPES = [("w=100", "jpg"), ("w=90", "webp"), ("w=80,q=40", "avif"), ("w=70,rot=12", "png"), ("w=60", "gif")]

FRESH = """
import hashlib, sys
from tests import images
from tests.engine.deriving import derive
for argument in sys.argv[1:]:
    recipe, kind = argument.rsplit(".", 1)
    print(hashlib.sha256(derive(images.png_alpha(), recipe, kind).data).hexdigest())
"""


def test_a_fresh_process_makes_the_same_bytes() -> None:
    names = [f"{recipe}.{kind}" for recipe, kind in RECIPES]
    run = subprocess.run([sys.executable, "-c", FRESH, *names], check=True, capture_output=True, text=True, timeout=60)
    here = [hashlib.sha256(derive(images.png_alpha(), *recipe).data).hexdigest() for recipe in RECIPES]
    assert run.stdout.split() == here


@pytest.mark.parametrize("name", ["jpeg", "png_16bit", "gif_animated", "webp_animated", "avif_alpha", "tiff"])
def test_what_was_decoded_before_changes_nothing(name: str, tmp_path: Path) -> None:
    data = getattr(images, name)()
    path = tmp_path / "original"
    path.write_bytes(data)
    recipes = ["w=60,negate=1", "w=50,gray=1,rot=5", "w=60", "crop=0:0:50:50,blur=2", "w=60,negate=1"]
    apart = []
    for recipe in recipes:
        recent._held.clear()
        apart.append(derive(path, recipe, "webp").data)
    recent._held.clear()
    assert [derive(path, recipe, "webp").data for recipe in recipes] == apart
    assert apart[0] == apart[-1]


def test_a_burst_of_widths_decodes_each_scale_once_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "original"
    path.write_bytes(images.jpeg(images.photo(1200, 900)))
    burst = ["w=1000", "w=140", "w=500", "w=280", "w=1100", "w=260", "w=550"]  # whole, 1/4 and 1/2, mixed
    apart = []
    for recipe in burst:
        recent._held.clear()
        apart.append(derive(path, recipe, "webp").data)
    decodes = []
    reader = readers.reader

    def counted(job: Job) -> readers.Reader:
        decodes.append(job)
        return reader(job)

    monkeypatch.setattr(readers, "reader", counted)
    recent._held.clear()
    assert [derive(path, recipe, "webp").data for recipe in burst] == apart
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
    monkeypatch.setattr(recent, "MOST", 320 * 240 * 4 - 1)
    derive(path, "w=50,frame=0", "jpg")
    path.write_bytes(images.png(images.photo(seed=5)))
    derive(path, "w=50", "tif")
    assert not recent._held
