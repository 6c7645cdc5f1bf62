"""Bound the widths of derived images to those of a ladder, on the public port. Twin of ladder.lua.

Few widths mean few files, each of them asked for often: they can be made ahead of time, and nobody can ask for all
there are. What a preset expands to is the operator's own choice, and stays as it is.
"""

from __future__ import annotations

from gateway.errors import Refused
from gateway.presets import preset_recipes
from gateway.recipes import Recipe, print_recipe
from gateway.rules import Rules
from gateway.values import maximum

DEFAULT_WIDTHS = (160, 320, 480, 640, 960, 1280, 1920, 2560)


def on_ladder(recipe: Recipe, format: str, rules: Rules) -> Recipe:
    """A canonical recipe with its width on a rung of `rules.ladder`, and its height scaled by the same factor.

    A recipe without a width stays as it is, and so does every recipe where there is no ladder. Raises Refused (400)
    where `rules.snap` is `refuse`, naming the neighbours; where the width is beyond the last rung; and where the scaled
    height is beyond the limits.
    """
    if not rules.ladder or "w" not in recipe:
        return recipe
    width = int(recipe["w"])
    if width in rules.ladder or print_recipe(recipe) in preset_recipes(format, rules):
        return recipe
    above = next((rung for rung in rules.ladder if rung > width), None)
    if above is None:
        raise Refused(400, f"w={width}: must be at most {rules.ladder[-1]}, the widest of the ladder")
    if rules.snap == "refuse":
        below = [rung for rung in rules.ladder if rung < width]
        nearest = f"{below[-1]} or {above}" if below else f"{above} at least"
        raise Refused(400, f"w={width}: must be {nearest}, for the ladder has no width between")
    snapped = {**recipe, "w": str(above)}
    if "h" in recipe:
        snapped["h"] = _scaled(int(recipe["h"]), above, width, rules)
    return snapped


def _scaled(height: int, above: int, width: int, rules: Rules) -> str:
    """The height times the factor of the width, rounded half up."""
    scaled, most = (2 * height * above + width) // (2 * width), maximum(rules.operations["h"], rules.limits)
    if scaled > most:
        raise Refused(400, f"h scaled to the ladder is {scaled}: must be at most {most}")
    return str(scaled)
