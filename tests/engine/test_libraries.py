"""`engine.library`: the libraries are each other's oracle, and Wand is called where the tables say so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from wand.image import Image as WandImage

from gateway.config import rules_of
from gateway.settings import Config
from service.app import _job_settings as making_of
from service.engine import libraries, magick_only, pipeline, recent
from service.engine.magick import shortcomings
from service.runtime import imagemagick
from tests import images
from tests.engine.agreement import EVERYWHERE, FORMATS, ORIGINALS, RECIPES, bound
from tests.engine.deriving import Made, derive, ssim

DOCUMENT = Path(__file__).parents[2] / "docs/engine.md"


def on_black(made: Made) -> NDArray[np.int64]:
    samples = made.pixels("RGBA")
    samples[..., :3] = samples[..., :3] * samples[..., 3:] // 255
    return samples


def apart(data: bytes, recipe: str, kind: str) -> str:
    """What is wrong between the two; empty where they agree."""
    one, other = derive(data, recipe, kind), derive(data, recipe, kind, library="imagemagick")
    a, b = on_black(one), on_black(other)
    if a.shape != b.shape:
        return f"{recipe} to {kind}: sizes {a.shape[1::-1]} and {b.shape[1::-1]}"
    most, mean, similar = bound(recipe, kind), float(np.abs(a - b).mean()), ssim(a, b)
    return "" if mean <= most.mean and similar >= most.similar else f"{recipe} to {kind}: {mean:.2f}, {similar:.4f}"


@pytest.mark.parametrize("original", ORIGINALS)
def test_both_make_the_same_picture_by_every_operation(original: str) -> None:
    data = ORIGINALS[original]()
    assert list(filter(None, (apart(data, recipe, "png") for recipe in RECIPES))) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_both_make_the_same_picture_in_every_format(kind: str) -> None:
    wrong = {name: [apart(made(), recipe, kind) for recipe in EVERYWHERE] for name, made in ORIGINALS.items()}
    assert {name: said for name, said in wrong.items() if any(said)} == {}


@pytest.mark.parametrize("orientation", range(2, 9))
def test_both_show_an_image_upright(orientation: int) -> None:
    assert apart(images.oriented(orientation, "JPEG"), "w=30", "png") == ""


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_imagemagick_decodes_at_the_eighth_that_is_asked_of_it(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    recalled = recent.recalled

    def spied(*arguments: Any) -> Any:
        frames, details = recalled(*arguments)
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
        ("jpg", "w=50", "png", {"make_blob"}),
        ("jpg", "w=50,sharpen=1", "jpg", {"unsharp_mask"}),
        ("jpg", "w=50,blur=2", "jpg", {"blur"}),
        ("jpg", "w=50,equalize=1", "jpg", {"equalize"}),
        ("jpg", "w=50,h=20,fit=liquid", "jpg", {"liquid_rescale"}),
        ("jpg", "trim=5,w=50", "webp", {"trim"}),
        ("gif", "w=50", "tif", {"make_blob"}),
        ("tif turned", "w=50", "tif", {"read", "make_blob"}),
        ("heic", "w=50", "jpg", set()),
        ("jpg", "w=50", "jpg", set()),
    ],
)
def test_by_default_wand_does_what_the_table_says(
    original: str, recipe: str, kind: str, expected: set[str], calls: list[str]
) -> None:
    data = images.oriented(6, "TIFF") if original == "tif turned" else ORIGINALS[original]()
    calls.clear()
    derive(data, recipe, kind)
    assert set(calls) == expected


@pytest.mark.parametrize("original", [name for name in ORIGINALS if name != "avif"])
def test_with_imagemagick_wand_reads_and_writes_everything(original: str, calls: list[str]) -> None:
    data = ORIGINALS[original]()
    for kind in FORMATS:
        if (kind == "avif" and "alpha" in original) or original == "ico":
            continue
        calls.clear()
        derive(data, "w=40", kind, library="imagemagick")
        assert {"read", "make_blob"} <= set(calls), kind


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
    assert not [line for line in said if "built without" in line]
