"""Recognise requests that are canonical names as they stand: such a path is also the file's path in the derived cache.

nginx uses the patterns in a `map` and reads them as PCRE, byte by byte. They have only syntax with the same meaning in
PCRE and Python: classes of ASCII characters, a named group, and a look ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.overlays import require
from gateway.presets import preset_recipes
from gateway.rules import Rules

_SEGMENT = "[A-Za-z0-9_~=,:+-][A-Za-z0-9._~=,:+@-]*"
_WORD = "[a-z0-9.=:-]+"
_LEAF = "@(?!(?:[^/]*,)?over=)[a-z0-9.,=:-]+"  # no overlay is configured, and images with a former one may lie there


def canonical_patterns(rules: Rules, longest_tag: int | None = None) -> list[str]:
    """Return the patterns of such raw requests: nothing escaped, no query, no dot segments, and the last segment that
    of a derived image. `path` is what follows /images. One of them has to match.

    The patterns take more than canonical names: they need not know the order of a recipe's operations, since no file
    lies at a path that is not canonical. Of overlays they take only those of the configuration as they are now, since
    images with others may still lie there; and no image without the required ones.

    With tags of a CDN, whose `longest_tag` has so many bytes, they take only images whose name is also their tag: those
    with commas, and those that are longer, have another one (see cache_tag.py). With a ladder they take only widths on
    it, and what presets expand to: a pattern for each, since nginx takes none of more than 4 KiB.
    """
    segment, short = _SEGMENT, ""
    if longest_tag is not None:
        segment, short = _SEGMENT.replace(",", ""), f"(?!/.{{{longest_tag + 1},}}/@)"
    return [f"^/images(?P<path>{short}(?:/{segment})+/{leaf})$" for leaf in _leaves(rules)]


def _leaves(rules: Rules) -> Iterator[str]:
    formats = "|".join(rules.out)
    leaf = _leaf(rules)
    if not rules.ladder:
        yield f"{leaf}[.](?:{formats})"
        return
    another_width = f"(?:[^/]*,)?w=(?!(?:{'|'.join(map(str, rules.ladder))})[,.])"
    yield f"@(?!{another_width}){leaf.removeprefix('@')}[.](?:{formats})"
    for recipe, out in _beside_the_ladder(rules).items():
        yield f"@{recipe.replace('.', '[.]')}[.](?:{'|'.join(out)})"


def _beside_the_ladder(rules: Rules) -> dict[str, list[str]]:
    """The recipes that presets expand to with a width that is not on the ladder, and their formats."""
    found: dict[str, list[str]] = {}
    for format in rules.out:
        for printed, recipe in preset_recipes(format, rules).items():
            if int(recipe.get("w", rules.ladder[0])) not in rules.ladder:
                found.setdefault(printed, []).append(format)
    return found


def _leaf(rules: Rules) -> str:
    if not rules.overlays:
        return _LEAF
    other = f"(?!over=){_WORD}"
    stamped = "|".join(f"{name}[.]{row['stamp']}" for name, row in sorted(rules.overlays.items()))
    one = f"(?:{stamped})(?::[a-z0-9.:]*)?"
    if not rules.required:
        part = f"(?:{other}|over=(?:{one}~)*{one})"
        return f"@(?:{part},)*{part}"
    required = require(None, rules).replace(".", "[.]")
    return f"@(?:{other},)*over=(?:{one}~)*{required}(?:,{other})*"


def canonical_path(request_uri: str, rules: Rules) -> str | None:
    """Return the path that a pattern finds in a raw request, None if none matches; as nginx reads it."""
    found = (re.search(pattern, request_uri) for pattern in canonical_patterns(rules))
    return next((match["path"] for match in found if match), None)
