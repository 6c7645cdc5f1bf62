"""The canonical recipes of presets. Twin of presets.lua."""

from __future__ import annotations

from gateway.equivalence import canonicalise
from gateway.errors import Refused
from gateway.recipes import Recipe, preset_recipe, print_recipe
from gateway.rules import Rules


def preset_recipes(format: str, rules: Rules) -> dict[str, Recipe]:
    """The canonical recipes of all presets in one format, by how they are printed; presets that cannot be made in it
    are left out."""
    found = {}
    for preset in rules.presets:
        try:
            recipe = canonicalise(preset_recipe(preset, rules), format, rules)
        except Refused:
            continue
        found[print_recipe(recipe)] = recipe
    return found
