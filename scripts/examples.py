"""One example for each operation of the vocabulary, and the part of docs/recipes.md that shows them.

An example is a picture to start from and two recipes, without and with the operation. Both pictures of an example are
answers of the gateway. `make pictures` makes them; this module performs no I/O.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from gateway.rules import VOCABULARY


@dataclass(frozen=True)
class Example:
    """`key` is the operation; `before` and `after` are recipes with their formats, as in the name of an image."""

    key: str
    before: str
    after: str
    note: str
    subject: str = "lake.jpg"


EXAMPLES = (
    Example(
        "crop", "w=240.webp", "crop=50p:20p:50p:50p,w=240.webp", "half as wide and half as high, from the right side"
    ),
    Example("crop", "w=240.webp", "crop=50p:50p,g=ne,w=240.webp", "the same size, from the north east by `g`"),
    Example("trim", "w=240.webp", "trim=10,w=240.webp", "the white border goes", "bordered.png"),
    Example("trim", "w=240.webp", "trim=10:fff,w=240.webp", "only a border of white goes", "bordered.png"),
    Example("w", "w=240.webp", "w=120.webp", "half as wide, the height follows"),
    Example("h", "w=240.webp", "h=120.webp", "120 pixels high, the width follows"),
    Example("ar", "w=240.webp", "ar=16:9,w=240.webp", "16 to 9; the same as `w=240,h=135,fit=cover`"),
    Example("dpr", "w=120.webp", "dpr=2,w=120.webp", "the same box for a screen with two pixels for each point"),
    Example("fit", "w=240,h=120.webp", "fit=cover,w=240,h=120.webp", "`cover` fills the box and cuts off the rest"),
    Example("fit", "w=240,h=120.webp", "fit=fill,w=240,h=120.webp", "`fill` stretches the image to the box"),
    Example("fit", "w=240,h=120.webp", "fit=pad,w=240,h=120.webp", "`pad` adds the colour of `bg` beside the image"),
    Example("fit", "w=240,h=120.webp", "fit=outside,w=240,h=120.webp", "`outside` covers the box and cuts nothing off"),
    Example("fit", "w=240,h=120.webp", "fit=liquid,w=240,h=120.webp", "`liquid` removes the seams that show least"),
    Example(
        "up",
        "crop=420:160:120:90,w=240.webp",
        "crop=420:160:120:90,up=1,w=240.webp",
        "a region of 120 pixels is enlarged to 240",
    ),
    Example("g", "fit=cover,w=120,h=180.webp", "fit=cover,g=e,w=120,h=180.webp", "the east side stays, not the centre"),
    Example("g", "fit=cover,w=120,h=180.webp", "fit=cover,g=smart,w=120,h=180.webp", "`smart` finds what stands out"),
    Example("rot", "w=240.webp", "rot=90,w=180.webp", "a quarter clockwise"),
    Example("flip", "w=240.webp", "flip=h,w=240.webp", "left and right are swapped"),
    Example("bg", "w=240.webp", "bg=f80,w=240.jpg", "JPEG has no transparency: the colour shows", "oval.png"),
    Example("gray", "w=240.webp", "gray=1,w=240.webp", "shades of gray"),
    Example("equalize", "w=240.webp", "equalize=1,w=240.webp", "every shade is used equally often", "faded.png"),
    Example("normalize", "w=240.webp", "normalize=1,w=240.webp", "from black to white", "faded.png"),
    Example("negate", "w=240.webp", "negate=1,w=240.webp", "a negative"),
    Example("bri", "w=240.webp", "bri=25,w=240.webp", "brighter"),
    Example("con", "w=240.webp", "con=40,w=240.webp", "more contrast"),
    Example("sat", "w=240.webp", "sat=-70,w=240.webp", "paler colours"),
    Example("gam", "w=240.webp", "gam=2,w=240.webp", "brighter shadows, the same black and white"),
    Example("duotone", "w=240.webp", "duotone=102040:ffe0a0,w=240.webp", "from a dark blue to a pale yellow"),
    Example("blur", "w=240.webp", "blur=3,w=240.webp", "a sigma of three pixels"),
    Example("sharpen", "w=240.webp", "sharpen=1:3,w=240.webp", "a sigma of one pixel, three times the usual amount"),
    Example("pixelate", "w=240.webp", "pixelate=12,w=240.webp", "squares of twelve pixels"),
    Example("mask", "w=240.webp", "mask=ellipse,w=240.webp", "an ellipse, transparent outside"),
    Example("mask", "w=240.webp", "mask=ellipse,bg=f80,w=240.jpg", "JPEG has no transparency: `bg` shows outside"),
    Example("radius", "w=240.webp", "radius=24,w=240.webp", "corners rounded by 24 pixels, transparent outside"),
    Example("radius", "w=240.webp", "ar=1:1,radius=max,w=180.webp", "a square with the largest radius is a circle"),
    Example("bitonal", "w=240.png", "bitonal=1,w=240.png", "black and white, a small part of the bytes as PNG"),
    Example("colors", "w=240.png", "colors=8,w=240.png", "eight colours, a fraction of the bytes as PNG"),
    Example("over", "w=240.webp", "over=logo,w=240.webp", "a logo, where the configuration puts it"),
    Example(
        "over",
        "w=240.webp",
        "over=logo:diagonal:5p:5p:0.4:12p~credit:sw:2p:2p,w=240.webp",
        "a faint logo all over, and a text of the metadata on it",
        "signed.jpg",
    ),
    Example("frame", "w=240.webp", "frame=2,w=240.webp", "the third frame of four", "moving.gif"),
    Example("q", "w=240.webp", "q=5,w=240.webp", "a low quality, fewer bytes"),
    Example(
        "lossless",
        "crop=420:160:120:90,q=20.webp",
        "crop=420:160:120:90,lossless=1.webp",
        "every pixel as it was, many more bytes than a low quality",
    ),
    Example("mb", "w=240.webp", "mb=2500,w=240.webp", "the best quality that needs at most 2500 bytes"),
    Example(
        "keep", "w=240.webp", "keep=copyright,w=240.webp", "the same pixels; the notice stays in the file", "signed.jpg"
    ),
)

GETTING_STARTED = (
    "w=480.webp",
    "w=240.webp",
    "w=160,h=160,fit=cover,g=smart.jpg",
    "crop=50p:20p:50p:50p,w=240,gray=1.webp",
)
"""The recipes that docs/getting-started.md shows, of the sample."""


def pictures() -> dict[str, tuple[str, str]]:
    """Return the subject and the recipe of each picture, by its file name in docs/pictures."""
    shown = [(one.subject, recipe) for one in EXAMPLES for recipe in (one.before, one.after)]
    shown += [("lake.jpg", recipe) for recipe in GETTING_STARTED]
    return {file_name(subject, recipe): (subject, recipe) for subject, recipe in shown}


def file_name(subject: str, recipe: str) -> str:
    """Return `lake-gray-1-w-240.webp` for `gray=1,w=240.webp` of `lake.jpg`."""
    recipe, _, extension = recipe.rpartition(".")
    words = "".join(letter if letter.isalnum() else "-" for letter in recipe)
    return f"{subject.partition('.')[0]}-{words}.{extension}"


def fingerprints(subjects: Mapping[str, bytes]) -> dict[str, str]:
    """Return what each picture is made of as a hash: the bytes of its subject, and its recipe."""
    return {
        file: hashlib.sha256(subjects[subject] + recipe.encode()).hexdigest()[:16]
        for file, (subject, recipe) in pictures().items()
    }


def sections(sizes: Mapping[str, int]) -> str:
    """Return the Markdown that shows every example; `sizes` are the bytes of each picture."""
    meanings = {operation["key"]: operation["meaning"] for operation in VOCABULARY["operations"]}

    def lines() -> Iterator[str]:
        for key, examples in groupby(EXAMPLES, key=lambda one: one.key):
            yield f"\n### `{key}`\n\n{_sentence(meanings[key])}\n"
            for one in examples:
                yield from shown(one)

    def shown(one: Example) -> Iterator[str]:
        yield f"\nHere: {one.note}.\n\n"
        yield f"| `@{one.before}` | `@{one.after}` |\n| --- | --- |\n"
        yield f"| {picture(one, one.before)} | {picture(one, one.after)} |\n"
        yield f"| {size(one, one.before)} | {size(one, one.after)} |\n"

    def picture(one: Example, recipe: str) -> str:
        return f"![{one.subject} as {recipe}](pictures/{file_name(one.subject, recipe)})"

    def size(one: Example, recipe: str) -> str:
        return f"{sizes[file_name(one.subject, recipe)]:,} bytes"

    return "".join(lines())


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
