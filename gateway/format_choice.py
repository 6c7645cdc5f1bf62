"""Resolve `auto` and `source` to formats for one image and one client. Twin of format_choice.lua."""

from __future__ import annotations

from collections.abc import Callable

from gateway.holding import fitting
from gateway.marker import Marker
from gateway.names import Name
from gateway.negotiate import BASE, bucket
from gateway.rules import Rules


def candidates(
    name: Name, marker: Marker, accept: str, rules: Rules, smaller: Callable[[str], str | None]
) -> tuple[str, ...]:
    """Return the formats of an undecided name for a client with this Accept header, the preferred first.

    Two formats mean that the one with fewer bytes is the answer: a whole image asked for as `auto` is never larger than
    the original without its metadata. `smaller` returns which of the two that is, if it is noted for the format that
    it gets; it is called only where it matters.
    """
    if name.format == "source":
        return (marker.source,)
    chosen = bucket(accept, fitting(name.recipe, marker.shape, rules))
    if chosen == BASE:
        chosen = marker.base
    if name.recipe or chosen == marker.source:
        return (chosen,)
    known = smaller(chosen)
    if known in (chosen, marker.source):
        return (known,)
    return chosen, marker.source
