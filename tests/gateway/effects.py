"""What a recipe does to an image, by a model of its own: two recipes give the same result when their effects are equal.

It is told by the meaning of the operations (exact fractions, the plane turned as complex numbers), not by spellings.
"""

from __future__ import annotations

import math
from fractions import Fraction

SWITCHES = ("equalize", "normalize", "negate", "bitonal")
WHITE = (255, 255, 255, 255)
PLACES = {
    "n": (0.5, 0),
    "ne": (1, 0),
    "e": (1, 0.5),
    "se": (1, 1),
    "s": (0.5, 1),
    "sw": (0, 1),
    "w": (0, 0.5),
    "nw": (0, 0),
}
OVERLAYS = {
    "logo": {"stamp": "aa11", "place": "se:2p:2p:1:own"},
    "credit": {"stamp": "bb22", "place": "sw:0:0:0.5:own"},
}
QUALITIES = {"jpg": 80, "webp": 80, "avif": 50, "jxl": 75}
OPAQUE = ("jpg", "bmp")
MOVING = ("avif", "gif", "jxl", "png", "webp")


def effect(recipe: dict[str, str], format: str) -> dict[str, object]:
    """All that the result depends on, for a format that is decided and values that are right."""
    box = _box(recipe)
    usual = "cover" if "ar" in recipe and not {"w", "h"} <= recipe.keys() else "inside"
    fit = recipe.get("fit", usual) if len(box) == 2 else "inside"
    turned = _turned(recipe)
    seen: dict[str, object] = {
        "region": _region(recipe.get("crop", "0:0:100p:100p")),
        "trim": _trim(recipe.get("trim")),
        "box": box,
        "fit": fit,
        "enlarges": bool(box) and _on(recipe, "up"),
        "focus": _focus(recipe.get("g", "center"), fit),
        "place": _place(recipe.get("crop", "0:0:100p:100p"), recipe.get("g", "center")),
        "turned": turned,
        "colour": _colour(recipe, format, fit, turned),
        "gray": _on(recipe, "gray"),
        "bri": _fraction(recipe, "bri", 0),
        "con": _fraction(recipe, "con", 0),
        "sat": 0 if _on(recipe, "gray") else _fraction(recipe, "sat", 0),
        "gam": _fraction(recipe, "gam", 1),
        "duotone": _duotone(recipe.get("duotone")),
        "over": _over(recipe.get("over")),
        "pixelate": _fraction(recipe, "pixelate"),
        "outline": _outline(recipe),
        "blur": _fraction(recipe, "blur"),
        "sharpen": _sharpen(recipe.get("sharpen")),
        "colors": _fraction(recipe, "colors"),
        "frame": _fraction(recipe, "frame", None if format in MOVING else 0),
        "kept": frozenset(filter(None, recipe.get("keep", "").split(":"))),
    } | {key: _on(recipe, key) for key in SWITCHES}
    return seen | {"encoding": _encoding(recipe, format, seen)}


def _encoding(recipe: dict[str, str], format: str, seen: dict[str, object]) -> object:
    """How the pixels are encoded; None where the encoded original may stay as it is."""
    if format in ("webp", "avif", "jxl") and _on(recipe, "lossless"):
        return "lossless"
    if "mb" in recipe:
        return "at most", int(recipe["mb"])
    quality = recipe.get("q") if format in QUALITIES else None
    if quality is not None:
        return quality if quality == "auto" else int(quality)
    untouched = effect_of_nothing()
    touched = any(seen[key] != untouched[key] for key in untouched)
    return QUALITIES.get(format) if touched else None


def effect_of_nothing() -> dict[str, object]:
    """The pixels as they are; the colour behind them, the frame and what is kept do not count."""
    return {
        "region": _region("0:0:100p:100p"), "trim": None, "box": {}, "fit": "inside", "enlarges": False, "focus": None,
        "place": None, "duotone": None, "pixelate": None, "over": None, "outline": None,
        "turned": (False, 0), "gray": False, "bri": 0, "con": 0, "sat": 0, "gam": 1, "blur": None, "sharpen": None,
        "colors": None,
    } | dict.fromkeys(SWITCHES, False)  # fmt: skip


def _on(recipe: dict[str, str], key: str) -> bool:
    return recipe.get(key, "0").lower() in ("1", "true")


def _fraction(recipe: dict[str, str], key: str, default: int | None = None) -> Fraction | int | None:
    return Fraction(recipe[key]) if key in recipe else default


def _box(recipe: dict[str, str]) -> dict[str, int]:
    scale = Fraction(recipe.get("dpr", "1"))
    box: dict[str, int] = {
        key: math.floor(int(recipe[key]) * scale + Fraction(1, 2)) for key in ("w", "h") if key in recipe
    }
    if "ar" in recipe and len(box) == 1:
        across, down = map(Fraction, recipe["ar"].split(":"))
        if "w" in box:
            box["h"] = max(1, math.floor(box["w"] * down / across + Fraction(1, 2)))
        else:
            box["w"] = max(1, math.floor(box["h"] * across / down + Fraction(1, 2)))
    return box


def _region(text: str) -> object:
    """Per side: where it begins and how long it is, as pixels or as a share of the side, ended by the image's edge."""
    if text.count(":") == 1:
        sizes = [(part.endswith("p"), Fraction(part.removesuffix("p"))) for part in text.split(":")]
        return sizes if sizes != [(True, Fraction(100))] * 2 else _region("0:0:100p:100p")
    x, y, w, h = ((part.endswith("p"), Fraction(part.removesuffix("p"))) for part in text.split(":"))
    return [_side(*x, *w), _side(*y, *h)]


def _side(by_share: bool, start: Fraction, size_by_share: bool, size: Fraction) -> object:
    from_share = by_share and start != 0
    ends_at_edge = size_by_share and (from_share or start == 0)
    return from_share, start, size_by_share, min(size, 100 - start) if ends_at_edge else size


def _focus(text: str, fit: str) -> object:
    if fit not in ("cover", "pad"):
        return None
    if text == "smart":
        return "smart" if fit == "cover" else (0.5, 0.5)
    if ":" in text:
        x, y = text.split(":")
        return float(x), float(y)
    return PLACES.get(text, (0.5, 0.5))


def _place(crop: str, g: str) -> object:
    """Where a crop by size lies, unless it is of the whole image."""
    if crop.count(":") != 1 or _region(crop) == _region("0:0:100p:100p"):
        return None
    return "smart" if g == "smart" else _focus(g, "cover")


def _trim(text: str | None) -> object:
    if text is None:
        return None
    fuzz, _, colour = text.partition(":")
    return Fraction(fuzz), _rgba(colour) if colour else None


def _duotone(text: str | None) -> object:
    return None if text is None else [_rgba(part) for part in text.split(":")]


def _over(text: str | None) -> object:
    """Name, place, offsets, opacity and scale of each, with what the rules of the tests leave out."""
    return None if text is None else [_overlay(item) for item in text.split("~")]


def _overlay(item: str) -> object:
    first, *given = item.split(":")
    name, dot, _ = first.partition(".")
    usual = ["se", "0", "0", "1", "own"] if dot else OVERLAYS[name]["place"].split(":")
    place, x, y, opacity, scale = [*given, *usual[len(given) :]]
    return name, place, x, y, Fraction(opacity), scale


def _outline(recipe: dict[str, str]) -> object:
    """Corners of any radius lie outside the ellipse."""
    if "mask" in recipe:
        return recipe["mask"]
    radius = recipe.get("radius")
    return radius if radius in (None, "max") else int(radius)


def _turned(recipe: dict[str, str]) -> tuple[bool, int]:
    """The turn and the mirror as one map of the plane: z to e^(i a) z, or to e^(i a) times the conjugate of z."""
    angle, flip = int(recipe.get("rot", "0")), recipe.get("flip")
    if flip == "h":
        return True, (180 - angle) % 360
    if flip == "v":
        return True, -angle % 360
    return False, (angle + (180 if flip == "hv" else 0)) % 360


def _colour(recipe: dict[str, str], format: str, fit: str, turned: tuple[bool, int]) -> object:
    """The colour where it may show: round a padded image, in the corners of a turned one, through a flattened one."""
    if fit != "pad" and turned[1] % 90 == 0 and format not in OPAQUE:
        return None
    red, green, blue, alpha = _rgba(recipe.get("bg", "ffffff"))
    return (red, green, blue, 255 if format in OPAQUE else alpha)


def _rgba(text: str) -> tuple[int, ...]:
    digits = text.removeprefix("#").lower()
    if len(digits) < 6:
        digits = "".join(2 * digit for digit in digits)
    return tuple(bytes.fromhex(digits.ljust(8, "f")))


def _sharpen(text: str | None) -> object:
    if text is None:
        return None
    given = [Fraction(part) for part in text.split(":")]
    return (*given, *[Fraction(1), Fraction(0)][len(given) - 1 :])
