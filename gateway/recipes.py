"""Read and print recipes. Twin of recipes.lua.

A recipe is a map of operation to canonical value, without its format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway import overlays
from gateway.errors import Refused, quote
from gateway.hints import did_you_mean
from gateway.rules import VOCABULARY, Rules
from gateway.values import expectation, normalise, value_hint

Recipe = dict[str, str]

FULL = "full"

_MEANT = VOCABULARY["meant"]


def add(pairs: dict[str, str], word: str, value: str, rules: Rules, words: Iterable[str] | None = None) -> None:
    """Add an operation, under any of its words, to what is given. `words` may be written here: by default the
    operations. Raises Refused for an unknown or a second one."""
    key = rules.aliases.get(word)
    if key is None:
        hint = (
            did_you_mean(word, words or rules.aliases, _MEANT["keys"]) or f"; there are {', '.join(rules.operations)}"
        )
        raise Refused(400, f"{quote(word or f'={value}')}: no such operation{hint}")
    if key in pairs:
        raise Refused(400, f"{word}: given twice")
    pairs[key] = value


def read(pairs: Mapping[str, str], rules: Rules) -> Recipe:
    """Check and normalise every value. Raises Refused naming the key and its range."""
    recipe: Recipe = {}
    for key, text in pairs.items():
        row = rules.operations[key]
        if row["type"] == "overlays":
            recipe[key] = overlays.expand(text, rules)
            continue
        value = normalise(row, text, rules.limits)
        if value is None:
            wanted = expectation(row, rules.limits)
            raise Refused(400, f"{key}={quote(text)}: must be {wanted}{value_hint(row, text, _MEANT['switches'])}")
        recipe[key] = value
    for word in recipe.get("keep", "").split(":"):
        if word and word not in rules.keep:
            raise Refused(400, f"keep={word}: the configuration does not allow it")
    return recipe


def preset_recipe(preset: str, rules: Rules) -> Recipe:
    """The values of a preset, not yet canonical for any format. Raises Refused naming it and those there are."""
    if preset not in rules.presets:
        known = [FULL, *sorted(rules.presets)]
        hint = did_you_mean(preset, known) or f"; there are {', '.join(known)}"
        raise Refused(400, f"{quote(preset or 'preset=')}: no such preset{hint}")
    pairs: dict[str, str] = {}
    for part in rules.presets[preset].split(","):
        key, equals, value = part.partition("=")
        if equals:
            add(pairs, key, value, rules)
        elif part != FULL:
            raise Refused(400, f"preset {preset}: {quote(part) or 'an empty item'}: must be key=value")
    return read(pairs, rules)


def print_recipe(recipe: Recipe) -> str:
    """`w=300,fit=cover`, or `full` for the empty recipe. The recipe must be canonical."""
    return ",".join(f"{key}={value}" for key, value in recipe.items()) or FULL
