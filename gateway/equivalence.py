"""One spelling for all recipes that give the same result. Twin of equivalence.lua.

`source` and `auto` are formats that are not decided yet: what depends on the format then stays in the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway import numbers, overlays
from gateway.errors import Refused
from gateway.recipes import Recipe
from gateway.rules import VOCABULARY, Rules
from gateway.values import maximum

_HALF_TURN = 18000  # hundredths of a degree
_UNDECIDED = VOCABULARY["undecided"]


def canonicalise(recipe: Recipe, format: str, rules: Rules) -> Recipe:
    """The one spelling of all recipes that give the same result in `format`, in the vocabulary's order.

    Raises Refused where a key lacks what it needs, or the box exceeds the limits by `dpr` or `ar`.
    """
    recipe = _opaque(_turn(_shape(_scale(dict(recipe), rules), rules)), format)
    if rules.required:
        recipe["over"] = overlays.require(recipe.get("over"), rules)
    recipe = {key: value for key, value in recipe.items() if value != _default(rules.operations[key])}
    for key, row in rules.operations.items():
        if key in recipe and "needs" in row and not _holds(row["needs"], recipe, format):
            raise Refused(400, f"{key}={recipe[key]}: {row['needs_text']}")
    recipe = _drop_quality(_drop_idle(recipe, format, rules), format, rules)
    return {key: recipe[key] for key in rules.operations if key in recipe}


def _default(row: Mapping[str, Any]) -> str | None:
    return "0" if row["type"] == "switch" else row.get("default")


def _scale(recipe: Recipe, rules: Rules) -> Recipe:
    """Fold `dpr` into `w` and `h`, rounding half up."""
    tenths = round(float(recipe.pop("dpr", "1")) * 10)
    for key in ("w", "h"):
        if key not in recipe:
            continue
        scaled, most = (int(recipe[key]) * tenths + 5) // 10, maximum(rules.operations[key], rules.limits)
        if scaled > most:
            raise Refused(400, f"{key} times dpr is {scaled}: must be at most {most}")
        recipe[key] = str(scaled)
    return recipe


def _shape(recipe: Recipe, rules: Rules) -> Recipe:
    """Fold `ar` into the one of `w` and `h` that is missing, rounding half up; beside both it changes nothing."""
    if "ar" not in recipe or ("w" in recipe and "h" in recipe):
        return {key: value for key, value in recipe.items() if key != "ar"}
    ratio = recipe.pop("ar")
    across, down = map(int, ratio.split(":"))
    if "w" in recipe:
        given, missing, one, other = "w", "h", across, down
    elif "h" in recipe:
        given, missing, one, other = "h", "w", down, across
    else:
        raise Refused(400, f"ar={ratio}: needs w or h")
    side, most = (
        max(1, (2 * int(recipe[given]) * other + one) // (2 * one)),
        maximum(rules.operations[missing], rules.limits),
    )
    if side > most:
        raise Refused(400, f"{missing} by ar is {side}: must be at most {most}")
    return {"fit": "cover", **recipe, missing: str(side)}


def _turn(recipe: Recipe) -> Recipe:
    """Of the two spellings of every turn and mirror, keep the one that turns less (hv is a half turn)."""
    turn, flip = numbers.scaled(recipe.get("rot", "0"), 2, 0, 360) or 0, recipe.get("flip")
    if flip == "hv":
        turn, flip = (turn + _HALF_TURN) % (2 * _HALF_TURN), None
    if flip is not None and turn >= _HALF_TURN:
        turn, flip = turn - _HALF_TURN, "v" if flip == "h" else "h"
    recipe.pop("flip", None)
    recipe["rot"] = numbers.plain(turn, 2)
    return recipe if flip is None else recipe | {"flip": flip}


def _opaque(recipe: Recipe, format: str) -> Recipe:
    """Without the alpha of `bg` where the format has none: there the colour is laid down whole."""
    if "bg" in recipe and VOCABULARY["formats"].get(format, {}).get("alpha") is False:
        recipe["bg"] = recipe["bg"][:6]
    return recipe


def _drop_quality(recipe: Recipe, format: str, rules: Rules) -> Recipe:
    """Without a `q` that is the default of the format, where another key has the image encoded anew in any case.

    Alone, or beside keys that may leave the encoded image as it is, it stays: it asks for just that.
    """
    encodes = any(rules.operations[key].get("encodes", True) for key in recipe if key != "q")
    if encodes and recipe.get("q") == str(rules.quality.get(format)):
        del recipe["q"]
    return recipe


def _drop_idle(recipe: Recipe, format: str, rules: Rules) -> Recipe:
    """Without the keys that change nothing beside the others, until none is left."""
    while True:
        effective = {
            key: value
            for key, value in recipe.items()
            if "matters" not in rules.operations[key] or _holds(rules.operations[key]["matters"], recipe, format)
        }
        if len(effective) == len(recipe):
            return effective
        recipe = effective


def _holds(conditions: list[Mapping[str, Any]], recipe: Recipe, format: str) -> bool:
    """Whether one of the conditions holds: each maps keys to what all of them must be."""
    return any(all(_meets(key, wanted, recipe, format) for key, wanted in one.items()) for one in conditions)


def _meets(key: str, wanted: Any, recipe: Recipe, format: str) -> bool:
    if key == "format":
        return format in wanted or format in _UNDECIDED
    value = recipe.get(key)
    if wanted == "set":
        return value is not None
    if wanted == "unset":
        return value is None
    if wanted == "sized":
        return value is not None and value.count(":") == 1
    if isinstance(wanted, list):
        return value in wanted
    return value is not None and value not in wanted["not"]
