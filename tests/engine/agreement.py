"""What the libraries must agree on, as data: the originals, the recipes, and how far apart the results may lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests import images

ORIGINALS: dict[str, Callable[[], bytes]] = {
    "jpg": lambda: images.jpeg(images.photo(203, 151)),
    "jpg gray": lambda: images.jpeg_gray(200, 150),
    "jpg cmyk": lambda: images.jpeg_cmyk(200, 150),
    "png": lambda: images.png(images.photo(203, 151)),
    "png alpha": lambda: images.png_alpha(200, 150),
    "png 16 bits": lambda: images.png_16bit(200, 150),
    "webp": lambda: images.webp(images.photo(200, 150)),
    "avif": images.avif,
    "gif": images.gif,
    "tif": images.tiff,
    "bmp": images.bmp,
    "heic": lambda: images.heic(images.photo(200, 150)),  # of other sizes `trim` depends on a rounding of chroma
    "ico": images.ico,
}
"""Of every format in; the first is of a size that no scaled decode ends with a whole pixel."""

FORMATS = ("jpg", "png", "webp", "avif", "gif", "tif", "bmp")

RECIPES = (
    "w=97", "w=40", "w=80,h=50,fit=cover", "w=80,h=50,fit=cover,g=smart", "w=80,h=60,fit=fill", "w=90,h=60,fit=liquid",
    "w=90,h=90,fit=pad,bg=336699", "w=90,h=90,fit=pad,bg=33669980", "crop=10p:10p:50p:50p,w=80", "trim=5,w=90",
    "w=97,rot=90", "w=97,rot=30,bg=ff0000", "w=97,flip=h", "w=97,flip=v", "w=97,gray=1", "w=97,equalize=1",
    "w=97,normalize=1", "w=97,negate=1", "w=97,bri=10", "w=97,con=10", "w=97,sat=30", "w=97,gam=1.4", "w=97,blur=2",
    "w=97,sharpen=1",
)  # fmt: skip
"""Every operation of the vocabulary, for each original to PNG."""

EVERYWHERE = ("w=97", "w=97,rot=30,bg=ff0000")
"""What is asked in each format out, too."""


@dataclass(frozen=True)
class Bound:
    """`mean` is the greatest mean difference of a sample, of 255, on black; `similar` the least structural similarity
    (Wang et al. 2004). Where a bound is wider than usual, `why` says so."""

    mean: float
    similar: float
    why: str = ""


USUAL = Bound(1.2, 0.985)
ENCODED: dict[str, Bound] = {
    "jpg": Bound(1.8, 0.975, "two encodings of nearly the same pixels, each off by its own rounding"),
    "webp": Bound(1.8, 0.96, "two encodings of nearly the same pixels, each off by its own rounding"),
    "avif": Bound(2.2, 0.95, "two encoders: libavif with its speed 8, and libheif with a speed of its own"),
    "gif": Bound(1.5, 0.95, "a palette that follows from nearly the same pixels, and its dither"),
}
"""By format out."""

BOUNDS: dict[str, Bound] = {
    "equalize": Bound(2.0, 0.985, "one takes the histogram of 8 bits, the other that of 16"),
    "liquid": Bound(5.0, 0.85, "seams of nearly equal weight: a rounding decides which one goes"),
}
"""By a word in the recipe."""


def bound(recipe: str, kind: str) -> Bound:
    wider = next((bound for word, bound in BOUNDS.items() if word in recipe), USUAL)
    return ENCODED.get(kind, wider)
