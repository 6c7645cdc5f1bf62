"""Files: those that are taken, as cases of the shared test, and those that are refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.pictures.case import Case, Colour, Place

_KINDS = {"jpeg": "jpg", "apng": "png"}


@dataclass(frozen=True)
class Refusal:
    """A file that is refused, and `reason`, a part of what is said of it."""

    name: str
    make: Callable[[], bytes]
    reason: str

    def __str__(self) -> str:
        return self.name


def taken(
    name: str,
    make: Callable[[], bytes],
    shows: Colour,
    meta: Mapping[str, Any] | None = None,
    *,
    size: tuple[int, int] | None = None,
    tolerance: int = 3,
    full: str = "",
    at: Place = (0.5, 0.5),
) -> Case:
    """A file whose format is the first word of its `name`, and which shows a colour `at` a place."""
    kind, _, rest = name.partition(" ")
    sides = {"width": size[0], "height": size[1]} if size else {}
    known = _KINDS.get(kind, kind)
    said = rest if kind in (known, "jpeg") else name
    return Case(said, known, make, {at: shows}, {**sides, **(meta or {})}, tolerance, full)


def cases(found: Iterable[Case | Refusal]) -> list[Case]:
    return [each for each in found if isinstance(each, Case)]


def refusals(found: Iterable[Case | Refusal]) -> list[Refusal]:
    return [each for each in found if isinstance(each, Refusal)]
