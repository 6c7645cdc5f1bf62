"""Compute how long browsers may cache a derived image. Twin of freshness.lua."""

from __future__ import annotations

import math

from gateway.access import end_of
from gateway.equivalence import canonicalise
from gateway.errors import Refused
from gateway.names import Name
from gateway.recipes import preset_recipe, print_recipe
from gateway.rules import Rules

IMMUTABLE = "public, max-age=31536000, immutable"  # RFC 8246; of URLs that carry the version that is there


def cache_control(name: Name, rules: Rules, now: float, *, current: bool) -> str:
    """Cache-Control of an answer at `now`, in seconds since the epoch: its preset's own time, else the configured one;
    for ever where its URL carries a version that is `current`. A URL that ends is not kept beyond its end."""
    ends = end_of(name.signature.get("exp", ""))
    if current and ends is None:
        return IMMUTABLE
    times = {} if name.is_meta else preset_times(name.format, rules)
    seconds = times.get(print_recipe(name.recipe), rules.max_age)
    if ends is not None:
        seconds = max(0, min(seconds, math.floor(ends - now)))
    return f"public, max-age={seconds}"


def preset_times(format: str, rules: Rules) -> dict[str, int]:
    """Seconds by canonical recipe in one format, of the presets that have a time of their own; of several with one
    recipe, the first in the alphabet counts."""
    times: dict[str, int] = {}
    for preset in sorted(rules.preset_max_age):
        try:
            recipe = canonicalise(preset_recipe(preset, rules), format, rules)
        except Refused:
            continue
        times.setdefault(print_recipe(recipe), rules.preset_max_age[preset])
    return times
