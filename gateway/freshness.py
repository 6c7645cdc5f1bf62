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


_STALE = ("stale-while-revalidate", "stale-if-error")  # RFC 5861
SHARED = ("s-maxage", *_STALE)
"""What `rules.shared_caches` may hold, in the order of the header."""


def cache_control(name: Name, rules: Rules, now: float, *, current: bool, ends: int | None = None) -> str:
    """Cache-Control of an answer at `now`, in seconds since the epoch: its preset's own time, else the configured one;
    for ever where its URL carries a version that is `current`. Nothing is kept beyond the end of its URL, or of its
    original, which `ends`, and then it is never served stale."""
    url_ends = end_of(name.signature.get("exp", ""))
    if url_ends is not None:
        ends = url_ends if ends is None else min(ends, url_ends)
    if current and ends is None:
        return IMMUTABLE
    times = {} if name.is_meta else preset_times(name.format, rules)
    seconds = times.get(print_recipe(name.recipe), rules.max_age)
    return directives(seconds, rules, None if ends is None else max(0, math.floor(ends - now)))


def directives(seconds: int, rules: Rules, most: int | None = None) -> str:
    """Cache-Control of what browsers may keep for so many seconds; `most` is how long the URL holds, if it ends."""
    shared = rules.shared_caches
    if most is not None:
        seconds = min(seconds, most)
        shared = {word: min(value, most) for word, value in shared.items() if word not in _STALE}
    return ", ".join(("public", f"max-age={seconds}", *(f"{word}={shared[word]}" for word in SHARED if word in shared)))


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
