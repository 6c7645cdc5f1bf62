"""One generated picture, and what must be seen of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Colour = tuple[int, ...]
"""What a screen of sRGB shows, 0..255: red, green, blue, and alpha where the picture has it."""

Place = tuple[float, float]
"""Where, across and down, of the upright picture: 0..1."""


@dataclass(frozen=True)
class Case:
    """`make` gives the file, whose suffix is `kind`. `shows` is what must be seen, within `tolerance` of a channel.

    `meta` are fields of @meta.json and their values. `full` is the format to ask @full in; empty where it is the file's
    own.
    """

    name: str
    kind: str
    make: Callable[[], bytes]
    shows: Mapping[Place, Colour]
    meta: Mapping[str, Any] = field(default_factory=dict)
    tolerance: int = 4
    full: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def flat(colour: Colour) -> dict[Place, Colour]:
    """One colour everywhere."""
    return {(0.5, 0.5): colour}
