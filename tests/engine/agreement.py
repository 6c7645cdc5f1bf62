"""What the libraries must agree on, as data: the originals, the recipes, and how far apart the results may lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from tests import images

ORIGINALS: dict[str, Callable[[], bytes]] = {
    "jpg": lambda: images.jpeg(images.photo(203, 151)),
    "png": lambda: images.png(images.photo(203, 151)),
    "webp": lambda: images.webp(images.photo(200, 150)),
    "avif": lambda: images.avif(images.photo(200, 150)),
    "gif": lambda: images.gif(200, 150),
    "tif": lambda: images.tiff(images.photo(200, 150)),
    "bmp": lambda: images.bmp(images.photo(200, 150)),
    "jxl": lambda: images.jxl(images.photo(200, 150)),
    "heic": lambda: images.heic(images.photo(200, 150)),
    "ico": images.ico,
}
"""Of every format in; the first is of a size that no scaled decode ends with a whole pixel."""

KINDS: dict[str, Callable[[], bytes]] = {
    "jpg gray": lambda: images.jpeg_gray(200, 150),
    "jpg cmyk": lambda: images.jpeg_cmyk(200, 150),
    "png alpha": lambda: images.png_alpha(200, 150),
    "png 16 bits": lambda: images.png_16bit(200, 150),
}
"""Other kinds of pixels."""

FORMATS = ("jpg", "png", "webp", "avif", "jxl", "gif", "tif", "bmp")

RECIPES = (
    "w=48", "w=20", "w=40,h=25,fit=cover", "w=40,h=25,fit=cover,g=smart", "w=40,h=30,fit=fill", "w=45,h=30,fit=liquid",
    "w=45,h=45,fit=pad,bg=336699", "w=45,h=45,fit=pad,bg=33669980", "crop=10p:10p:50p:50p,w=40", "trim=5,w=45",
    "w=36,rot=90", "w=36,rot=30,bg=ff0000", "w=48,flip=h", "w=48,flip=v", "w=48,gray=1", "w=48,equalize=1",
    "w=48,normalize=1", "w=48,negate=1", "w=48,bri=10", "w=48,con=10", "w=48,sat=30", "w=48,gam=1.4", "w=48,blur=2",
    "w=48,sharpen=1",
    "w=48,duotone=102040:ffe0a0", "w=48,pixelate=5", "w=48,mask=ellipse", "w=48,radius=9", "crop=50p:50p,g=ne,w=40",
    "trim=5:ffffff,w=45", "crop=20p:20p:20p:20p,w=44,up=1", "w=48,q=60",
)  # fmt: skip
"""Every operation of the vocabulary, small, so that a sheet holds them all."""

ELSEWHERE = {
    "bitonal": "both do it by one table: tests/engine/test_tone.py",
    "colors": "the colours that are chosen follow from nearly the same pixels: tests/engine/test_palette.py",
    "ar": "it has become part of w and h",
    "dpr": "it has become part of w and h",
    "frame": "it is taken when decoding: tests/engine/test_animation.py",
    "keep": "it changes no pixel where there is no profile: tests/engine/test_colour.py",
    "lossless": "tests/engine/test_formats.py compares with the pixels themselves",
    "over": "both do it by one step: tests/engine/test_overlays.py",
    "mb": "it is a search for q: tests/engine/test_quality.py",
}
"""The operations that are no pixel's matter, and where they are tested."""


@dataclass(frozen=True)
class Bound:
    """`mean` is the greatest mean difference of a sample, of 255, on black; `score` the least SSIMULACRA2 of the sheet
    of all operations, on white. Where a bound is wider than usual, `why` says so."""

    mean: float
    score: float
    why: str = ""


USUAL = Bound(1.6, 90)
"""Without loss: two resamplings to 8 bits, of which one goes by 16."""

ENCODED: dict[str, Bound] = {
    "jpg": Bound(2.8, 84, "two encodings of nearly the same pixels; of the same pixels they are the same"),
    "webp": Bound(3.5, 80, "two encodings of nearly the same pixels; of the same pixels they are the same"),
    "avif": Bound(5.5, 75, "libavif with speed 8 and a newer libaom, tuned for images; libheif with Debian's"),
    "jxl": Bound(3.5, 84, "two encodings of nearly the same pixels; of the same pixels they are the same"),
    "gif": Bound(2.0, 86, "a palette that follows from nearly the same pixels, and its dither"),
}
"""By format out."""

OF_RECIPES: dict[tuple[str, str], Bound] = {
    ("rot=30,bg=ff0000", "jxl"): Bound(5.0, 84, "a tilted edge of red loses 8 in each of two encodings"),
}
"""By words in the recipe and the format out, where one recipe differs more than all others."""

UNSCORED: dict[str, Bound] = {
    "liquid": Bound(
        7.0, 0, "seams of nearly equal weight: a rounding decides which one goes, and details lie elsewhere"
    ),
}
"""By a word in the recipe; not on the sheet."""

NOT_COMPARED = {
    (
        "heic",
        "liquid",
    ): "two decoders, and more than a rounding between their chroma: other seams go. Carving itself is "
    "ImageMagick's in both, and compared in every other format",
}
"""By original and a word in the recipe, with the reason."""


def compared(original: str) -> list[str]:
    """The recipes that are compared for an original."""
    left_out = [word for name, word in NOT_COMPARED if name == original]
    return [recipe for recipe in RECIPES if not any(word in recipe for word in left_out)]


def bound(recipe: str, kind: str) -> Bound:
    """How far apart one result may be."""
    of_recipe = (bound for (words, out), bound in OF_RECIPES.items() if out == kind and words in recipe)
    unscored = (bound for word, bound in UNSCORED.items() if word in recipe)
    return next(chain(of_recipe, unscored), ENCODED.get(kind, USUAL))
