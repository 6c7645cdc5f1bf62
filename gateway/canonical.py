"""Recognise requests that are canonical names as they stand: such a path is also the file's path in the derived cache.

nginx uses the pattern in a `map` and reads it as PCRE, byte by byte. The pattern has only syntax with the same meaning
in PCRE and Python: classes of ASCII characters, a named group, and a look ahead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.presets import preset_recipes
from gateway.rules import Rules

_SEGMENT = "[A-Za-z0-9_~=,:+-][A-Za-z0-9._~=,:+@-]*"
_LEAF = "@[a-z0-9.,=:-]+"


def canonical_pattern(rules: Rules, longest_tag: int | None = None) -> str:
    """Return the pattern of such raw requests: nothing escaped, no query, no dot segments, and the last segment that of
    a derived image. `path` is what follows /images.

    The pattern takes more than canonical names: it need not know the order of a recipe's operations, since no file lies
    at a path that is not canonical.

    With tags of a CDN, whose `longest_tag` has so many bytes, it takes only images whose name is also their tag: those
    with commas, and those that are longer, have another one (see cache_tag.py). With a ladder it takes only widths on
    it, and what presets expand to.
    """
    segment, short = _SEGMENT, ""
    if longest_tag is not None:
        segment, short = _SEGMENT.replace(",", ""), f"(?!/.{{{longest_tag + 1},}}/@)"
    return f"^/images(?P<path>{short}(?:/{segment})+/{_leaf(rules)})$"


def _leaf(rules: Rules) -> str:
    formats = "|".join(rules.out)
    if not rules.ladder:
        return f"{_LEAF}[.](?:{formats})"
    another_width = f"(?:[^/]*,)?w=(?!(?:{'|'.join(map(str, rules.ladder))})[,.])"
    on_ladder = f"{_LEAF.replace('@', f'@(?!{another_width})')}[.](?:{formats})"
    return f"(?:{'|'.join((on_ladder, *_presets(rules)))})"


def _presets(rules: Rules) -> Iterator[str]:
    """The last segment of what presets expand to, where that has a width that is not on the ladder."""
    for format in rules.out:
        for printed, recipe in preset_recipes(format, rules).items():
            if int(recipe.get("w", rules.ladder[0])) not in rules.ladder:
                yield f"@{printed.replace('.', '[.]')}[.]{format}"


def canonical_path(request_uri: str, rules: Rules) -> str | None:
    """Return the path that the pattern finds in a raw request, None if it does not match; as nginx reads it."""
    found = re.search(canonical_pattern(rules), request_uri)
    return found["path"] if found else None
