"""`engine.library`: the libraries are each other's oracle, and Wand is called where the tables say so."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from wand.image import Image as WandImage

from gateway.config import rules_of
from gateway.rules import VOCABULARY
from gateway.settings import Config
from service.app import _job_settings as making_of
from service.engine import libraries, magick_only, pipeline, recent, writers
from service.engine.geometry import Box
from service.engine.magick import coders, shortcomings, writing
from service.engine.magick.writing import Settings
from service.engine.picture import Details, Frame, Picture
from service.runtime import imagemagick
from tests import images
from tests.engine.agreement import (
    ELSEWHERE,
    ENCODED,
    FORMATS,
    KINDS,
    ORIGINALS,
    RECIPES,
    UNSCORED,
    USUAL,
    bound,
    compared,
)
from tests.engine.deriving import Made, derive
from tests.engine.sheets import sheet, ssimulacra2

DOCUMENT = Path(__file__).parents[2] / "docs/engine.md"


Originals = dict[str, Path]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    """Each in a file of its own, so that one decode serves all that is derived of it."""
    folder, found = tmp_path_factory.mktemp("originals"), {}
    for name, made in {**ORIGINALS, **KINDS}.items():
        found[name] = folder / name.replace(" ", "-")
        found[name].write_bytes(made())
    return found


def on(made: Made, ground: str) -> Image.Image:
    image = made.pillow().convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, ground), image).convert("RGB")


def apart(original: bytes | Path, recipes: Iterable[str], kind: str) -> list[str]:
    """What is wrong between the two: sizes, the mean difference of a result, and the score of the sheet of all."""
    cells: list[tuple[Image.Image, ...]] = []
    wrong = []
    for recipe in recipes:
        two = [derive(original, recipe, kind, library=library) for library in ("auto", "imagemagick")]
        a, b = (np.asarray(on(made, "black"), dtype=int) for made in two)
        if a.shape != b.shape:
            wrong.append(f"{recipe}: sizes {a.shape[1::-1]} and {b.shape[1::-1]}")
            continue
        mean = float(np.abs(a - b).mean())
        if mean > bound(recipe, kind).mean:
            wrong.append(f"{recipe}: differs by {mean:.2f} in the mean")
        if not any(word in recipe for word in UNSCORED):
            cells.append(tuple(on(made, "white") for made in two))
    score = ssimulacra2(*(sheet(side) for side in zip(*cells, strict=True)))
    if score < ENCODED.get(kind, USUAL).score:
        wrong.append(f"all together: SSIMULACRA2 is {score:.1f}")
    return wrong


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("original", ORIGINALS)
def test_both_make_the_same_of_every_format_in_every_format_by_every_operation(
    original: str, kind: str, originals: Originals
) -> None:
    assert apart(originals[original], compared(original), kind) == []


@pytest.mark.parametrize("original", KINDS)
def test_both_make_the_same_of_other_kinds_of_pixels(original: str, originals: Originals) -> None:
    assert apart(originals[original], RECIPES, "png") == []


def test_every_operation_of_the_vocabulary_is_among_the_recipes() -> None:
    keys = {part.partition("=")[0] for recipe in RECIPES for part in recipe.split(",")}
    assert {row["key"] for row in VOCABULARY["operations"]} == keys | set(ELSEWHERE)
    assert set(FORMATS) == set(VOCABULARY["formats"])
    assert set(ORIGINALS) == {*VOCABULARY["formats"], *VOCABULARY["only_originals"]}


@pytest.mark.parametrize("orientation", range(2, 9))
def test_both_show_an_image_upright(orientation: int) -> None:
    assert apart(images.oriented(orientation, "JPEG"), ["w=30"], "png") == []


@pytest.mark.parametrize("kind", ["jpg", "webp"])
@pytest.mark.parametrize("quality", [40, 80, 95])
def test_both_encode_the_same_pixels_to_the_same_picture(kind: str, quality: int) -> None:
    """So what differs more in these formats does because the pixels were not quite the same."""
    pixels = Image.fromarray(images.photo(240, 228))
    picture = Picture([Frame(pixels)], Box(0, 0, *pixels.size), 1.0, Details())
    made = (write[kind](picture, Settings(quality)) for write in (writers.PILLOW, writing.WRITERS))
    one, other = (Image.open(io.BytesIO(data)).convert("RGB") for data in made)
    assert ssimulacra2(one, other) > 99


def test_trim_of_a_heic_is_the_same_whatever_was_in_memory_before() -> None:
    """Its coder leaves opacity as it was in memory. `trim` saw a transparent corner there, now and then."""
    made = "from tests.engine.deriving import derive; from tests.images import heic"
    ask = f"{made}; print(derive(heic(), 'trim=5').result)"
    sizes = set()
    for filling in ("0", "85", "170"):
        environ = {**os.environ, "MALLOC_PERTURB_": filling}
        run = subprocess.run([sys.executable, "-c", ask], env=environ, check=True, capture_output=True, text=True)
        sizes.add(re.search(r"width=\d+, height=\d+", run.stdout).group())  # type: ignore[union-attr]
    assert len(sizes) == 1


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_imagemagick_decodes_at_the_eighth_that_is_asked_of_it(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    recalled = recent.recalled

    def spied(*arguments: Any, **options: Any) -> Any:
        frames, details = recalled(*arguments, **options)
        seen.append(frames[0].size)
        return frames, details

    monkeypatch.setattr("service.engine.decode.recalled", spied)
    monkeypatch.setattr("service.engine.decode.scaling", lambda job: n)
    for size in ((203, 151), (151, 203), (1000, 17)):
        derive(images.jpeg(images.photo(*size)), "w=10", "png", library="imagemagick")
        assert seen.pop() == (-(-size[0] * n // 8), -(-size[1] * n // 8))


def test_imagemagick_keeps_all_that_only_pillow_could_keep() -> None:
    """What its coders lose goes to Pillow: nothing is missing from the result."""
    clear = derive(images.avif_alpha(), "w=50", "avif", library="imagemagick")
    assert clear.pixels("RGBA")[..., 3].min() == 0
    moving = derive(images.webp_animated(4, [33, 47, 100, 500], loop=3), "w=40", "webp", library="imagemagick").pillow()
    assert moving.n_frames == 4 and moving.info["loop"] == 3  # type: ignore[attr-defined]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods of Wand's Image that are called."""
    called: list[str] = []
    for name in ("read", "make_blob", "liquid_rescale", "blur", "unsharp_mask", "equalize", "trim"):
        method = getattr(WandImage, name)

        def spy(self: Any, *args: Any, _name: str = name, _method: Any = method, **options: Any) -> Any:
            called.append(_name)
            return _method(self, *args, **options)

        monkeypatch.setattr(WandImage, name, spy)
    return called


@pytest.mark.parametrize(
    ("original", "recipe", "kind", "expected"),
    [
        ("jpg", "w=50", "png", set()),
        ("jpg", "w=50,sharpen=1", "jpg", {"unsharp_mask"}),
        ("jpg", "w=50,blur=2", "jpg", {"blur"}),
        ("jpg", "w=50,equalize=1", "jpg", set()),
        ("jpg", "w=50,h=20,fit=liquid", "jpg", {"liquid_rescale"}),
        ("jpg", "trim=5,w=50", "webp", {"trim"}),
        ("gif", "w=50", "gif", {"make_blob"}),
        ("gif", "w=50", "tif", set()),
        ("tif turned", "w=50", "gif", {"read", "make_blob"}),
        ("png alpha", "w=50", "png", set()),
        ("jpg gray", "w=50", "png", set()),
        ("heic", "w=50", "jpg", set()),
        ("jpg", "w=50", "jpg", set()),
    ],
)
def test_by_default_wand_does_what_the_table_says(
    original: str, recipe: str, kind: str, expected: set[str], calls: list[str]
) -> None:
    data = images.oriented(6, "TIFF") if original == "tif turned" else {**ORIGINALS, **KINDS}[original]()
    calls.clear()
    derive(data, recipe, kind)
    assert set(calls) == expected


@pytest.mark.parametrize("original", [name for name in (*ORIGINALS, *KINDS) if name != "avif"])
def test_with_imagemagick_wand_reads_and_writes_everything(original: str, calls: list[str]) -> None:
    data = {**ORIGINALS, **KINDS}[original]()
    for kind in FORMATS:
        if (kind == "avif" and "alpha" in original) or original == "ico":
            continue
        calls.clear()
        derive(data, "w=40", kind, library="imagemagick")
        can = {"read"} if original != "jxl" or coders.reads("jxl") else set()
        can |= {"make_blob"} if kind != "jxl" or coders.writes("jxl") else set()
        assert can <= set(calls), kind


def test_the_document_says_what_the_tables_say() -> None:
    text = DOCUMENT.read_text()
    table = text.partition("<!-- libraries -->")[2].partition("<!-- end -->")[0]
    rows = re.findall(r"^\| `([a-z_ ]+)` \| ([^|]+?) \|", table, re.M)
    assert dict(rows) == libraries.AUTO
    for lack in shortcomings.SHORTCOMINGS.values():
        assert f"| {lack.what} | {lack.instead} |" in text
    for kind in magick_only.KINDS:
        assert f"| {kind.what} | {kind.why} |" in text
    steps = {step.__name__ for step in pipeline.STEPS} - {"crop"}  # which is arithmetic
    assert steps <= libraries.AUTO.keys()


def test_the_choice_of_library_is_another_generation_of_the_caches() -> None:
    rules = rules_of(Config())
    chosen = Config.model_validate({"engine": {"library": "imagemagick"}})
    by_default, by_magick = (making_of(config, rules, "versions", remote_store=False) for config in (Config(), chosen))
    assert (by_default.library, by_magick.library) == ("auto", "imagemagick")
    assert by_default.engine != by_magick.engine


def test_check_names_what_imagemagick_cannot() -> None:
    chosen = Config.model_validate({"engine": {"library": "imagemagick"}})
    said = imagemagick.shortcomings(chosen)
    assert "finding what g=smart keeps: Pillow, for it has no measure of what stands out" in said
    lacking = [line.partition(":")[0] for line in said if "built without" in line]
    assert lacking == ([] if coders.reads("jxl") else ["reading jxl", "writing jxl"])  # ImageMagick 6 has no coder
