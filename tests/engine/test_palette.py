"""Few colours: `colors` bounds them, and a PNG of few colours is stored with a palette."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests import images
from tests.engine.deriving import derive

SMALL = 160, 120
SMALLER = {
    "opaque": images.png(images.photo(*SMALL)),
    "transparent": images.png_alpha(*SMALL),
    "jpeg": images.jpeg(images.photo(*SMALL)),
    "gray": images.png_gray(*SMALL),
}
SOURCES = {"opaque": images.png(), "transparent": images.png_alpha(), "jpeg": images.jpeg(), "gray": images.png_gray()}


def colours(pixels: NDArray[Any]) -> int:
    return len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0))


def on_white(image: Image.Image) -> NDArray[Any]:
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    return np.asarray(flat.convert("RGB")).astype(int)


@pytest.mark.parametrize("most", [2, 16, 100, 256])
@pytest.mark.parametrize(
    ("recipe", "word"), [("colors={}", "png"), ("w=64,colors={}", "gif"), ("colors={},lossless=1", "webp")]
)
@pytest.mark.parametrize("source", SOURCES)
def test_the_result_has_at_most_so_many_colours(source: str, recipe: str, word: str, most: int) -> None:
    assert 1 < colours(derive(SMALLER[source], recipe.format(most), word).pixels("RGBA")) <= most


@pytest.mark.parametrize("source", SOURCES)
def test_the_picture_is_still_the_same_to_the_eye(source: str) -> None:
    made, whole = (derive(SOURCES[source], recipe, "png").pillow() for recipe in ("colors=64", "bri=0"))
    blocks = [pixels.reshape(30, 8, 40, 8, 3).mean((1, 3)) for pixels in (on_white(made), on_white(whole))]
    assert np.abs(blocks[0] - blocks[1]).mean() < 3  # dither is even out over eight pixels


def test_a_png_of_few_colours_is_smaller_with_fewer() -> None:
    sizes = [derive(images.png(), f"colors={most}", "png").result.bytes for most in (4, 32, 256)]
    assert sizes == sorted(sizes)
    assert sizes[-1] < derive(images.png(), "bri=1", "png").result.bytes / 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("count", [2, 16, 200])
def test_few_colours_are_stored_with_a_palette_and_lose_nothing(mode: str, count: int) -> None:
    chosen = np.random.default_rng(count).permutation(256)[:count].astype(np.uint8)
    index = np.arange(64 * 48).reshape(48, 64) % count
    channels = [np.roll(chosen, place)[index] for place in range(len(mode))]
    drawn = Image.merge(mode, [Image.fromarray(channel) for channel in channels])
    made = derive(images.encode(drawn, "PNG"), "flip=h", "png")
    assert np.array_equal(made.pixels("RGBA"), np.asarray(drawn.convert("RGBA"))[:, ::-1])
    assert made.pillow().mode == ("L" if mode == "L" and count > 16 else "P")


@pytest.mark.parametrize("word", ["bmp", "tif"])
@pytest.mark.parametrize("mode", ["P", "1", "L", "RGB"])
def test_a_full_copy_of_few_colours_is_no_larger_than_the_original(word: str, mode: str) -> None:
    photo = Image.fromarray(images.photo(120, 90))
    drawn = photo.quantize(200, dither=Image.Dither.NONE) if mode == "P" else photo.convert(mode)
    kind = {"bmp": "BMP", "tif": "TIFF"}[word]
    packed = {"compression": "tiff_lzw"} if word == "tif" else {}
    original = images.encode(drawn, kind, **packed)
    made = derive(original, "", word)
    assert np.array_equal(made.pixels("RGB"), np.asarray(drawn.convert("RGB")))
    assert len(made.data) <= len(original)
